#![doc = include_str!("../README.md")]

mod queue;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use lienthong_domain::DestinationName;
use lienthong_ports::broker::{
    Broker, BrokerError, BrokerState, Message, Published, Queue, QueueDepth, Received,
};
use tokio::sync::mpsc;

use crate::queue::{Entry, MessageQueue};

/// The bounds of an embedded broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Most messages of one queue, waiting and in hand together; more are refused.
    pub queue_messages_max: usize,
    /// How often a message may come back before it moves to the dead letters.
    pub returns_max: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            queue_messages_max: 10_000,
            returns_max: 5,
        }
    }
}

/// Bounded queues in this process. Clones share them.
#[derive(Clone)]
pub struct EmbeddedBroker {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queues: HashMap<Queue, MessageQueue>,
    consumers: u64,
    stopped: bool,
}

impl EmbeddedBroker {
    /// An empty broker.
    pub fn new(config: Config) -> Self {
        Self {
            shared: Arc::new(Shared {
                config,
                state: Mutex::default(),
            }),
        }
    }
}

#[async_trait]
impl Broker for EmbeddedBroker {
    async fn publish(&self, destination: &DestinationName, messages: &[Message]) -> Vec<Published> {
        self.shared
            .publish(&Queue::Work(destination.clone()), messages)
    }

    async fn consume(
        &self,
        queue: Queue,
        prefetch: u16,
    ) -> Result<mpsc::Receiver<Received>, BrokerError> {
        let credit = prefetch.max(1);
        let (sender, receiver) = mpsc::channel(usize::from(credit));
        {
            let mut state = self.shared.lock();
            if state.stopped {
                return Err(BrokerError::Stopping);
            }
            state.consumers += 1;
            let id = state.consumers;
            state
                .queues
                .entry(queue.clone())
                .or_default()
                .add_consumer(id, sender, credit);
        }
        self.shared.hand_out(&queue);
        Ok(receiver)
    }

    fn state(&self) -> BrokerState {
        let connected = !self.shared.lock().stopped;
        BrokerState {
            name: "embedded",
            connected,
            ..BrokerState::default()
        }
    }

    async fn depths(
        &self,
        destinations: &[DestinationName],
    ) -> Result<Vec<QueueDepth>, BrokerError> {
        let state = self.shared.lock();
        let depth = |queue: &Queue| {
            let found = state.queues.get(queue);
            let count = |count: fn(&MessageQueue) -> usize| found.map_or(0, count) as u64;
            QueueDepth {
                queue: queue.to_string(),
                messages: count(MessageQueue::messages),
                consumers: count(MessageQueue::consumers),
                unacknowledged: count(MessageQueue::in_hand),
                redelivered: found.map_or(0, MessageQueue::redelivered),
            }
        };
        let work = destinations
            .iter()
            .map(|name| depth(&Queue::Work(name.clone())));
        Ok(work.chain([depth(&Queue::Dead)]).collect())
    }

