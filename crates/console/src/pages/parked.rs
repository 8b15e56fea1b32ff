//! What is parked: groups with one cause, the deliveries of a filter, and the way to replay or discard them.
//!
//! The way has four steps, each a page: choose, dry run, confirm, and the operation itself. Nothing happens before the
//! form of the third is sent; it carries a key, so sending it twice is one operation.

mod choosing;
mod confirming;
mod dry_run;
mod list;
mod selection;

use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use lienthong_domain::{ErrorCode, OperatorRole};
use lienthong_services::OperationRequest;
use maud::{Markup, html};

use self::choosing::Choosing;
use self::selection::Selection;
use super::form::Faulty;
use super::params::Params;
use crate::Shared;
use crate::fault::PageError;
use crate::frame::{Frame, Tone};
use crate::layout;

pub(crate) use self::selection::described;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/parked", get(show))
        .route("/parked/check", get(check))
        .route("/parked/confirm", post(confirm).get(back))
        .route("/operations", post(request))
}

/// Whoever comes back to the address of a form begins anew: what was chosen is not in the address.
async fn back() -> Response {
    layout::go_to("/parked")
}

async fn show(
    State(console): State<Shared>,
    frame: Frame,
    Query(params): Query<Params>,
) -> Result<Response, PageError> {
    let data = list::Data::read(&console, &frame, &params).await?;
    let title = frame.t("Tạm giữ", "Parked");
    let body = list::view(&frame, &data);
    Ok(layout::page_with(data.faulty.status(), &frame, title, body))
}

/// The dry run: what would happen, without anything happening.
async fn check(
    State(console): State<Shared>,
    frame: Frame,
    Query(params): Query<Params>,
) -> Result<Response, PageError> {
    if params.get("chosen") == "ids" && !params.has("id") {
        // Without this, ticking nothing would mean everything.
        frame.leave_note(
            Tone::Warning,
            frame.t(
                "Chưa chọn lượt gửi nào: hãy đánh dấu ít nhất một ô.",
                "No delivery is chosen: tick at least one box.",
            ),
        );
        return Ok(layout::go_to("/parked"));
    }
    let choosing = Choosing::read(&params, frame.now);
    dry_run_page(&console, &frame, &choosing, &Faulty::default()).await
}

async fn dry_run_page(
    console: &Shared,
    frame: &Frame,
    choosing: &Choosing,
    faulty: &Faulty,
) -> Result<Response, PageError> {
    let data = dry_run::Data::read(console, frame, choosing).await?;
    let title = choosing.title(frame, frame.t("chạy thử", "dry run"));
    let body = dry_run::view(frame, &data, choosing, faulty);
    Ok(layout::page_with(faulty.status(), frame, &title, body))
}

/// Shows once more what was asked for. It changes nothing, so it may answer a form with a page.
async fn confirm(
    State(console): State<Shared>,
    frame: Frame,
    Form(form): Form<Params>,
) -> Result<Response, PageError> {
    frame.require(OperatorRole::Operator)?;
    let choosing = Choosing::read(&form, frame.now);
    let faulty = choosing.faults();
    if !faulty.is_empty() {
        return dry_run_page(&console, &frame, &choosing, &faulty).await;
    }
    let preview = dry_run::Data::read(&console, &frame, &choosing).await?;
    let key = confirming::fresh_key(console.services.random(), frame.now);
    let title = choosing.title(&frame, frame.t("xác nhận", "confirm"));
    let body = confirming::view(&frame, &preview, &choosing, &key);
    Ok(layout::page(&frame, &title, body))
}

/// Writes the operation down and goes on to its page.
async fn request(
    State(console): State<Shared>,
    frame: Frame,
    Form(form): Form<Params>,
) -> Result<Response, PageError> {
    frame.require(OperatorRole::Operator)?;
    let choosing = Choosing::read(&form, frame.now);
    let faulty = choosing.faults();
    if !faulty.is_empty() {
        return dry_run_page(&console, &frame, &choosing, &faulty).await;
    }
    let request = OperationRequest {
        kind: choosing.kind,
        filter: choosing.selection.filter(frame.now).map_err(unreadable)?,
        allow_out_of_order: choosing.allow_out_of_order,
        per_second: choosing.per_second().unwrap_or_default(),
        key: choosing.key.clone(),
        reason: choosing.reason.clone(),
    };
    let requested = console
        .services
        .request_operation(&frame.operator, request)
        .await;
    match requested {
        Ok(Some(operation)) => Ok(layout::go_to(&format!("/operations/{}", operation.id))),
        Ok(None) => {
            frame.leave_note(Tone::Warning, nothing_matches(&frame));
            Ok(layout::go_to("/parked"))
        }
        Err(error) if error.code == ErrorCode::InvalidFields => {
            let faulty = Faulty::of(&error.faults);
            dry_run_page(&console, &frame, &choosing, &faulty).await
        }
        Err(error) => Err(error.into()),
    }
}

fn nothing_matches(frame: &Frame) -> &'static str {
    frame.t(
        "Không còn lượt gửi nào khớp: có thể đã được chuyển lại hoặc hủy bỏ trước đó. Không có gì thay đổi.",
        "No delivery matches any more: they may have been replayed or discarded before. Nothing was changed.",
    )
}

/// A selection that no page of ours makes.
fn unreadable(_: lienthong_domain::Faults) -> PageError {
    PageError::faulty(
        "Không đọc được lựa chọn. Hãy chọn lại từ trang Tạm giữ.",
        "The selection cannot be read. Choose again on the page Parked.",
    )
}

/// Where the reader is on the way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Choose,
    DryRun,
    Confirm,
}

fn steps(frame: &Frame, current: Step) -> Markup {
    let steps = [
        (Some(Step::Choose), frame.t("Chọn", "Choose")),
        (
            Some(Step::DryRun),
            frame.t("Chạy thử, lý do", "Dry run, reason"),
        ),
        (Some(Step::Confirm), frame.t("Xác nhận", "Confirm")),
        (None, frame.t("Theo dõi", "Watch")),
    ];
    html! {
        ol.steps.no-print aria-label=(frame.t("Các bước", "Steps")) {
            @for (step, name) in steps {
                li aria-current=[(step == Some(current)).then_some("step")] { (name) }
            }
        }
    }
}

#[cfg(test)]
mod tests;
