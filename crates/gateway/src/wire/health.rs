//! Keeps the two health names true: whether statuses are accepted, and whether they are delivered.

use std::sync::Arc;
use std::time::Duration;

use lienthong_ports::{Broker, Store};
use lienthong_rpc::Health;
use tokio_util::sync::CancellationToken;

use super::metrics::Ready;

/// How often the parts are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Looks until `stop`. Accepting needs room on the disk; delivering needs the broker.
pub(super) async fn run(
    broker: Arc<dyn Broker>,
    store: Arc<dyn Store>,
    reserve_mib: u64,
    (health, ready): (Health, Ready),
    stop: CancellationToken,
) {
    loop {
        let room = store
            .disk_free_bytes()
            .is_none_or(|free| free >> 20 >= reserve_mib);
        // A gateway that stops says so itself, and must not be contradicted.
        if stop.is_cancelled() {
            return;
        }
        health.set_accepting(room).await;
        ready.set(room);
        let state = broker.state();
        health
            .set_delivering(state.connected && state.blocked_since.is_none())
            .await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}
