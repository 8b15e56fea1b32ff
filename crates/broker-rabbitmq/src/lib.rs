#![doc = include_str!("../README.md")]

mod config;
mod consumer;
mod failure;
mod link;
mod management;
mod message_id;
mod policy;
mod probe;
mod publisher;
mod receiving;
mod reconnect;
mod status;
mod tls;
mod topology;

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use lapin::Connection;
use lienthong_domain::{Clock, DestinationName};
use lienthong_ports::broker::{
    Broker, BrokerError, BrokerState, Message, PUBLISH_MAX, Published, Queue, QueueDepth, Received,
};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use crate::config::{BadUrl, BrokerUrl, Config, Tls, VHOST_DEFAULT};
use crate::consumer::Consumer;
use crate::failure::Failure;
use crate::link::step;
pub use crate::management::{ManagementError, ManagementUrl};
pub use crate::policy::{Override, SetBy, Weight};
use crate::publisher::{Publisher, Request};
use crate::receiving::Receiving;
use crate::status::Status;
use crate::topology::{Topology, work_queue};

/// Calls of `publish` that may wait for the publisher.
const REQUESTS_MAX: usize = 64;
/// How much longer than a confirm the answer to a call may take: one more round through the window.
const ANSWER_SLACK: Duration = Duration::from_secs(5);
/// How long a stop may take altogether.
const STOP_MAX: Duration = Duration::from_secs(30);

/// RabbitMQ, connected in the background for as long as this value is not stopped.
pub struct RabbitBroker {
    config: Config,
    topology: Topology,
    status: Arc<Status>,
    requests: mpsc::Sender<Request>,
    connections: watch::Receiver<Option<Arc<Connection>>>,
    receivers: Mutex<Vec<KnownReceiver>>,
    /// See [`Consumer`].
    asking: Arc<tokio::sync::Mutex<()>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What is in the hands of a receiver's worker: its prefetch less the permits that are left.
struct KnownReceiver {
    queue: String,
    prefetch: u16,
    permits: Weak<Semaphore>,
}

impl RabbitBroker {
    /// Starts to connect and returns at once; [`Self::ready`] waits. Call it inside a runtime.
    ///
    /// The topology for `destinations` is declared on each connection.
    pub fn connect(config: Config, destinations: Vec<DestinationName>, clock: Clock) -> Arc<Self> {
        let topology = Topology {
            destinations,
            queue_messages_max: config.queue_messages_max,
            timeout: config.step_timeout,
        };
        let status = Arc::new(Status::new(clock));
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let (requests, incoming) = mpsc::channel(REQUESTS_MAX);
        let (connected, connections) = watch::channel(None);
        let publisher = Publisher {
            config: config.clone(),
            topology: topology.clone(),
            status: Arc::clone(&status),
            stop: stop.clone(),
        };
        tasks.spawn(publisher.run(incoming));
        let receiving = Receiving {
            config: config.clone(),
            topology: topology.clone(),
            status: Arc::clone(&status),
            stop: stop.clone(),
            connections: connected,
        };
        tasks.spawn(receiving.run());
        let receivers = Mutex::default();
        Arc::new(Self {
            config,
            topology,
            status,
            requests,
            connections,
            receivers,
            asking: Arc::default(),
            tasks,
            stop,
        })
    }

    /// Waits until messages can be published and received.
    ///
    /// # Errors
    /// After `timeout`: the last reason why not. The broker goes on trying.
    pub async fn ready(&self, timeout: Duration) -> Result<(), BrokerError> {
        self.status.ready(timeout).await
    }

    /// Messages of foreign origin that were removed from the queues since the start.
    pub fn undecodable_messages(&self) -> u64 {
        self.status.undecodable_count()
    }

    async fn depth(&self, channel: &lapin::Channel, name: String) -> Result<QueueDepth, Failure> {
        let queue = self.topology.existing(channel, &name).await?;
        // The broker tells what is ready; what is in hand here is known here.
        let unacknowledged = self.in_hand(&name);
        Ok(QueueDepth {
            messages: u64::from(queue.message_count()) + unacknowledged,
            consumers: queue.consumer_count().into(),
            unacknowledged,
            redelivered: self.status.redelivered_count(&name),
            queue: name,
        })
    }

