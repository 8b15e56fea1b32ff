//! What those who own a job, and operators, see of it and do with it.

use lienthong_domain::identity::{JobId, JobState, OfficialId};
use lienthong_domain::participant::{Caller, Role};
use lienthong_domain::{ErrorCode, Faults, Reason};
use lienthong_ports::identity::{Asker, ItemAnswer, JobCommand, JobRow};
use lienthong_ports::store::{Actor, ITEMS_MAX};
use lienthong_services::Error;
use tokio::sync::watch;

use super::opening::refused;
use crate::Identity;
use crate::core::store_failed;

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
        let operator = caller.role == Role::Operator;
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

    /// Pauses, resumes or cancels a job. One that the gateway paused for its misses is resumed by operators only.
    ///
    /// # Errors
    /// `JOB_NOT_FOUND`, `JOB_STATE_REFUSED`, `NOT_OPERATOR`.
    pub async fn command_job(
        &self,
        caller: &Caller,
        job: JobId,
        command: JobCommand,
    ) -> Result<JobRow, Error> {
        let row = self.seen_job(caller, job).await?;
        let operator = caller.role == Role::Operator;
        let missed = row.state_reason == Some(ErrorCode::JobMissesTooMany);
        let (command, words) = match command {
            // A reason is the gateway's to give.
            JobCommand::Pause(_) => (JobCommand::Pause(None), "paused"),
            JobCommand::Resume if missed && row.state == JobState::Paused && !operator => {
                let code = ErrorCode::JobMissesTooMany;
                return Err(Error::new(ErrorCode::NotOperator).with("state_reason", code));
            }
            JobCommand::Resume => (JobCommand::Resume, "resumed"),
            JobCommand::Cancel => (JobCommand::Cancel, "cancelled"),
        };
        let now = self.core.clock.now();
        let actor = operator.then(|| Actor {
            by: format!("{}/{}", caller.participant.id, caller.system),
            reason: format!("{job} {words} by an operator"),
            now,
        });
        let done = self
            .core
            .store
            .command_job(job, command, actor, now)
            .await
            .map_err(store_failed)?;
        done.map_err(refused)
    }

    /// A job and its answers after `after_position`, in the order of positions, up to the first item that is not
    /// answered; at most `limit`. The job is read first: if it has ended, nothing more comes than what is returned
    /// here and after it.
    ///
    /// # Errors
    /// `JOB_NOT_FOUND`, also for operators: answers are for those who asked.
    pub async fn answers(
        &self,
        caller: &Caller,
        job: JobId,
        after_position: u32,
        limit: usize,
    ) -> Result<(JobRow, Vec<ItemAnswer>), Error> {
        let row = self.own_job(caller, job).await?;
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
    /// `JOB_NOT_FOUND`, and `INVALID_FIELDS` for more than has been answered.
    pub async fn erase_answers(
        &self,
        caller: &Caller,
        job: JobId,
        position: u32,
    ) -> Result<(), Error> {
        let row = self.own_job(caller, job).await?;
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

    /// A job of the caller's system.
    pub(super) async fn own_job(&self, caller: &Caller, job: JobId) -> Result<JobRow, Error> {
        let found = self.core.store.job(job).await.map_err(store_failed)?;
        let own = found.filter(|row| owns(caller, row));
        own.ok_or_else(|| Error::new(ErrorCode::JobNotFound))
    }

    /// A job that the caller may see the counts of.
    async fn seen_job(&self, caller: &Caller, job: JobId) -> Result<JobRow, Error> {
        if caller.role != Role::Operator {
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
