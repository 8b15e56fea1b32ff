//! The guard: quotas, wrong claims about one citizen, and the search for those who guess numbers.
//!
//! A pure state machine: time is handed in, and the state is what follows from the usage records of the last
//! 24 hours and from the guard actions, so it is rebuilt at a start; only misses older than that are then
//! forgotten. Nothing here knows a citizen number. A citizen who is known under two numbers counts once.
//!
//! ```text
//! consider ──> begin ──(the database is asked)──> end ──> nothing | slow | Held ──lift──> clean slate
//!                └─> wait: too many calls under way              second time: Blocked ──lift──┘
//! ```

mod evidence;
mod hashing;
mod links;
mod neighbours;
mod party;
mod put_off;
mod rate;
mod stop;
mod subjects;
mod tree;
mod views;
mod weighing;
mod window;

use lienthong_domain::Timestamp;
use lienthong_domain::identity::grant::QuotaClass;
use lienthong_domain::identity::{Pseudonym, UsageKind, UsageOutcome};
use lienthong_ports::identity::{Asker, GuardAction, GuardActionKind, UsageDraft};

use crate::config::GuardConfig;
use links::Links;
pub(crate) use stop::{Stop, Who};
use subjects::{Room, Subjects};
use tree::{Askers, Tree, block_within};
pub use views::{GuardLevel, GuardTarget, GuardView};
use weighing::{Sign, halted, is_guessing};

/// How often what is old is forgotten, in milliseconds.
const SWEEP_MS: i64 = 60_000;

/// The guard of all questions.
#[derive(Debug)]
pub(crate) struct Guard {
    config: GuardConfig,
    askers: Tree,
    subjects: Subjects,
    links: Links,
    swept_ms: i64,
}

/// Whether a question may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It has begun and must be ended.
    Begun,
    /// Too many are under way; try again when one has ended.
    Wait,
}

/// What follows from the end of a question.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// The answer is to be given late.
    pub(crate) slow: bool,
    /// Holds and blocks to be kept and told.
    pub(crate) actions: Vec<GuardAction>,
}

impl Guard {
    /// A guard that knows nobody.
    pub(crate) fn new(config: GuardConfig) -> Self {
        Self {
            config,
            askers: Tree::default(),
            subjects: Subjects::default(),
            links: Links::default(),
            swept_ms: i64::MIN,
        }
    }

    /// Whether anything stands against the question; takes a token of the rates.
    ///
    /// # Errors
    /// [`Stop`]: held or blocked, citizen locked, quota used up.
    pub(crate) fn consider(
        &mut self,
        ask: &UsageDraft,
        quota: &QuotaClass,
        now: Timestamp,
    ) -> Result<(), Stop> {
        let now_ms = now.as_millisecond();
        self.sweep(now_ms);
        let ask = &*self.links.resolved(ask);
        let mut askers = self.askers.askers(&ask.asker, &self.config)?;
        askers.not_halted()?;
        locked_wait(&self.subjects, &self.config, ask, now_ms)?;
        if ask.kind == UsageKind::Job {
            return Ok(());
        }
        askers.take_rate(quota, now_ms)?;
        askers.within_quota(ask, quota, &self.config, now_ms)
    }

    /// Begins a question that was considered: counts its citizen, and its call as one that may miss.
    ///
    /// # Errors
    /// As [`Self::consider`]; things may have changed since.
    pub(crate) fn begin(
        &mut self,
        ask: &UsageDraft,
        quota: &QuotaClass,
        now: Timestamp,
    ) -> Result<Turn, Stop> {
        let (now_ms, config) = (now.as_millisecond(), &self.config);
        let ask = &*self.links.resolved(ask);
        let mut askers = self.askers.askers(&ask.asker, config)?;
        askers.not_halted()?;
        let wait_for_subject = locked_wait(&self.subjects, config, ask, now_ms)?;
        if ask.kind != UsageKind::Job {
            askers.within_quota(ask, quota, config, now_ms)?;
        }
        let is_call = is_call(ask.kind);
        if wait_for_subject || (is_call && !askers.has_room(quota, config)) {
            return Ok(Turn::Wait);
        }
        askers.count(ask, now_ms);
        if is_call {
            askers.official.party.evidence.begin();
            askers.system.evidence.begin();
        }
        if let Some(subject) = ask.subject
            && ask.kind != UsageKind::ListUsage
        {
            self.subjects.begin(subject, &ask.asker.participant);
        }
        Ok(Turn::Begun)
    }

