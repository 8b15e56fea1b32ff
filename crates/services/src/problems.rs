//! What needs a person: decided from one look at the gateway by fixed rules, each with its meaning and the next step.
//!
//! Each problem has an alert rule of the same name (in `CamelCase`) in `deploy/prometheus/`.

mod words;

use std::time::Duration;

use lienthong_domain::delivery::ParkReason;
use lienthong_domain::{DestinationName, Timestamp};
use lienthong_ports::operators::OperationState;

use crate::looks::age;
use crate::overview::{DestinationFlow, Overview};

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look in working hours.
    Warning,
    /// Statuses do not flow, or soon will not.
    Critical,
}

impl Severity {
    /// The stable name: `warning`, `critical`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Which problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    /// Intake has stopped: the disk is full to its reserve.
    DiskFull,
    /// The disk will be full within a day.
    DiskFilling,
    /// The broker is not connected.
    BrokerDisconnected,
    /// The broker blocks publishers.
    BrokerBlocked,
    /// A queue of the broker is missing or wrong.
    BrokerTopology,
    /// A destination does not answer properly; its breaker is not closed.
    BreakerOpen,
    /// A destination refuses our credentials.
    CredentialsRefused,
    /// The oldest status for a destination has waited too long.
    StatusesLate,
    /// A province's statuses reach us long after they happened.
    ProvinceLate,
    /// Deliveries are suspected of stopping workers.
    PoisonDossier,
    /// Deliveries are parked.
    DeliveriesParked,
    /// A destination is halted by an operator.
    DestinationPaused,
    /// The gateway's certificate ends soon.
    CertificateEnding,
    /// Our clock and a destination's differ.
    ClockWrong,
    /// The population database cannot be asked.
    PopulationDown,
    /// Somebody was stopped from asking about citizens.
    GuardBlocked,
    /// An operation awaits a second person.
    ApprovalAwaited,
}

impl ProblemKind {
    /// All kinds, the ones that stop most first.
    pub const ALL: [Self; 17] = [
        Self::DiskFull,
        Self::DiskFilling,
        Self::BrokerDisconnected,
        Self::BrokerBlocked,
        Self::BrokerTopology,
        Self::BreakerOpen,
        Self::CredentialsRefused,
        Self::StatusesLate,
        Self::ProvinceLate,
        Self::PoisonDossier,
        Self::DeliveriesParked,
        Self::DestinationPaused,
        Self::CertificateEnding,
        Self::ClockWrong,
        Self::PopulationDown,
        Self::GuardBlocked,
        Self::ApprovalAwaited,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DiskFull => "DISK_FULL",
            Self::DiskFilling => "DISK_FILLING",
            Self::BrokerDisconnected => "BROKER_DISCONNECTED",
            Self::BrokerBlocked => "BROKER_BLOCKED",
            Self::BrokerTopology => "BROKER_TOPOLOGY",
            Self::BreakerOpen => "BREAKER_OPEN",
            Self::CredentialsRefused => "CREDENTIALS_REFUSED",
            Self::StatusesLate => "STATUSES_LATE",
            Self::ProvinceLate => "PROVINCE_LATE",
            Self::PoisonDossier => "POISON_DOSSIER",
            Self::DeliveriesParked => "DELIVERIES_PARKED",
            Self::DestinationPaused => "DESTINATION_PAUSED",
            Self::CertificateEnding => "CERTIFICATE_ENDING",
            Self::ClockWrong => "CLOCK_WRONG",
            Self::PopulationDown => "POPULATION_DOWN",
            Self::GuardBlocked => "GUARD_BLOCKED",
            Self::ApprovalAwaited => "APPROVAL_AWAITED",
        }
    }

    /// The console's page that shows it and has its cure, if the console can cure it: `parked` stands for `/parked`, nothing
    /// for the overview.
    pub const fn page(self) -> &'static str {
        match self {
            Self::BrokerDisconnected | Self::BrokerBlocked | Self::BrokerTopology => "queues",
            Self::BreakerOpen
            | Self::CredentialsRefused
            | Self::StatusesLate
            | Self::DestinationPaused
            | Self::ClockWrong => "destinations",
            Self::PoisonDossier | Self::DeliveriesParked => "parked",
            Self::ProvinceLate | Self::GuardBlocked => "participants",
            Self::ApprovalAwaited => "operations",
            Self::DiskFull | Self::DiskFilling | Self::CertificateEnding | Self::PopulationDown => {
                ""
            }
        }
    }
}

