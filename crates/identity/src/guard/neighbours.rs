//! Whether an official walks through neighbouring numbers: many different citizens of one block (place,
//! century, sex and year) in a few minutes, half of them or more misses.

use std::collections::VecDeque;

use lienthong_domain::identity::Pseudonym;

use crate::config::GuardConfig;

/// Questions of one official remembered at most.
const LOOKS_MAX: usize = 256;
const MINUTE_MS: i64 = 60_000;

/// The last minutes of one official.
#[derive(Clone, Debug, Default)]
pub(super) struct Looks(VecDeque<Look>);

#[derive(Clone, Copy, Debug)]
struct Look {
    at_ms: i64,
    block: Pseudonym,
    subject: Pseudonym,
    missed: bool,
}

impl Looks {
    pub(super) fn push(&mut self, block: Pseudonym, subject: Pseudonym, missed: bool, at_ms: i64) {
        // The last answer about a citizen counts: a slip that was corrected is none.
        let earlier = self.0.iter().position(|look| look.subject == subject);
        if let Some(place) = earlier {
            self.0.remove(place);
        }
        if self.0.len() == LOOKS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Look {
            at_ms,
            block,
            subject,
            missed,
        });
    }

    pub(super) fn expire(&mut self, config: &GuardConfig, now_ms: i64) {
        let span_ms = i64::from(config.neighbours_minutes) * MINUTE_MS;
        while let Some(look) = self.0.front()
            && look.at_ms.saturating_add(span_ms) <= now_ms
        {
            self.0.pop_front();
        }
    }

    /// Whether the block of the last question is being walked through. Call [`Self::expire`] before.
    pub(super) fn is_walk(&self, config: &GuardConfig) -> bool {
        let Some(last) = self.0.back() else {
            return false;
        };
        let (mut citizens, mut misses) = (0, 0);
        for look in self.0.iter().filter(|look| look.block == last.block) {
            citizens += 1;
            misses += usize::from(look.missed);
        }
        citizens > config.neighbours_max as usize && misses * 2 >= citizens
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pseudonym(number: u8) -> Pseudonym {
        Pseudonym([number; 16])
    }

    #[test]
    fn nine_neighbours_with_half_of_them_missed_are_a_walk() {
        let config = GuardConfig::default();
        let walk = |misses: u8, minutes_apart: i64, blocks: u8| {
            let mut looks = Looks::default();
            let mut at = 0;
            for number in 0..9 {
                at += minutes_apart * MINUTE_MS;
                let missed = number < misses;
                looks.push(
                    pseudonym(100 + number % blocks),
                    pseudonym(number),
                    missed,
                    at,
                );
            }
            looks.expire(&config, at);
            looks.is_walk(&config)
        };
        assert!(walk(5, 1, 1));
        assert!(!walk(4, 1, 1), "most were hits");
        assert!(!walk(9, 2, 1), "too slowly");
        assert!(!walk(9, 1, 2), "in two blocks");
    }

    #[test]
    fn a_corrected_slip_is_no_miss_and_memory_is_bounded() {
        let config = GuardConfig::default();
        let mut looks = Looks::default();
        for number in 0..9 {
            looks.push(pseudonym(100), pseudonym(number), true, 0);
            looks.push(pseudonym(100), pseudonym(number), false, 0);
        }
        assert!(!looks.is_walk(&config));
        for number in 0..1_000_u16 {
            let mut subject = [9; 16];
            subject[..2].copy_from_slice(&number.to_be_bytes());
            looks.push(pseudonym(100), Pseudonym(subject), false, 0);
        }
        assert_eq!(looks.0.len(), LOOKS_MAX);
    }
}
