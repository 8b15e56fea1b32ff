//! A store of jobs in memory, written from the promises of the seam alone. It fails now and then, and wakes nobody.

mod state;

use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use lienthong_domain::identity::{JobId, JobState, Pseudonym, UsageId};
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{ErrorCode, Fence, Random, Timestamp};
use lienthong_ports::identity::{
    Asker, DEFERRED, Finished, GuardAction, ItemAnswer, ItemDraft, ItemFinish, ItemWork,
    JobCommand, JobDraft, JobRefusal, JobRow, SubjectLink, UsageDraft, UsageFilter, UsageRow,
};
use lienthong_ports::store::{Actor, ClaimTerms};
use lienthong_ports::{IdentityStore, Message, StoreError};

use state::{Item, ItemState, Job, State, end_if_done, item_id, place};

/// Keeps everything in memory; it survives the gateway, as a disk does.
pub(crate) struct MemoryStore {
    state: Mutex<State>,
    random: Random,
    /// Writes that fail, per mille.
    faults_permille: u64,
}

impl MemoryStore {
    /// An empty store of which so many writes per mille fail, half of them after they took effect.
    pub(crate) fn new(random: Random, faults_permille: u64) -> Self {
        Self {
            state: Mutex::default(),
            random,
            faults_permille,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics with it in hand")
    }

    fn write<T>(&self, act: impl FnOnce(&mut State) -> T) -> Result<T, StoreError> {
        let fails = self.random.below(1_000) < self.faults_permille;
        let takes_effect = !fails || self.random.below(2) == 0;
        if !takes_effect {
            return Err(StoreError::Busy);
        }
        let result = act(&mut self.lock());
        if fails {
            return Err(StoreError::Unavailable("the line broke".into()));
        }
        Ok(result)
    }
}

#[async_trait]
impl IdentityStore for MemoryStore {
    async fn record_usage(&self, drafts: Vec<UsageDraft>) -> Result<Vec<UsageId>, StoreError> {
        self.write(|state| {
            drafts
                .into_iter()
                .map(|draft| state.record(draft))
                .collect()
        })
    }

    async fn other_numbers(&self, _subject: Pseudonym) -> Result<Vec<Pseudonym>, StoreError> {
        Ok(Vec::new())
    }

    async fn subject_links(&self) -> Result<Vec<SubjectLink>, StoreError> {
        Ok(Vec::new())
    }

    async fn usage(
        &self,
        _filter: UsageFilter,
        _before: Option<UsageId>,
        _limit: usize,
    ) -> Result<Vec<UsageRow>, StoreError> {
        Ok(self.lock().usage.iter().rev().cloned().collect())
    }

    async fn usage_since(
        &self,
        since: Timestamp,
        after: UsageId,
        limit: usize,
    ) -> Result<Vec<UsageRow>, StoreError> {
        let state = self.lock();
        let rows = state.usage.iter();
        let rows = rows.filter(|row| row.id > after && row.record.at >= since);
        Ok(rows.take(limit).cloned().collect())
    }

