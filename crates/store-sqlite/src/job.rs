//! Writes on their way to the writer: work, room in the queue, and the caller who waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lienthong_ports::StoreError;
use tokio::sync::oneshot;

use crate::core::Core;
use crate::error::Failure;

/// A write of any result type, as the writer handles it.
pub(crate) trait Job: Send {
    /// How much of a group it takes.
    fn items(&self) -> usize;

    /// Does the work inside the group's transaction; again, if the group has to be repeated.
    fn run(&mut self, core: &mut Core) -> Result<(), Failure>;

    /// Tells the caller: the result of the work, or why it did not become durable.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// A write with its result type.
pub(crate) struct Write<T, F> {
    pub(crate) work: F,
    pub(crate) room: Room,
    pub(crate) result: Option<T>,
    pub(crate) reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send,
    F: FnMut(&mut Core) -> Result<T, Failure> + Send,
{
    fn items(&self) -> usize {
        self.room.items
    }

    fn run(&mut self, core: &mut Core) -> Result<(), Failure> {
        self.result = Some((self.work)(core)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self {
            room,
            result,
            reply,
            ..
        } = *self;
        // Room is made before the caller hears of it, so that its next write finds it.
        drop(room);
        let result = committed.and_then(|()| result.ok_or_else(|| Failure::ThreadEnded.into()));
        // A caller that has stopped waiting loses the answer, not the write.
        drop(reply.send(result));
    }
}

/// Bounds the items that wait.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    used: Arc<AtomicUsize>,
    items_max: usize,
}

/// Items' room in the queue; given back when dropped.
#[derive(Debug)]
pub(crate) struct Room {
    used: Arc<AtomicUsize>,
    items: usize,
}

impl Budget {
    pub(crate) fn new(items_max: usize) -> Self {
        Self {
            used: Arc::default(),
            items_max: items_max.max(1),
        }
    }

    /// Room for `items`; one call never needs more than there is.
    pub(crate) fn take(&self, items: usize) -> Result<Room, StoreError> {
        let items = items.clamp(1, self.items_max);
        self.used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                used.checked_add(items).filter(|sum| *sum <= self.items_max)
            })
            .map_err(|_| StoreError::Busy)?;
        Ok(Room {
            used: Arc::clone(&self.used),
            items,
        })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.used.fetch_sub(self.items, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded_and_comes_back() {
        let budget = Budget::new(10);
        let six = budget.take(6).unwrap();
        assert!(matches!(budget.take(5), Err(StoreError::Busy)));
        let four = budget.take(4).unwrap();
        drop((six, four));
        assert!(
            budget.take(1_000).is_ok(),
            "a call larger than the queue fits an empty one"
        );
    }
}
