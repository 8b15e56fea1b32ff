//! The store: how long commits take, how much each carries, and how long the disk lasts.

use prometheus_client::registry::Registry;

use super::{Counter, Distribution, Gauge, Table, register};

/// From a fast disk to one in trouble.
const COMMIT_SECONDS: &[f64] = &[
    0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1.0, 2.5,
];
/// One item to a full group.
const COMMIT_ITEMS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0,
];

/// The store.
#[derive(Clone, Debug)]
pub struct StoreMetrics {
    /// From the begin of a group's transaction to the end of its commit.
    pub commit_seconds: Distribution,
    /// Items that one commit carried.
    pub commit_items: Distribution,
    /// Groups of writes that could not be committed.
    pub commit_failures: Counter,
    /// Free bytes on its disk.
    pub disk_free_bytes: Table<Gauge>,
    /// Free bytes below which intake stops.
    pub disk_reserve_bytes: Gauge,
    /// Seconds until the reserve is reached at the rate of the last hour; hidden while the free space does not shrink.
    pub disk_full_seconds: Table<Gauge>,
}

impl StoreMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let optional = || Table::new(Vec::new(), Gauge::default, |_| false);
        Self {
            commit_seconds: register(
                registry,
                "lienthong_store_commit_duration_seconds",
                "Time of one transaction of the writer, from its begin to the end of its commit",
                Distribution::new(COMMIT_SECONDS),
            ),
            commit_items: register(
                registry,
                "lienthong_store_commit_items",
                "Items that one transaction of the writer carried",
                Distribution::new(COMMIT_ITEMS),
            ),
            commit_failures: register(
                registry,
                "lienthong_store_commit_failures",
                "Groups of writes that could not be committed; their callers were told",
                Counter::default(),
            ),
            disk_free_bytes: register(
                registry,
                "lienthong_store_disk_free_bytes",
                "Free space on the disk of the store",
                optional(),
            ),
            disk_reserve_bytes: register(
                registry,
                "lienthong_store_disk_reserve_bytes",
                "Free space below which statuses are refused; deliveries go on",
                Gauge::default(),
            ),
            disk_full_seconds: register(
                registry,
                "lienthong_store_disk_full_in_seconds",
                "Time until intake stops for want of space, at the rate of the last hour; absent while space does not shrink",
                optional(),
            ),
        }
    }
}

impl Default for StoreMetrics {
    fn default() -> Self {
        Self::new(&mut Registry::default())
    }
}
