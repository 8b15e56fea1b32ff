//! What was acknowledged to the provinces against what the portal recorded: finds losses, reversed
//! orders and repetitions. Pure; whoever has news tells it here, in any order.
//!
//! Memory is bounded by the open dossiers: a finished one is forgotten some time after its last event
//! arrived. Only dossiers with a parked event stay.

use std::collections::{HashMap, VecDeque};

use hdrhistogram::Histogram;
use lienthong_domain::EventId;
use lienthong_simulators::portal::{BodyHash, Entry, Service};

use super::board::histogram;

/// Finished dossiers kept to recognise a call that is repeated late; the oldest is forgotten first.
const FINISHED_KEPT_MAX: usize = 20_000;
/// The longest way to the portal that is told apart, in milliseconds: a day.
const WAY_MS_MAX: u64 = 86_400_000;

/// One accepted event, as its receipt told it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acknowledged<'a> {
    /// The dossier.
    pub(super) dossier: &'a str,
    /// The event.
    pub(super) event: EventId,
    /// Its place in the dossier.
    pub(super) sequence: u64,
    /// When it was stored, Unix milliseconds.
    pub(super) accepted_at_ms: i64,
    /// Older than an accepted one: only its progress line goes out.
    pub(super) late: bool,
}

/// Where an event that has not arrived stands, as the gateway's store says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Given up for now; an operator sees it.
    Parked,
    /// On its way, or behind a parked one.
    Waiting,
}

/// Sums since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Events acknowledged, each once.
    pub(super) accepted: u64,
    /// Of these, kept in the timeline only.
    pub(super) late: u64,
    /// Acknowledged events whose every call the portal applied.
    pub(super) delivered: u64,
    /// Applied calls that came after a later one of their dossier, and late events that moved a status.
    pub(super) out_of_order: u64,
    /// Applied calls that repeated an applied one.
    pub(super) duplicates: u64,
    /// Of these, with other content than the first time.
    pub(super) conflicting_duplicates: u64,
    /// Applied calls that name no event, or another place than the receipt.
    pub(super) unmatched: u64,
}

/// What is left when everything has come to rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rest {
    /// Acknowledged, not arrived, parked.
    pub(super) parked: u64,
    /// Acknowledged, not arrived, still on its way or behind a parked one.
    pub(super) waiting: u64,
    /// Acknowledged, not arrived, and the gateway does not mean to send it either.
    pub(super) lost: u64,
    /// Arrived though the province never got an answer.
    pub(super) unacknowledged: u64,
}

/// The comparison; see the module.
pub(super) struct Ledger {
    dossiers: HashMap<Box<str>, Dossier>,
    finished: VecDeque<Box<str>>,
    finished_kept_max: usize,
    tally: Tally,
    end_to_end_ms: Histogram<u64>,
}

#[derive(Default)]
struct Dossier {
    /// A handful, so a list is searched faster than a map.
    events: Vec<Event>,
    /// Highest sequence applied, and of which event.
    highest: Option<(u64, EventId)>,
    /// The province sends no more of it.
    closed: bool,
    /// Waits in `finished` for being forgotten.
    listed: bool,
}

struct Event {
    id: EventId,
    /// Sequence and instant of the receipt.
    receipt: Option<(u64, i64)>,
    late: bool,
    /// Sequence that the calls named.
    sequence_seen: Option<u64>,
    synced: Option<BodyHash>,
    told: Option<BodyHash>,
    arrived: bool,
}

impl Event {
    fn new(id: EventId) -> Self {
        Self {
            id,
            receipt: None,
            late: false,
            sequence_seen: None,
            synced: None,
            told: None,
            arrived: false,
        }
    }

    fn is_complete(&self) -> bool {
        self.receipt.is_some() && self.told.is_some() && (self.late || self.synced.is_some())
    }
}

impl Ledger {
    /// An empty ledger.
    pub(super) fn new() -> Self {
        Self::keeping(FINISHED_KEPT_MAX)
    }

    fn keeping(finished_kept_max: usize) -> Self {
        Self {
            dossiers: HashMap::new(),
            finished: VecDeque::new(),
            finished_kept_max,
            tally: Tally::default(),
            end_to_end_ms: histogram(WAY_MS_MAX),
        }
    }

    /// Sums so far.
    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// From the receipt's instant to the last applied call of the event, in milliseconds.
    pub(super) fn end_to_end_ms(&self) -> &Histogram<u64> {
        &self.end_to_end_ms
    }

    /// A province is about to send an event of this dossier.
    pub(super) fn offered(&mut self, dossier: &str) {
        if !self.dossiers.contains_key(dossier) {
            self.dossiers.insert(dossier.into(), Dossier::default());
        }
    }

    /// A province got a receipt; one for an event known already changes nothing.
    pub(super) fn acknowledged(&mut self, receipt: Acknowledged<'_>) {
        let Some(dossier) = self.dossiers.get_mut(receipt.dossier) else {
            return;
        };
        let event = dossier.event(receipt.event);
        if event.receipt.is_some() {
            return;
        }
        event.receipt = Some((receipt.sequence, receipt.accepted_at_ms));
        event.late = receipt.late;
        self.tally.accepted += 1;
        self.tally.late += u64::from(receipt.late);
        if event
            .sequence_seen
            .is_some_and(|seen| seen != receipt.sequence)
        {
            self.tally.unmatched += 1;
        }
        if event.late && event.synced.is_some() {
            self.tally.out_of_order += 1;
        }
        // The portal was faster than the answer to the province: no time passed that could be measured.
        self.settle(receipt.dossier, receipt.event, receipt.accepted_at_ms);
    }

