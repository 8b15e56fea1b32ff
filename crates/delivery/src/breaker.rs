//! The breaker of a destination: stops claims while it is down, and feels its way back.
//!
//! ```text
//!            half of 20 calls in 60 s failed, or 10 without any answer in a row
//!   Closed ───────────────────────────────────────────────────────────────> Open ──┐
//!     ^                                                                       ^    │ its time is over
//!     │ the last stage succeeded                                a probe fails │    v
//!     └──────────────────────────────────────────────────────────────────── Probing: 1, then 5, then 25 lanes
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use lienthong_domain::Timestamp;
use lienthong_ports::store::BreakerRecord;
use serde::Deserialize;

/// When to open and for how long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Share of failed calls that opens, in percent.
    pub failures_percent: u32,
    /// Calls in the window before the share means anything.
    pub calls_min: u32,
    /// The window.
    pub window_seconds: u64,
    /// Calls without any answer, in a row, that open at once.
    pub unanswered_in_a_row: u32,
    /// First time open.
    pub open_seconds: u64,
    /// Longest time open; each opening in a row doubles.
    pub open_seconds_max: u64,
    /// Deliveries in flight at each stage of probing.
    pub probe_stages: Vec<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            failures_percent: 50,
            calls_min: 20,
            window_seconds: 60,
            unanswered_in_a_row: 10,
            open_seconds: 30,
            open_seconds_max: 600,
            probe_stages: vec![1, 5, 25],
        }
    }
}

impl Config {
    pub(crate) fn check(&self, check: &mut impl FnMut(bool, &'static str, &str)) {
        check(
            (1..=100).contains(&self.failures_percent),
            "breaker.failures_percent",
            "1 to 100",
        );
        check(
            (1..=10_000).contains(&self.calls_min),
            "breaker.calls_min",
            "1 to 10000",
        );
        check(
            (1..=3_600).contains(&self.window_seconds),
            "breaker.window_seconds",
            "1 to 3600",
        );
        check(
            self.unanswered_in_a_row >= 1,
            "breaker.unanswered_in_a_row",
            "at least 1",
        );
        check(
            (1..=self.open_seconds_max).contains(&self.open_seconds),
            "breaker.open_seconds",
            "1 to open_seconds_max",
        );
        check(
            self.open_seconds_max <= 86_400,
            "breaker.open_seconds_max",
            "at most 86400",
        );
        check(
            !self.probe_stages.is_empty() && !self.probe_stages.contains(&0),
            "breaker.probe_stages",
            "at least one stage, each at least 1",
        );
    }
}

/// Calls remembered in the window at most; older ones are forgotten first.
const CALLS_REMEMBERED_MAX: usize = 4_096;

/// What a call said about the destination's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answered and took part: delivered, advanced, or rejected this one dossier.
    Good,
    /// It answered "not now".
    Failing,
    /// It did not answer.
    Unanswered,
}

/// How much may be claimed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// As much as the other limits allow.
    Free,
    /// At most so many in flight.
    Probe(u32),
    /// Nothing until this instant.
    Wait(Timestamp),
}

#[derive(Clone, Debug)]
enum State {
    Closed { calls: Calls, unanswered: u32 },
    Open { until: Timestamp },
    Probing { stage: usize, good: u32 },
}

/// The breaker: a state machine without a clock of its own.
#[derive(Clone, Debug)]
pub struct Breaker {
    config: Config,
    state: State,
    openings: u32,
}

impl Breaker {
    /// A breaker that stands where `record` says.
    pub fn new(config: Config, record: BreakerRecord) -> Self {
        let state = match record.open_until {
            Some(until) => State::Open { until },
            None => State::closed(),
        };
        Self {
            config,
            state,
            openings: record.openings,
        }
    }

    /// What survives a restart; probing starts over as open that is already over.
    pub fn record(&self, now: Timestamp) -> BreakerRecord {
        let open_until = match self.state {
            State::Closed { .. } => None,
            State::Open { until } => Some(until),
            State::Probing { .. } => Some(now),
        };
        BreakerRecord {
            open_until,
            openings: self.openings,
        }
    }

    /// `closed`, `open` or `probing`.
    pub fn name(&self) -> &'static str {
        match self.state {
            State::Closed { .. } => "closed",
            State::Open { .. } => "open",
            State::Probing { .. } => "probing",
        }
    }

    /// Whether attempts count against the schedule.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// How much may be claimed at `now`; an open breaker whose time is over starts to probe.
    pub fn permit(&mut self, now: Timestamp) -> Permit {
        if let State::Open { until } = self.state {
            if now < until {
                return Permit::Wait(until);
            }
            self.state = State::Probing { stage: 0, good: 0 };
        }
        match &self.state {
            State::Closed { .. } => Permit::Free,
            State::Probing { stage, .. } => Permit::Probe(self.config.probe_stages[*stage]),
            State::Open { until } => Permit::Wait(*until),
        }
    }

    /// Takes note of a call. Returns whether the state changed.
    pub fn record_call(&mut self, health: Health, now: Timestamp) -> bool {
        match &mut self.state {
            State::Closed { calls, unanswered } => {
                *unanswered = if health == Health::Unanswered {
                    *unanswered + 1
                } else {
                    0
                };
                calls.push(now, health == Health::Good);
                calls.forget_old(now, self.config.window_seconds);
                let silent = *unanswered >= self.config.unanswered_in_a_row;
                let failing = calls.too_many_failed(&self.config);
                if silent || failing {
                    self.open(now);
                }
                silent || failing
            }
            // Calls that were under way when it opened say nothing new.
            State::Open { .. } => false,
            State::Probing { stage, good } => {
                if health != Health::Good {
                    self.open(now);
                    return true;
                }
                *good += 1;
                if *good < self.config.probe_stages[*stage] {
                    return false;
                }
                (*stage, *good) = (*stage + 1, 0);
                if *stage == self.config.probe_stages.len() {
                    self.state = State::closed();
                    self.openings = 0;
                }
                true
            }
        }
    }

    fn open(&mut self, now: Timestamp) {
        let doubled = self
            .config
            .open_seconds
            .saturating_mul(1 << self.openings.min(20));
        let open = Duration::from_secs(doubled.min(self.config.open_seconds_max));
        self.openings += 1;
        self.state = State::Open { until: now + open };
    }
}

impl State {
    fn closed() -> Self {
        Self::Closed {
            calls: Calls::default(),
            unanswered: 0,
        }
    }
}

/// The calls of the window.
#[derive(Clone, Debug, Default)]
struct Calls {
    /// By ascending time, and whether each was good.
    window: VecDeque<(Timestamp, bool)>,
    /// How many of them were not.
    failed: usize,
}

impl Calls {
    fn push(&mut self, now: Timestamp, good: bool) {
        self.failed += usize::from(!good);
        self.window.push_back((now, good));
    }

    fn forget_old(&mut self, now: Timestamp, window_seconds: u64) {
        let span = Duration::from_secs(window_seconds);
        while let Some((at, good)) = self.window.front()
            && (self.window.len() > CALLS_REMEMBERED_MAX || *at + span < now)
        {
            self.failed -= usize::from(!good);
            self.window.pop_front();
        }
    }

    fn too_many_failed(&self, config: &Config) -> bool {
        let calls = self.window.len();
        calls >= config.calls_min as usize
            && self.failed * 100 >= calls * config.failures_percent as usize
    }
}

#[cfg(test)]
mod tests;
