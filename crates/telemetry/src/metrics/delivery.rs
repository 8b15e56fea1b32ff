//! What goes out: deliveries, attempts, what waits and since when, breakers, leases.

use std::time::Duration;

use lienthong_domain::DeliveryState;
use lienthong_domain::delivery::ParkReason;
use prometheus_client::registry::Registry;

use super::{
    Counter, Distribution, Gauge, Label, Table, Vocabulary, destinations, named, provinces,
    register,
};

/// From 50 ms to a week.
const END_TO_END_SECONDS: &[f64] = &[
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0,
    86_400.0, 259_200.0, 604_800.0,
];
/// Up to a minute, the bound of a call.
const CALL_SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];
/// The states of a breaker.
pub(super) const BREAKER_STATES: [&str; 3] = ["closed", "open", "probing"];

/// What goes out.
#[derive(Clone, Debug)]
pub struct DeliveryMetrics {
    /// Age in seconds of the oldest status that waits, by destination and province; 0 for none.
    pub oldest_age_seconds: Table<Gauge>,
    /// Deliveries, by destination and state.
    pub deliveries: Table<Gauge>,
    delivered: Table<Counter>,
    parked: Table<Counter>,
    retried: Table<Counter>,
    calls: Table<Counter>,
    end_to_end_seconds: Table<Distribution>,
    attempt_seconds: Table<Distribution>,
    /// 1 for the state that a destination's breaker is in.
    pub breaker_state: Table<Gauge>,
    breaker_openings: Table<Counter>,
    /// 1 while an operator halts the destination.
    pub paused: Table<Gauge>,
    /// Calls that may be under way at once.
    pub concurrency_limit: Table<Gauge>,
    /// Calls under way.
    pub calls_in_flight: Table<Gauge>,
    lease_expiries: Table<Counter>,
    stale: Table<Counter>,
    clock_offset_seconds: Table<Gauge>,
    credentials_refused: Table<Gauge>,
}

