//! The dispatcher of items: claims what is due and publishes it, no more than can be asked soon.

use std::time::Duration;

use lienthong_domain::DestinationName;
use lienthong_ports::store::ClaimTerms;
use lienthong_ports::{Message, Published, StoreError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Tools;

/// The wait after a store or broker failure, so that neither is asked in a hot loop.
const FAILURE_PAUSE: Duration = Duration::from_millis(500);

/// What one round did, and so how long to wait for the next.
enum Round {
    /// Something was claimed: look again at once.
    Claimed,
    /// Nothing is due, or nothing may be claimed, for so long; `None` as long as nothing happens.
    Idle(Option<Duration>),
    /// The store or the broker is in trouble.
    Failed,
}

/// Claims and publishes until `stop`.
pub(super) async fn run(tools: Tools, queue: DestinationName, stop: CancellationToken) {
    let mut wakeups = tools.wakeups.clone();
    while !stop.is_cancelled() {
        wakeups.mark_unchanged();
        let round = match round(&tools, &queue).await {
            Ok(round) => round,
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the store cannot be asked for due items of jobs; trying again"
                );
                Round::Failed
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = rest(&tools, &mut wakeups, round) => {}
        }
    }
}

async fn round(tools: &Tools, queue: &DestinationName) -> Result<Round, StoreError> {
    let now = tools.clock.now();
    if let Some(halt) = tools.control.held().max(tools.down()) {
        return Ok(Round::Idle(Some(halt)));
    }
    if !tools.broker.state().connected {
        return Ok(Round::Failed);
    }
    let terms = ClaimTerms {
        now,
        lease: tools.config.lease(),
        window: tools.control.window(),
        batch: tools.config.batch,
    };
    let claimed = tools.store.claim_items(terms).await?;
    if claimed.is_empty() {
        // What is due and was not claimed waits for room in the window, which is told when an item ends.
        let due = tools.store.next_item_due().await?;
        let later = due.filter(|at| *at > now).map(|at| at.duration_since(now));
        return Ok(Round::Idle(
            later.and_then(|wait| Duration::try_from(wait).ok()),
        ));
    }
    publish(tools, queue, &claimed).await
}

/// Publishes claims. Refused ones are given back; unknown ones are left to their lease.
async fn publish(
    tools: &Tools,
    queue: &DestinationName,
    claimed: &[Message],
) -> Result<Round, StoreError> {
    let fates = tools.broker.publish(queue, claimed).await;
    let pairs = claimed.iter().zip(&fates);
    let refused = pairs
        .filter(|(_, fate)| **fate == Published::Refused)
        .map(|(message, _)| *message)
        .collect::<Vec<_>>();
    if refused.is_empty() {
        return Ok(Round::Claimed);
    }
    tools
        .store
        .unclaim_items(&refused, tools.clock.now())
        .await?;
    Ok(Round::Failed)
}

/// Waits for the next round's cause: time, a wake-up of the store, or an item that ended.
async fn rest(tools: &Tools, wakeups: &mut watch::Receiver<u64>, round: Round) {
    let idle = Duration::from_millis(tools.config.idle_ms);
    let pause = match round {
        Round::Claimed => return tokio::task::yield_now().await,
        Round::Failed => return tokio::time::sleep(FAILURE_PAUSE).await,
        Round::Idle(None) => idle,
        Round::Idle(Some(wait)) => wait.clamp(Duration::from_millis(1), idle),
    };
    tokio::select! {
        biased;
        Ok(()) = wakeups.changed() => {}
        () = tools.control.changed.notified() => {}
        () = tokio::time::sleep(pause) => {}
    }
}
