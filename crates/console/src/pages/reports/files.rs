//! A report for programs and spreadsheets.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use lienthong_domain::province::Province;
use lienthong_services::report::{Report, ReportRow};
use serde::Serialize;

/// The heads of the columns, as in the JSON.
const HEADS: [&str; 10] = [
    "destination",
    "root_code",
    "name",
    "accepted",
    "delivered",
    "parked",
    "retried",
    "given_up",
    "delay_p50_seconds",
    "delay_p99_seconds",
];
/// Tells spreadsheets that the text is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// One line per destination and province, then the sums with an empty root code.
pub(super) fn csv(report: &Report) -> Response {
    let heads = HEADS.join(",");
    let mut text = format!("{BYTE_ORDER_MARK}{heads}\r\n");
    for row in report.rows.iter().map(Line::of) {
        text.push_str(&row.csv());
        text.push_str("\r\n");
    }
    file(report, "csv", "text/csv; charset=utf-8", text)
}

/// The whole report.
pub(super) fn json(report: &Report) -> Response {
    let whole = Whole {
        made_at: report.made_at.to_string(),
        first_day: report.days.first.to_string(),
        last_day: report.days.last.to_string(),
        due_until: report.due_until.to_string(),
        rows: report.rows.iter().map(Line::of).collect(),
        slow_dossiers: report.slow.iter().map(Slow::of).collect(),
        overdue_dossiers: report.overdue.iter().map(Overdue::of).collect(),
    };
    let text = serde_json::to_string_pretty(&whole).expect("texts and numbers always serialise");
    file(report, "json", "application/json", text)
}

fn file(report: &Report, suffix: &str, content_type: &'static str, text: String) -> Response {
    let (first, last) = (report.days.first, report.days.last);
    let name = format!("attachment; filename=\"lienthong-{first}-{last}.{suffix}\"");
    let headers = [
        (CONTENT_TYPE, content_type.to_owned()),
        (CONTENT_DISPOSITION, name),
    ];
    (headers, text).into_response()
}

#[derive(Serialize)]
struct Whole<'a> {
    made_at: String,
    first_day: String,
    last_day: String,
    due_until: String,
    rows: Vec<Line<'a>>,
    slow_dossiers: Vec<Slow<'a>>,
    overdue_dossiers: Vec<Overdue<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    destination: &'a str,
    root_code: &'a str,
    name: &'a str,
    accepted: u64,
    delivered: u64,
    parked: u64,
    retried: u64,
    given_up: u64,
    delay_p50_seconds: Option<f64>,
    delay_p99_seconds: Option<f64>,
}

impl<'a> Line<'a> {
    fn of(row: &'a ReportRow) -> Self {
        let root = row.root.as_deref().unwrap_or_default();
        Self {
            destination: row.destination.as_str(),
            root_code: root,
            name: Province::by_code(root).map_or("", Province::name),
            accepted: row.accepted,
            delivered: row.delivered,
            parked: row.parked,
            retried: row.retried,
            given_up: row.given_up,
            delay_p50_seconds: row.delay_p50().map(|delay| delay.as_secs_f64()),
            delay_p99_seconds: row.delay_p99().map(|delay| delay.as_secs_f64()),
        }
    }

    /// Codes and names of a closed list hold no comma, quote or formula, so nothing is quoted.
    fn csv(&self) -> String {
        let seconds = |seconds: Option<f64>| {
            seconds
                .map(|seconds| format!("{seconds:.3}"))
                .unwrap_or_default()
        };
        let numbers = [
            self.accepted,
            self.delivered,
            self.parked,
            self.retried,
            self.given_up,
        ];
        let numbers = numbers.map(|number| number.to_string()).join(",");
        let (destination, root, name) = (self.destination, self.root_code, self.name);
        let (median, high) = (
            seconds(self.delay_p50_seconds),
            seconds(self.delay_p99_seconds),
        );
        format!("{destination},{root},{name},{numbers},{median},{high}")
    }
}

#[derive(Serialize)]
struct Slow<'a> {
    destination: &'a str,
    dossier_code: &'a str,
    dossier_sequence: i64,
    day: String,
    delay_seconds: f64,
}

impl<'a> Slow<'a> {
    fn of(slow: &'a lienthong_ports::operators::SlowDossier) -> Self {
        Self {
            destination: slow.destination.as_str(),
            dossier_code: slow.dossier.as_str(),
            dossier_sequence: slow.sequence,
            day: slow.day.to_string(),
            delay_seconds: slow.delay.as_secs_f64(),
        }
    }
}

#[derive(Serialize)]
struct Overdue<'a> {
    dossier_code: &'a str,
    procedure_code: &'a str,
    due_at: String,
    undelivered: u64,
    parked: u64,
}

impl<'a> Overdue<'a> {
    fn of(overdue: &'a lienthong_ports::operators::OverdueDossier) -> Self {
        let procedure = overdue.procedure.as_ref();
        Self {
            dossier_code: overdue.dossier.as_str(),
            procedure_code: procedure.map_or("", |procedure| procedure.as_str()),
            due_at: overdue.due_at.to_string(),
            undelivered: overdue.lanes.iter().map(|lag| lag.undelivered).sum(),
            parked: overdue.lanes.iter().map(|lag| lag.parked).sum(),
        }
    }
}
