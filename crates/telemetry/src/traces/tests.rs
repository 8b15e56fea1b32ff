use std::sync::{Arc, Mutex};

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SpanData;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::*;

/// A collector in memory, which fails or hangs when told to.
#[derive(Clone, Debug, Default)]
struct Collector(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    spans: Vec<SpanData>,
    batches: Vec<usize>,
    fails: bool,
    takes: Duration,
}

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let takes = self.0.lock().unwrap().takes;
        sleep(takes).await;
        let mut seen = self.0.lock().unwrap();
        seen.batches.push(batch.len());
        if seen.fails {
            return Err(OTelSdkError::InternalFailure("down".to_owned()));
        }
        seen.spans.extend(batch);
        Ok(())
    }
}

impl Collector {
    fn tracer(&self, ratio: f64) -> (Tracer, Sender<Self>) {
        let service = Service {
            name: "lienthong",
            version: "1",
            instance: "test".to_owned(),
        };
        Tracer::new(self.clone(), &service, ratio)
    }

    /// Sends what has ended, and returns everything that came.
    async fn spans(&self, sender: Sender<Self>) -> Vec<SpanData> {
        let stop = CancellationToken::new();
        stop.cancel();
        sender.run(stop).await;
        self.0.lock().unwrap().spans.clone()
    }
}

fn caller(sampled: bool) -> TraceContext {
    TraceContext {
        trace_id: [7; 16],
        span_id: [9; 8],
        sampled,
    }
}

#[tokio::test(start_paused = true)]
async fn children_stay_in_the_callers_trace() {
    let collector = Collector::default();
    // The caller decides for its own trace, whatever the share of ours is.
    let (tracer, sender) = collector.tracer(0.0);
    let accept = tracer.span("accept", SpanKind::Server, Some(caller(true)));
    let context = accept.context().unwrap();
    assert_eq!((context.trace_id, context.sampled), ([7; 16], true));
    let mut deliver = tracer.span("deliver", SpanKind::Consumer, Some(context));
    deliver.link(caller(true));
    deliver.set(Fact::Attempt(2));
    deliver.fail("refused");
    drop(deliver);
    drop(accept);

    let spans = collector.spans(sender).await;
    let [deliver, accept] = spans.as_slice() else {
        panic!("{spans:?}")
    };
    assert_eq!(accept.parent_span_id.to_bytes(), [9; 8]);
    assert!(accept.parent_span_is_remote);
    assert_eq!(deliver.parent_span_id, accept.span_context.span_id());
    assert_eq!(deliver.links.len(), 1);
    assert_eq!(deliver.status, Status::error("refused"));
    assert_eq!(
        deliver.attributes,
        [KeyValue::new("delivery.attempt", 2_i64)]
    );
}

#[tokio::test(start_paused = true)]
async fn an_unsampled_parent_records_nothing_and_its_trace_goes_on() {
    let collector = Collector::default();
    let (tracer, sender) = collector.tracer(1.0);
    let mut span = tracer.span("accept", SpanKind::Server, Some(caller(false)));
    span.set(Fact::Attempt(1));
    let context = span.context().unwrap();
    assert_eq!((context.trace_id, context.sampled), ([7; 16], false));
    assert_eq!(span.id(), None);
    drop(span);
    assert!(collector.spans(sender).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn of_traces_that_begin_here_the_ratio_decides() {
    for (ratio, expected) in [(0.0, 0), (1.0, 20)] {
        let collector = Collector::default();
        let (tracer, sender) = collector.tracer(ratio);
        for _ in 0..20 {
            drop(tracer.span("accept", SpanKind::Server, None));
        }
        assert_eq!(collector.spans(sender).await.len(), expected);
    }
}

#[test]
fn a_tracer_that_is_off_hands_the_callers_trace_on() {
    let span = Tracer::off().span("accept", SpanKind::Server, Some(caller(true)));
    assert_eq!(span.context(), Some(caller(true)));
    assert_eq!(span.id(), None);
    let span = Tracer::off().span("accept", SpanKind::Server, None);
    assert_eq!(span.context(), None);
}

#[tokio::test(start_paused = true)]
async fn batches_are_bounded_and_soon() {
    let collector = Collector::default();
    let (tracer, sender) = collector.tracer(1.0);
    for _ in 0..BATCH_SPANS_MAX + 3 {
        drop(tracer.span("accept", SpanKind::Server, None));
    }
    let stop = CancellationToken::new();
    let (seen, stopped) = (collector.clone(), stop.clone());
    let watch = async move {
        // No stop is needed for the last three.
        while seen.0.lock().unwrap().spans.len() < BATCH_SPANS_MAX + 3 {
            sleep(Duration::from_millis(10)).await;
        }
        stopped.cancel();
    };
    let began = Instant::now();
    tokio::join!(sender.run(stop), watch);
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(collector.0.lock().unwrap().batches, [BATCH_SPANS_MAX, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_hangs_delays_neither_spans_nor_the_stop() {
    let collector = Collector::default();
    collector.0.lock().unwrap().takes = Duration::from_hours(1);
    let (tracer, sender) = collector.tracer(1.0);
    let began = Instant::now();
    for _ in 0..2 * QUEUE_SPANS_MAX {
        drop(tracer.span("accept", SpanKind::Server, None));
    }
    assert_eq!(began.elapsed(), Duration::ZERO, "nobody waits");
    let lost = sender.lost();
    assert_eq!(
        lost, QUEUE_SPANS_MAX as u64,
        "what exceeds the queue is counted"
    );
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let stopping = async move {
        sleep(Duration::from_mins(1)).await;
        stopped.cancel();
        Instant::now()
    };
    let ((), stopped_at) = tokio::join!(sender.run(stop), stopping);
    assert!(stopped_at.elapsed() <= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_refuses_is_told_once_a_minute() {
    let (log, written) = crate::log::tests::captured("info");
    let _log = tracing::subscriber::set_default(log);
    let collector = Collector::default();
    collector.0.lock().unwrap().fails = true;
    let (tracer, sender) = collector.tracer(1.0);
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let work = async move {
        // Fifty seconds, a span each.
        for _ in 0..50 {
            drop(tracer.span("accept", SpanKind::Server, None));
            sleep(Duration::from_secs(1)).await;
        }
        stopped.cancel();
    };
    tokio::join!(sender.run(stop), work);
    let lines = written.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(
        lines[0]["message"].as_str().unwrap().split(':').next(),
        Some("spans were lost")
    );
}
