//! One connection that writes, and what it keeps in memory: every write of the store, synchronous.
//!
//! The caller brackets calls with [`Core::begin`] and [`Core::commit`] or [`Core::roll_back`], so a
//! group of calls can share one transaction.

mod accept;
mod claims;
mod finish;
mod halts;
mod jobs;
mod keys;
mod lanes;
mod names;
mod operations;
mod parking;
mod present;
mod samples;
mod usage;

use std::path::Path;
use std::sync::Arc;

use lienthong_domain::DeliveryState;
use lienthong_ports::Message;
use lienthong_vault::Vault;
use rusqlite::{Connection, params};

pub(crate) use accept::Offered;
pub(crate) use jobs::{BegunItem, EncodedFinish};

use crate::config::{Config, LOG_PAGES_CHECKPOINT, LOG_PAGES_MAX};
use crate::core::lanes::Lane;
use crate::core::names::Names;
use crate::destinations::{DestinationId, Destinations};
use crate::error::{Failure, OpenError};
use crate::figures::{Event, Figures};
use crate::queries::Queries;
use crate::rows::{Cells, execute, one};
use crate::tally::Tally;

/// [`DESTINATIONS_MAX`](crate::config::DESTINATIONS_MAX) in the numbering of deliveries: see [`delivery_id`].
pub(crate) const DELIVERIES_PER_EVENT: i64 = 64;

/// The number of an event's delivery to a destination.
pub(crate) fn delivery_id(event: i64, destination: DestinationId) -> i64 {
    event * DELIVERIES_PER_EVENT + destination.0
}

/// The writer's side of the database.
pub(crate) struct Core {
    connection: Connection,
    destinations: Arc<Destinations>,
    vault: Arc<Vault>,
    tally: Tally,
    /// The counts as they were when the transaction began.
    tally_before: Option<Tally>,
    figures: Figures,
    names: Names,
    /// The highest number of an event, once it was looked up.
    newest_event: Option<i64>,
    /// The highest number of a parking, those of undone transactions included.
    newest_parking: i64,
    woken: bool,
    /// Data keys were destroyed or wrapped anew, and their former bytes are still in the write-ahead log.
    log_holds_old_keys: bool,
    broken: bool,
}

/// A delivery as the lane rules need it.
struct Standing {
    id: i64,
    lane: Lane,
    sequence: i64,
    state: DeliveryState,
    crashes: i64,
    begun_at: Option<i64>,
    root: i64,
}

/// The columns that [`Core::read_standing`] reads, up to the condition.
macro_rules! standing {
    ($rest:literal) => {
        concat!(
            "SELECT id, destination, dossier, sequence, state, crashes, begun_at, root FROM delivery ",
            $rest
        )
    };
}
use standing;

impl Core {
    /// Brings `connection` into a state to work with: destinations, counts, lanes under new policies.
    pub(crate) fn new(connection: Connection, config: &Config) -> Result<Self, OpenError> {
        let path: &Path = &config.path;
        let failed = |failure: Failure| OpenError::Sqlite {
            path: path.into(),
            source: failure.into(),
        };
        let too_many = || OpenError::TooManyDestinations {
            max: crate::config::DESTINATIONS_MAX,
        };
        if !connection.is_autocommit() {
            // What a crashed predecessor on the same connection did not commit did not happen.
            connection
                .execute_batch("ROLLBACK")
                .map_err(|error| failed(error.into()))?;
        }
        connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(|error| failed(error.into()))?;
        let synchronised = Destinations::synchronise(&connection, &config.destinations)
            .map_err(failed)?
            .ok_or_else(too_many)?;
        let mut core = Self {
            tally: Tally::load(&connection).map_err(failed)?,
            tally_before: None,
            figures: Figures::default(),
            newest_parking: parking::newest(&connection).map_err(failed)?,
            destinations: Arc::new(synchronised.destinations),
            vault: Arc::clone(&config.vault),
            names: Names::default(),
            newest_event: None,
            connection,
            woken: false,
            // A crash may have come before the log was emptied; an empty log costs nothing.
            log_holds_old_keys: true,
            broken: false,
        };
        for destination in synchronised.changed {
            core.settle_parked_lanes(destination).map_err(failed)?;
        }
        core.commit().map_err(failed)?;
        Ok(core)
    }

    pub(crate) fn destinations(&self) -> Arc<Destinations> {
        Arc::clone(&self.destinations)
    }

