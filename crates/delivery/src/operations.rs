//! Carries out operations: replays and discards of many parked deliveries, step by step, each at its own pace.
//!
//! Everything about an operation is a row and each step is one transaction, so a killed process goes on where it was.

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::Clock;
use lienthong_ports::operators::{OperationState, StepTerms, Stepped};
use lienthong_ports::{OperatorStore, StoreError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The time between two steps while an operation runs, and the shortest one between two looks for one.
const STEP_INTERVAL: Duration = Duration::from_millis(50);
/// Longest it takes until an operation is noticed whose wake-up got lost.
const IDLE_MAX: Duration = Duration::from_secs(2);
/// Most deliveries that one step moves of one operation: what the fastest moves in two intervals. Small, because provinces
/// wait for the transaction of a step as for any other.
const STEP_DELIVERIES_MAX: u32 = 100;
/// Time over which an operation may catch up after a pause or a restart: one late step, so that no second moves more than
/// half as much again as was asked for.
const CATCH_UP_MAX: Duration = Duration::from_millis(500);
/// Operations looked at to see whether one runs.
const OPEN_LOOKED_AT_MAX: usize = 1_000;

/// Takes the steps of running operations until `stop`. `wakeups` tell that one may have begun.
pub async fn run(
    store: Arc<dyn OperatorStore>,
    mut wakeups: watch::Receiver<u64>,
    clock: Clock,
    stop: CancellationToken,
) {
    loop {
        wakeups.mark_unchanged();
        let runs = match round(&*store, &clock).await {
            Ok(runs) => runs,
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "an operation's step failed and was not taken; it is tried again"
                );
                true
            }
        };
        let rest = async {
            tokio::time::sleep(STEP_INTERVAL).await;
            if !runs {
                // A closed channel means that the store is going; the next round tells.
                let woken = tokio::time::timeout(IDLE_MAX, wakeups.changed()).await;
                drop(woken);
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = rest => {}
        }
    }
}

/// One step of everything that runs; whether anything still does.
async fn round(store: &dyn OperatorStore, clock: &Clock) -> Result<bool, StoreError> {
    // Reading costs nothing; without something to do no transaction is begun.
    let open = store.operations(true, None, OPEN_LOOKED_AT_MAX).await?;
    let runs = |state: OperationState| state == OperationState::Running;
    if !open.iter().any(|operation| runs(operation.state)) {
        return Ok(false);
    }
    let terms = StepTerms {
        now: clock.now(),
        limit: STEP_DELIVERIES_MAX,
        catch_up_max: CATCH_UP_MAX,
    };
    let stepped = store.step_operations(terms).await?;
    stepped.iter().for_each(tell);
    Ok(stepped.iter().any(|step| runs(step.operation.state)))
}

fn tell(step: &Stepped) {
    let operation = &step.operation;
    if !operation.state.is_open() {
        tracing::info!(
            operation.id = operation.id.0,
            operation.kind = operation.kind.name(),
            operation.state = operation.state.name(),
            operation.moved = operation.moved,
            operation.left_alone = operation.left_alone,
            "an operation ended"
        );
    }
}
