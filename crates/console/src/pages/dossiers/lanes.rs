//! Why a dossier waits at each destination: the cause, who can end it, how, and the button that does.

use lienthong_domain::{DeliveryState, OperatorRole};
use lienthong_ports::store::DeliveryView;
use lienthong_services::explain::{Cause, Explanation};
use maud::{Markup, html};

use super::one::Data;
use crate::format;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Button};
use crate::pages::params::{address, encoded};
use crate::pages::{parts, words};

pub(super) fn view(frame: &Frame, data: &Data) -> Markup {
    if data.lanes.is_empty() {
        let why = frame.t(
            "Hồ sơ này không gửi tới nơi nhận nào.",
            "This dossier goes to no destination.",
        );
        return html! { p.empty { (why) } };
    }
    html! {
        @for lane in &data.lanes { (one(frame, data, lane)) }
    }
}

fn one(frame: &Frame, data: &Data, lane: &Explanation) -> Markup {
    let view = data
        .dossier
        .lanes
        .iter()
        .find(|view| view.destination == lane.destination);
    let waiting = view.map_or(0, |view| view.waiting);
    let title = format!(
        "{} {}: {}",
        frame.t("Nơi nhận", "Destination"),
        lane.destination,
        frame.t(lane.cause.vi(), lane.cause.en())
    );
    let mut facts = vec![
        (
            frame.t("Ai xử lý được", "Who can end it"),
            html! { (words::fixer(frame, lane.fixer)) },
        ),
        (
            frame.t("Việc tự xảy ra tiếp theo", "What happens by itself"),
            html! {
                @match lane.next_at {
                    Some(at) => { (frame.t("gửi lại", "the next attempt")) " " (parts::moment(frame, at)) },
                    None => (by_itself(frame, lane.cause)),
                }
            },
        ),
        (
            frame.t("Đang chờ", "Waiting"),
            html! { (parts::deliveries(frame, waiting)) },
        ),
        (
            frame.t("Đã gửi đến trạng thái số", "Delivered up to status no."),
            html! { (view.map_or(0, |view| view.delivered_sequence)) },
        ),
    ];
    // Where nothing waits, the timeline has the last answer.
    if let Some(head) = &lane.head {
        let name = frame.t("Nơi nhận trả lời lần cuối", "The destination's last answer");
        facts.push((name, last_answer(frame, head)));
    }
    let body = html! {
        p { (advice(frame, lane.cause)) }
        (layout::definition(&facts))
        @if let Some(head) = &lane.head { (cure(frame, head)) }
        @if matches!(lane.cause, Cause::Paused | Cause::BreakerOpen) {
            (layout::actions(layout::link_button(Button::Main,
                &format!("/destinations/{}", encoded(lane.destination.as_str())),
                frame.t("Xem nơi nhận", "See the destination"))))
        }
        @if lane.cause == Cause::BrokerDown {
            (layout::actions(layout::link_button(Button::Main, "/queues", frame.t("Xem hàng đợi", "See the queues"))))
        }
    };
    layout::callout(tone(lane.cause), title, body)
}

fn last_answer(frame: &Frame, head: &DeliveryView) -> Markup {
    html! {
        @match head.attempts.last() {
            Some(attempt) => {
                (words::outcome(frame, attempt.outcome)) " "
                @if !attempt.code.is_empty() { (layout::code(&attempt.code)) " " }
                (attempt.message)
                " " (parts::moment(frame, attempt.started_at))
                ", " (format::duration(frame.language, attempt.took))
            },
            None => (frame.t("chưa gửi lần nào", "no attempt yet")),
        }
    }
}

