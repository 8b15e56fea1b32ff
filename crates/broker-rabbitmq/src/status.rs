//! What is known of the broker now, shared by the tasks that learn it and the calls that tell it.

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
        self.now.send_modify(|now| {
            *now.side(side) = false;
            if matches!(side, Side::Publish) {
                now.blocked_since = None;
            }
            if let Some(failure) = failure {
                now.last_error = Some(format!("failed to {failure}"));
            }
            if let Some(Failure::Topology(text)) = failure {
                now.last_topology_error = Some(text.clone());
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
            now.blocked_since = reason.map(|_| now.blocked_since.unwrap_or(at));
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
        let now = self.now.borrow();
        Err(match (&now.last_topology_error, &now.last_error) {
            (Some(text), _) => BrokerError::Topology(text.clone()),
            (None, Some(text)) => BrokerError::NotConnected(text.clone()),
            (None, None) => BrokerError::NotConnected("no answer yet".to_owned()),
        })
    }
}

impl Now {
    fn side(&mut self, side: Side) -> &mut bool {
        match side {
            Side::Publish => &mut self.publishing,
            Side::Receive => &mut self.receiving,
        }
    }
}
