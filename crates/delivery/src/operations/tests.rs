use std::sync::Mutex;

use async_trait::async_trait;
use lienthong_domain::Timestamp;
use lienthong_ports::operators::{
    ActionFilter, DayFlow, Decided, Decision, NewOperation, OldestWaiting, Operation, OperationId,
    OperationKind, OverdueDossier, ParkedGroup, Preview, Requested, Sample, SampleKey, SamplePoint,
    SlowDossier, Span,
};
use lienthong_ports::store::{Action, Actor, ParkedFilter};
use tokio::time::Instant;

use super::*;

/// A store that fails every step, and notes when it was asked.
#[derive(Default)]
struct Down {
    asked: Mutex<Vec<Instant>>,
}

const UNASKED: &str = "the loop only takes steps";

#[async_trait]
impl OperatorStore for Down {
    async fn step_operations(&self, _: StepTerms) -> Result<Vec<Stepped>, StoreError> {
        self.asked.lock().unwrap().push(Instant::now());
        Err(StoreError::Busy)
    }

    async fn preview(
        &self,
        _: OperationKind,
        _: ParkedFilter,
        _: bool,
        _: usize,
    ) -> Result<Preview, StoreError> {
        unreachable!("{UNASKED}")
    }

    async fn request_operation(&self, _: NewOperation) -> Result<Requested, StoreError> {
        unreachable!("{UNASKED}")
    }

    async fn decide_operation(
        &self,
        _: OperationId,
        _: Decision,
        _: Actor,
    ) -> Result<Decided, StoreError> {
        unreachable!("{UNASKED}")
    }

    async fn operation(&self, _: OperationId) -> Result<Option<Operation>, StoreError> {
        unreachable!("{UNASKED}")
    }

    async fn operations(
        &self,
        _: bool,
        _: Option<OperationId>,
        _: usize,
    ) -> Result<Vec<Operation>, StoreError> {
        unreachable!("{UNASKED}")
    }

    async fn asked_alone(
        &self,
        _: String,
        _: OperationKind,
        _: Timestamp,
    ) -> Result<u64, StoreError> {
        unreachable!("{UNASKED}")
    }

    async fn parked_groups(&self, _: ParkedFilter) -> Result<Vec<ParkedGroup>, StoreError> {
        unreachable!("{UNASKED}")
    }

    async fn oldest_waiting(&self) -> Result<Vec<OldestWaiting>, StoreError> {
        unreachable!("{UNASKED}")
    }

    async fn day_flows(&self, _: Span) -> Result<Vec<DayFlow>, StoreError> {
        unreachable!("{UNASKED}")
    }

    async fn slow_dossiers(
        &self,
        _: Span,
        _: Option<String>,
        _: usize,
    ) -> Result<Vec<SlowDossier>, StoreError> {
        unreachable!("{UNASKED}")
    }

    async fn overdue_dossiers(
        &self,
        _: Timestamp,
        _: Option<String>,
        _: usize,
    ) -> Result<Vec<OverdueDossier>, StoreError> {
        unreachable!("{UNASKED}")
    }

    async fn keep_samples(&self, _: Timestamp, _: Vec<Sample>) -> Result<(), StoreError> {
        unreachable!("{UNASKED}")
    }

    async fn samples(
        &self,
        _: Vec<SampleKey>,
        _: Timestamp,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<(SampleKey, Vec<SamplePoint>)>, StoreError> {
        unreachable!("{UNASKED}")
    }

    async fn actions_matching(
        &self,
        _: ActionFilter,
        _: Option<i64>,
        _: usize,
    ) -> Result<Vec<Action>, StoreError> {
        unreachable!("{UNASKED}")
    }

    async fn note_action(&self, _: &'static str, _: String, _: Actor) -> Result<(), StoreError> {
        unreachable!("{UNASKED}")
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_left_in_peace_for_a_while() {
    let store = Arc::new(Down::default());
    let (wakeups, woken) = watch::channel(0);
    let stop = CancellationToken::new();
    let running = run(
        store.clone(),
        woken,
        Clock::from_fn(|| Timestamp::UNIX_EPOCH),
        stop.clone(),
    );
    let five_rounds = async {
        let begun = Instant::now();
        while begun.elapsed() < 5 * IDLE_MAX {
            // Wake-ups are no reason to ask a failing store more often.
            wakeups.send_modify(|count| *count += 1);
            tokio::time::sleep(STEP_INTERVAL).await;
        }
        stop.cancel();
    };
    tokio::join!(running, five_rounds);
    let asked = store.asked.lock().unwrap();
    assert!((4..=6).contains(&asked.len()), "{} rounds", asked.len());
    for pair in asked.windows(2) {
        assert!(pair[1] - pair[0] >= IDLE_MAX);
    }
}
