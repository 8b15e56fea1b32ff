//! Operations, one or newest first.

use lienthong_domain::Timestamp;
use lienthong_ports::operators::{APPROVAL_WAIT_MAX, Operation, OperationId};
use rusqlite::params;

use super::Queries;
use crate::error::Failure;
use crate::operation_rows::{OperationRow, operations};
use crate::rows::{all, duration_micros, limit, micros, one};

/// Operations that one call steps; those stepped longest ago go first, so each has its turn.
const STEPPED_TOGETHER_MAX: usize = 50;

impl Queries<'_> {
    pub(crate) fn operation(&self, id: OperationId) -> Result<Option<Operation>, Failure> {
        Ok(self.operation_row(id)?.map(|row| row.operation))
    }

    pub(crate) fn operation_row(&self, id: OperationId) -> Result<Option<OperationRow>, Failure> {
        one(
            self.connection,
            operations!("WHERE id = ?1"),
            params![id.0],
            OperationRow::read,
        )
    }

    /// Operations whose turn it is: those that run, and those that awaited approval for too long.
    pub(crate) fn operations_to_step(&self, now: Timestamp) -> Result<Vec<OperationId>, Failure> {
        let overdue = micros(now).saturating_sub(duration_micros(APPROVAL_WAIT_MAX));
        all(
            self.connection,
            "SELECT id FROM operation INDEXED BY operation_open
             WHERE state IN (1, 2) AND (state = 2 OR requested_at <= ?1)
             ORDER BY stepped_at, id LIMIT ?2",
            params![overdue, limit(STEPPED_TOGETHER_MAX)],
            |row| Ok(OperationId(row.get(0)?)),
        )
    }

    pub(crate) fn operations(
        &self,
        only_open: bool,
        before: Option<OperationId>,
        items: usize,
    ) -> Result<Vec<Operation>, Failure> {
        let sql = if only_open {
            operations!(
                "INDEXED BY operation_open WHERE state IN (1, 2) AND id < ?1 ORDER BY id DESC LIMIT ?2"
            )
        } else {
            operations!("WHERE id < ?1 ORDER BY id DESC LIMIT ?2")
        };
        let before = before.map_or(i64::MAX, |before| before.0);
        let rows = all(
            self.connection,
            sql,
            params![before, limit(items)],
            OperationRow::read,
        )?;
        Ok(rows.into_iter().map(|row| row.operation).collect())
    }
}
