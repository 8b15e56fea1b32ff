//! Migration 0007: reads when open dossiers are due from their sealed details, batch after batch.

use lienthong_domain::DossierDetails;
use lienthong_vault::Vault;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::sealing::checkpoint_if_due;
use crate::error::Failure;
use crate::queries::details_at;
use crate::rows::{Cells, all, execute, micros};
use crate::sealed::{StoredKey, open_maybe};

/// Dossiers of one batch: large enough that its fsync is little beside the work.
const BATCH_DOSSIERS_MAX: i64 = 2_000;

/// A dossier of which something is not final.
struct Open {
    key: StoredKey,
    details_sequence: i64,
}

/// Reads the next batch; whether there was one. A dossier that gets new details from the program before, started
/// again meanwhile, keeps the older instant until its next details.
pub(super) fn step(connection: &Connection, vault: &Vault) -> Result<bool, Failure> {
    read_batch(connection, vault, BATCH_DOSSIERS_MAX)
}

pub(super) fn read_batch(
    connection: &Connection,
    vault: &Vault,
    dossiers_max: i64,
) -> Result<bool, Failure> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let open = all(
        &transaction,
        "SELECT o.id, o.id, o.code, o.data_key, o.details_sequence FROM dossier o
         WHERE o.id IN (SELECT DISTINCT dossier FROM delivery INDEXED BY delivery_lane
             WHERE state IN (0, 1, 2, 3, 5) AND dossier > (SELECT dossier FROM due_reading)
             ORDER BY dossier LIMIT ?1)
         ORDER BY o.id",
        params![dossiers_max],
        |row| {
            let cells = Cells::of("dossier", row)?;
            Ok(Open {
                key: StoredKey::read(&cells, 1)?,
                details_sequence: cells.get(4, "details_sequence")?,
            })
        },
    )?;
    for dossier in &open {
        read_one(&transaction, vault, dossier)?;
    }
    let Some(last) = open.last() else {
        return Ok(false);
    };
    execute(
        &transaction,
        "UPDATE due_reading SET dossier = ?1",
        params![last.key.dossier],
    )?;
    transaction.commit()?;
    checkpoint_if_due(connection)?;
    tracing::debug!(
        store.dossier = last.key.dossier,
        "reading when dossiers are due"
    );
    Ok(true)
}

fn read_one(connection: &Connection, vault: &Vault, open: &Open) -> Result<(), Failure> {
    let details = details_at(connection, open.key.dossier, open.details_sequence)
        .and_then(|sealed| open_maybe::<DossierDetails>(sealed.as_ref(), &open.key, vault));
    let details = match details {
        // A row that cannot be read is told where it is needed; here it only has no due instant.
        Err(Failure::Corrupt { .. }) => None,
        read => read?,
    };
    if let Some(due_at) = details.and_then(|details| details.due_at) {
        execute(
            connection,
            "UPDATE dossier SET due_at = ?2, due_open_at = ?2 WHERE id = ?1",
            params![open.key.dossier, micros(due_at)],
        )?;
    }
    Ok(())
}
