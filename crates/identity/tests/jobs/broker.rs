//! The embedded broker behind a bad line: it loses, refuses, repeats and delays.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lienthong_broker_embedded::{Config, EmbeddedBroker};
use lienthong_domain::{DestinationName, Random};
use lienthong_ports::broker::{
    Broker, BrokerError, BrokerState, Message, Published, Queue, QueueDepth, Received,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

pub(crate) struct FaultyBroker {
    inner: EmbeddedBroker,
    random: Random,
    /// Messages that come later, after newer ones.
    late: Mutex<VecDeque<Message>>,
    /// Carry messages to the receivers; some they drop.
    carriers: Mutex<JoinSet<()>>,
}

impl FaultyBroker {
    pub(crate) fn new(random: Random) -> Self {
        Self {
            inner: EmbeddedBroker::new(Config::default()),
            random,
            late: Mutex::default(),
            carriers: Mutex::default(),
        }
    }

    async fn hand_in(&self, destination: &DestinationName, message: Message) -> Published {
        self.inner.publish(destination, &[message]).await[0]
    }

    async fn publish_one(&self, destination: &DestinationName, message: Message) -> Published {
        match self.random.below(100) {
            // Confirmed by a broker that loses it at once.
            0..6 => Published::Confirmed,
            6..12 => Published::Refused,
            12..17 => Published::Unknown,
            17..23 => {
                self.hand_in(destination, message).await;
                Published::Unknown
            }
            23..33 => {
                self.hand_in(destination, message).await;
                self.hand_in(destination, message).await
            }
            33..45 => {
                let mut late = self.late.lock().expect("nothing panics with it in hand");
                late.push_back(message);
                late.push_back(message);
                Published::Confirmed
            }
            _ => self.hand_in(destination, message).await,
        }
    }

    fn take_late(&self) -> Option<Message> {
        let mut late = self.late.lock().expect("nothing panics with it in hand");
        // Not the first, but any.
        let index = self.random.below(late.len() as u64);
        late.remove(usize::try_from(index).expect("a small number"))
    }
}

#[async_trait]
impl Broker for FaultyBroker {
    async fn publish(&self, destination: &DestinationName, messages: &[Message]) -> Vec<Published> {
        let mut fates = Vec::new();
        for message in messages {
            fates.push(self.publish_one(destination, *message).await);
            if self.random.below(3) == 0
                && let Some(old) = self.take_late()
            {
                self.hand_in(destination, old).await;
            }
        }
        fates
    }

    async fn consume(
        &self,
        queue: Queue,
        prefetch: u16,
    ) -> Result<mpsc::Receiver<Received>, BrokerError> {
        let mut inbox = self.inner.consume(queue, prefetch).await?;
        let (outbox, receiver) = mpsc::channel(usize::from(prefetch.max(1)));
        let random = self.random.clone();
        let carry = async move {
            loop {
                let received = tokio::select! {
                    biased;
                    () = outbox.closed() => return,
                    received = inbox.recv() => received,
                };
                let Some(received) = received else { return };
                if random.below(100) < 3 {
                    // The line to the receiver breaks; the broker gives it to the next, and up in the end.
                    drop(received);
                } else if outbox.send(received).await.is_err() {
                    return;
                }
            }
        };
        let mut carriers = self
            .carriers
            .lock()
            .expect("nothing panics with it in hand");
        carriers.spawn(carry);
        Ok(receiver)
    }

    fn state(&self) -> BrokerState {
        self.inner.state()
    }

    async fn depths(
        &self,
        destinations: &[DestinationName],
    ) -> Result<Vec<QueueDepth>, BrokerError> {
        self.inner.depths(destinations).await
    }

    async fn stop(&self) {
        self.inner.stop().await;
    }
}

/// A broker without faults.
pub(crate) fn good() -> Arc<dyn Broker> {
    Arc::new(EmbeddedBroker::new(Config::default()))
}
