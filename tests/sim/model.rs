//! The simple sequential model: what a gateway without threads, crashes and SQL would answer and keep.
//!
//! It shares no rule with the product: the transition table, lateness and the merge of details are
//! written again here, over plain maps and JSON.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use lienthong_domain::timeline::{TransitionPolicy, Warning};
use lienthong_domain::{EventId, StatusEvent, Timestamp};
use lienthong_ports::store::{Offer, Receipt, Refusal, Work};
use serde_json::{Map, Value};

use crate::drafts::PROCEDURE_UNKNOWN;
use crate::ledger::Shared;

/// The statuses that may follow 1, 2, .. 10. Source: `data/dossier_statuses.csv`.
const ALLOWED: [&[u8]; 10] = [
    &[2, 3, 5, 7],
    &[4, 5, 6, 7, 8, 9],
    &[],
    &[5, 6, 7, 8, 9],
    &[2, 4, 7, 8],
    &[4, 7, 8, 9],
    &[],
    &[],
    &[10],
    &[],
];

/// An accepted event.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub event_id: EventId,
    pub sequence: i64,
    pub accepted_at: Timestamp,
    pub late: bool,
    pub warnings: Vec<Warning>,
    pub participant: String,
    pub event: StatusEvent,
    /// The dossier's details as they stand with this event.
    pub details: Map<String, Value>,
}

/// What the model says to an offer.
enum Prediction {
    Kept(Box<Kept>),
    KeyReused,
    Transition(u8, u8),
    Details,
}

/// All that has been accepted.
#[derive(Default)]
pub(crate) struct Model {
    /// `(participant, key)` to dossier and position.
    keys: BTreeMap<(String, String), (String, usize)>,
    pub dossiers: BTreeMap<String, Vec<Kept>>,
    heads: BTreeMap<String, Head>,
}

#[derive(Clone)]
struct Head {
    status: u8,
    occurred_at: Timestamp,
    source_sequence: Option<i64>,
}

pub(crate) type SharedModel = Arc<Mutex<Model>>;

/// An event's content as text; the key is not part of it.
pub(crate) fn content(event: &StatusEvent) -> String {
    serde_json::to_string(event).expect("an event is plain data")
}

fn status(event: &StatusEvent) -> u8 {
    u8::try_from(event.status.code()).expect("1 to 10")
}

fn json(value: &impl serde::Serialize) -> Value {
    ordered(serde_json::to_value(value).expect("plain data"))
}

/// The same with names in order: whether objects keep the order they were filled in depends on what other crates
/// ask of `serde_json`.
fn ordered(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let sorted = object.into_iter().collect::<BTreeMap<_, _>>();
            let sorted = sorted
                .into_iter()
                .map(|(name, value)| (name, ordered(value)));
            Value::Object(sorted.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(ordered).collect()),
        plain => plain,
    }
}

impl Model {
    /// Takes note of a committed answer, and compares it with what it had to be.
    pub(crate) fn compare(
        &mut self,
        offer: &Offer,
        answer: &Result<Receipt, Refusal>,
        ledger: &Shared,
    ) {
        let key = (
            offer.participant.to_string(),
            offer.event.key.as_str().to_owned(),
        );
        let earlier = self
            .keys
            .get(&key)
            .map(|(dossier, index)| &self.dossiers[dossier][*index]);
        let duplicate = earlier.is_some();
        let expected = match earlier {
            Some(kept) if content(&kept.event) == content(&offer.event) => {
                Prediction::Kept(Box::new(kept.clone()))
            }
            Some(_) => Prediction::KeyReused,
            None => self.judge(offer),
        };
        let agrees = match (&expected, answer) {
            (Prediction::Kept(kept), Ok(receipt)) => agrees(kept, duplicate, receipt),
            (Prediction::KeyReused, Err(Refusal::KeyReused))
            | (Prediction::Details, Err(Refusal::Details(_))) => true,
            (
                Prediction::Transition(from, to),
                Err(Refusal::Transition {
                    from: said,
                    to: asked,
                }),
            ) => said.code() == i32::from(*from) && asked.code() == i32::from(*to),
            _ => false,
        };
        if !agrees {
            let expected = match &expected {
                Prediction::Kept(kept) => format!("sequence {} late {}", kept.sequence, kept.late),
                Prediction::KeyReused => "key reused".to_owned(),
                Prediction::Transition(from, to) => format!("no transition {from} to {to}"),
                Prediction::Details => "details refused".to_owned(),
            };
            let text =
                format!("{key:?}: expected {expected}, duplicate {duplicate}, got {answer:?}");
            ledger.violated(if duplicate { "I3" } else { "I5" }, &text);
        }
        if let (Prediction::Kept(kept), false) = (expected, duplicate) {
            self.keep(key, *kept);
        }
    }

