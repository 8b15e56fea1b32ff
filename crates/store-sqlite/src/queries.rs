//! Everything that only reads, over any connection: a reader's, or the writer's own.

mod actions;
mod changes;
mod dossiers;
mod figures;
#[cfg(test)]
mod growth;
mod jobs;
pub(crate) mod keys;
pub(crate) mod operations;
pub(crate) mod parked;
pub(crate) mod samples;
mod timeline;
mod totals;
pub(crate) mod usage;

use lienthong_domain::DossierStatus;
use lienthong_domain::delivery::{Outcome, RetryCause};
use lienthong_vault::Vault;
use rusqlite::{Connection, params};

use crate::destinations::Destinations;
use crate::error::Failure;
use crate::rows::{Cells, one};
use crate::sealed::{Column, Sealed};

/// The number of an attempt whose lease ran out; the others are `Outcome::code`.
pub(crate) const LEASE_EXPIRED_CODE: u8 = 5;

/// A connection to read from.
#[derive(Clone, Copy)]
pub(crate) struct Queries<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) destinations: &'a Destinations,
    pub(crate) vault: &'a Vault,
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

/// The details that the event with `sequence` left behind, still sealed; none for sequence 0.
pub(crate) fn details_at(
    connection: &Connection,
    dossier: i64,
    sequence: i64,
) -> Result<Option<Sealed>, Failure> {
    if sequence == 0 {
        return Ok(None);
    }
    let details = one(
        connection,
        "SELECT id, coalesce(merged, offered), merged IS NOT NULL FROM event
         WHERE dossier = ?1 AND sequence = ?2",
        params![dossier, sequence],
        |row| {
            let cells = Cells::of("event", row)?;
            Sealed::read(&cells, 1, details_column(&cells, 2)?, cells.id())
        },
    )?;
    Ok(details.flatten())
}

/// Which column the details come from, by a cell that says whether they were merged.
pub(crate) fn details_column(cells: &Cells<'_>, index: usize) -> Result<Column, Failure> {
    Ok(if cells.get(index, "merged")? {
        Column::Merged
    } else {
        Column::Offered
    })
}
