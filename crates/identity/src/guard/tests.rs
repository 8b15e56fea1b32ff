//! The guard against every kind of guesser, and against honest clerks: seeded, without a clock or a database.

mod attackers;
mod put_off;
mod quotas;
mod rebuilt;

use std::sync::Arc;

use lienthong_domain::identity::grant::{AskLimits, QuotaClass};
use lienthong_domain::identity::{
    FieldSet, OfficialId, Pseudonym, PurposeCode, UsageKind, UsageOutcome,
};
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{DossierCode, Timestamp};
use lienthong_ports::identity::{Asker, UsageDraft};

use super::*;

/// Monday, 2 March 2026, 08:00 in Việt Nam.
const MORNING_MS: i64 = 1_772_413_200_000;
const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

fn quota() -> QuotaClass {
    let limits = |per_second_max, subjects_per_hour_max, subjects_per_day_max| AskLimits {
        per_second_max,
        subjects_per_hour_max,
        subjects_per_day_max,
    };
    QuotaClass {
        name: "counter".to_owned(),
        participant: limits(1_000, 100_000, 1_000_000),
        system: limits(1_000, 100_000, 1_000_000),
        official: limits(100, 200, 1_000),
        official_concurrent_max: 100,
        dossier_subjects_max: 1_000,
    }
}

fn asker(participant: &str, system: &str, official: &str) -> Asker {
    Asker {
        participant: ParticipantId::parse(participant).unwrap(),
        system: Arc::from(system),
        official: OfficialId::parse(official).unwrap(),
    }
}

/// Citizen `number` and its block, which 100 neighbours share.
fn citizen(number: u64) -> (Option<Pseudonym>, Option<Pseudonym>) {
    let pseudonym = |domain: u64, value: u64| {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&domain.to_be_bytes());
        bytes[8..].copy_from_slice(&value.to_be_bytes());
        Some(Pseudonym(bytes))
    };
    (pseudonym(1, number), pseudonym(2, number / 100))
}

fn ask(asker: &Asker, number: u64, ms: i64) -> UsageDraft {
    let (subject, block) = citizen(number);
    UsageDraft {
        at: at(ms),
        asker: asker.clone(),
        subject,
        block,
        purpose: PurposeCode::parse("CIVIL_STATUS").unwrap(),
        dossier: Some(DossierCode::parse("H21.17-260302-0001").unwrap()),
        kind: UsageKind::Verify,
        outcome: UsageOutcome::Failed,
        reason: None,
        asked: FieldSet::KEY,
        shown: FieldSet::EMPTY,
        as_relative: false,
        request_id: "r-1".to_owned(),
    }
}

/// A guard, and the records and actions that it would leave in a store.
struct World {
    guard: Guard,
    quota: QuotaClass,
    rows: Vec<UsageDraft>,
    actions: Vec<GuardAction>,
}

impl World {
    fn new() -> Self {
        Self {
            guard: Guard::new(GuardConfig::default()),
            quota: quota(),
            rows: Vec::new(),
            actions: Vec::new(),
        }
    }

    fn begin(&mut self, ask: &UsageDraft) -> Result<Turn, Stop> {
        self.guard.consider(ask, &self.quota, ask.at)?;
        self.guard.begin(ask, &self.quota, ask.at)
    }

    fn end(&mut self, ask: &UsageDraft, outcome: UsageOutcome) -> Ended {
        let ended = self.guard.end(ask, outcome, ask.at);
        self.rows.push(UsageDraft {
            outcome,
            ..ask.clone()
        });
        self.actions.extend(ended.actions.iter().cloned());
        ended
    }

    /// One question after the other.
    fn ask(&mut self, ask: &UsageDraft, outcome: UsageOutcome) -> Result<Ended, Stop> {
        assert_eq!(self.begin(ask)?, Turn::Begun, "nothing else is under way");
        Ok(self.end(ask, outcome))
    }

    /// The guard after a restart at `ms`, and what it still had to do.
    fn rebuilt(&self, ms: i64) -> (Guard, Vec<GuardAction>) {
        let mut guard = Guard::new(GuardConfig::default());
        let mut actions = self.actions.iter().peekable();
        for row in &self.rows {
            while let Some(action) = actions.next_if(|action| action.at <= row.at) {
                guard.follow(action);
            }
            guard.fold(row);
        }
        actions.for_each(|action| guard.follow(action));
        let undone = guard.settle(at(ms));
        (guard, undone)
    }
}

fn is_halted<T>(result: &Result<T, Stop>) -> bool {
    matches!(result, Err(Stop::Halted { .. }))
}
