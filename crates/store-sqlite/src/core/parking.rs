//! Parking: a delivery stops for an operator, and leaves again by a replay or a discard. The row of `parked` lives
//! exactly as long as the state.

use lienthong_domain::delivery::ParkReason;
use lienthong_domain::{DeliveryId, DeliveryState};
use lienthong_ports::store::Actor;
use rusqlite::{Connection, params};

use super::{Core, Standing, standing};
use crate::error::Failure;
use crate::figures::Event;
use crate::rows::{corrupt, execute, micros, one};

/// The highest number of a parking that is there or that an operation names.
pub(super) fn newest(connection: &Connection) -> Result<i64, Failure> {
    let newest = one(
        connection,
        "SELECT max(coalesce((SELECT max(parking) FROM parked), 0),
             coalesce((SELECT max(parking) FROM operation INDEXED BY operation_open WHERE state IN (1, 2)), 0))",
        [],
        |row| Ok(row.get(0)?),
    )?;
    Ok(newest.unwrap_or(0))
}

impl Core {
    /// Stops a delivery for an operator and does to its lane what its policy says.
    pub(super) fn park(
        &mut self,
        standing: &Standing,
        reason: ParkReason,
        now: i64,
    ) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE delivery SET state = 5, park_reason = ?2, ended_at = ?3, lease_until = NULL WHERE id = ?1",
            params![standing.id, reason.code(), now],
        )?;
        self.write_parked(standing, reason, now)?;
        self.moved(standing, DeliveryState::Parked);
        self.count(Event::Parked, standing, now, 1);
        self.parked_in(standing, now)
    }

    fn write_parked(
        &mut self,
        standing: &Standing,
        reason: ParkReason,
        now: i64,
    ) -> Result<(), Failure> {
        self.newest_parking += 1;
        let (destination, dossier) = (standing.lane.destination.0, standing.lane.dossier);
        let overtaken =
            self.queries()
                .delivered_after(dossier, destination, standing.sequence, false)?;
        execute(
            &self.connection,
            "INSERT INTO parked (delivery, parking, destination, root, dossier, sequence, procedure, reason,
                 code, parked_at, repeats, overtaken)
             SELECT d.id, ?2, d.destination, d.root, d.dossier, d.sequence, o.procedure, ?3,
                 coalesce((SELECT code FROM attempt WHERE delivery = d.id ORDER BY id DESC LIMIT 1), ''), ?4,
                 d.attempts_made > 0 OR d.step > 0, ?5
             FROM delivery d JOIN dossier o ON o.id = d.dossier WHERE d.id = ?1",
            params![standing.id, self.newest_parking, reason.code(), now, overtaken],
        )?;
        Ok(())
    }

    /// Makes a parked delivery wait again, as if nothing had been tried.
    pub(super) fn replay_one(&mut self, standing: &Standing, actor: &Actor) -> Result<(), Failure> {
        let now = micros(actor.now);
        execute(
            &self.connection,
            "UPDATE delivery SET state = 0, next_at = ?2, attempts_counted = 0, crashes = 0, ended_at = NULL,
                 park_reason = NULL
             WHERE id = ?1",
            params![standing.id, now],
        )?;
        self.unpark(standing)?;
        self.moved(standing, DeliveryState::Queued);
        self.settle(standing.lane, now)?;
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

    /// Takes back that a delivery is parked.
    fn unpark(&self, standing: &Standing) -> Result<(), Failure> {
        execute(
            &self.connection,
            "DELETE FROM parked WHERE delivery = ?1",
            params![standing.id],
        )?;
        Ok(())
    }

    /// Notes that a delivery has reached the destination before what is parked ahead of it in its lane.
    pub(super) fn overtake(&self, standing: &Standing) -> Result<(), Failure> {
        if !self.tally.any_parked() {
            return Ok(());
        }
        execute(
            &self.connection,
            "UPDATE parked INDEXED BY parked_lane SET overtaken = 1
             WHERE dossier = ?1 AND destination = ?2 AND sequence < ?3",
            params![
                standing.lane.dossier,
                standing.lane.destination.0,
                standing.sequence
            ],
        )?;
        Ok(())
    }

    /// Keeps the procedure of what is parked the dossier's. It counts as parked anew, so that nothing comes into the
    /// selection of an operation that was asked for before.
    pub(super) fn rename_parked(&mut self, dossier: i64, procedure: &str) -> Result<(), Failure> {
        if !self.tally.any_parked() {
            return Ok(());
        }
        self.newest_parking += 1;
        execute(
            &self.connection,
            "UPDATE parked INDEXED BY parked_lane SET procedure = ?2, parking = ?3
             WHERE dossier = ?1 AND procedure IS NOT ?2",
            params![dossier, procedure, self.newest_parking],
        )?;
        Ok(())
    }

    /// Notes that nothing of the dossier can be late any more, if all of its deliveries are final.
    pub(super) fn close_if_final(&self, dossier: i64) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE dossier SET due_open_at = NULL WHERE id = ?1 AND due_open_at IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM delivery INDEXED BY delivery_lane
                     WHERE dossier = ?1 AND state IN (0, 1, 2, 3, 5))",
            params![dossier],
        )?;
        Ok(())
    }
}
