//! From a span's end to the collector: a bounded queue that never makes anybody wait, and the task that empties it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::EXPORT_TIME_MAX;

/// Most spans that wait to be sent; more are lost and counted.
pub const QUEUE_SPANS_MAX: usize = 8_192;
/// Most spans sent at once.
pub const BATCH_SPANS_MAX: usize = 512;
/// How long the first span of a batch waits for others.
const GATHER_TIME_MAX: Duration = Duration::from_secs(1);
/// How long sending what is left may take after the stop.
const FLUSH_TIME_MAX: Duration = Duration::from_secs(3);
/// Failures are told at most once in this time.
const TELL_INTERVAL: Duration = Duration::from_mins(1);

pub(super) fn queue<E: SpanExporter>(exporter: E) -> (Queue, Sender<E>) {
    let (ended, spans) = mpsc::channel(QUEUE_SPANS_MAX);
    let lost = Arc::new(AtomicU64::new(0));
    let queue = Queue {
        ended,
        lost: lost.clone(),
    };
    let sender = Sender {
        exporter,
        spans,
        lost,
        told_at: None,
    };
    (queue, sender)
}

/// The end of every recorded span.
#[derive(Debug)]
pub(super) struct Queue {
    ended: mpsc::Sender<SpanData>,
    lost: Arc<AtomicU64>,
}

impl SpanProcessor for Queue {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.ended.try_send(span).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        // The sender flushes when it is stopped; waiting for it here would block a thread.
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Sends what has ended. A collector that is down costs its spans and nothing else.
#[derive(Debug)]
pub struct Sender<E> {
    exporter: E,
    spans: mpsc::Receiver<SpanData>,
    lost: Arc<AtomicU64>,
    told_at: Option<Instant>,
}

impl<E: SpanExporter> Sender<E> {
    /// Sends until `stop`, then sends what is left, for a few seconds at most. Stop it last: spans that end later
    /// are lost.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH_SPANS_MAX);
        while self.gather(&mut batch, &stop).await {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH_SPANS_MAX));
            self.send(full).await;
        }
        self.spans.close();
        let flushed = timeout(FLUSH_TIME_MAX, self.flush(batch)).await;
        if flushed.is_err() {
            tracing::warn!("the last spans could not be sent to the collector in time");
        }
    }

    /// Spans lost since they were last told of.
    #[cfg(test)]
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Fills a batch; `false` when it is time to end.
    async fn gather(&mut self, batch: &mut Vec<SpanData>, stop: &CancellationToken) -> bool {
        let mut full_at = None;
        while batch.len() < BATCH_SPANS_MAX {
            let room = BATCH_SPANS_MAX - batch.len();
            let waited = async {
                match full_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return false,
                came = self.spans.recv_many(batch, room) => match came {
                    0 => return false,
                    _ => full_at = full_at.or_else(|| Some(Instant::now() + GATHER_TIME_MAX)),
                },
                () = waited => break,
            }
        }
        true
    }

    async fn flush(&mut self, mut batch: Vec<SpanData>) {
        loop {
            let room = BATCH_SPANS_MAX - batch.len();
            // The queue is closed, so this does not wait.
            if room > 0 {
                self.spans.recv_many(&mut batch, room).await;
            }
            if batch.is_empty() {
                return;
            }
            self.send(std::mem::take(&mut batch)).await;
        }
    }

    async fn send(&mut self, batch: Vec<SpanData>) {
        let count = batch.len() as u64;
        let sent = timeout(EXPORT_TIME_MAX, self.exporter.export(batch)).await;
        let failure = match sent {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(_elapsed) => Some(OTelSdkError::Timeout(EXPORT_TIME_MAX)),
        };
        if failure.is_some() {
            self.lost.fetch_add(count, Ordering::Relaxed);
        }
        self.tell(failure.as_ref());
    }

    /// One line a minute at most, with everything lost since the one before.
    fn tell(&mut self, failure: Option<&OTelSdkError>) {
        let now = Instant::now();
        if self.told_at.is_some_and(|at| now < at + TELL_INTERVAL) {
            return;
        }
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            self.told_at = Some(now);
            tracing::warn!(
                traces.spans_lost = lost,
                error = failure.map(tracing::field::display),
                "spans were lost: the collector did not take them, or not fast enough"
            );
        }
    }
}
