//! Brings a database to this program's schema, or refuses it with a reason.
//!
//! To add a migration, add its file and an entry to [`MIGRATIONS`]. Where SQL does not suffice, give it a
//! [`Rewrite`]: steps that a kill may come between.

mod due;
mod key_check;
mod sealing;

use std::path::Path;

use lienthong_vault::Vault;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use crate::error::{Failure, OpenError};

struct Migration {
    name: &'static str,
    sql: &'static str,
    /// What has to follow `sql` before the migration counts as applied.
    rewrite: Option<Rewrite>,
}

/// A change of existing rows, in steps.
struct Rewrite {
    /// One bounded step, in a transaction of its own; `false` when nothing was left to do. Until the end a
    /// program of the version before may be started again and add rows.
    step: fn(&Connection, &Vault) -> Result<bool, Failure>,
    /// Applied together with the new version.
    end: &'static str,
    /// Whether what was there before must not stay in free pages.
    compacts: bool,
}

/// Every migration, in order; the schema's version is how many have been applied. One that has been
/// released is never edited: its hash is kept in the database.
const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "0001_base",
        sql: include_str!("../migrations/0001_base.sql"),
        rewrite: None,
    },
    Migration {
        name: "0002_sealed",
        sql: include_str!("../migrations/0002_sealed.sql"),
        rewrite: Some(Rewrite {
            step: sealing::step,
            end: include_str!("../migrations/0002_sealed_end.sql"),
            compacts: true,
        }),
    },
    Migration {
        name: "0003_identity",
        sql: include_str!("../migrations/0003_identity.sql"),
        rewrite: None,
    },
    Migration {
        name: "0004_job_slates",
        sql: include_str!("../migrations/0004_job_slates.sql"),
        rewrite: None,
    },
    Migration {
        name: "0005_subject_links",
        sql: include_str!("../migrations/0005_subject_links.sql"),
        rewrite: None,
    },
    Migration {
        name: "0006_traces",
        sql: include_str!("../migrations/0006_traces.sql"),
        rewrite: None,
    },
    Migration {
        name: "0007_operators",
        sql: include_str!("../migrations/0007_operators.sql"),
        rewrite: Some(Rewrite {
            step: due::step,
            end: include_str!("../migrations/0007_operators_end.sql"),
            compacts: false,
        }),
    },
];

/// `LTHO`, so that another program's database is not taken for ours.
const APPLICATION_ID: i64 = 0x4c54_484f;

/// Stands in the table of migrations from a rewriting on until what it replaced is gone from the files.
const COMPACTION_DUE: &str = "compaction due";

/// Applies what is missing, and makes sure that the vault is the one the database was written with.
pub(crate) fn migrate(
    connection: &Connection,
    path: &Path,
    vault: &Vault,
) -> Result<(), OpenError> {
    let failed = |error: rusqlite::Error| sqlite(path, error.into());
    let applied = applied(connection, path)?;
    for (index, migration) in MIGRATIONS.iter().enumerate() {
        let begun = is_begun(connection, path, migration, index < applied)?;
        if index < applied {
            continue;
        }
        if !begun {
            begin(connection, migration, index + 1).map_err(failed)?;
        }
        if let Some(rewrite) = &migration.rewrite {
            // Nothing must be sealed with the keys of another file.
            key_check::check(connection, path, vault)?;
            while (rewrite.step)(connection, vault).map_err(|failure| sqlite(path, failure))? {}
            // A database that is only being made has nothing to be rid of.
            let compaction_due = rewrite.compacts && applied > 0;
            end(connection, rewrite, index + 1, compaction_due).map_err(failed)?;
        }
        tracing::info!(migration.name = migration.name, "migrated the store");
    }
    key_check::check(connection, path, vault)?;
    key_check::check_jobs(connection, path, vault)?;
    compact_if_due(connection).map_err(failed)
}

