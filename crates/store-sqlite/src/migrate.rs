//! Brings a database to this program's schema, or refuses it with a reason.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use crate::error::OpenError;

struct Migration {
    name: &'static str,
    sql: &'static str,
}

/// Every migration, in order; the schema's version is how many have been applied. One that has been
/// released is never edited: its hash is kept in the database.
const MIGRATIONS: &[Migration] = &[Migration {
    name: "0001_base",
    sql: include_str!("../migrations/0001_base.sql"),
}];

/// `LTHO`, so that another program's database is not taken for ours.
const APPLICATION_ID: i64 = 0x4c54_484f;

/// Applies what is missing, each migration in a transaction of its own.
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let known = i64::try_from(MIGRATIONS.len()).expect("migrations are few");
    let found = pragma(connection, "user_version").map_err(|error| sqlite(path, error))?;
    refuse_foreign(connection, path, found)?;
    if found > known {
        return Err(OpenError::Newer {
            path: path.into(),
            found,
            known,
        });
    }
    let applied = usize::try_from(found).expect("refuse_foreign admits no negative version");
    for (index, migration) in MIGRATIONS.iter().enumerate() {
        if index < applied {
            check(connection, path, migration)?;
        } else {
            apply(connection, migration, index + 1).map_err(|error| sqlite(path, error))?;
            tracing::info!(migration.name = migration.name, "migrated the store");
        }
    }
    Ok(())
}

fn refuse_foreign(connection: &Connection, path: &Path, version: i64) -> Result<(), OpenError> {
    let application = pragma(connection, "application_id").map_err(|error| sqlite(path, error))?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| sqlite(path, error))?;
    let empty = tables == 0 && application == 0 && version == 0;
    if empty || (application == APPLICATION_ID && version >= 0) {
        Ok(())
    } else {
        Err(OpenError::Foreign {
            path: path.into(),
            found: application,
        })
    }
}

fn check(connection: &Connection, path: &Path, migration: &Migration) -> Result<(), OpenError> {
    let hash = connection
        .query_row(
            "SELECT hash FROM migration WHERE name = ?1",
            [migration.name],
            |row| row.get::<_, String>(0),
        )
        .optional()
        .map_err(|error| sqlite(path, error))?;
    if hash.as_deref() == Some(&hash_of(migration)) {
        Ok(())
    } else {
        Err(OpenError::ChangedMigration {
            path: path.into(),
            name: migration.name.into(),
        })
    }
}

fn apply(connection: &Connection, migration: &Migration, version: usize) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, hash TEXT NOT NULL) STRICT",
    )?;
    transaction.execute_batch(migration.sql)?;
    transaction.execute(
        "INSERT INTO migration (name, hash) VALUES (?1, ?2)",
        params![migration.name, hash_of(migration)],
    )?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(
        None,
        "user_version",
        i64::try_from(version).unwrap_or(i64::MAX),
    )?;
    transaction.commit()
}

fn hash_of(migration: &Migration) -> String {
    hex::encode(Sha256::digest(migration.sql))
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

fn sqlite(path: &Path, error: rusqlite::Error) -> OpenError {
    OpenError::Sqlite {
        path: path.into(),
        source: error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migrated() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, Path::new("x")).unwrap();
        connection
    }

    #[test]
    fn twice_is_harmless() {
        let mut connection = migrated();
        migrate(&mut connection, Path::new("x")).unwrap();
        assert_eq!(pragma(&connection, "user_version"), Ok(1));
    }

    #[test]
    fn a_newer_schema_is_refused_with_both_versions() {
        let mut connection = migrated();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let text = migrate(&mut connection, Path::new("gateway.db"))
            .unwrap_err()
            .to_string();
        assert!(text.contains("gateway.db") && text.contains("99"), "{text}");
    }

    #[test]
    fn a_changed_migration_is_refused_by_name() {
        let mut connection = migrated();
        connection
            .execute("UPDATE migration SET hash = 'x'", [])
            .unwrap();
        let text = migrate(&mut connection, Path::new("gateway.db"))
            .unwrap_err()
            .to_string();
        assert!(text.contains("0001_base"), "{text}");
    }

    #[test]
    fn a_foreign_database_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE theirs (id INTEGER)")
            .unwrap();
        assert!(matches!(
            migrate(&mut connection, Path::new("x")),
            Err(OpenError::Foreign { found: 0, .. })
        ));
    }
}
