//! The simulator's addresses: the SOAP service, `/token`, and the admin door under `/simulator`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;

use super::admin;
use super::config::Access;
use super::desk::{Call, Desk, Flight, Refused};
use super::record::Outcome;
use super::strike::{self, Said, Struck};
use crate::listener::Cutter;

/// Bytes of a request; a real one has about one thousand.
const BODY_BYTES_MAX: usize = 64 << 10;
/// How long a request's body may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(30);
/// Where tokens are given out.
pub(crate) const TOKEN_PATH: &str = "/token";

pub(crate) fn router(path: &str, desk: Arc<Desk>) -> Router {
    Router::new()
        .route(path, post(soap_call))
        .route(TOKEN_PATH, post(token_call))
        .route("/simulator/record", get(admin::show_record))
        .route(
            "/simulator/faults",
            get(admin::show_faults).put(admin::put_faults),
        )
        .route("/simulator/stats", get(admin::show_stats))
        .route("/simulator/citizens", get(admin::show_citizens))
        .route("/simulator/health", get(admin::show_health))
        .with_state(desk)
}

/// Whether the headers announce SOAP 1.1 in UTF-8.
pub(crate) fn is_soap(headers: &HeaderMap) -> bool {
    let Some((kind, parameters)) = media_type(headers) else {
        return false;
    };
    let charset = parameters
        .trim()
        .strip_prefix("charset=")
        .map(|charset| charset.trim_matches('"'));
    let is_utf8 = charset.is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8"));
    matches!(kind, "application/xml" | "text/xml") && is_utf8
}

fn media_type(headers: &HeaderMap) -> Option<(&str, &str)> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split_once(';').unwrap_or((value, "")))
}

async fn soap_call(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
) -> Response {
    let flight = desk.take_off();
    let (head, body) = request.into_parts();
    let bytes = match read_body(body).await {
        Ok(bytes) => bytes,
        Err(refusal) => return refusal,
    };
    let call = desk.receive(&head.headers, &bytes);
    if !wait(&desk, call.plan.delay_ms).await {
        return strike::cut(&cutter);
    }
    let (outcome, struck) = strike::strike(
        call.plan.strike.as_ref(),
        || said(&desk, &call),
        || other(&desk, &call),
    );
    desk.finish(&call, outcome);
    carry_out(&desk, &cutter, flight, struck).await
}

/// The right answer to a call.
fn said(desk: &Desk, call: &Call) -> (Outcome, Said) {
    let layout = desk.config.layout.layout(desk.config.seed, call.number);
    match &call.judged {
        Ok(request) => {
            let (outcome, answer) = desk.answer(request);
            (outcome, Said::xml(StatusCode::OK, answer.to_xml(layout)))
        }
        Err(refused) => {
            let said = match refused.to_fault() {
                Some(fault) => Said::xml(StatusCode::INTERNAL_SERVER_ERROR, fault.to_xml(layout)),
                None if *refused == Refused::Unauthorized => Said::unauthorized(),
                None => Said::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, "application/xml\n"),
            };
            (refused.outcome(), said)
        }
    }
}

/// The answer about another person; the right one where nobody was asked about.
fn other(desk: &Desk, call: &Call) -> Said {
    match &call.judged {
        Ok(request) => {
            let layout = desk.config.layout.layout(desk.config.seed, call.number);
            Said::xml(StatusCode::OK, desk.other_person(request).to_xml(layout))
        }
        Err(_) => said(desk, call).1,
    }
}

async fn token_call(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
) -> Response {
    let flight = desk.take_off();
    let (head, body) = request.into_parts();
    let bytes = match read_body(body).await {
        Ok(bytes) => bytes,
        Err(refusal) => return refusal,
    };
    let plan = desk.plan_token();
    if !wait(&desk, plan.delay_ms).await {
        return strike::cut(&cutter);
    }
    let given = || give_token(&desk, &head.headers, &bytes);
    let (outcome, struck) = strike::strike(plan.strike.as_ref(), given, || given().1);
    desk.finish_token(outcome);
    carry_out(&desk, &cutter, flight, struck).await
}

fn give_token(desk: &Desk, headers: &HeaderMap, body: &[u8]) -> (Outcome, Said) {
    if matches!(desk.config.access, Access::Open | Access::C06 { .. }) {
        return (Outcome::Malformed, Said::text(StatusCode::NOT_FOUND, ""));
    }
    let is_form =
        media_type(headers).is_some_and(|(kind, _)| kind == "application/x-www-form-urlencoded");
    let is_grant = body
        .split(|byte| *byte == b'&')
        .any(|pair| pair == b"grant_type=client_credentials");
    if !is_form || !is_grant {
        let error = json!({ "error": "unsupported_grant_type" });
        return (
            Outcome::Malformed,
            Said::json(StatusCode::BAD_REQUEST, &error),
        );
    }
    if let Some((token, lifetime)) = desk.give_token(headers) {
        let token = json!({
            "access_token": token, "token_type": "Bearer", "scope": "default",
            "expires_in": lifetime.as_secs(),
        });
        (Outcome::TokenGiven, Said::json(StatusCode::OK, &token))
    } else {
        let error = json!({ "error": "invalid_client" });
        let said = Said::json(StatusCode::UNAUTHORIZED, &error);
        (Outcome::Unauthorized, said)
    }
}

async fn carry_out(desk: &Arc<Desk>, cutter: &Cutter, flight: Flight, struck: Struck) -> Response {
    match struck {
        Struck::Say(said) => said.into_response(),
        Struck::SayHalf(said) => strike::half(said),
        Struck::Drip {
            said,
            bytes,
            every_ms,
        } => strike::drip(said, bytes, every_ms, desk.closing.clone(), flight),
        Struck::Cut => strike::cut(cutter),
        Struck::Silence => {
            wait(desk, strike::SILENCE_MS_MAX).await;
            strike::cut(cutter)
        }
    }
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

pub(crate) async fn read_body(body: Body) -> Result<Bytes, Response> {
    match tokio::time::timeout(BODY_WAIT, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT.into_response()),
    }
}
