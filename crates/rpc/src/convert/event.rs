//! A status event as a participant offers it.

use lienthong_domain::event::{IdempotencyKey, Progress};
use lienthong_domain::{DossierCode, DossierStatus, Faults, Private, Reason, StatusEvent, Text};
use lienthong_proto::dossier::v1 as proto;

use super::{details, instant, instant_from_proto, text, under};

/// Reads an event. What needs several fields, the clock or the store is judged later.
///
/// # Errors
/// Every fault, by its path within the event.
pub(crate) fn from_proto(event: &proto::StatusEvent) -> Result<StatusEvent, Faults> {
    let mut faults = Faults::new();
    let key = faults.check(
        "idempotency_key",
        IdempotencyKey::parse(&event.idempotency_key),
    );
    let dossier = faults.check("dossier_code", DossierCode::parse(&event.dossier_code));
    let status = faults.check("status", required_status(event.status));
    let occurred_at = event.occurred_at.as_ref().ok_or(Reason::Missing);
    let occurred_at = faults.check("occurred_at", occurred_at.and_then(instant_from_proto));
    let progress = event.progress.as_ref().and_then(|line| {
        under(
            &mut faults,
            || "progress".into(),
            |own| progress_from_proto(line, own),
        )
    });
    if event.source_sequence.is_some_and(|sequence| sequence < 0) {
        faults.push(
            "source_sequence",
            Reason::OutOfRange {
                min: 0,
                max: i64::MAX,
            },
        );
    }
    let details = event.details.as_ref().map(|found| {
        under(
            &mut faults,
            || "details".into(),
            |own| details::from_proto(found, own),
        )
    });
    let read = (|| {
        Some(StatusEvent {
            key: key?,
            dossier: dossier?,
            status: status?,
            occurred_at: occurred_at?,
            source_sequence: event.source_sequence,
            progress,
            details,
        })
    })();
    match read {
        Some(event) => faults.into_result(event),
        None => Err(faults),
    }
}

/// Reads the event of a request that must carry one.
///
/// # Errors
/// A missing `event`, or every fault of it.
pub(crate) fn from_request(event: Option<&proto::StatusEvent>) -> Result<StatusEvent, Faults> {
    event.map_or_else(|| Err(Faults::one("event", Reason::Missing)), from_proto)
}

/// The contract's numbers of statuses are the portal's own.
fn required_status(number: i32) -> Result<DossierStatus, Reason> {
    match number {
        0 => Err(Reason::Missing),
        number => DossierStatus::try_from(number),
    }
}

fn progress_from_proto(line: &proto::ProgressLine, faults: &mut Faults) -> Option<Progress> {
    let officer_name = faults.check("officer_name", Text::parse(&line.officer_name));
    let officer_title = text(faults, "officer_title", &line.officer_title);
    let unit_name = text(faults, "unit_name", &line.unit_name);
    let note = faults.check("note", Text::parse_multiline(&line.note));
    let started_at = instant(faults, "started_at", line.started_at.as_ref());
    let due_at = instant(faults, "due_at", line.due_at.as_ref());
    Some(Progress {
        officer_name: Private::new(officer_name?),
        officer_title,
        unit_name,
        note: Private::new(note?),
        started_at,
        due_at,
    })
}

/// The contract's form of a progress line.
pub(crate) fn progress_to_proto(line: &Progress) -> proto::ProgressLine {
    proto::ProgressLine {
        officer_name: line.officer_name.expose().to_string(),
        officer_title: line
            .officer_title
            .as_ref()
            .map(Text::to_string)
            .unwrap_or_default(),
        unit_name: line
            .unit_name
            .as_ref()
            .map(Text::to_string)
            .unwrap_or_default(),
        note: line.note.expose().to_string(),
        started_at: line.started_at.map(super::instant_to_proto),
        due_at: line.due_at.map(super::instant_to_proto),
    }
}

#[cfg(test)]
mod tests;
