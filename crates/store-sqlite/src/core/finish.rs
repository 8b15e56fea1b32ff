//! The end of attempts: what the worker reports, and what leases and the broker say instead.

use lienthong_domain::delivery::ParkReason;
use lienthong_domain::{DeliveryState, Outcome, Timestamp};
use lienthong_ports::Message;
use lienthong_ports::store::{Expired, Finish, Next};
use rusqlite::params;

use super::{Core, DELIVERIES_PER_EVENT, Standing, standing};
use crate::error::Failure;
use crate::figures::{Delivered, Event};
use crate::queries::LEASE_EXPIRED_CODE;
use crate::rows::{
    Cells, all, corrupt, duration_micros, execute, limit, micros, micros_after, one,
};

/// An attempt as recorded.
struct Record<'a> {
    started_at: i64,
    took: i64,
    outcome: u8,
    code: &'a str,
    http_status: Option<u16>,
    message: &'a str,
    span: Option<[u8; 8]>,
}

impl Core {
    pub(crate) fn finish(&mut self, finishes: &[Finish]) -> Result<Vec<bool>, Failure> {
        finishes
            .iter()
            .map(|finish| {
                let Some(standing) = self.standing(finish.message, DeliveryState::Calling)? else {
                    return Ok(false);
                };
                self.end_attempt(&standing, finish).map(|()| true)
            })
            .collect()
    }

    fn end_attempt(&mut self, standing: &Standing, finish: &Finish) -> Result<(), Failure> {
        let ended_at = micros_after(finish.started_at, finish.took);
        let answer = &finish.answer;
        let record = Record {
            started_at: micros(finish.started_at),
            took: duration_micros(finish.took),
            outcome: answer.outcome.code(),
            code: &answer.code,
            http_status: answer.http_status,
            message: &answer.message,
            span: finish.span_id,
        };
        let counted = !matches!(finish.next, Next::RetryAt { counted: false, .. });
        self.record(standing, &record, counted)?;
        if let Outcome::Advanced { step } = answer.outcome {
            execute(
                &self.connection,
                "UPDATE delivery SET step = max(step, ?2) WHERE id = ?1",
                params![standing.id, step],
            )?;
        }
        match finish.next {
            Next::Done => self.done(standing, ended_at),
            Next::RetryAt { at, .. } => {
                if !matches!(answer.outcome, Outcome::Advanced { .. }) {
                    self.count(Event::Retried, standing, ended_at, 1);
                }
                self.make_ready(standing, micros(at))
            }
            Next::Park(reason) => self.park(standing, reason, ended_at),
        }
    }

    fn done(&mut self, standing: &Standing, now: i64) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE delivery SET state = 4, ended_at = ?2, lease_until = NULL WHERE id = ?1",
            params![standing.id, now],
        )?;
        self.moved(standing, DeliveryState::Done);
        let delivered = Delivered {
            at: now,
            delay: now - self.accepted_at(standing)?,
            dossier: standing.lane.dossier,
            sequence: standing.sequence,
        };
        self.figures
            .delivered(standing.lane.destination, standing.root, delivered);
        self.overtake(standing)?;
        self.release(standing.lane, now)?;
        self.close_if_final(standing.lane.dossier)
    }

    fn accepted_at(&self, standing: &Standing) -> Result<i64, Failure> {
        let event = standing.id / DELIVERIES_PER_EVENT;
        one(
            &self.connection,
            "SELECT id, accepted_at FROM event WHERE id = ?1",
            params![event],
            |row| Cells::of("event", row)?.get(1, "accepted_at"),
        )?
        .ok_or_else(|| corrupt("event", "id", event, "is missing"))
    }

    /// Back to Ready, or to Queued if a lower sequence came into the lane meanwhile.
    pub(super) fn make_ready(&mut self, standing: &Standing, at: i64) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE delivery SET state = 1, next_at = ?2, lease_until = NULL WHERE id = ?1",
            params![standing.id, at],
        )?;
        self.moved(standing, DeliveryState::Ready);
        self.woken = true;
        self.settle(standing.lane, at)
    }

    fn record(
        &mut self,
        standing: &Standing,
        record: &Record<'_>,
        counted: bool,
    ) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE delivery SET attempts_made = attempts_made + 1, attempts_counted = attempts_counted + ?2,
                 last_span = coalesce(?3, last_span)
             WHERE id = ?1",
            params![standing.id, counted, record.span],
        )?;
        execute(
            &self.connection,
            "INSERT INTO attempt (delivery, number, after_event, started_at, took, outcome, code, http_status,
                 message)
             VALUES (?1, (SELECT attempts_made FROM delivery WHERE id = ?1),
                 (SELECT coalesce(max(id), 0) FROM event), ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                standing.id, record.started_at, record.took, record.outcome, record.code,
                record.http_status, record.message,
            ],
        )?;
        self.woken = true;
        Ok(())
    }

    pub(crate) fn expire(
        &mut self,
        now: Timestamp,
        crashes_max: u32,
        items: u32,
    ) -> Result<Expired, Failure> {
        let run_out = all(
            &self.connection,
            standing!(
                "INDEXED BY delivery_leased
                 WHERE state IN (2, 3) AND lease_until <= ?1 ORDER BY lease_until, id LIMIT ?2"
            ),
            params![
                micros(now),
                limit(usize::try_from(items).unwrap_or(usize::MAX))
            ],
            |row| self.read_standing(row),
        )?;
        let mut expired = Expired::default();
        for standing in &run_out {
            if standing.state == DeliveryState::Sent {
                self.make_ready(standing, micros(now))?;
                expired.sent += 1;
            } else if self.crash(standing, micros(now), crashes_max)? {
                expired.parked += 1;
            } else {
                expired.calling += 1;
            }
        }
        Ok(expired)
    }

    /// One more worker has vanished on a delivery; whether that was once too often.
    fn crash(&mut self, standing: &Standing, now: i64, crashes_max: u32) -> Result<bool, Failure> {
        let record = Record {
            started_at: standing.begun_at.unwrap_or(now),
            took: 0,
            outcome: LEASE_EXPIRED_CODE,
            code: "",
            http_status: None,
            message: "",
            span: None,
        };
        self.record(standing, &record, false)?;
        let crashes = standing.crashes + 1;
        execute(
            &self.connection,
            "UPDATE delivery SET crashes = ?2 WHERE id = ?1",
            params![standing.id, crashes],
        )?;
        if crashes >= i64::from(crashes_max) {
            self.park(standing, ParkReason::CrashSuspect, now)
                .map(|()| true)
        } else {
            self.count(Event::Retried, standing, now, 1);
            self.make_ready(standing, now).map(|()| false)
        }
    }

    pub(crate) fn recover(&mut self, now: Timestamp) -> Result<u64, Failure> {
        // At most the windows of all destinations together, so this is one bounded read.
        let sent = all(
            &self.connection,
            standing!("INDEXED BY delivery_leased WHERE state IN (2, 3) AND state = 2"),
            [],
            |row| self.read_standing(row),
        )?;
        for standing in &sent {
            self.make_ready(standing, micros(now))?;
        }
        Ok(sent.len() as u64)
    }

    pub(crate) fn bury(&mut self, messages: &[Message], now: Timestamp) -> Result<u64, Failure> {
        let mut buried = 0;
        for message in messages {
            if let Some(standing) = self.standing(*message, DeliveryState::Sent)? {
                self.park(&standing, ParkReason::DeadLettered, micros(now))?;
                self.woken = true;
                buried += 1;
            }
        }
        Ok(buried)
    }
}
