//! What can be read of the store: dossiers, timelines, changes and counts.

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::delivery::ParkReason;
use lienthong_domain::event::Progress;
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::timeline::Warning;
use lienthong_domain::{
    DeliveryId, DeliveryState, DestinationName, DossierCode, DossierDetails, DossierStatus,
    EventId, Timestamp,
};

/// How many deliveries of a destination stand where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The destination.
    pub destination: DestinationName,
    /// One count per [`DeliveryState::ALL`], same order.
    pub by_state: [u64; 8],
    /// Acceptance of the oldest head that still waits (Ready, Sent, Calling).
    pub oldest_waiting_since: Option<Timestamp>,
    /// Its dossier.
    pub oldest_waiting: Option<DossierCode>,
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
    /// When details of it were last erased: those of the events until then.
    pub erased_at: Option<Timestamp>,
    /// The present details; empty in listings, and when they were erased.
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
    /// The progress line; `None` after it was erased.
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

/// Most attempts shown of one delivery.
pub const ATTEMPTS_SHOWN_MAX: usize = 50;
