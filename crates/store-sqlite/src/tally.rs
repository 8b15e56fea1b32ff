//! How many deliveries stand in which state: kept in memory for claims, written with each commit.

use lienthong_domain::DeliveryState;
use rusqlite::{Connection, params};

use crate::config::DESTINATIONS_MAX;
use crate::destinations::DestinationId;
use crate::error::Failure;
use crate::rows::{Cells, all, execute};

/// The counts of every destination, and which of them differ from the database.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    counts: Vec<[i64; DeliveryState::ALL.len()]>,
    changed: Vec<(DestinationId, DeliveryState)>,
}

impl Tally {
    pub(crate) fn load(connection: &Connection) -> Result<Self, Failure> {
        let mut tally = Self {
            counts: vec![[0; DeliveryState::ALL.len()]; DESTINATIONS_MAX],
            changed: Vec::new(),
        };
        let rows = all(
            connection,
            "SELECT destination, state, deliveries FROM tally",
            [],
            |row| {
                let cells = Cells::of("tally", row)?;
                let id = cells.decoded(0, "destination", |id| {
                    usize::try_from(id)
                        .ok()
                        .filter(|index| *index < DESTINATIONS_MAX)
                })?;
                Ok((id, cells.state(1)?, cells.get::<i64>(2, "deliveries")?))
            },
        )?;
        for (index, state, deliveries) in rows {
            tally.counts[index][usize::from(state.code())] = deliveries;
        }
        Ok(tally)
    }

    pub(crate) fn of(&self, destination: DestinationId, state: DeliveryState) -> i64 {
        self.counts[Self::index(destination)][usize::from(state.code())]
    }

    /// Whether anything is parked, wherever it was to go.
    pub(crate) fn any_parked(&self) -> bool {
        let parked = usize::from(DeliveryState::Parked.code());
        self.counts.iter().any(|states| states[parked] > 0)
    }

    /// Claimed and called deliveries together.
    pub(crate) fn in_flight(&self, destination: DestinationId) -> i64 {
        self.of(destination, DeliveryState::Sent) + self.of(destination, DeliveryState::Calling)
    }

    pub(crate) fn added(&mut self, destination: DestinationId, state: DeliveryState) {
        self.change(destination, state, 1);
    }

    pub(crate) fn moved(
        &mut self,
        destination: DestinationId,
        from: DeliveryState,
        to: DeliveryState,
        deliveries: i64,
    ) {
        self.change(destination, from, -deliveries);
        self.change(destination, to, deliveries);
    }

    fn change(&mut self, destination: DestinationId, state: DeliveryState, by: i64) {
        self.counts[Self::index(destination)][usize::from(state.code())] += by;
        if !self.changed.contains(&(destination, state)) {
            self.changed.push((destination, state));
        }
    }

    /// Writes what has changed, as part of the same transaction.
    pub(crate) fn write(&mut self, connection: &Connection) -> Result<(), Failure> {
        for (destination, state) in std::mem::take(&mut self.changed) {
            execute(
                connection,
                "INSERT INTO tally (destination, state, deliveries) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET deliveries = excluded.deliveries",
                params![destination.0, state.code(), self.of(destination, state)],
            )?;
        }
        Ok(())
    }

    fn index(destination: DestinationId) -> usize {
        usize::try_from(destination.0).expect("a destination's number is checked when it is read")
    }
}
