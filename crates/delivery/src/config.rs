//! The limits and schedules of delivery.

use std::time::Duration;

use serde::Deserialize;

/// How deliveries are attempted. Durations in configuration are milliseconds or seconds as named.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Waits between counted attempts, in seconds; the last one repeats `retry_last_times` times.
    pub retry_delays_seconds: Vec<u64>,
    /// How often the last wait is used.
    pub retry_last_times: u32,
    /// Wait after an answer that asks for less traffic, in seconds, if it names no other.
    pub overload_delay_seconds: u64,
    /// Longest wait a destination may ask for, in seconds.
    pub retry_after_seconds_max: u64,
    /// How long a claim holds.
    pub lease_ms: u64,
    /// How long one call may take; less than the lease.
    pub call_timeout_ms: u64,
    /// Most calls under way at once to one destination.
    pub concurrency_max: u32,
    /// Calls under way at the start, before answers have moved the limit.
    pub concurrency_start: u32,
    /// Most deliveries claimed and not finished, per destination.
    pub window: u32,
    /// Most deliveries of one claim.
    pub claim_batch_max: u32,
    /// How often run-out leases and halts are looked for.
    pub sweep_ms: u64,
    /// Longest a dispatcher trusts that nothing happened.
    pub idle_ms: u64,
    /// Workers that may die on one delivery before it is parked as suspect.
    pub crashes_max: u32,
    /// When the breaker opens and for how long.
    pub breaker: crate::breaker::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            retry_delays_seconds: vec![
                5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200,
            ],
            retry_last_times: 12,
            overload_delay_seconds: 10,
            retry_after_seconds_max: 86_400,
            lease_ms: 120_000,
            call_timeout_ms: 60_000,
            concurrency_max: 32,
            concurrency_start: 8,
            window: 256,
            claim_batch_max: 128,
            sweep_ms: 1_000,
            idle_ms: 1_000,
            crashes_max: 3,
            breaker: crate::breaker::Config::default(),
        }
    }
}

impl Config {
    /// Every fault of these values as `(key, what is wrong)`.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let mut check = |good: bool, key, text: &str| {
            if !good {
                faults.push((key, text.to_owned()));
            }
        };
        check(
            !self.retry_delays_seconds.is_empty(),
            "retry_delays_seconds",
            "name at least one delay",
        );
        check(
            self.retry_delays_seconds
                .iter()
                .all(|&delay| (1..=604_800).contains(&delay)),
            "retry_delays_seconds",
            "each delay is 1 to 604800 seconds",
        );
        check(self.retry_last_times >= 1, "retry_last_times", "at least 1");
        check(self.call_timeout_ms >= 10, "call_timeout_ms", "at least 10");
        check(
            self.call_timeout_ms < self.lease_ms,
            "call_timeout_ms",
            "must be less than lease_ms, or a delivery could be called twice at once",
        );
        check(
            (1..=1_000).contains(&self.concurrency_max),
            "concurrency_max",
            "1 to 1000",
        );
        check(
            (1..=self.concurrency_max).contains(&self.concurrency_start),
            "concurrency_start",
            "1 to concurrency_max",
        );
        check((1..=2_000).contains(&self.window), "window", "1 to 2000");
        check(
            (1..=500).contains(&self.claim_batch_max),
            "claim_batch_max",
            "1 to 500",
        );
        check(
            (10..=60_000).contains(&self.sweep_ms),
            "sweep_ms",
            "10 to 60000",
        );
        check(
            (10..=60_000).contains(&self.idle_ms),
            "idle_ms",
            "10 to 60000",
        );
        check(
            (1..=100).contains(&self.crashes_max),
            "crashes_max",
            "1 to 100",
        );
        self.breaker.check(&mut check);
        faults
    }

    /// How long a claim holds.
    pub fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    /// How long one call may take.
    pub fn call_timeout(&self) -> Duration {
        Duration::from_millis(self.call_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_have_no_fault_and_every_wrong_value_is_named_at_once() {
        assert_eq!(Config::default().faults(), []);
        let wrong = Config {
            lease_ms: 5,
            window: 0,
            retry_delays_seconds: vec![],
            ..Config::default()
        };
        let keys = wrong
            .faults()
            .into_iter()
            .map(|(key, _)| key)
            .collect::<Vec<_>>();
        assert_eq!(keys, ["retry_delays_seconds", "call_timeout_ms", "window"]);
    }
}
