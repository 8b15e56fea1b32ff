//! The destinations: how each is doing, and the halt that an operator may put on it.

mod one;

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use http::StatusCode;
use lienthong_domain::{DestinationName, ErrorCode};
use lienthong_services::overview::{DestinationFlow, Overview};
use maud::{Markup, html};

use super::form::Faulty;
use super::params::{Params, encoded};
use super::{parts, words};
use crate::Shared;
use crate::fault::PageError;
use crate::format;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Column, live};

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/destinations", get(list))
        .route("/destinations/{name}", get(show))
        .route("/destinations/{name}/pause", post(pause).get(back))
        .route("/destinations/{name}/resume", post(resume).get(back))
}

/// Whoever comes back to the address of a form, after a sign-in or a switch of language, is led to its page.
async fn back(Path(name): Path<String>) -> Response {
    layout::go_to(&format!("/destinations/{}", encoded(&name)))
}

async fn list(State(console): State<Shared>, frame: Frame) -> Result<Response, PageError> {
    let overview = console.services.overview(&frame.operator).await?;
    let title = frame.t("Nơi nhận", "Destinations");
    let body = live("destinations", view(&frame, &overview));
    Ok(layout::page(&frame, title, body))
}

async fn show(
    State(console): State<Shared>,
    frame: Frame,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    let flow = one::read(&console, &frame, &name).await?;
    let title = one::title(&frame, &flow);
    let body = one::view(&frame, &flow, "", &Faulty::default());
    Ok(layout::page(&frame, &title, body))
}

async fn pause(
    state: State<Shared>,
    frame: Frame,
    name: Path<String>,
    form: Form<Params>,
) -> Result<Response, PageError> {
    set_paused(state, frame, name, form, true).await
}

async fn resume(
    state: State<Shared>,
    frame: Frame,
    name: Path<String>,
    form: Form<Params>,
) -> Result<Response, PageError> {
    set_paused(state, frame, name, form, false).await
}

async fn set_paused(
    State(console): State<Shared>,
    frame: Frame,
    Path(name): Path<String>,
    Form(form): Form<Params>,
    paused: bool,
) -> Result<Response, PageError> {
    let destination = DestinationName::parse(&name).map_err(|_| PageError::NotFound)?;
    let reason = &*form.line("reason");
    let done = console
        .services
        .set_paused(&frame.operator, &destination, paused, reason)
        .await;
    match done {
        Ok(()) => {
            let told = if paused {
                frame.t(
                    "Đã tạm dừng. Trạng thái vẫn được tiếp nhận và chờ trong kho.",
                    "Paused. Statuses are still accepted and wait in the store.",
                )
            } else {
                frame.t("Đã cho gửi tiếp.", "Resumed.")
            };
            frame.leave_note(Tone::Good, told);
            Ok(layout::go_to(&format!("/destinations/{}", encoded(&name))))
        }
        Err(error) if error.code == ErrorCode::InvalidFields => {
            let faulty = Faulty::of(&error.faults);
            let flow = one::read(&console, &frame, &name).await?;
            let title = one::title(&frame, &flow);
            let body = one::view(&frame, &flow, reason, &faulty);
            Ok(layout::page_with(
                StatusCode::UNPROCESSABLE_ENTITY,
                &frame,
                &title,
                body,
            ))
        }
        Err(error) => Err(error.into()),
    }
}

fn view(frame: &Frame, overview: &Overview) -> Markup {
    let columns = [
        Column::narrow(frame.t("Nơi nhận", "Destination")),
        Column::narrow(frame.t("Tình trạng", "State")),
        Column::narrow(frame.t("Bộ ngắt", "Breaker")),
        Column::number(frame.t("Đang gọi / tối đa", "Calls / most")),
        Column::number(frame.t("Đang chờ", "Waiting")),
        Column::number(frame.t("Chờ lâu nhất", "Oldest waits")),
        Column::number(frame.t("Đã gửi", "Delivered")),
        Column::number(frame.t("Gửi hết sau", "Drained in")),
        Column::number(frame.t("Tạm giữ", "Parked")),
    ];
    let rows = overview
        .destinations
        .iter()
        .map(|flow| row(frame, flow))
        .collect::<Vec<_>>();
    let caption = frame.t("Các nơi nhận", "The destinations");
    let empty = frame.t(
        "Chưa cấu hình nơi nhận nào: khai báo trong tệp cấu hình rồi khởi động lại.",
        "No destination is configured: name one in the configuration and start again.",
    );
    layout::table(caption, &columns, &rows, empty)
}

fn row(frame: &Frame, flow: &DestinationFlow) -> Vec<Markup> {
    let state = &flow.state;
    let (breaker_tone, breaker) = words::breaker(frame, state.row.breaker);
    let (tone, running) = running(frame, flow);
    vec![
        html! { a href=(format!("/destinations/{}", encoded(state.row.name.as_str()))) { (state.row.name) } },
        layout::badge(tone, running),
        layout::badge(breaker_tone, breaker),
        html! {
            (format::number(frame.language, state.in_flight.into())) " / "
            (format::number(frame.language, state.concurrency_limit.into()))
        },
        parts::number(frame, flow.waiting),
        html! {
            @match &flow.oldest { Some((_, since)) => (parts::lasted(frame, *since)), None => (parts::NONE) }
        },
        html! { (parts::per_minute(frame, flow.delivered_per_minute)) },
        parts::maybe_duration(frame, flow.drained_in),
        parts::number(frame, flow.parked),
    ]
}

/// Whether an operator halted it.
fn running(frame: &Frame, flow: &DestinationFlow) -> (Tone, &'static str) {
    match flow.state.row.paused {
        Some(_) => (Tone::Warning, frame.t("Đang tạm dừng", "Paused")),
        None => (Tone::Good, frame.t("Đang gửi", "Running")),
    }
}

#[cfg(test)]
mod tests;
