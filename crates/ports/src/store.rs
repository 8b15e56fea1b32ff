//! The store: the truth about every accepted status and where it stands on its way.
//!
//! One method is one transaction. A caller that gets an answer may rely on it after a power cut.
//!
//! The life of a delivery, one row per event and destination:
//!
//! ```text
//! accept ──> Queued ──(it becomes the head of its lane)──> Ready <─────────────────────┐
//!        └────────────────────────────────────────────────>│  claim: fence + 1, lease    │
//!                                                          v                             │
//!                              unclaim, expire <───────── Sent                           │ retry at,
//!                                                          │  begin: only this fence     │ lease ran out
//!                                                          v                             │
//!                                                        Calling ────────────────────────┤
//!                                                          │  finish                     │ replay
//!                                                          ├──> Done, next of lane Ready │
//!                                                          └──> Parked ──────────────────┘──> Discarded
//! ```
//!
//! A lane is (destination, dossier). At most one delivery of a lane is Ready, Sent or Calling, and it is
//! the one with the lowest sequence that is not final (policy `hold`) or not final and not parked
//! (policies `skip` and `latest`).

mod intake;
mod lanes;
mod operators;
mod views;

use async_trait::async_trait;
use lienthong_domain::{DeliveryId, DestinationName, DossierCode, Timestamp};
use tokio::sync::watch;

pub use self::intake::{Offer, Receipt, Refusal};
pub use self::lanes::{
    BreakerRecord, ClaimTerms, DestinationRow, DestinationSpec, Expired, Finish, Next, Pause, Work,
};
pub use self::operators::{Action, Actor, Erasure, Parked, ParkedFilter, ReplayItem};
pub use self::views::{
    ATTEMPTS_SHOWN_MAX, AttemptView, Change, ChangeCursor, Counts, DeliveryView, DossierFilter,
    DossierView, LaneView, TimelineEntry,
};
use crate::broker::Message;

/// Why a store could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Its bounded queue is full; nothing happened.
    #[error("enter the store's queue, which is full")]
    Busy,
    /// The disk is full; nothing happened.
    #[error("write to a full disk")]
    DiskFull,
    /// Something failed; for a write, whether it happened is not known.
    #[error("use the store")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A row holds what no version of this program writes.
    #[error("read {table}.{column} of row {row}: {fault}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's number.
        row: i64,
        /// What is wrong, without the value.
        fault: String,
    },
    /// The store has been told to stop; nothing happened.
    #[error("use a store that is closed")]
    Closed,
}

/// Most items of one call that takes or returns a list.
pub const ITEMS_MAX: usize = 1_000;

/// Keeps events, deliveries and destinations. Lists are bounded by [`ITEMS_MAX`].
#[async_trait]
pub trait Store: Send + Sync {
    /// Accepts events: for each new one the event, its key, the dossier's next sequence and one delivery
    /// per destination, all in one transaction; later offers of a batch see the earlier ones.
    /// Whether to accept is `domain::timeline::judge`'s decision. One answer per offer, same order.
    async fn accept(&self, offers: Vec<Offer>)
    -> Result<Vec<Result<Receipt, Refusal>>, StoreError>;

    /// Claims due heads of lanes, oldest due first: Ready to Sent, fence + 1, leased.
    /// Returns nothing for a destination that is paused.
    async fn claim(
        &self,
        destination: &DestinationName,
        terms: ClaimTerms,
    ) -> Result<Vec<Message>, StoreError>;

    /// Gives claims back that were certainly not published: Sent to Ready at `at`, nothing counted.
    async fn unclaim(&self, messages: &[Message], at: Timestamp) -> Result<(), StoreError>;

