//! Operations, one or newest first.

use lienthong_ports::operators::{Operation, OperationId};
use rusqlite::params;

use super::Queries;
use crate::error::Failure;
use crate::operation_rows::{OperationRow, operations};
use crate::rows::{all, limit, one};

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
