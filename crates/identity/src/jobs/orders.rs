//! What those who own a job, and operators, see of it and do with it.

use lienthong_domain::identity::grant::{Asked, decide_grant};
use lienthong_domain::identity::{FieldSet, JobId, JobState, Mode, OfficialId};
use lienthong_domain::participant::Caller;
use lienthong_domain::{ErrorCode, Faults, OperatorRole, Reason};
use lienthong_ports::identity::{Asker, ItemAnswer, JobCommand, JobRefusal, JobRow};
use lienthong_ports::store::{Actor, ITEMS_MAX};
use lienthong_services::Error;
use lienthong_services::operators::{of_caller, require};
use tokio::sync::watch;

use super::opening::{NOBODY, refused};
use crate::Identity;
use crate::core::{self, store_failed};

/// How a caller names a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobName {
    /// By its number.
    Id(JobId),
    /// By the key it was opened with.
    Key(String),
}

impl Identity {
    /// One job of the caller's system; any job, by its number, for an operator.
    ///
    /// # Errors
    /// `JOB_NOT_FOUND`.
    pub async fn job(&self, caller: &Caller, name: JobName) -> Result<JobRow, Error> {
        match name {
            JobName::Id(job) => self.seen_job(caller, job).await,
            JobName::Key(key) => {
                let asker = nobody(caller);
                let found = self
                    .core
                    .store
                    .job_by_key(&asker, &key)
                    .await
                    .map_err(store_failed)?;
                found.ok_or_else(|| Error::new(ErrorCode::JobNotFound))
            }
        }
    }

    /// The jobs of the caller's system below `before`, newest first; every job for an operator. At most `limit`,
    /// and less only at the end.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn jobs(
        &self,
        caller: &Caller,
        mut before: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobRow>, Error> {
        let limit = limit.clamp(1, ITEMS_MAX);
        let operator = caller.role.operator().is_some();
        let participant = (!operator).then(|| caller.participant.id.clone());
        let mut found = Vec::new();
        // Ends with the participant's jobs, which are erased after `keep_days`.
        loop {
            let page = self
                .core
                .store
                .jobs(participant.clone(), before, limit)
                .await
                .map_err(store_failed)?;
            let whole = page.len() == limit;
            before = page.last().map(|job| job.id);
            found.extend(page.into_iter().filter(|job| operator || owns(caller, job)));
            if !whole || found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }

    /// Pauses, resumes or cancels a job. While the jobs of a system are held for their misses, only operators resume one,
    /// which lifts the hold.
    ///
    /// # Errors
    /// `JOB_NOT_FOUND`, `JOB_STATE_REFUSED`, `NOT_OPERATOR`.
    pub async fn command_job(
        &self,
        caller: &Caller,
        job: JobId,
        command: JobCommand,
    ) -> Result<JobRow, Error> {
        self.seen_job(caller, job).await?;
        let operator = of_caller(caller).ok();
        if let Some(operator) = &operator {
            require(operator, OperatorRole::Operator)?;
        }
        let (command, words) = match command {
            // A reason is the gateway's to give.
            JobCommand::Pause(_) => (JobCommand::Pause(None), "paused"),
            JobCommand::Resume => (JobCommand::Resume, "resumed"),
            JobCommand::Cancel => (JobCommand::Cancel, "cancelled"),
        };
        let now = self.core.clock.now();
        let actor = operator.map(|operator| Actor {
            by: operator.by.to_string(),
            reason: format!("{job} {words} by an operator"),
            now,
        });
        let done = self
            .core
            .store
            .command_job(job, command, actor, now)
            .await
            .map_err(store_failed)?;
        done.map_err(|refusal| match refusal {
            JobRefusal::Held => {
                Error::new(ErrorCode::NotOperator).with("state_reason", ErrorCode::JobMissesTooMany)
            }
            refusal => refused(refusal),
        })
    }

    /// A job and its answers after `after_position`, in the order of positions, up to the first item that is not
    /// answered; at most `limit`. The job is read first: if it has ended, nothing more comes than what is returned
    /// here and after it. Who may not ask any more may not read either; that is recorded.
    ///
    /// # Errors
    /// `JOB_NOT_FOUND`, also for operators: answers are for those who asked. The refusals of a grant and of a guard.
    pub async fn answers(
        &self,
        caller: &Caller,
        job: JobId,
        after_position: u32,
        limit: usize,
    ) -> Result<(JobRow, Vec<ItemAnswer>), Error> {
        let row = self.own_job(caller, job).await?;
        self.may_read(caller, &row).await?;
        let limit = limit.clamp(1, ITEMS_MAX);
        let answers = self
            .core
            .store
            .answers(job, after_position, limit)
            .await
            .map_err(store_failed)?;
        Ok((row, answers))
    }

    /// Erases claims and answers up to `position`, which the caller has received.
    ///
    /// # Errors
    /// Those of [`Identity::answers`], and `INVALID_FIELDS` for more than has been answered.
    pub async fn erase_answers(
        &self,
        caller: &Caller,
        job: JobId,
        position: u32,
    ) -> Result<(), Error> {
        let row = self.own_job(caller, job).await?;
        self.may_read(caller, &row).await?;
        let answered = row.items_answered();
        let ended = matches!(
            row.state,
            JobState::Done | JobState::Cancelled | JobState::Erased
        );
        if position > answered && !ended {
            let max = i64::from(answered);
            let faults = Faults::one("after_position", Reason::OutOfRange { min: 0, max });
            return Err(Error::with_faults(ErrorCode::InvalidFields, faults));
        }
        self.core
            .store
            .erase_answers(job, position)
            .await
            .map_err(store_failed)?;
        Ok(())
    }

    /// Changes whenever an item may have been answered. A wake-up only: it may come late or without cause.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.core.dossiers.wakeups()
    }