    fn in_hand(&self, queue: &str) -> u64 {
        let mut receivers = self
            .receivers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        receivers.retain(|receiver| receiver.permits.strong_count() > 0);
        let of_queue = receivers.iter().filter(|receiver| receiver.queue == queue);
        of_queue
            .filter_map(|receiver| {
                let left = receiver.permits.upgrade()?.available_permits();
                Some(usize::from(receiver.prefetch).saturating_sub(left) as u64)
            })
            .sum()
    }
}

#[async_trait]
impl Broker for RabbitBroker {
    async fn publish(&self, destination: &DestinationName, messages: &[Message]) -> Vec<Published> {
        let refused = || vec![Published::Refused; messages.len()];
        if messages.len() > PUBLISH_MAX || self.stop.is_cancelled() || !self.status.can_publish() {
            return refused();
        }
        if messages.is_empty() {
            return Vec::new();
        }
        let (reply, answers) = oneshot::channel();
        let queue = work_queue(destination);
        let request = Request {
            queue,
            messages: messages.to_vec(),
            reply,
        };
        let limit = self.config.confirm_timeout;
        if !matches!(
            timeout(limit, self.requests.send(request)).await,
            Ok(Ok(()))
        ) {
            return refused();
        }
        let answers = match timeout(limit + ANSWER_SLACK, answers).await {
            Ok(Ok(answers)) => answers,
            Ok(Err(_)) | Err(_) => vec![Published::Unknown; messages.len()],
        };
        let unknown = answers.iter().filter(|fate| **fate == Published::Unknown);
        self.status.unknown(unknown.count() as u64);
        answers
    }

    async fn consume(
        &self,
        queue: Queue,
        prefetch: u16,
    ) -> Result<mpsc::Receiver<Received>, BrokerError> {
        if self.stop.is_cancelled() {
            return Err(BrokerError::Stopping);
        }
        let prefetch = prefetch.max(1);
        let (out, receiver) = mpsc::channel(prefetch.into());
        let queue = queue.to_string();
        let permits = Arc::new(Semaphore::new(prefetch.into()));
        let known = KnownReceiver {
            queue: queue.clone(),
            prefetch,
            permits: Arc::downgrade(&permits),
        };
        self.receivers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(known);
        let consumer = Consumer {
            queue,
            prefetch,
            permits,
            out,
            connections: self.connections.clone(),
            topology: self.topology.clone(),
            status: Arc::clone(&self.status),
            asking: Arc::clone(&self.asking),
            timeout: self.config.step_timeout,
            stop: self.stop.clone(),
        };
        self.tasks.spawn(consumer.run());
        Ok(receiver)
    }

    fn state(&self) -> BrokerState {
        self.status.broker_state()
    }

    async fn depths(
        &self,
        destinations: &[DestinationName],
    ) -> Result<Vec<QueueDepth>, BrokerError> {
        let connection = self.connections.borrow().clone();
        let connection = connection.ok_or_else(|| self.status.why_not_connected())?;
        let work = destinations.iter().map(work_queue);
        let names = work.chain([Queue::Dead.to_string()]);
        let ask = async {
            let channel = step(self.config.step_timeout, connection.create_channel()).await?;
            let mut depths = Vec::new();
            for name in names {
                depths.push(self.depth(&channel, name).await?);
            }
            // Closed with its last clone otherwise; a failure here spoils no figure.
            step(self.config.step_timeout, channel.close(200, "done".into()))
                .await
                .ok();
            Ok(depths)
        };
        ask.await
            .map_err(|failure: Failure| failure.to_broker_error())
    }

    async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        if timeout(STOP_MAX, self.tasks.wait()).await.is_err() {
            tracing::warn!("connections to RabbitMQ did not close in time");
        }
    }
}

impl Drop for RabbitBroker {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
