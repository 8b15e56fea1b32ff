//! The operators' side of the store: requests and steps may fail and kill, and each step's moves are noted.

use async_trait::async_trait;
use lienthong_domain::{DeliveryId, Timestamp};
use lienthong_ports::operators::{
    ActionFilter, DayFlow, Decided, Decision, NewOperation, OldestWaiting, Operation, OperationId,
    OperationKind, OverdueDossier, ParkedGroup, Preview, Requested, Sample, SampleKey, SamplePoint,
    SlowDossier, Span, StepTerms, Stepped,
};
use lienthong_ports::store::{Action, Actor, ITEMS_MAX, ParkedFilter};
use lienthong_ports::{OperatorStore, Store as _, StoreError};

use super::SimStore;
use crate::script::Call;

impl SimStore {
    /// The newest action's number.
    async fn newest_action(&self) -> Result<i64, StoreError> {
        let newest = self
            .inner
            .actions_matching(ActionFilter::default(), None, 1);
        Ok(newest.await?.first().map_or(0, |action| action.id))
    }

    /// Notes what the actions after `after` say was moved.
    async fn note_moves(&self, after: i64, now: Timestamp) -> Result<(), StoreError> {
        let mut seen = after;
        loop {
            let actions = self.inner.actions(seen, ITEMS_MAX).await?;
            let Some(last) = actions.last() else {
                return Ok(());
            };
            seen = last.id;
            for action in &actions {
                self.note_move(action, now);
            }
        }
    }

    fn note_move(&self, action: &Action, now: Timestamp) {
        let delivery = || {
            let number = action.subject.trim_start_matches("delivery:");
            DeliveryId(number.parse().expect("a move names its delivery"))
        };
        match action.kind.as_str() {
            "replay" => {
                self.ledger.tell(|| format!("replayed {}", delivery()));
                self.ledger.open().replays.push((delivery(), now));
            }
            "discard" => {
                self.ledger.tell(|| format!("discarded {}", delivery()));
                self.ledger.open().discards.insert(delivery());
            }
            _ => {}
        }
    }
}

#[async_trait]
impl OperatorStore for SimStore {
    async fn preview(
        &self,
        kind: OperationKind,
        filter: ParkedFilter,
        allow_out_of_order: bool,
        items_max: usize,
    ) -> Result<Preview, StoreError> {
        passed_on!(
            self,
            Read,
            preview(kind, filter, allow_out_of_order, items_max)
        )
    }

    async fn request_operation(&self, new: NewOperation) -> Result<Requested, StoreError> {
        passed_on!(self, Operator, request_operation(new))
    }

    async fn decide_operation(
        &self,
        id: OperationId,
        decision: Decision,
        actor: Actor,
    ) -> Result<Decided, StoreError> {
        passed_on!(self, Operator, decide_operation(id, decision, actor))
    }

    async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError> {
        passed_on!(self, Read, operation(id))
    }

    async fn operations(
        &self,
        only_open: bool,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Vec<Operation>, StoreError> {
        passed_on!(self, Read, operations(only_open, before, limit))
    }

    async fn asked_alone(
        &self,
        by: String,
        kind: OperationKind,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        passed_on!(self, Read, asked_alone(by, kind, now))
    }

    async fn step_operations(&self, terms: StepTerms) -> Result<Vec<Stepped>, StoreError> {
        let count = self.before(Call::Operator).await?;
        let before = self.newest_action().await?;
        let stepped = self.inner.step_operations(terms).await?;
        self.note_moves(before, terms.now).await?;
        self.after(Call::Operator, count, stepped).await
    }

    async fn parked_groups(&self, filter: ParkedFilter) -> Result<Vec<ParkedGroup>, StoreError> {
        passed_on!(self, Read, parked_groups(filter))
    }

    async fn oldest_waiting(&self) -> Result<Vec<OldestWaiting>, StoreError> {
        passed_on!(self, Read, oldest_waiting())
    }

    async fn day_flows(&self, days: Span) -> Result<Vec<DayFlow>, StoreError> {
        passed_on!(self, Read, day_flows(days))
    }

    async fn slow_dossiers(
        &self,
        days: Span,
        root: Option<String>,
        limit: usize,
    ) -> Result<Vec<SlowDossier>, StoreError> {
        passed_on!(self, Read, slow_dossiers(days, root, limit))
    }

    async fn overdue_dossiers(
        &self,
        until: Timestamp,
        root: Option<String>,
        limit: usize,
    ) -> Result<Vec<OverdueDossier>, StoreError> {
        passed_on!(self, Read, overdue_dossiers(until, root, limit))
    }

    async fn keep_samples(
        &self,
        minute: Timestamp,
        samples: Vec<Sample>,
    ) -> Result<(), StoreError> {
        passed_on!(self, Operator, keep_samples(minute, samples))
    }

    async fn samples(
        &self,
        keys: Vec<SampleKey>,
        since: Timestamp,
        until: Timestamp,
        points_max: usize,
    ) -> Result<Vec<(SampleKey, Vec<SamplePoint>)>, StoreError> {
        passed_on!(self, Read, samples(keys, since, until, points_max))
    }

    async fn actions_matching(
        &self,
        filter: ActionFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Action>, StoreError> {
        passed_on!(self, Read, actions_matching(filter, before, limit))
    }

    async fn note_action(
        &self,
        kind: &'static str,
        subject: String,
        actor: Actor,
    ) -> Result<(), StoreError> {
        passed_on!(self, Operator, note_action(kind, subject, actor))
    }
}
