//! What operators see of the guard, and what they may do to it.

use std::sync::Arc;

use lienthong_domain::identity::OfficialId;
use lienthong_domain::identity::grant::QuotaClass;
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{ErrorCode, Timestamp};

use super::Guard;
use super::party::Party;
use super::stop::{Stop, Who};
use super::window::{DAY_MS, HOUR_MS};

/// An official of a system, or a whole system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardTarget {
    /// The participant.
    pub participant: ParticipantId,
    /// Its system.
    pub system: Arc<str>,
    /// The official; `None` for the whole system.
    pub official: Option<OfficialId>,
}

/// What a guard does, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GuardLevel {
    /// Answers come late.
    Slow,
    /// Nothing is answered until an operator approves.
    Approval,
    /// Nothing is answered; it is the second time.
    Blocked,
}

/// What is held against somebody.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardView {
    /// Against whom.
    pub target: GuardTarget,
    /// What is done.
    pub level: GuardLevel,
    /// The code of the refusals; none while answers only come late.
    pub reason: Option<ErrorCode>,
    /// Since when; of a slow asker, its last question.
    pub since: Timestamp,
    /// Misses that count now, less the hits.
    pub misses_net: f64,
    /// Different citizens in the last 60 minutes.
    pub subjects_last_hour: usize,
    /// Different citizens in the last 24 hours.
    pub subjects_last_day: usize,
}

impl Guard {
    /// Everybody who is slowed, held or blocked, worst first and then by name.
    pub(crate) fn views(&mut self, now: Timestamp) -> Vec<GuardView> {
        let now_ms = now.as_millisecond();
        let (config, mut views) = (&self.config, Vec::new());
        self.askers
            .visit(|(participant, system, official), party, _| {
                let slow_misses = match official {
                    Some(_) => config.slow_misses,
                    None => config.system_slow_misses,
                };
                let Some((level, reason, since)) = level(party, slow_misses) else {
                    return;
                };
                party.subjects.expire(now_ms);
                views.push(GuardView {
                    target: GuardTarget {
                        participant: participant.clone(),
                        system: system.clone(),
                        official: official.cloned(),
                    },
                    level,
                    reason,
                    since,
                    misses_net: party.evidence.misses_net(),
                    subjects_last_hour: party.subjects.count(HOUR_MS, now_ms),
                    subjects_last_day: party.subjects.count(DAY_MS, now_ms),
                });
            });
        views.sort_by(|one, two| {
            let by_name = |view: &GuardView| {
                let target = &view.target;
                (
                    target.participant.clone(),
                    target.system.clone(),
                    target.official.clone(),
                )
            };
            two.level
                .cmp(&one.level)
                .then_with(|| by_name(one).cmp(&by_name(two)))
        });
        views
    }

    /// Whether there is anything to lift.
    pub(crate) fn stands_against(&self, target: &GuardTarget) -> bool {
        let GuardTarget {
            participant,
            system,
            official,
        } = target;
        let slow_misses = match official {
            Some(_) => self.config.slow_misses,
            None => self.config.system_slow_misses,
        };
        let party = self.askers.find(participant, system, official.as_ref());
        party.is_some_and(|party| level(party, slow_misses).is_some())
    }

    /// What would stop a question about somebody new now: guards and quotas of citizens. Changes nothing.
    ///
    /// # Errors
    /// [`Stop`].
    pub(crate) fn foresee(
        &self,
        target: &GuardTarget,
        quota: &QuotaClass,
        now: Timestamp,
    ) -> Result<(), Stop> {
        let GuardTarget {
            participant,
            system,
            official,
        } = target;
        let now_ms = now.as_millisecond();
        let official = official.as_ref();
        let official = official.and_then(|id| self.askers.find(participant, system, Some(id)));
        let levels = [
            (official, quota.official, Who::Official),
            (
                self.askers.find(participant, system, None),
                quota.system,
                Who::System,
            ),
            (
                self.askers.participant(participant),
                quota.participant,
                Who::Participant,
            ),
        ];
        for (party, _, who) in levels {
            if let Some(halt) = party.and_then(|party| party.halt) {
                let code = halt.code();
                return Err(Stop::Halted { code, who });
            }
        }
        // A pseudonym that no citizen has: nobody was asked about it today.
        let somebody = lienthong_domain::identity::Pseudonym([0; 16]);
        let full = levels
            .into_iter()
            .find_map(|(party, limits, who)| party?.subjects_full(&somebody, limits, who, now_ms));
        full.map_or(Ok(()), Err)
    }
}

fn level(party: &Party, slow_misses: u32) -> Option<(GuardLevel, Option<ErrorCode>, Timestamp)> {
    match party.halt {
        Some(halt) => {
            let level = if halt.blocked {
                GuardLevel::Blocked
            } else {
                GuardLevel::Approval
            };
            Some((level, Some(halt.code()), halt.since))
        }
        None if party.evidence.misses_net() >= f64::from(slow_misses) => {
            let since = Timestamp::from_millisecond(party.last_ms).unwrap_or_default();
            Some((GuardLevel::Slow, None, since))
        }
        None => None,
    }
}