    /// Whether the grant of the job's purpose holds and nothing is held against who asked. The dossier does not matter:
    /// it may well be closed before the answers are read.
    async fn may_read(&self, caller: &Caller, row: &JobRow) -> Result<(), Error> {
        let core = &self.core;
        let usage = core.draft(caller, &row.inquiry, &NOBODY, row.id.to_string());
        let asked = Asked {
            mode: Mode::Verify,
            fields: FieldSet::EMPTY,
            now: usage.at,
        };
        let registry = core.services.registry();
        let asker = &usage.asker;
        let grant = registry.grant(&asker.participant, &asker.system, &usage.purpose);
        let granted = decide_grant(grant, &asked).map_err(core::refused);
        let allowed = granted.and_then(|_| {
            let Some(grant) = grant else {
                return Err(Error::new(ErrorCode::GrantMissing));
            };
            // A job takes part in no rate and in no quota, so this only looks.
            let consider = core
                .turns
                .with(|guard| guard.consider(&usage, &grant.quota, asked.now));
            consider.map_err(Error::from)
        });
        match allowed {
            Ok(()) => Ok(()),
            Err(error) => Err(core.refuse(usage, error).await),
        }
    }

    /// A job of the caller's system.
    pub(super) async fn own_job(&self, caller: &Caller, job: JobId) -> Result<JobRow, Error> {
        let found = self.core.store.job(job).await.map_err(store_failed)?;
        let own = found.filter(|row| owns(caller, row));
        own.ok_or_else(|| Error::new(ErrorCode::JobNotFound))
    }

    /// A job that the caller may see the counts of.
    async fn seen_job(&self, caller: &Caller, job: JobId) -> Result<JobRow, Error> {
        if caller.role.operator().is_none() {
            return self.own_job(caller, job).await;
        }
        let found = self.core.store.job(job).await.map_err(store_failed)?;
        found.ok_or_else(|| Error::new(ErrorCode::JobNotFound))
    }
}

/// Whether the job is of the caller's system.
fn owns(caller: &Caller, row: &JobRow) -> bool {
    row.asker.participant == caller.participant.id && row.asker.system == caller.system
}

/// The caller's system as a job is looked up by its key; the official does not matter there.
fn nobody(caller: &Caller) -> Asker {
    Asker {
        participant: caller.participant.id.clone(),
        system: caller.system.clone(),
        official: OfficialId::parse("-").expect("a hyphen is permitted"),
    }
}
