//! The safety nets: leases that ran out, halts ordered elsewhere, and the broker's dead letters.

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::DestinationName;
use lienthong_domain::delivery::ParkReason;
use lienthong_ports::{Queue, StoreError};
use lienthong_telemetry::metrics::OTHER;
use tokio_util::sync::CancellationToken;

use crate::control::Control;
use crate::{FAILURE_PAUSE, Tools};

/// Leases ended in one sweep at most; the next sweep takes the rest.
const SWEEP_MAX: u32 = 500;
/// Dead letters in hand at once.
const REAP_PREFETCH: u16 = 16;

/// Sweeps until `stop`.
pub(crate) async fn run(
    tools: Tools,
    controls: Vec<(DestinationName, Arc<Control>)>,
    stop: CancellationToken,
) {
    let mut tick = tokio::time::interval(Duration::from_millis(tools.config.sweep_ms));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        match sweep(&tools, &controls).await {
            Ok(()) => {}
            Err(StoreError::Closed) => return,
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the sweep for run-out leases failed; it is repeated"
            ),
        }
    }
}

async fn sweep(
    tools: &Tools,
    controls: &[(DestinationName, Arc<Control>)],
) -> Result<(), StoreError> {
    let expired = tools
        .store
        .expire(tools.clock.now(), tools.config.crashes_max, SWEEP_MAX)
        .await?;
    if expired.sent + expired.calling + expired.parked > 0 {
        let metrics = &tools.metrics;
        metrics.expired(expired.sent, expired.calling + expired.parked);
        // A sweep does not say whose they are.
        metrics.parked(OTHER, ParkReason::CrashSuspect, expired.parked);
        tracing::info!(
            expired.sent = expired.sent,
            expired.calling = expired.calling,
            expired.parked = expired.parked,
            "leases ran out: messages lost by the broker, and calls whose worker vanished"
        );
    }
    for row in tools.store.destinations().await? {
        if let Some((_, control)) = controls.iter().find(|(name, _)| *name == row.name) {
            control.set_paused(row.paused.is_some());
        }
    }
    Ok(())
}

/// Parks the deliveries of dead letters until `stop`.
pub(crate) async fn reap(tools: Tools, stop: CancellationToken) {
    let Ok(mut inbox) = tools.broker.consume(Queue::Dead, REAP_PREFETCH).await else {
        return;
    };
    loop {
        let received = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            received = inbox.recv() => received,
        };
        let Some(received) = received else { return };
        match tools
            .store
            .bury(&[received.message], tools.clock.now())
            .await
        {
            Ok(parked) => {
                if parked > 0 {
                    let reason = ParkReason::DeadLettered;
                    tools.metrics.parked(OTHER, reason, parked);
                    tracing::error!(
                        delivery.id = %received.message.delivery,
                        "the broker gave a delivery up; it is parked"
                    );
                }
                received.acknowledge();
            }
            // Not acknowledged: the dead letter stays in the broker until the store can take it.
            Err(_) => tokio::time::sleep(FAILURE_PAUSE).await,
        }
    }
}
