//! Opening connections: the settings that durability and memory depend on, and the lock file that
//! keeps a second process out.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::statvfs::statvfs;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::config::{Config, LOCK_WAIT_MS_MAX, READER_CACHE_KIB, WRITER_CACHE_KIB};
use crate::error::OpenError;
use crate::migrate::migrate;

/// Statements kept prepared per connection; more than the code has.
const STATEMENTS_CACHED_MAX: usize = 256;

/// Bytes that the file of an emptied write-ahead log may keep.
const LOG_BYTES_KEPT_MAX: i64 = 64 * 1024 * 1024;

/// The writer's connection, migrated.
pub(crate) fn open_writer(config: &Config) -> Result<Connection, OpenError> {
    let path = &config.path;
    let failed = |source: rusqlite::Error| OpenError::Sqlite {
        path: path.clone(),
        source: source.into(),
    };
    let connection = if config.in_memory() {
        Connection::open_in_memory()
    } else {
        Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
    }
    .map_err(failed)?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(failed)?;
    if mode != "wal" && !config.in_memory() {
        return Err(OpenError::NoWriteAheadLog {
            path: path.clone(),
            mode,
        });
    }
    set_up(&connection, WRITER_CACHE_KIB).map_err(failed)?;
    for (name, value) in [
        ("synchronous", 2),        // FULL: what is answered survives a power cut
        ("wal_autocheckpoint", 0), // the writer does it after it has answered
        ("journal_size_limit", LOG_BYTES_KEPT_MAX),
        ("foreign_keys", 0),  // none are declared
        ("secure_delete", 1), // what a row held before is overwritten, not only forgotten
    ] {
        connection
            .pragma_update(None, name, value)
            .map_err(failed)?;
    }
    migrate(&connection, path, &config.vault)?;
    Ok(connection)
}

/// A connection that only reads.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        .and_then(|connection| {
            set_up(&connection, READER_CACHE_KIB)?;
            connection.pragma_update(None, "query_only", true)?;
            Ok(connection)
        })
        .map_err(|source| OpenError::Sqlite {
            path: path.into(),
            source: source.into(),
        })
}

fn set_up(connection: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED_MAX);
    // Without this the planner looks at bound values and prepares most statements again for each run.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(Duration::from_millis(LOCK_WAIT_MS_MAX))?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    // Mapped pages would count as resident memory without a bound.
    connection.pragma_update(None, "mmap_size", 0)
}

/// Keeps other processes from opening the same database while it lives.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Locks `<path>.lock`; the file stays behind, the lock ends with the process.
    pub(crate) fn of(path: &Path) -> Result<Self, OpenError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let lock = PathBuf::from(name);
        let failed = |source| OpenError::Lock {
            lock: lock.clone(),
            source,
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
                path: path.into(),
                lock,
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

/// Watches the disk below the database.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    folder: Option<PathBuf>,
    reserve_bytes: u64,
}

impl Disk {
    pub(crate) fn of(config: &Config) -> Self {
        let folder = config
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new(".")).to_owned();
        Self {
            folder: (!config.in_memory()).then_some(folder),
            reserve_bytes: config.reserve_bytes,
        }
    }

    pub(crate) fn is_memory(&self) -> bool {
        self.folder.is_none()
    }

    /// Bytes that this process may still write; `None` where there is no disk or it cannot be asked.
    pub(crate) fn free_bytes(&self) -> Option<u64> {
        let space = statvfs(self.folder.as_ref()?).ok()?;
        Some(
            space
                .blocks_available()
                .saturating_mul(space.fragment_size()),
        )
    }

    /// Whether less than the reserve is left.
    pub(crate) fn is_short(&self) -> bool {
        self.reserve_bytes > 0
            && self
                .free_bytes()
                .is_some_and(|free| free < self.reserve_bytes)
    }
}
