//! What the workers show of themselves: read by edges, written by `delivery`.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Live figures of one destination's workers. Readers may see them a moment old.
#[derive(Debug, Default)]
pub struct Gauge {
    concurrency_limit: AtomicU32,
    in_flight: AtomicU32,
    calls: AtomicU64,
    stale: AtomicU64,
}

impl Gauge {
    /// Calls that may be under way at once just now.
    pub fn concurrency_limit(&self) -> u32 {
        self.concurrency_limit.load(Ordering::Relaxed)
    }

    /// Calls under way.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Calls made since the start.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Messages dropped since the start because their fence was old.
    pub fn stale(&self) -> u64 {
        self.stale.load(Ordering::Relaxed)
    }

    /// Shows the present limit and load.
    pub fn show(&self, concurrency_limit: u32, in_flight: u32) {
        self.concurrency_limit
            .store(concurrency_limit, Ordering::Relaxed);
        self.in_flight.store(in_flight, Ordering::Relaxed);
    }

    /// Counts calls made.
    pub fn add_calls(&self, count: u64) {
        self.calls.fetch_add(count, Ordering::Relaxed);
    }

    /// Counts stale messages.
    pub fn add_stale(&self, count: u64) {
        self.stale.fetch_add(count, Ordering::Relaxed);
    }
}
