//! What the guard knows of one asker, at whichever level: official, system or participant.

use std::time::Duration;

use lienthong_domain::ErrorCode;
use lienthong_domain::Timestamp;
use lienthong_domain::identity::Pseudonym;
use lienthong_domain::identity::grant::AskLimits;
use lienthong_ports::identity::GuardActionKind;

use super::evidence::Evidence;
use super::rate::Bucket;
use super::stop::{Stop, Who};
use super::window::{DAY_MS, HOUR_MS, Window};

/// An asker.
#[derive(Clone, Debug, Default)]
pub(super) struct Party {
    pub(super) rate: Bucket,
    pub(super) subjects: Window,
    pub(super) evidence: Evidence,
    pub(super) halt: Option<Halt>,
    /// When it was last held or blocked.
    pub(super) halted_ms: Option<i64>,
    pub(super) last_ms: i64,
}

/// An asker gets no answers until an operator lifts this.
#[derive(Clone, Copy, Debug)]
pub(super) struct Halt {
    pub(super) blocked: bool,
    pub(super) since: Timestamp,
}

impl Halt {
    pub(super) const fn code(self) -> ErrorCode {
        if self.blocked {
            ErrorCode::GuardBlocked
        } else {
            ErrorCode::GuardApprovalNeeded
        }
    }
}

impl Party {
    /// Waits for a token of the rate.
    pub(super) fn rate_wait(&mut self, limits: AskLimits, who: Who, now_ms: i64) -> Option<Stop> {
        let wait = self.rate.wait(limits.per_second_max, now_ms)?;
        let quota = "questions_per_second";
        Some(Stop::quota(quota, limits.per_second_max, who, wait))
    }

    /// Why `subject` may not be asked about; nothing for one that was asked about today.
    pub(super) fn subjects_full(
        &self,
        subject: &Pseudonym,
        limits: AskLimits,
        who: Who,
        now_ms: i64,
    ) -> Option<Stop> {
        if self.subjects.contains(subject) {
            return None;
        }
        let spans = [
            ("subjects_per_hour", limits.subjects_per_hour_max, HOUR_MS),
            ("subjects_per_day", limits.subjects_per_day_max, DAY_MS),
        ];
        spans.into_iter().find_map(|(quota, max, span_ms)| {
            let wait = self.subjects.wait(max, span_ms, now_ms)?;
            Some(Stop::quota(quota, max, who, wait))
        })
    }

    /// Holds the asker, or blocks it the second time within `block_within`; what was done, if anything.
    pub(super) fn halt(
        &mut self,
        now: Timestamp,
        now_ms: i64,
        block_within: Duration,
    ) -> Option<GuardActionKind> {
        if self.halt.is_some() {
            return None;
        }
        let within_ms = i64::try_from(block_within.as_millis()).unwrap_or(i64::MAX);
        let blocked = self
            .halted_ms
            .is_some_and(|at| now_ms.saturating_sub(at) < within_ms);
        self.halt = Some(Halt {
            blocked,
            since: now,
        });
        self.halted_ms = Some(now_ms);
        Some(if blocked {
            GuardActionKind::Blocked
        } else {
            GuardActionKind::Held
        })
    }

    /// Follows an action that was kept.
    pub(super) fn follow(&mut self, kind: GuardActionKind, at: Timestamp) {
        self.last_ms = self.last_ms.max(at.as_millisecond());
        match kind {
            GuardActionKind::Held | GuardActionKind::Blocked => {
                self.halt = Some(Halt {
                    blocked: kind == GuardActionKind::Blocked,
                    since: at,
                });
                self.halted_ms = Some(at.as_millisecond());
            }
            GuardActionKind::Lifted => {
                self.halt = None;
                self.evidence.clear();
            }
        }
    }

    /// Whether nothing would be lost by forgetting the asker.
    pub(super) fn is_idle(&self, now_ms: i64, block_within: Duration) -> bool {
        let within_ms = i64::try_from(block_within.as_millis()).unwrap_or(i64::MAX);
        let since = |at: i64| now_ms.saturating_sub(at);
        self.halt.is_none()
            && self.halted_ms.is_none_or(|at| since(at) >= within_ms)
            && self.evidence.pending() == 0
            && (self.evidence.is_clear() || since(self.last_ms) >= DAY_MS)
            && self.subjects.is_empty()
            && self.rate.is_full(now_ms)
    }
}
