//! The operators' side of the store as the rest of the gateway sees it.

use async_trait::async_trait;
use lienthong_domain::Timestamp;
use lienthong_ports::operators::{
    ActionFilter, DayFlow, Decided, Decision, NewOperation, OldestWaiting, Operation, OperationId,
    OperationKind, OverdueDossier, ParkedGroup, Preview, Requested, Sample, SampleKey, SamplePoint,
    SlowDossier, Span, StepTerms, Stepped,
};
use lienthong_ports::store::{Action, Actor, ParkedFilter};
use lienthong_ports::{OperatorStore, StoreError};

use super::SqliteStore;
use crate::threads::Kind;

#[async_trait]
impl OperatorStore for SqliteStore {
    async fn preview(
        &self,
        kind: OperationKind,
        filter: ParkedFilter,
        allow_out_of_order: bool,
        items_max: usize,
    ) -> Result<Preview, StoreError> {
        self.query(move |queries| queries.preview(kind, &filter, allow_out_of_order, items_max))
            .await
    }

    async fn request_operation(&self, new: NewOperation) -> Result<Requested, StoreError> {
        self.write(Kind::Work, 1, move |core| core.request_operation(&new))
            .await
    }

    async fn decide_operation(
        &self,
        id: OperationId,
        decision: Decision,
        actor: Actor,
    ) -> Result<Decided, StoreError> {
        self.write(Kind::Work, 1, move |core| {
            core.decide_operation(id, decision, &actor)
        })
        .await
    }

    async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError> {
        self.query(move |queries| queries.operation(id)).await
    }

    async fn operations(
        &self,
        only_open: bool,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Vec<Operation>, StoreError> {
        self.query(move |queries| queries.operations(only_open, before, limit))
            .await
    }

    async fn asked_alone(
        &self,
        by: String,
        kind: OperationKind,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.query(move |queries| queries.asked_alone(&by, kind, now))
            .await
    }

    async fn step_operations(&self, terms: StepTerms) -> Result<Vec<Stepped>, StoreError> {
        let due = self
            .query(move |queries| queries.operations_to_step(terms.now))
            .await?;
        let mut stepped = Vec::with_capacity(due.len());
        for id in due {
            let step = self
                .write(Kind::Work, 1, move |core| core.step_operation(id, terms))
                .await;
            match step {
                Ok(step) => stepped.extend(step),
                Err(error @ StoreError::Corrupt { .. }) => {
                    self.break_off(id, &error, terms).await?;
                }
                // What was stepped is committed and has to be told; what failed is met again in the next round.
                Err(_) if !stepped.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(stepped)
    }

    async fn parked_groups(&self, filter: ParkedFilter) -> Result<Vec<ParkedGroup>, StoreError> {
        self.query(move |queries| queries.parked_groups(&filter))
            .await
    }

    async fn oldest_waiting(&self) -> Result<Vec<OldestWaiting>, StoreError> {
        self.query(|queries| queries.oldest_waiting()).await
    }

    async fn day_flows(&self, days: Span) -> Result<Vec<DayFlow>, StoreError> {
        self.query(move |queries| queries.day_flows(days)).await
    }

    async fn slow_dossiers(
        &self,
        days: Span,
        root: Option<String>,
        limit: usize,
    ) -> Result<Vec<SlowDossier>, StoreError> {
        self.query(move |queries| queries.slow_dossiers(days, root.as_deref(), limit))
            .await
    }

    async fn overdue_dossiers(
        &self,
        until: Timestamp,
        root: Option<String>,
        limit: usize,
    ) -> Result<Vec<OverdueDossier>, StoreError> {
        self.query(move |queries| queries.overdue_dossiers(until, root.as_deref(), limit))
            .await
    }

    async fn keep_samples(
        &self,
        minute: Timestamp,
        samples: Vec<Sample>,
    ) -> Result<(), StoreError> {
        self.write(Kind::Work, 1, move |core| {
            core.keep_samples(minute, &samples)
        })
        .await
    }

    async fn samples(
        &self,
        keys: Vec<SampleKey>,
        since: Timestamp,
        until: Timestamp,
        points_max: usize,
    ) -> Result<Vec<(SampleKey, Vec<SamplePoint>)>, StoreError> {
        self.query(move |queries| queries.samples(keys, since, until, points_max))
            .await
    }

    async fn actions_matching(
        &self,
        filter: ActionFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Action>, StoreError> {
        self.query(move |queries| queries.actions_matching(&filter, before, limit))
            .await
    }

    async fn note_action(
        &self,
        kind: &'static str,
        subject: String,
        actor: Actor,
    ) -> Result<(), StoreError> {
        self.write(Kind::Work, 1, move |core| core.act(&actor, kind, &subject))
            .await
    }
}

impl SqliteStore {
    /// Ends an operation that met a bad row: the row stays bad, and the other operations go on.
    async fn break_off(
        &self,
        id: OperationId,
        error: &StoreError,
        terms: StepTerms,
    ) -> Result<(), StoreError> {
        tracing::error!(
            error = error as &dyn std::error::Error,
            operation.id = id.0,
            "an operation met a row that cannot be read and was cancelled"
        );
        let reason = error.to_string();
        self.write(Kind::Work, 1, move |core| {
            core.break_off_operation(id, &reason, terms.now)
        })
        .await
    }
}

#[cfg(test)]
mod tests;
