//! One operation: how far it is, what happens next, and the forms that approve or end it.

use std::time::Duration;

use lienthong_domain::OperatorRole;
use lienthong_domain::operator::is_same_person;
use lienthong_ports::operators::{Decision, Operation, OperationKind, OperationState};
use maud::{Markup, html};

use crate::format;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Button, live};
use crate::pages::form::{self, Faulty, Field};
use crate::pages::params::address;
use crate::pages::{parked, parts, words};

/// A form that was refused.
pub(super) struct Typed {
    pub(super) decision: Decision,
    pub(super) reason: String,
    pub(super) faulty: Faulty,
}

/// `Đợt chuyển lại số 12`.
pub(super) fn title(frame: &Frame, operation: &Operation) -> String {
    let (kind, id) = (operation.kind, operation.id);
    match kind {
        OperationKind::Replay => frame.t(
            format!("Đợt chuyển lại số {id}"),
            format!("Replay no. {id}"),
        ),
        OperationKind::Discard => {
            frame.t(format!("Đợt hủy bỏ số {id}"), format!("Discard no. {id}"))
        }
    }
}

/// `120 / 1.000`.
pub(super) fn progress(frame: &Frame, operation: &Operation) -> String {
    let number = |value| format::number(frame.language, value);
    format!(
        "{} / {}",
        number(dealt_with(operation)),
        number(operation.matched)
    )
}

fn dealt_with(operation: &Operation) -> u64 {
    operation.moved + operation.left_alone
}

pub(super) fn view(frame: &Frame, operation: &Operation, typed: Option<&Typed>) -> Markup {
    let (tone, state) = words::operation_state(frame, operation.state);
    let label = frame.t("Đã xử lý", "Dealt with");
    html! {
        @if let Some(typed) = typed { (form::told(frame, &typed.faulty)) }
        (live("operation", html! {
            p { span data-announce { (layout::badge(tone, state)) } " " (next(frame, operation)) }
            p {
                label for="progress" { (label) ": " (progress(frame, operation)) } " "
                progress #progress max=(operation.matched.max(1)) value=(dealt_with(operation)) {}
            }
            (facts(frame, operation))
        }))
        // Live too: once it has ended there is nothing left to decide.
        (live("decide", forms(frame, operation, typed)))
        p { a href=(address("/actions", [("subject", format!("operation:{}", operation.id).as_str())])) {
            (frame.t("Nhật ký thao tác của đợt này", "Actions about this operation")) } }
    }
}

/// What happens next, in one sentence.
fn next(frame: &Frame, operation: &Operation) -> String {
    let moved = parts::deliveries(frame, operation.moved);
    let left_alone = parts::deliveries(frame, operation.left_alone);
    match operation.state {
        OperationState::AwaitingApproval => frame.t(
            format!("Chờ một người phê duyệt khác {}; đến lúc đó chưa có gì thay đổi.", operation.requested_by),
            format!("It waits for an approver other than {}; nothing changes until then.", operation.requested_by),
        ),
        OperationState::Running => {
            let left = operation.matched.saturating_sub(dealt_with(operation));
            let seconds = left.div_ceil(operation.per_second.max(1).into());
            let lasting = format::duration(frame.language, Duration::from_secs(seconds));
            let left = parts::deliveries(frame, left);
            frame.t(
                format!("Còn {left}, khoảng {lasting}. Trang tự cập nhật; đóng trang không làm dừng đợt."),
                format!("{left} to go, about {lasting}. This page refreshes itself; closing it does not stop the operation."),
            )
        }
        OperationState::Done if operation.kind == OperationKind::Replay => frame.t(
            format!("Đã chuyển lại {moved}; để nguyên {left_alone}. Chúng đang được gửi; lượt nào lại không được sẽ trở về Tạm giữ."),
            format!("{moved} replayed, {left_alone} left alone. They are on their way; what fails again returns to Parked."),
        ),
        OperationState::Done => frame.t(
            format!("Đã hủy bỏ {moved}; để nguyên {left_alone}. Các trạng thái sau của những hồ sơ này được gửi tiếp."),
            format!("{moved} discarded, {left_alone} left alone. Later statuses of these dossiers go on."),
        ),
        OperationState::Cancelled => frame.t(
            format!("Đã dừng. {moved} đã xử lý trước đó giữ nguyên kết quả; phần còn lại vẫn tạm giữ."),
            format!("It was cancelled. {moved} dealt with before stay so; the rest is still parked."),
        ),
    }
}

