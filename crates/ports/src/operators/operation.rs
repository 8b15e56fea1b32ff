//! Operations: replays and discards of many parked deliveries.

use std::fmt;
use std::time::Duration;

use lienthong_domain::Timestamp;

use crate::store::{Actor, ParkedFilter, ReplayItem};

/// Longest key of an operation, in characters.
pub const OPERATION_KEY_CHARS_MAX: usize = 100;

/// Time over which the operations of one person count together for [`NewOperation::approval_above`].
pub const APPROVAL_SPAN: Duration = Duration::from_hours(24);
/// How long an operation awaits approval before it is cancelled.
pub const APPROVAL_WAIT_MAX: Duration = Duration::from_hours(7 * 24);
/// Who ends operations that nobody decides about, or that cannot go on.
pub const ENDED_BY: &str = "system";

/// Names an operation; grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub i64);

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is to happen to the deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// They are tried again.
    Replay,
    /// They are given up, and their lanes go on.
    Discard,
}

impl OperationKind {
    /// The stable name: `replay`, `discard`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Discard => "discard",
        }
    }
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationState {
    /// A second person has to approve.
    AwaitingApproval,
    /// Its steps are being taken.
    Running,
    /// All of its selection was dealt with.
    Done,
    /// Somebody, or [`ENDED_BY`], ended it; what was moved before stays moved.
    Cancelled,
}

impl OperationState {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AwaitingApproval => "awaiting_approval",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether something can still happen to it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::AwaitingApproval | Self::Running)
    }
}

/// What an operation would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Parked deliveries that match.
    pub matches: u64,
    /// Of these, ones an earlier attempt of which may have reached the destination.
    pub repeats: u64,
    /// Of these, ones whose successors were delivered already; left alone unless allowed.
    pub reorders: u64,
    /// Deliveries that wait behind them and may follow.
    pub behind: u64,
    /// The first of them, by id.
    pub items: Vec<ReplayItem>,
}

/// An operation to be written down.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// What is to happen.
    pub kind: OperationKind,
    /// To which.
    pub filter: ParkedFilter,
    /// Also those whose successors were delivered (replay only).
    pub allow_out_of_order: bool,
    /// How many deliveries a second; 1 to 1,000.
    pub per_second: u32,
    /// Chosen by the caller so that a double click is one operation; 1 to [`OPERATION_KEY_CHARS_MAX`] characters.
    pub key: String,
    /// More matches than this need a second person, in one operation, or in several of the same kind and person (as
    /// [`is_same_person`](lienthong_domain::operator::is_same_person) says) within [`APPROVAL_SPAN`]. Those that another
    /// person decided about do not count; of a cancelled one counts what it had moved, whoever decided.
    pub approval_above: u64,
    /// Who asks, why, when.
    pub actor: Actor,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub enum Requested {
    /// Written down now.
    New(Operation),
    /// The same key of the same person, meaning the same: the operation it made.
    Known(Operation),
    /// The same key with another kind, filter or leave to break the order; nothing was written.
    KeyReused,
    /// Nothing parked matches; nothing was written.
    NothingMatches,
}

/// What a person decides about an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may run.
    Approve,
    /// It ends here.
    Cancel,
}

/// What became of a decision.
#[derive(Clone, Debug)]
pub enum Decided {
    /// Carried out, or it stood so already.
    Done(Operation),
    /// Whoever asked for it cannot approve it, whichever way they came in
    /// ([`is_same_person`](lienthong_domain::operator::is_same_person)).
    SamePerson,
    /// It has ended otherwise, so there is nothing to decide.
    Ended(Operation),
    /// There is none of that number.
    NotFound,
}

/// An operation as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Its number.
    pub id: OperationId,
    /// What happens.
    pub kind: OperationKind,
    /// To which; times are bounds on `parked_at`, `parked_until` never later than the request. What was parked later is
    /// not meant, even if a clock that was set back says otherwise.
    pub filter: ParkedFilter,
    /// Whether order may be broken.
    pub allow_out_of_order: bool,
    /// Deliveries a second.
    pub per_second: u32,
    /// Where it stands.
    pub state: OperationState,
    /// Deliveries that matched when it was asked for.
    pub matched: u64,
    /// Deliveries replayed or discarded so far.
    pub moved: u64,
    /// Deliveries left alone: those that would break the order so far, and at the end also those that were no longer
    /// parked, or whose dossier has got another procedure since.
    pub left_alone: u64,
    /// Who asked.
    pub requested_by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub requested_at: Timestamp,
    /// The second person, if one was needed and came, also if somebody cancelled it later; else who cancelled. Whoever
    /// cancels leaves an action in either case. [`ENDED_BY`] where nobody decided for [`APPROVAL_WAIT_MAX`], or it met
    /// a row that cannot be read.
    pub decided_by: Option<String>,
    /// Their words.
    pub decided_reason: Option<String>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// When its last delivery was dealt with.
    pub ended_at: Option<Timestamp>,
}

/// How to take a step.
#[derive(Clone, Copy, Debug)]
pub struct StepTerms {
    /// Our clock.
    pub now: Timestamp,
    /// Most deliveries of one operation in this step.
    pub limit: u32,
    /// Time since the last step over which a rate may be caught up at most; a long pause is no burst.
    pub catch_up_max: Duration,
}

/// What a step did.
#[derive(Clone, Debug, PartialEq)]
pub struct Stepped {
    /// Which operation, as it stands after the step.
    pub operation: Operation,
    /// Deliveries moved in this step.
    pub moved: u32,
}
