//! A report as one page that needs nothing else: opens offline, prints on A4, Vietnamese first.

use lienthong_proto::admin::v1::{GetReportResponse, OverdueDossier, ReportRow, SlowDossier};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Days;
use crate::instant::{shown, shown_length};

const STYLE: &str = "
:root { color-scheme: light; }
body { font: 11pt/1.45 'Be Vietnam Pro', 'Noto Sans', system-ui, sans-serif; color: #111; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 1.75rem 0 .5rem; }
.en { color: #555; font-weight: normal; font-size: .85em; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid #999; padding: .3rem .45rem; text-align: left; vertical-align: top; }
th { background: #eee; }
th .en { display: block; }
.n { text-align: right; }
tr.sum { font-weight: 600; background: #f5f5f5; }
.past { font-weight: 600; }
footer { margin-top: 1.75rem; color: #555; font-size: .85rem; }
@page { size: A4 landscape; margin: 12mm; }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 9.5pt; } tr { break-inside: avoid; } thead { display: table-header-group; } }
";

/// The page.
pub(super) fn written(days: Days, overdue_hours: u32, report: &GetReportResponse) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="vi" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "Báo cáo liên thông " (days) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Báo cáo đồng bộ hồ sơ " (days) }
                (en("Report of dossier statuses delivered, by destination and province"))
                (row_table(&report.rows))
                (slow_table(&report.slow_dossiers))
                (overdue_table(&report.overdue_dossiers, overdue_hours))
                footer {
                    "Lập lúc " (shown(report.made_at.as_ref())) " (giờ Việt Nam). Độ trễ tính từ lúc trục tiếp nhận đến lúc nơi nhận xác nhận, sai số không quá 20 %. "
                    (en("Delays run from acceptance to delivery, at most 20 % too high."))
                }
            }
        }
    };
    page.into_string()
}

fn en(text: &str) -> Markup {
    html! { span.en lang="en" { (text) } }
}

/// A heading cell in both languages.
fn head(vi: &str, english: &str, is_number: bool) -> Markup {
    html! { th.n[is_number] scope="col" { (vi) (en(english)) } }
}

fn row_table(rows: &[ReportRow]) -> Markup {
    html! {
        h2 { "Theo nơi nhận và tỉnh " (en("by destination and province")) }
        table {
            thead { tr {
                (head("Nơi nhận", "destination", false))
                (head("Mã", "code", false))
                (head("Tỉnh", "province", false))
                (head("Tiếp nhận", "accepted", true))
                (head("Đã gửi", "delivered", true))
                (head("Tạm giữ", "parked", true))
                (head("Tự gửi lại", "retried", true))
                (head("Bỏ", "given up", true))
                (head("Trễ trung vị", "median delay", true))
                (head("Trễ P99", "p99 delay", true))
            } }
            tbody {
                @for row in rows {
                    tr.sum[row.root_code.is_empty()] {
                        td { (row.destination) }
                        td { (row.root_code) }
                        td { @if row.root_code.is_empty() { "Cộng" } @else { (row.name) } }
                        @for number in [row.accepted, row.delivered, row.parked, row.retried, row.given_up] {
                            td.n { (grouped(number)) }
                        }
                        td.n { (shown_length(row.delay_p50.as_ref())) }
                        td.n { (shown_length(row.delay_p99.as_ref())) }
                    }
                }
            }
        }
    }
}

fn slow_table(dossiers: &[SlowDossier]) -> Markup {
    html! {
        h2 { "Hồ sơ gửi chậm nhất " (en("slowest deliveries")) }
        @if dossiers.is_empty() {
            p { "Không có. " (en("None.")) }
        } @else {
            table {
                thead { tr {
                    (head("Nơi nhận", "destination", false))
                    (head("Hồ sơ", "dossier", false))
                    (head("Lượt", "sequence", true))
                    (head("Ngày gửi", "day", false))
                    (head("Trễ", "delay", true))
                } }
                tbody {
                    @for slow in dossiers {
                        tr {
                            td { (slow.destination) }
                            td { (slow.dossier_code) }
                            td.n { (slow.dossier_sequence) }
                            td { (slow.day) }
                            td.n { (shown_length(slow.delay.as_ref())) }
                        }
                    }
                }
            }
        }
    }
}

fn overdue_table(dossiers: &[OverdueDossier], hours: u32) -> Markup {
    html! {
        h2 {
            "Sắp quá hạn (trong " (hours) " giờ làm việc) hoặc đã quá hạn, chưa gửi xong "
            (en("due soon or past due, not delivered"))
        }
        @if dossiers.is_empty() {
            p { "Không có. " (en("None.")) }
        } @else {
            table {
                thead { tr {
                    (head("Hồ sơ", "dossier", false))
                    (head("Thủ tục", "procedure", false))
                    (head("Hạn trả", "due at", false))
                    (head("Tình trạng", "state", false))
                    (head("Chưa gửi xong", "undelivered", true))
                    (head("Tạm giữ", "parked", true))
                } }
                tbody {
                    @for overdue in dossiers {
                        tr {
                            td { (overdue.dossier_code) }
                            td { (overdue.procedure_code) }
                            td { (shown(overdue.due_at.as_ref())) }
                            td.past[overdue.past_due] {
                                @if overdue.past_due { "đã quá hạn" } @else { "sắp đến hạn" }
                            }
                            td.n { (grouped(overdue.undelivered)) }
                            td.n { (grouped(overdue.parked)) }
                        }
                    }
                }
            }
        }
    }
}

/// `1.234.567`, as Vietnamese readers group digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped() {
        let told: Vec<_> = [0, 999, 1_000, 1_234_567].map(grouped).into();
        assert_eq!(told, ["0", "999", "1.000", "1.234.567"]);
    }
}
