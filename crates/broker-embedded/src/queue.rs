//! One bounded queue and its receivers: who gets which message next.
//!
//! Plain data without locks. Whatever could call back into the broker (a [`Received`] that is dropped) is
//! handed out instead of dropped, because the caller holds the broker's lock.

use std::collections::VecDeque;

use lienthong_ports::broker::{Message, Received};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// A message and how often it has come back.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) message: Message,
    pub(crate) returns: u32,
}

struct Consumer {
    id: u64,
    sender: mpsc::Sender<Received>,
    /// How many more messages it may hold; the channel has room for all of them.
    credit: u16,
}

#[derive(Default)]
pub(crate) struct MessageQueue {
    ready: VecDeque<Entry>,
    /// Messages in the hands of receivers.
    in_hand: usize,
    redelivered: u64,
    consumers: VecDeque<Consumer>,
}

impl MessageQueue {
    /// Messages waiting or in hand.
    pub(crate) fn messages(&self) -> usize {
        self.ready.len() + self.in_hand
    }

    /// Messages in the hands of receivers.
    pub(crate) fn in_hand(&self) -> usize {
        self.in_hand
    }

    /// Messages that were handed out again.
    pub(crate) fn redelivered(&self) -> u64 {
        self.redelivered
    }

    pub(crate) fn consumers(&self) -> usize {
        self.consumers
            .iter()
            .filter(|consumer| !consumer.sender.is_closed())
            .count()
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        self.ready.push_back(entry);
    }

    pub(crate) fn add_consumer(&mut self, id: u64, sender: mpsc::Sender<Received>, credit: u16) {
        self.consumers.push_back(Consumer { id, sender, credit });
    }

    /// Ends every receiver once it has taken what it was given.
    pub(crate) fn close(&mut self) {
        self.consumers.clear();
    }

    /// Takes a message back out of the hands of receiver `consumer`.
    pub(crate) fn settle(&mut self, consumer: u64) {
        self.in_hand -= 1;
        if let Some(consumer) = self.consumers.iter_mut().find(|known| known.id == consumer) {
            consumer.credit += 1;
        }
    }

    /// Hands waiting messages to receivers in turn, as far as their credit goes.
    ///
    /// Gives back what a vanished receiver did not take: to be dropped without the lock, which
    /// returns each to the queue.
    #[must_use]
    pub(crate) fn hand_out(&mut self, wrap: impl Fn(u64, Entry) -> Received) -> Vec<Received> {
        let mut not_taken = Vec::new();
        while !self.ready.is_empty() {
            let able = |consumer: &Consumer| consumer.credit > 0;
            let Some(turn) = self.consumers.iter().position(able) else {
                break;
            };
            let Some(mut consumer) = self.consumers.remove(turn) else {
                break;
            };
            let Some(entry) = self.ready.pop_front() else {
                break;
            };
            self.in_hand += 1;
            self.redelivered += u64::from(entry.returns > 0);
            match consumer.sender.try_send(wrap(consumer.id, entry)) {
                Ok(()) => {
                    consumer.credit -= 1;
                    self.consumers.push_back(consumer);
                }
                // Closed: the receiver is forgotten. Full cannot be, credit bounds it.
                Err(TrySendError::Closed(received) | TrySendError::Full(received)) => {
                    not_taken.push(received);
                }
            }
        }
        not_taken
    }
}
