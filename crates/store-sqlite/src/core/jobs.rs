//! Verification jobs: opened, filled, commanded. What happens to their items lies in the parts.

mod claims;
mod erase;
mod finish;
mod misses;

use lienthong_domain::identity::JobId;
use lienthong_domain::identity::JobState::{
    self, Cancelled, Done, Erased, Paused, Running, Uploading,
};
use lienthong_domain::identity::job::ITEMS_MAX;
use lienthong_domain::{DossierCode, ErrorCode, Timestamp};
use lienthong_ports::identity::{
    DEFERRED, JobCommand, JobDraft, JobRefusal, JobRow, OPEN_DEFERRED_MAX, OPEN_JOBS_MAX,
};
use lienthong_ports::store::Actor;
use lienthong_vault::DataKey;
use rusqlite::params;

pub(crate) use claims::BegunItem;
pub(crate) use finish::EncodedFinish;

use super::Core;
use crate::error::Failure;
use crate::identity_rows::{ANSWERED, EncodedItem, JobKey, READY, Sealed, item_id, wrap};
use crate::rows::{Cells, corrupt, duration_micros, execute, micros, micros_after, one};

/// A job as its rules need it.
struct Job {
    id: i64,
    participant: i64,
    system: i64,
    state: JobState,
    /// It was paused for the misses of its system.
    missed: bool,
    items_total: u32,
    items_received: u32,
    items_answered: u32,
    keep: i64,
    key: JobKey,
}

impl Job {
    /// When what stands still from `now` on is erased.
    fn erase_at(&self, now: i64) -> i64 {
        now.saturating_add(self.keep).min(micros(Timestamp::MAX))
    }
}

/// What a command makes of a job's state: `None` when it is there already, `Err` when it may not.
fn follow(state: JobState, command: JobCommand) -> Result<Option<JobState>, JobRefusal> {
    match (command, state) {
        (JobCommand::Pause(_), Running) => Ok(Some(Paused)),
        (JobCommand::Resume, Paused) => Ok(Some(Running)),
        (JobCommand::Cancel, Uploading | Running | Paused) => Ok(Some(Cancelled)),
        (JobCommand::Pause(_), Paused)
        | (JobCommand::Resume, Running)
        | (JobCommand::Cancel, Cancelled) => Ok(None),
        (JobCommand::Pause(_) | JobCommand::Resume, Uploading | Done | Cancelled | Erased)
        | (JobCommand::Cancel, Done | Erased) => Err(JobRefusal::State(state)),
    }
}

impl Core {
    pub(crate) fn open_job(
        &mut self,
        draft: &JobDraft,
    ) -> Result<Result<JobRow, JobRefusal>, Failure> {
        if let Some(row) = self.queries().job_by_key(&draft.asker, &draft.key)? {
            let same = row.inquiry == draft.inquiry && row.items_total == draft.items_total;
            return Ok(if same {
                Ok(row)
            } else {
                Err(JobRefusal::KeyReused)
            });
        }
        if draft.items_total > ITEMS_MAX {
            return Ok(Err(JobRefusal::TooMany));
        }
        if let Err(refusal) = self.has_room(draft)? {
            return Ok(Err(refusal));
        }
        let last = one(&self.connection, "SELECT max(id) FROM job", [], |row| {
            Ok(row.get::<_, Option<i64>>(0)?)
        })?;
        let id = last.flatten().unwrap_or(0) + 1;
        self.write_new_job(id, draft)?;
        self.job_row(id).map(Ok)
    }

    /// Whether the system may open one job more.
    fn has_room(&mut self, draft: &JobDraft) -> Result<Result<(), JobRefusal>, Failure> {
        let (asker, connection) = (&draft.asker, &self.connection);
        let participant = asker.participant.as_str();
        let participant = self.names.participant_made(connection, participant)?;
        let system = self.names.system_made(connection, &asker.system)?;
        if self.is_held(participant, system)? {
            return Ok(Err(JobRefusal::Held));
        }
        let deferred = draft.key.starts_with(DEFERRED);
        let max = if deferred {
            OPEN_DEFERRED_MAX
        } else {
            OPEN_JOBS_MAX
        };
        // Both bounds together bound what is counted.
        let open = one(
            &self.connection,
            "SELECT count(*) FROM job INDEXED BY job_open
             WHERE participant = ?1 AND system = ?2 AND state IN (1, 2, 3)
                 AND (substr(key, 1, length(?3)) = ?3) = ?4",
            params![participant, system, DEFERRED, deferred],
            |row| Ok(row.get::<_, u32>(0)?),
        )?;
        let full = open.unwrap_or(0) >= max;
        Ok(if full {
            Err(JobRefusal::TooManyOpen { max })
        } else {
            Ok(())
        })
    }

