//! The admin door: record, counters, faults and who lives here, for another process.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::citizen::{Citizen, Sex};
use super::desk::Desk;
use super::faults::FaultScript;
use super::http::read_body;
use crate::error::SimulatorError;

const CITIZENS_SHOWN_MAX: u32 = 1_000;
const CITIZENS_SHOWN: u32 = 20;

const JSON: [(header::HeaderName, &str); 1] =
    [(header::CONTENT_TYPE, "application/json; charset=utf-8")];

pub(crate) async fn show_record(State(desk): State<Arc<Desk>>) -> Response {
    json_response(&desk.record())
}

pub(crate) async fn show_faults(State(desk): State<Arc<Desk>>) -> Response {
    json_response(&desk.faults())
}

pub(crate) async fn put_faults(State(desk): State<Arc<Desk>>, body: Body) -> Response {
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

pub(crate) async fn show_stats(State(desk): State<Arc<Desk>>) -> Response {
    json_response(&desk.stats())
}

pub(crate) async fn show_health() -> Response {
    json_response(&json!({ "status": "ok" }))
}

#[derive(Deserialize)]
pub(crate) struct CitizensQuery {
    from: Option<u32>,
    count: Option<u32>,
}

/// A few citizens, as one would have to write them in a request.
pub(crate) async fn show_citizens(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<CitizensQuery>,
) -> Response {
    let from = query.from.unwrap_or(0).min(desk.population.len());
    let count = query.count.unwrap_or(CITIZENS_SHOWN);
    let shown = count
        .min(CITIZENS_SHOWN_MAX)
        .min(desk.population.len() - from);
    let citizens: Vec<_> = (from..from + shown)
        .map(|index| told(&desk.population.citizen(index)))
        .collect();
    json_response(&citizens)
}

fn told(citizen: &Citizen) -> Value {
    json!({
        "SoDinhDanh": citizen.number, "SoCMND": citizen.old_number,
        "HoVaTen": citizen.name.upper(), "NgayThangNam": citizen.birth.date(),
        "Nam": citizen.birth.year.to_string(),
        "GioiTinh": match citizen.sex { Sex::Male => "1", Sex::Female => "2" },
    })
}

fn json_response(value: &impl Serialize) -> Response {
    let text = serde_json::to_string(value).expect("what the simulator shows has string keys");
    (JSON, text).into_response()
}
