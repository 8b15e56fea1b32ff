//! The store as the rest of the gateway sees it.

mod identity;
mod operators;

use std::sync::Arc;

use async_trait::async_trait;
use lienthong_domain::{DeliveryId, DestinationName, DossierCode, Timestamp};
use lienthong_ports::store::{
    Action, Actor, BreakerRecord, Change, ChangeCursor, ClaimTerms, Counts, DestinationRow,
    DossierFilter, DossierView, Erasure, Expired, Finish, Offer, Parked, ParkedFilter, Receipt,
    Refusal, TimelineEntry, Work,
};
use lienthong_ports::{Message, Store, StoreError};
use lienthong_vault::{KeyId, Vault};
use rusqlite::Connection;
use tokio::sync::watch;

use crate::config::Config;
use crate::connection::{Disk, FileLock, open_writer};
use crate::core::{Core, Offered};
use crate::error::{Failure, OpenError};
use crate::inline::{Inline, Open};
use crate::queries::Queries;
use crate::threads::{Kind, Threads};

/// A store in one `SQLite` database.
pub struct SqliteStore {
    mode: Mode,
    disk: Disk,
    vault: Arc<Vault>,
    wakeups: Arc<watch::Sender<u64>>,
}

enum Mode {
    Threads(Threads),
    Inline(Box<Inline>),
}

impl SqliteStore {
    /// Opens or makes the database and starts the store's threads. Dropping the store does what
    /// [`Store::close`] does.
    ///
    /// # Errors
    /// [`OpenError`], naming the file.
    pub fn open(config: &Config) -> Result<Self, OpenError> {
        let Open { core, lock } = open(config)?;
        Self::with_mode(config, |wakeups| {
            Ok(Mode::Threads(Threads::start(core, lock, config, wakeups)?))
        })
    }

    /// Opens or makes the database for calls that run in their caller, one after another: no threads,
    /// so the same calls give the same answers in the same order. They block their caller.
    ///
    /// # Errors
    /// [`OpenError`], naming the file.
    pub fn open_inline(config: &Config) -> Result<Self, OpenError> {
        let opened = open(config)?;
        Self::with_mode(config, |wakeups| {
            Ok(Mode::Inline(Box::new(Inline::new(opened, wakeups))))
        })
    }

    /// Takes the database, in memory or not, away from an inline store as a crash would (also after it
    /// was closed), and opens another one on it. Later calls to this one answer [`StoreError::Closed`].
    ///
    /// # Errors
    /// [`OpenError`], naming the file.
    pub fn reopen_inline(&self, config: &Config) -> Result<Self, OpenError> {
        let taken = match &self.mode {
            Mode::Inline(inline) => inline.take(),
            Mode::Threads(threads) => {
                threads.close();
                None
            }
        };
        let opened = match taken {
            Some(Open { core, lock }) => Open {
                core: Core::new(core.into_connection(), config)?,
                lock,
            },
            None => open(config)?,
        };
        Self::with_mode(config, |wakeups| {
            Ok(Mode::Inline(Box::new(Inline::new(opened, wakeups))))
        })
    }

    fn with_mode(
        config: &Config,
        mode: impl FnOnce(Arc<watch::Sender<u64>>) -> Result<Mode, OpenError>,
    ) -> Result<Self, OpenError> {
        let wakeups = Arc::new(watch::Sender::new(0));
        Ok(Self {
            mode: mode(Arc::clone(&wakeups))?,
            disk: Disk::of(config),
            vault: Arc::clone(&config.vault),
            wakeups,
        })
    }

    /// Wraps data keys anew that are not under the vault's current key, at most `limit` and never more than
    /// [`ITEMS_MAX`](lienthong_ports::store::ITEMS_MAX); how many. To be called until it answers 0.
    ///
    /// # Errors
    /// As those of [`Store`].
    pub async fn rewrap_keys(&self, limit: u32) -> Result<u64, StoreError> {
        self.write(Kind::Work, 1, move |core| core.rewrap_keys(limit))
            .await
    }

    /// How many data keys are wrapped under each key, by key. A key that is not named is not in use by this
    /// database; copies of it may still need the key.
    ///
    /// # Errors
    /// As those of [`Store`].
    pub async fn keys_in_use(&self) -> Result<Vec<(KeyId, u64)>, StoreError> {
        self.query(|queries| queries.keys_in_use()).await
    }

    async fn write<T: Send + 'static>(
        &self,
        kind: Kind,
        items: usize,
        work: impl FnMut(&mut Core) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.mode {
            Mode::Threads(threads) => threads.write(kind, items, work).await,
            Mode::Inline(inline) => inline.write(work),
        }
    }

    async fn query<T: Send + 'static>(
        &self,
        read: impl FnOnce(Queries<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.mode {
            Mode::Threads(threads) => threads.query(read).await,
            Mode::Inline(inline) => inline.query(read),
        }
    }
}

