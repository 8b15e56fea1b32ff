//! The end of what a job holds: items deleted part by part, data keys destroyed or wrapped anew.
//!
//! A job may have 200,000 items, and the writer serves everybody. So the transaction that cancels or
//! erases a job only marks it; its items are deleted in parts of [`ITEMS_ERASED_MAX`], each a
//! transaction of its own, which a crash may come between: the next [`Core::erase_jobs`] goes on. The row of an
//! erased job has its own end in `erase_at`.

use lienthong_domain::Timestamp;
use lienthong_domain::identity::JobId;
use lienthong_domain::identity::JobState::{self, Cancelled, Done, Erased};
use lienthong_ports::identity::ERASED_KEEP;
use rusqlite::params;

use super::Core;
use crate::error::Failure;
use crate::identity_rows::{JobKey, item_id, wrap};
use crate::rows::{Cells, all, duration_micros, execute, limit, micros, one};

/// Most items deleted in one transaction.
const ITEMS_ERASED_MAX: usize = 500;

impl Core {
    /// Deletes a part of a job's answered items up to `position`; whether there is more to delete.
    /// A finished job of which nothing is left is erased.
    pub(crate) fn erase_answers(&mut self, job: JobId, position: u32) -> Result<bool, Failure> {
        let Some(job) = self.find_job(job)? else {
            return Ok(false);
        };
        let below = item_id(job.id, position.min(job.items_total)) + 1;
        let below = below.min(self.queries().answered_below(job.id)?);
        let deleted = execute(
            &self.connection,
            "DELETE FROM job_item WHERE id IN
                 (SELECT id FROM job_item WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3)",
            params![item_id(job.id, 0), below, limit(ITEMS_ERASED_MAX)],
        )?;
        if deleted == ITEMS_ERASED_MAX {
            return Ok(true);
        }
        if matches!(job.state, Done | Cancelled) && !self.has_items(job.id)? {
            self.erase_job(job.id)?;
        }
        Ok(false)
    }

    fn has_items(&self, job: i64) -> Result<bool, Failure> {
        let found = one(
            &self.connection,
            "SELECT 1 FROM job_item WHERE id > ?1 AND id < ?2 LIMIT 1",
            params![item_id(job, 0), item_id(job + 1, 0)],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Destroys a job's key: nothing sealed with it is ever read again, in no copy of the database.
    fn erase_job(&mut self, job: i64) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE job SET state = 6, data_key = NULL, kek = NULL, due_at = NULL, untidy = 1,
                 erase_at = min(coalesce(erase_at, finished_at, created_at) + ?2, ?3)
             WHERE id = ?1",
            params![job, duration_micros(ERASED_KEEP), micros(Timestamp::MAX)],
        )?;
        self.log_holds_old_keys = true;
        Ok(())
    }

    pub(crate) fn erase_jobs(&mut self, now: Timestamp, jobs: u32) -> Result<u64, Failure> {
        let most = limit(usize::try_from(jobs).unwrap_or(usize::MAX));
        // The newest row stays, because the next number follows from it.
        execute(
            &self.connection,
            "DELETE FROM job WHERE id IN
                 (SELECT id FROM job INDEXED BY job_erase
                  WHERE erase_at IS NOT NULL AND erase_at <= ?1 AND state = 6 AND untidy = 0
                      AND id < (SELECT max(id) FROM job)
                  ORDER BY erase_at, id LIMIT ?2)",
            params![micros(now), most],
        )?;
        let due = all(
            &self.connection,
            "SELECT id FROM job INDEXED BY job_erase
             WHERE erase_at IS NOT NULL AND erase_at <= ?1 AND state <> 6
             ORDER BY erase_at, id LIMIT ?2",
            params![micros(now), most],
            |row| Ok(row.get::<_, i64>(0)?),
        )?;
        for job in &due {
            self.erase_job(*job)?;
        }
        Ok(due.len() as u64)
    }

    /// Deletes a part of what cancelled and erased jobs have left; whether it is worth another look.
    pub(crate) fn tidy_jobs(&mut self) -> Result<bool, Failure> {
        let untidy = one(
            &self.connection,
            "SELECT id, state FROM job INDEXED BY job_untidy WHERE untidy = 1 ORDER BY id LIMIT 1",
            [],
            |row| {
                let cells = Cells::of("job", row)?;
                let state = cells.decoded(1, "state", JobState::from_code)?;
                Ok((cells.id(), state))
            },
        )?;
        let Some((job, state)) = untidy else {
            return Ok(false);
        };
        let sql = if state == Erased {
            "DELETE FROM job_item WHERE id IN
                 (SELECT id FROM job_item WHERE id > ?1 * 1048576 AND id < (?1 + 1) * 1048576 LIMIT ?2)"
        } else {
            // What is being asked may still be answered, and what is answered may still be read.
            "DELETE FROM job_item WHERE id IN
                 (SELECT id FROM job_item INDEXED BY job_item_open
                  WHERE job = ?1 AND state IN (1, 2, 3) AND state <> 3 LIMIT ?2)"
        };
        let deleted = execute(&self.connection, sql, params![job, limit(ITEMS_ERASED_MAX)])?;
        if deleted < ITEMS_ERASED_MAX {
            let tidy = "UPDATE job SET untidy = 0 WHERE id = ?1";
            execute(&self.connection, tidy, params![job])?;
        }
        Ok(true)
    }

    /// Wraps up to `items` data keys of jobs under the current key; how many there were.
    pub(in crate::core) fn rewrap_job_keys(&mut self, items: usize) -> Result<u64, Failure> {
        let stored = all(
            &self.connection,
            "SELECT id, data_key FROM job INDEXED BY job_kek WHERE kek < ?1 ORDER BY kek, id LIMIT ?2",
            params![self.vault.current_key().0, limit(items)],
            |row| {
                let cells = Cells::of("job", row)?;
                JobKey::read(&cells, 1, cells.id())
            },
        )?;
        for stored in &stored {
            let wrapped = wrap(&self.vault, &stored.unwrap(&self.vault)?, stored.job);
            execute(
                &self.connection,
                "UPDATE job SET data_key = ?2, kek = ?3 WHERE id = ?1",
                params![stored.job, &wrapped.as_bytes()[..], wrapped.key_id().0],
            )?;
        }
        self.log_holds_old_keys |= !stored.is_empty();
        Ok(stored.len() as u64)
    }
}
