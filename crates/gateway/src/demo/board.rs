//! What all parts of the demo tell and read while it runs: the ledger, latencies, counts per province.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::ledger::Ledger;

/// The longest answer that is told apart, in microseconds: an hour.
const ANSWER_US_MAX: u64 = 3_600_000_000;

/// Open dossiers remembered of each province, for questions that serve one.
const OPEN_DOSSIERS_MAX: usize = 64;

/// A histogram of three significant digits that tells values up to `most` apart. Bounds are named because
/// one that grows by itself does not grow under `saturating_record`.
pub(super) fn histogram(most: u64) -> Histogram<u64> {
    Histogram::new_with_bounds(1, most, 3)
        .expect("three digits between 1 and a larger number are possible")
}

/// Shared by the provinces, the view and the summary.
pub(super) struct Board(Mutex<State>);

/// Behind the lock, which is never held over a wait.
pub(super) struct State {
    /// Acknowledged against recorded.
    pub(super) ledger: Ledger,
    /// From sending an event to its receipt, in microseconds.
    pub(super) accept_us: Histogram<u64>,
    /// One per province, in their order.
    pub(super) provinces: Vec<ProvinceCounts>,
    /// Open dossiers of each province, the newest last.
    pub(super) open: Vec<VecDeque<String>>,
    /// What came of questions about citizens.
    pub(super) citizens: CitizenCounts,
}

/// What came of questions about citizens.
pub(super) struct CitizenCounts {
    /// Verifications answered, whatever the answer.
    pub(super) verified: u64,
    /// Look-ups answered with a record.
    pub(super) looked_up: u64,
    /// Questions refused: no grant, no dossier, over a quota.
    pub(super) refused: u64,
    /// Questions without an answer: the database was down or late.
    pub(super) failed: u64,
    /// Records that showed a field no grant names. Must stay 0.
    pub(super) disclosed_outside_grant: u64,
    /// From question to answer, in microseconds.
    pub(super) answer_us: Histogram<u64>,
}

impl CitizenCounts {
    fn new() -> Self {
        Self {
            verified: 0,
            looked_up: 0,
            refused: 0,
            failed: 0,
            disclosed_outside_grant: 0,
            answer_us: histogram(ANSWER_US_MAX),
        }
    }

    /// Notes a verification.
    pub(super) fn verified(&mut self, took: Duration) {
        self.verified += 1;
        self.took(took);
    }

    /// Notes a look-up, and whether it showed too much.
    pub(super) fn looked_up(&mut self, took: Duration, outside_grant: bool) {
        self.looked_up += 1;
        self.disclosed_outside_grant += u64::from(outside_grant);
        self.took(took);
    }

    /// Notes a question without an answer.
    pub(super) fn refused(&mut self, code: tonic::Code) {
        match code {
            tonic::Code::Unavailable | tonic::Code::DeadlineExceeded | tonic::Code::Internal => {
                self.failed += 1;
            }
            _ => self.refused += 1,
        }
    }

    fn took(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.answer_us.saturating_record(micros);
    }
}

/// What one province has sent and got back.
#[derive(Clone, Debug, Default)]
pub(super) struct ProvinceCounts {
    /// Its name, such as `H21 Tỉnh Gia Lai`.
    pub(super) name: String,
    /// Events acknowledged for the first time.
    pub(super) accepted: u64,
    /// Receipts that said "known already".
    pub(super) duplicates: u64,
    /// Events kept in the timeline only.
    pub(super) late: u64,
    /// Events refused for good.
    pub(super) refused: u64,
    /// Events refused for the moment, and sent again.
    pub(super) pushed_back: u64,
    /// Repeated events whose receipt was not the first one's.
    pub(super) receipt_mismatches: u64,
    /// Times the connection had to be made again.
    pub(super) reconnects: u64,
}

/// Percentiles in milliseconds; `None` when nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Percentiles {
    /// Half are faster.
    pub(super) p50: Option<f64>,
    /// One in a hundred is slower.
    pub(super) p99: Option<f64>,
    /// The slowest.
    pub(super) max: Option<f64>,
}

impl Board {
    /// An empty board for these provinces.
    pub(super) fn new(names: impl Iterator<Item = String>) -> Self {
        let counts = |name| ProvinceCounts {
            name,
            ..ProvinceCounts::default()
        };
        let provinces = names.map(counts).collect::<Vec<_>>();
        Self(Mutex::new(State {
            ledger: Ledger::new(),
            accept_us: histogram(ANSWER_US_MAX),
            open: provinces.iter().map(|_| VecDeque::new()).collect(),
            provinces,
            citizens: CitizenCounts::new(),
        }))
    }

    /// The state. Sums stay sums when somebody panicked, so poison is no reason to stop.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Notes how long an answer took.
    pub(super) fn answered_after(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.accept_us.saturating_record(micros);
    }

    /// Notes that a province has an open dossier; the oldest known makes room.
    pub(super) fn opened(&mut self, province: usize, dossier: &str) {
        let open = &mut self.open[province];
        if !open.iter().any(|known| known == dossier) {
            if open.len() == OPEN_DOSSIERS_MAX {
                open.pop_front();
            }
            open.push_back(dossier.to_owned());
        }
    }

    /// Notes that a dossier of a province is closed.
    pub(super) fn closed(&mut self, province: usize, dossier: &str) {
        self.ledger.closed(dossier);
        self.open[province].retain(|known| known != dossier);
    }

    /// The sum over all provinces.
    pub(super) fn total(&self) -> ProvinceCounts {
        let mut total = ProvinceCounts::default();
        for counts in &self.provinces {
            total.accepted += counts.accepted;
            total.duplicates += counts.duplicates;
            total.late += counts.late;
            total.refused += counts.refused;
            total.pushed_back += counts.pushed_back;
            total.receipt_mismatches += counts.receipt_mismatches;
            total.reconnects += counts.reconnects;
        }
        total
    }
}

impl Percentiles {
    /// Of a histogram that counts in `1 / per_ms` milliseconds.
    pub(super) fn of(histogram: &Histogram<u64>, per_ms: f64) -> Self {
        #[expect(
            clippy::cast_precision_loss,
            reason = "three significant digits are kept anyway"
        )]
        let ms = |value: u64| (!histogram.is_empty()).then(|| value as f64 / per_ms);
        Self {
            p50: ms(histogram.value_at_quantile(0.5)),
            p99: ms(histogram.value_at_quantile(0.99)),
            max: ms(histogram.max()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_answers_are_not_cut_to_the_fast_ones() {
        let board = Board::new(std::iter::once("H21".to_owned()));
        board.lock().answered_after(Duration::from_millis(250));
        let p50 = Percentiles::of(&board.lock().accept_us, 1_000.0)
            .p50
            .expect("one answer");
        assert!((249.0..=251.0).contains(&p50), "{p50}");
    }
}
