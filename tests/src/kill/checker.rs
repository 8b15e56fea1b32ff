//! What was offered and acknowledged against what the portal recorded. Pure: no clock, no files.
//!
//! Of one dossier the next event is offered only after the receipt of the one before, so the place of an
//! event in the offers is the sequence that it must get. Each event makes two calls, the dossier and then
//! its progress line; the first applications of a dossier's calls must come in exactly that order.

use std::collections::BTreeMap;

use lienthong_simulators::portal::{BodyHash, Entry, PortalTime, Service};

/// Sentences kept as evidence; further faults are only counted.
const FAULTS_KEPT_MAX: usize = 20;

/// What a portal must be told of an offered event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// `TrangThaiHoSo` and `TrangThai`.
    pub status: u8,
    /// `ThoiDiemXuLy`.
    pub occurred: PortalTime,
}

/// What a receipt says, without what may differ between repetitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Id of the event.
    pub event_id: String,
    /// Its dossier.
    pub dossier: String,
    /// Its position in the dossier, from 1.
    pub sequence: i64,
    /// When it was stored: seconds and nanoseconds.
    pub accepted_at: (i64, i32),
    /// Older than one accepted before; never so under this load.
    pub late: bool,
}

/// Sums since the start. All but the first four are faults or oddities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events acknowledged, each once.
    pub acknowledged: u64,
    /// Acknowledged events of which the portal applied both calls.
    pub delivered: u64,
    /// Applied calls.
    pub applied: u64,
    /// Applied calls that repeated an applied one, byte for byte.
    pub duplicates: u64,
    /// Of these, calls that came after a later event of their dossier: a frozen worker, or a dead one whose bytes
    /// were still under way. Only a receiver that looks at the sequence can refuse them.
    pub stale_duplicates: u64,
    /// Repetitions with other content.
    pub unequal: u64,
    /// First applications out of their order.
    pub out_of_order: u64,
    /// Applied calls that nobody offered.
    pub invented: u64,
    /// Receipts that contradict another one, the dossier or the place of the event.
    pub contradictory_receipts: u64,
    /// Definite refusals of good events.
    pub refused: u64,
    /// Calls that the portal refused.
    pub refused_by_portal: u64,
}

/// The comparison; see the module.
#[derive(Debug, Default)]
pub struct Checker {
    dossiers: BTreeMap<Box<str>, Dossier>,
    tally: Tally,
    epoch: u64,
    delivered_of_epoch: u64,
    faults: Vec<String>,
}

#[derive(Debug, Default)]
struct Dossier {
    events: Vec<Event>,
    /// The call that must be applied next: twice the index of its event, plus one for its progress line.
    next_call: usize,
}

#[derive(Debug)]
struct Event {
    offer: Offer,
    receipt: Option<Receipt>,
    epoch: u64,
    refused: bool,
    /// Key of the first call applied.
    key: Option<Box<str>>,
    /// Content of the first application of the dossier, and of the progress line.
    applied: [Option<BodyHash>; 2],
}

impl Event {
    fn is_delivered(&self) -> bool {
        self.receipt.is_some() && self.applied.iter().all(Option::is_some)
    }
}

impl Checker {
    /// A province is about to send the next event of a dossier.
    pub fn offered(&mut self, dossier: &str, offer: Offer) {
        if !self.dossiers.contains_key(dossier) {
            self.dossiers.insert(dossier.into(), Dossier::default());
        }
        if let Some(known) = self.dossiers.get_mut(dossier) {
            known.events.push(Event {
                offer,
                receipt: None,
                epoch: 0,
                refused: false,
                key: None,
                applied: [None; 2],
            });
        }
    }

    /// A province got a receipt for the event at `place`, from 1; the first one, or one for a repetition.
    pub fn acknowledged(&mut self, dossier: &str, place: usize, receipt: &Receipt) {
        let epoch = self.epoch;
        let Some(event) = event_at(&mut self.dossiers, dossier, place) else {
            let text = format!("{dossier}/{place}: a receipt for an event that was not offered");
            return self.contradiction(text);
        };
        let fits = receipt.dossier == dossier
            && usize::try_from(receipt.sequence) == Ok(place)
            && !receipt.late
            && !event.refused
            && event
                .key
                .as_deref()
                .is_none_or(|key| key == receipt.event_id);
        let first = event.receipt.is_none();
        let repeats = event.receipt.as_ref().is_none_or(|known| known == receipt);
        if first {
            event.receipt = Some(receipt.clone());
            event.epoch = epoch;
            let delivered = event.is_delivered();
            self.tally.acknowledged += 1;
            self.settled(delivered, epoch);
        }
        if !fits || !repeats {
            self.contradiction(format!(
                "{dossier}/{place}: a receipt that does not fit: {receipt:?}"
            ));
        }
    }

    /// A good event was refused for good.
    pub fn refused(&mut self, dossier: &str, place: usize, reason: &str) {
        if let Some(event) = event_at(&mut self.dossiers, dossier, place) {
            event.refused = true;
        }
        self.tally.refused += 1;
        self.fault(format!("{dossier}/{place}: refused: {reason}"));
    }

