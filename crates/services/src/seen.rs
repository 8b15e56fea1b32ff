//! What was seen of each participant since the start: when it called, what came of it, and how late its statuses are.
//!
//! All of it lives in memory beside the registry's entries, so it is bounded by the participants file, and a changed
//! file takes over what is known of those that stay.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lienthong_domain::Timestamp;
use lienthong_domain::participant::Participant;

/// Parts of the hour over which lateness is judged; the oldest is forgotten whole.
const SLOTS: usize = 12;
/// As far back as slots go, as a number of them.
const SLOTS_BACK: i64 = 12;
const SLOT_SECONDS: i64 = 300;
/// Lags are counted in steps of 1, 1.5, 2, 3, 4, 6, ... seconds; the last holds everything above 12 days.
const LAG_STEPS: usize = 42;

/// A participant as it is registered, and as it was seen.
#[derive(Clone, Debug)]
pub struct ParticipantState {
    /// As registered.
    pub participant: Arc<Participant>,
    /// One per system of the participant, same order.
    pub systems: Vec<SystemState>,
    /// How late its statuses of the last hour reached us; `None` without any.
    pub lateness: Option<Lateness>,
}

/// A system as it was seen since the start of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemState {
    /// When it last called.
    pub last_seen_at: Option<Timestamp>,
    /// When the certificate that it last used ends.
    pub certificate_ends_at: Option<Timestamp>,
    /// Events accepted, repeated ones included.
    pub accepted: u64,
    /// Events and calls refused: rate, quota, grant, faults.
    pub refused: u64,
}

/// How late statuses reach us: from when they came about to when they were accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// The median, at most half too long and never too short.
    pub median: Duration,
    /// Over how many events.
    pub events: u64,
}

/// One system's counts. Readers may see them a moment old.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    last_seen_us: AtomicI64,
    certificate_ends_us: AtomicI64,
    accepted: AtomicU64,
    refused: AtomicU64,
}

impl Tally {
    pub(crate) fn seen(&self, now: Timestamp) {
        self.last_seen_us
            .store(now.as_microsecond(), Ordering::Relaxed);
    }

    pub(crate) fn certificate_ends(&self, at: Timestamp) {
        self.certificate_ends_us
            .store(at.as_microsecond(), Ordering::Relaxed);
    }

    pub(crate) fn accepted(&self, count: u64) {
        self.accepted.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, count: u64) {
        self.refused.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn state(&self) -> SystemState {
        // Zero is 1970, when nobody called: it stands for "never".
        let instant = |micros: &AtomicI64| match micros.load(Ordering::Relaxed) {
            0 => None,
            micros => Timestamp::from_microsecond(micros).ok(),
        };
        SystemState {
            last_seen_at: instant(&self.last_seen_us),
            certificate_ends_at: instant(&self.certificate_ends_us),
            accepted: self.accepted.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}

/// The lags of one participant's events over the last hour.
#[derive(Debug, Default)]
pub(crate) struct Lags(Mutex<[Slot; SLOTS]>);

#[derive(Clone, Copy, Debug)]
struct Slot {
    number: i64,
    counts: [u32; LAG_STEPS],
}

impl Default for Slot {
    fn default() -> Self {
        Self {
            number: i64::MIN,
            counts: [0; LAG_STEPS],
        }
    }
}

impl Lags {
    /// Counts events accepted at `now` that came about at these instants.
    pub(crate) fn note(&self, now: Timestamp, occurred: impl Iterator<Item = Timestamp>) {
        let number = slot_number(now);
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = usize::try_from(number.rem_euclid(SLOTS_BACK)).unwrap_or(0);
        let slot = &mut slots[index];
        if slot.number != number {
            *slot = Slot {
                number,
                ..Slot::default()
            };
        }
        for at in occurred {
            let count = &mut slot.counts[step(now.as_second() - at.as_second())];
            *count = count.saturating_add(1);
        }
    }

    /// The lateness over the window before `now`.
    pub(crate) fn lateness(&self, now: Timestamp) -> Option<Lateness> {
        let newest = slot_number(now);
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sums = [0_u64; LAG_STEPS];
        let kept = slots
            .iter()
            .filter(|slot| (0..SLOTS_BACK).contains(&newest.saturating_sub(slot.number)));
        for slot in kept {
            for (sum, count) in sums.iter_mut().zip(slot.counts) {
                *sum += u64::from(count);
            }
        }
        drop(slots);
        let events: u64 = sums.iter().sum();
        let mut seen = 0;
        let median = sums.iter().position(|count| {
            seen += count;
            seen > 0 && seen * 2 >= events
        })?;
        Some(Lateness {
            median: Duration::from_secs(upper_seconds(median)),
            events,
        })
    }
}

fn slot_number(now: Timestamp) -> i64 {
    now.as_second().div_euclid(SLOT_SECONDS)
}

/// The step of a lag: two per power of two.
fn step(lag_seconds: i64) -> usize {
    let Some(seconds) = u64::try_from(lag_seconds).ok().filter(|lag| *lag > 0) else {
        return 0;
    };
    let power = seconds.ilog2();
    let upper_half = power > 0 && seconds >> (power - 1) & 1 == 1;
    let step = power as usize * 2 + usize::from(upper_half);
    (step + 1).min(LAG_STEPS - 1)
}

/// The first second that is above the step.
fn upper_seconds(step: usize) -> u64 {
    match step {
        0 => 1,
        _ if (step - 1).is_multiple_of(2) => {
            let power = (step - 1) / 2;
            // Between 1 and 2 seconds there is no half.
            if power == 0 { 2 } else { 3 << (power - 1) }
        }
        _ => 2 << ((step - 1) / 2),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_760_000_000 + second).unwrap()
    }

    #[test]
    fn the_median_is_that_of_the_last_hour() {
        let lags = Lags::default();
        assert_eq!(lags.lateness(at(0)), None);
        // Three events a day late, five a minute late, and one from the future.
        lags.note(at(0), [at(-86_400); 3].into_iter());
        let one_day = lags.lateness(at(0)).unwrap();
        assert_eq!(one_day.events, 3);
        assert!((86_400..=129_600).contains(&one_day.median.as_secs()));
        lags.note(at(1_800), [at(1_740); 5].into_iter());
        lags.note(at(1_801), [at(9_999)].into_iter());
        let mixed = lags.lateness(at(1_801)).unwrap();
        assert_eq!((mixed.events, mixed.median.as_secs()), (9, 64));
        let later = lags.lateness(at(3_900)).unwrap();
        assert_eq!(later.events, 6, "the first three are older than an hour");
        assert_eq!(lags.lateness(at(90_000)), None);
    }

    #[test]
    fn a_system_is_not_seen_before_it_calls() {
        let tally = Tally::default();
        assert_eq!(tally.state(), SystemState::default());
        tally.seen(at(5));
        tally.certificate_ends(at(50));
        tally.accepted(3);
        tally.refused(1);
        let expected = SystemState {
            last_seen_at: Some(at(5)),
            certificate_ends_at: Some(at(50)),
            accepted: 3,
            refused: 1,
        };
        assert_eq!(tally.state(), expected);
    }

    proptest! {
        #[test]
        fn a_lag_lies_below_the_end_of_its_step(lag in 1_i64..1_000_000) {
            let upper = upper_seconds(step(lag));
            let lag = u64::try_from(lag).unwrap();
            prop_assert!(lag < upper, "{} {}", lag, upper);
            prop_assert!(upper <= (lag * 3).div_ceil(2) + 1, "{} {}", lag, upper);
        }
    }
}