/// A problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which.
    pub kind: ProblemKind,
    /// How bad.
    pub severity: Severity,
    /// A destination, a province's root code, an operation's number; empty for the gateway.
    pub about: String,
    /// Since when, if known.
    pub since: Option<Timestamp>,
    /// A figure for the sentence, in the unit of its kind: deliveries (parked, poison, approval), minutes (late), days
    /// (certificate), hours (disk), seconds (clock), people and systems (guard); 0 for none.
    pub figure: i64,
}

/// From where on something is a problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    /// Age of the oldest waiting status of a destination: a warning; critical at four times as much.
    pub oldest_waiting: Duration,
    /// Parked deliveries of a destination: any number is a warning, so many are critical.
    pub parked_critical: u64,
    /// Hours until the disk is full: a warning; critical at a sixth.
    pub disk_hours: f64,
    /// Days until the certificate ends: a warning, and critical.
    pub certificate_days: (i64, i64),
    /// Difference of the clocks in seconds: a warning; critical at ten times as much.
    pub clock_seconds: f64,
    /// Median lateness of a province's statuses over the last hour.
    pub province_late: Duration,
    /// Over at least so many statuses.
    pub late_events_min: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            oldest_waiting: Duration::from_mins(15),
            parked_critical: 1_000,
            disk_hours: 24.0,
            certificate_days: (21, 3),
            clock_seconds: 30.0,
            province_late: Duration::from_hours(1),
            late_events_min: 20,
        }
    }
}

/// Every problem of a look, the worst first.
pub fn decide(overview: &Overview, thresholds: &Thresholds) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut push = |problem: Option<Problem>| found.extend(problem);
    disk(overview, thresholds, &mut push);
    broker(overview, &mut push);
    for flow in &overview.destinations {
        destination(flow, overview, thresholds, &mut push);
    }
    process(overview, thresholds, &mut push);
    for operation in &overview.operations {
        if operation.state == OperationState::AwaitingApproval {
            push(Some(Problem {
                about: operation.id.to_string(),
                since: Some(operation.requested_at),
                figure: clamp(operation.matched),
                ..warning(ProblemKind::ApprovalAwaited)
            }));
        }
    }
    found.sort_by(|one, other| {
        let key = |problem: &Problem| (std::cmp::Reverse(problem.severity), problem.kind);
        key(one)
            .cmp(&key(other))
            .then_with(|| one.about.cmp(&other.about))
    });
    found
}

fn disk(overview: &Overview, thresholds: &Thresholds, push: &mut impl FnMut(Option<Problem>)) {
    let process = &overview.process;
    let reserve = process.disk_reserve_bytes;
    if process.disk_free_bytes.is_some_and(|free| free < reserve) {
        push(Some(critical(ProblemKind::DiskFull)));
        return;
    }
    let hours = process
        .disk_hours_left
        .filter(|hours| *hours < thresholds.disk_hours);
    push(hours.map(|hours| Problem {
        severity: graded(hours < thresholds.disk_hours / 6.0),
        figure: whole(hours),
        ..warning(ProblemKind::DiskFilling)
    }));
}

fn broker(overview: &Overview, push: &mut impl FnMut(Option<Problem>)) {
    let queues = &overview.queues;
    push(queues.broker.blocked_since.map(|since| Problem {
        since: Some(since),
        ..critical(ProblemKind::BrokerBlocked)
    }));
    // A gateway that finds the queues wrong gives its connection up, and the queues are what is to be mended.
    if queues.topology_fault.is_some() {
        push(Some(critical(ProblemKind::BrokerTopology)));
        return;
    }
    // A broker that blocks takes no messages either, and is connected all the same.
    if !queues.broker.connected && queues.broker.blocked_since.is_none() {
        push(Some(critical(ProblemKind::BrokerDisconnected)));
        return;
    }
    // Without any depth the broker could not be asked at all, which is no fault of a queue.
    if queues.depths.is_empty() {
        return;
    }
    for counts in &queues.counts {
        let depth = queues.depth(&counts.destination);
        let works = depth.is_some_and(|depth| depth.consumers > 0);
        push((!works).then(|| Problem {
            about: counts.destination.to_string(),
            ..critical(ProblemKind::BrokerTopology)
        }));
    }
}

