//! The simulator's addresses: the portal's two, and the admin door under `/simulator`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::SimulatorError;
use super::call::{Call, Door};
use super::desk::Desk;
use super::faults::{Fault, FaultScript, WrongBody};
use super::record::Record;
use crate::listener::Cutter;

/// Bytes of a request; a dossier with every list filled stays far below.
const BODY_BYTES_MAX: usize = 4 << 20;
/// How long a request's body may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(30);
/// Bytes of [`WrongBody::Huge`].
const HUGE_BODY_BYTES: usize = 8 << 20;

const JSON: [(header::HeaderName, &str); 1] =
    [(header::CONTENT_TYPE, "application/json; charset=utf-8")];

pub(crate) fn router(prefix: &str, desk: Arc<Desk>) -> Router {
    Router::new()
        .route(&format!("{prefix}/mapi/login"), post(log_in))
        .route(&format!("{prefix}/mapi/g"), post(data_call))
        .route("/simulator/record", get(show_record))
        .route("/simulator/faults", get(show_faults).put(put_faults))
        .route("/simulator/stats", get(show_stats))
        .route("/simulator/health", get(show_health))
        .with_state(desk)
}

async fn log_in(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
) -> Response {
    answer(&desk, &cutter, Door::Login, request).await
}

async fn data_call(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
) -> Response {
    answer(&desk, &cutter, Door::Data, request).await
}

async fn answer(desk: &Desk, cutter: &Cutter, door: Door, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let bytes = match read_body(body).await {
        Ok(bytes) => bytes,
        Err(refusal) => return refusal,
    };
    let call = Call::read(door, &head.headers, &bytes);
    let plan = desk.plan(&call);
    if !wait(desk, plan.delay_ms).await {
        return cut(cutter);
    }
    let response = strike(desk, cutter, &call, plan.strike.as_ref());
    if !wait(desk, plan.delay_answer_ms).await {
        return cut(cutter);
    }
    response
}

/// Carries the call out as far as the fault permits.
fn strike(desk: &Desk, cutter: &Cutter, call: &Call, fault: Option<&Fault>) -> Response {
    let done = || desk.write(&desk.carry_out(call));
    match fault {
        None | Some(Fault::Delay { .. } | Fault::DelayAnswer { .. }) => {
            (JSON, done()).into_response()
        }
        Some(Fault::Status { code }) => {
            let status = StatusCode::from_u16(*code).expect("a checked script has real statuses");
            (status, "lỗi giả lập\n").into_response()
        }
        Some(Fault::TooManyRequests { retry_after_s }) => {
            let headers = [(header::RETRY_AFTER, retry_after_s.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, headers).into_response()
        }
        Some(Fault::ResetBefore | Fault::Down) => cut(cutter),
        Some(Fault::ResetAfter) => {
            desk.carry_out(call);
            cut(cutter)
        }
        Some(Fault::ExpireSession) => (JSON, desk.write(&desk.end_session(call))).into_response(),
        Some(Fault::Reject { message }) => {
            (JSON, desk.write(&desk.refuse(call, message))).into_response()
        }
        Some(Fault::WrongBody {
            body: WrongBody::Truncated,
            applied,
        }) => {
            let whole = if *applied {
                done()
            } else {
                json!({"error_code": "0"}).to_string()
            };
            let half = whole
                .chars()
                .take(whole.chars().count() / 2)
                .collect::<String>();
            (JSON, half).into_response()
        }
        Some(Fault::WrongBody { body, applied }) => {
            if *applied {
                desk.carry_out(call);
            }
            wrong_body(*body)
        }
    }
}

fn wrong_body(body: WrongBody) -> Response {
    match body {
        WrongBody::Huge => {
            let filling = "x".repeat(HUGE_BODY_BYTES);
            (
                JSON,
                format!(r#"{{"error_code":"0","message":"{filling}"}}"#),
            )
                .into_response()
        }
        WrongBody::Html | WrongBody::Truncated => {
            let page = "<!DOCTYPE html><html><head><title>Bảo trì</title></head>\
                        <body><h1>Hệ thống đang bảo trì</h1></body></html>";
            ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
        }
    }
}

/// The response is never written: the connection refuses to, and closes with a reset.
fn cut(cutter: &Cutter) -> Response {
    cutter.cut();
    Response::new(Body::empty())
}

/// Waits; false when the simulator stops meanwhile.
async fn wait(desk: &Desk, delay_ms: u64) -> bool {
    if delay_ms == 0 {
        return true;
    }
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(delay_ms)) => true,
        () = desk.closing.cancelled() => false,
    }
}

async fn read_body(body: Body) -> Result<Bytes, Response> {
    match tokio::time::timeout(BODY_WAIT, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT.into_response()),
    }
}

#[derive(Deserialize)]
struct RecordQuery {
    /// False leaves the entries out and keeps the summaries.
    entries: Option<bool>,
}

async fn show_record(State(desk): State<Arc<Desk>>, Query(query): Query<RecordQuery>) -> Response {
    let record = desk.record();
    if query.entries == Some(false) {
        return json_response(&Record {
            entries: Vec::new(),
            ..record
        });
    }
    json_response(&record)
}

async fn show_faults(State(desk): State<Arc<Desk>>) -> Response {
    json_response(&desk.faults())
}

async fn put_faults(State(desk): State<Arc<Desk>>, body: Body) -> Response {
    let bytes = match read_body(body).await {
        Ok(bytes) => bytes,
        Err(refusal) => return refusal,
    };
    let script = serde_json::from_slice::<FaultScript>(&bytes).map_err(SimulatorError::FaultJson);
    match script.and_then(|script| desk.set_faults(script)) {
        Ok(()) => json_response(&desk.faults()),
        Err(error) => {
            let reason = std::error::Error::source(&error).map(ToString::to_string);
            let error = json!({ "error": error.to_string(), "reason": reason });
            (StatusCode::BAD_REQUEST, JSON, error.to_string()).into_response()
        }
    }
}

async fn show_stats(State(desk): State<Arc<Desk>>) -> Response {
    json_response(&desk.stats())
}

async fn show_health() -> Response {
    json_response(&json!({ "status": "ok" }))
}

fn json_response(value: &impl Serialize) -> Response {
    let text = serde_json::to_string(value).expect("what the simulator shows has string keys");
    (JSON, text).into_response()
}
