//! Everything that only reads, over any connection: a reader's, or the writer's own.

mod changes;
mod dossiers;
mod parked;
mod timeline;
mod totals;

use std::sync::Arc;

use lienthong_domain::delivery::{Outcome, RetryCause};
use lienthong_domain::{DossierDetails, DossierStatus};
use rusqlite::{Connection, params};

use crate::destinations::Destinations;
use crate::error::Failure;
use crate::rows::{Cells, one};

/// The number of an attempt whose lease ran out; the others are `Outcome::code`.
pub(crate) const LEASE_EXPIRED_CODE: u8 = 5;

/// A connection to read from.
#[derive(Clone, Copy)]
pub(crate) struct Queries<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) destinations: &'a Destinations,
}

/// The status with an official number.
pub(crate) fn status_from_code(code: i64) -> Option<DossierStatus> {
    i32::try_from(code).ok().and_then(DossierStatus::from_code)
}

/// The name of an attempt's outcome.
pub(crate) fn outcome_from_code(code: i64) -> Option<&'static str> {
    let outcomes = [
        Outcome::Delivered,
        Outcome::Advanced { step: 1 },
        Outcome::Retry {
            cause: RetryCause::Answer,
            after: None,
        },
        Outcome::Overloaded { after: None },
        Outcome::Rejected,
    ];
    if code == i64::from(LEASE_EXPIRED_CODE) {
        return Some("lease_expired");
    }
    outcomes
        .iter()
        .find(|outcome| i64::from(outcome.code()) == code)
        .map(|outcome| outcome.name())
}

/// The details that the event with `sequence` left behind; none for sequence 0.
pub(crate) fn details_at(
    connection: &Connection,
    dossier: i64,
    sequence: i64,
) -> Result<Arc<DossierDetails>, Failure> {
    let details = one(
        connection,
        "SELECT id, coalesce(merged, offered) FROM event WHERE dossier = ?1 AND sequence = ?2",
        params![dossier, sequence],
        |row| Cells::of("event", row)?.json_maybe::<DossierDetails>(1, "details"),
    )?;
    Ok(Arc::new(details.flatten().unwrap_or_default()))
}
