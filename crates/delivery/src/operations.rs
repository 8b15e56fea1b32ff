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
/// Longest it takes until an operation is noticed whose wake-up got lost, and the time after a failure.
const IDLE_MAX: Duration = Duration::from_secs(2);
/// Most deliveries that one step moves of one operation: what the fastest moves in two intervals. Small, because provinces
/// wait for the transaction of a step as for any other.
const STEP_DELIVERIES_MAX: u32 = 100;
/// Time over which an operation may catch up after a pause or a restart: one late step, so that no second moves more than
/// half as much again as was asked for.
const CATCH_UP_MAX: Duration = Duration::from_millis(500);

/// Takes the steps of running operations until `stop`. `wakeups` tell that one may have begun.
pub async fn run(
    store: Arc<dyn OperatorStore>,
    mut wakeups: watch::Receiver<u64>,
    clock: Clock,
    stop: CancellationToken,
) {
    let mut failing = false;
    loop {
        wakeups.mark_unchanged();
        let next = match round(&*store, &clock).await {
            Ok(next) => {
                failing = false;
                next
            }
            Err(StoreError::Closed) => return,
            Err(error) => {
                // A store that is down stays so for a while: it is told once, until a step was taken again.
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "a step of operations failed and was not taken; it is tried again"
                    );
                }
                Next::AfterFailure
            }
        };
        let rest = async {
            match next {
                Next::Step => tokio::time::sleep(STEP_INTERVAL).await,
                Next::AfterFailure => tokio::time::sleep(IDLE_MAX).await,
                Next::WhenWoken => {
                    tokio::time::sleep(STEP_INTERVAL).await;
                    // A closed channel means that the store is going; the next round tells.
                    let woken = tokio::time::timeout(IDLE_MAX, wakeups.changed()).await;
                    drop(woken);
                }
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = rest => {}
        }
    }
}

/// When to look again.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// Something runs.
    Step,
    /// Nothing runs.
    WhenWoken,
    /// The store failed.
    AfterFailure,
}

/// One step of everything that runs. Where nothing does, the store writes nothing.
async fn round(store: &dyn OperatorStore, clock: &Clock) -> Result<Next, StoreError> {
    let terms = StepTerms {
        now: clock.now(),
        limit: STEP_DELIVERIES_MAX,
        catch_up_max: CATCH_UP_MAX,
    };
    let stepped = store.step_operations(terms).await?;
    stepped.iter().for_each(tell);
    let mut states = stepped.iter().map(|step| step.operation.state);
    Ok(if states.any(|state| state == OperationState::Running) {
        Next::Step
    } else {
        Next::WhenWoken
    })
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

#[cfg(test)]
mod tests;