fn facts(frame: &Frame, operation: &Operation) -> Markup {
    let number = |value: u64| html! { (format::number(frame.language, value)) };
    let is_replay = operation.kind == OperationKind::Replay;
    let moved = if is_replay {
        frame.t("Đã chuyển lại", "Replayed")
    } else {
        frame.t("Đã hủy bỏ", "Discarded")
    };
    let mut rows = vec![
        (
            frame.t("Phạm vi", "Which"),
            parked::described(frame, &operation.filter),
        ),
        (
            frame.t("Khớp khi đề nghị", "Matched when asked for"),
            number(operation.matched),
        ),
        (moved, number(operation.moved)),
        (
            frame.t("Để nguyên", "Left alone"),
            html! {
                (number(operation.left_alone)) " "
                span.fine { (frame.t("(không còn tạm giữ, hoặc sẽ trái thứ tự)", "(no longer parked, or it would be out of order)")) }
            },
        ),
        (
            frame.t("Tốc độ", "Rate"),
            html! {
                (number(operation.per_second.into())) " " (frame.t("lượt mỗi giây", "a second"))
            },
        ),
        (
            frame.t("Người đề nghị", "Asked for by"),
            html! {
                (operation.requested_by) ", " (parts::moment(frame, operation.requested_at)) ": “" (operation.reason) "”"
            },
        ),
    ];
    if is_replay {
        let order = if operation.allow_out_of_order {
            frame.t("gửi cả lượt trái thứ tự", "those out of order too")
        } else {
            frame.t("giữ đúng thứ tự", "order is kept")
        };
        rows.push((frame.t("Thứ tự", "Order"), html! { (order) }));
    }
    if let Some(by) = &operation.decided_by {
        let name = if operation.state == OperationState::Cancelled {
            frame.t("Người dừng", "Cancelled by")
        } else {
            frame.t("Người phê duyệt", "Approved by")
        };
        rows.push((
            name,
            html! {
                (by)
                @if let Some(at) = operation.decided_at { ", " (parts::moment(frame, at)) }
                @if let Some(reason) = &operation.decided_reason { ": “" (reason) "”" }
            },
        ));
    }
    if let Some(at) = operation.ended_at {
        rows.push((frame.t("Kết thúc", "Ended"), parts::moment(frame, at)));
    }
    layout::definition(&rows)
}

/// The forms for whom they are, and for others the sentence that says for whom.
fn forms(frame: &Frame, operation: &Operation, typed: Option<&Typed>) -> Markup {
    if !operation.state.is_open() {
        return html! {};
    }
    let awaits = operation.state == OperationState::AwaitingApproval;
    let is_same = is_same_person(&operation.requested_by, &frame.operator.by);
    html! {
        @if awaits && frame.may(OperatorRole::Approver) && !is_same {
            (form(frame, operation, Decision::Approve, typed))
        } @else if awaits {
            (layout::note(Tone::Neutral, html! {
                @if is_same {
                    (frame.t("Bạn là người đề nghị nên không tự phê duyệt được; hãy nhờ một người phê duyệt khác mở trang này.",
                        "You asked for it, so you cannot approve it; ask another approver to open this page."))
                } @else {
                    (frame.t("Phê duyệt cần vai trò Người phê duyệt.", "To approve it needs the role Approver."))
                }
            }))
        }
        @if frame.may(OperatorRole::Operator) { (form(frame, operation, Decision::Cancel, typed)) }
    }
}

fn form(frame: &Frame, operation: &Operation, decision: Decision, typed: Option<&Typed>) -> Markup {
    let (verb, title, kind, hint) = match decision {
        Decision::Approve => (
            "approve",
            frame.t("Phê duyệt", "Approve"),
            Button::Main,
            frame.t(
                "Ví dụ: đã kiểm tra với cổng, lỗi đã sửa.",
                "Such as: checked with the portal, it is mended.",
            ),
        ),
        Decision::Cancel => (
            "cancel",
            frame.t("Dừng đợt", "Cancel"),
            Button::Danger,
            frame.t(
                "Phần đã xử lý giữ nguyên kết quả.",
                "What was dealt with stays so.",
            ),
        ),
    };
    let none = Faulty::default();
    let typed = typed.filter(|typed| typed.decision == decision);
    let (reason, faulty) =
        typed.map_or(("", &none), |typed| (typed.reason.as_str(), &typed.faulty));
    let field = Field::new("reason", frame.t("Lý do", "Reason"), reason)
        .within(verb)
        .hint(hint)
        .required();
    let action = format!("/operations/{}/{verb}", operation.id);
    let body = layout::post(
        frame,
        &action,
        html! {
            (field.reason(frame, faulty))
            (layout::actions(layout::button(kind, title)))
        },
    );
    layout::section(title, body)
}
