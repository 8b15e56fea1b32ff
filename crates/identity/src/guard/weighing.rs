//! What answers say about who asked, and what follows from it.

use std::sync::Arc;

use lienthong_domain::identity::{OfficialId, Pseudonym, UsageOutcome};
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{ErrorCode, Timestamp};
use lienthong_ports::identity::{Asker, GuardAction, GuardActionKind};

use super::Ended;
use super::neighbours::Looks;
use super::party::Party;
use super::tree::{Askers, block_within};
use crate::config::GuardConfig;

/// Who acts, in guard actions.
const GATEWAY: &str = "gateway";

/// What an outcome says about the asker.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Hit,
    Miss,
    Undecided,
    Nothing,
}

impl Sign {
    pub(super) const fn of(outcome: UsageOutcome) -> Self {
        match outcome {
            UsageOutcome::Matched | UsageOutcome::Disclosed => Self::Hit,
            UsageOutcome::NotMatched => Self::Miss,
            UsageOutcome::Undecided => Self::Undecided,
            UsageOutcome::Refused | UsageOutcome::Failed | UsageOutcome::Deferred => Self::Nothing,
        }
    }
}

impl Askers<'_> {
    /// Lets an outcome about a citizen of a block speak for or against the asker.
    pub(super) fn weigh(
        &mut self,
        (subject, block): (Option<Pseudonym>, Option<Pseudonym>),
        outcome: UsageOutcome,
        config: &GuardConfig,
        now_ms: i64,
    ) {
        let (Some(subject), sign) = (subject, Sign::of(outcome)) else {
            return;
        };
        if sign == Sign::Nothing {
            return;
        }
        for party in [&mut self.official.party, &mut *self.system] {
            match sign {
                Sign::Hit if party.subjects.first_hit(&subject) => party.evidence.hit(),
                Sign::Miss => party.evidence.miss(),
                Sign::Undecided => party.evidence.undecided(),
                Sign::Hit | Sign::Nothing => {}
            }
        }
        if let Some(block) = block
            && sign != Sign::Undecided
        {
            let looks = &mut self.official.looks;
            looks.expire(config, now_ms);
            looks.push(block, subject, sign == Sign::Miss, now_ms);
        }
    }

    /// What follows from all that was weighed.
    pub(super) fn conclude(self, asker: &Asker, config: &GuardConfig, now: Timestamp) -> Ended {
        let Self {
            official, system, ..
        } = self;
        let now_ms = now.as_millisecond();
        let mut actions = Vec::new();
        let mut halt = |party: &mut Party, official| {
            if let Some(kind) = party.halt(now, now_ms, block_within(config)) {
                let who = (&asker.participant, &asker.system, official);
                actions.push(halted(who, kind, now));
            }
        };
        let looks = Some(&official.looks);
        if is_guessing(&official.party, config.hold_score, looks, config) {
            halt(&mut official.party, Some(&asker.official));
        }
        if is_guessing(system, config.system_hold_score, None, config) {
            halt(system, None);
        }
        let slow = |party: &Party, misses| party.evidence.misses_net() >= f64::from(misses);
        Ended {
            slow: slow(&official.party, config.slow_misses)
                || slow(system, config.system_slow_misses),
            actions,
        }
    }
}

/// Whether what is known of an asker looks like guessing.
pub(super) fn is_guessing(
    party: &Party,
    threshold: f64,
    looks: Option<&Looks>,
    config: &GuardConfig,
) -> bool {
    party.evidence.score() >= threshold || looks.is_some_and(|looks| looks.is_walk(config))
}

/// The action of holding or blocking somebody; without an official, a whole system.
pub(super) fn halted(
    (participant, system, official): (&ParticipantId, &Arc<str>, Option<&OfficialId>),
    kind: GuardActionKind,
    now: Timestamp,
) -> GuardAction {
    let code = match kind {
        GuardActionKind::Blocked => ErrorCode::GuardBlocked,
        GuardActionKind::Held | GuardActionKind::Lifted => ErrorCode::GuardApprovalNeeded,
    };
    GuardAction {
        at: now,
        participant: participant.clone(),
        system: system.clone(),
        official: official.cloned(),
        kind,
        by: GATEWAY.to_owned(),
        reason: code.to_string(),
    }
}
