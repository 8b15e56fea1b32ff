//! Random commands against jobs, and against a model without SQL: both must tell the same.

mod plain;

use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_domain::ErrorCode;
use lienthong_domain::identity::{JobId, JobState, UsageId, Verdict};
use lienthong_ports::conformance::identity::{claims, draft, usage_draft, verification};
use lienthong_ports::conformance::store::at;
use lienthong_ports::identity::{
    ATTEMPTS_MAX, Finished, ItemDraft, ItemFinish, ItemNext, JobCommand, JobDraft, JobRefusal,
};
use lienthong_ports::store::ClaimTerms;
use lienthong_ports::{IdentityStore, Message};
use lienthong_store_sqlite::{Config, MEMORY, SqliteStore};
use lienthong_vault::Vault;
use proptest::prelude::*;

use crate::plain::{ItemState, Job, Model, place};

/// How long jobs may stand still.
const KEEP_SECONDS: i64 = 200;
const LEASE_SECONDS: i64 = 60;
const WINDOW: u32 = 6;
/// Jobs of one run, by key.
const KEYS: u32 = 4;

#[derive(Clone, Debug)]
enum Step {
    Open {
        key: u32,
        total: u32,
    },
    Add {
        job: usize,
        first: u32,
        good: Vec<bool>,
    },
    Command {
        job: usize,
        command: u8,
    },
    Claim {
        batch: u32,
    },
    Begin {
        pick: usize,
    },
    Finish {
        pick: usize,
        next: u8,
    },
    Unclaim {
        pick: usize,
    },
    Expire,
    Recover,
    EraseAnswers {
        job: usize,
        position: u32,
    },
    EraseJobs,
    Wait {
        seconds: i64,
    },
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..KEYS, 1..6_u32).prop_map(|(key, total)| Step::Open { key, total }),
        5 => (0..4_usize, 0..5_u32, prop::collection::vec(prop::bool::weighted(0.8), 0..6))
            .prop_map(|(job, first, good)| Step::Add { job, first, good }),
        2 => (0..4_usize, 0..6_u8).prop_map(|(job, command)| Step::Command { job, command }),
        6 => (1..5_u32).prop_map(|batch| Step::Claim { batch }),
        8 => (0..64_usize).prop_map(|pick| Step::Begin { pick }),
        8 => (0..64_usize, 0..7_u8).prop_map(|(pick, next)| Step::Finish { pick, next }),
        1 => (0..64_usize).prop_map(|pick| Step::Unclaim { pick }),
        1 => Just(Step::Expire),
        1 => Just(Step::Recover),
        2 => (0..4_usize, 0..7_u32).prop_map(|(job, position)| Step::EraseAnswers { job, position }),
        1 => Just(Step::EraseJobs),
        2 => (0..90_i64).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Reopen),
    ]
}

struct Pair {
    store: SqliteStore,
    model: Model,
}

fn config() -> Config {
    Config::new(MEMORY, Vec::new(), Vault::for_tests(1).into())
}

