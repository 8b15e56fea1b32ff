//! Acceptance: duplicates, the verdict on a new event, and the rows of one that is kept.

use std::collections::HashMap;
use std::sync::Arc;

use lienthong_domain::event::ContentHash;
use lienthong_domain::timeline::{Head, Verdict, Warning, judge, needs_details};
use lienthong_domain::{
    DeliveryState, DossierCode, DossierDetails, DossierStatus, EventId, Timestamp,
};
use lienthong_ports::store::{Offer, Receipt, Refusal};
use rusqlite::params;

use super::lanes::Lane;
use super::{Core, delivery_id};
use crate::error::Failure;
use crate::queries::{details_at, status_from_code};
use crate::rows::{Cells, execute, micros, one, stored};

/// An offer with its parts written as JSON, which the caller does so that the writer need not.
pub(crate) struct Offered {
    offer: Offer,
    details: Option<String>,
    progress: Option<String>,
}

impl From<Offer> for Offered {
    fn from(offer: Offer) -> Self {
        Self {
            details: offer.event.details.as_ref().map(json),
            progress: offer.event.progress.as_ref().map(json),
            offer,
        }
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("strings, numbers and lists always serialise")
}

/// A dossier as it stands before the next offer.
struct Present {
    id: i64,
    head: Head,
    last_sequence: i64,
    details_sequence: i64,
    /// `None` until they are needed.
    details: Option<Arc<DossierDetails>>,
    /// What the dossier's row does not say yet; written once, when the call ends.
    unwritten: Option<Newest>,
}

/// What a dossier's row says of its newest event.
struct Newest {
    participant: i64,
    procedure: Option<String>,
    accepted_at: i64,
}

/// What an accepted event does.
struct Acceptance {
    late: bool,
    details: Option<Box<DossierDetails>>,
    /// The details as JSON, where they are other than the offered ones.
    merged: Option<String>,
    warnings: Vec<Warning>,
}

/// The dossiers that one call has met.
type Met = HashMap<DossierCode, Present>;

impl Core {
    pub(crate) fn accept(
        &mut self,
        offers: &[Offered],
    ) -> Result<Vec<Result<Receipt, Refusal>>, Failure> {
        let mut met = Met::new();
        let answers = offers
            .iter()
            .map(|offered| self.accept_one(offered, &mut met))
            .collect::<Result<_, Failure>>()?;
        for present in met.into_values() {
            self.write_present(present)?;
        }
        Ok(answers)
    }

    fn accept_one(
        &mut self,
        offered: &Offered,
        met: &mut Met,
    ) -> Result<Result<Receipt, Refusal>, Failure> {
        let Offer {
            event, policy, now, ..
        } = &offered.offer;
        if let Some(earlier) = self.accepted_before(&offered.offer)? {
            return Ok(earlier);
        }
        if !met.contains_key(&event.dossier)
            && let Some(present) = self.present(&event.dossier)?
        {
            met.insert(event.dossier.clone(), present);
        }
        let mut present = met.remove(&event.dossier);
        if let Some(present) = &mut present
            && present.details.is_none()
            && needs_details(Some(&present.head), event)
        {
            present.details = Some(details_at(
                &self.connection,
                present.id,
                present.details_sequence,
            )?);
        }
        let head = present.as_ref().map(|present| &present.head);
        let details = present
            .as_ref()
            .and_then(|present| present.details.as_deref());
        let refusal = match judge(head, details, event, *policy, *now) {
            Verdict::Accept {
                late,
                details,
                warnings,
            } => {
                let merged = details
                    .as_deref()
                    .filter(|details| event.details.as_ref() != Some(details))
                    .map(json);
                let acceptance = Acceptance {
                    late,
                    details,
                    merged,
                    warnings,
                };
                let (receipt, present) = self.keep(offered, present, acceptance)?;
                met.insert(event.dossier.clone(), present);
                return Ok(Ok(receipt));
            }
            Verdict::TransitionRefused { from, to } => Refusal::Transition { from, to },
            Verdict::DetailsRefused(faults) => Refusal::Details(faults),
        };
        if let Some(present) = present {
            met.insert(event.dossier.clone(), present);
        }
        Ok(Err(refusal))
    }

