//! One destination: its state in words, and the form that halts it or lets it go on.

use lienthong_domain::OperatorRole;
use lienthong_services::overview::DestinationFlow;
use maud::{Markup, html};

use crate::Shared;
use crate::fault::PageError;
use crate::format;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Button, live};
use crate::pages::form::{self, Faulty, Field};
use crate::pages::params::{address, encoded};
use crate::pages::{parts, words};

/// The flow to the destination of that name.
pub(super) async fn read(
    console: &Shared,
    frame: &Frame,
    name: &str,
) -> Result<DestinationFlow, PageError> {
    let overview = console.services.overview(&frame.operator).await?;
    let mut flows = overview.destinations.iter();
    let mut flow = flows
        .find(|flow| flow.state.row.name.as_str() == name)
        .cloned()
        .ok_or(PageError::NotFound)?;
    // The kept look may be seconds older than a halt that was just made, so pause and breaker are read anew.
    let fresh = console.services.destinations(&frame.operator).await?;
    let fresh = fresh
        .into_iter()
        .find(|state| state.row.name == flow.state.row.name);
    if let Some(state) = fresh {
        flow.state = state;
    }
    Ok(flow)
}

pub(super) fn title(frame: &Frame, flow: &DestinationFlow) -> String {
    let name = &flow.state.row.name;
    format!("{} {name}", frame.t("Nơi nhận", "Destination"))
}

pub(super) fn view(frame: &Frame, flow: &DestinationFlow, reason: &str, faulty: &Faulty) -> Markup {
    html! {
        (form::told(frame, faulty))
        (live("destination", html! {
            p.prose { (sentence(frame, flow)) }
            (facts(frame, flow))
        }))
        (control(frame, flow, reason, faulty))
    }
}

/// How the destination is doing, and what happens next.
fn sentence(frame: &Frame, flow: &DestinationFlow) -> String {
    let row = &flow.state.row;
    let waiting = parts::deliveries(frame, flow.waiting);
    if let Some(pause) = &row.paused {
        let lasted = parts::lasted(frame, pause.at);
        return frame.t(
            format!("Người vận hành đã tạm dừng nơi nhận này {lasted}; {waiting} đang chờ trong kho. Bấm “Cho gửi tiếp” khi nguyên nhân đã hết."),
            format!("An operator paused this destination {lasted} ago; {waiting} wait in the store. Resume it when the cause is gone."),
        );
    }
    match row.breaker.open_until {
        Some(until) if until > frame.now => {
            let next = format::ago(frame.language, until, frame.now);
            frame.t(
                format!("Nơi nhận không trả lời đúng nên hệ thống tạm ngừng gọi; lần gọi thử kế tiếp {next}. Không lượt gửi nào bị tính là hỏng trong lúc này. Hãy liên hệ bên vận hành nơi nhận."),
                format!("The destination does not answer properly, so calls are held back; the next probe comes {next}. No delivery is counted as failed meanwhile. Talk to the destination's people."),
            )
        }
        _ if flow.waiting == 0 => frame
            .t(
                "Đang gửi bình thường; không có gì chờ.",
                "It is running; nothing waits.",
            )
            .to_owned(),
        _ => frame.t(
            format!("Đang gửi bình thường; {waiting} đang chờ."),
            format!("It is running; {waiting} waiting."),
        ),
    }
}

fn facts(frame: &Frame, flow: &DestinationFlow) -> Markup {
    let mut facts = standing(frame, flow);
    facts.extend(figures(frame, flow));
    layout::definition(&facts)
}

/// Halt, breaker and room.
fn standing(frame: &Frame, flow: &DestinationFlow) -> Vec<(&'static str, Markup)> {
    let state = &flow.state;
    let row = &state.row;
    let (breaker_tone, breaker) = words::breaker(frame, row.breaker);
    let (tone, running) = super::running(frame, flow);
    let paused_by = html! {
        @match &row.paused {
            Some(pause) => { (pause.by) ", " (parts::moment(frame, pause.at)) ": “" (pause.reason) "”" },
            None => (parts::NONE),
        }
    };
    let breaker = html! {
        (layout::badge(breaker_tone, breaker))
        @if row.breaker.openings > 0 {
            " " (frame.t("ngắt liên tiếp", "openings in a row")) ": "
            (parts::number(frame, row.breaker.openings.into()))
        }
    };
    let calls = html! {
        (parts::number(frame, state.in_flight.into())) " " (frame.t("trên tối đa", "of at most")) " "
        (parts::number(frame, state.concurrency_limit.into()))
    };
    let policy = html! { (words::lane_policy(frame, row.lane)) };
    vec![
        (frame.t("Tình trạng", "State"), layout::badge(tone, running)),
        (frame.t("Người tạm dừng", "Paused by"), paused_by),
        (frame.t("Bộ ngắt", "Breaker"), breaker),
        (frame.t("Đang gọi cùng lúc", "Calls under way"), calls),
        (
            frame.t("Khi một trạng thái bị tạm giữ", "When a status is parked"),
            policy,
        ),
    ]
}

