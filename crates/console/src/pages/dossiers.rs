//! Dossiers: found by code, and one of them with why it waits, everything that happened to it, and the cure.

mod found;
mod lanes;
mod one;
mod timeline;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use http::StatusCode;
use lienthong_domain::{DossierCode, ErrorCode};

use self::found::Found;
use super::form::Faulty;
use super::params::{Params, encoded};
use super::parts;
use crate::Shared;
use crate::fault::PageError;
use crate::frame::{Frame, Tone};
use crate::layout;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/dossiers", get(find))
        .route("/dossiers/{code}", get(show))
        .route("/dossiers/{code}/erase", post(erase).get(back))
}

/// Whoever comes back to the address of a form is led to its page.
async fn back(Path(code): Path<String>) -> Response {
    layout::go_to(&format!("/dossiers/{}", encoded(&code)))
}

/// A code that is known leads to its dossier; an agency's code, or none, to a list.
async fn find(
    State(console): State<Shared>,
    frame: Frame,
    Query(params): Query<Params>,
) -> Result<Response, PageError> {
    let typed = params.get("code");
    if let Ok(code) = DossierCode::parse(typed) {
        let dossier = console.services.any_dossier(&frame.operator, &code).await;
        match dossier {
            Ok(_) => return Ok(layout::go_to(&parts::dossier_path(&code))),
            Err(error) if error.code == ErrorCode::DossierNotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    let data = Found::read(&console, &frame, &params).await?;
    let title = frame.t("Hồ sơ", "Dossiers");
    let body = found::view(&frame, &data);
    Ok(layout::page_with(data.status(), &frame, title, body))
}

async fn show(
    State(console): State<Shared>,
    frame: Frame,
    Path(code): Path<String>,
    Query(params): Query<Params>,
) -> Result<Response, PageError> {
    let code = DossierCode::parse(&code).map_err(|_| PageError::NotFound)?;
    let before = params.number("before");
    let data = one::Data::read(&console, &frame, &code, before).await?;
    let title = one::title(&frame, &code);
    let body = one::view(&frame, &data, "", &Faulty::default());
    Ok(layout::page(&frame, &title, body))
}

async fn erase(
    State(console): State<Shared>,
    frame: Frame,
    Path(code): Path<String>,
    Form(form): Form<Params>,
) -> Result<Response, PageError> {
    let code = DossierCode::parse(&code).map_err(|_| PageError::NotFound)?;
    let reason = &*form.line("reason");
    let erased = console
        .services
        .erase_dossier(&frame.operator, &code, reason)
        .await;
    match erased {
        Ok(()) => {
            let told = frame.t(
                "Đã xóa dữ liệu cá nhân của hồ sơ. Trạng thái và lịch sử gửi vẫn còn.",
                "The dossier's personal data is erased. Statuses and deliveries stay.",
            );
            frame.leave_note(Tone::Good, told);
            Ok(layout::go_to(&parts::dossier_path(&code)))
        }
        Err(error) if error.code == ErrorCode::InvalidFields => {
            let data = one::Data::read(&console, &frame, &code, None).await?;
            let body = one::view(&frame, &data, reason, &Faulty::of(&error.faults));
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let title = one::title(&frame, &code);
            Ok(layout::page_with(status, &frame, &title, body))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
