//! What is offered to the store, and what comes back: a receipt or a refusal.

use std::sync::Arc;

use lienthong_domain::event::ContentHash;
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::timeline::{TransitionPolicy, Warning};
use lienthong_domain::{
    DossierCode, DossierStatus, EventId, Faults, StatusEvent, Timestamp, TraceContext,
};

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
    /// The span of its acceptance; kept for the spans of its attempts, no part of its content.
    pub trace: Option<TraceContext>,
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
