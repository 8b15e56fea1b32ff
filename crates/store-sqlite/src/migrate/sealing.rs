//! Migration 0002: seals the rows of `event` into `event_sealed`, batch after batch.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use lienthong_vault::{DataKey, Vault};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::error::Failure;
use crate::rows::{Cells, all, execute, one};
use crate::sealed::{Column, StoredKey, owner};

/// Rows of one batch: large enough that its fsync is little beside the work.
const BATCH_ROWS_MAX: i64 = 2_000;
/// Rows between two lines of the log.
const ROWS_PER_LINE: i64 = 100_000;
/// Pages of the write-ahead log after which it is moved into the database.
const LOG_PAGES_MAX: i64 = crate::config::LOG_PAGES_CHECKPOINT;

pub(super) fn step(connection: &Connection, vault: &Vault) -> Result<bool, Failure> {
    seal_batch(connection, vault, BATCH_ROWS_MAX)
}

/// Seals the first rows that are not sealed yet; whether there were any. Events are never changed, and
/// numbered upwards, so the highest sealed one tells where to go on, also after a kill.
pub(super) fn seal_batch(
    connection: &Connection,
    vault: &Vault,
    rows_max: i64,
) -> Result<bool, Failure> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let events = all(
        &transaction,
        "SELECT id FROM event WHERE id > (SELECT coalesce(max(id), 0) FROM event_sealed)
         ORDER BY id LIMIT ?1",
        params![rows_max],
        |row| Ok(row.get::<_, i64>(0)?),
    )?;
    let mut keys = HashMap::new();
    for event in &events {
        seal_row(&transaction, vault, &mut keys, *event)?;
    }
    transaction.commit()?;
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        return Ok(false);
    };
    checkpoint_if_due(connection)?;
    if first / ROWS_PER_LINE != last / ROWS_PER_LINE || *first == 1 {
        let newest: i64 =
            connection.query_row("SELECT max(id) FROM event", [], |row| row.get(0))?;
        tracing::info!(
            store.events_sealed = last,
            store.events = newest,
            "sealing the personal data of the store"
        );
    }
    Ok(true)
}

/// The texts of an event before they were sealed, and the key of its dossier.
struct Plain {
    key: StoredKey,
    content_hash: [u8; 32],
    texts: [Option<String>; 3],
}

/// In the order of [`Plain::texts`].
const COLUMNS: [Column; 3] = [Column::Progress, Column::Offered, Column::Merged];

fn seal_row(
    connection: &Connection,
    vault: &Vault,
    keys: &mut HashMap<i64, DataKey>,
    event: i64,
) -> Result<(), Failure> {
    let plain = one(
        connection,
        "SELECT e.id, e.dossier, o.code, o.data_key, e.content_hash, e.progress, e.offered, e.merged
         FROM event e LEFT JOIN dossier o ON o.id = e.dossier WHERE e.id = ?1",
        params![event],
        |row| {
            let cells = Cells::of("event", row)?;
            Ok(Plain {
                key: StoredKey::read(&cells, 1)?,
                content_hash: cells.get(4, "content_hash")?,
                texts: [
                    cells.get(5, "progress")?,
                    cells.get(6, "offered")?,
                    cells.get(7, "merged")?,
                ],
            })
        },
    )?;
    let Some(Plain {
        key,
        content_hash,
        texts,
    }) = plain
    else {
        return Ok(());
    };
    let dossier = key.dossier;
    let key = match keys.entry(dossier) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unknown) => unknown.insert(data_key(connection, vault, &key)?),
    };
    let [progress, offered, merged] = [0, 1, 2].map(|index| {
        let text = texts[index].as_deref();
        text.map(|text| COLUMNS[index].seal(key, event, text.as_bytes()))
    });
    execute(
        connection,
        "INSERT INTO event_sealed
         SELECT id, dossier, sequence, participant, key, system, event_id, ?2, status, occurred_at,
             accepted_at, source_sequence, late, warnings, details_sequence, ?3, ?4, ?5
         FROM event WHERE id = ?1",
        params![event, vault.blind(&content_hash), progress, offered, merged],
    )?;
    Ok(())
}

/// The dossier's data key: made by an earlier batch, or now.
fn data_key(
    connection: &Connection,
    vault: &Vault,
    stored: &StoredKey,
) -> Result<DataKey, Failure> {
    if stored.wrapped.is_some() {
        return stored.unwrap(vault);
    }
    let key = DataKey::generate();
    let wrapped = vault.wrap(&key, &owner(&stored.code));
    execute(
        connection,
        "UPDATE dossier SET data_key = ?2, kek = ?3 WHERE id = ?1",
        params![stored.dossier, wrapped.as_bytes(), wrapped.key_id().0],
    )?;
    Ok(key)
}

/// Keeps the log from growing to the size of the database. Nobody reads meanwhile.
pub(super) fn checkpoint_if_due(connection: &Connection) -> Result<(), Failure> {
    let pages = |mode: &str| {
        connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
            row.get::<_, i64>(1)
        })
    };
    if pages("NOOP")? >= LOG_PAGES_MAX {
        pages("PASSIVE")?;
    }
    Ok(())
}
