//! What operators ask of the store: which parked deliveries, why, and what became of them.

use lienthong_domain::delivery::ParkReason;
use lienthong_domain::{
    DeliveryId, DestinationName, DossierCode, DossierStatus, EventId, ProcedureCode, Timestamp,
};

/// Which parked deliveries are meant. Empty means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// The event.
    pub event_id: EventId,
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

/// What an operation would do with one parked delivery.
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
    /// A later event of the lane has been delivered already, or is being called.
    pub reorders: bool,
    /// Whether it would be moved; `false` only when it reorders and that is not allowed.
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
    /// `pause`, `resume`, `replay`, `discard`, `erase`; `request_operation`, `approve_operation`, `cancel_operation`,
    /// `end_operation`; `lift_guard`, on `participant/system`; what was done to jobs; and what [`crate::OperatorStore::note_action`] was told.
    pub kind: String,
    /// On what: a destination, a delivery, a dossier, a job, or `operation:ID`.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// What became of the wish to erase a dossier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// Its details are gone, now or since before.
    Done,
    /// There is no such dossier.
    NotFound,
    /// A delivery of it is not final, parked ones included; nothing happened.
    StillOpen,
}
