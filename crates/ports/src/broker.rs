//! The broker: carries `(delivery, fence)` pairs to workers, at least once, and may be wiped any time.
//!
//! Nothing depends on it for truth: a message lost here is published again when its lease ends, and
//! a message seen twice fails the compare-and-set on its fence. No payload and no personal data
//! ever travels in it.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use lienthong_domain::{DeliveryId, DestinationName, Fence, Timestamp, TraceContext};
use tokio::sync::mpsc;

/// What a broker message says: "this delivery is ready for its attempt number `fence`".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// The claim it belongs to; older copies are dropped by the worker.
    pub fence: Fence,
    /// The event's trace, as a `traceparent` header of the message: no identity of its own, and optional.
    pub trace: Option<TraceContext>,
}

/// What is known of one published message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// The broker has it safely.
    Confirmed,
    /// The broker certainly does not have it (refused, unroutable, not connected): claim it again at once.
    Refused,
    /// Nobody knows (time-out, connection lost before the confirm): its lease will tell.
    Unknown,
}

/// A queue of the broker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Attempts for one destination.
    Work(DestinationName),
    /// Messages the broker itself gave up; the reaper parks their deliveries.
    Dead,
}

/// The name at the broker.
impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Work(destination) => write!(f, "work.{destination}"),
            Self::Dead => f.write_str("lienthong.dead"),
        }
    }
}

/// One message in a worker's hands.
///
/// It must be acknowledged with [`Received::acknowledge`]. One that is dropped instead goes back to the
/// broker and is received again, by this or another worker.
pub struct Received {
    /// What it says.
    pub message: Message,
    acknowledge: Option<Box<dyn FnOnce(bool) + Send>>,
}

impl Received {
    /// A message whose fate is reported once to `settle`: `true` acknowledged, `false` dropped.
    /// `settle` must not block.
    pub fn new(message: Message, settle: impl FnOnce(bool) + Send + 'static) -> Self {
        Self {
            message,
            acknowledge: Some(Box::new(settle)),
        }
    }

    /// The message has been dealt with; the broker may forget it. A lost acknowledgement is harmless.
    pub fn acknowledge(mut self) {
        if let Some(settle) = self.acknowledge.take() {
            settle(true);
        }
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if let Some(settle) = self.acknowledge.take() {
            settle(false);
        }
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// How the broker is doing, for operators and health checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerState {
    /// `embedded` or `rabbitmq`.
    pub name: &'static str,
    /// Whether messages can be published now.
    pub connected: bool,
    /// Since when the broker has blocked publishers (`connection.blocked`), if it has.
    pub blocked_since: Option<Timestamp>,
    /// Reconnections since the start.
    pub reconnects: u64,
    /// The last failure, for people; without credentials.
    pub last_error: Option<String>,
    /// Publishes whose confirm did not come, since the start.
    pub unknown_confirms: u64,
    /// How long publishers have been blocked since the start, the present block included.
    pub blocked_total: Duration,
}

/// The depth of one queue as the broker counts it; RabbitMQ's figures lag by seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueDepth {
    /// The broker's name of the queue.
    pub queue: String,
    /// Messages ready or in the hands of workers.
    pub messages: u64,
    /// Workers' consumers.
    pub consumers: u64,
    /// Of the messages, those in the hands of this process's workers.
    pub unacknowledged: u64,
    /// Messages that this process received a second time, since its start.
    pub redelivered: u64,
}

/// Why a broker could not be used.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// No connection to it now; it is being rebuilt.
    #[error("reach the broker: {0}")]
    NotConnected(String),
    /// A queue, exchange or policy is not as this gateway needs it.
    #[error("use the broker's topology: {0}")]
    Topology(String),
    /// The broker has been told to stop.
    #[error("use a broker that is stopping")]
    Stopping,
}

/// Carries messages to workers, at least once, in no promised order.
#[async_trait]
pub trait Broker: Send + Sync {
    /// Publishes `messages` to the work queue of `destination`; one answer per message, same order.
    ///
    /// Bounded in time: an answer that does not come becomes [`Published::Unknown`].
    /// At most [`PUBLISH_MAX`] messages a call.
    async fn publish(&self, destination: &DestinationName, messages: &[Message]) -> Vec<Published>;

    /// Starts to receive from `queue`, at most `prefetch` messages unacknowledged.
    ///
    /// The receiver lives until it is dropped or the broker stops: the implementation reconnects
    /// behind it. A queue may have several receivers; each message goes to one.
    ///
    /// # Errors
    /// [`BrokerError::Stopping`] after [`Broker::stop`].
    async fn consume(
        &self,
        queue: Queue,
        prefetch: u16,
    ) -> Result<mpsc::Receiver<Received>, BrokerError>;

    /// How it is doing now; never waits for the network.
    fn state(&self) -> BrokerState;

    /// The depth of the work queues of `destinations` and of the dead-letter queue.
    ///
    /// # Errors
    /// [`BrokerError::NotConnected`] when the broker cannot be asked.
    async fn depths(
        &self,
        destinations: &[DestinationName],
    ) -> Result<Vec<QueueDepth>, BrokerError>;

    /// Stops receiving and publishing and closes the connections, in bounded time.
    async fn stop(&self);
}

/// Most messages of one [`Broker::publish`].
pub const PUBLISH_MAX: usize = 500;