    pub(crate) fn queries(&self) -> Queries<'_> {
        Queries {
            connection: &self.connection,
            destinations: &self.destinations,
            vault: &self.vault,
        }
    }

    pub(crate) fn into_connection(self) -> Connection {
        self.connection
    }

    /// Opens a transaction.
    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        if self.broken {
            return Err(Failure::Broken);
        }
        if !self.connection.is_autocommit() {
            // The last transaction ended in a panic before anybody rolled it back.
            self.roll_back();
        }
        self.tally_before = Some(self.tally.clone());
        execute(&self.connection, "BEGIN IMMEDIATE", [])?;
        Ok(())
    }

    /// Makes the transaction durable. After an error nobody knows whether it happened.
    pub(crate) fn commit(&mut self) -> Result<(), Failure> {
        self.tally.write(&self.connection)?;
        self.figures.write(&self.connection)?;
        self.connection
            .prepare_cached("COMMIT")
            .and_then(|mut commit| commit.execute([]))
            .map_err(Failure::Commit)?;
        self.tally_before = None;
        Ok(())
    }

    /// Undoes the transaction, in memory too.
    pub(crate) fn roll_back(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(error = %error, "the store cannot roll back and stops");
            self.broken = true;
        }
        if let Some(before) = self.tally_before.take() {
            self.tally = before;
        }
        self.figures.forget();
        self.names.forget();
        self.newest_event = None;
        self.woken = false;
    }

    /// Notes a failure that makes further writes unsafe: after a failed fsync the system may have
    /// dropped pages that it reports as clean.
    pub(crate) fn note(&mut self, failure: &Failure) {
        if failure.breaks_store() && !self.broken {
            tracing::error!(error = %failure, "the store stops: the disk failed or the database is damaged");
            self.broken = true;
        }
    }

    /// Whether something others may wait for was committed since the last call.
    pub(crate) fn take_woken(&mut self) -> bool {
        std::mem::take(&mut self.woken)
    }

    /// Moves the write-ahead log into the database when it has grown, or holds keys that are to be gone; the
    /// caller has answered before.
    pub(crate) fn checkpoint_if_due(&mut self) {
        if let Err(error) = self.try_checkpoint() {
            self.note(&Failure::Sqlite(error));
        }
    }

    fn try_checkpoint(&mut self) -> rusqlite::Result<()> {
        let (_, waiting) = self.checkpoint("NOOP")?;
        if waiting >= LOG_PAGES_MAX || self.log_holds_old_keys {
            // While readers need the log it stays, and the next group tries again.
            let (blocked, _) = self.checkpoint("TRUNCATE")?;
            self.log_holds_old_keys &= blocked;
        } else if waiting >= LOG_PAGES_CHECKPOINT {
            self.checkpoint("PASSIVE")?;
        }
        Ok(())
    }

    /// Whether readers kept it from its end, and how many pages the log has.
    fn checkpoint(&self, mode: &str) -> rusqlite::Result<(bool, i64)> {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        self.connection
            .prepare_cached(&sql)?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    #[cfg(test)]
    pub(crate) fn is_committed(&self) -> bool {
        self.connection.is_autocommit()
    }

    /// Makes the database as small as a full disk would.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages_max: i64) {
        self.connection
            .pragma_update(None, "max_page_count", pages_max)
            .unwrap();
    }

    /// The delivery of `message`, if the message is not stale and the delivery is in `state`.
    fn standing(
        &self,
        message: Message,
        state: DeliveryState,
    ) -> Result<Option<Standing>, Failure> {
        one(
            &self.connection,
            standing!("WHERE id = ?1 AND fence = ?2 AND state = ?3"),
            params![message.delivery.0, message.fence.0, state.code()],
            |row| self.read_standing(row),
        )
    }

    /// Reads the columns of `standing!`.
    fn read_standing(&self, row: &rusqlite::Row<'_>) -> Result<Standing, Failure> {
        let cells = Cells::of("delivery", row)?;
        let known = self.destinations.of_cell(&cells, 1)?;
        Ok(Standing {
            id: cells.id(),
            lane: Lane {
                destination: known.id,
                policy: known.lane,
                dossier: cells.get(2, "dossier")?,
            },
            sequence: cells.get(3, "sequence")?,
            state: cells.state(4)?,
            crashes: cells.get(5, "crashes")?,
            begun_at: cells.get(6, "begun_at")?,
            root: cells.get(7, "root")?,
        })
    }

    /// Counts a delivery in its new state. The row is the caller's to write.
    fn moved(&mut self, standing: &Standing, to: DeliveryState) {
        self.tally
            .moved(standing.lane.destination, standing.state, to, 1);
    }

    /// Counts what happened to a delivery on its day.
    fn count(&mut self, event: Event, standing: &Standing, at: i64, deliveries: i64) {
        let destination = standing.lane.destination;
        self.figures
            .count(event, at, destination, standing.root, deliveries);
    }

    pub(crate) fn act(
        &self,
        actor: &lienthong_ports::store::Actor,
        kind: &str,
        subject: &str,
    ) -> Result<(), Failure> {
        execute(
            &self.connection,
            "INSERT INTO action (at, by, kind, subject, reason) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                crate::rows::micros(actor.now),
                actor.by,
                kind,
                subject,
                actor.reason
            ],
        )?;
        Ok(())
    }
}
