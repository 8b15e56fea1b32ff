//! The participants: who may do what, when they were last seen, and whom a guard holds.

mod checking;
mod guards;

use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use http::StatusCode;
use lienthong_domain::ErrorCode;
use lienthong_domain::identity::Grant;
use lienthong_domain::participant::System;
use lienthong_identity::GuardView;
use lienthong_services::problems::Thresholds;
use lienthong_services::seen::{ParticipantState, SystemState};
use maud::{Markup, html};

use super::form::Faulty;
use super::params::Params;
use super::{parts, words};
use crate::Shared;
use crate::fault::PageError;
use crate::format;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Column, live};

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/participants", get(show))
        .route("/participants/check", get(checking::show))
        .route("/participants/lift", post(lift).get(back))
}

/// Whoever comes back to the address of a form is led to its page.
async fn back() -> Response {
    layout::go_to("/participants")
}

async fn show(State(console): State<Shared>, frame: Frame) -> Result<Response, PageError> {
    let data = Data::read(&console, &frame)?;
    let title = frame.t("Đơn vị tham gia", "Participants");
    Ok(layout::page(&frame, title, view(&frame, &data, None)))
}

async fn lift(
    State(console): State<Shared>,
    frame: Frame,
    Form(form): Form<Params>,
) -> Result<Response, PageError> {
    let identity = console.identity.as_ref().ok_or(PageError::NotFound)?;
    let target = guards::target(&form)?;
    let reason = &*form.line("reason");
    match identity.lift(&frame.operator, &target, reason).await {
        Ok(lifted) => {
            let told = if lifted {
                frame.t(
                    "Đã gỡ chặn; số lần sai được tính lại từ đầu.",
                    "Lifted; misses are counted anew.",
                )
            } else {
                frame.t(
                    "Không còn gì để gỡ: chặn đã được gỡ trước đó.",
                    "There was nothing to lift any more.",
                )
            };
            frame.leave_note(Tone::Good, told);
            Ok(layout::go_to("/participants"))
        }
        Err(error) if error.code == ErrorCode::InvalidFields => {
            let data = Data::read(&console, &frame)?;
            let typed = guards::Typed {
                target,
                reason: reason.to_owned(),
                faulty: Faulty::of(&error.faults),
            };
            let title = frame.t("Đơn vị tham gia", "Participants");
            let body = view(&frame, &data, Some(&typed));
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(layout::page_with(status, &frame, title, body))
        }
        Err(error) => Err(error.into()),
    }
}

/// What the page shows.
struct Data {
    participants: Vec<ParticipantState>,
    /// `None` where citizens cannot be asked about here.
    guards: Option<Vec<GuardView>>,
}

impl Data {
    fn read(console: &Shared, frame: &Frame) -> Result<Self, PageError> {
        let identity = console.identity.as_ref();
        Ok(Self {
            participants: console.services.participants(&frame.operator)?,
            guards: identity.map(|identity| identity.guards()),
        })
    }
}

fn view(frame: &Frame, data: &Data, typed: Option<&guards::Typed>) -> Markup {
    html! {
        @if let Some(guards) = &data.guards { (guards::section(frame, guards, typed)) }
        (live("participants", layout::section(frame.t("Hệ thống của các đơn vị", "Systems of the participants"), systems(frame, data))))
        @if data.guards.is_some() {
            (layout::section(frame.t("Quyền hỏi về công dân", "Grants to ask about citizens"), grants(frame, data)))
        }
    }
}

/// Every participant with each of its systems.
fn pairs(data: &Data) -> impl Iterator<Item = (&ParticipantState, &System, SystemState)> {
    data.participants.iter().flat_map(|state| {
        let systems = state.participant.systems.iter();
        systems
            .zip(&state.systems)
            .map(move |(system, seen)| (state, system, *seen))
    })
}

