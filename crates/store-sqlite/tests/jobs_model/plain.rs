//! Jobs as plainly as they can be written: lists, no indexes, no parts.

use std::collections::BTreeMap;

use lienthong_domain::identity::JobState::{
    self, Cancelled, Done, Erased, Paused, Running, Uploading,
};
use lienthong_domain::identity::Verdict;
use lienthong_ports::Message;
use lienthong_ports::identity::{ItemId, JobCommand};

use crate::KEEP_SECONDS;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemState {
    Ready,
    Sent,
    Calling,
    /// `None` for an item without an answer in the end.
    Answered(Option<Verdict>),
}

#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) state: ItemState,
    pub(crate) fence: i64,
    pub(crate) attempts: u32,
    pub(crate) next_at: i64,
    pub(crate) lease_until: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: i64,
    pub(crate) state: JobState,
    pub(crate) total: u32,
    pub(crate) received: u32,
    /// Match, no match, undecided, failed.
    pub(crate) counts: [u32; 4],
    pub(crate) finished_at: Option<i64>,
    pub(crate) erase_at: Option<i64>,
    /// Erased and withdrawn ones are not there.
    pub(crate) items: BTreeMap<u32, Item>,
}

impl Job {
    pub(crate) fn new(id: i64, total: u32, now: i64) -> Self {
        Self {
            id,
            state: Uploading,
            total,
            received: 0,
            counts: [0; 4],
            finished_at: None,
            erase_at: Some(now + KEEP_SECONDS),
            items: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, good: bool, now: i64) {
        self.received += 1;
        let state = if good {
            ItemState::Ready
        } else {
            self.counts[3] += 1;
            ItemState::Answered(None)
        };
        let item = Item {
            state,
            fence: 0,
            attempts: 0,
            next_at: now,
            lease_until: 0,
        };
        self.items.insert(self.received, item);
    }

    /// After a part of an upload: it runs, or is done, once it is complete.
    pub(crate) fn complete(&mut self, now: i64) {
        if self.state == Uploading && self.received == self.total {
            (self.state, self.erase_at) = (Running, None);
            self.finish_if_answered(now);
        }
    }

    pub(crate) fn finish_if_answered(&mut self, now: i64) {
        let answered: u32 = self.counts.iter().sum();
        if matches!(self.state, Running | Paused) && answered == self.total {
            self.end(Done, now);
        }
    }

    fn end(&mut self, state: JobState, now: i64) {
        self.state = state;
        self.finished_at = Some(now);
        self.erase_at = Some(now + KEEP_SECONDS);
    }

    /// Whether the state permits it.
    pub(crate) fn command(&mut self, command: JobCommand, now: i64) -> bool {
        match (self.state, command) {
            (Running, JobCommand::Pause(_)) => {
                (self.state, self.erase_at) = (Paused, Some(now + KEEP_SECONDS));
            }
            (Paused, JobCommand::Resume) => (self.state, self.erase_at) = (Running, None),
            (Uploading | Running | Paused, JobCommand::Cancel) => {
                self.end(Cancelled, now);
                self.items
                    .retain(|_, item| !matches!(item.state, ItemState::Ready | ItemState::Sent));
            }
            (Paused, JobCommand::Pause(_))
            | (Running, JobCommand::Resume)
            | (Cancelled, JobCommand::Cancel) => {}
            _ => return false,
        }
        true
    }

    /// An attempt ended without an answer.
    pub(crate) fn give_back(&mut self, position: u32, at: i64, counted: bool) {
        if self.state == Cancelled {
            self.items.remove(&position);
        } else if let Some(item) = self.items.get_mut(&position) {
            item.state = ItemState::Ready;
            item.next_at = at;
            item.attempts += u32::from(counted);
        }
    }

    pub(crate) fn erase(&mut self) {
        (self.state, self.erase_at) = (Erased, None);
        self.items.clear();
    }

    /// Answered items before the first open one.
    pub(crate) fn answers(&self) -> Vec<(u32, Option<Verdict>)> {
        self.items
            .iter()
            .map_while(|(position, item)| match item.state {
                ItemState::Answered(verdict) => Some((*position, verdict)),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn erase_answers(&mut self, position: u32) {
        for (answered, _) in self.answers() {
            if answered <= position {
                self.items.remove(&answered);
            }
        }
        if matches!(self.state, Done | Cancelled) && self.items.is_empty() {
            self.erase();
        }
    }

    /// Positions of due items, oldest due first.
    pub(crate) fn due(&self, now: i64) -> Vec<u32> {
        if self.state != Running {
            return Vec::new();
        }
        let mut due: Vec<_> = self
            .items
            .iter()
            .filter(|(_, item)| item.state == ItemState::Ready && item.next_at <= now)
            .map(|(position, item)| (item.next_at, *position))
            .collect();
        due.sort_unstable();
        due.into_iter().map(|(_, position)| position).collect()
    }
}

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) jobs: Vec<Job>,
    pub(crate) now: i64,
    pub(crate) usage: usize,
    /// Every message ever given out, so that stale ones are tried too.
    pub(crate) messages: Vec<Message>,
}

impl Model {
    pub(crate) fn pick(&self, pick: usize) -> Option<Message> {
        (!self.messages.is_empty()).then(|| self.messages[pick % self.messages.len()])
    }

    /// Job and position of an item in this state, if the message is not stale.
    pub(crate) fn fresh(&self, message: Message, state: ItemState) -> Option<(usize, u32)> {
        let (job, position) = place(message);
        let index = self.jobs.iter().position(|found| found.id == job)?;
        let item = self.jobs[index].items.get(&position)?;
        (item.fence == message.fence.0 && item.state == state).then_some((index, position))
    }

    pub(crate) fn in_flight(&self) -> Vec<(usize, u32)> {
        let mut found = Vec::new();
        for (index, job) in self.jobs.iter().enumerate() {
            for (position, item) in &job.items {
                if matches!(item.state, ItemState::Sent | ItemState::Calling) {
                    found.push((index, *position));
                }
            }
        }
        found
    }
}

/// Job and position that a message means.
pub(crate) fn place(message: Message) -> (i64, u32) {
    let item = ItemId::of_delivery(message.delivery).expect("an item's message");
    let position = u32::try_from(item.0 % (1 << 20)).expect("20 bits");
    (item.0 >> 20, position)
}
