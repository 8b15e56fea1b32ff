//! The gateway at a glance and its figures over time, in the contract's form.

use lienthong_domain::province::Province;
use lienthong_domain::{Faults, Reason, Timestamp};
use lienthong_ports::operators::{SampleKey, SamplePoint};
use lienthong_proto::admin::v1 as proto;
use lienthong_services::overview::{DestinationFlow, Overview, ProcessFigures, ProvinceFlow};
use lienthong_services::problems::{Problem, Severity};
use lienthong_services::samples;

use super::admin::{age_to_proto, group_to_proto};
use super::operations::operation_to_proto;
use super::{instant, instant_to_proto, span_to_proto};

const SECONDS_PER_DAY: f64 = 86_400.0;

/// The kept look.
pub(crate) fn overview_to_proto(overview: &Overview) -> proto::GetOverviewResponse {
    let now = overview.measured_at;
    let process = &overview.process;
    let identity = process.identity_per_minute;
    let destinations = overview.destinations.iter();
    let provinces = overview.provinces.iter();
    proto::GetOverviewResponse {
        measured_at: Some(instant_to_proto(now)),
        problems: overview.problems.iter().map(problem_to_proto).collect(),
        destinations: destinations.map(|flow| flow_to_proto(flow, now)).collect(),
        provinces: provinces.map(|flow| province_to_proto(flow, now)).collect(),
        accept_ms_p50: process.accept_ms.map(|(p50, _)| p50),
        accept_ms_p99: process.accept_ms.map(|(_, p99)| p99),
        disk_free_bytes: process.disk_free_bytes,
        disk_hours_left: process.disk_hours_left,
        certificate_days_left: days_left(process, now),
        identity_answered: identity.map(|(answered, _, _)| answered),
        identity_refused: identity.map(|(_, refused, _)| refused),
        identity_failed: identity.map(|(_, _, failed)| failed),
        operations: overview.operations.iter().map(operation_to_proto).collect(),
        parked_groups: overview.parked_groups.iter().map(group_to_proto).collect(),
    }
}

fn days_left(process: &ProcessFigures, now: Timestamp) -> Option<f64> {
    let end = process.certificate_ends_at?;
    Some(end.duration_since(now).as_secs_f64() / SECONDS_PER_DAY)
}

fn problem_to_proto(problem: &Problem) -> proto::Problem {
    let severity = match problem.severity {
        Severity::Warning => proto::Severity::Warning,
        Severity::Critical => proto::Severity::Critical,
    };
    proto::Problem {
        code: problem.kind.name().to_owned(),
        severity: severity.into(),
        about: problem.about.clone(),
        since: problem.since.map(instant_to_proto),
        meaning_vi: problem.meaning_vi(),
        meaning_en: problem.meaning_en(),
        action_vi: problem.action_vi(),
        action_en: problem.action_en(),
    }
}

fn flow_to_proto(flow: &DestinationFlow, now: Timestamp) -> proto::DestinationFlow {
    let oldest = flow.oldest.as_ref();
    let delay_ms = |q: f64| {
        let delay = flow.delays.quantile(q)?;
        Some(delay.as_secs_f64() * 1_000.0)
    };
    proto::DestinationFlow {
        destination: flow.state.row.name.to_string(),
        waiting: flow.waiting,
        parked: flow.parked,
        oldest_waiting_age: oldest.map(|(_, since)| age_to_proto(now, *since)),
        oldest_dossier_code: oldest.map(|(code, _)| code.to_string()).unwrap_or_default(),
        accepted_per_minute: flow.accepted_per_minute,
        delivered_per_minute: flow.delivered_per_minute,
        parked_per_minute: flow.parked_per_minute,
        drained_in: flow.drained_in.map(span_to_proto),
        end_to_end_ms_p50: delay_ms(0.5),
        end_to_end_ms_p99: delay_ms(0.99),
    }
}

fn province_to_proto(flow: &ProvinceFlow, now: Timestamp) -> proto::ProvinceFlow {
    let oldest = flow.oldest.as_ref();
    proto::ProvinceFlow {
        destination: flow.destination.to_string(),
        root_code: flow.root.clone(),
        name: province_name(&flow.root),
        accepted_today: flow.accepted_today,
        delivered_today: flow.delivered_today,
        parked_today: flow.parked_today,
        oldest_waiting_age: oldest.map(|(_, since)| age_to_proto(now, *since)),
        oldest_dossier_code: oldest.map(|(code, _)| code.to_string()).unwrap_or_default(),
        accepted_per_minute: flow.accepted_per_minute,
    }
}

/// The name of a province; empty for ministries and others.
pub(crate) fn province_name(root: &str) -> String {
    let province = Province::by_code(root);
    province.map_or_else(String::new, |province| province.name().to_owned())
}

/// Figures, since when, and until before when.
pub(crate) type FiguresAsked = (Vec<SampleKey>, Timestamp, Timestamp);

/// Reads which figures are asked for; how many there may be is the use case's rule.
///
/// # Errors
/// Every fault, by its field.
pub(crate) fn figures_from_proto(
    asked: &proto::ListFiguresRequest,
) -> Result<FiguresAsked, Faults> {
    let mut faults = Faults::new();
    for (field, given) in [("since", &asked.since), ("until", &asked.until)] {
        if given.is_none() {
            faults.push(field, Reason::Missing);
        }
    }
    let since = instant(&mut faults, "since", asked.since.as_ref());
    let until = instant(&mut faults, "until", asked.until.as_ref());
    let keys = asked.keys.iter();
    let keys = keys.map(|key| samples::key(&key.name, &key.about));
    match (since, until) {
        (Some(since), Some(until)) if faults.is_empty() => Ok((keys.collect(), since, until)),
        _ => Err(faults),
    }
}

/// One figure over time.
pub(crate) fn figure_to_proto(key: SampleKey, points: &[SamplePoint]) -> proto::Figure {
    let points = points.iter().map(|point| proto::FigurePoint {
        at: Some(instant_to_proto(point.at)),
        value: point.value,
        max: point.max,
    });
    proto::Figure {
        key: Some(proto::FigureKey {
            name: key.name,
            about: key.about,
        }),
        points: points.collect(),
    }
}
