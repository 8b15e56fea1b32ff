//! Follows the TLS files: polls their stamps, publishes what is good, keeps what was.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{ServerTls, ServerTlsConfig};

/// What tells one version of a file from the next: modification time (seconds, nanoseconds),
/// length and inode; `None` while the file is missing.
pub(crate) type FileStamp = Option<(i64, i64, u64, u64)>;

/// The stamps of all files of a configuration, in a fixed order.
pub(crate) fn stamps(config: &ServerTlsConfig) -> Vec<FileStamp> {
    config
        .files()
        .map(|path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((
                metadata.mtime(),
                metadata.mtime_nsec(),
                metadata.len(),
                metadata.ino(),
            ))
        })
        .collect()
}

/// Polls the files of a [`ServerTls`] and reloads it when one has changed.
#[derive(Debug)]
pub struct Reloader {
    tls: Arc<ServerTls>,
    poll_interval: Duration,
    seen: Vec<FileStamp>,
    failing: bool,
}

impl Reloader {
    /// How often the files are looked at when nothing else is asked for.
    pub const POLL_INTERVAL_DEFAULT: Duration = Duration::from_secs(10);

    /// Follows the files that `tls` was loaded from.
    pub fn new(tls: Arc<ServerTls>, poll_interval: Duration) -> Self {
        let seen = tls.current().stamps.clone();
        Self {
            tls,
            poll_interval,
            seen,
            failing: false,
        }
    }

    /// Runs until `stop` is cancelled.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.poll_interval) => {}
            }
            // File access and key checks block, so they leave the runtime's threads alone.
            let polled = tokio::task::spawn_blocking(move || {
                self.poll();
                self
            });
            match polled.await {
                Ok(reloader) => self = reloader,
                Err(error) => {
                    tracing::error!(%error, "TLS files are no longer followed");
                    return;
                }
            }
        }
    }

    /// One look. A failed reload is tried again at each look, because the fault may lie in the
    /// clock or in a pair of files being replaced one by one; it is logged once per version.
    fn poll(&mut self) {
        let now = stamps(&self.tls.config);
        let changed = now != self.seen;
        if !changed && !self.failing {
            return;
        }
        self.seen = now;
        match self.tls.reload() {
            Ok(()) => {
                self.failing = false;
                let not_after = self.tls.not_after();
                tracing::info!(tls.not_after = %not_after, "TLS files reloaded");
            }
            Err(error) if changed || !self.failing => {
                self.failing = true;
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "TLS files changed but are not usable; the settings in force stay"
                );
            }
            Err(_logged_before) => {}
        }
    }
}
