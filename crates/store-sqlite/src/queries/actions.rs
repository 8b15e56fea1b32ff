//! What operators did: in order, or by who, what, whereon and when.

use lienthong_ports::operators::ActionFilter;
use lienthong_ports::store::Action;
use rusqlite::{Row, named_params, params};

use super::Queries;
use crate::error::Failure;
use crate::rows::{Cells, all, limit, micros};

/// Actions, newest first, read through the index that `$index` names.
macro_rules! actions_matching {
    ($index:literal) => {
        concat!(
            "SELECT id, at, by, kind, subject, reason FROM action ",
            $index,
            " WHERE (:by IS NULL OR by = :by) AND (:kind IS NULL OR kind = :kind)
                 AND (:subject IS NULL OR subject = :subject)
                 AND at >= :since AND at < :until AND id < :before
             ORDER BY id DESC LIMIT :limit"
        )
    };
    ($index:literal, $column:literal) => {
        concat!(
            "SELECT id, at, by, kind, subject, reason FROM action INDEXED BY ",
            $index,
            " WHERE ",
            $column,
            " AND (:by IS NULL OR by = :by) AND (:kind IS NULL OR kind = :kind)
                 AND (:subject IS NULL OR subject = :subject)
                 AND +at >= :since AND +at < :until AND id < :before
             ORDER BY id DESC LIMIT :limit"
        )
    };
}

impl Queries<'_> {
    pub(crate) fn actions(&self, after: i64, items: usize) -> Result<Vec<Action>, Failure> {
        all(
            self.connection,
            "SELECT id, at, by, kind, subject, reason FROM action WHERE id > ?1 ORDER BY id LIMIT ?2",
            params![after, limit(items)],
            read_action,
        )
    }

    pub(crate) fn actions_matching(
        &self,
        filter: &ActionFilter,
        before: Option<i64>,
        items: usize,
    ) -> Result<Vec<Action>, Failure> {
        let sql = if filter.subject.is_some() {
            actions_matching!("action_subject", "subject = :subject")
        } else if filter.by.is_some() {
            actions_matching!("action_by", "by = :by")
        } else if filter.kind.is_some() {
            actions_matching!("action_kind", "kind = :kind")
        } else if filter.since.is_some() {
            actions_matching!("INDEXED BY action_at")
        } else {
            actions_matching!("NOT INDEXED")
        };
        all(
            self.connection,
            sql,
            named_params! {
                ":by": filter.by,
                ":kind": filter.kind,
                ":subject": filter.subject,
                ":since": filter.since.map_or(i64::MIN, micros),
                ":until": filter.until.map_or(i64::MAX, micros),
                ":before": before.unwrap_or(i64::MAX),
                ":limit": limit(items),
            },
            read_action,
        )
    }
}

fn read_action(row: &Row<'_>) -> Result<Action, Failure> {
    let cells = Cells::of("action", row)?;
    Ok(Action {
        id: cells.id(),
        at: cells.time(1, "at")?,
        by: cells.get(2, "by")?,
        kind: cells.get(3, "kind")?,
        subject: cells.get(4, "subject")?,
        reason: cells.get(5, "reason")?,
    })
}