/// How many migrations a database of ours has behind it; a new one is made ours.
fn applied(connection: &Connection, path: &Path) -> Result<usize, OpenError> {
    let failed = |error: rusqlite::Error| sqlite(path, error.into());
    let known = i64::try_from(MIGRATIONS.len()).expect("migrations are few");
    let found = pragma(connection, "user_version").map_err(failed)?;
    let application = pragma(connection, "application_id").map_err(failed)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    let empty = tables == 0 && application == 0 && found == 0;
    if !empty && (application != APPLICATION_ID || found < 0) {
        return Err(OpenError::Foreign {
            path: path.into(),
            found: application,
        });
    }
    if found > known {
        return Err(OpenError::Newer {
            path: path.into(),
            found,
            known,
        });
    }
    if found == 0 {
        mark_as_ours(connection).map_err(failed)?;
    }
    Ok(usize::try_from(found).expect("a negative version is foreign"))
}

fn mark_as_ours(connection: &Connection) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, hash TEXT NOT NULL) STRICT",
    )?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()
}

/// Whether the migration's SQL has been applied; it must have been the same SQL.
fn is_begun(
    connection: &Connection,
    path: &Path,
    migration: &Migration,
    applied: bool,
) -> Result<bool, OpenError> {
    let hash = connection
        .query_row(
            "SELECT hash FROM migration WHERE name = ?1",
            [migration.name],
            |row| row.get::<_, String>(0),
        )
        .optional()
        .map_err(|error| sqlite(path, error.into()))?;
    match hash {
        Some(hash) if hash == hash_of(migration) => Ok(true),
        None if !applied => Ok(false),
        _ => Err(OpenError::ChangedMigration {
            path: path.into(),
            name: migration.name.into(),
        }),
    }
}

/// Applies a migration's SQL, and its version too if there is no more to it.
fn begin(connection: &Connection, migration: &Migration, version: usize) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    transaction.execute_batch(migration.sql)?;
    transaction.execute(
        "INSERT INTO migration (name, hash) VALUES (?1, ?2)",
        params![migration.name, hash_of(migration)],
    )?;
    if migration.rewrite.is_none() {
        set_version(&transaction, version)?;
    }
    transaction.commit()
}

/// Applies the end of a rewriting, and its version.
fn end(
    connection: &Connection,
    rewrite: &Rewrite,
    version: usize,
    compaction_due: bool,
) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    transaction.execute_batch(rewrite.end)?;
    if compaction_due {
        transaction.execute(
            "INSERT OR IGNORE INTO migration (name, hash) VALUES (?1, '')",
            [COMPACTION_DUE],
        )?;
    }
    set_version(&transaction, version)?;
    transaction.commit()
}

/// Removes what was rewritten from free pages, and from the log by emptying it. The system may keep blocks
/// of a shortened file on the disk; see the README.
fn compact_if_due(connection: &Connection) -> rusqlite::Result<()> {
    let due = "SELECT 1 FROM migration WHERE name = ?1";
    if !connection.prepare(due)?.exists([COMPACTION_DUE])? {
        return Ok(());
    }
    tracing::info!("compacting the store, so that nothing stays of what was rewritten");
    connection.execute_batch("VACUUM")?;
    truncate_log(connection)?;
    connection.execute("DELETE FROM migration WHERE name = ?1", [COMPACTION_DUE])?;
    Ok(())
}

/// Moves the log into the database and empties its file; nobody else has the database open.
fn truncate_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn set_version(connection: &Connection, version: usize) -> rusqlite::Result<()> {
    let version = i64::try_from(version).expect("migrations are few");
    connection.pragma_update(None, "user_version", version)
}

fn hash_of(migration: &Migration) -> String {
    let end = migration.rewrite.as_ref().map_or("", |rewrite| rewrite.end);
    hex::encode(
        Sha256::new()
            .chain_update(migration.sql)
            .chain_update(end)
            .finalize(),
    )
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

fn sqlite(path: &Path, failure: Failure) -> OpenError {
    OpenError::Sqlite {
        path: path.into(),
        source: failure.into(),
    }
}

#[cfg(test)]
mod tests;
