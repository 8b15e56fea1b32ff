//! What happened since a cursor: events and ended attempts in the order of their commits.

use lienthong_domain::DossierCode;
use lienthong_ports::store::{Change, ChangeCursor};
use rusqlite::params;

use super::Queries;
use crate::error::Failure;
use crate::rows::{Cells, all, corrupt, limit, one};

/// An ended attempt and its place among the events.
struct Attempted {
    id: i64,
    after_event: i64,
    delivery: i64,
    dossier: DossierCode,
}

impl Queries<'_> {
    pub(crate) fn changes(
        &self,
        cursor: ChangeCursor,
        items: usize,
    ) -> Result<(Vec<Change>, ChangeCursor), Failure> {
        let mut events = self
            .entries_after(cursor.event, items)?
            .into_iter()
            .peekable();
        let mut attempts = self
            .attempts_after(cursor.attempt, items)?
            .into_iter()
            .peekable();
        let (mut changes, mut cursor) = (Vec::new(), cursor);
        while changes.len() < items {
            let attempt_is_next = match (events.peek(), attempts.peek()) {
                (Some((event, _)), Some(attempt)) => attempt.after_event < *event,
                (None, Some(_)) => true,
                (_, None) => false,
            };
            if attempt_is_next && let Some(attempted) = attempts.next() {
                cursor.attempt = attempted.id;
                changes.push(self.attempted(attempted)?);
            } else if let Some((event, entry)) = events.next() {
                cursor.event = event;
                changes.push(Change::Accepted(Box::new(entry)));
            } else {
                break;
            }
        }
        Ok((changes, cursor))
    }

    fn attempts_after(&self, attempt: i64, items: usize) -> Result<Vec<Attempted>, Failure> {
        all(
            self.connection,
            "SELECT a.id, a.after_event, a.delivery, o.code
             FROM attempt a JOIN delivery d ON d.id = a.delivery JOIN dossier o ON o.id = d.dossier
             WHERE a.id > ?1 ORDER BY a.id LIMIT ?2",
            params![attempt, limit(items)],
            |row| {
                let cells = Cells::of("attempt", row)?;
                Ok(Attempted {
                    id: cells.id(),
                    after_event: cells.get(1, "after_event")?,
                    delivery: cells.get(2, "delivery")?,
                    dossier: cells.parsed(3, "dossier", DossierCode::parse)?,
                })
            },
        )
    }

    fn attempted(&self, attempted: Attempted) -> Result<Change, Failure> {
        let delivery = self
            .delivery_view(attempted.delivery)?
            .ok_or_else(|| corrupt("attempt", "delivery", attempted.id, "names no delivery"))?;
        Ok(Change::Attempted {
            dossier: attempted.dossier,
            delivery,
        })
    }

    pub(crate) fn newest_cursor(&self) -> Result<ChangeCursor, Failure> {
        let newest = one(
            self.connection,
            "SELECT coalesce((SELECT max(id) FROM event), 0), coalesce((SELECT max(id) FROM attempt), 0)",
            [],
            |row| {
                Ok(ChangeCursor {
                    event: row.get(0)?,
                    attempt: row.get(1)?,
                })
            },
        )?;
        Ok(newest.unwrap_or_default())
    }
}
