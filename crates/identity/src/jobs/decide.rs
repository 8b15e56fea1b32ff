//! What follows an attempt at an item: a pure decision over what was heard.

use std::time::Duration;

use lienthong_domain::ErrorCode;

use super::Config;
use crate::registry::Failure;

/// Share by which a wait is spread to either side.
const JITTER: f64 = 0.2;

/// Attempts that count after which an item that is refused has failed.
const REFUSALS_MAX: u32 = 3;

/// Why there is no answer, without the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// Nobody answered.
    Unavailable,
    /// The database wants fewer questions.
    Busy {
        /// When to try again, if it said so.
        retry_after: Option<Duration>,
    },
    /// The answer cannot be used.
    BadAnswer,
    /// The database does not accept us, or this question.
    Refused,
}

impl Silence {
    /// The public code.
    pub(super) const fn code(self) -> ErrorCode {
        match self {
            Self::Unavailable => ErrorCode::PopulationUnavailable,
            Self::Busy { .. } => ErrorCode::PopulationBusy,
            Self::BadAnswer => ErrorCode::PopulationBadAnswer,
            Self::Refused => ErrorCode::PopulationRefused,
        }
    }
}

impl From<Failure> for Silence {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable { .. } | Failure::OutOfTime | Failure::DeadlineTooShort => {
                Self::Unavailable
            }
            Failure::Busy { retry_after } => Self::Busy { retry_after },
            Failure::BadAnswer => Self::BadAnswer,
            Failure::Refused => Self::Refused,
        }
    }
}

/// Everything the decision rests on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation {
    /// What was heard instead of an answer.
    pub(super) silence: Silence,
    /// Attempts before this one that count.
    pub(super) attempts: u32,
    /// Whether the breaker was closed before and after: while it is not, the outage is known and nothing counts.
    pub(super) breaker_closed: bool,
    /// Whether the database refuses us, since different items in a row were refused.
    pub(super) refuses_us: bool,
    /// A draw from 0 to 1, for the spread.
    pub(super) chance: f64,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The item is asked again.
    Retry {
        /// After this wait.
        wait: Duration,
        /// Whether the attempt counts.
        counted: bool,
    },
    /// The item is given up.
    Failed(ErrorCode),
    /// The job is paused for this reason. The attempt counts, so that each resumption comes nearer to the end of an
    /// item that is refused for itself; such items may be all that is left of a job.
    PauseJob {
        /// The reason.
        code: ErrorCode,
        /// The item itself is given up.
        failed: bool,
    },
}

/// Decides what follows an attempt without an answer.
pub(super) fn decide(situation: Situation, config: &Config) -> Next {
    let code = situation.silence.code();
    match situation.silence {
        Silence::Refused => {
            let failed = situation.attempts + 1 >= REFUSALS_MAX;
            match (situation.refuses_us, failed) {
                (true, failed) => Next::PauseJob { code, failed },
                (false, true) => Next::Failed(code),
                (false, false) => Next::Retry {
                    wait: scheduled(situation, config),
                    counted: true,
                },
            }
        }
        // It says nothing about this item, so it does not count; a job that never gets through ends by its age.
        Silence::Busy { retry_after } => Next::Retry {
            wait: busy_wait(retry_after, config),
            counted: false,
        },
        Silence::Unavailable if !situation.breaker_closed => Next::Retry {
            wait: scheduled(situation, config),
            counted: false,
        },
        Silence::Unavailable | Silence::BadAnswer
            if situation.attempts as usize >= config.retry_delays_seconds.len() =>
        {
            Next::Failed(code)
        }
        Silence::Unavailable | Silence::BadAnswer => Next::Retry {
            wait: scheduled(situation, config),
            counted: true,
        },
    }
}

/// How long a busy database is left alone: as long as it says, within our bound.
pub(crate) fn busy_wait(retry_after: Option<Duration>, config: &Config) -> Duration {
    let longest = Duration::from_secs(config.retry_after_seconds_max);
    let ours = Duration::from_secs(config.busy_delay_seconds);
    retry_after.unwrap_or(ours).min(longest)
}