    /// The portal judged a call.
    pub fn recorded(&mut self, entry: &Entry) {
        if !entry.applied {
            self.tally.refused_by_portal += 1;
            return;
        }
        self.tally.applied += 1;
        match self.find_offer(entry) {
            Ok((place, part)) => self.apply(entry, place, part),
            Err(reason) => {
                self.tally.invented += 1;
                let (dossier, sequence) = (&entry.dossier, entry.sequence);
                self.fault(format!(
                    "{dossier}/{sequence:?}: the portal applied a call {reason}"
                ));
            }
        }
    }

    /// The place of the offer that a call carries out, and which of its two calls it is.
    fn find_offer(&mut self, entry: &Entry) -> Result<(usize, usize), &'static str> {
        let place = entry
            .sequence
            .and_then(|sequence| usize::try_from(sequence).ok());
        let place = place.ok_or("without a sequence")?;
        let key = entry.key.as_deref().ok_or("without a key")?;
        let event =
            event_at(&mut self.dossiers, &entry.dossier, place).ok_or("that nobody offered")?;
        let part = match entry.service {
            Service::SyncDossier => 0,
            Service::UpdateProgress => 1,
            Service::Login | Service::FindDossier => return Err("that is not a write"),
        };
        if event.refused {
            return Err("that had been refused for good");
        }
        let known = event
            .receipt
            .as_ref()
            .map(|receipt| receipt.event_id.as_str());
        if known
            .or(event.key.as_deref())
            .is_some_and(|known| known != key)
        {
            return Err("with the key of another event");
        }
        let occurred = entry
            .occurred
            .is_none_or(|occurred| occurred == event.offer.occurred);
        if entry.status != event.offer.status
            || !occurred
            || (part == 1 && entry.occurred.is_none())
        {
            return Err("with another status or time than offered");
        }
        event.key.get_or_insert_with(|| key.into());
        Ok((place, part))
    }

    fn apply(&mut self, entry: &Entry, place: usize, part: usize) {
        let Some(dossier) = self.dossiers.get_mut(&entry.dossier) else {
            return;
        };
        let call = 2 * (place - 1) + part;
        let (expected, event) = (dossier.next_call, &mut dossier.events[place - 1]);
        match event.applied[part] {
            None => {
                event.applied[part] = Some(entry.body_hash);
                let (delivered, epoch) = (event.is_delivered(), event.epoch);
                dossier.next_call = expected.max(call + 1);
                self.settled(delivered, epoch);
                if call != expected {
                    self.tally.out_of_order += 1;
                    self.fault(format!(
                        "{}/{place}: call {call} was applied when call {expected} was due",
                        entry.dossier
                    ));
                }
            }
            Some(first) if first == entry.body_hash => {
                self.tally.duplicates += 1;
                self.tally.stale_duplicates += u64::from(expected > 2 * place);
            }
            Some(_) => {
                self.tally.unequal += 1;
                self.fault(format!(
                    "{}/{place}: call {call} was repeated with other content",
                    entry.dossier
                ));
            }
        }
    }

    fn settled(&mut self, delivered: bool, epoch: u64) {
        if delivered {
            self.tally.delivered += 1;
            self.delivered_of_epoch += u64::from(epoch == self.epoch);
        }
    }

    /// From here on [`Self::delivered_of_epoch`] counts events acknowledged from here on.
    pub fn begin_epoch(&mut self) {
        self.epoch += 1;
        self.delivered_of_epoch = 0;
    }

    /// Events acknowledged and delivered since the epoch began.
    pub fn delivered_of_epoch(&self) -> u64 {
        self.delivered_of_epoch
    }

    /// Sums so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Acknowledged events that have not arrived: the losses, once everything has come to rest.
    pub fn missing(&self) -> impl Iterator<Item = (&str, usize)> {
        self.dossiers.iter().flat_map(|(code, dossier)| {
            let missing = |event: &Event| event.receipt.is_some() && !event.is_delivered();
            let places = dossier.events.iter().zip(1..);
            places
                .filter(move |(event, _)| missing(event))
                .map(move |(_, place)| (&**code, place))
        })
    }

    /// The number of acknowledged events by dossier.
    pub fn acknowledged_by_dossier(&self) -> BTreeMap<String, usize> {
        let acknowledged = |dossier: &Dossier| {
            dossier
                .events
                .iter()
                .filter(|event| event.receipt.is_some())
                .count()
        };
        self.dossiers
            .iter()
            .map(|(code, dossier)| (code.to_string(), acknowledged(dossier)))
            .collect()
    }

    /// Notes a fault found elsewhere.
    pub fn fault(&mut self, text: String) {
        if self.faults.len() < FAULTS_KEPT_MAX {
            self.faults.push(text);
        }
    }

    /// The first faults, as evidence.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    fn contradiction(&mut self, text: String) {
        self.tally.contradictory_receipts += 1;
        self.fault(text);
    }
}

fn event_at<'a>(
    dossiers: &'a mut BTreeMap<Box<str>, Dossier>,
    dossier: &str,
    place: usize,
) -> Option<&'a mut Event> {
    let events = &mut dossiers.get_mut(dossier)?.events;
    events.get_mut(place.checked_sub(1)?)
}

#[cfg(test)]
mod tests;
