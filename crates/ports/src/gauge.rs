//! What the workers show of themselves: read by edges, written by `delivery`.

use std::sync::atomic::{AtomicU32, Ordering};

/// Live figures of one destination's workers. Readers may see them a moment old.
#[derive(Debug, Default)]
pub struct Gauge {
    concurrency_limit: AtomicU32,
    in_flight: AtomicU32,
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

    /// Shows the present limit and load.
    pub fn show(&self, concurrency_limit: u32, in_flight: u32) {
        self.concurrency_limit
            .store(concurrency_limit, Ordering::Relaxed);
        self.in_flight.store(in_flight, Ordering::Relaxed);
    }
}
