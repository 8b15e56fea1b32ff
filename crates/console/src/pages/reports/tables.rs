//! The tables of a report.

use lienthong_ports::operators::{OverdueDossier, SlowDossier};
use lienthong_services::report::{Report, ReportRow};
use maud::{Markup, html};

use crate::format;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Column};
use crate::pages::parts;

/// One line per destination and province; the sums last.
pub(super) fn rows(frame: &Frame, report: &Report) -> Markup {
    let row = |row: &ReportRow| {
        let number = |value| parts::number(frame, value);
        let place = html! {
            @match &row.root {
                Some(root) => (parts::place(root)),
                None => strong { (frame.t("Cộng", "Sum")) },
            }
        };
        vec![
            place,
            html! { (row.destination) },
            number(row.accepted),
            number(row.delivered),
            number(row.parked),
            number(row.retried),
            number(row.given_up),
            parts::maybe_duration(frame, row.delay_p50()),
            parts::maybe_duration(frame, row.delay_p99()),
        ]
    };
    let columns = [
        Column::text(frame.t("Tỉnh, bộ ngành", "Province")),
        Column::narrow(frame.t("Nơi nhận", "Destination")),
        Column::number(frame.t("Tiếp nhận", "Accepted")),
        Column::number(frame.t("Đã gửi", "Delivered")),
        Column::number(frame.t("Tạm giữ", "Parked")),
        Column::number(frame.t("Tự gửi lại", "Tried again")),
        Column::number(frame.t("Bỏ", "Given up")),
        Column::number(frame.t("Độ trễ, trung vị", "Delay, median")),
        Column::number(frame.t("Độ trễ, p99", "Delay, p99")),
    ];
    let rows = report.rows.iter().map(row).collect::<Vec<_>>();
    let caption = frame.t(
        "Số lượt theo tỉnh; độ trễ từ tiếp nhận đến khi gửi xong, cao hơn thực tế không quá 20 %",
        "Counts by province; delays from acceptance to delivery, at most 20 % too high",
    );
    let empty = frame.t(
        "Không có trạng thái nào trong kỳ này.",
        "No status came in this period.",
    );
    layout::table(caption, &columns, &rows, empty)
}

/// The slowest deliveries.
pub(super) fn slow(frame: &Frame, report: &Report) -> Markup {
    let row = |slow: &SlowDossier| {
        vec![
            parts::dossier(&slow.dossier),
            html! { (slow.sequence) },
            html! { (slow.destination) },
            html! { (format::date(slow.day)) },
            html! { (format::duration(frame.language, slow.delay)) },
        ]
    };
    let columns = [
        Column::narrow(frame.t("Hồ sơ", "Dossier")),
        Column::number(frame.t("Trạng thái số", "Status no.")),
        Column::narrow(frame.t("Nơi nhận", "Destination")),
        Column::narrow(frame.t("Ngày gửi xong", "Delivered on")),
        Column::number(frame.t("Độ trễ", "Delay")),
    ];
    let rows = report.slow.iter().map(row).collect::<Vec<_>>();
    let caption = frame.t(
        "Hồ sơ gửi chậm nhất, chậm nhất ở trên",
        "The slowest dossiers, the slowest first",
    );
    let empty = frame.t(
        "Không có trạng thái nào được gửi xong trong kỳ này.",
        "Nothing was delivered in this period.",
    );
    layout::table(caption, &columns, &rows, empty)
}

/// Dossiers past due or due soon.
pub(super) fn overdue(frame: &Frame, report: &Report) -> Markup {
    let row = |overdue: &OverdueDossier| {
        let undelivered = overdue.lanes.iter().map(|lag| lag.undelivered).sum();
        let parked = overdue.lanes.iter().map(|lag| lag.parked).sum::<u64>();
        vec![
            parts::dossier(&overdue.dossier),
            html! {
                @match &overdue.procedure { Some(procedure) => (procedure), None => (parts::NONE) }
            },
            html! {
                @if overdue.due_at < report.made_at {
                    (layout::badge(Tone::Bad, frame.t("quá hạn", "past due")))
                } @else {
                    (layout::badge(Tone::Warning, frame.t("sắp đến hạn", "due soon")))
                }
            },
            parts::moment(frame, overdue.due_at),
            parts::number(frame, undelivered),
            html! {
                @if parked > 0 { (layout::badge(Tone::Bad, parts::number(frame, parked))) } @else { "0" }
            },
        ]
    };
    let columns = [
        Column::narrow(frame.t("Hồ sơ", "Dossier")),
        Column::text(frame.t("Thủ tục", "Procedure")),
        Column::narrow(frame.t("Tình trạng", "State")),
        Column::narrow(frame.t("Hạn trả", "Due")),
        Column::number(frame.t("Chưa gửi xong", "Not delivered")),
        Column::number(frame.t("Tạm giữ", "Parked")),
    ];
    let rows = report.overdue.iter().map(row).collect::<Vec<_>>();
    let until = format::instant(report.due_until);
    let caption = frame.t(
        format!("Hồ sơ có hạn trả trước {until} mà còn trạng thái chưa gửi"),
        format!("Dossiers due before {until} of which something is not delivered"),
    );
    let empty = frame.t(
        "Không có hồ sơ nào: mọi trạng thái của hồ sơ đến hạn đã được gửi.",
        "None: everything about dossiers that are due was delivered.",
    );
    layout::table(caption, &columns, &rows, empty)
}
