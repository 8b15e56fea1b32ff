//! The lanes of one destination, as plainly as they can be written: lists, no indexes.

use lienthong_domain::DeliveryState::{self, Calling, Parked, Queued, Ready, Sent, Superseded};
use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::{DeliveryId, Fence};
use lienthong_ports::Message;

use crate::{LEASE_SECONDS, WINDOW};

/// A delivery of the model. Its position in the list is the order of acceptance.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) dossier: u32,
    pub(crate) sequence: i64,
    pub(crate) state: DeliveryState,
    pub(crate) fence: i64,
    pub(crate) counted: u32,
    pub(crate) crashes: u32,
    pub(crate) attempts: usize,
    pub(crate) next_at: i64,
    pub(crate) lease_until: i64,
}

/// The lanes of one destination, as plainly as they can be written.
pub(crate) struct Model {
    pub(crate) policy: LanePolicy,
    pub(crate) entries: Vec<Entry>,
    pub(crate) paused: bool,
    pub(crate) now: i64,
    /// Every message ever given out, so that stale ones are tried too.
    pub(crate) messages: Vec<Message>,
}

impl Model {
    pub(crate) fn lane(&self, dossier: u32) -> Vec<usize> {
        (0..self.entries.len())
            .filter(|index| self.entries[*index].dossier == dossier)
            .collect()
    }

    /// The rule of the head comment: who may be the head.
    pub(crate) fn eligible(&self, dossier: u32) -> Option<usize> {
        self.lane(dossier).into_iter().find(|index| {
            let state = self.entries[*index].state;
            state.is_waiting() || (state == Parked && self.policy == LanePolicy::Hold)
        })
    }

    /// Restores the rule: a call is never interrupted; otherwise the eligible one alone is not Queued.
    pub(crate) fn settle(&mut self, dossier: u32, now: i64) {
        let lane = self.lane(dossier);
        if lane
            .iter()
            .any(|index| self.entries[*index].state == Calling)
        {
            return;
        }
        let eligible = self.eligible(dossier);
        for index in lane {
            let entry = &mut self.entries[index];
            if Some(index) == eligible && entry.state == Queued {
                entry.state = Ready;
                entry.next_at = entry.next_at.max(now);
            } else if Some(index) != eligible && matches!(entry.state, Ready | Sent) {
                entry.state = Queued;
            }
        }
    }

    pub(crate) fn ready(&mut self, index: usize, next_at: i64) {
        self.entries[index].state = Ready;
        self.entries[index].next_at = next_at;
        self.settle(self.entries[index].dossier, next_at);
    }

    pub(crate) fn park(&mut self, index: usize) {
        let dossier = self.entries[index].dossier;
        self.entries[index].state = Parked;
        if self.policy == LanePolicy::Latest {
            let queued: Vec<_> = self
                .lane(dossier)
                .into_iter()
                .filter(|index| self.entries[*index].state == Queued)
                .collect();
            for index in queued.iter().rev().skip(1) {
                self.entries[*index].state = Superseded;
            }
        }
        self.settle(dossier, self.now);
    }

    pub(crate) fn fresh(&self, message: Message, state: DeliveryState) -> Option<usize> {
        self.entries.iter().position(|entry| {
            entry.id == message.delivery.0 && entry.fence == message.fence.0 && entry.state == state
        })
    }

    /// Due heads, oldest due first, as far as the window has room.
    pub(crate) fn claim(&mut self, batch: u32) -> Vec<Message> {
        let in_flight = self
            .entries
            .iter()
            .filter(|entry| matches!(entry.state, Sent | Calling));
        let room = (WINDOW as usize)
            .saturating_sub(in_flight.count())
            .min(batch as usize);
        let mut due: Vec<_> = (0..self.entries.len())
            .filter(|index| {
                let entry = &self.entries[*index];
                !self.paused && entry.state == Ready && entry.next_at <= self.now
            })
            .collect();
        due.sort_by_key(|index| (self.entries[*index].next_at, self.entries[*index].id));
        due.truncate(room);
        due.into_iter()
            .map(|index| {
                let entry = &mut self.entries[index];
                entry.state = Sent;
                entry.fence += 1;
                entry.lease_until = self.now + LEASE_SECONDS;
                Message {
                    delivery: DeliveryId(entry.id),
                    fence: Fence(entry.fence),
                    trace: None,
                }
            })
            .collect()
    }

    pub(crate) fn parked(&self) -> Vec<usize> {
        (0..self.entries.len())
            .filter(|index| self.entries[*index].state == Parked)
            .collect()
    }

    pub(crate) fn pick(&self, pick: usize) -> Option<Message> {
        (!self.messages.is_empty()).then(|| self.messages[pick % self.messages.len()])
    }
}
