//! Finds out that a receiver hears nothing any more although RabbitMQ has not told it so.
//!
//! RabbitMQ cancels a receiver whose queue is deleted, but not always. Seen with 3.10.8: a quorum queue that is made again
//! at once after it was deleted counts the old receiver as its own and hands it messages that never arrive; and a
//! queue whose process is gone says nothing at all.

use std::sync::atomic::{AtomicBool, Ordering};

use lapin::Connection;
use tokio::time::sleep;

use super::Consumer;
use crate::failure::Failure;

/// Looks in a row in which a queue must have seemed deaf, before the receiver begins anew.
const DEAF_LOOKS: u32 = 2;

impl Consumer {
    /// Ends when the session that began when the queue had been made again `made_again` times should begin anew. `heard` is
    /// set by whoever receives.
    pub(super) async fn deaf(
        &self,
        connection: &Connection,
        made_again: u64,
        heard: &AtomicBool,
    ) -> Failure {
        tokio::select! {
            () = self.status.made_again_since(&self.queue, made_again) => Failure::MadeAgain,
            () = self.forgotten(connection, heard) => Failure::Forgotten,
        }
    }

    /// Ends when the queue does not know the receiver, or has messages that the receiver does not get.
    async fn forgotten(&self, connection: &Connection, heard: &AtomicBool) {
        let mut looks = 0;
        while looks < DEAF_LOOKS {
            sleep(self.timeout).await;
            let queue = self.topology.look(connection, &self.queue).await;
            let idle =
                !heard.swap(false, Ordering::Relaxed) && self.permits.available_permits() > 0;
            let hears = queue.is_ok_and(|queue| {
                queue.consumer_count() > 0 && !(idle && queue.message_count() > 0)
            });
            looks = if hears { 0 } else { looks + 1 };
        }
    }
}