    /// Ends a question that was begun.
    pub(crate) fn end(&mut self, ask: &UsageDraft, outcome: UsageOutcome, now: Timestamp) -> Ended {
        let (now_ms, config) = (now.as_millisecond(), &self.config);
        let ask = &*self.links.resolved(ask);
        if let Some(subject) = &ask.subject
            && ask.kind != UsageKind::ListUsage
        {
            self.subjects.end(subject, &ask.asker.participant);
            note_miss(&mut self.subjects, ask, outcome, now_ms);
        }
        let Ok(mut askers) = self.askers.askers(&ask.asker, config) else {
            return Ended::default();
        };
        if !is_call(ask.kind) {
            return Ended::default();
        }
        askers.weigh((ask.subject, ask.block), outcome, config, now_ms);
        askers.official.put_off.note(ask, outcome, now_ms);
        askers.official.party.evidence.end();
        askers.system.evidence.end();
        askers.conclude(&ask.asker, config, now)
    }

    /// Lets the answer to a question that was put off speak for or against the asker. What follows is for the
    /// questions to come: nobody waits for this answer.
    pub(crate) fn weigh_deferred(
        &mut self,
        asker: &Asker,
        subject: Pseudonym,
        outcome: UsageOutcome,
        now: Timestamp,
    ) -> Ended {
        let (now_ms, config) = (now.as_millisecond(), &self.config);
        let subject = self.links.main_of(subject);
        let Ok(mut askers) = self.askers.askers(asker, config) else {
            return Ended::default();
        };
        let question = askers.official.put_off.take(&subject);
        let block = question.and_then(|question| question.block);
        askers.weigh((Some(subject), block), outcome, config, now_ms);
        askers.conclude(asker, config, now)
    }

    /// Learns that a citizen is known under two numbers.
    pub(crate) fn link(&mut self, subject: Pseudonym, other: Pseudonym, now: Timestamp) {
        let (main, other) = (self.links.main_of(subject), self.links.main_of(other));
        self.links.insert(other, main, now.as_millisecond());
        self.subjects.merge(other, main);
    }

    /// Takes a usage record of the past into account. Nobody is held by it: see [`Self::settle`].
    pub(crate) fn fold(&mut self, record: &UsageDraft) {
        if let Some((subject, other)) = self.links.told_by(record) {
            self.link(subject, other, record.at);
        }
        if record.as_relative || record.outcome == UsageOutcome::Refused {
            return;
        }
        let now_ms = record.at.as_millisecond();
        self.sweep(now_ms);
        let record = &*self.links.resolved(record);
        note_miss(&mut self.subjects, record, record.outcome, now_ms);
        let Ok(mut askers) = self.askers.askers(&record.asker, &self.config) else {
            return;
        };
        askers.count(record, now_ms);
        let put_off = &mut askers.official.put_off;
        let weighs = is_call(record.kind) || put_off.is_answered_by(record);
        put_off.note(record, record.outcome, now_ms);
        if weighs {
            let about = (record.subject, record.block);
            askers.weigh(about, record.outcome, &self.config, now_ms);
        }
    }

    /// Takes a kept action into account.
    pub(crate) fn follow(&mut self, action: &GuardAction) {
        let official = action.official.as_ref();
        let (party, looks) = self
            .askers
            .target(&action.participant, &action.system, official);
        party.follow(action.kind, action.at);
        if let Some(looks) = looks
            && action.kind == GuardActionKind::Lifted
        {
            looks.clear();
        }
    }

    /// After everything was folded: holds those whom a sudden end of the process left unheld. An asker who was
    /// held asked nothing more, so its weight still stands.
    pub(crate) fn settle(&mut self, now: Timestamp) -> Vec<GuardAction> {
        let now_ms = now.as_millisecond();
        self.askers.sweep(&self.config, now_ms);
        self.subjects.expire(now_ms);
        let (config, mut actions) = (&self.config, Vec::new());
        self.askers
            .visit(|(participant, system, official), party, looks| {
                let threshold = match official {
                    Some(_) => config.hold_score,
                    None => config.system_hold_score,
                };
                if is_guessing(party, threshold, looks.as_deref(), config)
                    && let Some(kind) = party.halt(now, now_ms, block_within(config))
                {
                    actions.push(halted((participant, system, official), kind, now));
                }
            });
        actions
    }

    fn sweep(&mut self, now_ms: i64) {
        if now_ms.saturating_sub(self.swept_ms) >= SWEEP_MS {
            self.swept_ms = now_ms;
            self.askers.sweep(&self.config, now_ms);
            self.subjects.expire(now_ms);
            self.links.expire(now_ms);
        }
    }
}

