//! The limits of questions about citizens, with what is wrong with them.

use std::time::Duration;

use lienthong_delivery::breaker;
use serde::Deserialize;

use crate::jobs;

/// How the population database is asked, and what the guards bear.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long one question to the database may take at most; less if the caller has less time.
    pub call_timeout_ms: u64,
    /// Most questions to the database under way at once.
    pub concurrency_max: u32,
    /// Questions under way at the start, before answers have moved the limit.
    pub concurrency_start: u32,
    /// Most questions that are past their checks and wait for the database or its answer.
    pub questions_max: u32,
    /// How long a match is remembered; 0 remembers nothing.
    pub cache_seconds: u64,
    /// Most matches remembered.
    pub cache_entries_max: u32,
    /// When the database is taken for down, and for how long.
    pub breaker: breaker::Config,
    /// What the guards bear.
    pub guard: GuardConfig,
    /// How items of verification jobs are asked.
    pub jobs: jobs::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            call_timeout_ms: 10_000,
            concurrency_max: 32,
            concurrency_start: 8,
            questions_max: 1_024,
            cache_seconds: 0,
            cache_entries_max: 10_000,
            breaker: breaker::Config::default(),
            guard: GuardConfig::default(),
            jobs: jobs::Config::default(),
        }
    }
}

/// What the guards against guessing bear. A miss weighs ln(0.95 / 0.05) = 2.944, a hit takes as much away.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardConfig {
    /// Weight at which an official is held: 13.8 is the fifth miss, and one honest clerk in 10^6.
    pub hold_score: f64,
    /// Weight at which a whole system is held: officials' ids are the caller's own words and could be rotated.
    pub system_hold_score: f64,
    /// Misses, less the hits, from which an official's answers come late.
    pub slow_misses: u32,
    /// Misses, less the hits, from which a system's answers come late.
    pub system_slow_misses: u32,
    /// How late.
    pub slow_delay_ms: u64,
    /// Most calls under way of an asker whose hits have earned it trust; without trust it is as many as
    /// would be borne if all of them missed.
    pub parallel_trusted_max: u32,
    /// Wrong claims about one citizen by one participant in 24 hours.
    pub subject_misses_per_participant_max: u32,
    /// Wrong claims about one citizen by all participants in 24 hours.
    pub subject_misses_max: u32,
    /// Different citizens of one block of numbers that an official may ask about within `neighbours_minutes`
    /// when half of them or more are misses.
    pub neighbours_max: u32,
    /// See `neighbours_max`.
    pub neighbours_minutes: u32,
    /// A second hold within so many days blocks.
    pub block_within_days: u32,
    /// Most officials of one system that are told apart within 24 hours.
    pub officials_per_system_max: u32,
    /// Most dossiers of one participant that questions are asked for within 24 hours.
    pub dossiers_per_participant_max: u32,
}

impl Default for GuardConfig {
    fn default() -> Self {
        Self {
            hold_score: 13.8,
            system_hold_score: 23.5,
            slow_misses: 2,
            system_slow_misses: 5,
            slow_delay_ms: 1_000,
            parallel_trusted_max: 64,
            subject_misses_per_participant_max: 5,
            subject_misses_max: 20,
            neighbours_max: 8,
            neighbours_minutes: 10,
            block_within_days: 30,
            officials_per_system_max: 10_000,
            dossiers_per_participant_max: 100_000,
        }
    }
}

