//! The limits and schedules of verification jobs.

use std::time::Duration;

use serde::Deserialize;

/// How items are asked. Durations are milliseconds, seconds or days as named.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Items asked a second at most, evenly spaced; the database's answers may lower it for a while.
    pub per_second_max: u32,
    /// Items asked at once at most; interactive questions have at least as much room beside them.
    pub concurrency_max: u32,
    /// Items claimed and not finished at most, over all jobs.
    pub window: u32,
    /// Items of one claim at most.
    pub batch: u32,
    /// How long a claim holds.
    pub lease_ms: u64,
    /// How long one question may take; at most half the lease.
    pub ask_timeout_ms: u64,
    /// Waits after attempts that count, in seconds; an item whose waits are used up has failed.
    pub retry_delays_seconds: Vec<u64>,
    /// Wait after an answer that asks for fewer questions, in seconds, if it names no other.
    pub busy_delay_seconds: u64,
    /// Longest wait the database may ask for, in seconds.
    pub retry_after_seconds_max: u64,
    /// Days a job is kept after it was opened, and again after it was finished.
    pub keep_days: u32,
    /// Share of items without a match above which the asker's jobs pause, in percent; 100 never pauses.
    pub misses_percent_max: u32,
    /// How often run-out leases and old jobs are looked for.
    pub sweep_ms: u64,
    /// Longest the dispatcher trusts that nothing happened.
    pub idle_ms: u64,
}

/// Most waits of a schedule, and so most attempts beside the first that count.
const RETRY_DELAYS_MAX: usize = 6;

impl Default for Config {
    fn default() -> Self {
        Self {
            per_second_max: 50,
            concurrency_max: 8,
            window: 64,
            batch: 32,
            lease_ms: 60_000,
            ask_timeout_ms: 15_000,
            retry_delays_seconds: vec![5, 30, 120, 600, 1_800, 3_600],
            busy_delay_seconds: 5,
            retry_after_seconds_max: 600,
            keep_days: 7,
            misses_percent_max: 30,
            sweep_ms: 1_000,
            idle_ms: 1_000,
        }
    }
}

impl Config {
    /// Every fault of these values as `(key, what is wrong)`.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let ranges = [
            (
                "jobs.per_second_max",
                u64::from(self.per_second_max),
                1,
                1_000,
            ),
            (
                "jobs.concurrency_max",
                u64::from(self.concurrency_max),
                1,
                256,
            ),
            ("jobs.window", u64::from(self.window), 1, 1_000),
            ("jobs.batch", u64::from(self.batch), 1, 500),
            ("jobs.lease_ms", self.lease_ms, 1_000, 600_000),
            ("jobs.ask_timeout_ms", self.ask_timeout_ms, 10, 300_000),
            ("jobs.busy_delay_seconds", self.busy_delay_seconds, 1, 600),
            (
                "jobs.retry_after_seconds_max",
                self.retry_after_seconds_max,
                1,
                1_200,
            ),
            ("jobs.keep_days", u64::from(self.keep_days), 1, 90),
            (
                "jobs.misses_percent_max",
                u64::from(self.misses_percent_max),
                1,
                100,
            ),
            ("jobs.sweep_ms", self.sweep_ms, 10, 60_000),
            ("jobs.idle_ms", self.idle_ms, 10, 60_000),
        ];
        let outside = ranges
            .into_iter()
            .filter(|(_, value, min, max)| !(min..=max).contains(&value));
        let mut faults = outside
            .map(|(key, _, min, max)| (key, format!("{min} to {max}")))
            .collect::<Vec<_>>();
        if self.ask_timeout_ms.saturating_mul(2) > self.lease_ms {
            let text = "at most half of lease_ms, or a person could be asked about twice at once";
            faults.push(("jobs.ask_timeout_ms", text.to_owned()));
        }
        if !(1..=RETRY_DELAYS_MAX).contains(&self.retry_delays_seconds.len()) {
            let text = format!("1 to {RETRY_DELAYS_MAX} waits");
            faults.push(("jobs.retry_delays_seconds", text));
        }
        let sane = |wait: &u64| (1..=86_400).contains(wait);
        if !self.retry_delays_seconds.iter().all(sane) {
            let text = "each wait is 1 to 86400 seconds";
            faults.push(("jobs.retry_delays_seconds", text.to_owned()));
        }
        faults
    }

    /// How long a claim holds.
    pub fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    /// How long one question may take.
    pub fn ask_timeout(&self) -> Duration {
        Duration::from_millis(self.ask_timeout_ms)
    }

    /// How long a job is kept.
    pub fn keep(&self) -> Duration {
        Duration::from_hours(24 * u64::from(self.keep_days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(config: &Config) -> Vec<&'static str> {
        config.faults().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn the_defaults_have_no_fault_and_every_wrong_value_is_named_at_once() {
        assert_eq!(Config::default().faults(), []);
        let wrong = Config {
            per_second_max: 0,
            window: 5_000,
            ask_timeout_ms: 30_001,
            retry_delays_seconds: vec![],
            keep_days: 0,
            misses_percent_max: 101,
            ..Config::default()
        };
        let expected = [
            "jobs.per_second_max",
            "jobs.window",
            "jobs.keep_days",
            "jobs.misses_percent_max",
            "jobs.ask_timeout_ms",
            "jobs.retry_delays_seconds",
        ];
        assert_eq!(keys(&wrong), expected);
    }

    #[test]
    fn a_schedule_has_one_to_six_waits_of_at_most_a_day() {
        for (waits, good) in [
            (vec![1], true),
            (vec![86_400; 6], true),
            (vec![1; 7], false),
            (vec![0], false),
            (vec![86_401], false),
        ] {
            let config = Config {
                retry_delays_seconds: waits.clone(),
                ..Config::default()
            };
            assert_eq!(config.faults().is_empty(), good, "{waits:?}");
        }
    }
}
