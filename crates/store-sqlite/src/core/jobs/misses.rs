//! The slates of systems: misses noted with their answers, jobs held for them, and lifted.

use lienthong_domain::identity::JobState::Paused;
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{ErrorCode, Timestamp};
use lienthong_ports::identity::misses::Misses;
use lienthong_ports::store::Actor;
use rusqlite::params;

use super::{Core, Job};
use crate::error::Failure;
use crate::rows::{Cells, execute, micros, one};

/// A slate as its row holds it.
#[derive(Default)]
struct Slate {
    misses: Misses,
    held: bool,
}

impl Core {
    /// Takes note of an answer; whether the jobs of its system are held for it from now on.
    pub(super) fn note_answer(
        &mut self,
        job: &Job,
        missed: bool,
        percent_max: u32,
        now: i64,
    ) -> Result<bool, Failure> {
        let mut slate = self.slate(job.participant, job.system)?.unwrap_or_default();
        slate.misses.note(missed);
        // A hit never holds: the share can only have fallen.
        let holds = !slate.held && missed && slate.misses.too_many(percent_max);
        execute(
            &self.connection,
            "INSERT INTO job_slate (participant, system, answers, held_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (participant, system) DO UPDATE
                 SET answers = excluded.answers, held_at = coalesce(held_at, excluded.held_at)",
            params![
                job.participant,
                job.system,
                slate.misses.to_bytes(),
                holds.then_some(now)
            ],
        )?;
        if holds {
            self.hold_jobs(job, now)?;
        }
        Ok(holds)
    }

    /// Pauses what runs of a system; what is paused already keeps its time.
    fn hold_jobs(&mut self, of: &Job, now: i64) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE job INDEXED BY job_open
             SET erase_at = CASE state WHEN 3 THEN erase_at ELSE min(?3 + keep, ?4) END, state = 3, state_reason = ?5
             WHERE participant = ?1 AND system = ?2 AND state IN (1, 2, 3) AND state <> 1",
            params![
                of.participant,
                of.system,
                now,
                micros(Timestamp::MAX),
                ErrorCode::JobMissesTooMany.name()
            ],
        )?;
        self.woken = true;
        Ok(())
    }

    /// Whether the jobs of a system are held.
    pub(super) fn is_held(&self, participant: i64, system: i64) -> Result<bool, Failure> {
        Ok(self
            .slate(participant, system)?
            .is_some_and(|slate| slate.held))
    }

    fn slate(&self, participant: i64, system: i64) -> Result<Option<Slate>, Failure> {
        one(
            &self.connection,
            "SELECT participant, answers, held_at FROM job_slate WHERE participant = ?1 AND system = ?2",
            params![participant, system],
            |row| {
                let cells = Cells::of("job_slate", row)?;
                let answers = cells.get::<Vec<u8>>(1, "answers")?;
                let misses = Misses::from_bytes(&answers);
                Ok(Slate {
                    misses: misses.ok_or_else(|| cells.corrupt("answers", "has the wrong form"))?,
                    held: cells.get::<Option<i64>>(2, "held_at")?.is_some(),
                })
            },
        )
    }

    pub(crate) fn clear_misses(
        &mut self,
        participant: &ParticipantId,
        system: &str,
        actor: &Actor,
    ) -> Result<bool, Failure> {
        let subject = format!("{participant}/{system}");
        let connection = &self.connection;
        let participant = self
            .names
            .participant_made(connection, participant.as_str())?;
        let system = self.names.system_made(connection, system)?;
        let held = self.clear_slate(participant, system)?;
        if held {
            self.act(actor, "clear_misses", &subject)?;
        }
        Ok(held)
    }

    /// Cleans a slate; whether jobs were held. Their reason goes with it.
    pub(super) fn clear_slate(&mut self, participant: i64, system: i64) -> Result<bool, Failure> {
        let held = self.is_held(participant, system)?;
        execute(
            &self.connection,
            "DELETE FROM job_slate WHERE participant = ?1 AND system = ?2",
            params![participant, system],
        )?;
        execute(
            &self.connection,
            "UPDATE job INDEXED BY job_open SET state_reason = NULL
             WHERE participant = ?1 AND system = ?2 AND state IN (1, 2, 3) AND state = ?3 AND state_reason = ?4",
            params![
                participant,
                system,
                Paused.code(),
                ErrorCode::JobMissesTooMany.name()
            ],
        )?;
        Ok(held)
    }
}