    /// The answer to an offer whose key is known.
    fn accepted_before(
        &mut self,
        offer: &Offer,
    ) -> Result<Option<Result<Receipt, Refusal>>, Failure> {
        let code = offer.participant.as_str();
        let Some(participant) = self.names.participant(&self.connection, code)? else {
            return Ok(None);
        };
        one(
            &self.connection,
            "SELECT e.id, e.content_hash, e.event_id, e.sequence, e.accepted_at, e.late, e.warnings, o.code
             FROM event e JOIN dossier o ON o.id = e.dossier
             WHERE e.participant = ?1 AND e.key = ?2",
            params![participant, offer.event.key.as_str()],
            |row| {
                let cells = Cells::of("event", row)?;
                if ContentHash(cells.get(1, "content_hash")?) != offer.content_hash {
                    return Ok(Err(Refusal::KeyReused));
                }
                Ok(Ok(Receipt {
                    event_id: EventId::from_bytes(cells.get(2, "event_id")?),
                    dossier: cells.parsed(7, "dossier", DossierCode::parse)?,
                    sequence: cells.get(3, "sequence")?,
                    accepted_at: cells.time(4, "accepted_at")?,
                    duplicate: true,
                    late: cells.get(5, "late")?,
                    warnings: cells.json_maybe(6, "warnings")?.unwrap_or_default(),
                }))
            },
        )
    }

    fn present(&self, code: &DossierCode) -> Result<Option<Present>, Failure> {
        one(
            &self.connection,
            "SELECT id, status, occurred_at, source_sequence, last_sequence, details_sequence
             FROM dossier WHERE root = ?1 AND code = ?2",
            params![code.agency().root().as_str(), code.as_str()],
            |row| {
                let cells = Cells::of("dossier", row)?;
                Ok(Present {
                    id: cells.id(),
                    head: Head {
                        status: cells.decoded(1, "status", status_from_code)?,
                        occurred_at: cells.time(2, "occurred_at")?,
                        source_sequence: cells.get(3, "source_sequence")?,
                    },
                    last_sequence: cells.get(4, "last_sequence")?,
                    details_sequence: cells.get(5, "details_sequence")?,
                    details: None,
                    unwritten: None,
                })
            },
        )
    }

    /// Writes an accepted event with its deliveries and moves its dossier on.
    fn keep(
        &mut self,
        offered: &Offered,
        mut present: Option<Present>,
        mut acceptance: Acceptance,
    ) -> Result<(Receipt, Present), Failure> {
        let offer = &offered.offer;
        let participant = self
            .names
            .participant_made(&self.connection, offer.participant.as_str())?;
        let is_new = present.is_none();
        let procedure = acceptance
            .details
            .as_ref()
            .and_then(|details| details.procedure_code.as_ref())
            .map(|code| code.as_str().to_owned());
        let before = present
            .as_mut()
            .and_then(|present| present.unwritten.take());
        let procedure = procedure.or_else(|| before.and_then(|before| before.procedure));
        let newest = Newest {
            participant,
            procedure,
            accepted_at: micros(offer.now),
        };
        let mut next = moved_on(offer, present, acceptance.late, acceptance.details.take());
        if is_new {
            next.id = self.write_new_dossier(&offer.event.dossier, &next, &newest)?;
        } else {
            next.unwritten = Some(newest);
        }
        let event = self.write_event(offered, participant, &next, &acceptance)?;
        self.write_deliveries(event, &next, is_new, micros(offer.now))?;
        self.woken = true;
        let receipt = Receipt {
            event_id: offer.event_id,
            dossier: offer.event.dossier.clone(),
            sequence: next.last_sequence,
            accepted_at: stored(offer.now),
            duplicate: false,
            late: acceptance.late,
            warnings: acceptance.warnings,
        };
        Ok((receipt, next))
    }

    fn write_new_dossier(
        &self,
        code: &DossierCode,
        next: &Present,
        newest: &Newest,
    ) -> Result<i64, Failure> {
        let head = &next.head;
        execute(
            &self.connection,
            "INSERT INTO dossier (root, code, procedure, participant, status, occurred_at, source_sequence,
                 last_sequence, details_sequence, first_accepted_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
            params![
                code.agency().root().as_str(), code.as_str(), newest.procedure, newest.participant,
                head.status.code(), micros(head.occurred_at), head.source_sequence, next.last_sequence,
                next.details_sequence, newest.accepted_at,
            ],
        )?;
        Ok(self.connection.last_insert_rowid())
    }

