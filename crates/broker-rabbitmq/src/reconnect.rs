//! When to try the broker again: jittered exponential delays from the crate `backoff`.
//!
//! The only module that knows that crate, which is unmaintained (RUSTSEC-2025-0012).

use std::time::Duration;

use backoff::backoff::Backoff as _;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};
use tokio::time::Instant;

const DELAY_MIN: Duration = Duration::from_millis(100);
/// A broker that is back is used within seconds; one attempt in five seconds burdens nobody.
const DELAY_MAX: Duration = Duration::from_secs(5);
/// A session that lived this long was a success; a shorter one keeps the delays growing, so a
/// broker that accepts and drops at once is not asked in a hot loop.
const SUCCESS_AFTER: Duration = Duration::from_millis(250);

/// The delays of one supervisor.
pub(crate) struct Reconnect {
    delays: ExponentialBackoff,
}

impl Reconnect {
    pub(crate) fn new() -> Self {
        let delays = ExponentialBackoffBuilder::new()
            .with_initial_interval(DELAY_MIN)
            .with_max_interval(DELAY_MAX)
            .with_multiplier(2.0)
            .with_randomization_factor(0.5)
            .with_max_elapsed_time(None)
            .build();
        Self { delays }
    }

    /// How long to wait after a session that began at `began` (`None`: it never began).
    pub(crate) fn delay_after(&mut self, began: Option<Instant>) -> Duration {
        if began.is_some_and(|began| began.elapsed() >= SUCCESS_AFTER) {
            self.delays.reset();
        }
        self.delays
            .next_backoff()
            .unwrap_or(DELAY_MAX)
            .min(DELAY_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn delays_grow_to_the_bound_and_start_over_after_a_success() {
        let mut reconnect = Reconnect::new();
        let first = reconnect.delay_after(None);
        assert!(
            (DELAY_MIN / 2..=DELAY_MIN * 2).contains(&first),
            "{first:?}"
        );
        let later: Vec<_> = (0..20).map(|_| reconnect.delay_after(None)).collect();
        assert!(later.iter().all(|&delay| delay <= DELAY_MAX));
        assert!(later[19] >= DELAY_MAX / 2, "{later:?}");

        let began = Instant::now();
        assert!(
            reconnect.delay_after(Some(began)) >= DELAY_MAX / 2,
            "it died at once"
        );
        tokio::time::advance(SUCCESS_AFTER).await;
        assert!(
            reconnect.delay_after(Some(began)) <= DELAY_MIN * 2,
            "it lived"
        );
    }
}
