//! What is known of the broker now, shared by the tasks that learn it and the calls that tell it.

use std::collections::HashMap;
use std::time::Duration;

use lienthong_domain::{Clock, Timestamp};
use lienthong_ports::{BrokerError, BrokerState};
use tokio::sync::watch;

use crate::failure::Failure;

/// The two sides, each with a connection of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Publish,
    Receive,
}

#[derive(Default)]
struct Now {
    publishing: bool,
    receiving: bool,
    sessions: u64,
    first_sessions: u64,
    blocked_since: Option<Timestamp>,
    /// Blocks that have ended.
    blocked_before: Duration,
    unknown_confirms: u64,
    /// By the queue's name; as many as there are receivers' queues.
    redelivered: HashMap<String, u64>,
    /// How often a queue was found missing and declared again, by its name.
    made_again: HashMap<String, u64>,
    last_error: Option<String>,
    last_topology_error: Option<String>,
    undecodable: u64,
}

pub(crate) struct Status {
    now: watch::Sender<Now>,
    clock: Clock,
}

impl Status {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            now: watch::Sender::default(),
            clock,
        }
    }

    /// A session of `side` began; `first` if it is the first since the start.
    pub(crate) fn up(&self, side: Side, first: bool) {
        tracing::info!(broker.side = ?side, "connected to RabbitMQ");
        self.now.send_modify(|now| {
            *now.side(side) = true;
            now.sessions += 1;
            now.first_sessions += u64::from(first);
            now.last_topology_error = None;
        });
    }

    /// The session of `side` ended, or could not begin; `None` for an orderly stop.
    pub(crate) fn down(&self, side: Side, failure: Option<&Failure>) {
        if let Some(failure) = failure {
            tracing::warn!(broker.side = ?side, "failed to {failure}; trying again");
        }
        let at = self.clock.now();
        self.now.send_modify(|now| {
            *now.side(side) = false;
            if matches!(side, Side::Publish) {
                now.end_block(at);
            }
            if let Some(failure) = failure {
                now.last_error = Some(format!("failed to {failure}"));
                now.last_topology_error = match failure {
                    Failure::Topology(text) => Some(text.clone()),
                    _ => None,
                };
            }
        });
    }

    /// The broker blocked publishers for `reason`, or (`None`) takes messages again.
    pub(crate) fn blocked(&self, reason: Option<&str>) {
        tracing::warn!(
            broker.reason = reason,
            "RabbitMQ blocks or unblocks publishers"
        );
        let at = self.clock.now();
        self.now.send_modify(|now| {
            match reason {
                Some(_) => now.blocked_since = now.blocked_since.or(Some(at)),
                None => now.end_block(at),
            }
            if let Some(reason) = reason {
                now.last_error = Some(format!("failed to publish: RabbitMQ blocks: {reason}"));
            }
        });
    }

    /// The broker returned messages because `queue` is not there.
    pub(crate) fn unroutable(&self, queue: &str) {
        let text = format!("failed to publish: queue {queue} or its binding is missing");
        self.now.send_modify(|now| now.last_error = Some(text));
    }

    /// The broker did not say whether it has `count` messages.
    pub(crate) fn unknown(&self, count: u64) {
        if count > 0 {
            self.now.send_modify(|now| now.unknown_confirms += count);
        }
    }

    /// A message of `queue` came a second time.
    pub(crate) fn redelivered(&self, queue: &str) {
        self.now
            .send_modify(|now| count_one(&mut now.redelivered, queue));
    }

    /// `queue` had been found missing, and everything is declared again.
    pub(crate) fn made_again(&self, queue: &str) {
        self.now
            .send_modify(|now| count_one(&mut now.made_again, queue));
    }

    pub(crate) fn made_again_count(&self, queue: &str) -> u64 {
        count_of(&self.now.borrow().made_again, queue)
    }

    /// Waits until `queue` was made again more often than `count` times.
    pub(crate) async fn made_again_since(&self, queue: &str, count: u64) {
        let mut now = self.now.subscribe();
        let more = now.wait_for(|now| count_of(&now.made_again, queue) > count);
        // The sender is `self`, so it does not close.
        more.await.ok();
    }

    pub(crate) fn redelivered_count(&self, queue: &str) -> u64 {
        count_of(&self.now.borrow().redelivered, queue)
    }

    /// A message without a readable `message_id` was removed from a queue. Logged once.
    pub(crate) fn undecodable(&self, queue: &str) {
        self.now.send_modify(|now| {
            now.undecodable += 1;
            if now.undecodable == 1 {
                tracing::error!(
                    broker.queue = queue,
                    "a foreign message was removed; more are only counted"
                );
            }
        });
    }

    pub(crate) fn undecodable_count(&self) -> u64 {
        self.now.borrow().undecodable
    }

    pub(crate) fn can_publish(&self) -> bool {
        let now = self.now.borrow();
        now.publishing && now.blocked_since.is_none()
    }

    pub(crate) fn broker_state(&self) -> BrokerState {
        let now = self.now.borrow();
        BrokerState {
            name: "rabbitmq",
            connected: now.publishing && now.blocked_since.is_none(),
            blocked_since: now.blocked_since,
            reconnects: now.sessions - now.first_sessions,
            last_error: now.last_error.clone(),
            unknown_confirms: now.unknown_confirms,
            blocked_total: now.blocked_before + now.blocked_for(self.clock.now()),
        }
    }

    /// Waits until both sides are connected and the topology is in place.
    pub(crate) async fn ready(&self, timeout: Duration) -> Result<(), BrokerError> {
        let mut now = self.now.subscribe();
        let both = now.wait_for(|now| now.publishing && now.receiving);
        let reached = tokio::time::timeout(timeout, both).await.is_ok();
        if reached {
            return Ok(());
        }
        Err(self.why_not_connected())
    }

    /// Why a side is not connected, as far as that is known.
    pub(crate) fn why_not_connected(&self) -> BrokerError {
        let now = self.now.borrow();
        match (&now.last_topology_error, &now.last_error) {
            (Some(text), _) => BrokerError::Topology(text.clone()),
            (None, Some(text)) => BrokerError::NotConnected(text.clone()),
            (None, None) => BrokerError::NotConnected("no answer yet".to_owned()),
        }
    }
}

