//! What operators do: replay, discard, pause and resume; and the breaker's memory.

use lienthong_domain::{DeliveryId, DeliveryState, DestinationName, DossierCode};
use lienthong_ports::store::{Actor, BreakerRecord, ParkedFilter, ReplayItem, ReplayTerms};
use rusqlite::params;

use super::{Core, Standing};
use crate::error::Failure;
use crate::rows::{Cells, corrupt, duration_micros, execute, micros, one};

impl Core {
    pub(crate) fn replay(
        &mut self,
        filter: &ParkedFilter,
        terms: ReplayTerms,
        actor: &Actor,
    ) -> Result<Vec<ReplayItem>, Failure> {
        let ids = self.parked_ids(filter, terms.limit)?;
        let spacing = duration_micros(terms.spacing);
        let mut due_at = micros(actor.now);
        let mut items = Vec::with_capacity(ids.len());
        for id in ids {
            let (standing, mut item) = self.parked_item(id)?;
            item.replayed = terms.allow_out_of_order || !item.reorders;
            if item.replayed && !terms.dry_run {
                self.replay_one(&standing, micros(actor.now), due_at, actor)?;
                due_at = due_at
                    .saturating_add(spacing)
                    .min(micros(lienthong_domain::Timestamp::MAX));
            }
            items.push(item);
        }
        Ok(items)
    }

    fn replay_one(
        &mut self,
        standing: &Standing,
        now: i64,
        due_at: i64,
        actor: &Actor,
    ) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE delivery SET state = 0, next_at = ?2, attempts_counted = 0, crashes = 0, ended_at = NULL,
                 park_reason = NULL
             WHERE id = ?1",
            params![standing.id, due_at],
        )?;
        self.moved(standing, DeliveryState::Queued);
        self.settle(standing.lane, now)?;
        self.act(actor, "replay", &standing.id.to_string())
    }

    /// What a replay of a parked delivery would mean.
    fn parked_item(&self, id: DeliveryId) -> Result<(Standing, ReplayItem), Failure> {
        let read = one(
            &self.connection,
            "SELECT d.id, d.destination, d.dossier, d.sequence, d.state, d.crashes, d.begun_at, o.code,
                 d.attempts_made > 0 OR d.step > 0
             FROM delivery d JOIN dossier o ON o.id = d.dossier WHERE d.id = ?1",
            params![id.0],
            |row| {
                let standing = self.read_standing(row)?;
                let cells = Cells::of("delivery", row)?;
                let item = ReplayItem {
                    id,
                    dossier: cells.parsed(7, "dossier", DossierCode::parse)?,
                    sequence: standing.sequence,
                    repeats: cells.get(8, "attempts_made")?,
                    reorders: self.delivered_after(&standing)?,
                    replayed: false,
                };
                Ok((standing, item))
            },
        )?;
        read.ok_or_else(|| corrupt("delivery", "dossier", id.0, "names no dossier"))
    }

    /// Whether a later event of the lane has reached the destination, or is being called right now.
    fn delivered_after(&self, standing: &Standing) -> Result<bool, Failure> {
        let found = one(
            &self.connection,
            "SELECT 1 FROM event e CROSS JOIN delivery d ON d.id = e.id * 64 + ?2
             WHERE e.dossier = ?1 AND e.sequence > ?3 AND d.state IN (3, 4) LIMIT 1",
            params![
                standing.lane.dossier,
                standing.lane.destination.0,
                standing.sequence
            ],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    pub(crate) fn discard(
        &mut self,
        filter: &ParkedFilter,
        dry_run: bool,
        items: u32,
        actor: &Actor,
    ) -> Result<Vec<DeliveryId>, Failure> {
        let ids = self.parked_ids(filter, items)?;
        if dry_run {
            return Ok(ids);
        }
        let now = micros(actor.now);
        for id in &ids {
            let (standing, _) = self.parked_item(*id)?;
            execute(
                &self.connection,
                "UPDATE delivery SET state = 7, ended_at = ?2 WHERE id = ?1",
                params![standing.id, now],
            )?;
            self.moved(&standing, DeliveryState::Discarded);
            self.settle(standing.lane, now)?;
            self.act(actor, "discard", &standing.id.to_string())?;
        }
        Ok(ids)
    }

    fn parked_ids(&self, filter: &ParkedFilter, items: u32) -> Result<Vec<DeliveryId>, Failure> {
        let items = usize::try_from(items).unwrap_or(usize::MAX);
        self.queries().parked_ids(filter, DeliveryId(0), items)
    }

    pub(crate) fn save_breaker(
        &mut self,
        destination: &DestinationName,
        record: BreakerRecord,
    ) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE destination SET breaker_open_until = ?2, breaker_openings = ?3 WHERE name = ?1",
            params![
                destination.as_str(),
                record.open_until.map(micros),
                record.openings
            ],
        )?;
        Ok(())
    }

    pub(crate) fn set_paused(
        &mut self,
        destination: &DestinationName,
        paused: bool,
        actor: &Actor,
    ) -> Result<bool, Failure> {
        if self.destinations.by_name(destination).is_none() {
            return Ok(false);
        }
        let changed = if paused {
            execute(
                &self.connection,
                "UPDATE destination SET paused_by = ?2, paused_reason = ?3, paused_at = ?4
                 WHERE name = ?1 AND paused_at IS NULL",
                params![
                    destination.as_str(),
                    actor.by,
                    actor.reason,
                    micros(actor.now)
                ],
            )?
        } else {
            execute(
                &self.connection,
                "UPDATE destination SET paused_by = NULL, paused_reason = NULL, paused_at = NULL
                 WHERE name = ?1 AND paused_at IS NOT NULL",
                params![destination.as_str()],
            )?
        };
        if changed == 1 {
            let kind = if paused { "pause" } else { "resume" };
            self.act(actor, kind, destination.as_str())?;
            // Whoever claims looks again after a resume.
            self.woken = true;
        }
        Ok(true)
    }
}
