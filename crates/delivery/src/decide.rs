//! What follows from a call: the one decision about retrying, parking and being done.

use std::time::Duration;

use lienthong_domain::delivery::{ParkReason, RetryCause};
use lienthong_domain::{Outcome, Timestamp};
use lienthong_ports::store::Next;

use crate::breaker::Health;
use crate::config::Config;

/// Delays spread by this share to both sides, so that deliveries that failed together do not return together.
pub const JITTER: f64 = 0.2;

/// What is known when a call has ended.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// What the destination said.
    pub outcome: Outcome,
    /// Attempts before this one that count.
    pub counted: u32,
    /// Whether the breaker was closed before and after this call; else it does not count.
    pub breaker_closed: bool,
    /// Our clock.
    pub now: Timestamp,
    /// A random number in `0.0 .. 1.0`.
    pub chance: f64,
}

/// Decides what follows.
///
/// A delivery is parked only when the destination refuses it, or when the whole schedule has failed
/// while the destination was otherwise up: an outage of any length parks nothing.
pub fn decide(situation: Situation, config: &Config) -> Next {
    let Situation {
        outcome,
        counted,
        breaker_closed,
        now,
        chance,
    } = situation;
    match outcome {
        Outcome::Delivered => Next::Done,
        Outcome::Rejected => Next::Park(ParkReason::Rejected),
        // Only a step that could not be recorded ends here: the same step again, soon.
        Outcome::Advanced { .. } => Next::RetryAt {
            at: now,
            counted: false,
        },
        Outcome::Overloaded { after } => {
            let delay = Duration::from_secs(config.overload_delay_seconds);
            Next::RetryAt {
                at: now + wait(delay, after, chance, config),
                counted: false,
            }
        }
        Outcome::Retry { after, .. } => match schedule(config, counted) {
            None if breaker_closed => Next::Park(ParkReason::Exhausted),
            delay => {
                let delay = delay.unwrap_or_else(|| last_delay(config));
                let at = now + wait(delay, after, chance, config);
                Next::RetryAt {
                    at,
                    counted: breaker_closed,
                }
            }
        },
    }
}

/// What the outcome says about the destination's health. A rejected dossier is a healthy answer.
pub fn health(outcome: Outcome) -> Health {
    match outcome {
        Outcome::Delivered | Outcome::Advanced { .. } | Outcome::Rejected => Health::Good,
        Outcome::Retry {
            cause: RetryCause::Transport,
            ..
        } => Health::Unanswered,
        Outcome::Retry {
            cause: RetryCause::Answer,
            ..
        }
        | Outcome::Overloaded { .. } => Health::Failing,
    }
}

/// The delay after `counted` earlier failures; `None` when the schedule is over.
fn schedule(config: &Config, counted: u32) -> Option<Duration> {
    let delays = &config.retry_delays_seconds;
    let last = u32::try_from(delays.len())
        .unwrap_or(u32::MAX)
        .saturating_sub(1);
    let over = counted >= last.saturating_add(config.retry_last_times);
    let index = counted.min(last) as usize;
    if over {
        None
    } else {
        delays.get(index).copied().map(Duration::from_secs)
    }
}

fn last_delay(config: &Config) -> Duration {
    Duration::from_secs(config.retry_delays_seconds.last().copied().unwrap_or(1))
}

/// Our own delay with jitter, or what the destination asked for if that is longer.
fn wait(delay: Duration, after: Option<Duration>, chance: f64, config: &Config) -> Duration {
    let spread = delay.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance);
    let asked = after
        .unwrap_or_default()
        .min(Duration::from_secs(config.retry_after_seconds_max));
    spread.max(asked)
}

#[cfg(test)]
mod tests;
