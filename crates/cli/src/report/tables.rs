//! A report for the terminal.

use lienthong_proto::admin::v1::{GetReportResponse, OverdueDossier, ReportRow, SlowDossier};

use super::Days;
use crate::instant::{shown, shown_length};
use crate::output::table::Table;

/// Three tables with their titles; a list without entries is left out.
pub(super) fn written(days: Days, report: &GetReportResponse, colours: bool) -> String {
    let mut parts = vec![
        format!("Báo cáo liên thông / report {days}"),
        row_table(&report.rows).render(colours),
    ];
    if !report.slow_dossiers.is_empty() {
        parts.push("\nChậm nhất / slowest".to_owned());
        parts.push(slow_table(&report.slow_dossiers).render(colours));
    }
    if !report.overdue_dossiers.is_empty() {
        let until = shown(report.due_until.as_ref());
        parts.push(format!(
            "\nSắp hoặc đã quá hạn, chưa gửi xong (hạn trước {until}) / due soon or past due, not delivered"
        ));
        parts.push(overdue_table(&report.overdue_dossiers).render(colours));
    }
    parts.push(format!(
        "\nlập lúc / made at {}\n",
        shown(report.made_at.as_ref())
    ));
    parts.join("\n")
}

fn row_table(rows: &[ReportRow]) -> Table {
    let heading = [
        "destination",
        "code",
        "province",
        ">accepted",
        ">delivered",
        ">parked",
        ">retried",
        ">given up",
        ">median",
        ">p99",
    ];
    let mut table = Table::new(&heading);
    for row in rows {
        let name = if row.root_code.is_empty() {
            "cộng / sum".to_owned()
        } else {
            row.name.clone()
        };
        table.row([
            row.destination.clone(),
            row.root_code.clone(),
            name,
            row.accepted.to_string(),
            row.delivered.to_string(),
            row.parked.to_string(),
            row.retried.to_string(),
            row.given_up.to_string(),
            shown_length(row.delay_p50.as_ref()),
            shown_length(row.delay_p99.as_ref()),
        ]);
    }
    table
}

fn slow_table(dossiers: &[SlowDossier]) -> Table {
    let mut table = Table::new(&["destination", "dossier", ">sequence", "day", ">delay"]);
    for slow in dossiers {
        table.row([
            slow.destination.clone(),
            slow.dossier_code.clone(),
            slow.dossier_sequence.to_string(),
            slow.day.clone(),
            shown_length(slow.delay.as_ref()),
        ]);
    }
    table
}

fn overdue_table(dossiers: &[OverdueDossier]) -> Table {
    let heading = [
        "dossier",
        "procedure",
        "due at",
        "past due",
        ">undelivered",
        ">parked",
    ];
    let mut table = Table::new(&heading);
    for overdue in dossiers {
        let past = if overdue.past_due { "yes" } else { "" };
        table.row([
            overdue.dossier_code.clone(),
            overdue.procedure_code.clone(),
            shown(overdue.due_at.as_ref()),
            past.to_owned(),
            overdue.undelivered.to_string(),
            overdue.parked.to_string(),
        ]);
    }
    table
}
