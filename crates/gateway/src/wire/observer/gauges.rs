//! A look at the gateway, written into its metrics.

use std::time::Duration;

use lienthong_domain::{DeliveryState, Timestamp};
use lienthong_identity::{DatabaseView, GuardLevel, GuardView};
use lienthong_ports::broker::QueueDepth;
use lienthong_services::operators::{DestinationState, QueueState};
use lienthong_services::overview::Overview;
use lienthong_telemetry::metrics::{
    BrokerMetrics, DeliveryMetrics, Gauge, IdentityMetrics, Metrics, follow, follow_seconds,
};

/// Deliveries, ages, breakers, halts, room.
pub(super) fn show_delivery(metrics: &DeliveryMetrics, overview: &Overview) {
    let now = overview.measured_at;
    let ages = overview.provinces.iter().filter_map(|flow| {
        let (_, since) = flow.oldest.as_ref()?;
        let names = vec![flow.destination.as_str(), flow.root.as_str()];
        Some((names, seconds_between(*since, now)))
    });
    // Several ministries are one label value; the oldest of them is the figure.
    let mut oldest: Vec<(Vec<&str>, f64)> = Vec::new();
    for (names, age) in ages {
        let names = metrics.oldest_age_seconds.known(&names);
        match oldest.iter_mut().find(|(known, _)| *known == names) {
            Some((_, figure)) => *figure = figure.max(age),
            None => oldest.push((names, age)),
        }
    }
    metrics.oldest_age_seconds.replace(oldest);
    let counts = overview.queues.counts.iter();
    metrics.deliveries.replace(counts.flat_map(|counts| {
        let states = DeliveryState::ALL.into_iter();
        states.map(|state| {
            let names = vec![counts.destination.as_str(), state.name()];
            (names, number(counts.of(state)))
        })
    }));
    for flow in &overview.destinations {
        show_destination(metrics, &flow.state);
    }
}

fn show_destination(metrics: &DeliveryMetrics, state: &DestinationState) {
    let name = state.row.name.as_str();
    for breaker in ["closed", "open", "probing"] {
        let figure = flag(breaker == breaker_of(state));
        metrics.breaker_state.at(&[name, breaker]).set(figure);
    }
    metrics
        .paused
        .at(&[name])
        .set(flag(state.row.paused.is_some()));
    let limit = metrics.concurrency_limit.at(&[name]);
    limit.set(state.concurrency_limit.into());
    metrics
        .calls_in_flight
        .at(&[name])
        .set(state.in_flight.into());
}

/// An open breaker whose time is over probes.
fn breaker_of(state: &DestinationState) -> &'static str {
    match state.row.breaker.open_until {
        None => "closed",
        Some(until) if until > state.now => "open",
        Some(_) => "probing",
    }
}

/// The broker's connection and queues.
pub(super) fn show_broker(metrics: &BrokerMetrics, queues: &QueueState) {
    let state = &queues.broker;
    let blocked = state.blocked_since.is_some();
    metrics.connected.set(flag(state.connected || blocked));
    metrics.blocked.set(flag(blocked));
    follow_seconds(&metrics.blocked_seconds, state.blocked_total.as_secs_f64());
    follow(&metrics.reconnects, state.reconnects);
    follow(&metrics.unknown_confirms, state.unknown_confirms);
    show_depths(metrics, &queues.depths);
}

/// The broker's own counts of queues.
pub(super) fn show_depths(metrics: &BrokerMetrics, depths: &[QueueDepth]) {
    for depth in depths {
        let name = [BrokerMetrics::queue(&depth.queue)];
        metrics.queue_messages.at(&name).set(number(depth.messages));
        let unacknowledged = number(depth.unacknowledged);
        metrics.queue_unacknowledged.at(&name).set(unacknowledged);
        metrics
            .queue_consumers
            .at(&name)
            .set(number(depth.consumers));
        follow(metrics.queue_redeliveries.at(&name), depth.redelivered);
    }
}

/// Disk, certificate, problems, and when this look was.
pub(super) fn show_gateway(metrics: &Metrics, overview: &Overview) {
    let (process, store, now) = (&overview.process, &metrics.store, overview.measured_at);
    show_optional(&store.disk_free_bytes, process.disk_free_bytes.map(number));
    store
        .disk_reserve_bytes
        .set(number(process.disk_reserve_bytes));
    let seconds = process.disk_hours_left.map(|hours| hours * 3_600.0);
    show_optional(&store.disk_full_seconds, seconds);
    if let Some(end) = process.certificate_ends_at {
        let left = end.duration_since(now).as_secs_f64();
        metrics.gateway.certificate_remaining_seconds.set(left);
    }
    let problems = overview.problems.iter();
    metrics.gateway.show_problems(problems.map(|problem| {
        (
            problem.kind.name(),
            problem.severity.name(),
            problem.about.as_str(),
        )
    }));
    let looked_at = now.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64();
    metrics.gateway.looked_at_seconds.set(looked_at);
}

/// Guards, and the way to the population database.
pub(super) fn show_identity(
    metrics: &IdentityMetrics,
    guards: &[GuardView],
    database: DatabaseView,
) {
    let levels = [
        (GuardLevel::Slow, "slow"),
        (GuardLevel::Approval, "approval"),
        (GuardLevel::Blocked, "blocked"),
    ];
    for (level, name) in levels {
        let standing = guards.iter().filter(|guard| guard.level == level);
        metrics
            .guards
            .at(&[name])
            .set(number(standing.count() as u64));
    }
    for state in ["closed", "open", "probing"] {
        let figure = flag(database.breaker == state);
        metrics.breaker_state.at(&[state]).set(figure);
    }
}

fn show_optional(table: &lienthong_telemetry::metrics::Table<Gauge>, figure: Option<f64>) {
    match figure {
        Some(figure) => {
            table.at(&[]).set(figure);
        }
        None => table.hide(&[]),
    }
}

fn seconds_between(since: Timestamp, now: Timestamp) -> f64 {
    // A clock that was set back makes it negative.
    let age = Duration::try_from(now.duration_since(since));
    age.unwrap_or_default().as_secs_f64()
}

fn flag(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and bytes stay far below 2^52"
)]
fn number(count: u64) -> f64 {
    count as f64
}
