//! How fast items are asked: evenly spaced, at a rate that the database's answers move.
//!
//! A good answer raises the rate a little, up to the permitted one; an answer that asks for fewer questions
//! halves it, and holds everything for as long as it says.

use std::time::Duration;

use tokio::time::Instant;

/// The lowest rate, in items a second: however busy the database says it is, one item in ten seconds feels the way.
const PER_SECOND_MIN: f64 = 0.1;

/// The moving rate and the next free slot. Knows no clock: every instant is handed in.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    per_second: f64,
    per_second_max: f64,
    /// When the next item may be asked as far as the rate goes.
    slot: Instant,
    /// Until when the database wants to hear nothing.
    held_until: Option<Instant>,
    halved_at: Option<Instant>,
}

impl Pace {
    /// A pace at the permitted rate, at least 1.
    pub(super) fn new(per_second_max: u32, now: Instant) -> Self {
        let per_second_max = f64::from(per_second_max.max(1));
        Self {
            per_second: per_second_max,
            per_second_max,
            slot: now,
            held_until: None,
            halved_at: None,
        }
    }

    /// When the next item may be asked; in the past if it may be now.
    pub(super) fn ready_at(&self) -> Instant {
        self.held_until
            .map_or(self.slot, |held| held.max(self.slot))
    }

    /// Until when nothing may be asked because the database said so.
    pub(super) fn held_until(&self, now: Instant) -> Option<Instant> {
        self.held_until.filter(|held| *held > now)
    }

    /// Takes the slot of one item. What was missed while nothing was there to ask is not caught up on, but
    /// for one slot, which evens out timers that fire a little late.
    pub(super) fn take(&mut self, now: Instant) {
        let gap = Duration::from_secs_f64(1.0 / self.per_second);
        let earliest = now.checked_sub(gap).unwrap_or(now);
        self.slot = self.slot.max(earliest) + gap;
    }

    /// The database answered: a second of good answers raises the rate by one item a second.
    pub(super) fn answered(&mut self) {
        let step = 1.0 / self.per_second.max(1.0);
        self.per_second = (self.per_second + step).min(self.per_second_max);
    }

    /// The database asked for fewer questions. Those under way when the rate was halved say nothing new
    /// about the lower rate, so they hold but do not halve again.
    pub(super) fn busy(&mut self, asked_at: Instant, now: Instant, hold: Duration) {
        let until = now + hold;
        self.held_until = Some(self.held_until.map_or(until, |held| held.max(until)));
        if self.halved_at.is_none_or(|halved| asked_at > halved) {
            self.per_second = (self.per_second / 2.0).max(PER_SECOND_MIN);
            self.halved_at = Some(now);
        }
    }

    /// Items that can be asked within `span` at this rate: at least 1, at most `max`.
    pub(super) fn items_within(&self, span: Duration, max: u32) -> u32 {
        let items = (self.per_second * span.as_secs_f64()).clamp(1.0, f64::from(max.max(1)));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it was clamped between 1 and a u32"
        )]
        let items = items as u32;
        items
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Items asked between `now` and `until` by somebody who always asks when it is permitted.
    fn asked(pace: &mut Pace, mut now: Instant, until: Instant, late: Duration) -> u32 {
        let mut count = 0;
        while pace.ready_at().max(now) + late <= until {
            now = pace.ready_at().max(now) + late;
            pace.take(now);
            count += 1;
        }
        count
    }

    #[test]
    fn items_are_evenly_spaced_and_late_timers_cost_nothing() {
        let start = Instant::now();
        let mut pace = Pace::new(50, start);
        let count = asked(
            &mut pace,
            start,
            start + 10 * SECOND,
            Duration::from_millis(1),
        );
        assert!((499..=501).contains(&count), "{count}");
    }

    #[test]
    fn idle_time_is_not_caught_up_on() {
        let start = Instant::now();
        let mut pace = Pace::new(10, start);
        let later = start + 60 * SECOND;
        let count = asked(&mut pace, later, later + SECOND, Duration::ZERO);
        assert!(
            count <= 12,
            "{count} items in one second after a minute of rest"
        );
    }

    #[test]
    fn busy_halves_once_for_a_round_and_holds_as_long_as_the_longest() {
        let start = Instant::now();
        let mut pace = Pace::new(40, start);
        pace.busy(start, start + SECOND, 3 * SECOND);
        pace.busy(start, start + SECOND, SECOND);
        assert_eq!(pace.held_until(start + SECOND), Some(start + 4 * SECOND));
        assert_eq!(pace.ready_at(), start + 4 * SECOND);
        assert_eq!(pace.held_until(start + 4 * SECOND), None);
        assert_eq!(pace.items_within(SECOND, 100), 20, "halved once");
        pace.busy(start + 2 * SECOND, start + 3 * SECOND, SECOND);
        assert_eq!(
            pace.items_within(SECOND, 100),
            10,
            "a later question halves again"
        );
        for _ in 0..600 {
            pace.answered();
        }
        assert!(pace.items_within(SECOND, 100) > 30, "it grows back");
    }

    proptest! {
        #[test]
        fn no_second_sees_more_than_the_permitted_rate_and_the_pace_never_stops(
            max in 1_u32..1_000,
            answers in proptest::collection::vec((0_u8..3, 0_u64..400), 1..300),
        ) {
            let start = Instant::now();
            let (mut pace, mut now) = (Pace::new(max, start), start);
            let mut asked = Vec::new();
            for (answer, late_ms) in answers {
                now = now.max(pace.ready_at()) + Duration::from_millis(late_ms);
                pace.take(now);
                asked.push(now);
                match answer {
                    0 => pace.busy(now, now, Duration::from_millis(50)),
                    _ => pace.answered(),
                }
                prop_assert!(pace.ready_at() <= now + Duration::from_secs(11));
                prop_assert!((1..=max).contains(&pace.items_within(SECOND, max)));
            }
            for (index, from) in asked.iter().enumerate() {
                let within = asked[index..].iter().take_while(|at| **at < *from + SECOND);
                prop_assert!(within.count() <= max as usize + 2);
            }
        }
    }
}
