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

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lienthong_domain::delivery::{LanePolicy, ParkReason};
use lienthong_domain::event::{ContentHash, Progress};
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::timeline::{TransitionPolicy, Warning};
use lienthong_domain::{
    Answer, DeliveryId, DeliveryState, DestinationName, DossierCode, DossierDetails, DossierStatus,
    EventId, Faults, ProcedureCode, StatusEvent, Timestamp,
};
use tokio::sync::watch;

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

/// An event offered for acceptance.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The event, parsed.
    pub event: StatusEvent,
    /// Its content hash.
    pub content_hash: ContentHash,
    /// The id it gets if it is new.
    pub event_id: EventId,
    /// Who pushes it.
    pub participant: ParticipantId,
    /// With which system.
    pub system: Arc<str>,
    /// What to do about transitions outside the table.
    pub policy: TransitionPolicy,
    /// Our clock.
    pub now: Timestamp,
}

/// The proof of an acceptance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The event's id.
    pub event_id: EventId,
    /// Its dossier.
    pub dossier: DossierCode,
    /// Its place among the dossier's accepted events, from 1 without gaps.
    pub sequence: i64,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Whether the same event was accepted before and this is its receipt.
    pub duplicate: bool,
    /// Whether it is older than the dossier's present status.
    pub late: bool,
    /// What the sender should know.
    pub warnings: Vec<Warning>,
}

/// Why an offered event was not accepted; nothing was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The key names other content.
    KeyReused,
    /// The status may not follow.
    Transition {
        /// The dossier's present status.
        from: DossierStatus,
        /// The status asked for.
        to: DossierStatus,
    },
    /// The dossier's details do not suffice.
    Details(Faults),
}

/// A destination as the store must know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationSpec {
    /// Its name.
    pub name: DestinationName,
    /// What a parked delivery does to its lane.
    pub lane: LanePolicy,
}

/// How much to claim and for how long.
#[derive(Clone, Copy, Debug)]
pub struct ClaimTerms {
    /// Our clock.
    pub now: Timestamp,
    /// How long the claim holds.
    pub lease: Duration,
    /// Most deliveries Sent and Calling at once for the destination.
    pub window: u32,
    /// Most deliveries to claim now.
    pub batch: u32,
}

/// Everything an adapter needs to perform one attempt.
#[derive(Clone, Debug)]
pub struct Work {
    /// Delivery and fence.
    pub message: Message,
    /// Where to.
    pub destination: DestinationName,
    /// Which dossier.
    pub dossier: DossierCode,
    /// The event's place in the dossier.
    pub sequence: i64,
    /// The event's id; the destination sees it as the idempotency key.
    pub event_id: EventId,
    /// Who pushed it.
    pub participant: ParticipantId,
    /// The status.
    pub status: DossierStatus,
    /// When it came about.
    pub occurred_at: Timestamp,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Older than an accepted one: only its progress line may be told.
    pub late: bool,
    /// The progress line.
    pub progress: Option<Progress>,
    /// The details as they stood with this event.
    pub details: Arc<DossierDetails>,
    /// Whether an earlier event of the lane has reached the destination.
    pub delivered_before: bool,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// Attempts before this one that count against the schedule.
    pub counted: u32,
    /// The step to perform, from 0; above 0 after [`Store::advance`].
    pub step: u8,
}

/// What became of one call.
#[derive(Clone, Debug)]
pub struct Finish {
    /// Delivery and fence.
    pub message: Message,
    /// When the call began.
    pub started_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What the destination said.
    pub answer: Answer,
    /// What follows from it.
    pub next: Next,
}

/// What follows from a call; decided by `delivery`, carried out by the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Done: release the next of the lane.
    Done,
    /// Try again at an instant.
    RetryAt {
        /// When.
        at: Timestamp,
        /// Whether this attempt counts against the schedule.
        counted: bool,
    },
    /// Stop and let an operator decide.
    Park(ParkReason),
}

/// What a sweep over run-out leases did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Claims whose message was lost or never published; ready again.
    pub sent: u64,
    /// Calls whose worker vanished; ready again with one crash more.
    pub calling: u64,
    /// Calls whose worker vanished once too often; parked.
    pub parked: u64,
}

/// A breaker's memory across restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BreakerRecord {
    /// Open until this instant; `None` is closed.
    pub open_until: Option<Timestamp>,
    /// How often it has opened in a row.
    pub openings: u32,
}

/// An operator's halt of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// `participant/system` of the operator.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

/// A destination as the store holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationRow {
    /// Its name.
    pub name: DestinationName,
    /// Its lane policy.
    pub lane: LanePolicy,
    /// Whether an operator halted it.
    pub paused: Option<Pause>,
    /// Its breaker's memory.
    pub breaker: BreakerRecord,
}