/// The buttons of a parked delivery; nothing for any other.
pub(super) fn cure(frame: &Frame, delivery: &DeliveryView) -> Markup {
    if delivery.state != DeliveryState::Parked {
        return html! {};
    }
    let id = delivery.id.to_string();
    let check = |kind| address("/parked/check", [("kind", kind), ("id", id.as_str())]);
    layout::actions(html! {
        (layout::link_button(Button::Main, &check("replay"), frame.t("Chạy thử chuyển lại", "Try a replay")))
        @if frame.may(OperatorRole::Operator) {
            (layout::link_button(Button::Quiet, &check("discard"), frame.t("Chạy thử hủy bỏ", "Try a discard")))
        }
    })
}

fn tone(cause: Cause) -> Tone {
    match cause {
        Cause::Delivered => Tone::Good,
        Cause::UnderWay | Cause::Due => Tone::Info,
        Cause::RetryScheduled | Cause::Paused | Cause::BrokerDown => Tone::Warning,
        Cause::BreakerOpen
        | Cause::ParkedRejected
        | Cause::ParkedExhausted
        | Cause::ParkedSuspect => Tone::Bad,
    }
}

/// What somebody can do.
fn advice(frame: &Frame, cause: Cause) -> &'static str {
    let (vi, en) = match cause {
        Cause::Delivered => ("Không có gì phải làm.", "There is nothing to do."),
        Cause::UnderWay | Cause::Due => (
            "Chờ vài giây; trang tự cập nhật.",
            "Wait a few seconds; the page refreshes itself.",
        ),
        Cause::RetryScheduled => (
            "Thường tự hết. Nếu cùng một lỗi lặp lại, hãy báo bên vận hành nơi nhận kèm câu trả lời dưới đây.",
            "It usually ends by itself. If the same answer repeats, tell the destination's people, with the answer below.",
        ),
        Cause::BreakerOpen => (
            "Liên hệ bên vận hành nơi nhận. Khi nơi nhận trả lời lại, mọi thứ tự gửi tiếp.",
            "Talk to the destination's people. When it answers again, everything goes on by itself.",
        ),
        Cause::Paused => (
            "Đọc lý do tạm dừng; khi nguyên nhân đã hết, bấm “Cho gửi tiếp” ở trang nơi nhận.",
            "Read why it was paused; when the cause is gone, resume it on its page.",
        ),
        Cause::BrokerDown => (
            "Kiểm tra hàng đợi trung chuyển (RabbitMQ). Kho giữ nguyên mọi trạng thái.",
            "Check the broker (RabbitMQ). The store keeps every status.",
        ),
        Cause::ParkedRejected => (
            "Đọc câu trả lời của nơi nhận. Nếu nơi nhận đã sửa: chuyển lại. Nếu dữ liệu sai: đơn vị gửi trạng thái đã sửa, rồi hủy bỏ lượt này.",
            "Read the destination's answer. If the destination was mended: replay. If the data is wrong: the participant sends a corrected status, then discard this one.",
        ),
        Cause::ParkedExhausted => (
            "Kiểm tra nơi nhận đã hoạt động lại chưa, rồi chuyển lại.",
            "Check that the destination works again, then replay.",
        ),
        Cause::ParkedSuspect => (
            "Xem nhật ký của tiến trình gửi vào lúc đó. Nếu tiến trình bị dừng vì lý do khác, chuyển lại là vô hại.",
            "See the workers' log of that time. If they stopped for another reason, a replay does no harm.",
        ),
    };
    frame.t(vi, en)
}

fn by_itself(frame: &Frame, cause: Cause) -> &'static str {
    let (vi, en) = match cause {
        Cause::ParkedRejected | Cause::ParkedExhausted | Cause::ParkedSuspect | Cause::Paused => (
            "không có gì cho đến khi có người xử lý",
            "nothing until somebody acts",
        ),
        Cause::Delivered => ("không còn gì để gửi", "nothing is left to send"),
        Cause::UnderWay
        | Cause::Due
        | Cause::RetryScheduled
        | Cause::BreakerOpen
        | Cause::BrokerDown => ("sẽ tự gửi", "it is delivered by itself"),
    };
    frame.t(vi, en)
}