fn systems(frame: &Frame, data: &Data) -> Markup {
    let row = |(state, system, seen): (&ParticipantState, &System, SystemState)| {
        let participant = &state.participant;
        vec![
            html! { (participant.id) "/" (system.name) },
            html! {
                (participant.name)
                @if !participant.active { " " (layout::badge(Tone::Warning, frame.t("đang đình chỉ", "suspended"))) }
            },
            html! { (words::role(frame, system.role)) },
            html! {
                @match seen.last_seen_at {
                    Some(at) => (parts::moment(frame, at)),
                    None => (frame.t("chưa gọi từ khi khởi động", "not since the start")),
                }
            },
            parts::number(frame, seen.accepted),
            parts::number(frame, seen.refused),
            parts::maybe_duration(frame, state.lateness.as_ref().map(|late| late.median)),
            html! { (format::number(frame.language, participant.rate_per_second_max.into())) (frame.t("/giây", "/s")) },
            certificate(frame, seen),
        ]
    };
    let columns = [
        Column::narrow(frame.t("Hệ thống", "System")),
        Column::text(frame.t("Đơn vị", "Participant")),
        Column::text(frame.t("Việc được làm", "What it does")),
        Column::narrow(frame.t("Gọi lần cuối", "Last seen")),
        Column::number(frame.t("Đã nhận", "Accepted")),
        Column::number(frame.t("Từ chối", "Refused")),
        Column::number(frame.t("Gửi trễ (trung vị)", "Sent late (median)")),
        Column::number(frame.t("Tốc độ tối đa", "Rate at most")),
        Column::number(frame.t("Chứng thư còn", "Certificate left")),
    ];
    let rows = pairs(data).map(row).collect::<Vec<_>>();
    let caption = frame.t(
        "Hệ thống đã đăng ký; số liệu từ khi khởi động",
        "Registered systems; figures since the start",
    );
    let empty = frame.t(
        "Chưa đăng ký đơn vị nào: thêm vào tệp đơn vị (participants) của cấu hình.",
        "No participant is registered: add it to the participants file.",
    );
    layout::table(caption, &columns, &rows, empty)
}

fn certificate(frame: &Frame, seen: SystemState) -> Markup {
    let Some(ends) = seen.certificate_ends_at else {
        return html! { (parts::NONE) };
    };
    let days = parts::days_until(frame, ends);
    if days < 0 {
        return layout::badge(Tone::Bad, frame.t("đã hết hạn", "it has ended"));
    }
    let text = parts::things(frame, days.unsigned_abs(), "ngày", "day", "days");
    let (warned, _) = Thresholds::default().certificate_days;
    if days < warned {
        layout::badge(Tone::Warning, text)
    } else {
        html! { (text) }
    }
}

fn grants(frame: &Frame, data: &Data) -> Markup {
    let row = |state: &ParticipantState, system: &System, grant: &Grant| {
        let until = grant.valid_until;
        vec![
            html! { (state.participant.id) "/" (system.name) },
            html! { (layout::code(&grant.purpose)) },
            html! { (words::mode(frame, grant.mode)) },
            html! { (words::fields(frame, grant.fields)) },
            html! {
                @if grant.procedures.is_empty() {
                    (frame.t("theo mục đích", "those of the purpose"))
                } @else {
                    @for procedure in &grant.procedures { (procedure) " " }
                }
            },
            html! { (grant.quota.name) },
            html! {
                @match until {
                    Some(at) => (parts::moment(frame, at)),
                    None => (frame.t("đến khi thu hồi", "until taken back")),
                }
            },
        ]
    };
    let of_system = |(state, system, _)| {
        let (state, system): (&ParticipantState, &System) = (state, system);
        system
            .grants
            .iter()
            .map(move |grant| row(state, system, grant))
    };
    let rows = pairs(data).flat_map(of_system).collect::<Vec<_>>();
    let columns = [
        Column::narrow(frame.t("Hệ thống", "System")),
        Column::narrow(frame.t("Mục đích", "Purpose")),
        Column::text(frame.t("Được phép", "May")),
        Column::text(frame.t("Trường dữ liệu", "Fields")),
        Column::text(frame.t("Thủ tục", "Procedures")),
        Column::text(frame.t("Hạn mức", "Quota")),
        Column::narrow(frame.t("Có hiệu lực đến", "Valid until")),
    ];
    let caption = frame.t("Quyền đã cấp", "Grants");
    let empty = frame.t(
        "Chưa cấp quyền nào: không hệ thống nào được hỏi về công dân.",
        "There is no grant: no system may ask about citizens.",
    );
    html! {
        p { a.button.plain href="/participants/check" { (frame.t("Kiểm tra một quyền", "Check a grant")) } }
        (layout::table(caption, &columns, &rows, empty))
    }
}

#[cfg(test)]
mod tests;
