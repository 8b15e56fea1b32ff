//! A histogram of atomics: recording takes no lock, and two looks at it tell what came between.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// Counts of values in buckets. Clones share them.
#[derive(Clone)]
pub struct Distribution {
    bounds: &'static [f64],
    shared: Arc<Shared>,
}

struct Shared {
    /// One count per bound, and one for what lies above the last.
    counts: Box<[AtomicU64]>,
    /// The bits of an `f64`.
    sum: AtomicU64,
}

impl Distribution {
    /// An empty one with these upper bounds, ascending and finite.
    pub fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self {
            bounds,
            shared: Arc::new(Shared {
                counts,
                sum: AtomicU64::new(0.0_f64.to_bits()),
            }),
        }
    }

    /// Counts `value`.
    pub fn observe(&self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.shared.counts[bucket].fetch_add(1, Ordering::Relaxed);
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        // The closure never declines.
        let _old = self
            .shared
            .sum
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Counts a time in seconds.
    pub fn observe_time(&self, time: Duration) {
        self.observe(time.as_secs_f64());
    }

    /// How it stands.
    pub fn snapshot(&self) -> Snapshot {
        let counts = self.shared.counts.iter();
        Snapshot {
            bounds: self.bounds,
            counts: counts.map(|count| count.load(Ordering::Relaxed)).collect(),
        }
    }

    fn sum(&self) -> f64 {
        f64::from_bits(self.shared.sum.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Distribution({})", self.snapshot().total())
    }
}

impl EncodeMetric for Distribution {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let snapshot = self.snapshot();
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let buckets = bounds.zip(snapshot.counts.clone()).collect::<Vec<_>>();
        encoder.encode_histogram::<NoLabelSet>(self.sum(), snapshot.total(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// The counts of a [`Distribution`] at one moment, or between two.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    bounds: &'static [f64],
    counts: Vec<u64>,
}

impl Snapshot {
    /// What came after `earlier`, an older look at the same distribution.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let counts = self.counts.iter().zip(&earlier.counts);
        Self {
            bounds: self.bounds,
            counts: counts
                .map(|(now, then)| now.saturating_sub(*then))
                .collect(),
        }
    }

    /// How many values.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The quantile `q` (0 to 1), evenly spread within its bucket; the last bound for values above it, `None` when
    /// there are no values.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts stay far below 2^52, and a quantile of buckets is an estimate anyway"
    )]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let rank = self.total() as f64 * q;
        let mut below = 0.0;
        let mut lower = 0.0;
        for (upper, count) in self.bounds.iter().zip(&self.counts) {
            let count = *count as f64;
            if count > 0.0 && below + count >= rank {
                return Some(lower + (upper - lower) * ((rank - below) / count));
            }
            below += count;
            lower = *upper;
        }
        (self.total() > 0).then_some(lower)
    }
}
