//! Whether the file of a store is whole; asked beside a gateway that has it open, too.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// What a look at the file found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// No fault.
    Whole {
        /// The version of its schema.
        schema: i64,
    },
    /// No fault so far; there was no time for the rest.
    Unfinished,
    /// The first fault, or why the file could not be read; SQLite's words.
    Damaged(String),
}

/// Runs `PRAGMA quick_check`, which reads the whole file, for at most `patience`. Changes nothing.
pub async fn integrity(path: &Path, patience: Duration) -> Integrity {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match Connection::open_with_flags(path, flags) {
        Ok(connection) => connection,
        Err(error) => return Integrity::Damaged(error.to_string()),
    };
    let interrupt = connection.get_interrupt_handle();
    let work = tokio::task::spawn_blocking(move || quick_check(&connection));
    tokio::select! {
        checked = work => match checked {
            Ok(Ok((schema, fault))) if fault == "ok" => Integrity::Whole { schema },
            Ok(Ok((_, fault))) => Integrity::Damaged(fault),
            Ok(Err(error)) => Integrity::Damaged(error.to_string()),
            Err(error) => Integrity::Damaged(error.to_string()),
        },
        () = tokio::time::sleep(patience) => {
            interrupt.interrupt();
            Integrity::Unfinished
        }
    }
}

/// The schema's version, and the first fault or `ok`.
fn quick_check(connection: &Connection) -> rusqlite::Result<(i64, String)> {
    let schema = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let fault = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((schema, fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_whole_file_passes_and_a_damaged_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let connection = Connection::open(&path).unwrap();
        let rows = "CREATE TABLE t (x TEXT); PRAGMA user_version = 7;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
            INSERT INTO t SELECT hex(randomblob(50)) FROM n;";
        connection.execute_batch(rows).unwrap();
        drop(connection);
        let look = async || integrity(&path, Duration::from_mins(1)).await;
        assert_eq!(look().await, Integrity::Whole { schema: 7 });
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[4_096..12_288].fill(0xA5);
        std::fs::write(&path, bytes).unwrap();
        assert!(matches!(look().await, Integrity::Damaged(_)));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(look().await, Integrity::Damaged(_)));
    }
}
