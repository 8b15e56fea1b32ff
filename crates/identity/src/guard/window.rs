//! The different citizens somebody asked about in the last 24 hours.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::time::Duration;

use lienthong_domain::identity::Pseudonym;

use super::hashing::ByPseudonym;

/// 60 minutes.
pub(super) const HOUR_MS: i64 = 3_600_000;
/// 24 hours.
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;

/// Different citizens, each counted for 24 hours from the first question about them: asking again tells
/// nobody's data anew and costs nothing. So it never holds more citizens than the quota of a day.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// Ascending times.
    order: VecDeque<(i64, Pseudonym)>,
    /// Whether a right claim about the citizen was counted.
    known: ByPseudonym<bool>,
}

impl Window {
    /// Forgets what is older than 24 hours.
    pub(super) fn expire(&mut self, now_ms: i64) {
        while let Some((at, subject)) = self.order.front()
            && at.saturating_add(DAY_MS) <= now_ms
        {
            self.known.remove(subject);
            self.order.pop_front();
        }
    }

    pub(super) fn contains(&self, subject: &Pseudonym) -> bool {
        self.known.contains_key(subject)
    }

    /// Counts a citizen, unless counted.
    pub(super) fn insert(&mut self, subject: Pseudonym, now_ms: i64) {
        let Entry::Vacant(new) = self.known.entry(subject) else {
            return;
        };
        new.insert(false);
        // A clock that was set back must not break the order.
        let at = self
            .order
            .back()
            .map_or(now_ms, |(last, _)| now_ms.max(*last));
        self.order.push_back((at, subject));
    }

    /// Whether this is the first right claim about the citizen. Only the first says something in favour of the
    /// asker: whoever knows one person well must not wipe out misses by naming that person again and again.
    pub(super) fn first_hit(&mut self, subject: &Pseudonym) -> bool {
        let hit = self.known.get_mut(subject);
        hit.is_some_and(|hit| !std::mem::replace(hit, true))
    }

    /// Citizens counted in the last `span_ms`.
    pub(super) fn count(&self, span_ms: i64, now_ms: i64) -> usize {
        self.order.len() - self.first_within(span_ms, now_ms)
    }

    /// When one of `max` or more citizens leaves the last `span_ms`; `None` while there are fewer.
    pub(super) fn wait(&self, max: u32, span_ms: i64, now_ms: i64) -> Option<Duration> {
        if self.order.len() < max as usize {
            // The ordinary case: not even the whole day is too much.
            return None;
        }
        let first = self.first_within(span_ms, now_ms);
        let count = self.order.len() - first;
        // With a quota that was lowered since, more than one has to leave.
        let others = count.checked_sub(max as usize)?;
        let last_to_leave = self.order.get(first + others);
        let leaves = last_to_leave
            .map_or(now_ms, |(at, _)| *at)
            .saturating_add(span_ms);
        let millis = u64::try_from(leaves - now_ms).unwrap_or(0);
        Some(Duration::from_millis(millis.max(1)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn first_within(&self, span_ms: i64, now_ms: i64) -> usize {
        self.order
            .partition_point(|(at, _)| at.saturating_add(span_ms) <= now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(number: u8) -> Pseudonym {
        Pseudonym([number; 16])
    }

    #[test]
    fn citizens_are_counted_once_and_leave_after_a_day() {
        let mut window = Window::default();
        for number in 0..4 {
            window.insert(subject(number), i64::from(number) * HOUR_MS / 2);
            window.insert(subject(0), i64::from(number) * HOUR_MS / 2);
        }
        let now = 3 * HOUR_MS / 2;
        assert_eq!(
            (window.count(HOUR_MS, now), window.count(DAY_MS, now)),
            (2, 4)
        );
        assert_eq!(window.wait(3, HOUR_MS, now), None);
        let half = Duration::from_mins(30);
        assert_eq!(window.wait(2, HOUR_MS, now), Some(half));
        assert_eq!(window.wait(1, HOUR_MS, now), Some(half * 2));
        assert_eq!(window.wait(5, DAY_MS, now), None);
        assert_eq!(
            window.wait(4, DAY_MS, now),
            Some(Duration::from_mins(22 * 60 + 30))
        );
        assert!(window.wait(0, HOUR_MS, now).is_some());
        window.expire(DAY_MS);
        assert!(!window.contains(&subject(0)) && window.contains(&subject(1)));
        window.expire(DAY_MS * 2);
        assert!(window.is_empty() && window.known.is_empty());
    }

    #[test]
    fn a_right_claim_counts_once_in_a_day() {
        let mut window = Window::default();
        assert!(!window.first_hit(&subject(1)));
        window.insert(subject(1), 0);
        assert!(window.first_hit(&subject(1)));
        assert!(!window.first_hit(&subject(1)));
    }
}
