//! Operations: which run or wait for a second person, and how one of them gets on.

mod one;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use http::StatusCode;
use lienthong_domain::ErrorCode;
use lienthong_ports::operators::{Decision, Operation, OperationId};
use maud::{Markup, html};

use super::form::Faulty;
use super::params::{Params, address};
use super::{parts, words};
use crate::Shared;
use crate::fault::PageError;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Column, live};

/// Operations of one page.
const PAGE: usize = 50;

pub(crate) fn routes() -> Router<Shared> {
    // POST /operations lies with the pages that lead to it, in `parked`.
    Router::new()
        .route("/operations", get(list))
        .route("/operations/{id}", get(show))
        .route("/operations/{id}/approve", post(approve).get(back))
        .route("/operations/{id}/cancel", post(cancel).get(back))
}

/// Whoever comes back to the address of a form is led to its page.
async fn back(Path(id): Path<i64>) -> Response {
    layout::go_to(&format!("/operations/{id}"))
}

async fn list(
    State(console): State<Shared>,
    frame: Frame,
    Query(params): Query<Params>,
) -> Result<Response, PageError> {
    let data = Data::read(&console, &frame, &params).await?;
    let title = frame.t("Đợt xử lý", "Operations");
    Ok(layout::page(&frame, title, view(&frame, &data)))
}

async fn show(
    State(console): State<Shared>,
    frame: Frame,
    Path(id): Path<i64>,
) -> Result<Response, PageError> {
    let operation = console
        .services
        .operation(&frame.operator, OperationId(id))
        .await?;
    let title = one::title(&frame, &operation);
    let body = one::view(&frame, &operation, None);
    Ok(layout::page(&frame, &title, body))
}

async fn approve(
    state: State<Shared>,
    frame: Frame,
    id: Path<i64>,
    form: Form<Params>,
) -> Result<Response, PageError> {
    decide(state, frame, id, form, Decision::Approve).await
}

async fn cancel(
    state: State<Shared>,
    frame: Frame,
    id: Path<i64>,
    form: Form<Params>,
) -> Result<Response, PageError> {
    decide(state, frame, id, form, Decision::Cancel).await
}

async fn decide(
    State(console): State<Shared>,
    frame: Frame,
    Path(id): Path<i64>,
    Form(form): Form<Params>,
    decision: Decision,
) -> Result<Response, PageError> {
    let (services, id) = (&console.services, OperationId(id));
    let reason = &*form.line("reason");
    let decided = services
        .decide_operation(&frame.operator, id, decision, reason)
        .await;
    match decided {
        Ok(_) => {
            let told = match decision {
                Decision::Approve => frame.t(
                    "Đã phê duyệt; đợt xử lý bắt đầu chạy.",
                    "Approved; the operation begins.",
                ),
                Decision::Cancel => frame.t("Đã dừng đợt xử lý.", "The operation was cancelled."),
            };
            frame.leave_note(Tone::Good, told);
            Ok(layout::go_to(&format!("/operations/{id}")))
        }
        Err(error) if error.code == ErrorCode::InvalidFields => {
            let operation = services.operation(&frame.operator, id).await?;
            let typed = one::Typed {
                decision,
                reason: reason.to_owned(),
                faulty: Faulty::of(&error.faults),
            };
            let title = one::title(&frame, &operation);
            let body = one::view(&frame, &operation, Some(&typed));
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(layout::page_with(status, &frame, &title, body))
        }
        Err(error) => Err(error.into()),
    }
}

/// What the list shows.
struct Data {
    only_open: bool,
    operations: Vec<Operation>,
    next: Option<OperationId>,
}

impl Data {
    async fn read(console: &Shared, frame: &Frame, params: &Params) -> Result<Self, PageError> {
        let only_open = params.has("open");
        let before = params.number("before").map(OperationId);
        let services = &console.services;
        let mut operations = services
            .operations(&frame.operator, only_open, before, PAGE + 1)
            .await?;
        Ok(Self {
            only_open,
            next: parts::cut(&mut operations, PAGE, |operation| operation.id),
            operations,
        })
    }
}

fn view(frame: &Frame, data: &Data) -> Markup {
    let tabs = [
        (
            "/operations".to_owned(),
            frame.t("Tất cả", "All").to_owned(),
            !data.only_open,
        ),
        (
            "/operations?open=yes".to_owned(),
            frame.t("Chưa kết thúc", "Open").to_owned(),
            data.only_open,
        ),
    ];
    let open = if data.only_open { "yes" } else { "" };
    let next = data.next.map(|id| id.to_string());
    let next =
        next.map(|before| address("/operations", [("open", open), ("before", before.as_str())]));
    html! {
        p.prose { (frame.t(
            "Mỗi lần chuyển lại hoặc hủy bỏ là một đợt, chạy dần theo tốc độ đã chọn và chạy tiếp sau khi khởi động lại.",
            "Each replay or discard is an operation. It runs at its rate, and goes on after a restart.")) }
        (parts::tabs(frame.t("Các đợt", "Operations"), &tabs))
        (live("operations", table(frame, &data.operations)))
        (layout::older(frame, next.as_deref()))
    }
}

fn table(frame: &Frame, operations: &[Operation]) -> Markup {
    let row = |operation: &Operation| {
        let (tone, state) = words::operation_state(frame, operation.state);
        vec![
            html! { a href=(format!("/operations/{}", operation.id)) { (one::title(frame, operation)) } },
            html! { span data-announce { (layout::badge(tone, state)) } },
            parts::number(frame, operation.matched),
            html! { (one::progress(frame, operation)) },
            html! { (operation.requested_by) },
            html! { (operation.reason) },
            parts::moment(frame, operation.requested_at),
        ]
    };
    let columns = [
        Column::text(frame.t("Đợt", "Operation")),
        Column::narrow(frame.t("Tình trạng", "State")),
        Column::number(frame.t("Lượt gửi", "Deliveries")),
        Column::number(frame.t("Đã xong", "Dealt with")),
        Column::text(frame.t("Người đề nghị", "Asked for by")),
        Column::text(frame.t("Lý do", "Reason")),
        Column::narrow(frame.t("Lúc", "When")),
    ];
    let rows = operations.iter().map(row).collect::<Vec<_>>();
    let caption = frame.t(
        "Các đợt xử lý, mới nhất ở trên",
        "Operations, the newest first",
    );
    let empty = frame.t(
        "Chưa có đợt nào. Đợt được tạo khi chuyển lại hoặc hủy bỏ ở trang Tạm giữ.",
        "There is none. One is made by a replay or a discard on the page Parked.",
    );
    layout::table(caption, &columns, &rows, empty)
}

#[cfg(test)]
mod tests;
