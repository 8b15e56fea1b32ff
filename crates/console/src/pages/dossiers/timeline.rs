//! The timeline: every accepted status, its way to each destination, and each attempt with what was answered.

use lienthong_ports::store::{ATTEMPTS_SHOWN_MAX, AttemptView, DeliveryView, TimelineEntry};
use maud::{Markup, html};

use super::lanes::cure;
use crate::format;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Column};
use crate::pages::{parts, words};

pub(super) fn view(frame: &Frame, events: &[TimelineEntry]) -> Markup {
    html! {
        @if events.is_empty() {
            p.empty { (frame.t("Không có trạng thái nào ở phần này.", "There is no status in this part.")) }
        } @else {
            ol.timeline reversed start=(events[0].sequence) {
                @for event in events { li { (one(frame, event)) } }
            }
        }
    }
}

fn one(frame: &Frame, event: &TimelineEntry) -> Markup {
    let title = format!(
        "{} {}: {}",
        frame.t("Trạng thái số", "Status no."),
        event.sequence,
        words::status(frame, event.status)
    );
    html! {
        h3 { (title) }
        p {
            (frame.t("Xảy ra", "Came about")) " " (parts::moment(frame, event.occurred_at)) "; "
            (frame.t("tiếp nhận", "accepted")) " " (parts::moment(frame, event.accepted_at)) "; "
            (frame.t("từ", "from")) " " (event.participant) "/" (event.system)
            @if let Some(sequence) = event.source_sequence {
                "; " (frame.t("số của đơn vị", "the sender's number")) " " (sequence)
            }
        }
        @if event.late {
            p { (layout::badge(Tone::Warning, frame.t("Đến muộn: chỉ báo thành dòng tiến độ", "Late: told as a progress line only"))) }
        }
        @for warning in &event.warnings { p.fine { (frame.t(warning.vi(), warning.en())) } }
        @for delivery in &event.deliveries { (one_delivery(frame, event, delivery)) }
    }
}

fn one_delivery(frame: &Frame, event: &TimelineEntry, delivery: &DeliveryView) -> Markup {
    let state = words::delivery_state(frame, delivery.state);
    html! {
        div.delivery {
            p {
                (frame.t("Tới", "To")) " " strong { (delivery.destination) } ": "
                (layout::badge(words::delivery_tone(delivery.state), state))
                @if let Some(reason) = delivery.parked { " " (words::park_reason(frame, reason)) }
                @if let Some(at) = delivery.ended_at { " " (parts::moment(frame, at)) }
                @if let Some(at) = delivery.next_attempt_at {
                    "; " (frame.t("lần gửi kế tiếp", "next attempt")) " " (parts::moment(frame, at))
                }
                " " span.fine { (frame.t("lượt gửi", "delivery")) " " (delivery.id) }
            }
            (cure(frame, delivery))
            @if !delivery.attempts.is_empty() { (attempts(frame, event, delivery)) }
        }
    }
}

fn attempts(frame: &Frame, event: &TimelineEntry, delivery: &DeliveryView) -> Markup {
    let row = |attempt: &AttemptView| {
        let outcome = words::outcome(frame, attempt.outcome);
        vec![
            html! { (attempt.number) },
            parts::moment(frame, attempt.started_at),
            html! { (format::duration(frame.language, attempt.took)) },
            layout::badge(words::outcome_tone(attempt.outcome), outcome),
            html! {
                @if attempt.code.is_empty() { (parts::NONE) } @else { (layout::code(&attempt.code)) }
                @if let Some(status) = attempt.http_status { " " span.fine { "HTTP " (status) } }
            },
            parts::text(&attempt.message),
        ]
    };
    let columns = [
        Column::number(frame.t("Lần", "No.")),
        Column::narrow(frame.t("Lúc", "When")),
        Column::number(frame.t("Mất", "Took")),
        Column::narrow(frame.t("Kết quả", "Outcome")),
        Column::narrow(frame.t("Mã", "Code")),
        Column::text(frame.t("Nơi nhận trả lời", "The destination's answer")),
    ];
    let rows = delivery.attempts.iter().map(row).collect::<Vec<_>>();
    let caption = frame.t(
        format!(
            "Các lần gửi trạng thái số {} tới {}",
            event.sequence, delivery.destination
        ),
        format!(
            "Attempts of status no. {} to {}",
            event.sequence, delivery.destination
        ),
    );
    html! {
        (layout::table(caption, &columns, &rows, ""))
        @if delivery.attempts.len() >= ATTEMPTS_SHOWN_MAX {
            p.fine { (frame.t(format!("Chỉ hiện {ATTEMPTS_SHOWN_MAX} lần gửi mới nhất."), format!("The newest {ATTEMPTS_SHOWN_MAX} attempts are shown."))) }
        }
    }
}
