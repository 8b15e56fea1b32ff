//! What operators need of the store beside [`crate::Store`]: operations on many parked deliveries, groups of what is
//! parked, ages, figures by day for reports, figures by minute for charts, and the record of actions.
//!
//! An operation is a row: what somebody asked to happen to many parked deliveries. A worker carries it out in small
//! steps at its pace, each step of one operation one transaction that moves deliveries and the operation's cursor together. So a
//! killed process goes on where it was, and nothing is done twice.
//!
//! ```text
//! request ──(above the limit that needs a second person)──> AwaitingApproval ──approve──┐
//!        └───────────────────────────────────────────────────────> Running <────────────┘
//!                                                                    │ step, step, ...
//!          cancel: from AwaitingApproval or Running ──> Cancelled    └──> Done
//! ```

mod figures;
mod operation;

use async_trait::async_trait;
use lienthong_domain::Timestamp;

pub use self::figures::{
    ActionFilter, DELAY_BUCKETS, DayFlow, DelayHistogram, Lag, OldestWaiting, OverdueDossier,
    ParkedGroup, Sample, SampleKey, SamplePoint, SlowDossier, Span,
};
pub use self::operation::{
    APPROVAL_SPAN, APPROVAL_WAIT_MAX, Decided, Decision, ENDED_BY, NewOperation,
    OPERATION_KEY_CHARS_MAX, Operation, OperationId, OperationKind, OperationState, Preview,
    Requested, StepTerms, Stepped,
};
use crate::store::{Action, Actor, ParkedFilter, StoreError};

/// Keeps operations and figures. Lists are bounded by [`crate::store::ITEMS_MAX`].
#[async_trait]
pub trait OperatorStore: Send + Sync {
    /// What an operation over `filter` would do, without doing it: exact counts, and the first `items_max` deliveries.
    async fn preview(
        &self,
        kind: OperationKind,
        filter: ParkedFilter,
        allow_out_of_order: bool,
        items_max: usize,
    ) -> Result<Preview, StoreError>;

    /// Writes an operation down, with an action row. Its selection is what `filter` matches of what is parked now:
    /// later arrivals are not touched. A `key` that was used before by the same person, with the same kind, filter and
    /// leave to break the order, returns that operation.
    /// It awaits approval where it matches more deliveries than `new.approval_above`, together with what the same
    /// person asked for within [`APPROVAL_SPAN`] without needing anybody; read and written in one transaction.
    async fn request_operation(&self, new: NewOperation) -> Result<Requested, StoreError>;

    /// Approves or cancels, with an action row. Whoever asked cannot approve ([`Decided::SamePerson`]). A cancellation of
    /// what was approved leaves the approver in the row.
    async fn decide_operation(
        &self,
        id: OperationId,
        decision: Decision,
        actor: Actor,
    ) -> Result<Decided, StoreError>;

    /// One operation.
    async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError>;

    /// Operations, newest first, older than `before`; `only_open`: awaiting or running.
    async fn operations(
        &self,
        only_open: bool,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Vec<Operation>, StoreError>;

    /// Deliveries that the person `by` asked for within [`APPROVAL_SPAN`] before `now` and that nobody else decided about; of a
    /// cancelled operation those that it had moved. [`Self::request_operation`] counts them together with a new one's.
    async fn asked_alone(
        &self,
        by: String,
        kind: OperationKind,
        now: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Takes the next step of every running operation (of 50, those stepped longest ago, where more run), each in a
    /// transaction of its own: moves at most `terms.limit` deliveries of each, in the order of their ids (so of one
    /// dossier in order), one at once and then never more than its rate allows, and never more than matched; one action
    /// row per delivery, and one for the end of an operation. A replayed delivery is Ready at `terms.now` (Queued, where
    /// its lane has another head), attempts and crashes counted from 0; a discarded one releases its lane.
    ///
    /// What has awaited approval for [`APPROVAL_WAIT_MAX`] is cancelled by [`ENDED_BY`] and is among the answers; so is
    /// what met a row that cannot be read, without being among them. Where there is nothing to do, nothing is written.
    async fn step_operations(&self, terms: StepTerms) -> Result<Vec<Stepped>, StoreError>;

    /// What is parked, grouped by destination, province, reason and code; most deliveries first.
    async fn parked_groups(&self, filter: ParkedFilter) -> Result<Vec<ParkedGroup>, StoreError>;

    /// The oldest undelivered, unparked event of each destination and province that has one. An event behind a
    /// parked one that holds its lane is not among them: it waits for an operator.
    async fn oldest_waiting(&self) -> Result<Vec<OldestWaiting>, StoreError>;

    /// Exact counts per day (+07), destination and province, counted in the transactions themselves; those that have
    /// any, by day, destination and province. Bounded by the days, not by [`crate::store::ITEMS_MAX`].
    async fn day_flows(&self, days: Span) -> Result<Vec<DayFlow>, StoreError>;

    /// The slowest delivered dossiers of those days, slowest first, at most `limit` per province (`root`: of one). Of
    /// each day, destination and province the slowest 20 are kept, each dossier with its worst delay.
    async fn slow_dossiers(
        &self,
        days: Span,
        root: Option<String>,
        limit: usize,
    ) -> Result<Vec<SlowDossier>, StoreError>;

    /// Dossiers whose due instant is before `until` and of which something is not final, earliest due first. When a
    /// dossier is due is what its newest details say that name an instant, also after an erasure.
    async fn overdue_dossiers(
        &self,
        until: Timestamp,
        root: Option<String>,
        limit: usize,
    ) -> Result<Vec<OverdueDossier>, StoreError>;

    /// Keeps the figures of one minute (overwrites it) and forgets those of more than 30 days before it.
    async fn keep_samples(&self, minute: Timestamp, samples: Vec<Sample>)
    -> Result<(), StoreError>;

    /// The figures of `keys` from `since` until before `until`, oldest first, thinned to at most `points_max` points of
    /// equal width per key: the mean and the maximum of each.
    async fn samples(
        &self,
        keys: Vec<SampleKey>,
        since: Timestamp,
        until: Timestamp,
        points_max: usize,
    ) -> Result<Vec<(SampleKey, Vec<SamplePoint>)>, StoreError>;

    /// Actions, newest first, older than `before`.
    async fn actions_matching(
        &self,
        filter: ActionFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Action>, StoreError>;

    /// Writes an action row for what happened outside the store (a sign-in, a changed log level). As it has happened
    /// already, nothing is decided here; roles are the caller's business.
    async fn note_action(
        &self,
        kind: &'static str,
        subject: String,
        actor: Actor,
    ) -> Result<(), StoreError>;
}
