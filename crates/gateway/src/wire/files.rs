//! The participants file: read at start, and again when it changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use lienthong_services::{Registry, Services};
use lienthong_transport::Connections;
use tokio_util::sync::CancellationToken;

/// How often the file is looked at.
const POLL: Duration = Duration::from_secs(5);
/// A participants file may be this large.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Reads the participants file.
pub(crate) fn read_registry(file: &Path) -> anyhow::Result<Registry> {
    let context = || format!("failed to read the participants file {}", file.display());
    let size = std::fs::metadata(file).with_context(context)?.len();
    anyhow::ensure!(
        size <= FILE_BYTES_MAX,
        "{} is larger than 16 MiB",
        file.display()
    );
    let text = std::fs::read_to_string(file).with_context(context)?;
    Registry::parse(&text)
        .map_err(|faults| anyhow::anyhow!("{}:\n  {}", file.display(), faults.join("\n  ")))
}

/// Takes a changed file, and closes the connections of those who may no longer come in. A file with faults
/// changes nothing and is told once.
pub(super) async fn follow_registry(
    file: PathBuf,
    services: Arc<Services>,
    connections: Connections,
    stop: CancellationToken,
) {
    let mut seen = modified(&file);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(POLL) => {}
        }
        let now = modified(&file);
        if now == seen {
            continue;
        }
        seen = now;
        match read_registry(&file) {
            Ok(registry) => {
                services.set_registry(registry);
                let closed = connections.close_where(|peer| {
                    services
                        .caller(&peer.participant, &peer.system, &peer.spki_sha256)
                        .is_err()
                });
                tracing::info!(
                    connections.closed = closed,
                    "the participants file was read again"
                );
            }
            Err(error) => tracing::error!(
                error = format!("{error:#}"),
                "the changed participants file is not taken; the former one stays in force"
            ),
        }
    }
}

fn modified(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file)
        .and_then(|data| data.modified())
        .ok()
}