impl Askers<'_> {
    fn not_halted(&self) -> Result<(), Stop> {
        let parties = [
            (&self.official.party, Who::Official),
            (&*self.system, Who::System),
        ];
        for (party, who) in parties {
            if let Some(halt) = party.halt {
                let code = halt.code();
                return Err(Stop::Halted { code, who });
            }
        }
        Ok(())
    }

    fn take_rate(&mut self, quota: &QuotaClass, now_ms: i64) -> Result<(), Stop> {
        let Self {
            official,
            system,
            participant,
            ..
        } = self;
        let mut levels = [
            (&mut official.party, quota.official, Who::Official),
            (&mut **system, quota.system, Who::System),
            (&mut **participant, quota.participant, Who::Participant),
        ];
        for (party, limits, who) in &mut levels {
            if let Some(stop) = party.rate_wait(*limits, *who, now_ms) {
                return Err(stop);
            }
        }
        for (party, ..) in &mut levels {
            party.rate.take();
        }
        Ok(())
    }

    fn within_quota(
        &mut self,
        ask: &UsageDraft,
        quota: &QuotaClass,
        config: &GuardConfig,
        now_ms: i64,
    ) -> Result<(), Stop> {
        let Some(subject) = &ask.subject else {
            return Ok(());
        };
        let levels = [
            (&mut self.official.party, quota.official, Who::Official),
            (&mut *self.system, quota.system, Who::System),
            (&mut *self.participant, quota.participant, Who::Participant),
        ];
        for (party, limits, who) in levels {
            party.subjects.expire(now_ms);
            if let Some(stop) = party.subjects_full(subject, limits, who, now_ms) {
                return Err(stop);
            }
        }
        let full = ask.dossier.as_ref().and_then(|dossier| {
            self.dossier_full(dossier, subject, quota.dossier_subjects_max, config, now_ms)
        });
        full.map_or(Ok(()), Err)
    }

    fn has_room(&self, quota: &QuotaClass, config: &GuardConfig) -> bool {
        let trusted_max = config.parallel_trusted_max;
        let (official, system) = (self.official.party.evidence, self.system.evidence);
        official.pending() < quota.official_concurrent_max.max(1)
            && official.has_room(config.hold_score, trusted_max, config.slow_misses)
            && system.has_room(
                config.system_hold_score,
                trusted_max,
                config.system_slow_misses,
            )
    }

    /// Counts the citizen at every level and for the dossier. Jobs have a bound of their own.
    fn count(&mut self, ask: &UsageDraft, now_ms: i64) {
        let Some(subject) = ask.subject else {
            return;
        };
        for party in [
            &mut self.official.party,
            &mut *self.system,
            &mut *self.participant,
        ] {
            party.last_ms = party.last_ms.max(now_ms);
            if ask.kind != UsageKind::Job {
                party.subjects.insert(subject, now_ms);
            }
        }
        if let Some(dossier) = &ask.dossier
            && ask.kind != UsageKind::Job
        {
            let window = self.dossiers.entry(dossier.clone()).or_default();
            window.insert(subject, now_ms);
        }
    }
}

/// Whether one asker's question goes to the database, and its answer speaks for or against the asker.
const fn is_call(kind: UsageKind) -> bool {
    matches!(kind, UsageKind::Verify | UsageKind::Disclose)
}

/// Counts a wrong claim against the citizen's lock, whoever asked and in whatever way.
fn note_miss(subjects: &mut Subjects, ask: &UsageDraft, outcome: UsageOutcome, now_ms: i64) {
    if let Some(subject) = ask.subject
        && Sign::of(outcome) == Sign::Miss
    {
        subjects.miss(subject, &ask.asker.participant, now_ms);
    }
}

/// Whether the question has to wait for others about the same citizen.
fn locked_wait(
    subjects: &Subjects,
    config: &GuardConfig,
    ask: &UsageDraft,
    now_ms: i64,
) -> Result<bool, Stop> {
    let Some(subject) = &ask.subject else {
        return Ok(false);
    };
    if ask.kind == UsageKind::ListUsage {
        return Ok(false);
    }
    match subjects.room(subject, &ask.asker.participant, config, now_ms) {
        Room::Free => Ok(false),
        Room::Wait => Ok(true),
        Room::Locked(wait) => Err(Stop::SubjectLocked { wait }),
    }
}

#[cfg(test)]
mod tests;
