//! Operations, one or newest first.

use lienthong_domain::Timestamp;
use lienthong_domain::operator::is_same_person;
use lienthong_ports::operators::OperationState::{AwaitingApproval, Cancelled};
use lienthong_ports::operators::{
    APPROVAL_SPAN, APPROVAL_WAIT_MAX, Operation, OperationId, OperationKind,
};
use rusqlite::params;

use super::Queries;
use crate::error::Failure;
use crate::operation_rows::{OperationRow, kind_code, operations, state_code};
use crate::rows::{Cells, all, duration_micros, limit, micros, one};

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

    /// What the person `by` has asked for of late that nobody else had to approve, under all of that person's names.
    pub(crate) fn asked_alone(
        &self,
        by: &str,
        kind: OperationKind,
        now: Timestamp,
    ) -> Result<u64, Failure> {
        let names = self.names_of_person(by)?;
        let names = serde_json::to_string(&names).expect("strings always serialise");
        let since = micros(now).saturating_sub(duration_micros(APPROVAL_SPAN));
        let sum = one(
            self.connection,
            "SELECT 0, coalesce(sum(CASE state WHEN ?4 THEN moved ELSE matched END), 0)
             FROM operation INDEXED BY operation_key
             WHERE requested_by IN (SELECT value FROM json_each(?1)) AND kind = ?2 AND requested_at > ?3
                 AND state <> ?5 AND (state = ?4 OR decided_by IS NULL)",
            params![
                names,
                kind_code(kind),
                since,
                state_code(Cancelled),
                state_code(AwaitingApproval)
            ],
            |row| Cells::of("operation", row)?.count(1, "matched"),
        )?;
        Ok(sum.unwrap_or(0))
    }

    /// Every name under which the person `by` has asked for something.
    fn names_of_person(&self, by: &str) -> Result<Vec<String>, Failure> {
        let everybody = all(
            self.connection,
            // From one name to the next in the index, past everything that one person asked for.
            "WITH RECURSIVE person (name) AS (
                 SELECT min(requested_by) FROM operation
                 UNION ALL
                 SELECT (SELECT min(requested_by) FROM operation WHERE requested_by > name) FROM person
                 WHERE name IS NOT NULL
             ) SELECT 0, name FROM person WHERE name IS NOT NULL",
            [],
            |row| Cells::of("operation", row)?.get(1, "requested_by"),
        )?;
        let same = |name: &String| is_same_person(name, by);
        Ok(everybody.into_iter().filter(same).collect())
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