    fn write_present(&self, present: Present) -> Result<(), Failure> {
        let Some(newest) = present.unwritten else {
            return Ok(());
        };
        let head = &present.head;
        execute(
            &self.connection,
            "UPDATE dossier SET procedure = coalesce(?2, procedure), participant = ?3, status = ?4,
                 occurred_at = ?5, source_sequence = ?6, last_sequence = ?7, details_sequence = ?8,
                 updated_at = ?9
             WHERE id = ?1",
            params![
                present.id,
                newest.procedure,
                newest.participant,
                head.status.code(),
                micros(head.occurred_at),
                head.source_sequence,
                present.last_sequence,
                present.details_sequence,
                newest.accepted_at,
            ],
        )?;
        Ok(())
    }

    fn write_event(
        &mut self,
        offered: &Offered,
        participant: i64,
        next: &Present,
        acceptance: &Acceptance,
    ) -> Result<i64, Failure> {
        let Acceptance {
            late,
            merged,
            warnings,
            ..
        } = acceptance;
        let Offer {
            event,
            event_id,
            content_hash,
            system,
            now,
            ..
        } = &offered.offer;
        let system = self.names.system_made(&self.connection, system)?;
        execute(
            &self.connection,
            "INSERT INTO event (dossier, sequence, participant, key, system, event_id, content_hash, status,
                 occurred_at, accepted_at, source_sequence, late, warnings, details_sequence, progress,
                 offered, merged)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
            params![
                next.id, next.last_sequence, participant, event.key.as_str(), system, event_id.as_bytes(),
                content_hash.0, event.status.code(), micros(event.occurred_at), micros(*now),
                event.source_sequence, late, (!warnings.is_empty()).then(|| json(&warnings)),
                next.details_sequence, offered.progress, offered.details, merged,
            ],
        )?;
        Ok(self.connection.last_insert_rowid())
    }

    /// One delivery per destination: Ready where it is the head of its lane, else Queued.
    fn write_deliveries(
        &mut self,
        event: i64,
        next: &Present,
        is_new: bool,
        now: i64,
    ) -> Result<(), Failure> {
        let destinations = self.destinations();
        for known in destinations.iter().filter(|known| known.active) {
            let lane = Lane {
                destination: known.id,
                policy: known.lane,
                dossier: next.id,
            };
            let state = if is_new || self.first_eligible(lane)?.is_none() {
                DeliveryState::Ready
            } else {
                DeliveryState::Queued
            };
            execute(
                &self.connection,
                "INSERT INTO delivery (id, destination, dossier, sequence, state, next_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    delivery_id(event, known.id),
                    known.id.0,
                    next.id,
                    next.last_sequence,
                    state.code(),
                    now,
                ],
            )?;
            self.tally.added(known.id, state);
        }
        Ok(())
    }
}

/// The dossier after an event: a late one takes a sequence and moves nothing else.
fn moved_on(
    offer: &Offer,
    present: Option<Present>,
    late: bool,
    details: Option<Box<DossierDetails>>,
) -> Present {
    let event = &offer.event;
    let (id, last_sequence, details_sequence) = present.as_ref().map_or((0, 0, 0), |present| {
        (present.id, present.last_sequence, present.details_sequence)
    });
    let sequence = last_sequence + 1;
    let details_sequence = if details.is_some() {
        sequence
    } else {
        details_sequence
    };
    let (head, before) = present.map_or((None, None), |present| {
        (Some(present.head), present.details)
    });
    let head = match head {
        Some(head) if late => head,
        head => {
            let seen = head.and_then(|head| head.source_sequence);
            head_of(
                event.status,
                stored(event.occurred_at),
                seen.max(event.source_sequence),
            )
        }
    };
    let details = details.map(|details| Arc::new(*details)).or(before);
    Present {
        id,
        head,
        last_sequence: sequence,
        details_sequence,
        details,
        unwritten: None,
    }
}

fn head_of(status: DossierStatus, occurred_at: Timestamp, source_sequence: Option<i64>) -> Head {
    Head {
        status,
        occurred_at,
        source_sequence,
    }
}
