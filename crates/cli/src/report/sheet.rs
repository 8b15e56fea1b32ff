//! A part of a report for spreadsheets: RFC 4180, and nothing that a spreadsheet would compute.

use lienthong_proto::admin::v1::{GetReportResponse, OverdueDossier, ReportRow, SlowDossier};

use super::Part;
use crate::instant::{from_wire, length};

/// Tells Excel that the text is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";
/// What a cell must not begin with: spreadsheets take the rest for a formula.
/// Source: OWASP, CSV Injection.
const FORMULA_STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// One table with a heading.
pub(super) fn written(part: Part, report: &GetReportResponse, with_mark: bool) -> String {
    let mut lines = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let mut line = |cells: Vec<String>| {
        let cells = cells.iter().map(|cell| safe(cell));
        lines.write_record(cells).expect("a Vec takes all records");
    };
    match part {
        Part::Rows => {
            line(heading(&[
                "destination",
                "province_code",
                "province",
                "accepted",
                "delivered",
                "parked",
                "retried",
                "given_up",
                "delay_p50_seconds",
                "delay_p99_seconds",
            ]));
            report.rows.iter().map(row).for_each(line);
        }
        Part::Slow => {
            line(heading(&[
                "destination",
                "dossier_code",
                "dossier_sequence",
                "day",
                "delay_seconds",
            ]));
            report.slow_dossiers.iter().map(slow).for_each(line);
        }
        Part::Overdue => {
            line(heading(&[
                "dossier_code",
                "procedure_code",
                "due_at",
                "past_due",
                "undelivered",
                "parked",
            ]));
            report.overdue_dossiers.iter().map(overdue).for_each(line);
        }
    }
    let bytes = lines.into_inner().expect("a Vec takes all records");
    let text = String::from_utf8(bytes).expect("all cells are text");
    let mark = if with_mark { BYTE_ORDER_MARK } else { "" };
    format!("{mark}{text}")
}

fn heading(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The cell as text for a spreadsheet too.
fn safe(cell: &str) -> String {
    if cell.starts_with(FORMULA_STARTS) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn row(row: &ReportRow) -> Vec<String> {
    vec![
        row.destination.clone(),
        row.root_code.clone(),
        row.name.clone(),
        row.accepted.to_string(),
        row.delivered.to_string(),
        row.parked.to_string(),
        row.retried.to_string(),
        row.given_up.to_string(),
        seconds(row.delay_p50.as_ref()),
        seconds(row.delay_p99.as_ref()),
    ]
}

fn slow(slow: &SlowDossier) -> Vec<String> {
    vec![
        slow.destination.clone(),
        slow.dossier_code.clone(),
        slow.dossier_sequence.to_string(),
        slow.day.clone(),
        seconds(slow.delay.as_ref()),
    ]
}

fn overdue(overdue: &OverdueDossier) -> Vec<String> {
    let due_at = from_wire(overdue.due_at.as_ref());
    vec![
        overdue.dossier_code.clone(),
        overdue.procedure_code.clone(),
        due_at.map(|at| at.to_string()).unwrap_or_default(),
        overdue.past_due.to_string(),
        overdue.undelivered.to_string(),
        overdue.parked.to_string(),
    ]
}

fn seconds(wire: Option<&prost_types::Duration>) -> String {
    length(wire)
        .map(|length| format!("{:.3}", length.as_secs_f64()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_taken_for_a_formula() {
        let row = ReportRow {
            destination: "=HYPERLINK(\"http://evil\")".into(),
            root_code: "H08".into(),
            name: "Bà Rịa, Vũng Tàu".into(),
            delay_p50: Some(prost_types::Duration {
                seconds: 1,
                nanos: 500_000_000,
            }),
            ..ReportRow::default()
        };
        let report = GetReportResponse {
            rows: vec![row],
            ..GetReportResponse::default()
        };
        let text = written(Part::Rows, &report, true);
        let expected = "\u{feff}destination,province_code,province,accepted,delivered,parked,retried,given_up,delay_p50_seconds,delay_p99_seconds\r\n\
            \"'=HYPERLINK(\"\"http://evil\"\")\",H08,\"Bà Rịa, Vũng Tàu\",0,0,0,0,0,1.500,\r\n";
        assert_eq!(text, expected);
        for start in ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1"] {
            assert!(safe(start).starts_with('\''), "{start:?}");
        }
        assert_eq!(safe("H08.1-2"), "H08.1-2");
    }
}
