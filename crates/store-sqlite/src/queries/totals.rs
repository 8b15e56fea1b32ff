//! Small answers about destinations: counts, pauses, breakers, what is due, what has waited longest.

use lienthong_domain::{DeliveryState, DestinationName, DossierCode, Timestamp};
use lienthong_ports::operators::OldestWaiting;
use lienthong_ports::store::{BreakerRecord, Counts, DestinationRow, Pause};
use rusqlite::params;

use super::Queries;
use crate::destinations::Known;
use crate::error::Failure;
use crate::rows::{Cells, all, one};

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
                Ok((cells.state(1)?, cells.count(2, "deliveries")?))
            },
        )?;
        for (state, deliveries) in counted {
            by_state[usize::from(state.code())] = deliveries;
        }
        let oldest = self.oldest_heads(known)?.into_iter();
        let (oldest_waiting_since, oldest_waiting) = oldest
            .min_by_key(|head| head.event)
            .map(|head| (head.accepted_at, head.dossier))
            .unzip();
        Ok(Counts {
            destination: known.name.clone(),
            by_state,
            oldest_waiting_since,
            oldest_waiting,
        })
    }

    pub(crate) fn oldest_waiting(&self) -> Result<Vec<OldestWaiting>, Failure> {
        let mut oldest = Vec::new();
        for known in self.destinations.iter() {
            oldest.extend(
                self.oldest_heads(known)?
                    .into_iter()
                    .map(|head| OldestWaiting {
                        destination: known.name.clone(),
                        root: head.root,
                        dossier: head.dossier,
                        accepted_at: head.accepted_at,
                    }),
            );
        }
        Ok(oldest)
    }

    /// The oldest head of each root, by root. Delivery numbers grow with acceptance, so the lowest is the oldest:
    /// one look into the index per root.
    fn oldest_heads(&self, known: &Known) -> Result<Vec<OldestHead>, Failure> {
        all(
            self.connection,
            "SELECT e.id, r.code, o.code, e.accepted_at
             FROM root r CROSS JOIN event e ON e.id = (
                     SELECT id / 64 FROM delivery INDEXED BY delivery_head
                     WHERE destination = ?1 AND root = r.id AND state IN (1, 2, 3) ORDER BY id LIMIT 1)
                 JOIN dossier o ON o.id = e.dossier
             ORDER BY r.code",
            params![known.id.0],
            |row| {
                let cells = Cells::of("event", row)?;
                Ok(OldestHead {
                    event: cells.id(),
                    root: cells.get(1, "root")?,
                    dossier: cells.parsed(2, "dossier", DossierCode::parse)?,
                    accepted_at: cells.time(3, "accepted_at")?,
                })
            },
        )
    }

    /// The number of a root of agency codes that something was accepted for.
    pub(super) fn root_id(&self, code: &str) -> Result<Option<i64>, Failure> {
        one(
            self.connection,
            "SELECT id FROM root WHERE code = ?1",
            params![code],
            |row| Ok(row.get(0)?),
        )
    }
}

/// The oldest head of a destination's lanes in one root.
struct OldestHead {
    event: i64,
    root: String,
    dossier: DossierCode,
    accepted_at: Timestamp,
}
