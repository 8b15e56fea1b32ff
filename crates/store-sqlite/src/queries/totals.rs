//! Small answers about destinations: counts, pauses, breakers, what is due; and operators' actions.

use lienthong_domain::{DeliveryState, DestinationName, Timestamp};
use lienthong_ports::store::{Action, BreakerRecord, Counts, DestinationRow, Pause};
use rusqlite::params;

use super::Queries;
use crate::destinations::Known;
use crate::error::Failure;
use crate::rows::{Cells, all, limit, one};

impl Queries<'_> {
    pub(crate) fn next_due(
        &self,
        destination: &DestinationName,
    ) -> Result<Option<Timestamp>, Failure> {
        let Some(known) = self.destinations.by_name(destination) else {
            return Ok(None);
        };
        one(
            self.connection,
            "SELECT id, next_at FROM delivery INDEXED BY delivery_due
             WHERE state = 1 AND destination = ?1 ORDER BY next_at LIMIT 1",
            params![known.id.0],
            |row| Cells::of("delivery", row)?.time(1, "next_at"),
        )
    }

    pub(crate) fn destination_rows(&self) -> Result<Vec<DestinationRow>, Failure> {
        all(
            self.connection,
            "SELECT id, id, paused_by, paused_reason, paused_at, breaker_open_until, breaker_openings
             FROM destination ORDER BY id",
            [],
            |row| {
                let cells = Cells::of("destination", row)?;
                let known = self.destinations.of_cell(&cells, 1)?;
                let paused = match cells.time_maybe(4, "paused_at")? {
                    Some(at) => Some(Pause {
                        by: cells.get(2, "paused_by")?,
                        reason: cells.get(3, "paused_reason")?,
                        at,
                    }),
                    None => None,
                };
                let breaker = BreakerRecord {
                    open_until: cells.time_maybe(5, "breaker_open_until")?,
                    openings: cells.get(6, "breaker_openings")?,
                };
                Ok(DestinationRow { name: known.name.clone(), lane: known.lane, paused, breaker })
            },
        )
    }

    pub(crate) fn counts(&self) -> Result<Vec<Counts>, Failure> {
        self.destinations
            .iter()
            .map(|known| self.counts_of(known))
            .collect()
    }

    fn counts_of(&self, known: &Known) -> Result<Counts, Failure> {
        let mut by_state = [0; DeliveryState::ALL.len()];
        let counted = all(
            self.connection,
            "SELECT destination, state, deliveries FROM tally WHERE destination = ?1",
            params![known.id.0],
            |row| {
                let cells = Cells::of("tally", row)?;
                let deliveries =
                    cells.decoded(2, "deliveries", |count| u64::try_from(count).ok())?;
                Ok((cells.state(1)?, deliveries))
            },
        )?;
        for (state, deliveries) in counted {
            by_state[usize::from(state.code())] = deliveries;
        }
        // Delivery numbers grow with acceptance, so the lowest is the oldest.
        let oldest = one(
            self.connection,
            "SELECT e.id, e.accepted_at FROM event e WHERE e.id = (
                 SELECT id / 64 FROM delivery INDEXED BY delivery_head
                 WHERE destination = ?1 AND state IN (1, 2, 3) ORDER BY id LIMIT 1)",
            params![known.id.0],
            |row| Cells::of("event", row)?.time(1, "accepted_at"),
        )?;
        Ok(Counts {
            destination: known.name.clone(),
            by_state,
            oldest_waiting_since: oldest,
        })
    }

    pub(crate) fn actions(&self, after: i64, items: usize) -> Result<Vec<Action>, Failure> {
        all(
            self.connection,
            "SELECT id, at, by, kind, subject, reason FROM action WHERE id > ?1 ORDER BY id LIMIT ?2",
            params![after, limit(items)],
            |row| {
                let cells = Cells::of("action", row)?;
                Ok(Action {
                    id: cells.id(),
                    at: cells.time(1, "at")?,
                    by: cells.get(2, "by")?,
                    kind: cells.get(3, "kind")?,
                    subject: cells.get(4, "subject")?,
                    reason: cells.get(5, "reason")?,
                })
            },
        )
    }
}
