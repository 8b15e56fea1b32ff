//! What operators do: replay, discard, pause and resume; and the breaker's memory.

use lienthong_domain::{DeliveryId, DeliveryState, DestinationName};
use lienthong_ports::store::{Actor, BreakerRecord, ParkedFilter, ReplayItem, ReplayTerms};
use rusqlite::params;

use super::{Core, Standing, standing};
use crate::error::Failure;
use crate::figures::Event;
use crate::queries::parked::Chosen;
use crate::rows::{corrupt, duration_micros, execute, micros, one};

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
            let item = self.queries().replay_item(id, terms.allow_out_of_order)?;
            if item.replayed && !terms.dry_run {
                let standing = self.parked_standing(id)?;
                self.replay_one(&standing, due_at, actor)?;
                due_at = due_at
                    .saturating_add(spacing)
                    .min(micros(lienthong_domain::Timestamp::MAX));
            }
            items.push(item);
        }
        Ok(items)
    }

    /// Makes a parked delivery wait again, as if nothing had been tried.
    pub(super) fn replay_one(
        &mut self,
        standing: &Standing,
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
        self.unpark(standing)?;
        self.moved(standing, DeliveryState::Queued);
        self.settle(standing.lane, micros(actor.now))?;
        self.act(actor, "replay", &standing.id.to_string())
    }

    /// Gives a parked delivery up.
    pub(super) fn discard_one(
        &mut self,
        standing: &Standing,
        actor: &Actor,
    ) -> Result<(), Failure> {
        let now = micros(actor.now);
        execute(
            &self.connection,
            "UPDATE delivery SET state = 7, ended_at = ?2 WHERE id = ?1",
            params![standing.id, now],
        )?;
        self.unpark(standing)?;
        self.moved(standing, DeliveryState::Discarded);
        self.count(Event::GivenUp, standing, now, 1);
        self.settle(standing.lane, now)?;
        self.close_if_final(standing.lane.dossier)?;
        self.act(actor, "discard", &standing.id.to_string())
    }

    /// A delivery that is known to be parked.
    pub(super) fn parked_standing(&self, id: DeliveryId) -> Result<Standing, Failure> {
        one(
            &self.connection,
            standing!("WHERE id = ?1"),
            params![id.0],
            |row| self.read_standing(row),
        )?
        .ok_or_else(|| corrupt("parked", "delivery", id.0, "names no delivery"))
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
        for id in &ids {
            let standing = self.parked_standing(*id)?;
            self.discard_one(&standing, actor)?;
        }
        Ok(ids)
    }

    fn parked_ids(&self, filter: &ParkedFilter, items: u32) -> Result<Vec<DeliveryId>, Failure> {
        let items = usize::try_from(items).unwrap_or(usize::MAX);
        let chosen = Chosen::of(filter);
        self.queries().parked_ids(&chosen, DeliveryId(0), items)
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