/// How many deliveries of a destination stand where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The destination.
    pub destination: DestinationName,
    /// One count per [`DeliveryState::ALL`], same order.
    pub by_state: [u64; 8],
    /// Acceptance of the oldest head that still waits (Ready, Sent, Calling).
    pub oldest_waiting_since: Option<Timestamp>,
}

impl Counts {
    /// The count of one state.
    pub fn of(&self, state: DeliveryState) -> u64 {
        self.by_state[usize::from(state.code())]
    }

    /// Queued, Ready, Sent and Calling together.
    pub fn waiting(&self) -> u64 {
        DeliveryState::ALL
            .into_iter()
            .filter(|state| state.is_waiting())
            .map(|state| self.of(state))
            .sum()
    }
}

/// A dossier as it stands.
#[derive(Clone, Debug)]
pub struct DossierView {
    /// Its code.
    pub code: DossierCode,
    /// Who pushed its newest event.
    pub participant: ParticipantId,
    /// The present status.
    pub status: DossierStatus,
    /// When the present status came about.
    pub occurred_at: Timestamp,
    /// The last sequence given out.
    pub last_sequence: i64,
    /// Acceptance of the first event.
    pub first_accepted_at: Timestamp,
    /// Acceptance of the newest event.
    pub updated_at: Timestamp,
    /// The present details; empty in listings.
    pub details: Arc<DossierDetails>,
    /// One line per destination.
    pub lanes: Vec<LaneView>,
}

/// A dossier's lane to one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneView {
    /// The destination.
    pub destination: DestinationName,
    /// The highest sequence delivered; 0 for none.
    pub delivered_sequence: i64,
    /// Deliveries still waiting.
    pub waiting: u64,
    /// Deliveries parked.
    pub parked: u64,
    /// The lowest delivery that is not final: what the lane waits for.
    pub head: Option<DeliveryView>,
}

/// A delivery with its attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryView {
    /// Its id.
    pub id: DeliveryId,
    /// Where to.
    pub destination: DestinationName,
    /// The event's sequence.
    pub sequence: i64,
    /// Where it stands.
    pub state: DeliveryState,
    /// Counted attempts so far.
    pub attempts_counted: u32,
    /// When the next attempt is due, if it is Ready.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was done, parked, superseded or discarded.
    pub ended_at: Option<Timestamp>,
    /// Why it is parked.
    pub parked: Option<ParkReason>,
    /// Every attempt, oldest first; at most [`ATTEMPTS_SHOWN_MAX`], the newest ones.
    pub attempts: Vec<AttemptView>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptView {
    /// Its number, from 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took; zero for a lease that ran out.
    pub took: Duration,
    /// The name of the outcome (`Outcome::name`), or `lease_expired`.
    pub outcome: &'static str,
    /// The destination's code.
    pub code: String,
    /// The HTTP status.
    pub http_status: Option<u16>,
    /// The destination's words.
    pub message: String,
}

/// One accepted event with its deliveries.
#[derive(Clone, Debug)]
pub struct TimelineEntry {
    /// The event's id.
    pub event_id: EventId,
    /// Its dossier.
    pub dossier: DossierCode,
    /// Its sequence.
    pub sequence: i64,
    /// The status.
    pub status: DossierStatus,
    /// When it came about.
    pub occurred_at: Timestamp,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// The sender's sequence.
    pub source_sequence: Option<i64>,
    /// Kept in the timeline only.
    pub late: bool,
    /// Warnings given with the receipt.
    pub warnings: Vec<Warning>,
    /// Who pushed it.
    pub participant: ParticipantId,
    /// With which system.
    pub system: String,
    /// The progress line.
    pub progress: Option<Progress>,
    /// One per destination; empty in [`Store::changes`].
    pub deliveries: Vec<DeliveryView>,
}

/// Which dossiers to list. Empty lists everything.
#[derive(Clone, Debug, Default)]
pub struct DossierFilter {
    /// Roots of agency codes (`H21`, ...) that may be seen; empty is all.
    pub roots: Vec<String>,
    /// Only codes that begin so; an agency code.
    pub agency_prefix: Option<String>,
    /// Only this present status.
    pub status: Option<DossierStatus>,
    /// Only updated at or after.
    pub updated_since: Option<Timestamp>,
    /// Only updated before.
    pub updated_until: Option<Timestamp>,
    /// Only with deliveries waiting.
    pub only_waiting: bool,
    /// Only with deliveries parked.
    pub only_parked: bool,
}

