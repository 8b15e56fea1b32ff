//! Figures: ages, days, minutes, groups.

use std::time::Duration;

use lienthong_domain::delivery::ParkReason;
use lienthong_domain::{DestinationName, DossierCode, ProcedureCode, Timestamp};

/// Parked deliveries that have the same cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedGroup {
    /// The destination.
    pub destination: DestinationName,
    /// The root code of the agency, such as `H08` or `G22`.
    pub root: String,
    /// Why parked.
    pub reason: ParkReason,
    /// The destination's error code of the last attempt; empty for none.
    pub code: String,
    /// How many.
    pub deliveries: u64,
    /// The earliest parking.
    pub oldest_parked_at: Timestamp,
    /// The latest parking.
    pub newest_parked_at: Timestamp,
}

/// The oldest event of a destination and province that has not been delivered and is not parked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldestWaiting {
    /// The destination.
    pub destination: DestinationName,
    /// The root code of the agency.
    pub root: String,
    /// Its dossier.
    pub dossier: DossierCode,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

/// Days in Vietnam's time (+07), both included, at most 366.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first day.
    pub first: jiff::civil::Date,
    /// The last day.
    pub last: jiff::civil::Date,
}

/// Buckets of a [`DelayHistogram`].
pub const DELAY_BUCKETS: usize = 128;

/// Sync delays (acceptance to delivery), counted in buckets each 20 % wider than the one before: bucket 0 holds up to
/// 1 ms, bucket i up to 1.2^i ms, the last everything longer (about 135 days). So a quantile read from it is at
/// most 20 % too high, never too low.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelayHistogram {
    counts: Box<[u64; DELAY_BUCKETS]>,
}

impl Default for DelayHistogram {
    fn default() -> Self {
        Self {
            counts: Box::new([0; DELAY_BUCKETS]),
        }
    }
}

impl DelayHistogram {
    /// The bucket of a delay.
    pub fn bucket(delay: Duration) -> usize {
        let ms = delay.as_secs_f64() * 1_000.0;
        (0..DELAY_BUCKETS - 1)
            .find(|bucket| ms <= Self::upper_ms(*bucket))
            .unwrap_or(DELAY_BUCKETS - 1)
    }

    /// Adds `count` delays of `bucket`; a bucket out of range counts as the last.
    pub fn add(&mut self, bucket: usize, count: u64) {
        self.counts[bucket.min(DELAY_BUCKETS - 1)] += count;
    }

    /// Adds another histogram.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts.iter()) {
            *mine += theirs;
        }
    }

    /// What was added since `earlier`, an older state of the same histogram.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut grown = self.clone();
        for (mine, theirs) in grown.counts.iter_mut().zip(earlier.counts.iter()) {
            *mine = mine.saturating_sub(*theirs);
        }
        grown
    }

    /// The counts.
    pub fn counts(&self) -> &[u64; DELAY_BUCKETS] {
        &self.counts
    }

    /// How many delays.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The upper bound of the bucket that holds the quantile `q` (0 to 1); `None` when it is empty.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank between 1 and the count; counts stay far below 2^52"
        )]
        let rank = ((total as f64 * q).ceil() as u64).clamp(1, total);
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        bucket.map(|bucket| Duration::from_secs_f64(Self::upper_ms(bucket) / 1_000.0))
    }

    fn upper_ms(bucket: usize) -> f64 {
        1.2_f64.powi(i32::try_from(bucket).unwrap_or(i32::MAX))
    }
}

/// What happened on one day, to one destination, of one province. Events are counted on the day they were accepted;
/// outcomes on the day they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayFlow {
    /// The day in Vietnam's time.
    pub day: jiff::civil::Date,
    /// The destination.
    pub destination: DestinationName,
    /// The root code of the agency.
    pub root: String,
    /// Events accepted (once per destination).
    pub accepted: u64,
    /// Deliveries that reached the destination.
    pub delivered: u64,
    /// Deliveries parked; one that is parked twice counts twice.
    pub parked: u64,
    /// Attempts that failed and were put off.
    pub retried: u64,
    /// Deliveries discarded or superseded.
    pub given_up: u64,
    /// The delays of those delivered.
    pub delays: DelayHistogram,
}

/// A dossier and how late it was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowDossier {
    /// The day of the delivery.
    pub day: jiff::civil::Date,
    /// The destination.
    pub destination: DestinationName,
    /// Its code.
    pub dossier: DossierCode,
    /// Its event.
    pub sequence: i64,
    /// From acceptance to delivery.
    pub delay: Duration,
}

/// A dossier that is due, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverdueDossier {
    /// Its code.
    pub dossier: DossierCode,
    /// Its procedure, where one was named.
    pub procedure: Option<ProcedureCode>,
    /// When its result is due.
    pub due_at: Timestamp,
    /// The lanes of it that still hold something.
    pub lanes: Vec<Lag>,
}

/// What a lane still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lag {
    /// The destination.
    pub destination: DestinationName,
    /// Deliveries not final, parked ones included.
    pub undelivered: u64,
    /// Of these, parked.
    pub parked: u64,
}

/// Which figure: a name of the closed list `services::samples`, and what it is about (a destination, a province, both
/// as `destination/root`, or empty for the whole gateway). Each at most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleKey {
    /// The figure.
    pub name: String,
    /// What it is about.
    pub about: String,
}

/// A figure of one minute.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Which.
    pub key: SampleKey,
    /// How much.
    pub value: f64,
}

/// A figure at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SamplePoint {
    /// The start of the minute, or of the first of the minutes taken together that has a figure.
    pub at: Timestamp,
    /// How much, on average.
    pub value: f64,
    /// The largest of the minutes taken together.
    pub max: f64,
}

/// Which actions.
#[derive(Clone, Debug, Default)]
pub struct ActionFilter {
    /// By whom, exactly.
    pub by: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// About this subject, exactly: a destination, a dossier code, the id of a delivery, `operation:ID`.
    pub subject: Option<String>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}