/// What waits and how fast it goes.
fn figures(frame: &Frame, flow: &DestinationFlow) -> Vec<(&'static str, Markup)> {
    let rate = |rate: f64| html! { (parts::per_minute(frame, rate)) };
    let parked = address("/parked", [("destination", flow.state.row.name.as_str())]);
    let oldest = html! {
        @match &flow.oldest {
            Some((code, since)) => { (parts::dossier(code)) ": " (parts::lasted(frame, *since)) },
            None => (frame.t("không có", "none")),
        }
    };
    let drained = parts::maybe_duration(frame, flow.drained_in);
    let parked = html! { a href=(parked) { (parts::number(frame, flow.parked)) } };
    vec![
        (
            frame.t("Đang chờ", "Waiting"),
            parts::number(frame, flow.waiting),
        ),
        (frame.t("Chờ lâu nhất", "Oldest waits"), oldest),
        (
            frame.t("Tiếp nhận", "Accepted"),
            rate(flow.accepted_per_minute),
        ),
        (
            frame.t("Đã gửi", "Delivered"),
            rate(flow.delivered_per_minute),
        ),
        (
            frame.t("Chưa được, tự gửi lại", "Failed, tried again"),
            rate(flow.retried_per_minute),
        ),
        (frame.t("Gửi hết sau", "Drained in"), drained),
        (frame.t("Tạm giữ", "Parked"), parked),
    ]
}

fn control(frame: &Frame, flow: &DestinationFlow, reason: &str, faulty: &Faulty) -> Markup {
    let row = &flow.state.row;
    let is_paused = row.paused.is_some();
    let title = if is_paused {
        frame.t("Cho gửi tiếp", "Resume")
    } else {
        frame.t("Tạm dừng", "Pause")
    };
    if !frame.may(OperatorRole::Operator) {
        let why = frame.t(
            "Vai trò của bạn chỉ được xem; người vận hành mới được tạm dừng hoặc cho gửi tiếp.",
            "Your role may only look; an operator pauses and resumes.",
        );
        return layout::section(title, layout::note(Tone::Neutral, html! { (why) }));
    }
    let (verb, hint, kind) = if is_paused {
        (
            "resume",
            frame.t(
                "Ví dụ: nơi nhận đã khôi phục lúc 14:00.",
                "Such as: the destination is back since 14:00.",
            ),
            Button::Main,
        )
    } else {
        ("pause", frame.t("Ví dụ: nơi nhận bảo trì đến 14:00. Ghi vào nhật ký thao tác; không ghi dữ liệu cá nhân.",
            "Such as: maintenance until 14:00. It goes into the record of actions; no personal data."), Button::Danger)
    };
    let action = format!("/destinations/{}/{verb}", encoded(row.name.as_str()));
    let field = Field::new("reason", frame.t("Lý do", "Reason"), reason)
        .hint(hint)
        .required();
    let explanation = if is_paused {
        frame.t(
            "Các lượt gửi đang chờ sẽ được gửi ngay, theo đúng thứ tự của từng hồ sơ.",
            "What waits is delivered at once, each dossier in its order.",
        )
    } else {
        frame.t(
            "Lần gửi đang chạy sẽ kết thúc; không bắt đầu lần mới. Việc tiếp nhận vẫn tiếp tục.",
            "Attempts under way end; none begins. Statuses are still accepted.",
        )
    };
    let body = html! {
        p { (explanation) }
        (layout::post(frame, &action, html! {
            (field.reason(frame, faulty))
            (layout::actions(layout::button(kind, title)))
        }))
    };
    layout::section(title, body)
}
