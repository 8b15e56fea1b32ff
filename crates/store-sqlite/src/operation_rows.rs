//! Operations as their rows hold them.

use lienthong_domain::delivery::ParkReason;
use lienthong_domain::{DeliveryId, DestinationName, ProcedureCode, Timestamp};
use lienthong_ports::operators::{Operation, OperationId, OperationKind, OperationState};
use lienthong_ports::store::ParkedFilter;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::rows::{Cells, from_json, micros};

/// The columns that [`OperationRow::read`] reads, up to the condition.
macro_rules! operations {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, state, filter, parking, allow_out_of_order, per_second, requested_by, reason,
                 requested_at, decided_by, decided_reason, decided_at, ended_at, matched, moved, left_alone,
                 cursor, stepped_at
             FROM operation ",
            $rest
        )
    };
}
pub(crate) use operations;

pub(crate) fn kind_code(kind: OperationKind) -> i64 {
    match kind {
        OperationKind::Replay => 1,
        OperationKind::Discard => 2,
    }
}

fn kind_from_code(code: i64) -> Option<OperationKind> {
    [OperationKind::Replay, OperationKind::Discard]
        .into_iter()
        .find(|kind| kind_code(*kind) == code)
}

pub(crate) fn state_code(state: OperationState) -> i64 {
    match state {
        OperationState::AwaitingApproval => 1,
        OperationState::Running => 2,
        OperationState::Done => 3,
        OperationState::Cancelled => 4,
    }
}

fn state_from_code(code: i64) -> Option<OperationState> {
    [
        OperationState::AwaitingApproval,
        OperationState::Running,
        OperationState::Done,
        OperationState::Cancelled,
    ]
    .into_iter()
    .find(|state| state_code(*state) == code)
}

/// An operation, and how far its steps have come.
#[derive(Clone, Debug)]
pub(crate) struct OperationRow {
    pub(crate) operation: Operation,
    /// As it was asked for.
    pub(crate) filter: ParkedFilter,
    /// The newest parking when it was asked for.
    pub(crate) parking: i64,
    /// The last delivery dealt with.
    pub(crate) cursor: i64,
    /// Until when its rate is used up.
    pub(crate) stepped_at: Option<i64>,
}

impl OperationRow {
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, Failure> {
        let cells = Cells::of("operation", row)?;
        let filter = filter_from_json(&cells.get::<String>(3, "filter")?)
            .map_err(|fault| cells.corrupt("filter", fault))?;
        let requested_at = cells.time(9, "requested_at")?;
        let operation = Operation {
            id: OperationId(cells.id()),
            kind: cells.decoded(1, "kind", kind_from_code)?,
            filter: ParkedFilter {
                parked_until: Some(
                    filter
                        .parked_until
                        .unwrap_or(requested_at)
                        .min(requested_at),
                ),
                ..filter.clone()
            },
            allow_out_of_order: cells.get(5, "allow_out_of_order")?,
            per_second: cells.get(6, "per_second")?,
            state: cells.decoded(2, "state", state_from_code)?,
            matched: cells.count(14, "matched")?,
            moved: cells.count(15, "moved")?,
            left_alone: cells.count(16, "left_alone")?,
            requested_by: cells.get(7, "requested_by")?,
            reason: cells.get(8, "reason")?,
            requested_at,
            decided_by: cells.get(10, "decided_by")?,
            decided_reason: cells.get(11, "decided_reason")?,
            decided_at: cells.time_maybe(12, "decided_at")?,
            ended_at: cells.time_maybe(13, "ended_at")?,
        };
        Ok(Self {
            operation,
            filter,
            parking: cells.get(4, "parking")?,
            cursor: cells.get(17, "cursor")?,
            stepped_at: cells.get(18, "stepped_at")?,
        })
    }
}

/// A filter as JSON; times in microseconds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FilterJson {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ids: Vec<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    procedure: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parked_since: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parked_until: Option<i64>,
}

/// The same filter always gives the same text.
pub(crate) fn filter_to_json(filter: &ParkedFilter) -> String {
    let json = FilterJson {
        ids: filter.ids.iter().map(|id| id.0).collect(),
        destination: filter.destination.as_ref().map(|name| name.as_str().into()),
        root: filter.root.clone(),
        procedure: filter.procedure.as_ref().map(|code| code.as_str().into()),
        reason: filter.reason.map(|reason| reason.code().into()),
        code: filter.code.clone(),
        parked_since: filter.parked_since.map(micros),
        parked_until: filter.parked_until.map(micros),
    };
    serde_json::to_string(&json).expect("strings and numbers always serialise")
}

fn filter_from_json(text: &str) -> Result<ParkedFilter, String> {
    let json: FilterJson = from_json(text.as_bytes())?;
    let unreadable = |what: &str| format!("names no {what}");
    let time = |number: Option<i64>| {
        number
            .map(|number| Timestamp::from_microsecond(number).map_err(|_| unreadable("instant")))
            .transpose()
    };
    Ok(ParkedFilter {
        ids: json.ids.into_iter().map(DeliveryId).collect(),
        destination: json
            .destination
            .map(|name| DestinationName::parse(&name).map_err(|_| unreadable("destination")))
            .transpose()?,
        root: json.root,
        procedure: json
            .procedure
            .map(|code| ProcedureCode::parse(&code).map_err(|_| unreadable("procedure")))
            .transpose()?,
        reason: json
            .reason
            .map(|code| ParkReason::from_code(code).ok_or_else(|| unreadable("reason")))
            .transpose()?,
        code: json.code,
        parked_since: time(json.parked_since)?,
        parked_until: time(json.parked_until)?,
    })
}
