//! What the store in memory holds.

use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_domain::identity::{Claims, JobId, JobState, UsageId, Verification};
use lienthong_domain::{ErrorCode, Timestamp};
use lienthong_ports::Message;
use lienthong_ports::identity::{ItemId, JobRow, UsageDraft, UsageRow};

#[derive(Default)]
pub(super) struct State {
    pub(super) usage: Vec<UsageRow>,
    pub(super) jobs: BTreeMap<JobId, Job>,
    /// The job after which the next claim begins.
    pub(super) turn: i64,
}

pub(super) struct Job {
    pub(super) row: JobRow,
    pub(super) keep: Duration,
    pub(super) items: Vec<Item>,
}

pub(super) struct Item {
    pub(super) claims: Option<Claims>,
    pub(super) state: ItemState,
    pub(super) fence: i64,
    pub(super) attempts: u32,
    pub(super) answer: Option<(Result<Verification, ErrorCode>, Option<UsageId>)>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum ItemState {
    Ready(Timestamp),
    Sent(Timestamp),
    Calling(Timestamp),
    Done,
}

/// The number of an item: its job and its position.
pub(super) const fn item_id(job: JobId, position: u32) -> ItemId {
    ItemId(job.0 * 1_000_000 + position as i64)
}

pub(super) fn place(message: &Message) -> Option<(JobId, u32)> {
    let ItemId(id) = ItemId::of_delivery(message.delivery)?;
    Some((JobId(id / 1_000_000), u32::try_from(id % 1_000_000).ok()?))
}

impl State {
    pub(super) fn item(&mut self, message: &Message) -> Option<(&mut JobRow, &mut Item)> {
        let (job, position) = place(message)?;
        let job = self.jobs.get_mut(&job)?;
        let item = job.items.get_mut(position as usize - 1)?;
        (item.fence == message.fence.0).then_some((&mut job.row, item))
    }

    pub(super) fn record(&mut self, record: UsageDraft) -> UsageId {
        let id = UsageId(i64::try_from(self.usage.len()).expect("a short run") + 1);
        self.usage.push(UsageRow { id, record });
        id
    }

    pub(super) fn in_flight(&self) -> u32 {
        let items = self.jobs.values().flat_map(|job| &job.items);
        let in_flight =
            items.filter(|item| matches!(item.state, ItemState::Sent(_) | ItemState::Calling(_)));
        u32::try_from(in_flight.count()).expect("a small window")
    }
}

pub(super) fn end_if_done(job: &mut JobRow, keep: Duration, now: Timestamp) {
    let whole = job.items_received == job.items_total && job.items_answered() == job.items_total;
    if whole
        && matches!(
            job.state,
            JobState::Uploading | JobState::Running | JobState::Paused
        )
    {
        (job.state, job.state_reason) = (JobState::Done, None);
        (job.finished_at, job.erase_at) = (Some(now), Some(now + keep));
    }
}
