//! Why a database cannot be opened, and what goes wrong inside a transaction.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use lienthong_ports::StoreError;
use lienthong_vault::KeyId;
use rusqlite::ErrorCode;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process (or another store of this one) works on the file.
    #[error("open {}: another process holds its lock {}", .path.display(), .lock.display())]
    InUse {
        /// The database.
        path: PathBuf,
        /// The lock file.
        lock: PathBuf,
    },
    /// The lock file cannot be made.
    #[error("make the lock file {}", .lock.display())]
    Lock {
        /// The lock file.
        lock: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is a database of another program.
    #[error("open {}: it is not a store of lienthong (application id {found:#x})", .path.display())]
    Foreign {
        /// The database.
        path: PathBuf,
        /// The id found.
        found: i64,
    },
    /// A newer program has written the file.
    #[error(
        "open {}: its schema is version {found}, this program knows versions up to {known}; start the newer program",
        .path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// A migration of this program is not the one that made the file.
    #[error(
        "open {}: migration {name} was another one when it was applied; this program was built from changed migrations",
        .path.display()
    )]
    ChangedMigration {
        /// The database.
        path: PathBuf,
        /// The migration.
        name: String,
    },
    /// The database was written with another key file.
    #[error("open {}: it was written with another key file", .path.display())]
    OtherKeyFile {
        /// The database.
        path: PathBuf,
    },
    /// Data keys are wrapped under a key that the key file lacks.
    #[error(
        "open {}: data keys are wrapped under key {key}, which the key file lacks; put it back",
        .path.display()
    )]
    MissingKey {
        /// The database.
        path: PathBuf,
        /// The key.
        key: KeyId,
    },
    /// More destinations than delivery numbers leave room for, counting those of the past.
    #[error("open a store with more than {max} destinations")]
    TooManyDestinations {
        /// The bound.
        max: usize,
    },
    /// The write-ahead log cannot be used there, as on some network file systems.
    #[error("open {}: journal mode {mode} instead of wal", .path.display())]
    NoWriteAheadLog {
        /// The database.
        path: PathBuf,
        /// The mode.
        mode: String,
    },
    /// A thread cannot be started.
    #[error("start a thread of the store")]
    Thread(#[source] std::io::Error),
    /// `SQLite` refused something.
    #[error("open {}", .path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// What goes wrong inside a transaction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("run a statement")]
    Sqlite(#[from] rusqlite::Error),
    #[error("commit; whether it happened is not known")]
    Commit(#[source] rusqlite::Error),
    #[error("read {table}.{column} of row {row}: {fault}")]
    Corrupt {
        table: &'static str,
        column: &'static str,
        row: i64,
        fault: String,
    },
    #[error("go on after a failed write to the disk; restart the gateway")]
    Broken,
    #[error("finish a transaction: the store's code panicked")]
    Panicked,
    #[error("get an answer from a thread that has ended")]
    ThreadEnded,
}

impl Failure {
    /// Whether only the caller that met it is concerned: a bad row is nobody else's trouble.
    pub(crate) fn is_callers_own(&self) -> bool {
        matches!(self, Self::Corrupt { .. })
    }

    /// Whether what is on the disk can no longer be trusted to be what was written.
    pub(crate) fn breaks_store(&self) -> bool {
        match self {
            Self::Sqlite(error) | Self::Commit(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    ErrorCode::SystemIoFailure
                        | ErrorCode::DatabaseCorrupt
                        | ErrorCode::NotADatabase
                )
            ),
            _ => false,
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Corrupt {
                table,
                column,
                row,
                fault,
            } => Self::Corrupt {
                table,
                column,
                row,
                fault,
            },
            other => SharedFailure(Arc::new(other)).into(),
        }
    }
}

/// One failure for every waiter of a group.
#[derive(Clone)]
pub(crate) struct SharedFailure(pub(crate) Arc<Failure>);

impl From<SharedFailure> for StoreError {
    fn from(shared: SharedFailure) -> Self {
        match &*shared.0 {
            // Only before COMMIT, where a rollback is certain.
            Failure::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
                Self::DiskFull
            }
            _ => Self::Unavailable(Box::new(shared)),
        }
    }
}

impl fmt::Debug for SharedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for SharedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for SharedFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