    fn write_new_job(&mut self, id: i64, draft: &JobDraft) -> Result<(), Failure> {
        let connection = &self.connection;
        let (asker, inquiry) = (&draft.asker, &draft.inquiry);
        let participant = asker.participant.as_str();
        let participant = self.names.participant_made(connection, participant)?;
        let system = self.names.system_made(connection, &asker.system)?;
        let official = inquiry.official.as_str();
        let official = self.names.official_made(connection, official)?;
        let wrapped = wrap(&self.vault, &DataKey::generate(), id);
        execute(
            connection,
            "INSERT INTO job (id, participant, system, key, official, purpose, dossier, state, items_total,
                 created_at, keep, erase_at, data_key, kek)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            params![
                id,
                participant,
                system,
                draft.key,
                official,
                inquiry.purpose.as_str(),
                inquiry.dossier.as_ref().map(DossierCode::as_str),
                Uploading.code(),
                draft.items_total,
                micros(draft.now),
                duration_micros(draft.keep),
                micros_after(draft.now, draft.keep),
                &wrapped.as_bytes()[..],
                wrapped.key_id().0,
            ],
        )?;
        Ok(())
    }

    pub(crate) fn add_items(
        &mut self,
        job: JobId,
        first_position: u32,
        items: &[EncodedItem],
        now: Timestamp,
    ) -> Result<Result<JobRow, JobRefusal>, Failure> {
        let Some(job) = self.find_job(job)? else {
            return Ok(Err(JobRefusal::NotFound));
        };
        if matches!(job.state, Cancelled | Erased) {
            return Ok(Err(JobRefusal::State(job.state)));
        }
        let next_position = job.items_received + 1;
        if first_position == 0 || first_position > next_position {
            return Ok(Err(JobRefusal::Gap { next_position }));
        }
        let known = usize::try_from(next_position - first_position).unwrap_or(usize::MAX);
        let fresh = items.get(known..).unwrap_or_default();
        // Only an upload can miss items, so this also keeps every other state as it is.
        let room = usize::try_from(job.items_total - job.items_received).unwrap_or(usize::MAX);
        if fresh.len() > room {
            return Ok(Err(JobRefusal::TooMany));
        }
        let id = job.id;
        self.write_items(job, fresh, micros(now))?;
        self.job_row(id).map(Ok)
    }

    fn write_items(
        &mut self,
        mut job: Job,
        items: &[EncodedItem],
        now: i64,
    ) -> Result<(), Failure> {
        if job.state != Uploading {
            return Ok(());
        }
        let key = job.key.unwrap(&self.vault)?;
        let mut faulty = 0;
        for item in items {
            job.items_received += 1;
            let id = item_id(job.id, job.items_received);
            let (state, claims, failure) = match &item.0 {
                Ok(json) => (READY, Some(Sealed::Claims.seal(&key, id, json)), None),
                Err(code) => (ANSWERED, None, Some(code.name())),
            };
            faulty += u32::from(failure.is_some());
            execute(
                &self.connection,
                "INSERT INTO job_item (id, job, state, next_at, claims, failure)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![id, job.id, state, now, claims, failure],
            )?;
        }
        job.items_answered += faulty;
        execute(
            &self.connection,
            "UPDATE job SET items_received = ?2, items_failed = items_failed + ?3 WHERE id = ?1",
            params![job.id, job.items_received, faulty],
        )?;
        if job.items_received < job.items_total {
            Ok(())
        } else if job.items_answered == job.items_total {
            self.finish_job(&job, now)
        } else if self.is_held(job.participant, job.system)? {
            self.pause_job(&job, now)?;
            self.give_reason(&job, ErrorCode::JobMissesTooMany)
        } else {
            self.run_job(&job)
        }
    }

    /// Lets a job run, as the last of the round.
    fn run_job(&mut self, job: &Job) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE job SET state = 2, state_reason = NULL, erase_at = NULL, turn = ?2,
                 due_at = (SELECT min(next_at) FROM job_item INDEXED BY job_item_due
                           WHERE state = 1 AND job = ?1)
             WHERE id = ?1",
            params![job.id, self.next_turn()?],
        )?;
        self.woken = true;
        Ok(())
    }

    /// The place behind every job that can be served.
    fn next_turn(&self) -> Result<i64, Failure> {
        let last = one(
            &self.connection,
            "SELECT turn FROM job INDEXED BY job_turn
             WHERE state = 2 AND due_at IS NOT NULL ORDER BY turn DESC LIMIT 1",
            [],
            |row| Ok(row.get::<_, i64>(0)?),
        )?;
        Ok(last.unwrap_or(0) + 1)
    }

    /// Every item is answered.
    fn finish_job(&self, job: &Job, now: i64) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE job SET state = 4, state_reason = NULL, due_at = NULL, finished_at = ?2, erase_at = ?3
             WHERE id = ?1",
            params![job.id, now, job.erase_at(now)],
        )?;
        Ok(())
    }

    pub(crate) fn command_job(
        &mut self,
        job: JobId,
        command: JobCommand,
        actor: Option<&Actor>,
        now: Timestamp,
    ) -> Result<Result<JobRow, JobRefusal>, Failure> {
        let Some(job) = self.find_job(job)? else {
            return Ok(Err(JobRefusal::NotFound));
        };
        let mut lifted = false;
        if command == JobCommand::Resume {
            let held = job.missed || self.is_held(job.participant, job.system)?;
            if held && actor.is_none() && job.state == Paused {
                return Ok(Err(JobRefusal::Held));
            }
            lifted = held && actor.is_some() && self.clear_slate(job.participant, job.system)?;
        }
        let changes = match follow(job.state, command) {
            Ok(next) => next.is_some(),
            // The operator meant the hold, of which this job is only a part.
            Err(_) if lifted => false,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (job_id, at) = (job.id, micros(now));
        let kind = match command {
            JobCommand::Pause(_) => "pause_job",
            JobCommand::Resume => "resume_job",
            JobCommand::Cancel => "cancel_job",
        };
        if changes {
            match command {
                JobCommand::Pause(_) => self.pause_job(&job, at)?,
                JobCommand::Resume => self.run_job(&job)?,
                JobCommand::Cancel => self.cancel_job(&job, at)?,
            }
            // A reader of answers learns that no more will come.
            self.woken = true;
        }
        if let Some(actor) = actor
            && (changes || lifted)
        {
            self.act(actor, kind, &JobId(job_id).to_string())?;
        }
        if let JobCommand::Pause(Some(reason)) = command {
            self.give_reason(&job, reason)?;
        }
        self.job_row(job.id).map(Ok)
    }

    fn pause_job(&self, job: &Job, now: i64) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE job SET state = 3, erase_at = ?2 WHERE id = ?1",
            params![job.id, job.erase_at(now)],
        )?;
        Ok(())
    }

    /// Keeps why the gateway paused a job, be it paused already for no reason of the gateway's. Misses override
    /// any other reason, because only they need an operator.
    fn give_reason(&self, job: &Job, reason: ErrorCode) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE job SET state_reason = CASE ?2 WHEN ?3 THEN ?2 ELSE coalesce(state_reason, ?2) END
             WHERE id = ?1",
            params![job.id, reason.name(), ErrorCode::JobMissesTooMany.name()],
        )?;
        Ok(())
    }

    /// Ends a job. Its items are deleted afterwards, part by part: see `erase`.
    fn cancel_job(&self, job: &Job, now: i64) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE job SET state = 5, state_reason = NULL, due_at = NULL, untidy = 1, finished_at = ?2,
                 erase_at = ?3
             WHERE id = ?1",
            params![job.id, now, job.erase_at(now)],
        )?;
        Ok(())
    }

    fn find_job(&self, job: JobId) -> Result<Option<Job>, Failure> {
        one(
            &self.connection,
            "SELECT id, state, items_total, items_received,
                 items_matched + items_not_matched + items_undecided + items_failed, keep, data_key,
                 participant, system, state_reason IS ?2
             FROM job WHERE id = ?1",
            params![job.0, ErrorCode::JobMissesTooMany.name()],
            |row| {
                let cells = Cells::of("job", row)?;
                Ok(Job {
                    id: cells.id(),
                    state: cells.decoded(1, "state", JobState::from_code)?,
                    items_total: cells.get(2, "items_total")?,
                    items_received: cells.get(3, "items_received")?,
                    items_answered: cells.get(4, "items_matched")?,
                    keep: cells.get(5, "keep")?,
                    key: JobKey::read(&cells, 6, cells.id())?,
                    participant: cells.get(7, "participant")?,
                    system: cells.get(8, "system")?,
                    missed: cells.get(9, "state_reason")?,
                })
            },
        )
    }

    /// A job that is known to be there.
    fn job_row(&self, job: i64) -> Result<JobRow, Failure> {
        let row = self.queries().job(JobId(job))?;
        row.ok_or_else(|| corrupt("job", "id", job, "is missing, or its asker is"))
    }
}