    fn judge(&self, offer: &Offer) -> Prediction {
        let event = &offer.event;
        let dossier = event.dossier.as_str();
        let head = self.heads.get(dossier);
        let known = self.dossiers.get(dossier).map_or(&[][..], Vec::as_slice);
        let mut details = known
            .last()
            .map_or_else(Map::new, |kept| kept.details.clone());
        let offered = event.details.as_ref().map(json);
        let mut warnings = Vec::new();
        let procedure = offered
            .as_ref()
            .and_then(|offered| offered.get("procedure_code"));
        if procedure.and_then(Value::as_str) == Some(PROCEDURE_UNKNOWN) {
            warnings.push(Warning::ProcedureUnknown);
        }
        let late = head.is_some_and(|head| match (head.source_sequence, event.source_sequence) {
            (Some(seen), Some(offered)) => offered < seen,
            _ => event.occurred_at < head.occurred_at,
        });
        if late {
            warnings.push(Warning::Late);
        } else {
            let to = status(event);
            if let Some(head) = head
                && head.status != to
                && !ALLOWED[usize::from(head.status) - 1].contains(&to)
            {
                if offer.policy == TransitionPolicy::Refuse {
                    return Prediction::Transition(head.status, to);
                }
                warnings.push(Warning::TransitionOutsideTable);
            }
            if let Some(Value::Object(offered)) = offered {
                details.extend(offered);
            }
            if required(to)
                .iter()
                .any(|field| !details.contains_key(*field))
            {
                return Prediction::Details;
            }
        }
        Prediction::Kept(Box::new(Kept {
            event_id: offer.event_id,
            sequence: i64::try_from(known.len()).expect("a short life") + 1,
            accepted_at: offer.now,
            late,
            warnings,
            participant: offer.participant.to_string(),
            event: event.clone(),
            details,
        }))
    }

    fn keep(&mut self, key: (String, String), kept: Kept) {
        let dossier = kept.event.dossier.as_str().to_owned();
        if !kept.late {
            let seen = self
                .heads
                .get(&dossier)
                .and_then(|head| head.source_sequence);
            let head = Head {
                status: status(&kept.event),
                occurred_at: kept.event.occurred_at,
                source_sequence: seen.max(kept.event.source_sequence),
            };
            self.heads.insert(dossier.clone(), head);
        }
        let events = self.dossiers.entry(dossier.clone()).or_default();
        self.keys.insert(key, (dossier, events.len()));
        events.push(kept);
    }

    /// The event with this participant, key and content, if it was accepted.
    pub(crate) fn find(&self, participant: &str, key: &str, offered: &str) -> Option<&Kept> {
        let (dossier, index) = self.keys.get(&(participant.to_owned(), key.to_owned()))?;
        let kept = &self.dossiers[dossier][*index];
        (content(&kept.event) == offered).then_some(kept)
    }

    /// What a destination must be told with an event; `None` for an event nobody accepted.
    pub(crate) fn told(&self, dossier: &str, sequence: i64) -> Option<String> {
        let index = usize::try_from(sequence - 1).ok()?;
        let kept = self.dossiers.get(dossier)?.get(index)?;
        let Kept {
            event,
            event_id,
            participant,
            late,
            accepted_at,
            ..
        } = kept;
        let progress = event.progress.as_ref().map(json);
        let details = ordered(Value::Object(kept.details.clone()));
        let (status, at) = (event.status.code(), event.occurred_at);
        Some(format!(
            "{event_id} {participant} {dossier}/{sequence} {status} {at} {accepted_at} late {late} {progress:?} {details}"
        ))
    }
}

/// The same text, from what an adapter is given.
pub(crate) fn told_by(work: &Work) -> String {
    let Work {
        event_id,
        participant,
        dossier,
        sequence,
        late,
        accepted_at,
        ..
    } = work;
    let progress = work.progress.as_ref().map(json);
    let details = json(&*work.details);
    let (status, at) = (work.status.code(), work.occurred_at);
    format!(
        "{event_id} {participant} {dossier}/{sequence} {status} {at} {accepted_at} late {late} {progress:?} {details}"
    )
}

fn agrees(kept: &Kept, duplicate: bool, receipt: &Receipt) -> bool {
    *receipt
        == Receipt {
            event_id: kept.event_id,
            dossier: kept.event.dossier.clone(),
            sequence: kept.sequence,
            accepted_at: kept.accepted_at,
            duplicate,
            late: kept.late,
            warnings: kept.warnings.clone(),
        }
}

/// What the details of a dossier in `status` must hold.
fn required(status: u8) -> Vec<&'static str> {
    let mut fields = vec![
        "procedure_code",
        "procedure_name",
        "field_code",
        "field_name",
        "applicant_kind",
        "summary",
        "return_method",
        "handling_unit",
    ];
    if !matches!(status, 1 | 3) {
        fields.push("received_at");
    }
    if matches!(status, 9 | 10) {
        fields.push("finished_at");
    }
    match status {
        3 => fields.push("refused_at"),
        10 => fields.push("returned_at"),
        _ => {}
    }
    fields
}