impl Config {
    /// Every fault of these values as `(key, what is wrong)`.
    pub fn check(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let mut check = |good: bool, key, text: &str| {
            if !good {
                faults.push((key, text.to_owned()));
            }
        };
        let within = |value: u64, least: u64, most: u64| (least..=most).contains(&value);
        let Self {
            concurrency_max,
            concurrency_start,
            ..
        } = *self;
        check(
            within(self.call_timeout_ms, 100, 60_000),
            "call_timeout_ms",
            "100 to 60000",
        );
        check(
            within(concurrency_max.into(), 1, 1_000),
            "concurrency_max",
            "1 to 1000",
        );
        check(
            (1..=concurrency_max).contains(&concurrency_start),
            "concurrency_start",
            "1 to concurrency_max",
        );
        check(
            within(self.questions_max.into(), 1, 100_000),
            "questions_max",
            "1 to 100000",
        );
        check(
            within(self.cache_seconds, 0, 600),
            "cache_seconds",
            "0 to 600",
        );
        check(
            within(self.cache_entries_max.into(), 1, 1_000_000),
            "cache_entries_max",
            "1 to 1000000",
        );
        self.guard.check(&mut check);
        faults.extend(breaker_faults(&self.breaker));
        faults.extend(self.jobs.faults());
        faults
    }

    pub(crate) fn call_timeout(&self) -> Duration {
        Duration::from_millis(self.call_timeout_ms)
    }
}

impl GuardConfig {
    fn check(&self, check: &mut impl FnMut(bool, &'static str, &str)) {
        // With one miss nobody could work, with more than 34 nobody would be held.
        let score = 2.0..=100.0;
        check(
            score.contains(&self.hold_score),
            "guard.hold_score",
            "2 to 100",
        );
        check(
            score.contains(&self.system_hold_score) && self.system_hold_score >= self.hold_score,
            "guard.system_hold_score",
            "hold_score to 100",
        );
        let counts = [
            ("guard.slow_misses", self.slow_misses, 1, 100),
            ("guard.system_slow_misses", self.system_slow_misses, 1, 100),
            (
                "guard.subject_misses_per_participant_max",
                self.subject_misses_per_participant_max,
                1,
                100,
            ),
            (
                "guard.subject_misses_max",
                self.subject_misses_max,
                1,
                1_000,
            ),
            (
                "guard.parallel_trusted_max",
                self.parallel_trusted_max,
                0,
                1_000,
            ),
            ("guard.neighbours_max", self.neighbours_max, 1, 100),
            ("guard.neighbours_minutes", self.neighbours_minutes, 1, 60),
            ("guard.block_within_days", self.block_within_days, 1, 366),
            (
                "guard.officials_per_system_max",
                self.officials_per_system_max,
                1,
                1_000_000,
            ),
            (
                "guard.dossiers_per_participant_max",
                self.dossiers_per_participant_max,
                1,
                1_000_000,
            ),
        ];
        for (key, value, least, most) in counts {
            let text = format!("{least} to {most}");
            check((least..=most).contains(&value), key, &text);
        }
        check(
            self.slow_delay_ms <= 10_000,
            "guard.slow_delay_ms",
            "at most 10000",
        );
    }

    pub(crate) fn slow_delay(&self) -> Duration {
        Duration::from_millis(self.slow_delay_ms)
    }
}

/// The breaker's values are checked by those who own it, as part of their own configuration.
fn breaker_faults(breaker: &breaker::Config) -> Vec<(&'static str, String)> {
    let whole = lienthong_delivery::Config {
        breaker: breaker.clone(),
        ..lienthong_delivery::Config::default()
    };
    whole.faults()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_have_no_fault_and_every_wrong_value_is_named_at_once() {
        assert_eq!(Config::default().check(), []);
        let mut wrong = Config {
            call_timeout_ms: 1,
            concurrency_start: 33,
            ..Config::default()
        };
        wrong.breaker.calls_min = 0;
        wrong.guard.hold_score = 30.0;
        wrong.guard.neighbours_max = 0;
        let keys = wrong
            .check()
            .into_iter()
            .map(|(key, _)| key)
            .collect::<Vec<_>>();
        let expected = [
            "call_timeout_ms",
            "concurrency_start",
            "guard.system_hold_score",
            "guard.neighbours_max",
            "breaker.calls_min",
        ];
        assert_eq!(keys, expected);
    }
}