fn open(config: &Config) -> Result<Open, OpenError> {
    let lock = (!config.in_memory())
        .then(|| FileLock::of(&config.path))
        .transpose()?;
    let connection: Connection = open_writer(config)?;
    Ok(Open {
        core: Core::new(connection, config)?,
        lock,
    })
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("disk", &self.disk)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn accept(
        &self,
        offers: Vec<Offer>,
    ) -> Result<Vec<Result<Receipt, Refusal>>, StoreError> {
        if self.disk.is_short() {
            return Err(StoreError::DiskFull);
        }
        let offered: Vec<_> = offers
            .into_iter()
            .map(|offer| Offered::new(offer, &self.vault))
            .collect();
        self.write(Kind::Intake, offered.len(), move |core| {
            core.accept(&offered)
        })
        .await
    }

    async fn claim(
        &self,
        destination: &DestinationName,
        terms: ClaimTerms,
    ) -> Result<Vec<Message>, StoreError> {
        let destination = destination.clone();
        self.write(Kind::Work, 1, move |core| core.claim(&destination, terms))
            .await
    }

    async fn unclaim(&self, messages: &[Message], at: Timestamp) -> Result<(), StoreError> {
        let messages = messages.to_vec();
        self.write(Kind::Work, messages.len(), move |core| {
            core.unclaim(&messages, at)
        })
        .await
    }

    async fn begin(
        &self,
        messages: &[Message],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Option<Work>>, StoreError> {
        let messages = messages.to_vec();
        let begun = self
            .write(Kind::Work, messages.len(), move |core| {
                core.begin_attempts(&messages, now, lease_until)
            })
            .await?;
        Ok(begun
            .into_iter()
            .map(|begun| readable(begun?.into_work(&self.vault)))
            .collect())
    }

    async fn advance(
        &self,
        message: Message,
        step: u8,
        lease_until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(Kind::Work, 1, move |core| {
            core.advance(message, step, lease_until)
        })
        .await
    }

    async fn finish(&self, finishes: Vec<Finish>) -> Result<Vec<bool>, StoreError> {
        self.write(Kind::Work, finishes.len(), move |core| {
            core.finish(&finishes)
        })
        .await
    }

    async fn expire(
        &self,
        now: Timestamp,
        crashes_max: u32,
        limit: u32,
    ) -> Result<Expired, StoreError> {
        self.write(Kind::Work, 1, move |core| {
            core.expire(now, crashes_max, limit)
        })
        .await
    }

    async fn recover(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(Kind::Work, 1, move |core| core.recover(now))
            .await
    }

    async fn bury(&self, messages: &[Message], now: Timestamp) -> Result<u64, StoreError> {
        let messages = messages.to_vec();
        self.write(Kind::Work, messages.len(), move |core| {
            core.bury(&messages, now)
        })
        .await
    }

    async fn next_due(
        &self,
        destination: &DestinationName,
    ) -> Result<Option<Timestamp>, StoreError> {
        let destination = destination.clone();
        self.query(move |queries| queries.next_due(&destination))
            .await
    }

    async fn destinations(&self) -> Result<Vec<DestinationRow>, StoreError> {
        self.query(|queries| queries.destination_rows()).await
    }

    async fn save_breaker(
        &self,
        destination: &DestinationName,
        record: BreakerRecord,
    ) -> Result<(), StoreError> {
        let destination = destination.clone();
        self.write(Kind::Work, 1, move |core| {
            core.save_breaker(&destination, record)
        })
        .await
    }

    async fn set_paused(
        &self,
        destination: &DestinationName,
        paused: bool,
        actor: Actor,
    ) -> Result<bool, StoreError> {
        let destination = destination.clone();
        self.write(Kind::Work, 1, move |core| {
            core.set_paused(&destination, paused, &actor)
        })
        .await
    }

    async fn counts(&self) -> Result<Vec<Counts>, StoreError> {
        self.query(|queries| queries.counts()).await
    }

    async fn dossier(&self, code: &DossierCode) -> Result<Option<DossierView>, StoreError> {
        let code = code.clone();
        self.query(move |queries| queries.dossier(&code)).await
    }

    async fn dossiers(
        &self,
        filter: DossierFilter,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<DossierView>, StoreError> {
        self.query(move |queries| queries.dossiers(&filter, after.as_deref(), limit))
            .await
    }

    async fn timeline(
        &self,
        code: &DossierCode,
        after_sequence: i64,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, StoreError> {
        let code = code.clone();
        self.query(move |queries| queries.timeline(&code, after_sequence, limit))
            .await
    }

    async fn changes(
        &self,
        cursor: ChangeCursor,
        limit: usize,
    ) -> Result<(Vec<Change>, ChangeCursor), StoreError> {
        self.query(move |queries| queries.changes(cursor, limit))
            .await
    }

    async fn newest_cursor(&self) -> Result<ChangeCursor, StoreError> {
        self.query(|queries| queries.newest_cursor()).await
    }

    async fn parked(
        &self,
        filter: ParkedFilter,
        after: DeliveryId,
        limit: usize,
    ) -> Result<Vec<Parked>, StoreError> {
        self.query(move |queries| queries.parked(&filter, after, limit))
            .await
    }

    async fn erase_dossier(&self, code: &DossierCode, actor: Actor) -> Result<Erasure, StoreError> {
        let code = code.clone();
        self.write(Kind::Work, 1, move |core| core.erase_dossier(&code, &actor))
            .await
    }

    async fn actions(&self, after: i64, limit: usize) -> Result<Vec<Action>, StoreError> {
        self.query(move |queries| queries.actions(after, limit))
            .await
    }

    fn wakeups(&self) -> watch::Receiver<u64> {
        self.wakeups.subscribe()
    }

    fn disk_free_bytes(&self) -> Option<u64> {
        self.disk.free_bytes()
    }

    async fn close(&self) {
        match &self.mode {
            // What is queued takes a group or two; the wait is short and bounded by the queue.
            Mode::Threads(threads) => threads.close(),
            Mode::Inline(inline) => inline.close(self.disk.is_memory()),
        }
    }
}

/// One row that cannot be read must not stop the others of its batch: it is told and left to its lease,
/// and after as many leases as a worker may crash it is parked, alone.
fn readable(work: Result<Work, Failure>) -> Option<Work> {
    work.map_err(StoreError::from)
        .inspect_err(|error| {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "a delivery cannot be read"
            );
        })
        .ok()
}
