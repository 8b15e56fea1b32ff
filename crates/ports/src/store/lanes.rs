//! What the workers exchange with the store: claims, attempts and their outcomes, breakers and halts.

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::delivery::{LanePolicy, ParkReason};
use lienthong_domain::event::Progress;
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{
    Answer, DestinationName, DossierCode, DossierDetails, DossierStatus, EventId, Timestamp,
    TraceContext,
};

use crate::broker::Message;

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
    /// The span of the event's acceptance, of which every attempt is a child. The worker puts the span of the attempt in
    /// its place, so that an adapter's calls are children of that.
    pub trace: Option<TraceContext>,
    /// The span of the attempt before this one, to link to.
    pub last_span_id: Option<[u8; 8]>,
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
    /// The span of this attempt, for the next one to link to.
    pub span_id: Option<[u8; 8]>,
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
