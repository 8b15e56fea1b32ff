//! What the store in memory holds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::identity::{Claims, JobId, JobState, UsageId, Verdict, Verification};
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{ErrorCode, Timestamp};
use lienthong_ports::Message;
use lienthong_ports::identity::misses::{Misses, is_miss};
use lienthong_ports::identity::{
    ATTEMPTS_MAX, Asker, DEFERRED, Finished, ItemFinish, ItemId, ItemNext, JobDraft, JobRefusal,
    JobRow, OPEN_DEFERRED_MAX, OPEN_JOBS_MAX, UsageDraft, UsageRow,
};

#[derive(Default)]
pub(super) struct State {
    pub(super) usage: Vec<UsageRow>,
    pub(super) jobs: BTreeMap<JobId, Job>,
    pub(super) slates: BTreeMap<(ParticipantId, Arc<str>), Slate>,
    /// The job after which the next claim begins.
    pub(super) turn: i64,
}

/// The misses of a system, and whether its jobs are held for them.
#[derive(Default)]
pub(super) struct Slate {
    pub(super) misses: Misses,
    pub(super) held: bool,
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

    pub(super) fn is_held(&self, asker: &Asker) -> bool {
        let system = (asker.participant.clone(), asker.system.clone());
        self.slates.get(&system).is_some_and(|slate| slate.held)
    }

    /// Notes an answer to a job of `asker`; one miss too many holds all of them.
    pub(super) fn note(
        &mut self,
        asker: &Asker,
        found: &Verification,
        percent_max: u32,
        now: Timestamp,
    ) -> Finished {
        let system = (asker.participant.clone(), asker.system.clone());
        let slate = self.slates.entry(system.clone()).or_default();
        slate.misses.note(is_miss(found));
        if slate.held || !is_miss(found) || !slate.misses.too_many(percent_max) {
            return Finished::Kept;
        }
        slate.held = true;
        for job in self.jobs.values_mut() {
            let of = &job.row.asker;
            let open = matches!(job.row.state, JobState::Running | JobState::Paused);
            if open && (&of.participant, &of.system) == (&system.0, &system.1) {
                job.row.erase_at = job.row.erase_at.or(Some(now + job.keep));
                job.row.state = JobState::Paused;
                job.row.state_reason = Some(ErrorCode::JobMissesTooMany);
            }
        }
        Finished::Held
    }

    pub(super) fn record(&mut self, record: UsageDraft) -> UsageId {
        let id = UsageId(i64::try_from(self.usage.len()).expect("a short run") + 1);
        self.usage.push(UsageRow { id, record });
        id
    }

    pub(super) fn finish(&mut self, finish: ItemFinish) -> Finished {
        let usage = finish.usage.map(|draft| self.record(draft));
        let keep = place(&finish.message).and_then(|(id, _)| Some(self.jobs.get(&id)?.keep));
        let Some((job, item)) = self.item(&finish.message) else {
            return Finished::Stale;
        };
        if !matches!(item.state, ItemState::Calling(_)) {
            return Finished::Stale;
        }
        let answer = match finish.next {
            ItemNext::Retry { at, counted } => {
                item.state = ItemState::Ready(at);
                item.attempts += u32::from(counted);
                return Finished::Kept;
            }
            ItemNext::Answered(verification) => Ok(verification),
            ItemNext::Failed(code) => Err(code),
        };
        assert!(item.answer.is_none(), "an item is answered once");
        *match &answer {
            Ok(found) => match found.verdict {
                Verdict::Match => &mut job.items_matched,
                Verdict::NoMatch => &mut job.items_not_matched,
                Verdict::Undecided => &mut job.items_undecided,
            },
            Err(_) => &mut job.items_failed,
        } += 1;
        (item.state, item.answer) = (ItemState::Done, Some((answer.clone(), usage)));
        end_if_done(job, keep.unwrap_or_default(), finish.now);
        let asker = job.asker.clone();
        match answer {
            Ok(found) => self.note(&asker, &found, finish.misses_percent_max, finish.now),
            Err(_) => Finished::Kept,
        }
    }

    pub(super) fn expire(&mut self, now: Timestamp, limit: u32) -> u64 {
        let mut count = 0;
        for job in self.jobs.values_mut() {
            for item in &mut job.items {
                let (until, vanished) = match item.state {
                    ItemState::Sent(until) => (until, false),
                    ItemState::Calling(until) => (until, true),
                    ItemState::Ready(_) | ItemState::Done => continue,
                };
                if until >= now || count == u64::from(limit) {
                    continue;
                }
                count += 1;
                if vanished && item.attempts >= ATTEMPTS_MAX {
                    job.row.items_failed += 1;
                    let given_up = Some((Err(ErrorCode::Internal), None));
                    (item.state, item.answer) = (ItemState::Done, given_up);
                } else {
                    item.state = ItemState::Ready(now);
                    item.attempts += u32::from(vanished);
                }
            }
            end_if_done(&mut job.row, job.keep, now);
        }
        count
    }

    /// Whether the system may open one job more.
    pub(super) fn has_room(&self, draft: &JobDraft) -> Result<(), JobRefusal> {
        if self.is_held(&draft.asker) {
            return Err(JobRefusal::Held);
        }
        let deferred = draft.key.starts_with(DEFERRED);
        let max = if deferred {
            OPEN_DEFERRED_MAX
        } else {
            OPEN_JOBS_MAX
        };
        let open = self.jobs.values().filter(|job| {
            let of = &job.row.asker;
            let asks = (&of.participant, &of.system);
            asks == (&draft.asker.participant, &draft.asker.system)
                && job.row.key.starts_with(DEFERRED) == deferred
                && !matches!(
                    job.row.state,
                    JobState::Done | JobState::Cancelled | JobState::Erased
                )
        });
        if open.count() >= max as usize {
            return Err(JobRefusal::TooManyOpen { max });
        }

        Ok(())
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
