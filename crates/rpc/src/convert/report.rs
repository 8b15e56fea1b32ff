//! Reports, in the contract's form.

use lienthong_domain::{Faults, Reason, Timestamp};
use lienthong_ports::operators::{OverdueDossier, SlowDossier, Span};
use lienthong_proto::admin::v1 as proto;
use lienthong_services::report::{Report, ReportRequest, ReportRow};

use super::overview::province_name;
use super::{instant_to_proto, span_to_proto};

/// Reads which report is asked for; its bounds are the use case's rules.
///
/// # Errors
/// Every fault, by its field.
pub(crate) fn report_from_proto(asked: &proto::GetReportRequest) -> Result<ReportRequest, Faults> {
    let mut faults = Faults::new();
    let mut day = |field, raw: &str| {
        let expected = "2026-01-31";
        let read = raw.parse().ok().filter(|_| raw.len() == expected.len());
        let reason = if raw.is_empty() {
            Reason::Missing
        } else {
            Reason::BadForm { expected }
        };
        faults.check(field, read.ok_or(reason))
    };
    let first = day("first_day", &asked.first_day);
    let last = day("last_day", &asked.last_day);
    let (Some(first), Some(last)) = (first, last) else {
        return Err(faults);
    };
    Ok(ReportRequest {
        days: Span { first, last },
        root: Some(asked.root_code.clone()).filter(|root| !root.is_empty()),
        overdue_working_hours: asked.overdue_working_hours,
        dossiers_max: asked.dossiers_max as usize,
    })
}

/// A report.
pub(crate) fn report_to_proto(report: &Report) -> proto::GetReportResponse {
    let overdue = report.overdue.iter();
    proto::GetReportResponse {
        made_at: Some(instant_to_proto(report.made_at)),
        rows: report.rows.iter().map(row_to_proto).collect(),
        slow_dossiers: report.slow.iter().map(slow_to_proto).collect(),
        overdue_dossiers: overdue
            .map(|found| overdue_to_proto(found, report.made_at))
            .collect(),
        due_until: Some(instant_to_proto(report.due_until)),
    }
}

fn row_to_proto(row: &ReportRow) -> proto::ReportRow {
    let root = row.root.clone().unwrap_or_default();
    proto::ReportRow {
        destination: row.destination.to_string(),
        name: province_name(&root),
        root_code: root,
        accepted: row.accepted,
        delivered: row.delivered,
        parked: row.parked,
        retried: row.retried,
        given_up: row.given_up,
        delay_p50: row.delay_p50().map(span_to_proto),
        delay_p99: row.delay_p99().map(span_to_proto),
    }
}

fn slow_to_proto(slow: &SlowDossier) -> proto::SlowDossier {
    proto::SlowDossier {
        destination: slow.destination.to_string(),
        dossier_code: slow.dossier.to_string(),
        dossier_sequence: slow.sequence,
        day: slow.day.to_string(),
        delay: Some(span_to_proto(slow.delay)),
    }
}

fn overdue_to_proto(overdue: &OverdueDossier, now: Timestamp) -> proto::OverdueDossier {
    let procedure = overdue.procedure.as_ref();
    proto::OverdueDossier {
        dossier_code: overdue.dossier.to_string(),
        procedure_code: procedure.map(ToString::to_string).unwrap_or_default(),
        due_at: Some(instant_to_proto(overdue.due_at)),
        past_due: overdue.due_at < now,
        undelivered: overdue.lanes.iter().map(|lane| lane.undelivered).sum(),
        parked: overdue.lanes.iter().map(|lane| lane.parked).sum(),
    }
}