    async fn stop(&self) {
        let mut state = self.shared.lock();
        state.stopped = true;
        state.queues.values_mut().for_each(MessageQueue::close);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is complete before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(self: &Arc<Self>, name: &Queue, messages: &[Message]) -> Vec<Published> {
        let answers = {
            let mut state = self.lock();
            if state.stopped {
                return vec![Published::Refused; messages.len()];
            }
            let queue = state.queues.entry(name.clone()).or_default();
            let mut accept = |&message: &Message| {
                if queue.messages() >= self.config.queue_messages_max {
                    return Published::Refused;
                }
                queue.push(Entry {
                    message,
                    returns: 0,
                });
                Published::Confirmed
            };
            messages.iter().map(&mut accept).collect()
        };
        self.hand_out(name);
        answers
    }

    /// Gives waiting messages of `name` to its receivers.
    fn hand_out(self: &Arc<Self>, name: &Queue) {
        let not_taken = {
            let mut state = self.lock();
            let Some(queue) = state.queues.get_mut(name) else {
                return;
            };
            queue.hand_out(|consumer, entry| self.wrap(name, consumer, entry))
        };
        // Dropped here, without the lock: each goes back to its queue through `settle`. The
        // receiver that did not take it is forgotten, so this ends.
        drop(not_taken);
    }

    fn wrap(self: &Arc<Self>, name: &Queue, consumer: u64, entry: Entry) -> Received {
        let (shared, name) = (Arc::clone(self), name.clone());
        Received::new(entry.message, move |acknowledged| {
            shared.settle(&name, consumer, entry, acknowledged);
        })
    }

    fn settle(self: &Arc<Self>, name: &Queue, consumer: u64, entry: Entry, acknowledged: bool) {
        let next = (!acknowledged).then(|| self.next_queue(name, entry));
        {
            let mut state = self.lock();
            if let Some(queue) = state.queues.get_mut(name) {
                queue.settle(consumer);
            }
            if let Some(next) = &next {
                let returns = if next == name { entry.returns + 1 } else { 0 };
                let entry = Entry { returns, ..entry };
                state.queues.entry(next.clone()).or_default().push(entry);
            }
        }
        self.hand_out(name);
        if let Some(dead) = next.filter(|next| next != name) {
            self.hand_out(&dead);
        }
    }

    /// Where a message that was dropped goes: back, or to the dead letters as long as they have room.
    fn next_queue(&self, name: &Queue, entry: Entry) -> Queue {
        let dead_messages = self
            .lock()
            .queues
            .get(&Queue::Dead)
            .map_or(0, MessageQueue::messages);
        let room = dead_messages < self.config.queue_messages_max;
        if *name != Queue::Dead && entry.returns >= self.config.returns_max && room {
            Queue::Dead
        } else {
            name.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use lienthong_domain::{DeliveryId, Fence};
    use lienthong_ports::conformance::broker as suite;

    use super::*;

    fn broker(queue_messages_max: usize) -> Arc<dyn Broker> {
        Arc::new(EmbeddedBroker::new(Config {
            queue_messages_max,
            ..Config::default()
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn keeps_every_promise_of_a_broker() {
        suite::run(async |room| broker(room)).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn keeps_them_on_several_threads_too() {
        suite::run(async |room| broker(room)).await;
    }

    #[tokio::test]
    async fn refuses_exactly_what_exceeds_the_bound() {
        let broker = broker(2);
        let portal = DestinationName::parse("dvcqg").unwrap();
        let message = |id| Message {
            delivery: DeliveryId(id),
            fence: Fence(1),
            trace: None,
        };
        let answers = broker
            .publish(&portal, &[message(1), message(2), message(3)])
            .await;
        assert_eq!(
            answers,
            [
                Published::Confirmed,
                Published::Confirmed,
                Published::Refused
            ]
        );
        let mut receiver = broker
            .consume(Queue::Work(portal.clone()), 2)
            .await
            .unwrap();
        let first = receiver.recv().await.unwrap();
        // In hand counts too: the worker may still give it back.
        assert_eq!(
            broker.publish(&portal, &[message(3)]).await,
            [Published::Refused]
        );
        first.acknowledge();
        assert_eq!(
            broker.publish(&portal, &[message(3)]).await,
            [Published::Confirmed]
        );
    }

    #[tokio::test]
    async fn depths_tell_what_is_in_hand_and_what_came_again() {
        let broker = broker(10);
        let portal = DestinationName::parse("dvcqg").unwrap();
        let message = |id| Message {
            delivery: DeliveryId(id),
            fence: Fence(1),
            trace: None,
        };
        broker.publish(&portal, &[message(1), message(2)]).await;
        let queue = Queue::Work(portal.clone());
        let mut work = broker.consume(queue, 1).await.unwrap();
        drop(work.recv().await.unwrap());
        // Its turn comes after the second.
        let held = work.recv().await.unwrap();
        let depth =
            || async { broker.depths(std::slice::from_ref(&portal)).await.unwrap()[0].clone() };
        let found = depth().await;
        assert_eq!((found.messages, found.unacknowledged), (2, 1));
        held.acknowledge();
        work.recv().await.unwrap().acknowledge();
        let found = depth().await;
        assert_eq!((found.messages, found.unacknowledged), (0, 0));
        assert_eq!(found.redelivered, 1, "the first one was dropped once");
    }

    #[tokio::test]
    async fn a_message_moves_to_the_dead_letters_after_five_returns() {
        let broker = broker(10);
        let portal = DestinationName::parse("dvcqg").unwrap();
        let message = Message {
            delivery: DeliveryId(7),
            fence: Fence(2),
            trace: None,
        };
        broker.publish(&portal, &[message]).await;
        let mut work = broker.consume(Queue::Work(portal), 1).await.unwrap();
        for _ in 0..6 {
            drop(work.try_recv().expect("it comes back at once"));
        }
        assert!(work.try_recv().is_err(), "it left the work queue");
        let mut dead = broker.consume(Queue::Dead, 1).await.unwrap();
        assert_eq!(dead.try_recv().unwrap().message, message);
    }
}