fn count_of(counts: &HashMap<String, u64>, queue: &str) -> u64 {
    counts.get(queue).copied().unwrap_or_default()
}

fn count_one(counts: &mut HashMap<String, u64>, queue: &str) {
    if let Some(count) = counts.get_mut(queue) {
        *count += 1;
    } else {
        counts.insert(queue.to_owned(), 1);
    }
}

impl Now {
    /// How long the present block has lasted.
    fn blocked_for(&self, at: Timestamp) -> Duration {
        let lasted = self.blocked_since.map(|since| at.duration_since(since));
        // A clock that was set back makes it negative.
        lasted
            .and_then(|lasted| Duration::try_from(lasted).ok())
            .unwrap_or_default()
    }

    fn end_block(&mut self, at: Timestamp) {
        self.blocked_before += self.blocked_for(at);
        self.blocked_since = None;
    }

    fn side(&mut self, side: Side) -> &mut bool {
        match side {
            Side::Publish => &mut self.publishing,
            Side::Receive => &mut self.receiving,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn blocks_add_up_whether_they_end_by_word_or_with_the_connection() {
        let seconds = Arc::new(AtomicU64::new(0));
        let hands = seconds.clone();
        let now =
            move || Timestamp::UNIX_EPOCH + Duration::from_secs(hands.load(Ordering::Relaxed));
        let status = Status::new(Clock::from_fn(now));
        let pass = |more| seconds.fetch_add(more, Ordering::Relaxed);
        status.up(Side::Publish, true);
        status.blocked(Some("low on memory"));
        pass(10);
        status.blocked(Some("low on disk"));
        pass(5);
        assert_eq!(status.broker_state().blocked_total.as_secs(), 15);
        status.blocked(None);
        pass(100);
        assert_eq!(status.broker_state().blocked_total.as_secs(), 15);
        status.blocked(Some("low on memory"));
        pass(7);
        status.down(Side::Publish, None);
        pass(100);
        let state = status.broker_state();
        assert_eq!(
            (state.blocked_total.as_secs(), state.blocked_since),
            (22, None)
        );
    }

    #[test]
    fn what_the_broker_did_not_say_and_what_came_again_is_counted() {
        let status = Status::new(Clock::system());
        status.unknown(0);
        status.unknown(3);
        assert_eq!(status.broker_state().unknown_confirms, 3);
        status.redelivered("work.dvcqg");
        status.redelivered("work.dvcqg");
        assert_eq!(status.redelivered_count("work.dvcqg"), 2);
        assert_eq!(status.redelivered_count("lienthong.dead"), 0);
    }
}
