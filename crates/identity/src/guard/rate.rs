//! A token bucket: so many questions a second, and two seconds' worth at once after being idle.

use std::time::Duration;

/// Seconds of its rate that an asker may use at once.
const BURST_SECONDS: f64 = 2.0;

/// The tokens of one asker. It need not survive a restart: it is full again after [`BURST_SECONDS`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    /// Tokens taken and not yet grown again.
    taken: f64,
    at_ms: i64,
}

impl Bucket {
    /// How long to wait for a token; `None` when there is one now.
    pub(super) fn wait(&mut self, rate: u32, now_ms: i64) -> Option<Duration> {
        let rate = f64::from(rate.max(1));
        self.refill(rate, now_ms);
        let missing = self.taken + 1.0 - rate * BURST_SECONDS;
        (missing > 0.0).then(|| Duration::from_secs_f64(missing / rate))
    }

    /// Takes a token, after [`Self::wait`] said that there is one.
    pub(super) fn take(&mut self) {
        self.taken += 1.0;
    }

    /// Whether the asker has not asked for longer than a bucket takes to fill.
    pub(super) fn is_full(&self, now_ms: i64) -> bool {
        self.taken <= 0.0 || millis_between(self.at_ms, now_ms) > BURST_SECONDS * 1_000.0
    }

    fn refill(&mut self, rate: f64, now_ms: i64) {
        let grown = rate * millis_between(self.at_ms, now_ms) / 1_000.0;
        self.taken = (self.taken - grown).max(0.0);
        self.at_ms = self.at_ms.max(now_ms);
    }
}

fn millis_between(from: i64, until: i64) -> f64 {
    let millis = until.saturating_sub(from).clamp(0, i64::from(u32::MAX));
    u32::try_from(millis).map_or(0.0, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_the_rate_holds() {
        let mut bucket = Bucket::default();
        let at = 1_700_000_000_000;
        for _ in 0..20 {
            assert_eq!(bucket.wait(10, at), None);
            bucket.take();
        }
        assert_eq!(bucket.wait(10, at), Some(Duration::from_millis(100)));
        assert_eq!(bucket.wait(10, at + 100), None);
        bucket.take();
        assert!(bucket.wait(10, at + 100).is_some());
        assert!(!bucket.is_full(at + 2_000) && bucket.is_full(at + 2_200));
        // A clock that is set back gives nothing away.
        assert!(bucket.wait(10, at - 5_000).is_some());
    }
}
