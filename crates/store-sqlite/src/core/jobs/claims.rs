//! From Ready to Calling: items claimed in turns between the jobs, given back, begun.

use lienthong_domain::identity::JobState::{
    self, Cancelled, Done, Erased, Paused, Running, Uploading,
};
use lienthong_domain::identity::{Inquiry, JobId};
use lienthong_domain::{ErrorCode, Fence, Timestamp};
use lienthong_ports::Message;
use lienthong_ports::identity::{ATTEMPTS_MAX, Asker, DEFERRED, ItemId, ItemWork};
use lienthong_ports::store::ClaimTerms;
use lienthong_vault::Vault;
use rusqlite::params;

use super::Core;
use crate::error::Failure;
use crate::identity_rows::{
    CALLING, JobKey, SENT, item_of, open_claims, position_of, read_asker, read_inquiry,
};
use crate::rows::{Cells, all, execute, limit, micros, micros_after, one};

/// An item in flight, as its rules need it.
pub(super) struct InFlight {
    pub(super) id: i64,
    pub(super) job: i64,
    pub(super) job_state: JobState,
    state: i64,
    attempts: u32,
}

/// What an attempt at an item needs, still sealed: the caller opens it, not the writer.
pub(crate) struct BegunItem {
    message: Message,
    item: i64,
    attempts: u32,
    claims: Vec<u8>,
    key: JobKey,
    deferred: bool,
    asker: Asker,
    inquiry: Inquiry,
}

impl BegunItem {
    pub(crate) fn message(&self) -> Message {
        self.message
    }

    pub(crate) fn into_work(self, vault: &Vault) -> Result<ItemWork, Failure> {
        let key = self.key.unwrap(vault)?;
        Ok(ItemWork {
            message: self.message,
            item: ItemId(self.item),
            job: JobId(self.key.job),
            position: position_of(self.item),
            claims: open_claims(&key, self.item, &self.claims)?,
            asker: self.asker,
            inquiry: self.inquiry,
            deferred: self.deferred,
            attempts: self.attempts,
        })
    }
}

impl Core {
    pub(crate) fn claim_items(&mut self, terms: ClaimTerms) -> Result<Vec<Message>, Failure> {
        let now = micros(terms.now);
        let lease_until = micros_after(terms.now, terms.lease);
        let room = i64::from(terms.window) - self.items_in_flight()?;
        let room = room.min(limit(usize::try_from(terms.batch).unwrap_or(usize::MAX)));
        let room = usize::try_from(room).unwrap_or(0);
        if room == 0 {
            return Ok(Vec::new());
        }
        let jobs = self.jobs_due(now, room)?;
        let share = room / jobs.len().max(1);
        let mut claimed = Vec::new();
        // First everybody's share; what is left of the room then goes to whoever has more.
        for most in [share, room] {
            for job in &jobs {
                let due = self.items_due(*job, now, most.min(room - claimed.len()))?;
                for message in &due {
                    self.send(*message, lease_until)?;
                }
                claimed.extend(due);
            }
        }
        let turn = self.next_turn()?;
        for (job, turn) in jobs.iter().zip(turn..) {
            self.served(*job, turn)?;
        }
        Ok(claimed)
    }

    /// Sent and Calling items; the window bounds what is counted.
    fn items_in_flight(&self) -> Result<i64, Failure> {
        let count = one(
            &self.connection,
            "SELECT count(*) FROM job_item INDEXED BY job_item_leased WHERE state IN (2, 3)",
            [],
            |row| Ok(row.get(0)?),
        )?;
        Ok(count.unwrap_or(0))
    }

    /// Running jobs with a due item, those first that have waited longest since they were served.
    fn jobs_due(&self, now: i64, jobs: usize) -> Result<Vec<i64>, Failure> {
        all(
            &self.connection,
            "SELECT id FROM job INDEXED BY job_turn
             WHERE state = 2 AND due_at IS NOT NULL AND due_at <= ?1 ORDER BY turn, id LIMIT ?2",
            params![now, limit(jobs)],
            |row| Ok(row.get(0)?),
        )
    }

    fn items_due(&self, job: i64, now: i64, items: usize) -> Result<Vec<Message>, Failure> {
        if items == 0 {
            return Ok(Vec::new());
        }
        all(
            &self.connection,
            "SELECT id, fence FROM job_item INDEXED BY job_item_due
             WHERE state = 1 AND job = ?1 AND next_at <= ?2 ORDER BY next_at, id LIMIT ?3",
            params![job, now, limit(items)],
            |row| {
                let cells = Cells::of("job_item", row)?;
                Ok(Message {
                    delivery: ItemId(cells.id()).as_delivery(),
                    fence: Fence(cells.get::<i64>(1, "fence")? + 1),
                    trace: None,
                })
            },
        )
    }

