//! The end of attempts at items: answers, counts and usage records, in one transaction.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use lienthong_domain::identity::JobState::{Erased, Paused, Running};
use lienthong_domain::identity::{JobId, UsageId, Verdict};
use lienthong_domain::{ErrorCode, Timestamp};
use lienthong_ports::Message;
use lienthong_ports::identity::{ItemFinish, ItemNext, UsageDraft};
use lienthong_vault::DataKey;
use rusqlite::params;

use super::claims::InFlight;
use super::{Core, Job};
use crate::error::Failure;
use crate::identity_rows::{CALLING, Sealed, json};
use crate::rows::{corrupt, execute, micros};

/// The end of an attempt, its answer as it will be sealed.
pub(crate) struct EncodedFinish {
    message: Message,
    next: EncodedNext,
    usage: Option<UsageDraft>,
    now: Timestamp,
}

enum EncodedNext {
    Answered { verdict: Verdict, json: Vec<u8> },
    Retry { at: Timestamp, counted: bool },
    Failed(ErrorCode),
}

impl From<ItemFinish> for EncodedFinish {
    fn from(finish: ItemFinish) -> Self {
        Self {
            message: finish.message,
            next: match finish.next {
                ItemNext::Answered(answer) => EncodedNext::Answered {
                    verdict: answer.verdict,
                    json: json(&answer),
                },
                ItemNext::Retry { at, counted } => EncodedNext::Retry { at, counted },
                ItemNext::Failed(code) => EncodedNext::Failed(code),
            },
            usage: finish.usage,
            now: finish.now,
        }
    }
}

/// How an item was answered in the end: one column of the job counts it.
enum Ending<'a> {
    Answer { verdict: Verdict, json: &'a [u8] },
    Failure(ErrorCode),
}

/// The keys that one call has unwrapped.
type Keys = HashMap<i64, DataKey>;

impl Core {
    pub(crate) fn finish_items(
        &mut self,
        finishes: &[EncodedFinish],
    ) -> Result<Vec<bool>, Failure> {
        let mut keys = Keys::new();
        finishes
            .iter()
            .map(|finish| {
                // Somebody was looked at, whatever became of the item.
                let usage = finish.usage.as_ref();
                let usage = usage.map(|usage| self.write_usage(usage)).transpose()?;
                let item = self.in_flight(finish.message, CALLING)?;
                // The rows of an erased job only wait to be deleted, and nothing can be sealed any more.
                let Some(item) = item.filter(|item| item.job_state != Erased) else {
                    return Ok(false);
                };
                self.end_item(&item, finish, usage, &mut keys)
                    .map(|()| true)
            })
            .collect()
    }

    fn end_item(
        &mut self,
        item: &InFlight,
        finish: &EncodedFinish,
        usage: Option<UsageId>,
        keys: &mut Keys,
    ) -> Result<(), Failure> {
        let ending = match &finish.next {
            EncodedNext::Answered { verdict, json } => Ending::Answer {
                verdict: *verdict,
                json,
            },
            EncodedNext::Failed(code) => Ending::Failure(*code),
            EncodedNext::Retry { at, counted } => {
                if let Some(usage) = usage {
                    execute(
                        &self.connection,
                        "UPDATE job_item SET usage = ?2 WHERE id = ?1",
                        params![item.id, usage.0],
                    )?;
                }
                return self.give_back(item, micros(*at), *counted);
            }
        };
        let job = self.find_job(JobId(item.job))?;
        let job = job.ok_or_else(|| corrupt("job_item", "job", item.id, "names no job"))?;
        let (answer, failure) = match &ending {
            Ending::Failure(code) => (None, Some(code.name())),
            Ending::Answer { json, .. } => {
                let key = match keys.entry(job.id) {
                    Entry::Occupied(unwrapped) => unwrapped.into_mut(),
                    Entry::Vacant(place) => place.insert(job.key.unwrap(&self.vault)?),
                };
                (Some(Sealed::Answer.seal(key, item.id, json)), None)
            }
        };
        execute(
            &self.connection,
            "UPDATE job_item SET state = 4, lease_until = NULL, claims = NULL, answer = ?2, failure = ?3,
                 usage = coalesce(?4, usage)
             WHERE id = ?1",
            params![item.id, answer, failure, usage.map(|usage| usage.0)],
        )?;
        // Whoever reads the answers waits for this.
        self.woken = true;
        self.count_ending(job, &ending, micros(finish.now))
    }

    /// Counts an answer; the last one finishes the job, also a paused one.
    fn count_ending(&mut self, mut job: Job, ending: &Ending<'_>, now: i64) -> Result<(), Failure> {
        let sql = match ending {
            Ending::Failure(_) => "UPDATE job SET items_failed = items_failed + 1 WHERE id = ?1",
            Ending::Answer { verdict, .. } => match verdict {
                Verdict::Match => "UPDATE job SET items_matched = items_matched + 1 WHERE id = ?1",
                Verdict::NoMatch => {
                    "UPDATE job SET items_not_matched = items_not_matched + 1 WHERE id = ?1"
                }
                Verdict::Undecided => {
                    "UPDATE job SET items_undecided = items_undecided + 1 WHERE id = ?1"
                }
            },
        };
        execute(&self.connection, sql, params![job.id])?;
        job.items_answered += 1;
        if matches!(job.state, Running | Paused) && job.items_answered == job.items_total {
            self.finish_job(&job, now)?;
        }
        Ok(())
    }
}
