//! What a store must be told, with the bounds it keeps.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lienthong_ports::store::DestinationSpec;
use lienthong_telemetry::metrics::StoreMetrics;
use lienthong_vault::Vault;

/// The path that means a database in memory.
pub const MEMORY: &str = ":memory:";

/// Most destinations of one database, those of the past included: delivery numbers are
/// `64 * event + destination`.
pub const DESTINATIONS_MAX: usize = 64;

/// Where and how a store works.
#[derive(Clone, Debug)]
pub struct Config {
    /// The database file, or [`MEMORY`].
    pub path: PathBuf,
    /// Where every accepted event goes, at most [`DESTINATIONS_MAX`].
    pub destinations: Vec<DestinationSpec>,
    /// The keys that personal data is sealed under; a database opens with those it was written with.
    pub vault: Arc<Vault>,
    /// Most offered events that wait to be committed; as many items of other writes may wait beside
    /// them, so a flood at the intake does not stop deliveries. More are answered `Busy`.
    pub queue_items_max: usize,
    /// Items after which a group is committed although more wait.
    pub group_items_max: usize,
    /// Reading threads, each with a connection and a cache of [`READER_CACHE_KIB`]; with 0, and for
    /// a database in memory, the writer answers queries too.
    pub readers: usize,
    /// Free bytes on the disk below which events are refused; deliveries go on.
    pub reserve_bytes: u64,
    /// Where commits are counted.
    pub metrics: StoreMetrics,
}

/// The writer's page cache.
pub const WRITER_CACHE_KIB: i64 = 48 * 1024;
/// Each reader's page cache.
pub const READER_CACHE_KIB: i64 = 4 * 1024;
/// Pages of the write-ahead log after which the writer moves them into the database: 16 MiB.
pub const LOG_PAGES_CHECKPOINT: i64 = 4_096;
/// Pages of the write-ahead log after which the writer waits for readers in order to start it anew:
/// 256 MiB.
pub const LOG_PAGES_MAX: i64 = 65_536;
/// Longest wait of a statement for a lock, in milliseconds.
pub const LOCK_WAIT_MS_MAX: u64 = 1_000;
/// Most queries that wait for a reader; more are answered `Busy`.
pub const QUERIES_WAITING_MAX: usize = 256;

impl Config {
    /// The ordinary settings: 4,096 items waiting, groups of 1,000, two readers, 256 MiB kept free.
    pub fn new(
        path: impl Into<PathBuf>,
        destinations: Vec<DestinationSpec>,
        vault: Arc<Vault>,
    ) -> Self {
        Self {
            path: path.into(),
            destinations,
            vault,
            queue_items_max: 4_096,
            group_items_max: 1_000,
            readers: 2,
            reserve_bytes: 256 * 1024 * 1024,
            metrics: StoreMetrics::default(),
        }
    }

    pub(crate) fn in_memory(&self) -> bool {
        self.path == Path::new(MEMORY)
    }
}
