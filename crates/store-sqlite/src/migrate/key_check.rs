//! Whether a database was written with the vault at hand: found out when it is opened, not at the first
//! dossier that cannot be read or the first repeated event that seems to be another one.

use std::path::Path;

use lienthong_vault::{KeyId, Vault};
use rusqlite::{Connection, params};

use crate::error::{Failure, OpenError};
use crate::identity_rows::JobKey;
use crate::queries::keys::{ids_in_use, job_ids_in_use};
use crate::rows::{Cells, execute, one};
use crate::sealed::StoredKey;

/// Compares the mark of the index key, or makes it, and unwraps one data key of each key in use.
pub(super) fn check(connection: &Connection, path: &Path, vault: &Vault) -> Result<(), OpenError> {
    if !index_key_is_ours(connection, vault).map_err(|failure| failed(path, failure))? {
        return Err(OpenError::OtherKeyFile { path: path.into() });
    }
    let ids = ids_in_use(connection);
    check_each(path, vault, ids, |id| unwraps(connection, vault, id))
}

/// Does the same with the data keys of jobs, once there is their table.
pub(super) fn check_jobs(
    connection: &Connection,
    path: &Path,
    vault: &Vault,
) -> Result<(), OpenError> {
    let ids = job_ids_in_use(connection);
    check_each(path, vault, ids, |id| unwraps_job(connection, vault, id))
}

fn check_each(
    path: &Path,
    vault: &Vault,
    ids: Result<Vec<KeyId>, Failure>,
    unwraps: impl Fn(KeyId) -> Result<bool, Failure>,
) -> Result<(), OpenError> {
    for id in ids.map_err(|failure| failed(path, failure))? {
        if !vault.knows(id) {
            return Err(OpenError::MissingKey {
                path: path.into(),
                key: id,
            });
        }
        if !unwraps(id).map_err(|failure| failed(path, failure))? {
            return Err(OpenError::OtherKeyFile { path: path.into() });
        }
    }
    Ok(())
}

fn failed(path: &Path, failure: Failure) -> OpenError {
    OpenError::Sqlite {
        path: path.into(),
        source: failure.into(),
    }
}

fn index_key_is_ours(connection: &Connection, vault: &Vault) -> Result<bool, Failure> {
    let ours = vault.pseudonym("lienthong store", "mark of the index key");
    let theirs = one(
        connection,
        "SELECT id, index_key_mark FROM vault WHERE id = 1",
        [],
        |row| Cells::of("vault", row)?.get::<[u8; 16]>(1, "index_key_mark"),
    )?;
    if let Some(theirs) = theirs {
        return Ok(theirs == *ours.as_bytes());
    }
    execute(
        connection,
        "INSERT INTO vault (id, index_key_mark) VALUES (1, ?1)",
        params![ours.as_bytes()],
    )?;
    Ok(true)
}

/// Whether one data key under `id` can be unwrapped: a key of the same number may be another one.
fn unwraps(connection: &Connection, vault: &Vault, id: KeyId) -> Result<bool, Failure> {
    let sample = one(
        connection,
        "SELECT id, code, data_key FROM dossier INDEXED BY dossier_kek WHERE kek = ?1 LIMIT 1",
        params![id.0],
        |row| StoredKey::read(&Cells::of("dossier", row)?, 0),
    )?;
    Ok(sample.is_none_or(|key| key.unwrap(vault).is_ok()))
}

fn unwraps_job(connection: &Connection, vault: &Vault, id: KeyId) -> Result<bool, Failure> {
    let sample = one(
        connection,
        "SELECT id, data_key FROM job INDEXED BY job_kek WHERE kek = ?1 LIMIT 1",
        params![id.0],
        |row| {
            let cells = Cells::of("job", row)?;
            JobKey::read(&cells, 1, cells.id())
        },
    )?;
    Ok(sample.is_none_or(|key| key.unwrap(vault).is_ok()))
}
