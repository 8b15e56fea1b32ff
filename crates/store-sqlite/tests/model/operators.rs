//! What operators see and do, against the model: operations, previews, what is parked, overdue and counted by day.

use std::collections::BTreeSet;

use lienthong_domain::DeliveryId;
use lienthong_domain::DeliveryState::{self, Calling, Discarded, Done, Parked, Queued, Superseded};
use lienthong_ports::OperatorStore;
use lienthong_ports::conformance::operators::{new_operation, operator, step_terms};
use lienthong_ports::conformance::store::{at, code};
use lienthong_ports::operators::{NewOperation, OperationKind, OperationState, Requested, Span};
use lienthong_ports::store::ParkedFilter;

use crate::{DOSSIERS, Pair};

impl Pair {
    /// One operation to its end: over one parked delivery if `pick` says so, else over all.
    pub(crate) async fn operate(&mut self, kind: OperationKind, allow: bool, pick: Option<usize>) {
        let mut parked = self.model.parked_in_order();
        let mut ids = Vec::new();
        if let Some(pick) = pick
            && !parked.is_empty()
        {
            parked = vec![parked[pick % parked.len()]];
            ids = vec![DeliveryId(self.model.entries[parked[0]].id)];
        }
        let new = NewOperation {
            kind,
            filter: ParkedFilter {
                ids,
                ..ParkedFilter::default()
            },
            allow_out_of_order: allow,
            actor: operator("account:hanh", self.model.now),
            ..new_operation(&format!("{}", self.model.now), self.model.now)
        };
        // A second later, so that the rate permits all of it, and the next key is another one.
        self.model.now += 1;
        let requested = self.store.request_operation(new).await.expect("request");
        let Requested::New(operation) = requested else {
            assert!(parked.is_empty(), "{requested:?}");
            return;
        };
        assert_eq!(operation.matched, parked.len() as u64);
        let now = self.model.now;
        let mut moved = 0;
        for index in parked {
            let may = allow || kind == OperationKind::Discard || !self.model.overtaken(index);
            if may {
                self.model.leave_parking(index, kind, now);
                moved += 1;
            }
        }
        let stepped = self
            .store
            .step_operations(step_terms(now))
            .await
            .expect("step");
        let ended = &stepped[0].operation;
        assert_eq!((stepped.len(), ended.state), (1, OperationState::Done));
        assert_eq!(
            (ended.moved, ended.left_alone),
            (moved, operation.matched - moved)
        );
    }

    /// What an operator is told, without asking for single deliveries.
    pub(crate) async fn compare_operators(&self) {
        let parked = self.model.parked_in_order();
        let kind = OperationKind::Replay;
        let preview = self
            .store
            .preview(kind, ParkedFilter::default(), false, 1_000);
        let preview = preview.await.expect("preview");
        let told: Vec<_> = preview
            .items
            .iter()
            .map(|item| (item.id.0, item.repeats, item.reorders, item.replayed))
            .collect();
        let expected: Vec<_> = parked
            .iter()
            .map(|index| {
                let (entry, later) = (&self.model.entries[*index], self.model.overtaken(*index));
                (entry.id, entry.attempts > 0, later, !later)
            })
            .collect();
        assert_eq!(told, expected);
        let count = |test: &dyn Fn(usize) -> bool| {
            let those = parked.iter().filter(|index| test(**index));
            those.count() as u64
        };
        assert_eq!(preview.matches, parked.len() as u64);
        let repeats = count(&|index| self.model.entries[index].attempts > 0);
        assert_eq!(preview.repeats, repeats);
        let reorders = count(&|index| self.model.overtaken(index));
        assert_eq!(preview.reorders, reorders);
        assert_eq!(preview.behind, self.behind() as u64);
        let groups = self.store.parked_groups(ParkedFilter::default()).await;
        let grouped: u64 = groups
            .expect("groups")
            .iter()
            .map(|group| group.deliveries)
            .sum();
        assert_eq!(grouped, parked.len() as u64);
        self.compare_ages().await;
        self.compare_days().await;
    }

    /// Deliveries that wait behind the first parked one of their lane.
    fn behind(&self) -> usize {
        let lanes = (0..DOSSIERS).map(|dossier| {
            let lane = self.model.lane(dossier);
            let states = lane.iter().map(|index| self.model.entries[*index].state);
            states
                .skip_while(|state| *state != Parked)
                .filter(|state| state.is_waiting())
                .count()
        });
        lanes.sum()
    }

    async fn compare_ages(&self) {
        let heads = self
            .model
            .entries
            .iter()
            .filter(|entry| entry.state.is_waiting() && entry.state != Queued);
        let oldest = heads
            .min_by_key(|entry| entry.id)
            .map(|entry| code(entry.dossier));
        let told = self.store.oldest_waiting().await.expect("oldest");
        assert_eq!(told.first().map(|oldest| oldest.dossier.clone()), oldest);
        let open: BTreeSet<_> = self
            .model
            .entries
            .iter()
            .filter(|entry| !entry.state.is_final())
            .map(|entry| code(entry.dossier).as_str().to_owned())
            .collect();
        let told = self.store.overdue_dossiers(at(1_000_000), None, 10).await;
        let told = told.expect("overdue");
        let told: BTreeSet<_> = told
            .iter()
            .map(|due| due.dossier.as_str().to_owned())
            .collect();
        assert_eq!(told, open);
    }

    async fn compare_days(&self) {
        let days = Span {
            first: "2025-07-01".parse().expect("a date"),
            last: "2025-07-02".parse().expect("a date"),
        };
        let flows = self.store.day_flows(days).await.expect("flows");
        let told = flows.iter().fold([0; 4], |sum, flow| {
            let next = [
                flow.accepted,
                flow.delivered,
                flow.given_up,
                flow.delays.total(),
            ];
            [0, 1, 2, 3].map(|index| sum[index] + next[index])
        });
        let of = |states: &[DeliveryState]| {
            let those = self
                .model
                .entries
                .iter()
                .filter(|entry| states.contains(&entry.state));
            those.count() as u64
        };
        let delivered = of(&[Done]);
        let expected = [
            self.model.entries.len() as u64,
            delivered,
            of(&[Superseded, Discarded]),
            delivered,
        ];
        assert_eq!(told, expected);
    }
}

impl crate::plain::Model {
    pub(crate) fn parked_in_order(&self) -> Vec<usize> {
        let mut parked = self.parked();
        parked.sort_by_key(|index| self.entries[*index].id);
        parked
    }

    /// Whether a later one of its lane was delivered, or is being called.
    pub(crate) fn overtaken(&self, index: usize) -> bool {
        let entry = &self.entries[index];
        self.entries.iter().any(|other| {
            other.dossier == entry.dossier
                && other.sequence > entry.sequence
                && matches!(other.state, Calling | Done)
        })
    }

    fn leave_parking(&mut self, index: usize, kind: OperationKind, now: i64) {
        let entry = &mut self.entries[index];
        match kind {
            OperationKind::Replay => {
                (entry.counted, entry.crashes, entry.next_at) = (0, 0, now);
                entry.state = Queued;
            }
            OperationKind::Discard => entry.state = Discarded,
        }
        let dossier = entry.dossier;
        self.settle(dossier, now);
    }
}
