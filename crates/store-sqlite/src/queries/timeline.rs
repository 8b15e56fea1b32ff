//! Events, deliveries and attempts as people read them.

use lienthong_domain::delivery::ParkReason;
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{DeliveryId, DeliveryState, DossierCode, EventId};
use lienthong_ports::store::{ATTEMPTS_SHOWN_MAX, AttemptView, DeliveryView, TimelineEntry};
use rusqlite::{Row, params};

use super::{Queries, outcome_from_code, status_from_code};
use crate::core::DELIVERIES_PER_EVENT;
use crate::error::Failure;
use crate::rows::{Cells, all, limit, one};
use crate::sealed::{Column, Sealed, StoredKey, open_maybe};

/// The columns that [`Queries::read_entry`] reads, up to the condition.
macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, e.event_id, o.code, e.sequence, e.status, e.occurred_at, e.accepted_at,
                 e.source_sequence, e.late, e.warnings, p.code, s.name,
                 CASE WHEN e.sequence > o.erased_through THEN e.progress END, o.id, o.code, o.data_key
             FROM event e JOIN dossier o ON o.id = e.dossier JOIN participant p ON p.id = e.participant
                 JOIN system s ON s.id = e.system ",
            $rest
        )
    };
}

/// The columns that [`Queries::read_delivery`] reads, up to the condition.
macro_rules! deliveries {
    ($rest:literal) => {
        concat!(
            "SELECT id, destination, sequence, state, attempts_counted, next_at, ended_at, park_reason
             FROM delivery ",
            $rest
        )
    };
}

impl Queries<'_> {
    pub(crate) fn timeline(
        &self,
        code: &DossierCode,
        after_sequence: i64,
        items: usize,
    ) -> Result<Vec<TimelineEntry>, Failure> {
        let Some(dossier) = self.dossier_id(code)? else {
            return Ok(Vec::new());
        };
        let entries = all(
            self.connection,
            entries!("WHERE e.dossier = ?1 AND e.sequence > ?2 ORDER BY e.sequence LIMIT ?3"),
            params![dossier, after_sequence, limit(items)],
            |row| self.read_entry(row),
        )?;
        entries
            .into_iter()
            .map(|(event, entry)| {
                Ok(TimelineEntry {
                    deliveries: self.deliveries_of_event(event)?,
                    ..entry
                })
            })
            .collect()
    }

    /// Events after `event`, in the order of their commits, with their numbers.
    pub(super) fn entries_after(
        &self,
        event: i64,
        items: usize,
    ) -> Result<Vec<(i64, TimelineEntry)>, Failure> {
        all(
            self.connection,
            entries!("WHERE e.id > ?1 ORDER BY e.id LIMIT ?2"),
            params![event, limit(items)],
            |row| self.read_entry(row),
        )
    }

    pub(crate) fn dossier_id(&self, code: &DossierCode) -> Result<Option<i64>, Failure> {
        one(
            self.connection,
            "SELECT id FROM dossier WHERE root = ?1 AND code = ?2",
            params![code.agency().root().as_str(), code.as_str()],
            |row| Ok(row.get(0)?),
        )
    }

    fn deliveries_of_event(&self, event: i64) -> Result<Vec<DeliveryView>, Failure> {
        let first = event * DELIVERIES_PER_EVENT;
        let views = all(
            self.connection,
            deliveries!("WHERE id BETWEEN ?1 AND ?2 ORDER BY id"),
            params![first, first + DELIVERIES_PER_EVENT - 1],
            |row| self.read_delivery(row),
        )?;
        views
            .into_iter()
            .map(|view| self.with_attempts(view))
            .collect()
    }

    pub(super) fn delivery_view(&self, id: i64) -> Result<Option<DeliveryView>, Failure> {
        one(
            self.connection,
            deliveries!("WHERE id = ?1"),
            params![id],
            |row| self.read_delivery(row),
        )?
        .map(|view| self.with_attempts(view))
        .transpose()
    }

    /// The lowest delivery of a lane that is not final.
    pub(super) fn lane_head(
        &self,
        dossier: i64,
        destination: i64,
    ) -> Result<Option<DeliveryView>, Failure> {
        one(
            self.connection,
            deliveries!(
                "INDEXED BY delivery_lane
                 WHERE dossier = ?1 AND destination = ?2 AND state IN (0, 1, 2, 3, 5)
                 ORDER BY sequence LIMIT 1"
            ),
            params![dossier, destination],
            |row| self.read_delivery(row),
        )?
        .map(|view| self.with_attempts(view))
        .transpose()
    }

    fn read_entry(&self, row: &Row<'_>) -> Result<(i64, TimelineEntry), Failure> {
        let cells = Cells::of("event", row)?;
        let key = StoredKey::read(&cells, 13)?;
        let progress = Sealed::read(&cells, 12, Column::Progress, cells.id())?;
        let entry = TimelineEntry {
            event_id: EventId::from_bytes(cells.get(1, "event_id")?),
            dossier: cells.parsed(2, "dossier", DossierCode::parse)?,
            sequence: cells.get(3, "sequence")?,
            status: cells.decoded(4, "status", status_from_code)?,
            occurred_at: cells.time(5, "occurred_at")?,
            accepted_at: cells.time(6, "accepted_at")?,
            source_sequence: cells.get(7, "source_sequence")?,
            late: cells.get(8, "late")?,
            warnings: cells.json_maybe(9, "warnings")?.unwrap_or_default(),
            participant: cells.parsed(10, "participant", ParticipantId::parse)?,
            system: cells.get(11, "system")?,
            progress: open_maybe(progress.as_ref(), &key, self.vault)?,
            deliveries: Vec::new(),
        };
        Ok((cells.id(), entry))
    }

    fn read_delivery(&self, row: &Row<'_>) -> Result<DeliveryView, Failure> {
        let cells = Cells::of("delivery", row)?;
        let state = cells.state(3)?;
        Ok(DeliveryView {
            id: DeliveryId(cells.id()),
            destination: self.destinations.of_cell(&cells, 1)?.name.clone(),
            sequence: cells.get(2, "sequence")?,
            state,
            attempts_counted: cells.get(4, "attempts_counted")?,
            next_attempt_at: match state {
                DeliveryState::Ready => Some(cells.time(5, "next_at")?),
                _ => None,
            },
            ended_at: cells.time_maybe(6, "ended_at")?,
            parked: match state {
                DeliveryState::Parked => {
                    Some(cells.decoded(7, "park_reason", ParkReason::from_code)?)
                }
                _ => None,
            },
            attempts: Vec::new(),
        })
    }

    fn with_attempts(&self, view: DeliveryView) -> Result<DeliveryView, Failure> {
        let mut attempts = all(
            self.connection,
            "SELECT id, number, started_at, took, outcome, code, http_status, message FROM attempt
             WHERE delivery = ?1 ORDER BY id DESC LIMIT ?2",
            params![view.id.0, limit(ATTEMPTS_SHOWN_MAX)],
            read_attempt,
        )?;
        attempts.reverse();
        Ok(DeliveryView { attempts, ..view })
    }
}

fn read_attempt(row: &Row<'_>) -> Result<AttemptView, Failure> {
    let cells = Cells::of("attempt", row)?;
    Ok(AttemptView {
        number: cells.get(1, "number")?,
        started_at: cells.time(2, "started_at")?,
        took: std::time::Duration::from_micros(cells.count(3, "took")?),
        outcome: cells.decoded(4, "outcome", outcome_from_code)?,
        code: cells.get(5, "code")?,
        http_status: cells.get(6, "http_status")?,
        message: cells.get(7, "message")?,
    })
}
