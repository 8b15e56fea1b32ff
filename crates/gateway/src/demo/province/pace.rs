//! A steady pace without bursts: what was missed for more than a moment is not made up for.

use std::time::Duration;

use tokio::time::Instant;

/// How much of what was missed is made up for.
const CATCH_UP_MAX: Duration = Duration::from_millis(500);

/// Tells how many events are due.
pub(super) struct Pace {
    per_s: f64,
    looked_at: Instant,
    credit: f64,
}

impl Pace {
    /// So many events a second from `now` on.
    pub(super) fn new(per_s: f64, now: Instant) -> Self {
        Self {
            per_s,
            looked_at: now,
            credit: 0.0,
        }
    }

    /// Events due at `now`.
    pub(super) fn due(&mut self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.looked_at);
        self.looked_at = now;
        let credit_max = (self.per_s * CATCH_UP_MAX.as_secs_f64()).max(1.0);
        self.credit = (self.credit + self.per_s * passed.as_secs_f64()).min(credit_max);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the credit lies between 0 and half a second's events"
        )]
        let whole = self.credit as u64;
        whole
    }

    /// One of the due events was sent.
    pub(super) fn spent(&mut self) {
        self.credit -= 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_kept_and_a_long_pause_makes_no_burst() {
        let start = Instant::now();
        let mut pace = Pace::new(200.0, start);
        let mut sent = 0;
        for tick in 1..=2_000_u32 {
            let due = pace.due(start + tick * Duration::from_millis(5));
            (0..due).for_each(|_| pace.spent());
            sent += due;
        }
        assert!((1_999..=2_000).contains(&sent), "{sent} in ten seconds");
        assert_eq!(pace.due(start + Duration::from_hours(1)), 100);
    }

    #[test]
    fn a_pace_below_one_a_second_is_kept_too() {
        let start = Instant::now();
        let mut pace = Pace::new(0.5, start);
        assert_eq!(pace.due(start + Duration::from_secs(1)), 0);
        assert_eq!(pace.due(start + Duration::from_secs(2)), 1);
    }
}