    async fn record_guard_actions(&self, _actions: Vec<GuardAction>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn guard_actions(&self, _since: Timestamp) -> Result<Vec<GuardAction>, StoreError> {
        Ok(Vec::new())
    }

    async fn open_job(&self, draft: JobDraft) -> Result<Result<JobRow, JobRefusal>, StoreError> {
        self.write(|state| {
            let same = |job: &&Job| {
                let asker = &job.row.asker;
                job.row.key == draft.key
                    && asker.participant == draft.asker.participant
                    && asker.system == draft.asker.system
            };
            if let Some(job) = state.jobs.values().find(same) {
                let same =
                    job.row.inquiry == draft.inquiry && job.row.items_total == draft.items_total;
                return same.then(|| job.row.clone()).ok_or(JobRefusal::KeyReused);
            }
            state.has_room(&draft)?;
            let id = JobId(i64::try_from(state.jobs.len()).expect("a few jobs") + 1);
            let row = JobRow {
                id,
                key: draft.key,
                asker: draft.asker,
                inquiry: draft.inquiry,
                state: JobState::Uploading,
                state_reason: None,
                items_total: draft.items_total,
                items_received: 0,
                items_matched: 0,
                items_not_matched: 0,
                items_undecided: 0,
                items_failed: 0,
                created_at: draft.now,
                finished_at: None,
                erase_at: Some(draft.now + draft.keep),
            };
            let job = Job {
                row: row.clone(),
                keep: draft.keep,
                items: Vec::new(),
            };
            state.jobs.insert(id, job);
            Ok(row)
        })
    }

    async fn add_items(
        &self,
        job: JobId,
        first_position: u32,
        items: Vec<ItemDraft>,
        now: Timestamp,
    ) -> Result<Result<JobRow, JobRefusal>, StoreError> {
        self.write(|state| {
            let held = |job: &Job| state.is_held(&job.row.asker);
            let held = state.jobs.get(&job).is_some_and(held);
            let Some(job) = state.jobs.get_mut(&job) else {
                return Err(JobRefusal::NotFound);
            };
            let next_position = job.row.items_received + 1;
            if first_position > next_position {
                return Err(JobRefusal::Gap { next_position });
            }
            let skip = (next_position - first_position) as usize;
            for draft in items.into_iter().skip(skip) {
                if job.row.state != JobState::Uploading {
                    return Err(JobRefusal::State(job.row.state));
                }
                if job.row.items_received == job.row.items_total {
                    return Err(JobRefusal::TooMany);
                }
                job.row.items_received += 1;
                let (claims, failure) = match draft.claims {
                    Ok(claims) => (Some(claims), None),
                    Err(code) => (None, Some(code)),
                };
                job.row.items_failed += u32::from(failure.is_some());
                job.items.push(Item {
                    claims,
                    state: if failure.is_some() {
                        ItemState::Done
                    } else {
                        ItemState::Ready(now)
                    },
                    fence: 0,
                    attempts: 0,
                    answer: failure.map(|code| (Err(code), None)),
                });
            }
            if job.row.state == JobState::Uploading && job.row.items_received == job.row.items_total
            {
                (job.row.state, job.row.state_reason) = if held {
                    (JobState::Paused, Some(ErrorCode::JobMissesTooMany))
                } else {
                    (JobState::Running, None)
                };
            }
            end_if_done(&mut job.row, job.keep, now);
            Ok(job.row.clone())
        })
    }

    async fn job(&self, job: JobId) -> Result<Option<JobRow>, StoreError> {
        Ok(self.lock().jobs.get(&job).map(|job| job.row.clone()))
    }

    async fn job_by_key(&self, asker: &Asker, key: &str) -> Result<Option<JobRow>, StoreError> {
        let state = self.lock();
        let mut rows = state.jobs.values().map(|job| &job.row);
        let found = rows.find(|row| {
            row.key == key
                && row.asker.participant == asker.participant
                && row.asker.system == asker.system
        });
        Ok(found.cloned())
    }

    async fn jobs(
        &self,
        participant: Option<ParticipantId>,
        before: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobRow>, StoreError> {
        let state = self.lock();
        let rows = state.jobs.values().rev().map(|job| &job.row);
        let rows = rows
            .filter(|row| before.is_none_or(|before| row.id < before))
            .filter(|row| {
                participant
                    .as_ref()
                    .is_none_or(|of| row.asker.participant == *of)
            });
        Ok(rows.take(limit).cloned().collect())
    }

    async fn command_job(
        &self,
        job: JobId,
        command: JobCommand,
        actor: Option<Actor>,
        now: Timestamp,
    ) -> Result<Result<JobRow, JobRefusal>, StoreError> {
        use JobState::{Cancelled, Paused, Running, Uploading};
        self.write(|state| {
            let asker = state.jobs.get(&job).ok_or(JobRefusal::NotFound)?;
            let asker = asker.row.asker.clone();
            if command == JobCommand::Resume && state.is_held(&asker) {
                if actor.is_none() {
                    return Err(JobRefusal::Held);
                }
                state.slates.remove(&(asker.participant, asker.system));
            }
            let job = state.jobs.get_mut(&job).ok_or(JobRefusal::NotFound)?;
            match (command, job.row.state) {
                (JobCommand::Pause(reason), Running) => {
                    (job.row.state, job.row.state_reason) = (Paused, reason);
                }
                (JobCommand::Resume, Paused) => {
                    (job.row.state, job.row.state_reason) = (Running, None);
                }
                (JobCommand::Cancel, Uploading | Running | Paused) => {
                    (job.row.state, job.row.state_reason) = (Cancelled, None);
                    (job.row.finished_at, job.row.erase_at) = (Some(now), Some(now + job.keep));
                }
                // Doing it twice is harmless, and the first reason stands.
                (JobCommand::Pause(_), Paused)
                | (JobCommand::Resume, Running)
                | (JobCommand::Cancel, Cancelled) => {}
                (_, state) => return Err(JobRefusal::State(state)),
            }
            Ok(job.row.clone())
        })
    }

    async fn clear_misses(
        &self,
        participant: &ParticipantId,
        system: &str,
        _actor: Actor,
    ) -> Result<bool, StoreError> {
        self.write(|state| {
            let slate = state.slates.remove(&(participant.clone(), system.into()));
            slate.is_some_and(|slate| slate.held)
        })
    }

    async fn answers(
        &self,
        job: JobId,
        after_position: u32,
        limit: usize,
    ) -> Result<Vec<ItemAnswer>, StoreError> {
        let state = self.lock();
        let items = state.jobs.get(&job).map_or(&[][..], |job| &job.items);
        let answers = items.iter().zip(1_u32..).skip(after_position as usize);
        let answers = answers.map_while(|(item, position)| {
            let (result, usage) = item.answer.clone()?;
            Some(ItemAnswer {
                position,
                result,
                usage,
            })
        });
        Ok(answers.take(limit).collect())
    }

    async fn erase_answers(&self, job: JobId, position: u32) -> Result<(), StoreError> {
        self.write(|state| {
            let items = state
                .jobs
                .get_mut(&job)
                .map_or(&mut [][..], |job| &mut job.items);
            for item in items.iter_mut().take(position as usize) {
                item.claims = None;
            }
        })
    }

    async fn claim_items(&self, terms: ClaimTerms) -> Result<Vec<Message>, StoreError> {
        self.write(|state| {
            let room = terms
                .window
                .saturating_sub(state.in_flight())
                .min(terms.batch);
            let turn = state.turn;
            let mut queues = state
                .jobs
                .values_mut()
                .filter(|job| job.row.state == JobState::Running)
                .map(|job| {
                    let id = job.row.id;
                    let items = job.items.iter_mut().zip(1_u32..);
                    let due = items.filter(
                        |(item, _)| matches!(item.state, ItemState::Ready(at) if at <= terms.now),
                    );
                    (id, due)
                })
                .collect::<Vec<_>>();
            let first = queues.iter().position(|(id, _)| id.0 > turn).unwrap_or(0);
            queues.rotate_left(first);
            let mut claimed = Vec::new();
            let mut last = turn;
            while claimed.len() < room as usize {
                let before = claimed.len();
                for (id, due) in &mut queues {
                    if claimed.len() == room as usize {
                        break;
                    }
                    let Some((item, position)) = due.next() else {
                        continue;
                    };
                    item.fence += 1;
                    item.state = ItemState::Sent(terms.now + terms.lease);
                    last = id.0;
                    claimed.push(Message {
                        delivery: item_id(*id, position).as_delivery(),
                        fence: Fence(item.fence),
                        trace: None,
                    });
                }
                if claimed.len() == before {
                    break;
                }
            }
            drop(queues);
            state.turn = last;
            claimed
        })
    }

    async fn unclaim_items(&self, messages: &[Message], at: Timestamp) -> Result<(), StoreError> {
        self.write(|state| {
            for message in messages {
                if let Some((_, item)) = state.item(message)
                    && matches!(item.state, ItemState::Sent(_))
                {
                    item.state = ItemState::Ready(at);
                }
            }
        })
    }

    async fn begin_items(
        &self,
        messages: &[Message],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Option<ItemWork>>, StoreError> {
        self.write(|state| {
            let begin = |message: &Message| {
                let (id, position) = place(message)?;
                let (job, item) = state.item(message)?;
                if !matches!(item.state, ItemState::Sent(_)) {
                    return None;
                }
                if job.state != JobState::Running {
                    item.state = ItemState::Ready(now);
                    return None;
                }
                item.state = ItemState::Calling(lease_until);
                Some(ItemWork {
                    message: *message,
                    item: item_id(id, position),
                    deferred: job.key.starts_with(DEFERRED),
                    job: id,
                    position,
                    asker: job.asker.clone(),
                    inquiry: job.inquiry.clone(),
                    claims: item.claims.clone()?,
                    attempts: item.attempts,
                })
            };
            messages.iter().map(begin).collect()
        })
    }

    async fn finish_items(&self, finishes: Vec<ItemFinish>) -> Result<Vec<Finished>, StoreError> {
        self.write(|state| {
            finishes
                .into_iter()
                .map(|finish| state.finish(finish))
                .collect()
        })
    }

    async fn expire_items(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write(|state| state.expire(now, limit))
    }

    async fn recover_items(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(|state| {
            let items = state.jobs.values_mut().flat_map(|job| &mut job.items);
            let mut count = 0;
            for item in items.filter(|item| matches!(item.state, ItemState::Sent(_))) {
                item.state = ItemState::Ready(now);
                count += 1;
            }
            count
        })
    }

    async fn next_item_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let state = self.lock();
        let running = state
            .jobs
            .values()
            .filter(|job| job.row.state == JobState::Running);
        let due = running
            .flat_map(|job| &job.items)
            .filter_map(|item| match item.state {
                ItemState::Ready(at) => Some(at),
                _ => None,
            });
        Ok(due.min())
    }

    async fn erase_jobs(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write(|state| {
            let over = state.jobs.values_mut().filter(|job| {
                job.row.state != JobState::Erased && job.row.erase_at.is_some_and(|at| at <= now)
            });
            let mut count = 0;
            for job in over.take(limit as usize) {
                job.row.state = JobState::Erased;
                job.items.clear();
                count += 1;
            }
            count
        })
    }
}
