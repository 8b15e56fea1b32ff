//! The embedded broker behind a bad line: it loses, refuses, repeats, forgets and disconnects by script.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use lienthong_broker_embedded::{Config, EmbeddedBroker};
use lienthong_domain::DestinationName;
use lienthong_ports::broker::{
    Broker, BrokerError, BrokerState, Message, Published, Queue, QueueDepth, Received,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::draw::Draw;
use crate::ledger::Shared;
use crate::mutants::{Mutant, Mutation};
use crate::script::Transport;

/// Messages remembered for a late repetition.
const REMEMBERED_MAX: usize = 32;

/// See the module.
pub(crate) struct FaultyBroker {
    inner: EmbeddedBroker,
    script: Vec<(u64, Transport)>,
    draw: Draw,
    ledger: Shared,
    healed: CancellationToken,
    mutant: Arc<Mutant>,
    moving: Arc<Mutex<Moving>>,
    /// Carries messages from the inner broker to the receivers, as far as they are not wiped.
    carriers: Mutex<JoinSet<()>>,
}

#[derive(Default)]
struct Moving {
    wipes: u64,
    /// How many wipes there had been when a message was published.
    published: HashMap<Message, u64>,
    /// Messages that no receiver ever gets, so that the broker gives them up.
    doomed: HashSet<Message>,
    /// Old messages that may come again.
    remembered: VecDeque<(DestinationName, Message)>,
}

impl FaultyBroker {
    pub(crate) fn new(
        script: Vec<(u64, Transport)>,
        draw: Draw,
        ledger: Shared,
        healed: CancellationToken,
        mutant: Arc<Mutant>,
    ) -> Self {
        Self {
            inner: EmbeddedBroker::new(Config {
                queue_messages_max: 40,
                ..Config::default()
            }),
            script,
            draw,
            ledger,
            healed,
            mutant,
            moving: Arc::default(),
            carriers: Mutex::default(),
        }
    }

    /// Forgets every message that no receiver has.
    pub(crate) fn wipe(&self) {
        self.ledger.tell(|| "broker wiped".to_owned());
        self.moving().wipes += 1;
    }

    fn moving(&self) -> MutexGuard<'_, Moving> {
        self.moving.lock().expect("nothing panics with it in hand")
    }

    fn line(&self) -> Transport {
        let now_ms = u64::try_from(self.ledger.elapsed().as_millis()).expect("a short run");
        if self.healed.is_cancelled() {
            return Transport::Fine;
        }
        let mut spells = self.script.iter().rev();
        spells
            .find(|(from_ms, _)| *from_ms <= now_ms)
            .map_or(Transport::Fine, |spell| spell.1)
    }

    async fn hand_in(&self, destination: &DestinationName, message: Message) -> Published {
        let wipes = self.moving().wipes;
        self.moving().published.insert(message, wipes);
        self.inner.publish(destination, &[message]).await[0]
    }

    async fn publish_flaky(&self, destination: &DestinationName, message: Message) -> Published {
        match self.draw.below(100) {
            // Confirmed by a broker that loses it at once.
            0..10 => Published::Confirmed,
            10..20 => Published::Refused,
            20..28 => Published::Unknown,
            28..36 => {
                self.hand_in(destination, message).await;
                Published::Unknown
            }
            36..46 => {
                self.hand_in(destination, message).await;
                self.hand_in(destination, message).await
            }
            46..60 => {
                self.remember(destination, message);
                self.hand_in(destination, message).await
            }
            60..64 => {
                self.moving().doomed.insert(message);
                self.hand_in(destination, message).await
            }
            _ => self.hand_in(destination, message).await,
        }
    }

    fn remember(&self, destination: &DestinationName, message: Message) {
        let mut moving = self.moving();
        moving.remembered.push_back((destination.clone(), message));
        moving.remembered.truncate(REMEMBERED_MAX);
    }

    /// Lets an old message come again, long after it was dealt with.
    async fn repeat_late(&self) {
        let old = if self.draw.chance(300) {
            self.moving().remembered.pop_front()
        } else {
            None
        };
        if let Some((destination, message)) = old {
            self.ledger.tell(|| format!("broker repeats {message:?}"));
            self.hand_in(&destination, message).await;
        }
    }
}

#[async_trait]
impl Broker for FaultyBroker {
    async fn publish(&self, destination: &DestinationName, messages: &[Message]) -> Vec<Published> {
        let line = self.line();
        let mut fates = Vec::with_capacity(messages.len());
        for message in messages {
            if self.mutant.is(Mutation::LiesAndLeasesNeverEnd) && message.delivery.0 % 3 == 0 {
                fates.push(Published::Confirmed);
                continue;
            }
            fates.push(match line {
                Transport::Fine => self.hand_in(destination, *message).await,
                Transport::Flaky => self.publish_flaky(destination, *message).await,
                Transport::Disconnected => Published::Refused,
            });
        }
        self.repeat_late().await;
        if line == Transport::Flaky && self.draw.chance(200) {
            tokio::time::sleep(Duration::from_millis(self.draw.between(1, 15_000))).await;
        }
        fates
    }

    async fn consume(
        &self,
        queue: Queue,
        prefetch: u16,
    ) -> Result<mpsc::Receiver<Received>, BrokerError> {
        let mut inbox = self.inner.consume(queue.clone(), prefetch).await?;
        let (outbox, receiver) = mpsc::channel(usize::from(prefetch.max(1)));
        let moving = Arc::clone(&self.moving);
        let (draw, healed) = (self.draw.clone(), self.healed.clone());
        let carry = async move {
            loop {
                let received = tokio::select! {
                    // In order, because the order must not be tokio's to draw.
                    biased;
                    () = outbox.closed() => return,
                    received = inbox.recv() => received,
                };
                let Some(received) = received else { return };
                let (wiped, doomed) = {
                    let moving = moving.lock().expect("nothing panics with it in hand");
                    let wipes = moving.published.get(&received.message);
                    let is_work = matches!(queue, Queue::Work(_));
                    let doomed = is_work && moving.doomed.contains(&received.message);
                    (wipes.is_some_and(|wipes| *wipes < moving.wipes), doomed)
                };
                if wiped {
                    received.acknowledge();
                } else if doomed || (!healed.is_cancelled() && draw.chance(30)) {
                    // The line to the receiver breaks; the broker gives it to the next, and up in the end.
                    drop(received);
                } else if outbox.send(received).await.is_err() {
                    return;
                }
            }
        };
        self.carriers
            .lock()
            .expect("nothing panics with it in hand")
            .spawn(carry);
        Ok(receiver)
    }

    fn state(&self) -> BrokerState {
        let connected = self.line() != Transport::Disconnected;
        BrokerState {
            connected,
            ..self.inner.state()
        }
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