    /// The province sends no more events of this dossier.
    pub(super) fn closed(&mut self, dossier: &str) {
        if let Some(known) = self.dossiers.get_mut(dossier) {
            known.closed = true;
            self.forget_some(dossier);
        }
    }

    /// The portal judged a call.
    pub(super) fn recorded(&mut self, entry: &Entry) {
        if !entry.applied {
            return;
        }
        let Some(dossier) = self.dossiers.get_mut(&*entry.dossier) else {
            // All of a forgotten dossier had arrived, so whatever comes now is a repetition.
            self.tally.duplicates += 1;
            return;
        };
        let key = entry
            .key
            .as_deref()
            .and_then(|key| key.parse::<EventId>().ok());
        let (Some(id), Some(sequence)) = (key, entry.sequence) else {
            self.tally.unmatched += 1;
            return;
        };
        dossier.compare_order(id, sequence, &mut self.tally);
        dossier
            .event(id)
            .take_call(entry, sequence, &mut self.tally);
        self.settle(&entry.dossier, id, entry.at_ms);
    }

    /// Dossiers with an acknowledged event that has not arrived.
    pub(super) fn open_dossiers(&self) -> impl Iterator<Item = &str> {
        let is_open = |dossier: &Dossier| {
            dossier
                .events
                .iter()
                .any(|event| event.receipt.is_some() && !event.arrived)
        };
        self.dossiers
            .iter()
            .filter(move |(_, dossier)| is_open(dossier))
            .map(|(code, _)| &**code)
    }

    /// Sorts what has not arrived by what the store says of it; what it does not say is lost.
    pub(super) fn rest(&self, standings: &HashMap<EventId, Standing>) -> Rest {
        let mut rest = Rest::default();
        for event in self.dossiers.values().flat_map(|dossier| &dossier.events) {
            match (event.receipt, event.arrived, standings.get(&event.id)) {
                (None, _, _) => rest.unacknowledged += 1,
                (Some(_), true, _) => {}
                (Some(_), false, Some(Standing::Parked)) => rest.parked += 1,
                (Some(_), false, Some(Standing::Waiting)) => rest.waiting += 1,
                (Some(_), false, None) => rest.lost += 1,
            }
        }
        rest
    }

    /// Counts an event as delivered the moment receipt and all calls are there.
    fn settle(&mut self, code: &str, id: EventId, now_ms: i64) {
        let dossier = self.dossiers.get_mut(code);
        let Some(event) = dossier.and_then(|dossier| dossier.known(id)) else {
            return;
        };
        if event.arrived || !event.is_complete() {
            return;
        }
        event.arrived = true;
        self.tally.delivered += 1;
        let accepted_at_ms = event.receipt.map_or(now_ms, |(_, at_ms)| at_ms);
        let took_ms = u64::try_from(now_ms - accepted_at_ms).unwrap_or(0);
        self.end_to_end_ms.saturating_record(took_ms);
        self.forget_some(code);
    }

    /// Lists a dossier that is over, and forgets the oldest beyond the bound.
    fn forget_some(&mut self, code: &str) {
        if let Some(dossier) = self.dossiers.get_mut(code)
            && dossier.is_over()
            && !std::mem::replace(&mut dossier.listed, true)
        {
            self.finished.push_back(code.into());
        }
        while self.finished.len() > self.finished_kept_max {
            if let Some(oldest) = self.finished.pop_front() {
                self.dossiers.remove(&oldest);
            }
        }
    }
}

impl Dossier {
    fn known(&mut self, id: EventId) -> Option<&mut Event> {
        self.events.iter_mut().find(|event| event.id == id)
    }

    fn event(&mut self, id: EventId) -> &mut Event {
        let found = self.events.iter().position(|event| event.id == id);
        let index = found.unwrap_or_else(|| {
            self.events.push(Event::new(id));
            self.events.len() - 1
        });
        &mut self.events[index]
    }

    fn is_over(&self) -> bool {
        self.closed && self.events.iter().all(|event| event.arrived)
    }

    fn compare_order(&mut self, id: EventId, sequence: u64, tally: &mut Tally) {
        match self.highest {
            Some((highest, other)) if sequence < highest && other != id => tally.out_of_order += 1,
            Some((highest, _)) if sequence < highest => {}
            _ => self.highest = Some((sequence, id)),
        }
    }
}

impl Event {
    fn take_call(&mut self, entry: &Entry, sequence: u64, tally: &mut Tally) {
        let expected = self
            .receipt
            .map(|(sequence, _)| sequence)
            .or(self.sequence_seen);
        if expected.is_some_and(|expected| expected != sequence) {
            tally.unmatched += 1;
        }
        self.sequence_seen = Some(sequence);
        // The dossier goes before its progress line, and a late event must not send the dossier at all.
        let is_sync = entry.service != Service::UpdateProgress;
        let first_sync = is_sync && self.synced.is_none();
        if first_sync && (self.told.is_some() || self.late) {
            tally.out_of_order += 1;
        }
        let seen = if is_sync {
            &mut self.synced
        } else {
            &mut self.told
        };
        match seen {
            None => *seen = Some(entry.body_hash),
            Some(first) => {
                tally.duplicates += 1;
                tally.conflicting_duplicates += u64::from(*first != entry.body_hash);
            }
        }
    }
}

#[cfg(test)]
mod tests;
