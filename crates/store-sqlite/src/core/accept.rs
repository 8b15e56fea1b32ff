//! Acceptance: duplicates, the verdict on a new event, and the rows of one that is kept.

use std::collections::HashMap;

use lienthong_domain::timeline::{Verdict, Warning, judge, needs_details};
use lienthong_domain::{DeliveryState, DossierCode, DossierDetails, EventId, TraceContext};
use lienthong_ports::store::{Offer, Receipt, Refusal};
use lienthong_vault::Vault;
use rusqlite::params;

use super::lanes::Lane;
use super::present::{Newest, Present, moved_on};
use super::{Core, delivery_id};
use crate::error::Failure;
use crate::figures::Event;
use crate::rows::{Cells, execute, micros, one, stored};
use crate::sealed::Column;

/// An offer with its parts as they are stored, as far as the caller can make them so that the writer need
/// not. Only the writer can seal them: the number of the row and the dossier's data key are in its hands.
pub(crate) struct Offered {
    offer: Offer,
    content_hash: [u8; 32],
    details: Option<Vec<u8>>,
    progress: Option<Vec<u8>>,
}

impl Offered {
    pub(crate) fn new(offer: Offer, vault: &Vault) -> Self {
        Self {
            content_hash: vault.blind(&offer.content_hash.0),
            details: offer.event.details.as_ref().map(json),
            progress: offer.event.progress.as_ref().map(json),
            offer,
        }
    }
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("strings, numbers and lists always serialise")
}

/// What an accepted event does.
struct Acceptance {
    late: bool,
    details: Option<Box<DossierDetails>>,
    /// The details as JSON, where they are other than the offered ones.
    merged: Option<Vec<u8>>,
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
        if let Some(earlier) = self.accepted_before(offered)? {
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
            present.details = Some(self.details_of(present)?);
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
        offered: &Offered,
    ) -> Result<Option<Result<Receipt, Refusal>>, Failure> {
        let offer = &offered.offer;
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
                if cells.get::<[u8; 32]>(1, "content_hash")? != offered.content_hash {
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
        let due_at = acceptance
            .details
            .as_ref()
            .and_then(|details| details.due_at);
        let before = present
            .as_mut()
            .and_then(|present| present.unwritten.take());
        let (procedure_before, due_before, wrapped_before) = before
            .map_or((None, None, None), |before| {
                (before.procedure, before.due_at, before.wrapped)
            });
        let mut next = moved_on(offer, present, acceptance.late, acceptance.details.take());
        let seals = [&offered.details, &offered.progress, &acceptance.merged];
        let wrapped = if seals.into_iter().any(Option::is_some) {
            next.key.made(&self.vault, &offer.event.dossier)
        } else {
            None
        };
        let newest = Newest {
            participant,
            procedure: procedure.or(procedure_before),
            due_at: due_at.map(micros).or(due_before),
            accepted_at: micros(offer.now),
            wrapped: wrapped.or(wrapped_before),
        };
        if is_new {
            next.id = self.write_new_dossier(&offer.event.dossier, &next, &newest)?;
        } else {
            next.unwritten = Some(newest);
        }
        let event = self.write_event(offered, participant, &mut next, &acceptance)?;
        self.write_deliveries(event, &next, is_new, offer)?;
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

    fn write_event(
        &mut self,
        offered: &Offered,
        participant: i64,
        next: &mut Present,
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
            system,
            now,
            ..
        } = &offered.offer;
        let system = self.names.system_made(&self.connection, system)?;
        let id = self.next_event()?;
        let sealed = |column: Column, json: &Option<Vec<u8>>, next: &mut Present| {
            let Some(json) = json else { return Ok(None) };
            let key = next.key.open(&self.vault)?;
            Ok::<_, Failure>(key.map(|key| column.seal(key, id, json)))
        };
        let progress = sealed(Column::Progress, &offered.progress, next)?;
        let details = sealed(Column::Offered, &offered.details, next)?;
        let merged = sealed(Column::Merged, merged, next)?;
        let warnings = (!warnings.is_empty())
            .then(|| serde_json::to_string(warnings).expect("names always serialise"));
        execute(
            &self.connection,
            "INSERT INTO event (dossier, sequence, participant, key, system, event_id, content_hash, status,
                 occurred_at, accepted_at, source_sequence, late, warnings, details_sequence, progress,
                 offered, merged, id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
            params![
                next.id, next.last_sequence, participant, event.key.as_str(), system, event_id.as_bytes(),
                offered.content_hash, event.status.code(), micros(event.occurred_at), micros(*now),
                event.source_sequence, late, warnings, next.details_sequence, progress, details, merged, id,
            ],
        )?;
        self.newest_event = Some(id);
        Ok(id)
    }

    /// The number of the next event. A sealed value is bound to its row, so the number must be known before
    /// the row is written.
    fn next_event(&mut self) -> Result<i64, Failure> {
        let newest = match self.newest_event {
            Some(newest) => Some(newest),
            None => one(&self.connection, "SELECT max(id) FROM event", [], |row| {
                Ok(row.get::<_, Option<i64>>(0)?)
            })?
            .flatten(),
        };
        Ok(newest.unwrap_or(0) + 1)
    }

    /// One delivery per destination: Ready where it is the head of its lane, else Queued.
    fn write_deliveries(
        &mut self,
        event: i64,
        next: &Present,
        is_new: bool,
        offer: &Offer,
    ) -> Result<(), Failure> {
        let destinations = self.destinations();
        let trace = offer.trace.map(TraceContext::to_bytes);
        let now = micros(offer.now);
        let root = offer.event.dossier.agency().root();
        let root = self.names.root_made(&self.connection, root.as_str())?;
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
                "INSERT INTO delivery (id, destination, dossier, sequence, state, next_at, trace, root)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    delivery_id(event, known.id),
                    known.id.0,
                    next.id,
                    next.last_sequence,
                    state.code(),
                    now,
                    trace,
                    root,
                ],
            )?;
            self.tally.added(known.id, state);
            self.figures.count(Event::Accepted, now, known.id, root, 1);
        }
        Ok(())
    }
}
