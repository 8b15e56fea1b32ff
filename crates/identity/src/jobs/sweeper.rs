//! The safety nets of jobs: leases that ran out, and jobs whose time is over.

use std::time::Duration;

use lienthong_ports::StoreError;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Tools;

/// Leases ended in one sweep at most; the next sweep takes the rest.
const EXPIRE_MAX: u32 = 500;
/// Jobs erased in one sweep at most.
const ERASE_MAX: u32 = 20;

/// Sweeps until `stop`.
pub(super) async fn run(tools: Tools, stop: CancellationToken) {
    let mut tick = tokio::time::interval(Duration::from_millis(tools.config.sweep_ms));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        match sweep(&tools).await {
            Ok(()) => {}
            Err(StoreError::Closed) => return,
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the sweep for run-out leases and old jobs failed; it is repeated"
            ),
        }
    }
}

async fn sweep(tools: &Tools) -> Result<(), StoreError> {
    let now = tools.clock.now();
    let expired = tools.store.expire_items(now, EXPIRE_MAX).await?;
    if expired > 0 {
        tracing::info!(
            count = expired,
            "leases of items ran out: messages lost by the broker, and questions whose worker vanished"
        );
        tools.control.changed.notify_one();
    }
    let erased = tools.store.erase_jobs(now, ERASE_MAX).await?;
    if erased > 0 {
        tracing::info!(
            count = erased,
            "verification jobs were erased, their time being over"
        );
    }
    Ok(())
}
