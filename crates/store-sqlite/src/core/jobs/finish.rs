//! The end of attempts at items: answers, counts and usage records, in one transaction.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use lienthong_domain::identity::JobState::{Erased, Paused, Running};
use lienthong_domain::identity::{JobId, UsageId, Verdict};
use lienthong_domain::{ErrorCode, Timestamp};
use lienthong_ports::Message;
use lienthong_ports::identity::misses::is_miss;
use lienthong_ports::identity::{Finished, ItemFinish, ItemNext, UsageDraft};
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
    misses_percent_max: u32,
    now: Timestamp,
}

enum EncodedNext {
    Answered {
        verdict: Verdict,
        missed: bool,
        json: Vec<u8>,
    },
    Retry {
        at: Timestamp,
        counted: bool,
    },
    Failed(ErrorCode),
}

impl From<ItemFinish> for EncodedFinish {
    fn from(finish: ItemFinish) -> Self {
        Self {
            message: finish.message,
            next: match finish.next {
                ItemNext::Answered(answer) => EncodedNext::Answered {
                    verdict: answer.verdict,
                    missed: is_miss(&answer),
                    json: json(&answer),
                },
                ItemNext::Retry { at, counted } => EncodedNext::Retry { at, counted },
                ItemNext::Failed(code) => EncodedNext::Failed(code),
            },
            usage: finish.usage,
            misses_percent_max: finish.misses_percent_max,
            now: finish.now,
        }
    }
}

/// The keys that one call has unwrapped.
type Keys = HashMap<i64, DataKey>;

impl Core {
    pub(crate) fn finish_items(
        &mut self,
        finishes: &[EncodedFinish],
    ) -> Result<Vec<Finished>, Failure> {
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
                    return Ok(Finished::Stale);
                };
                let held = self.end_item(&item, finish, usage, &mut keys)?;
                Ok(if held { Finished::Held } else { Finished::Kept })
            })
            .collect()
    }

    /// Ends an attempt; whether it was one miss too many.
    fn end_item(
        &mut self,
        item: &InFlight,
        finish: &EncodedFinish,
        usage: Option<UsageId>,
        keys: &mut Keys,
    ) -> Result<bool, Failure> {
        let now = micros(finish.now);
        let (verdict, missed, json) = match &finish.next {
            EncodedNext::Answered {
                verdict,
                missed,
                json,
            } => (*verdict, *missed, json),
            EncodedNext::Failed(code) => {
                self.note_usage(item, usage)?;
                return self.give_up(item, *code, now).map(|()| false);
            }
            EncodedNext::Retry { at, counted } => {
                self.note_usage(item, usage)?;
                return self.give_back(item, micros(*at), *counted).map(|()| false);
            }
        };
        let job = self.job_of(item)?;
        let key = match keys.entry(job.id) {
            Entry::Occupied(unwrapped) => unwrapped.into_mut(),
            Entry::Vacant(place) => place.insert(job.key.unwrap(&self.vault)?),
        };
        let answer = Sealed::Answer.seal(key, item.id, json);
        self.note_usage(item, usage)?;
        self.write_ending(item, Some(&answer), None)?;
        self.count_ending(&job, Some(verdict), now)?;
        self.note_answer(&job, missed, finish.misses_percent_max, now)
    }

    /// Gives an item up for good.
    pub(super) fn give_up(
        &mut self,
        item: &InFlight,
        code: ErrorCode,
        now: i64,
    ) -> Result<(), Failure> {
        let job = self.job_of(item)?;
        self.write_ending(item, None, Some(code))?;
        self.count_ending(&job, None, now)
    }

    fn job_of(&self, item: &InFlight) -> Result<Job, Failure> {
        let job = self.find_job(JobId(item.job))?;
        job.ok_or_else(|| corrupt("job_item", "job", item.id, "names no job"))
    }

    fn note_usage(&self, item: &InFlight, usage: Option<UsageId>) -> Result<(), Failure> {
        if let Some(usage) = usage {
            let sql = "UPDATE job_item SET usage = ?2 WHERE id = ?1";
            execute(&self.connection, sql, params![item.id, usage.0])?;
        }
        Ok(())
    }

    fn write_ending(
        &mut self,
        item: &InFlight,
        answer: Option<&[u8]>,
        failure: Option<ErrorCode>,
    ) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE job_item SET state = 4, lease_until = NULL, claims = NULL, answer = ?2, failure = ?3
             WHERE id = ?1",
            params![item.id, answer, failure.map(ErrorCode::name)],
        )?;
        // Whoever reads the answers waits for this.
        self.woken = true;
        Ok(())
    }

    /// Counts an answer, or a failure where there is no verdict; the last one finishes the job, also a paused one.
    fn count_ending(&self, job: &Job, verdict: Option<Verdict>, now: i64) -> Result<(), Failure> {
        let sql = match verdict {
            None => "UPDATE job SET items_failed = items_failed + 1 WHERE id = ?1",
            Some(Verdict::Match) => {
                "UPDATE job SET items_matched = items_matched + 1 WHERE id = ?1"
            }
            Some(Verdict::NoMatch) => {
                "UPDATE job SET items_not_matched = items_not_matched + 1 WHERE id = ?1"
            }
            Some(Verdict::Undecided) => {
                "UPDATE job SET items_undecided = items_undecided + 1 WHERE id = ?1"
            }
        };
        execute(&self.connection, sql, params![job.id])?;
        if matches!(job.state, Running | Paused) && job.items_answered + 1 == job.items_total {
            self.finish_job(job, now)?;
        }
        Ok(())
    }
}
