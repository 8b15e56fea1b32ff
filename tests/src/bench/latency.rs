//! How long calls take that some callers make one after the other.

use std::ops::Range;

use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::figure;

/// Latencies are kept in microseconds with three digits, up to a minute.
const LATENCY_US_MAX: u64 = 60_000_000;

/// What some callers met.
#[derive(Clone, Copy)]
pub(super) struct Latency {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) calls_per_second: f64,
}

/// `count` callers share `places` evenly; each has one call at a time. `call` gets the caller's number and the place.
pub(super) async fn of_callers<Call, Answer>(
    count: usize,
    places: Range<usize>,
    call: Call,
) -> anyhow::Result<Latency>
where
    Call: Fn(usize, usize) -> Answer + Clone + Send + 'static,
    Answer: Future<Output = anyhow::Result<()>> + Send,
{
    let mut running = JoinSet::new();
    let began = Instant::now();
    for number in 0..count {
        let (call, places) = (call.clone(), places.clone());
        running.spawn(async move {
            let mut latencies = histogram()?;
            for place in places.skip(number).step_by(count) {
                let began = Instant::now();
                call(number, place).await?;
                record(&mut latencies, began)?;
            }
            anyhow::Ok(latencies)
        });
    }
    let mut all = histogram()?;
    while let Some(ended) = running.join_next().await {
        all.add(ended??)?;
    }
    Ok(Latency::of(&all, all.len(), began))
}

impl Latency {
    /// The figures of `calls` since `began`.
    pub(super) fn of(latencies: &Histogram<u64>, calls: u64, began: Instant) -> Self {
        let seconds = began.elapsed().as_secs_f64();
        let milliseconds = |quantile| figure(latencies.value_at_quantile(quantile)) / 1_000.0;
        Self {
            p50_ms: milliseconds(0.5),
            p99_ms: milliseconds(0.99),
            calls_per_second: figure(calls) / seconds,
        }
    }
}

pub(super) fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_max(LATENCY_US_MAX, 3)?)
}

/// Takes a call down that began then and has ended now.
pub(super) fn record(latencies: &mut Histogram<u64>, began: Instant) -> anyhow::Result<()> {
    let micros = u64::try_from(began.elapsed().as_micros())?;
    Ok(latencies.record(micros.min(LATENCY_US_MAX))?)
}