    fn send(&self, message: Message, lease_until: i64) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE job_item SET state = 2, fence = ?2, lease_until = ?3 WHERE id = ?1",
            params![item_of(message), message.fence.0, lease_until],
        )?;
        Ok(())
    }

    /// Puts a job at the end of the round and looks when it is due again.
    fn served(&self, job: i64, turn: i64) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE job SET turn = ?2,
                 due_at = (SELECT min(next_at) FROM job_item INDEXED BY job_item_due
                           WHERE state = 1 AND job = ?1)
             WHERE id = ?1",
            params![job, turn],
        )?;
        Ok(())
    }

    pub(crate) fn unclaim_items(
        &mut self,
        messages: &[Message],
        at: Timestamp,
    ) -> Result<(), Failure> {
        for message in messages {
            if let Some(item) = self.in_flight(*message, SENT)? {
                self.give_back(&item, micros(at), false)?;
            }
        }
        Ok(())
    }

    /// The item of `message`, if the message is not stale and the item is in `state`.
    pub(super) fn in_flight(
        &self,
        message: Message,
        state: i64,
    ) -> Result<Option<InFlight>, Failure> {
        one(
            &self.connection,
            "SELECT i.id, i.job, j.state, i.state, i.attempts FROM job_item i JOIN job j ON j.id = i.job
             WHERE i.id = ?1 AND i.fence = ?2 AND i.state = ?3",
            params![item_of(message), message.fence.0, state],
            read_in_flight,
        )
    }

    /// Makes an item Ready at `at`, with one attempt more if it is `counted`. Of a job that asks no more
    /// it is deleted.
    pub(super) fn give_back(
        &mut self,
        item: &InFlight,
        at: i64,
        counted: bool,
    ) -> Result<(), Failure> {
        match item.job_state {
            Uploading | Running | Paused => {
                execute(
                    &self.connection,
                    "UPDATE job_item SET state = 1, next_at = ?2, lease_until = NULL,
                         attempts = attempts + ?3
                     WHERE id = ?1",
                    params![item.id, at, counted],
                )?;
                execute(
                    &self.connection,
                    "UPDATE job SET due_at = min(coalesce(due_at, ?2), ?2) WHERE id = ?1",
                    params![item.job, at],
                )?;
                self.woken = true;
            }
            Done | Cancelled | Erased => {
                let delete = "DELETE FROM job_item WHERE id = ?1";
                execute(&self.connection, delete, params![item.id])?;
            }
        }
        Ok(())
    }

    pub(crate) fn begin_items(
        &mut self,
        messages: &[Message],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Option<BegunItem>>, Failure> {
        messages
            .iter()
            .map(|message| {
                let Some(item) = self.in_flight(*message, SENT)? else {
                    return Ok(None);
                };
                if item.job_state != Running {
                    self.give_back(&item, micros(now), false)?;
                    return Ok(None);
                }
                execute(
                    &self.connection,
                    "UPDATE job_item SET state = 3, lease_until = ?2 WHERE id = ?1",
                    params![item.id, micros(lease_until)],
                )?;
                self.begun_item(*message, item.id)
            })
            .collect()
    }

    fn begun_item(&self, message: Message, item: i64) -> Result<Option<BegunItem>, Failure> {
        one(
            &self.connection,
            "SELECT i.id, i.job, i.attempts, i.claims, j.data_key, p.code, s.name, o.name, j.purpose, j.dossier,
                 substr(j.key, 1, length(?2)) = ?2
             FROM job_item i JOIN job j ON j.id = i.job JOIN participant p ON p.id = j.participant
                 JOIN system s ON s.id = j.system JOIN official o ON o.id = j.official
             WHERE i.id = ?1",
            params![item, DEFERRED],
            |row| {
                let cells = Cells::of("job_item", row)?;
                let asker = read_asker(&cells, 5)?;
                Ok(BegunItem {
                    message,
                    item: cells.id(),
                    attempts: cells.get(2, "attempts")?,
                    claims: cells.get(3, "claims")?,
                    key: JobKey::read(&cells, 4, cells.get(1, "job")?)?,
                    inquiry: read_inquiry(&cells, 8, &asker.official)?,
                    deferred: cells.get(10, "key")?,
                    asker,
                })
            },
        )
    }

    pub(crate) fn expire_items(&mut self, now: Timestamp, items: u32) -> Result<u64, Failure> {
        let run_out = all(
            &self.connection,
            "SELECT i.id, i.job, j.state, i.state, i.attempts
             FROM job_item i INDEXED BY job_item_leased CROSS JOIN job j ON j.id = i.job
             WHERE i.state IN (2, 3) AND i.lease_until <= ?1 ORDER BY i.lease_until, i.id LIMIT ?2",
            params![
                micros(now),
                limit(usize::try_from(items).unwrap_or(usize::MAX))
            ],
            read_in_flight,
        )?;
        for item in &run_out {
            let vanished = item.state == CALLING;
            // A vanished worker counts, so that an item that kills its workers comes to an end.
            let asks_on = matches!(item.job_state, Uploading | Running | Paused);
            if vanished && asks_on && item.attempts >= ATTEMPTS_MAX {
                self.give_up(item, ErrorCode::Internal, micros(now))?;
            } else {
                self.give_back(item, micros(now), vanished)?;
            }
        }
        Ok(run_out.len() as u64)
    }

    pub(crate) fn recover_items(&mut self, now: Timestamp) -> Result<u64, Failure> {
        // At most the window, so this is one bounded read.
        let sent = all(
            &self.connection,
            "SELECT i.id, i.job, j.state, i.state, i.attempts
             FROM job_item i INDEXED BY job_item_leased CROSS JOIN job j ON j.id = i.job
             WHERE i.state IN (2, 3) AND i.state = 2",
            [],
            read_in_flight,
        )?;
        for item in &sent {
            self.give_back(item, micros(now), false)?;
        }
        Ok(sent.len() as u64)
    }
}

fn read_in_flight(row: &rusqlite::Row<'_>) -> Result<InFlight, Failure> {
    let cells = Cells::of("job_item", row)?;
    let job = cells.get(1, "job")?;
    Ok(InFlight {
        id: cells.id(),
        job,
        job_state: cells
            .joined("job", job)
            .decoded(2, "state", JobState::from_code)?,
        state: cells.get(3, "state")?,
        attempts: cells.get(4, "attempts")?,
    })
}