fn destination(
    flow: &DestinationFlow,
    overview: &Overview,
    thresholds: &Thresholds,
    push: &mut impl FnMut(Option<Problem>),
) {
    let row = &flow.state.row;
    let about = row.name.to_string();
    let on = |problem: Problem| Problem {
        about: about.clone(),
        ..problem
    };
    if row.breaker.open_until.is_some() {
        push(Some(on(critical(ProblemKind::BreakerOpen))));
    }
    if overview.process.credentials_refused.contains(&row.name) {
        push(Some(on(critical(ProblemKind::CredentialsRefused))));
    }
    push(row.paused.as_ref().map(|pause| Problem {
        since: Some(pause.at),
        ..on(warning(ProblemKind::DestinationPaused))
    }));
    let oldest = flow.oldest.as_ref().map(|(_, since)| *since);
    let late = oldest.map(|since| (since, age(overview.measured_at, since)));
    let late = late.filter(|(_, waited)| *waited >= thresholds.oldest_waiting);
    push(late.map(|(since, waited)| Problem {
        severity: graded(waited >= thresholds.oldest_waiting * 4),
        since: Some(since),
        figure: clamp(waited.as_secs() / 60),
        ..on(warning(ProblemKind::StatusesLate))
    }));
    let suspects = suspects(overview, &row.name);
    push((suspects > 0).then(|| Problem {
        figure: clamp(suspects),
        ..on(critical(ProblemKind::PoisonDossier))
    }));
    push((flow.parked > 0).then(|| Problem {
        severity: graded(flow.parked >= thresholds.parked_critical),
        figure: clamp(flow.parked),
        ..on(warning(ProblemKind::DeliveriesParked))
    }));
}

fn suspects(overview: &Overview, destination: &DestinationName) -> u64 {
    let groups = overview.parked_groups.iter().filter(|group| {
        group.destination == *destination && group.reason == ParkReason::CrashSuspect
    });
    groups.map(|group| group.deliveries).sum()
}

fn process(overview: &Overview, thresholds: &Thresholds, push: &mut impl FnMut(Option<Problem>)) {
    let process = &overview.process;
    for (root, late) in &process.late_provinces {
        push(Some(Problem {
            about: root.clone(),
            figure: clamp(late.as_secs() / 60),
            ..warning(ProblemKind::ProvinceLate)
        }));
    }
    let (warned, urgent) = thresholds.certificate_days;
    let days = process.certificate_ends_at.map(|end| {
        let left = end.duration_since(overview.measured_at);
        left.as_hours().div_euclid(24)
    });
    push(days.filter(|days| *days < warned).map(|days| Problem {
        severity: graded(days < urgent),
        figure: days,
        ..warning(ProblemKind::CertificateEnding)
    }));
    let offset = process.clock_offset_seconds;
    let offset = offset.filter(|offset| offset.abs() > thresholds.clock_seconds);
    push(offset.map(|offset| Problem {
        severity: graded(offset.abs() > thresholds.clock_seconds * 10.0),
        figure: whole(offset),
        ..warning(ProblemKind::ClockWrong)
    }));
    push(process.population_down_since.map(|since| Problem {
        since: Some(since),
        ..critical(ProblemKind::PopulationDown)
    }));
    push((process.guards_blocked > 0).then(|| Problem {
        figure: process.guards_blocked.into(),
        ..warning(ProblemKind::GuardBlocked)
    }));
}

fn warning(kind: ProblemKind) -> Problem {
    Problem {
        kind,
        severity: Severity::Warning,
        about: String::new(),
        since: None,
        figure: 0,
    }
}

fn critical(kind: ProblemKind) -> Problem {
    Problem {
        severity: Severity::Critical,
        ..warning(kind)
    }
}

fn graded(is_critical: bool) -> Severity {
    if is_critical {
        Severity::Critical
    } else {
        Severity::Warning
    }
}

fn clamp(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Whole units, cut.
fn whole(value: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cut is meant, and `as` stops at the ends of the range"
    )]
    let whole = value as i64;
    whole
}

#[cfg(test)]
mod tests;
