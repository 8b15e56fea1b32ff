//! The rules of a lane: who is its head, and who follows when the head leaves it.
//!
//! The head is the lowest sequence that is eligible: not final and, unless parked deliveries hold
//! the lane, not parked. Nothing is released while another delivery of the lane is Calling.

use lienthong_domain::DeliveryState;
use lienthong_domain::delivery::LanePolicy;
use rusqlite::params;

use super::{Core, Standing};
use crate::destinations::DestinationId;
use crate::error::Failure;
use crate::figures::Event;
use crate::rows::{Cells, all, execute, one};

/// The deliveries of one dossier to one destination.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    pub(super) destination: DestinationId,
    pub(super) policy: LanePolicy,
    pub(super) dossier: i64,
}

/// A delivery at its place in its lane.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) id: i64,
    pub(super) state: DeliveryState,
}

impl Core {
    /// The lowest delivery of the lane that may be its head; under `hold` it may be parked.
    pub(super) fn first_eligible(&self, lane: Lane) -> Result<Option<Place>, Failure> {
        let sql = match lane.policy {
            LanePolicy::Hold => {
                "SELECT id, state FROM delivery INDEXED BY delivery_lane
                 WHERE dossier = ?1 AND destination = ?2 AND state IN (0, 1, 2, 3, 5)
                 ORDER BY sequence LIMIT 1"
            }
            LanePolicy::Skip | LanePolicy::Latest => {
                "SELECT id, state FROM delivery INDEXED BY delivery_lane
                 WHERE dossier = ?1 AND destination = ?2 AND state IN (0, 1, 2, 3, 5) AND state <> 5
                 ORDER BY sequence LIMIT 1"
            }
        };
        one(
            &self.connection,
            sql,
            params![lane.dossier, lane.destination.0],
            read_place,
        )
    }

    /// The delivery of the lane that is Ready, Sent or Calling.
    pub(super) fn head(&self, lane: Lane) -> Result<Option<Place>, Failure> {
        one(
            &self.connection,
            "SELECT id, state FROM delivery INDEXED BY delivery_lane
             WHERE dossier = ?1 AND destination = ?2 AND state IN (0, 1, 2, 3, 5) AND state IN (1, 2, 3)
             LIMIT 1",
            params![lane.dossier, lane.destination.0],
            read_place,
        )
    }

    /// Makes the lowest eligible delivery Ready if it is Queued; its lane has no head.
    pub(super) fn release(&mut self, lane: Lane, now: i64) -> Result<(), Failure> {
        let Some(first) = self.first_eligible(lane)? else {
            return Ok(());
        };
        if first.state != DeliveryState::Queued {
            return Ok(());
        }
        execute(
            &self.connection,
            "UPDATE delivery SET state = 1, next_at = max(next_at, ?2) WHERE id = ?1",
            params![first.id, now],
        )?;
        self.tally.moved(
            lane.destination,
            DeliveryState::Queued,
            DeliveryState::Ready,
            1,
        );
        self.woken = true;
        Ok(())
    }

    /// Puts a lane in order after deliveries entered or left it out of turn: a head that is not being
    /// called steps back behind a lower sequence.
    pub(super) fn settle(&mut self, lane: Lane, now: i64) -> Result<(), Failure> {
        let waits = [DeliveryState::Queued, DeliveryState::Parked];
        if self
            .first_eligible(lane)?
            .is_some_and(|first| !waits.contains(&first.state))
        {
            return Ok(());
        }
        if let Some(head) = self.head(lane)? {
            if head.state == DeliveryState::Calling {
                return Ok(());
            }
            // A message of a Sent delivery finds it Queued or under a newer fence, so it is stale.
            execute(
                &self.connection,
                "UPDATE delivery SET state = 0, lease_until = NULL WHERE id = ?1",
                params![head.id],
            )?;
            self.tally
                .moved(lane.destination, head.state, DeliveryState::Queued, 1);
        }
        self.release(lane, now)
    }

    /// Does to the rest of a lane what its policy says about a delivery that was just parked.
    pub(super) fn parked_in(&mut self, standing: &Standing, now: i64) -> Result<(), Failure> {
        let lane = standing.lane;
        if lane.policy == LanePolicy::Latest {
            let superseded = execute(
                &self.connection,
                "UPDATE delivery SET state = 6, ended_at = ?3
                 WHERE dossier = ?1 AND destination = ?2 AND state IN (0, 1, 2, 3, 5) AND state = 0
                     AND sequence < (SELECT max(sequence) FROM delivery INDEXED BY delivery_lane
                         WHERE dossier = ?1 AND destination = ?2 AND state IN (0, 1, 2, 3, 5) AND state = 0)",
                params![lane.dossier, lane.destination.0, now],
            )?;
            let superseded = i64::try_from(superseded).unwrap_or(i64::MAX);
            let (from, to) = (DeliveryState::Queued, DeliveryState::Superseded);
            self.tally.moved(lane.destination, from, to, superseded);
            if superseded > 0 {
                self.count(Event::GivenUp, standing, now, superseded);
            }
        }
        self.release(lane, now)
    }

    /// Puts the lanes of a destination in order whose policy has changed; only parked deliveries
    /// mean different things under different policies.
    pub(super) fn settle_parked_lanes(
        &mut self,
        destination: DestinationId,
    ) -> Result<(), Failure> {
        let Some(policy) = self
            .destinations
            .by_id(destination.0)
            .map(|known| known.lane)
        else {
            return Ok(());
        };
        let dossiers = all(
            &self.connection,
            "SELECT DISTINCT dossier FROM parked INDEXED BY parked_group WHERE destination = ?1",
            params![destination.0],
            |row| Ok(row.get::<_, i64>(0)?),
        )?;
        dossiers.into_iter().try_for_each(|dossier| {
            self.settle(
                Lane {
                    destination,
                    policy,
                    dossier,
                },
                0,
            )
        })
    }
}

fn read_place(row: &rusqlite::Row<'_>) -> Result<Place, Failure> {
    let cells = Cells::of("delivery", row)?;
    Ok(Place {
        id: cells.id(),
        state: cells.state(1)?,
    })
}
