//! Use cases of operators about what is parked: look at it, try out what would happen, ask for it, approve it.

use lienthong_domain::{DeliveryId, ErrorCode, Operator, OperatorRole, Reason};
use lienthong_ports::operators::{
    Decided, Decision, NewOperation, OPERATION_KEY_CHARS_MAX, Operation, OperationId,
    OperationKind, ParkedGroup, Preview, Requested,
};
use lienthong_ports::store::{ITEMS_MAX, Parked, ParkedFilter};

use crate::Services;
use crate::error::Error;
use crate::operators::{invalid, reason_of, require, text};

/// Deliveries that one operation moves a second, unless the request says otherwise.
pub const PER_SECOND_DEFAULT: u32 = 20;
/// Fastest operation that may be asked for.
pub const PER_SECOND_MAX: u32 = 1_000;
/// Most deliveries that a filter may name one by one.
pub const SELECTED_IDS_MAX: usize = 1_000;

/// What is to happen to which parked deliveries.
#[derive(Clone, Debug)]
pub struct OperationRequest {
    /// What is to happen.
    pub kind: OperationKind,
    /// To which.
    pub filter: ParkedFilter,
    /// Replay also those whose successors were delivered.
    pub allow_out_of_order: bool,
    /// Deliveries a second, at most [`PER_SECOND_MAX`]; 0 takes [`PER_SECOND_DEFAULT`].
    pub per_second: u32,
    /// Makes a repeated request one operation, at most [`OPERATION_KEY_CHARS_MAX`] characters; empty makes every
    /// request its own.
    pub key: String,
    /// Why.
    pub reason: String,
}

impl OperationRequest {
    /// Whether [`Services::request_operation`] would take it, as far as nothing is looked up. Returns the pace.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, `INVALID_FIELDS`.
    pub fn check(&self, operator: &Operator) -> Result<u32, Error> {
        require(operator, OperatorRole::Operator)?;
        reason_of(&self.reason)?;
        text("idempotency_key", &self.key, 0, OPERATION_KEY_CHARS_MAX)?;
        self.pace()
    }

    /// Deliveries a second, with the default filled in.
    ///
    /// # Errors
    /// `INVALID_FIELDS`.
    pub fn pace(&self) -> Result<u32, Error> {
        match self.per_second {
            0 => Ok(PER_SECOND_DEFAULT),
            1..=PER_SECOND_MAX => Ok(self.per_second),
            _ => {
                let (min, max) = (0, PER_SECOND_MAX.into());
                Err(invalid("rate_per_second", Reason::OutOfRange { min, max }))
            }
        }
    }
}

impl Services {
    /// Parked deliveries, by id, after `after`.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store.
    pub async fn parked(
        &self,
        operator: &Operator,
        filter: ParkedFilter,
        after: DeliveryId,
        limit: usize,
    ) -> Result<Vec<Parked>, Error> {
        require(operator, OperatorRole::Viewer)?;
        let limit = limit.min(ITEMS_MAX);
        Ok(self.store.parked(filter, after, limit).await?)
    }

    /// What is parked, grouped by its cause; most deliveries first.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store.
    pub async fn parked_groups(
        &self,
        operator: &Operator,
        filter: ParkedFilter,
    ) -> Result<Vec<ParkedGroup>, Error> {
        require(operator, OperatorRole::Viewer)?;
        Ok(self.operators.parked_groups(filter).await?)
    }

    /// What an operation would do, without doing it: exact counts, and the first `items_max` deliveries.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store.
    pub async fn preview(
        &self,
        operator: &Operator,
        kind: OperationKind,
        filter: ParkedFilter,
        allow_out_of_order: bool,
        items_max: usize,
    ) -> Result<Preview, Error> {
        require(operator, OperatorRole::Viewer)?;
        let items_max = items_max.min(ITEMS_MAX);
        let preview = self
            .operators
            .preview(kind, filter, allow_out_of_order, items_max);
        Ok(preview.await?)
    }

    /// Writes an operation down, which then runs by itself, or awaits a second person above the configured number of
    /// deliveries, counting what the same person asked for within 24 hours without one ([`Services::approval`] tells
    /// beforehand). The same key again returns the operation that it made. `None` when nothing parked matches.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, `INVALID_FIELDS`, `OPERATION_KEY_REUSED`, or those of the store.
    pub async fn request_operation(
        &self,
        operator: &Operator,
        request: OperationRequest,
    ) -> Result<Option<Operation>, Error> {
        let per_second = request.check(operator)?;
        let actor = self.actor(operator, OperatorRole::Operator, &request.reason)?;
        let key = match request.key.trim() {
            "" => self.random.event_id(actor.now).to_string(),
            key => key.to_owned(),
        };
        let new = NewOperation {
            kind: request.kind,
            filter: request.filter,
            allow_out_of_order: request.allow_out_of_order,
            per_second,
            key,
            approval_above: self.config.needs_nobody_up_to(request.kind),
            actor,
        };
        match self.operators.request_operation(new).await? {
            Requested::New(operation) => {
                tracing::info!(
                    operation.id = operation.id.0,
                    operation.kind = operation.kind.name(),
                    operation.by = operation.requested_by,
                    count = operation.matched,
                    operation.state = operation.state.name(),
                    "an operation was asked for"
                );
                Ok(Some(operation))
            }
            Requested::Known(operation) => Ok(Some(operation)),
            Requested::KeyReused => Err(Error::new(ErrorCode::OperationKeyReused)),
            Requested::NothingMatches => Ok(None),
        }
    }

    /// Approves an operation or ends it. Doing it twice is harmless.
    ///
    /// # Errors
    /// `NOT_APPROVER` and `SECOND_PERSON_NEEDED` for an approval, `NOT_OPERATOR` for a cancellation, `INVALID_FIELDS`
    /// without a reason, `OPERATION_NOT_FOUND`, `OPERATION_ENDED`, or those of the store.
    pub async fn decide_operation(
        &self,
        operator: &Operator,
        id: OperationId,
        decision: Decision,
        reason: &str,
    ) -> Result<Operation, Error> {
        let needed = match decision {
            Decision::Approve => OperatorRole::Approver,
            Decision::Cancel => OperatorRole::Operator,
        };
        let actor = self.actor(operator, needed, reason)?;
        match self.operators.decide_operation(id, decision, actor).await? {
            Decided::Done(operation) => Ok(operation),
            Decided::SamePerson => Err(Error::new(ErrorCode::SecondPersonNeeded)),
            Decided::Ended(operation) => {
                Err(Error::new(ErrorCode::OperationEnded).with("state", operation.state.name()))
            }
            Decided::NotFound => Err(Error::new(ErrorCode::OperationNotFound)),
        }
    }

    /// One operation.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, `OPERATION_NOT_FOUND`, or those of the store.
    pub async fn operation(
        &self,
        operator: &Operator,
        id: OperationId,
    ) -> Result<Operation, Error> {
        require(operator, OperatorRole::Viewer)?;
        let found = self.operators.operation(id).await?;
        found.ok_or_else(|| Error::new(ErrorCode::OperationNotFound))
    }

    /// Operations, newest first, older than `before`; `only_open`: awaiting or running.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store.
    pub async fn operations(
        &self,
        operator: &Operator,
        only_open: bool,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Vec<Operation>, Error> {
        require(operator, OperatorRole::Viewer)?;
        let limit = limit.min(ITEMS_MAX);
        Ok(self.operators.operations(only_open, before, limit).await?)
    }
}
