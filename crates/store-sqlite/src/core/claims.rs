//! From Ready to Calling: claims, claims given back, and the beginning of attempts.

use std::sync::Arc;

use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{
    DeliveryId, DeliveryState, DestinationName, DossierCode, DossierStatus, EventId, Fence,
    Timestamp, TraceContext,
};
use lienthong_ports::Message;
use lienthong_ports::store::{ClaimTerms, Work};
use lienthong_vault::Vault;
use rusqlite::params;

use super::{Core, DELIVERIES_PER_EVENT};
use crate::error::Failure;
use crate::queries::{details_column, status_from_code};
use crate::rows::{Cells, all, corrupt, execute, limit, micros, micros_after, one};
use crate::sealed::{Column, Sealed, StoredKey, open_maybe};

/// What an attempt needs, still sealed: the caller opens it, not the writer.
pub(crate) struct Begun {
    work: Work,
    key: StoredKey,
    details: Option<Sealed>,
    progress: Option<Sealed>,
}

impl Begun {
    pub(crate) fn into_work(self, vault: &Vault) -> Result<Work, Failure> {
        let details = open_maybe(self.details.as_ref(), &self.key, vault)?;
        Ok(Work {
            details: details.map(Arc::new).unwrap_or_default(),
            progress: open_maybe(self.progress.as_ref(), &self.key, vault)?,
            ..self.work
        })
    }
}

impl Core {
    pub(crate) fn claim(
        &mut self,
        destination: &DestinationName,
        terms: ClaimTerms,
    ) -> Result<Vec<Message>, Failure> {
        let destinations = self.destinations();
        let Some(known) = destinations.by_name(destination) else {
            return Ok(Vec::new());
        };
        let room = i64::from(terms.window) - self.tally.in_flight(known.id);
        let batch = room.min(limit(usize::try_from(terms.batch).unwrap_or(usize::MAX)));
        if batch <= 0 || self.is_paused(known.id.0)? {
            return Ok(Vec::new());
        }
        let due = all(
            &self.connection,
            "SELECT id, fence, trace FROM delivery INDEXED BY delivery_due
             WHERE state = 1 AND destination = ?1 AND next_at <= ?2 ORDER BY next_at, id LIMIT ?3",
            params![known.id.0, micros(terms.now), batch],
            |row| {
                let cells = Cells::of("delivery", row)?;
                Ok(Message {
                    delivery: DeliveryId(cells.id()),
                    fence: Fence(cells.get::<i64>(1, "fence")? + 1),
                    trace: trace_of(&cells, 2)?,
                })
            },
        )?;
        let lease_until = micros_after(terms.now, terms.lease);
        for message in &due {
            execute(
                &self.connection,
                "UPDATE delivery SET state = 2, fence = ?2, lease_until = ?3 WHERE id = ?1",
                params![message.delivery.0, message.fence.0, lease_until],
            )?;
        }
        let claimed = i64::try_from(due.len()).expect("a batch is bounded");
        self.tally
            .moved(known.id, DeliveryState::Ready, DeliveryState::Sent, claimed);
        Ok(due)
    }

    fn is_paused(&self, destination: i64) -> Result<bool, Failure> {
        let paused = one(
            &self.connection,
            "SELECT paused_at IS NOT NULL FROM destination WHERE id = ?1",
            params![destination],
            |row| Ok(row.get(0)?),
        )?;
        Ok(paused.unwrap_or(false))
    }

    pub(crate) fn unclaim(&mut self, messages: &[Message], at: Timestamp) -> Result<(), Failure> {
        for message in messages {
            if let Some(standing) = self.standing(*message, DeliveryState::Sent)? {
                self.make_ready(&standing, micros(at))?;
            }
        }
        Ok(())
    }

