//! The last look before an operation is written down. The form carries a key, so that sending it twice is one operation.

use lienthong_domain::{Random, Timestamp};
use lienthong_ports::operators::OperationKind;
use maud::{Markup, html};

use super::choosing::Choosing;
use super::dry_run::Data;
use super::{Step, described, steps};
use crate::format;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Button};
use crate::pages::{parts, words};

/// A key that no other form has.
pub(super) fn fresh_key(random: &Random, now: Timestamp) -> String {
    format!("console-{}", random.event_id(now))
}

pub(super) fn view(frame: &Frame, data: &Data, choosing: &Choosing, key: &str) -> Markup {
    if data.preview.matches == 0 {
        return layout::note(Tone::Warning, html! { (super::nothing_matches(frame)) });
    }
    let moved = parts::deliveries(frame, data.moved(choosing));
    let is_replay = choosing.kind == OperationKind::Replay;
    let order = if choosing.allow_out_of_order {
        frame.t("gửi cả lượt trái thứ tự", "those out of order too")
    } else {
        frame.t(
            "để nguyên lượt trái thứ tự",
            "those out of order are left alone",
        )
    };
    let mut rows = vec![
        (
            frame.t("Việc làm", "What"),
            html! { (words::operation_kind(frame, choosing.kind)) " " strong { (moved) } },
        ),
        (frame.t("Phạm vi", "Which"), described(frame, &data.filter)),
        (
            frame.t("Tốc độ", "Rate"),
            html! { (pace(frame, data, choosing)) },
        ),
        (frame.t("Lý do", "Reason"), html! { (choosing.reason) }),
        (
            frame.t("Người đề nghị", "Asked for by"),
            html! { (frame.operator.by) },
        ),
    ];
    if is_replay && data.preview.reorders > 0 {
        rows.push((frame.t("Thứ tự", "Order"), html! { (order) }));
    }
    let (kind, text) = match (is_replay, data.approval.needed) {
        (true, false) => (
            Button::Main,
            frame.t(format!("Chuyển lại {moved}"), format!("Replay {moved}")),
        ),
        (false, false) => (
            Button::Danger,
            frame.t(format!("Hủy bỏ {moved}"), format!("Discard {moved}")),
        ),
        (true, true) => (
            Button::Main,
            frame.t(
                "Gửi đề nghị chuyển lại".to_owned(),
                "Ask for this replay".to_owned(),
            ),
        ),
        (false, true) => (
            Button::Danger,
            frame.t(
                "Gửi đề nghị hủy bỏ".to_owned(),
                "Ask for this discard".to_owned(),
            ),
        ),
    };
    html! {
        (steps(frame, Step::Confirm))
        (layout::definition(&rows))
        (layout::note(if is_replay { Tone::Info } else { Tone::Warning }, html! { (next(frame, data, choosing)) }))
        (layout::post(frame, "/operations", html! {
            (choosing.all_hidden(key))
            (layout::actions(html! {
                (layout::button(kind, text))
                (layout::link_button(Button::Quiet, "/parked", frame.t("Thôi, quay lại", "No, go back")))
            }))
        }))
    }
}

/// The rate, and how long it takes at that rate.
fn pace(frame: &Frame, data: &Data, choosing: &Choosing) -> String {
    let per_second = choosing.per_second().unwrap_or(1);
    let seconds = data.moved(choosing).div_ceil(per_second.into());
    let lasting = format::duration(frame.language, std::time::Duration::from_secs(seconds));
    let rate = format::number(frame.language, per_second.into());
    frame.t(
        format!("{rate} lượt mỗi giây, khoảng {lasting}"),
        format!("{rate} a second, about {lasting}"),
    )
}

/// What happens after the button.
fn next(frame: &Frame, data: &Data, choosing: &Choosing) -> &'static str {
    if data.approval.needed {
        return frame.t(
            "Sau khi gửi đề nghị, một người phê duyệt khác bạn phải đồng ý; đến lúc đó chưa có gì thay đổi.",
            "After this an approver other than you has to agree; nothing changes until then.",
        );
    }
    match choosing.kind {
        OperationKind::Replay => frame.t(
            "Bắt đầu chạy ngay. Trang theo dõi cho thấy tiến độ, và có nút dừng.",
            "It begins at once. The next page shows the progress and has a button to stop it.",
        ),
        OperationKind::Discard => frame.t(
            "Bắt đầu chạy ngay và không lấy lại được.",
            "It begins at once and cannot be taken back.",
        ),
    }
}
