//! The dispatcher of one destination: claims what is due and publishes it.

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::{DestinationName, Timestamp};
use lienthong_ports::store::ClaimTerms;
use lienthong_ports::{Message, Published, StoreError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::breaker::Permit;
use crate::control::Control;
use crate::{FAILURE_PAUSE, Tools, spans};

/// What one round did, and so how long to wait for the next.
enum Round {
    /// Something was claimed: look again at once.
    Claimed,
    /// Nothing is due, or nothing may be claimed, before this instant.
    IdleUntil(Option<Timestamp>),
    /// The store or the broker is in trouble.
    Failed,
}

/// Claims and publishes until `stop`.
pub(crate) async fn run(
    tools: Tools,
    destination: DestinationName,
    control: Arc<Control>,
    stop: CancellationToken,
) {
    let mut wakeups = tools.store.wakeups();
    while !stop.is_cancelled() {
        wakeups.mark_unchanged();
        let round = match round(&tools, &destination, &control).await {
            Ok(round) => round,
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::warn!(
                    destination.name = %destination, error = &error as &dyn std::error::Error,
                    "the store cannot be asked for due deliveries; trying again"
                );
                Round::Failed
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = rest(&tools, &control, &mut wakeups, round) => {}
        }
    }
}

async fn round(
    tools: &Tools,
    destination: &DestinationName,
    control: &Control,
) -> Result<Round, StoreError> {
    let now = tools.clock.now();
    let window = match control.permit(now) {
        Permit::Free => tools.config.window,
        Permit::Probe(lanes) => lanes.min(tools.config.window),
        Permit::Wait(until) => return Ok(Round::IdleUntil(Some(until))),
    };
    if control.is_paused() {
        return Ok(Round::IdleUntil(None));
    }
    if !tools.broker.state().connected {
        return Ok(Round::Failed);
    }
    let terms = ClaimTerms {
        now,
        lease: tools.config.lease(),
        window,
        batch: tools.config.claim_batch_max,
    };
    let claimed = tools.store.claim(destination, terms).await?;
    if claimed.is_empty() {
        // What is due and was not claimed waits for room in the window or for the end of a halt. Both are
        // told, so looking again at once would be a hot loop for as long as a call takes.
        let due = tools.store.next_due(destination).await?;
        return Ok(Round::IdleUntil(due.filter(|at| *at > now)));
    }
    publish(tools, destination, &claimed).await
}

/// Publishes claims. Refused ones are given back; unknown ones are left to their lease.
async fn publish(
    tools: &Tools,
    destination: &DestinationName,
    claimed: &[Message],
) -> Result<Round, StoreError> {
    let spans = spans::publishing(&tools.tracer, destination, claimed);
    let fates = tools.broker.publish(destination, claimed).await;
    spans::published(spans, &fates);
    let with = |fate| {
        let pairs = claimed.iter().zip(&fates);
        pairs
            .filter(move |(_, seen)| **seen == fate)
            .map(|(message, _)| *message)
            .collect::<Vec<_>>()
    };
    let (refused, unknown) = (with(Published::Refused), with(Published::Unknown));
    if !unknown.is_empty() {
        tracing::warn!(
            destination.name = %destination, count = unknown.len(),
            "the broker did not say whether it has these messages; their leases will tell"
        );
    }
    if refused.is_empty() {
        return Ok(Round::Claimed);
    }
    tools.store.unclaim(&refused, tools.clock.now()).await?;
    Ok(Round::Failed)
}

/// Waits for the next round's cause: time, a wake-up of the store, or a change in the control.
async fn rest(tools: &Tools, control: &Control, wakeups: &mut watch::Receiver<u64>, round: Round) {
    let idle = Duration::from_millis(tools.config.idle_ms);
    let pause = match round {
        Round::Claimed => return tokio::task::yield_now().await,
        Round::Failed => return tokio::time::sleep(FAILURE_PAUSE).await,
        Round::IdleUntil(None) => idle,
        Round::IdleUntil(Some(at)) => {
            let left = at.duration_since(tools.clock.now());
            Duration::try_from(left)
                .unwrap_or_default()
                .clamp(Duration::from_millis(1), idle)
        }
    };
    tokio::select! {
        biased;
        _ = wakeups.changed() => {}
        () = control.changed.notified() => {}
        () = tokio::time::sleep(pause) => {}
    }
}