impl DeliveryMetrics {
    #[expect(clippy::too_many_lines, reason = "a table: one family after the other")]
    pub(super) fn new(words: &Vocabulary, registry: &mut Registry) -> Self {
        let outcomes = ["delivered", "advanced", "retry", "overloaded", "rejected"];
        let reasons = ParkReason::ALL.map(ParkReason::name);
        let states = DeliveryState::ALL.map(DeliveryState::name);
        let destination = || destinations(words);
        let by_destination = || vec![destination()];
        let with = |label: &'static str, values: &[&str]| {
            vec![destination(), Label::closed(label, values.iter().copied())]
        };
        let by_province = || vec![destination(), provinces()];
        Self {
            oldest_age_seconds: gauges(
                registry,
                "lienthong_oldest_undelivered_age_seconds",
                "Age of the oldest accepted status that has neither been delivered nor parked; 0 for none",
                by_province(),
            ),
            deliveries: gauges(
                registry,
                "lienthong_deliveries",
                "Deliveries by state; queued, ready, sent and calling ones wait for their destination",
                with("state", &states),
            ),
            delivered: counters(
                registry,
                "lienthong_deliveries_delivered",
                "Statuses that their destination has taken, by province",
                by_province(),
            ),
            parked: counters(
                registry,
                "lienthong_deliveries_parked",
                "Deliveries parked for an operator, by reason; those found by a sweep have the destination other",
                with("reason", &reasons),
            ),
            retried: counters(
                registry,
                "lienthong_deliveries_retried",
                "Attempts that failed and were put off",
                by_destination(),
            ),
            calls: counters(
                registry,
                "lienthong_delivery_calls",
                "Calls to destinations by what came of them",
                with("outcome", &outcomes),
            ),
            end_to_end_seconds: times(
                registry,
                "lienthong_delivery_end_to_end_seconds",
                "Time from the acceptance of a status to its delivery",
                by_destination(),
                END_TO_END_SECONDS,
            ),
            attempt_seconds: times(
                registry,
                "lienthong_delivery_call_duration_seconds",
                "Time of an attempt with all its steps",
                by_destination(),
                CALL_SECONDS,
            ),
            breaker_state: gauges(
                registry,
                "lienthong_breaker_state",
                "1 for the state that the breaker of a destination is in, 0 for the others",
                with("state", &BREAKER_STATES),
            ),
            breaker_openings: counters(
                registry,
                "lienthong_breaker_openings",
                "Times that the breaker of a destination has opened",
                by_destination(),
            ),
            paused: gauges(
                registry,
                "lienthong_destination_paused",
                "1 while an operator halts the destination",
                by_destination(),
            ),
            concurrency_limit: gauges(
                registry,
                "lienthong_destination_concurrency_limit",
                "Calls to the destination that may be under way at once just now",
                by_destination(),
            ),
            calls_in_flight: gauges(
                registry,
                "lienthong_destination_calls_in_flight",
                "Calls to the destination under way",
                by_destination(),
            ),
            lease_expiries: counters(
                registry,
                "lienthong_lease_expiries",
                "Claims whose lease ran out: sent (the message was lost) or calling (the worker vanished)",
                vec![Label::closed("stage", ["sent", "calling"])],
            ),
            stale: counters(
                registry,
                "lienthong_stale_messages",
                "Messages and outcomes dropped because their fence was old; harmless, and many mean trouble",
                by_destination(),
            ),
            clock_offset_seconds: register(
                registry,
                "lienthong_destination_clock_offset_seconds",
                "The clock of the destination less ours, by the newest answer that told a time",
                Table::new(by_destination(), Gauge::default, |_| false),
            ),
            credentials_refused: gauges(
                registry,
                "lienthong_destination_credentials_refused",
                "1 while the destination refuses our credentials",
                by_destination(),
            ),
        }
    }

    /// Counts a delivery that reached its destination so long after its acceptance.
    pub fn delivered(&self, destination: &str, root: &str, age: Duration) {
        self.delivered.at(&[destination, root]).inc();
        self.end_to_end_seconds.at(&[destination]).observe_time(age);
    }

    /// Counts parked deliveries.
    pub fn parked(&self, destination: &str, reason: ParkReason, count: u64) {
        if count > 0 {
            self.parked.at(&[destination, reason.name()]).inc_by(count);
        }
    }

    /// Counts an attempt that was put off.
    pub fn retried(&self, destination: &str) {
        self.retried.at(&[destination]).inc();
    }

    /// Counts a call by its outcome's name.
    pub fn called(&self, destination: &str, outcome: &str) {
        self.calls.at(&[destination, outcome]).inc();
    }

    /// Counts the time of an attempt.
    pub fn attempted(&self, destination: &str, took: Duration) {
        self.attempt_seconds.at(&[destination]).observe_time(took);
    }

    /// Takes note of a breaker that changed.
    pub fn breaker_changed(&self, destination: &str, state: &str) {
        if state == "open" {
            self.breaker_openings.at(&[destination]).inc();
        }
    }

    /// Counts leases that ran out.
    pub fn expired(&self, sent: u64, calling: u64) {
        self.lease_expiries.at(&["sent"]).inc_by(sent);
        self.lease_expiries.at(&["calling"]).inc_by(calling);
    }

    /// Counts messages whose fence was old.
    pub fn stale(&self, destination: &str, count: u64) {
        self.stale.at(&[destination]).inc_by(count);
    }

    /// Keeps what an answer told of the destination's clock, less ours, in seconds.
    pub fn set_clock_offset(&self, destination: &str, seconds: f64) {
        self.clock_offset_seconds.at(&[destination]).set(seconds);
    }

    /// What the newest answer of a destination told of its clock.
    pub fn clock_offset(&self, destination: &str) -> Option<f64> {
        self.clock_offset_seconds
            .get(&[destination])
            .map(Gauge::get)
    }

    /// Keeps whether a destination refuses our credentials.
    pub fn set_credentials_refused(&self, destination: &str, refused: bool) {
        let figure = f64::from(u8::from(refused));
        self.credentials_refused.at(&[destination]).set(figure);
    }

    /// Whether a destination refused our credentials at its newest answer to a login.
    pub fn credentials_refused(&self, destination: &str) -> bool {
        self.credentials_refused
            .get(&[destination])
            .is_some_and(|figure| figure.get() > 0.0)
    }
}

impl Default for DeliveryMetrics {
    fn default() -> Self {
        Self::new(&Vocabulary::default(), &mut Registry::default())
    }
}

fn gauges(registry: &mut Registry, name: &str, help: &str, labels: Vec<Label>) -> Table<Gauge> {
    let table = Table::new(labels, Gauge::default, named);
    register(registry, name, help, table)
}

fn counters(registry: &mut Registry, name: &str, help: &str, labels: Vec<Label>) -> Table<Counter> {
    let table = Table::new(labels, Counter::default, named);
    register(registry, name, help, table)
}

fn times(
    registry: &mut Registry,
    name: &str,
    help: &str,
    labels: Vec<Label>,
    bounds: &'static [f64],
) -> Table<Distribution> {
    let table = Table::new(labels, || Distribution::new(bounds), named);
    register(registry, name, help, table)
}