/// Which parked deliveries are meant. Empty means all.
#[derive(Clone, Debug, Default)]
pub struct ParkedFilter {
    /// Exactly these, if any are named.
    pub ids: Vec<DeliveryId>,
    /// Of this destination.
    pub destination: Option<DestinationName>,
    /// Of this root of agency codes, such as `H21`.
    pub root: Option<String>,
    /// Of this procedure.
    pub procedure: Option<ProcedureCode>,
    /// Parked for this reason.
    pub reason: Option<ParkReason>,
    /// With this answer code at the last attempt.
    pub code: Option<String>,
    /// Parked at or after.
    pub parked_since: Option<Timestamp>,
    /// Parked before.
    pub parked_until: Option<Timestamp>,
}

/// One parked delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_field_names,
    reason = "`parked_at` is the word of the console and the contract"
)]
pub struct Parked {
    /// Its id.
    pub id: DeliveryId,
    /// Where to.
    pub destination: DestinationName,
    /// Which dossier.
    pub dossier: DossierCode,
    /// The event's sequence.
    pub sequence: i64,
    /// The status.
    pub status: DossierStatus,
    /// The dossier's procedure, if known.
    pub procedure: Option<ProcedureCode>,
    /// Why.
    pub reason: ParkReason,
    /// Since when.
    pub parked_at: Timestamp,
    /// Attempts made.
    pub attempts: u32,
    /// The last answer's code.
    pub code: String,
    /// The last answer's words.
    pub message: String,
    /// Deliveries of the lane that wait behind it.
    pub behind: u64,
}

/// Who acts, why and when; kept with every action of an operator.
#[derive(Clone, Debug)]
pub struct Actor {
    /// `participant/system`.
    pub by: String,
    /// Why, 1 to 500 characters.
    pub reason: String,
    /// Our clock.
    pub now: Timestamp,
}

/// How to replay.
#[derive(Clone, Copy, Debug)]
pub struct ReplayTerms {
    /// Only say what would happen.
    pub dry_run: bool,
    /// Also those whose successors have been delivered already.
    pub allow_out_of_order: bool,
    /// Time between two of them becoming due: the rate cap.
    pub spacing: Duration,
    /// Most deliveries of one call.
    pub limit: u32,
}

/// What a replay does, or would do, with one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayItem {
    /// The delivery.
    pub id: DeliveryId,
    /// Its dossier.
    pub dossier: DossierCode,
    /// Its sequence.
    pub sequence: i64,
    /// The destination may have seen it: an attempt got through to it or a step was done.
    pub repeats: bool,
    /// A later event of the lane has been delivered already.
    pub reorders: bool,
    /// Whether it is (or would be) replayed; `false` only when it reorders and that is not allowed.
    pub replayed: bool,
}

/// An operator's action, as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// `pause`, `resume`, `replay` or `discard`.
    pub kind: String,
    /// On what: a destination, or a delivery.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// Something that happened, in the order of its commit.
#[derive(Clone, Debug)]
pub enum Change {
    /// An event was accepted.
    Accepted(Box<TimelineEntry>),
    /// An attempt ended.
    Attempted {
        /// The dossier.
        dossier: DossierCode,
        /// Where the delivery stands now.
        delivery: DeliveryView,
    },
}

/// A place in the sequence of changes; both numbers only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeCursor {
    /// The last event seen.
    pub event: i64,
    /// The last attempt seen.
    pub attempt: i64,
}

/// Most items of one call that takes or returns a list.
pub const ITEMS_MAX: usize = 1_000;
/// Most attempts shown of one delivery.
pub const ATTEMPTS_SHOWN_MAX: usize = 50;

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
    /// `false` when it is not known; doing it twice is harmless.
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

    /// Makes parked deliveries Ready again (Queued, where the lane has another head), attempts and crashes
    /// counted from 0, spaced by `terms.spacing`; one action row each. Doing it twice is harmless.
    async fn replay(
        &self,
        filter: ParkedFilter,
        terms: ReplayTerms,
        actor: Actor,
    ) -> Result<Vec<ReplayItem>, StoreError>;

    /// Gives parked deliveries up and releases their lanes; one action row each. Returns the ids,
    /// or with `dry_run` those that it would be.
    async fn discard(
        &self,
        filter: ParkedFilter,
        dry_run: bool,
        limit: u32,
        actor: Actor,
    ) -> Result<Vec<DeliveryId>, StoreError>;

    /// Operators' actions after `after`, oldest first.
    async fn actions(&self, after: i64, limit: usize) -> Result<Vec<Action>, StoreError>;

    /// A number that changes whenever something was committed that others may wait for: an event,
    /// a delivery that became Ready, an attempt. A wake-up only: it may come late or without cause.
    fn wakeups(&self) -> watch::Receiver<u64>;

    /// Free bytes on the disk of the store; `None` where there is no disk.
    fn disk_free_bytes(&self) -> Option<u64>;

    /// Finishes what is queued and closes the files. Later calls answer [`StoreError::Closed`].
    async fn close(&self);
}
