//! How many deliveries an operation may move by now.
//!
//! What is kept is the instant until which the rate is used up: each delivery moved takes it on by its share of a
//! second, so parts of a delivery are carried over by themselves.

use std::time::Duration;

use crate::rows::duration_micros;

const SECOND_MICROS: i64 = 1_000_000;

/// Deliveries a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate(i64);

impl Rate {
    pub(super) fn of(per_second: u32) -> Self {
        Self(i64::from(per_second.max(1)))
    }

    /// Where an operation stands that begins now: its first delivery waits for nothing.
    pub(super) fn begun_at(self, now: i64) -> i64 {
        now.saturating_sub(self.share_of(1))
    }

    /// Until when the rate is used up, told that no more than `catch_up_max` is caught up. A clock that was set back
    /// stops nobody.
    pub(super) fn used_until(self, stepped_at: i64, now: i64, catch_up_max: Duration) -> i64 {
        // With less than one share nothing would ever move.
        let most = duration_micros(catch_up_max).max(self.share_of(1));
        stepped_at.clamp(now.saturating_sub(most), now)
    }

    /// How many may be moved now.
    pub(super) fn room(self, used_until: i64, now: i64) -> u32 {
        let earned = now.saturating_sub(used_until).saturating_mul(self.0) / SECOND_MICROS;
        u32::try_from(earned.max(0)).unwrap_or(u32::MAX)
    }

    /// Until when the rate is used up after `moved` more.
    pub(super) fn after(self, used_until: i64, moved: u32) -> i64 {
        used_until.saturating_add(self.share_of(i64::from(moved)))
    }

    /// The time that so many deliveries take, rounded up so that the rate is never exceeded.
    fn share_of(self, deliveries: i64) -> i64 {
        (deliveries * SECOND_MICROS + self.0 - 1) / self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_pause_is_no_burst() {
        let rate = Rate::of(50);
        let now = 3_600 * SECOND_MICROS;
        let used_until = rate.used_until(0, now, Duration::from_secs(2));
        assert_eq!(rate.room(used_until, now), 100);
    }

    #[test]
    fn a_clock_set_back_stops_nobody() {
        let rate = Rate::of(2);
        let used_until = rate.used_until(3_600 * SECOND_MICROS, 0, Duration::from_secs(2));
        assert_eq!(rate.room(used_until, 0), 0);
        assert_eq!(rate.room(used_until, SECOND_MICROS), 2);
    }

    #[test]
    fn the_rounded_first_share_is_less_than_a_delivery() {
        let rate = Rate::of(754);
        let (mut used_until, mut moved) = (rate.begun_at(0), 0);
        for now in [171_448, 445_623, 1_000_000] {
            let room = rate.room(used_until, now);
            used_until = rate.after(used_until, room);
            moved += room;
        }
        assert_eq!(moved, 755, "one at once, and what a second allows");
    }

    #[test]
    fn a_slow_rate_moves_though_little_is_caught_up() {
        let rate = Rate::of(1);
        let used_until = rate.used_until(0, 9 * SECOND_MICROS, Duration::from_millis(250));
        assert_eq!(rate.room(used_until, 9 * SECOND_MICROS), 1);
    }

    proptest! {
        /// However the steps fall: one delivery at once, then never more than the rate, and nothing is lost to
        /// rounding but what rounding up the shares costs.
        #[test]
        fn steps_keep_the_rate(
            per_second in 1..=1_000_u32,
            pauses in prop::collection::vec(1..2_000_000_i64, 1..40),
        ) {
            let rate = Rate::of(per_second);
            let (mut now, mut moved) = (0, 0_i64);
            let mut used_until = rate.begun_at(now);
            for pause in pauses {
                now += pause;
                used_until = rate.used_until(used_until, now, Duration::from_secs(10));
                let room = rate.room(used_until, now);
                used_until = rate.after(used_until, room);
                moved += i64::from(room);
                let earned = |until: i64| 1 + until * i64::from(per_second) / SECOND_MICROS;
                // The first share was rounded up to a whole microsecond.
                let most = earned(now + 1);
                prop_assert!(moved <= most, "{moved} moved, {most} earned");
                let earned = earned(now);
                prop_assert!(moved + 2 + moved / 1_000 >= earned, "{moved} moved, {earned} earned");
            }
        }
    }
}