/// The wait of the schedule, spread so that items that failed together do not come back together.
fn scheduled(situation: Situation, config: &Config) -> Duration {
    let waits = &config.retry_delays_seconds;
    let nth = (situation.attempts as usize).min(waits.len().saturating_sub(1));
    let seconds = waits.get(nth).copied().unwrap_or(config.busy_delay_seconds);
    let spread = 1.0 + JITTER * (2.0 * situation.chance.clamp(0.0, 1.0) - 1.0);
    Duration::from_secs(seconds).mul_f64(spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(silence: Silence, attempts: u32, breaker_closed: bool) -> Next {
        let situation = Situation {
            silence,
            attempts,
            breaker_closed,
            refuses_us: false,
            chance: 0.5,
        };
        decide(situation, &Config::default())
    }

    fn retry(seconds: u64, counted: bool) -> Next {
        Next::Retry {
            wait: Duration::from_secs(seconds),
            counted,
        }
    }

    fn busy(seconds: Option<u64>) -> Silence {
        Silence::Busy {
            retry_after: seconds.map(Duration::from_secs),
        }
    }

    #[test]
    fn the_table() {
        use ErrorCode::{PopulationBadAnswer, PopulationRefused, PopulationUnavailable};
        use Silence::{BadAnswer, Refused, Unavailable};
        let cases = [
            (Unavailable, 0, true, retry(5, true)),
            (Unavailable, 1, true, retry(30, true)),
            (Unavailable, 5, true, retry(3_600, true)),
            (Unavailable, 6, true, Next::Failed(PopulationUnavailable)),
            (Unavailable, 60, true, Next::Failed(PopulationUnavailable)),
            (Unavailable, 0, false, retry(5, false)),
            (Unavailable, 6, false, retry(3_600, false)),
            (BadAnswer, 0, true, retry(5, true)),
            (BadAnswer, 0, false, retry(5, true)),
            (BadAnswer, 6, true, Next::Failed(PopulationBadAnswer)),
            (BadAnswer, 6, false, Next::Failed(PopulationBadAnswer)),
            (busy(None), 0, true, retry(5, false)),
            (busy(None), 6, false, retry(5, false)),
            (busy(Some(42)), 6, true, retry(42, false)),
            (busy(Some(86_400)), 0, true, retry(600, false)),
            (Refused, 0, true, retry(5, true)),
            (Refused, 1, false, retry(30, true)),
            (Refused, 2, true, Next::Failed(PopulationRefused)),
            (Refused, 6, false, Next::Failed(PopulationRefused)),
        ];
        for (silence, attempts, closed, expected) in cases {
            let found = heard(silence, attempts, closed);
            assert_eq!(found, expected, "{silence:?} {attempts} {closed}");
        }
    }

    #[test]
    fn a_database_that_refuses_us_pauses_the_job_and_the_attempt_counts() {
        for (attempts, failed) in [(0, false), (1, false), (2, true), (6, true)] {
            let situation = Situation {
                silence: Silence::Refused,
                attempts,
                breaker_closed: true,
                refuses_us: true,
                chance: 0.5,
            };
            let code = ErrorCode::PopulationRefused;
            let expected = Next::PauseJob { code, failed };
            assert_eq!(decide(situation, &Config::default()), expected);
        }
    }

    #[test]
    fn waits_are_spread_by_a_fifth() {
        for (chance, expected_ms) in [(0.0, 4_000), (0.5, 5_000), (1.0, 6_000), (7.0, 6_000)] {
            let situation = Situation {
                silence: Silence::Unavailable,
                attempts: 0,
                breaker_closed: true,
                refuses_us: false,
                chance,
            };
            let Next::Retry { wait, .. } = decide(situation, &Config::default()) else {
                panic!("a first failure is retried");
            };
            assert_eq!(wait.as_millis(), expected_ms, "{chance}");
        }
    }
}