impl Pair {
    fn new() -> Self {
        Self {
            store: SqliteStore::open_inline(&config()).expect("the store opens"),
            model: Model::default(),
        }
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Open { key, total } => self.open(*key, *total).await,
            Step::Add { job, first, good } => self.add(*job, *first, good).await,
            Step::Command { job, command } => self.command(*job, *command).await,
            Step::Claim { batch } => self.claim(*batch).await,
            Step::Begin { pick } => self.begin(*pick).await,
            Step::Finish { pick, next } => self.finish(*pick, *next).await,
            Step::Unclaim { pick } => self.unclaim(*pick).await,
            Step::Expire => self.expire().await,
            Step::Recover => self.recover().await,
            Step::EraseAnswers { job, position } => self.erase_answers(*job, *position).await,
            Step::EraseJobs => self.erase_jobs().await,
            Step::Wait { seconds } => self.model.now += seconds,
            Step::Reopen => {
                let reopened = self.store.reopen_inline(&config());
                self.store = reopened.expect("the store opens again");
            }
        }
    }

    async fn open(&mut self, key: u32, total: u32) {
        let now = self.model.now;
        let draft = JobDraft {
            now: at(now),
            keep: Duration::from_secs(KEEP_SECONDS.unsigned_abs()),
            ..draft(&format!("k{key}"), total)
        };
        let opened = self.store.open_job(draft.clone()).await.expect("open");
        let known = self.store.job_by_key(&draft.asker, &draft.key).await;
        let id = known.expect("job").expect("it was just opened").id;
        match self.model.jobs.iter().find(|job| job.id == id.0) {
            Some(job) if job.total == total => assert_eq!(opened.expect("the same").id, id),
            Some(_) => assert_eq!(opened, Err(JobRefusal::KeyReused)),
            None => {
                assert_eq!(opened.expect("a new job").id, id);
                self.model.jobs.push(Job::new(id.0, total, now));
            }
        }
    }

    async fn add(&mut self, job: usize, first: u32, good: &[bool]) {
        let now = self.model.now;
        let Some(job) = self.model.jobs.get_mut(job) else {
            return;
        };
        let items = good.iter().map(|good| ItemDraft {
            claims: good.then(|| claims(first)).ok_or(ErrorCode::JobItemFaulty),
        });
        let items = items.collect();
        let added = self
            .store
            .add_items(JobId(job.id), first, items, at(now))
            .await;
        let next_position = job.received + 1;
        let fresh = good
            .get((next_position.saturating_sub(first)) as usize..)
            .unwrap_or_default();
        let expected = if matches!(job.state, JobState::Cancelled | JobState::Erased) {
            Err(JobRefusal::State(job.state))
        } else if first == 0 || first > next_position {
            Err(JobRefusal::Gap { next_position })
        } else if fresh.len() > (job.total - job.received) as usize {
            Err(JobRefusal::TooMany)
        } else {
            for good in fresh {
                job.add(*good, now);
            }
            job.complete(now);
            Ok(job.state)
        };
        assert_eq!(added.expect("add").map(|row| row.state), expected);
    }

    async fn command(&mut self, job: usize, command: u8) {
        let now = self.model.now;
        let Some(job) = self.model.jobs.get_mut(job) else {
            return;
        };
        let command = match command {
            0 | 1 => JobCommand::Pause(None),
            2..=4 => JobCommand::Resume,
            _ => JobCommand::Cancel,
        };
        let before = job.state;
        let expected = if job.command(command, now) {
            Ok(job.state)
        } else {
            Err(JobRefusal::State(before))
        };
        let answer = self
            .store
            .command_job(JobId(job.id), command, None, at(now));
        let answer = answer.await.expect("command");
        assert_eq!(answer.map(|row| row.state), expected);
    }

    /// Which jobs get how much is the store's choice, as far as it is fair.
    async fn claim(&mut self, batch: u32) {
        let now = self.model.now;
        let terms = ClaimTerms {
            now: at(now),
            lease: Duration::from_secs(LEASE_SECONDS.unsigned_abs()),
            window: WINDOW,
            batch,
        };
        let claimed = self.store.claim_items(terms).await.expect("claim");
        let room = (WINDOW as usize)
            .saturating_sub(self.model.in_flight().len())
            .min(batch as usize);
        let due: Vec<_> = self.model.jobs.iter().map(|job| job.due(now)).collect();
        let total: usize = due.iter().map(Vec::len).sum();
        assert_eq!(claimed.len(), room.min(total));
        let with_due = due.iter().filter(|due| !due.is_empty()).count();
        let share = room / with_due.max(1);
        let mut by_job: BTreeMap<i64, Vec<Message>> = BTreeMap::new();
        for message in &claimed {
            by_job.entry(place(*message).0).or_default().push(*message);
        }
        for (job, due) in self.model.jobs.iter_mut().zip(due) {
            let got = by_job.remove(&job.id).unwrap_or_default();
            assert!(got.len() >= share.min(due.len()), "everybody has a share");
            for (message, position) in got.iter().zip(due) {
                let item = job.items.get_mut(&position).expect("a due item");
                item.state = ItemState::Sent;
                item.fence += 1;
                item.lease_until = now + LEASE_SECONDS;
                assert_eq!((place(*message).1, message.fence.0), (position, item.fence));
            }
        }
        assert!(by_job.is_empty(), "nothing else was claimed");
        self.model.messages.extend(claimed);
    }

    async fn begin(&mut self, pick: usize) {
        let Some(message) = self.model.pick(pick) else {
            return;
        };
        let now = self.model.now;
        let begun = self
            .store
            .begin_items(&[message], at(now), at(now + LEASE_SECONDS))
            .await
            .expect("begin")
            .remove(0);
        let Some((job, position)) = self.model.fresh(message, ItemState::Sent) else {
            return assert!(begun.is_none());
        };
        let job = &mut self.model.jobs[job];
        if job.state != JobState::Running {
            assert!(begun.is_none());
            return job.give_back(position, now, false);
        }
        let work = begun.expect("a fresh message of a running job");
        let item = job.items.get_mut(&position).expect("it is fresh");
        assert_eq!((work.job.0, work.position), (job.id, position));
        assert_eq!(work.attempts, item.attempts);
        item.state = ItemState::Calling;
        item.lease_until = now + LEASE_SECONDS;
    }

    async fn finish(&mut self, pick: usize, next: u8) {
        let Some(message) = self.model.pick(pick) else {
            return;
        };
        let now = self.model.now;
        let (retry_at, counted) = (now + 10, next == 0);
        let (next, ending) = match next {
            0 | 1 => {
                let at = at(retry_at);
                (ItemNext::Retry { at, counted }, None)
            }
            2 | 3 => (answered(Verdict::Match), Some((0, Some(Verdict::Match)))),
            4 => (
                answered(Verdict::NoMatch),
                Some((1, Some(Verdict::NoMatch))),
            ),
            5 => (
                answered(Verdict::Undecided),
                Some((2, Some(Verdict::Undecided))),
            ),
            _ => (ItemNext::Failed(ErrorCode::PopulationBusy), Some((3, None))),
        };
        let finish = ItemFinish {
            message,
            next,
            usage: Some(usage_draft(1, now)),
            misses_percent_max: 100,
            now: at(now),
        };
        let finished = self.store.finish_items(vec![finish]).await.expect("finish");
        self.model.usage += 1;
        let fresh = self.model.fresh(message, ItemState::Calling);
        let kept = [Finished::Stale, Finished::Kept][usize::from(fresh.is_some())];
        assert_eq!(finished, [kept]);
        let Some((job, position)) = fresh else { return };
        let job = &mut self.model.jobs[job];
        match ending {
            None => job.give_back(position, retry_at, counted),
            Some((count, verdict)) => {
                let item = job.items.get_mut(&position).expect("it is fresh");
                item.state = ItemState::Answered(verdict);
                job.counts[count] += 1;
                job.finish_if_answered(now);
            }
        }
    }

    async fn unclaim(&mut self, pick: usize) {
        let Some(message) = self.model.pick(pick) else {
            return;
        };
        let due = self.model.now + 5;
        let unclaimed = self.store.unclaim_items(&[message], at(due)).await;
        unclaimed.expect("unclaim");
        if let Some((job, position)) = self.model.fresh(message, ItemState::Sent) {
            self.model.jobs[job].give_back(position, due, false);
        }
    }

    async fn expire(&mut self) {
        let now = self.model.now;
        let expired = self.store.expire_items(at(now), 100).await.expect("expire");
        let mut count = 0;
        for (job, position) in self.model.in_flight() {
            let job = &mut self.model.jobs[job];
            let item = &job.items[&position];
            if item.lease_until <= now {
                let calling = item.state == ItemState::Calling;
                let asks_on = matches!(job.state, JobState::Running | JobState::Paused);
                if calling && asks_on && item.attempts >= ATTEMPTS_MAX {
                    let item = job.items.get_mut(&position).expect("it is in flight");
                    item.state = ItemState::Answered(None);
                    job.counts[3] += 1;
                    job.finish_if_answered(now);
                } else {
                    job.give_back(position, now, calling);
                }
                count += 1;
            }
        }
        assert_eq!(expired, count);
    }

    async fn recover(&mut self) {
        let now = self.model.now;
        let freed = self.store.recover_items(at(now)).await.expect("recover");
        let mut count = 0;
        for (job, position) in self.model.in_flight() {
            let job = &mut self.model.jobs[job];
            if job.items[&position].state == ItemState::Sent {
                job.give_back(position, now, false);
                count += 1;
            }
        }
        assert_eq!(freed, count);
    }

    async fn erase_answers(&mut self, job: usize, position: u32) {
        let Some(job) = self.model.jobs.get_mut(job) else {
            return;
        };
        let erased = self.store.erase_answers(JobId(job.id), position).await;
        erased.expect("erase");
        job.erase_answers(position);
    }

    async fn erase_jobs(&mut self) {
        let now = self.model.now;
        let erased = self.store.erase_jobs(at(now), 100).await.expect("erase");
        let mut count = 0;
        for job in &mut self.model.jobs {
            if job.erase_at.is_some_and(|erase_at| erase_at <= now) {
                job.erase();
                count += 1;
            }
        }
        assert_eq!(erased, count);
    }

    /// Every job, every answer, what is due, and how many looks there were.
    async fn compare(&self) {
        for job in &self.model.jobs {
            let id = JobId(job.id);
            let row = self.store.job(id).await.expect("job").expect("it is there");
            let counts = [
                row.items_matched,
                row.items_not_matched,
                row.items_undecided,
                row.items_failed,
            ];
            assert_eq!((row.state, row.items_received), (job.state, job.received));
            assert_eq!(counts, job.counts);
            assert_eq!(row.finished_at, job.finished_at.map(at));
            assert_eq!(row.erase_at, job.erase_at.map(at));
            let answers = self.store.answers(id, 0, 100).await.expect("answers");
            let answers: Vec<_> = answers
                .iter()
                .map(|answer| {
                    let verdict = answer.result.as_ref().ok().map(|found| found.verdict);
                    (answer.position, verdict)
                })
                .collect();
            assert_eq!(answers, job.answers());
        }
        let due = self.model.jobs.iter().flat_map(|job| {
            job.due(i64::MAX)
                .into_iter()
                .map(|position| job.items[&position].next_at)
        });
        let due = due.min().map(at);
        assert_eq!(self.store.next_item_due().await.expect("due"), due);
        let usage = self.store.usage_since(at(0), UsageId(0), 1_000).await;
        assert_eq!(usage.expect("usage").len(), self.model.usage);
    }
}

fn answered(verdict: Verdict) -> ItemNext {
    ItemNext::Answered(verification(verdict))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn jobs_agree_with_the_model(steps in prop::collection::vec(step(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut pair = Pair::new();
            for step in &steps {
                pair.take(step).await;
                pair.compare().await;
            }
        });
    }
}
