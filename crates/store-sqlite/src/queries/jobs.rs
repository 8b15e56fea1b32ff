//! Jobs, and the answers of their items.

use lienthong_domain::Timestamp;
use lienthong_domain::identity::JobId;
use lienthong_domain::participant::ParticipantId;
use lienthong_ports::identity::{Asker, ItemAnswer, JobRow};
use rusqlite::params;

use super::Queries;
use crate::error::Failure;
use crate::identity_rows::{JobKey, item_id, jobs_sql, read_answer, read_job};
use crate::rows::{Cells, all, limit, one};

impl Queries<'_> {
    pub(crate) fn job(&self, job: JobId) -> Result<Option<JobRow>, Failure> {
        one(
            self.connection,
            jobs_sql!("WHERE j.id = ?1"),
            params![job.0],
            |row| read_job(&Cells::of("job", row)?),
        )
    }

    pub(crate) fn job_by_key(&self, asker: &Asker, key: &str) -> Result<Option<JobRow>, Failure> {
        one(
            self.connection,
            jobs_sql!(
                "WHERE j.participant = (SELECT id FROM participant WHERE code = ?1)
                     AND j.system = (SELECT id FROM system WHERE name = ?2) AND j.key = ?3"
            ),
            params![asker.participant.as_str(), asker.system, key],
            |row| read_job(&Cells::of("job", row)?),
        )
    }

    pub(crate) fn jobs(
        &self,
        participant: Option<&ParticipantId>,
        before: Option<JobId>,
        items: usize,
    ) -> Result<Vec<JobRow>, Failure> {
        let sql = match participant {
            Some(_) => jobs_sql!(
                "WHERE j.participant = (SELECT id FROM participant WHERE code = ?1) AND j.id < ?2
                 ORDER BY j.id DESC LIMIT ?3"
            ),
            None => jobs_sql!("WHERE ?1 IS NULL AND j.id < ?2 ORDER BY j.id DESC LIMIT ?3"),
        };
        all(
            self.connection,
            sql,
            params![
                participant.map(ParticipantId::as_str),
                before.map_or(i64::MAX, |before| before.0),
                limit(items),
            ],
            |row| read_job(&Cells::of("job", row)?),
        )
    }

    pub(crate) fn answers(
        &self,
        job: JobId,
        after_position: u32,
        items: usize,
    ) -> Result<Vec<ItemAnswer>, Failure> {
        let key = one(
            self.connection,
            "SELECT id, data_key FROM job WHERE id = ?1 AND data_key IS NOT NULL",
            params![job.0],
            |row| {
                let cells = Cells::of("job", row)?;
                JobKey::read(&cells, 1, cells.id())
            },
        )?;
        let Some(key) = key else {
            return Ok(Vec::new());
        };
        let key = key.unwrap(self.vault)?;
        let after = item_id(
            job.0,
            after_position.min(lienthong_domain::identity::job::ITEMS_MAX),
        );
        all(
            self.connection,
            "SELECT id, answer, failure, usage FROM job_item
             WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3",
            params![after, self.answered_below(job.0)?, limit(items)],
            |row| read_answer(&Cells::of("job_item", row)?, &key),
        )
    }

    /// The number below which every item of a job is answered.
    pub(crate) fn answered_below(&self, job: i64) -> Result<i64, Failure> {
        let first_open = one(
            self.connection,
            "SELECT id FROM job_item INDEXED BY job_item_open
             WHERE job = ?1 AND state IN (1, 2, 3) ORDER BY id LIMIT 1",
            params![job],
            |row| Ok(row.get::<_, i64>(0)?),
        )?;
        Ok(first_open.unwrap_or_else(|| item_id(job + 1, 0)))
    }

    pub(crate) fn next_item_due(&self) -> Result<Option<Timestamp>, Failure> {
        one(
            self.connection,
            "SELECT id, due_at FROM job INDEXED BY job_due
             WHERE state = 2 AND due_at IS NOT NULL ORDER BY due_at LIMIT 1",
            [],
            |row| Cells::of("job", row)?.time(1, "due_at"),
        )
    }
}
