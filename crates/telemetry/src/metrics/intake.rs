//! What comes in: statuses accepted, repeated and refused, how fast, and how late provinces send them.

use std::time::Duration;

use lienthong_domain::ErrorCode;
use prometheus_client::registry::Registry;

use super::{Counter, Distribution, Label, Table, provinces, register};

/// Up to 5 s; dense below 50 ms, where almost all calls lie.
const ACCEPT_SECONDS: &[f64] = &[
    0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15,
    0.25, 0.5, 1.0, 2.5, 5.0,
];
/// From seconds to a week.
const LATENESS_SECONDS: &[f64] = &[
    10.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0, 86_400.0, 259_200.0,
    604_800.0,
];

/// What comes in.
#[derive(Clone, Debug)]
pub struct IntakeMetrics {
    accepted: Table<Counter>,
    /// Statuses that had been accepted before.
    pub repeated: Counter,
    refused: Table<Counter>,
    /// From the offer of a group of statuses to its receipts.
    pub accept_seconds: Distribution,
    lateness_seconds: Table<Distribution>,
}

impl IntakeMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let reasons = ErrorCode::ALL.iter().map(|code| code.name());
        let lateness = || Distribution::new(LATENESS_SECONDS);
        Self {
            accepted: register(
                registry,
                "lienthong_statuses_accepted",
                "Statuses accepted and durably stored, by the province of the dossier",
                Table::shown(vec![provinces()], Counter::default),
            ),
            repeated: register(
                registry,
                "lienthong_statuses_repeated",
                "Statuses offered again under the same key and answered with the stored receipt",
                Counter::default(),
            ),
            refused: register(
                registry,
                "lienthong_statuses_refused",
                "Statuses refused, by the reason given to the sender",
                Table::shown(vec![Label::closed("reason", reasons)], Counter::default),
            ),
            accept_seconds: register(
                registry,
                "lienthong_accept_duration_seconds",
                "Time from the offer of a group of statuses to its receipts, the commit included",
                Distribution::new(ACCEPT_SECONDS),
            ),
            lateness_seconds: register(
                registry,
                "lienthong_status_lateness_seconds",
                "Time from the moment a status came about in the province to its acceptance here",
                Table::new(vec![provinces()], lateness, |_| false),
            ),
        }
    }

    /// Counts `count` statuses refused for one reason.
    pub fn refuse(&self, code: ErrorCode, count: u64) {
        self.refused.at(&[code.name()]).inc_by(count);
    }

    /// Counts a new status of the agency with this root code that came so late.
    pub fn accept(&self, root: &str, late: Duration) {
        self.accepted.at(&[root]).inc();
        self.lateness_seconds.at(&[root]).observe_time(late);
    }
}