    /// Starts attempts: Sent to Calling if the fence is the newest, lease renewed until `lease_until`.
    /// `None` for a message that is stale. One answer per message, same order.
    async fn begin(
        &self,
        messages: &[Message],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Option<Work>>, StoreError>;

    /// Records that all steps below `step` are done and renews the lease. `false`: stale, stop.
    async fn advance(
        &self,
        message: Message,
        step: u8,
        lease_until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Ends attempts: the attempt's row, the delivery's next state and, where it is done or leaves the
    /// lane, the release of the next; one transaction. `false` for a stale message: nothing happened.
    async fn finish(&self, finishes: Vec<Finish>) -> Result<Vec<bool>, StoreError>;

    /// Ends leases that ran out before `now`, at most `limit`: Sent becomes Ready; Calling becomes Ready with
    /// one crash more and an attempt row, or Parked at `crashes_max` crashes.
    async fn expire(
        &self,
        now: Timestamp,
        crashes_max: u32,
        limit: u32,
    ) -> Result<Expired, StoreError>;

    /// After a start of the only process that uses this store: makes every Sent delivery Ready, since no
    /// call was made with it and its old messages are stale. Calling ones keep their lease.
    async fn recover(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Parks deliveries whose messages the broker gave up, if the fence is still the newest.
    async fn bury(&self, messages: &[Message], now: Timestamp) -> Result<u64, StoreError>;

    /// When the next head of a lane of `destination` is due; `None` when none is Ready.
    async fn next_due(
        &self,
        destination: &DestinationName,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// The destinations with pause and breaker.
    async fn destinations(&self) -> Result<Vec<DestinationRow>, StoreError>;

    /// Keeps the breaker's memory.
    async fn save_breaker(
        &self,
        destination: &DestinationName,
        record: BreakerRecord,
    ) -> Result<(), StoreError>;

    /// Halts a destination, or lets it go on (`paused = false`), with an action row.
    /// `false` when it is not known. Doing it twice is harmless: the first person and reason stay, and the second time
    /// leaves no action.
    async fn set_paused(
        &self,
        destination: &DestinationName,
        paused: bool,
        actor: Actor,
    ) -> Result<bool, StoreError>;

    /// The counts of every destination.
    async fn counts(&self) -> Result<Vec<Counts>, StoreError>;

    /// One dossier.
    async fn dossier(&self, code: &DossierCode) -> Result<Option<DossierView>, StoreError>;

    /// Dossiers by code, after `after`.
    async fn dossiers(
        &self,
        filter: DossierFilter,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<DossierView>, StoreError>;

    /// A dossier's events above `after_sequence`, with deliveries and attempts.
    async fn timeline(
        &self,
        code: &DossierCode,
        after_sequence: i64,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, StoreError>;

    /// What happened after `cursor`, at most `limit`, and where to go on.
    async fn changes(
        &self,
        cursor: ChangeCursor,
        limit: usize,
    ) -> Result<(Vec<Change>, ChangeCursor), StoreError>;

    /// The cursor after everything that has happened.
    async fn newest_cursor(&self) -> Result<ChangeCursor, StoreError>;

    /// Parked deliveries by id, after `after`.
    async fn parked(
        &self,
        filter: ParkedFilter,
        after: DeliveryId,
        limit: usize,
    ) -> Result<Vec<Parked>, StoreError>;

    /// Destroys what the store knows of a dossier beyond its rows: details and progress lines of every event so
    /// far, for good, with one action row. Statuses, dates and deliveries stay, and so do the receipts of its
    /// events. A later event brings details of its own. Doing it twice is harmless.
    async fn erase_dossier(&self, code: &DossierCode, actor: Actor) -> Result<Erasure, StoreError>;

    /// Operators' actions after `after`, oldest first.
    async fn actions(&self, after: i64, limit: usize) -> Result<Vec<Action>, StoreError>;

    /// A number that changes whenever something was committed that others may wait for: an event,
    /// a delivery that became Ready, an attempt, a job's item that is due or answered. A wake-up only: it
    /// may come late or without cause.
    fn wakeups(&self) -> watch::Receiver<u64>;

    /// Free bytes on the disk of the store; `None` where there is no disk.
    fn disk_free_bytes(&self) -> Option<u64>;

    /// Finishes what is queued and closes the files. Later calls answer [`StoreError::Closed`].
    async fn close(&self);
}