    pub(crate) fn begin_attempts(
        &mut self,
        messages: &[Message],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Option<Begun>>, Failure> {
        messages
            .iter()
            .map(|message| {
                let Some(standing) = self.standing(*message, DeliveryState::Sent)? else {
                    return Ok(None);
                };
                execute(
                    &self.connection,
                    "UPDATE delivery SET state = 3, begun_at = ?2, lease_until = ?3 WHERE id = ?1",
                    params![standing.id, micros(now), micros(lease_until)],
                )?;
                self.moved(&standing, DeliveryState::Calling);
                self.begun(*message).map(Some)
            })
            .collect()
    }

    fn begun(&self, message: Message) -> Result<Begun, Failure> {
        let read = one(
            &self.connection,
            "SELECT d.id, d.destination, d.dossier, d.sequence, d.step, d.attempts_counted, o.code, e.id,
                 e.event_id, p.code, e.status, e.occurred_at, e.accepted_at, e.late, e.progress,
                 d.attempts_made, o.id, o.code, o.data_key, h.id, coalesce(h.merged, h.offered),
                 h.merged IS NOT NULL, d.trace, d.last_span
             FROM delivery d JOIN event e ON e.id = d.id / 64 JOIN dossier o ON o.id = d.dossier
                 JOIN participant p ON p.id = e.participant
                 LEFT JOIN event h ON h.dossier = e.dossier AND h.sequence = e.details_sequence
             WHERE d.id = ?1",
            params![message.delivery.0],
            |row| {
                let cells = Cells::of("delivery", row)?;
                let event = cells.joined("event", cells.get(7, "id")?);
                let known = self.destinations.of_cell(&cells, 1)?;
                let (dossier, sequence) = (cells.get(2, "dossier")?, cells.get(3, "sequence")?);
                let work = Work {
                    message,
                    destination: known.name.clone(),
                    dossier: cells.parsed(6, "dossier", DossierCode::parse)?,
                    sequence,
                    event_id: EventId::from_bytes(event.get(8, "event_id")?),
                    participant: event.parsed(9, "participant", ParticipantId::parse)?,
                    status: event.decoded::<DossierStatus>(10, "status", status_from_code)?,
                    occurred_at: event.time(11, "occurred_at")?,
                    accepted_at: event.time(12, "accepted_at")?,
                    late: event.get(13, "late")?,
                    progress: None,
                    details: Arc::default(),
                    delivered_before: self.delivered_before(dossier, known.id.0, sequence)?,
                    attempt: cells.get::<u32>(15, "attempts_made")?.saturating_add(1),
                    counted: cells.get(5, "attempts_counted")?,
                    step: cells.get(4, "step")?,
                    trace: trace_of(&cells, 22)?,
                    last_span_id: cells.get(23, "last_span")?,
                };
                let column = details_column(&cells, 21)?;
                let details = match cells.get(19, "details")? {
                    Some(holder) => Sealed::read(&cells, 20, column, holder)?,
                    None => None,
                };
                Ok(Begun {
                    work,
                    key: StoredKey::read(&cells, 16)?,
                    progress: Sealed::read(&event, 14, Column::Progress, event.id())?,
                    details,
                })
            },
        )?;
        let event = message.delivery.0 / DELIVERIES_PER_EVENT;
        read.ok_or_else(|| {
            corrupt(
                "event",
                "id",
                event,
                "is missing, or its dossier or participant is",
            )
        })
    }

    fn delivered_before(
        &self,
        dossier: i64,
        destination: i64,
        sequence: i64,
    ) -> Result<bool, Failure> {
        let found = one(
            &self.connection,
            "SELECT 1 FROM event e CROSS JOIN delivery d ON d.id = e.id * 64 + ?2
             WHERE e.dossier = ?1 AND e.sequence < ?3 AND d.state = 4
             ORDER BY e.sequence DESC LIMIT 1",
            params![dossier, destination, sequence],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    pub(crate) fn advance(
        &mut self,
        message: Message,
        step: u8,
        lease_until: Timestamp,
    ) -> Result<bool, Failure> {
        let changed = execute(
            &self.connection,
            "UPDATE delivery SET step = max(step, ?3), lease_until = ?4
             WHERE id = ?1 AND fence = ?2 AND state = 3",
            params![
                message.delivery.0,
                message.fence.0,
                step,
                micros(lease_until)
            ],
        )?;
        Ok(changed == 1)
    }
}

/// The trace that a delivery was accepted in.
fn trace_of(cells: &Cells<'_>, place: usize) -> Result<Option<TraceContext>, Failure> {
    match cells.get::<Option<Vec<u8>>>(place, "trace")? {
        Some(bytes) => TraceContext::from_bytes(&bytes)
            .map(Some)
            .ok_or_else(|| corrupt("delivery", "trace", cells.id(), "is no trace context")),
        None => Ok(None),
    }
}
