//! What the dispatcher and the worker share: the pace, and how many items in a row the database refused.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lienthong_ports::identity::ItemId;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Config;
use super::pace::Pace;

/// Different items in a row whose refusal means that the database refuses us, and not them.
const REFUSED_IN_A_ROW: usize = 3;

/// Shared state. Its locks are held for a few instructions, never over an await.
pub(super) struct Control {
    config: Arc<Config>,
    pace: Mutex<Pace>,
    /// The different items that were refused since the last answer, at most [`REFUSED_IN_A_ROW`].
    refused: Mutex<Vec<ItemId>>,
    /// Wakes the dispatcher: an item ended, so there is room in the window.
    pub(super) changed: Notify,
}

impl Control {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Self {
            pace: Mutex::new(Pace::new(config.per_second_max, Instant::now())),
            refused: Mutex::default(),
            changed: Notify::new(),
            config,
        }
    }

    /// How long until the next item may be asked, as far as the pace goes.
    pub(super) fn turn(&self) -> Duration {
        self.pace()
            .ready_at()
            .saturating_duration_since(Instant::now())
    }

    /// How long the database still wants to hear nothing.
    pub(super) fn held(&self) -> Option<Duration> {
        let now = Instant::now();
        self.pace().held_until(now).map(|until| until - now)
    }

    /// Takes the slot of one item.
    pub(super) fn take_slot(&self) {
        self.pace().take(Instant::now());
    }

    /// The database answered.
    pub(super) fn answered(&self) {
        self.pace().answered();
        self.refusals().clear();
    }

    /// The database refused an item. Whether it refuses us: as many different ones were refused in a row.
    pub(super) fn refused(&self, item: ItemId) -> bool {
        let mut refused = self.refusals();
        if refused.len() < REFUSED_IN_A_ROW && !refused.contains(&item) {
            refused.push(item);
        }
        refused.len() == REFUSED_IN_A_ROW
    }

    /// The database asked for fewer questions.
    pub(super) fn busy(&self, asked_at: Instant, hold: Duration) {
        self.pace().busy(asked_at, Instant::now(), hold);
    }

    /// Items that may be claimed and not finished: what can be asked in half a lease, so that leases do
    /// not run out only because the pace is slow.
    pub(super) fn window(&self) -> u32 {
        let half = self.config.lease() / 2;
        self.pace().items_within(half, self.config.window)
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        // Each change is a few plain assignments; a panic cannot leave them half done.
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refusals(&self) -> MutexGuard<'_, Vec<ItemId>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_different_items_in_a_row_say_that_the_database_refuses_us() {
        let control = Control::new(Arc::default());
        let refused = |item| control.refused(ItemId(item));
        assert_eq!([1, 1, 1, 2, 2].map(refused), [false; 5], "two items only");
        control.answered();
        assert_eq!([3, 4, 3].map(refused), [false; 3], "an answer in between");
        assert_eq!(
            [5, 3, 6].map(refused),
            [true; 3],
            "until there is an answer"
        );
        control.answered();
        assert!(!refused(5));
    }
}
