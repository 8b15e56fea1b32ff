//! What the promises need: a lane whose deliveries park, and an operator at a desk.

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::{DeliveryId, DossierCode, DossierStatus};

use super::{Opened, Subject};
use crate::conformance::store::{Lane, at, code, destination, offer};
use crate::operators::{
    NewOperation, Operation, OperationId, OperationKind, OperatorStore, Requested, StepTerms,
    Stepped,
};
use crate::store::{Actor, DestinationSpec, Next, ParkedFilter};

/// A store with one destination, `dvcqg`, and an operator.
pub struct Desk {
    /// Its deliveries.
    pub lane: Lane,
    /// Operations and figures.
    pub operators: Arc<dyn OperatorStore>,
}

/// An operator with a reason, at `seconds`.
pub fn operator(by: &str, seconds: i64) -> Actor {
    Actor {
        by: by.into(),
        reason: "đã sửa danh mục thủ tục".into(),
        now: at(seconds),
    }
}

/// A replay of everything parked, fast and without a second person, asked for at `seconds`.
pub fn new_operation(key: &str, seconds: i64) -> NewOperation {
    NewOperation {
        kind: OperationKind::Replay,
        filter: ParkedFilter::default(),
        allow_out_of_order: false,
        per_second: 1_000,
        key: key.into(),
        approval_above: 1_000,
        actor: operator("account:hanh", seconds),
    }
}

/// A step at `seconds` that catches up at most 10 seconds.
pub fn step_terms(seconds: i64) -> StepTerms {
    StepTerms {
        now: at(seconds),
        limit: 100,
        catch_up_max: Duration::from_secs(10),
    }
}

/// A dossier of Hải Phòng.
pub(super) fn other_province(number: u32) -> DossierCode {
    DossierCode::parse(&format!("000.17.22.H24-250701-{number:04}")).expect("a dossier code")
}

impl Desk {
    /// Opens the subject with one destination.
    pub async fn open(subject: &dyn Subject, policy: LanePolicy) -> Self {
        let destination = destination("dvcqg");
        let spec = DestinationSpec {
            name: destination.clone(),
            lane: policy,
        };
        let Opened { operators, store } = subject.open(vec![spec]).await;
        Self {
            lane: Lane { store, destination },
            operators,
        }
    }

    /// Accepts one event of a dossier.
    pub async fn push(&self, dossier: &DossierCode, seconds: i64) {
        let key = format!("{}/{seconds}", dossier.as_str());
        let offer = offer(&key, dossier, DossierStatus::Processing, seconds);
        let receipt = self.lane.offer(offer).await.expect("allowed");
        assert!(!receipt.duplicate, "{key} is new");
    }

    /// Accepts an event of each dossier and parks it a second later; their deliveries, by id.
    pub async fn park_each(&self, numbers: std::ops::Range<u32>, seconds: i64) -> Vec<DeliveryId> {
        let mut parked = Vec::new();
        for number in numbers {
            self.push(&code(number), seconds).await;
            parked.push(self.lane.park(seconds + 1).await);
        }
        parked
    }

    /// Asks for an operation that was not asked for before.
    pub async fn request(&self, new: NewOperation) -> Operation {
        let requested = self.operators.request_operation(new).await;
        let operation = match requested.expect("request") {
            Requested::New(operation) => Some(operation),
            _ => None,
        };
        operation.expect("a new operation")
    }

    /// One step of everything that runs.
    pub async fn step(&self, terms: StepTerms) -> Vec<Stepped> {
        self.operators.step_operations(terms).await.expect("step")
    }

    /// Gives these up, asked for at `seconds` and stepped a second later; how many were.
    pub async fn discard(&self, ids: &[DeliveryId], seconds: i64) -> u32 {
        let discard = NewOperation {
            kind: OperationKind::Discard,
            filter: ParkedFilter {
                ids: ids.to_vec(),
                ..ParkedFilter::default()
            },
            ..new_operation(&format!("discard {seconds}"), seconds)
        };
        self.request(discard).await;
        let stepped = self.step(step_terms(seconds + 1)).await;
        stepped.iter().map(|one| one.moved).sum()
    }

    /// The operation as it stands.
    pub async fn operation(&self, id: OperationId) -> Operation {
        let found = self.operators.operation(id).await.expect("operation");
        found.expect("it was written down")
    }

    /// The ids of what is parked.
    pub async fn parked(&self) -> Vec<DeliveryId> {
        let filter = ParkedFilter::default();
        let parked = self.lane.store.parked(filter, DeliveryId(0), 1_000).await;
        parked.expect("parked").iter().map(|one| one.id).collect()
    }

    /// Claims, begins and delivers everything that is due; the dossiers and sequences in their order.
    pub async fn deliver_all(&self, seconds: i64) -> Vec<(DossierCode, i64)> {
        let mut delivered = Vec::new();
        loop {
            let messages = self.lane.claim(100, seconds).await;
            if messages.is_empty() {
                return delivered;
            }
            for message in messages {
                let work = self.lane.begin(message, seconds).await.expect("fresh");
                assert!(self.lane.finish(message, Next::Done, seconds).await);
                delivered.push((work.dossier, work.sequence));
            }
        }
    }
}
