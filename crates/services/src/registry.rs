//! The participants registry: who may connect, with which keys, how fast, and what it may ask about citizens.

mod file;
mod grants;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock};
use lienthong_domain::identity::{Grant, Purpose, PurposeCode};
use lienthong_domain::participant::{Caller, Participant, ParticipantId};
use lienthong_domain::{ErrorCode, Timestamp};

use crate::error::Error;
use crate::seen::{Lags, ParticipantState, Tally};

/// Events a second a participant may push, sustained, unless the file says otherwise.
pub const RATE_PER_SECOND_DEFAULT: u32 = 2_000;
/// Seconds of its rate that a participant may use at once after being idle.
const BURST_SECONDS: u32 = 2;
/// A burst always has room for the largest batch, whatever the rate.
const BURST_EVENTS_MIN: u32 = 1_000;

/// An immutable picture of the participants; replaced whole when the file changes.
pub struct Registry {
    participants: BTreeMap<ParticipantId, Entry>,
    purposes: BTreeMap<PurposeCode, Purpose>,
}

struct Entry {
    participant: Arc<Participant>,
    limiter: DefaultDirectRateLimiter,
    /// One per system, same order.
    tallies: Vec<Arc<Tally>>,
    lags: Arc<Lags>,
}

impl Registry {
    /// Reads the participants file.
    ///
    /// # Errors
    /// Every fault of the file, each a sentence that names the participant.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let file: file::File = toml::from_str(text).map_err(|error| vec![error.to_string()])?;
        let mut faults = Vec::new();
        let terms = grants::Terms::read(file.purpose, file.quota_class, &mut faults);
        let mut participants = BTreeMap::new();
        for entry in file.participant {
            let id = entry.id.clone();
            match entry.read(&terms) {
                Ok(participant) => {
                    let limiter = limiter(participant.rate_per_second_max);
                    let key = participant.id.clone();
                    let entry = Entry {
                        tallies: participant.systems.iter().map(|_| Arc::default()).collect(),
                        participant: Arc::new(participant),
                        limiter,
                        lags: Arc::default(),
                    };
                    if participants.insert(key, entry).is_some() {
                        faults.push(format!("participant {id}: listed twice"));
                    }
                }
                Err(more) => {
                    faults.extend(
                        more.into_iter()
                            .map(|fault| format!("participant {id}: {fault}")),
                    );
                }
            }
        }
        if faults.is_empty() {
            Ok(Self {
                participants,
                purposes: terms.purposes,
            })
        } else {
            Err(faults)
        }
    }

    /// A participant by its id.
    pub fn participant(&self, id: &ParticipantId) -> Option<&Arc<Participant>> {
        self.participants.get(id).map(|entry| &entry.participant)
    }

    /// What a system of a participant may ask for a purpose.
    pub fn grant(
        &self,
        participant: &ParticipantId,
        system: &str,
        purpose: &PurposeCode,
    ) -> Option<&Grant> {
        let systems = &self.participant(participant)?.systems;
        let system = systems.iter().find(|known| *known.name == *system)?;
        system.grant(purpose)
    }

    /// A purpose by its code.
    pub fn purpose(&self, code: &PurposeCode) -> Option<&Purpose> {
        self.purposes.get(code)
    }

    /// Every purpose, by code.
    pub fn purposes(&self) -> impl Iterator<Item = &Purpose> {
        self.purposes.values()
    }

    /// The registered participants, by id.
    pub fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.participants.values().map(|entry| &*entry.participant)
    }

    /// Who a certificate's holder is.
    ///
    /// # Errors
    /// As [`Services::caller`](crate::Services::caller).
    pub fn caller(
        &self,
        participant: &str,
        system: &str,
        spki_sha256: &[u8; 32],
    ) -> Result<Caller, Error> {
        let unknown = || Error::new(ErrorCode::ParticipantUnknown);
        let id = ParticipantId::parse(participant).map_err(|_| unknown())?;
        let participant = &self.participants.get(&id).ok_or_else(unknown)?.participant;
        let system = participant
            .systems
            .iter()
            .find(|known| *known.name == *system)
            .ok_or_else(unknown)?;
        if !participant.active {
            return Err(Error::new(ErrorCode::ParticipantSuspended));
        }
        if !system.pins.is_empty() && !system.pins.contains(spki_sha256) {
            return Err(Error::new(ErrorCode::CertificateNotPinned));
        }
        Ok(Caller {
            participant: participant.clone(),
            system: system.name.clone(),
            role: system.role,
        })
    }

    /// Takes over what `former` saw of the systems that are still registered.
    pub(crate) fn adopt(&mut self, former: &Self) {
        for (id, entry) in &mut self.participants {
            let Some(known) = former.participants.get(id) else {
                continue;
            };
            entry.lags = known.lags.clone();
            for (system, tally) in entry.participant.systems.iter().zip(&mut entry.tallies) {
                if let Some(seen) = known.tally(&system.name) {
                    *tally = seen.clone();
                }
            }
        }
    }

    /// The counts of a caller's system; `None` once it is no longer registered.
    pub(crate) fn tally(&self, caller: &Caller) -> Option<&Tally> {
        let entry = self.participants.get(&caller.participant.id)?;
        entry.tally(&caller.system).map(|tally| &**tally)
    }

    /// The lags of a participant's events.
    pub(crate) fn lags(&self, id: &ParticipantId) -> Option<&Lags> {
        self.participants.get(id).map(|entry| &*entry.lags)
    }

    /// Every participant as it was seen, by id.
    pub(crate) fn states(&self, now: Timestamp) -> impl Iterator<Item = ParticipantState> {
        self.participants
            .values()
            .map(move |entry| ParticipantState {
                participant: entry.participant.clone(),
                systems: entry.tallies.iter().map(|tally| tally.state()).collect(),
                lateness: entry.lags.lateness(now),
            })
    }

    /// Takes `events` from the participant's rate.
    ///
    /// # Errors
    /// `RATE_EXCEEDED` with the wait.
    pub(crate) fn admit(&self, participant: &ParticipantId, events: u32) -> Result<(), Error> {
        let entry = self
            .participants
            .get(participant)
            .ok_or_else(|| Error::new(ErrorCode::ParticipantUnknown))?;
        let Some(events) = NonZeroU32::new(events) else {
            return Ok(());
        };
        let exceeded = || {
            let rate = entry.participant.rate_per_second_max;
            Error::new(ErrorCode::RateExceeded).with("rate_per_second_max", rate)
        };
        match entry.limiter.check_n(events) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => {
                let now = clock::Clock::now(entry.limiter.clock());
                Err(exceeded().retry_after(until.wait_time_from(now)))
            }
            // More than a whole burst at once: never admitted, so no wait is named.
            Err(_) => Err(exceeded()),
        }
    }
}

impl Entry {
    fn tally(&self, system: &str) -> Option<&Arc<Tally>> {
        let mut systems = self.participant.systems.iter();
        let index = systems.position(|known| *known.name == *system)?;
        self.tallies.get(index)
    }
}

fn limiter(rate: u32) -> DefaultDirectRateLimiter {
    let per_second = NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN);
    let burst = rate.saturating_mul(BURST_SECONDS).max(BURST_EVENTS_MIN);
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    RateLimiter::direct(Quota::per_second(per_second).allow_burst(burst))
}

#[cfg(test)]
mod tests {
    use lienthong_domain::participant::Role;

    use super::*;

    const FILE: &str = r#"
        [[participant]]
        id = "H21"
        name = "Tỉnh Gia Lai"
        rate_per_second_max = 10
        [[participant.system]]
        name = "motcua"
        role = "push"
        pins = ["sha256:0000000000000000000000000000000000000000000000000000000000000000"]
        [[participant]]
        id = "H56"
        name = "Tỉnh Thanh Hóa"
        active = false
        [[participant.system]]
        name = "motcua"
        role = "push"
    "#;

    const EARLIER_SYSTEM: &str = "[[participant.system]]
        name = \"cu\"
        role = \"push\"
        [[participant.system]]";

    fn code(result: Result<Caller, Error>) -> ErrorCode {
        result.expect_err("refused").code
    }

    #[test]
    fn only_registered_active_and_pinned_callers_come_in() {
        let registry = Registry::parse(FILE).unwrap();
        let caller = registry.caller("H21", "motcua", &[0; 32]).unwrap();
        assert_eq!(caller.role, Role::Push);
        assert_eq!(
            code(registry.caller("H21", "motcua", &[1; 32])),
            ErrorCode::CertificateNotPinned
        );
        assert_eq!(
            code(registry.caller("H21", "other", &[0; 32])),
            ErrorCode::ParticipantUnknown
        );
        assert_eq!(
            code(registry.caller("H99", "motcua", &[0; 32])),
            ErrorCode::ParticipantUnknown
        );
        assert_eq!(
            code(registry.caller("H56", "motcua", &[0; 32])),
            ErrorCode::ParticipantSuspended
        );
    }

    #[test]
    fn a_burst_is_admitted_and_then_the_rate_holds() {
        let registry = Registry::parse(FILE).unwrap();
        let id = ParticipantId::parse("H21").unwrap();
        assert!(registry.admit(&id, BURST_EVENTS_MIN).is_ok());
        let refused = registry.admit(&id, 5).expect_err("the burst is used up");
        assert_eq!(refused.code, ErrorCode::RateExceeded);
        assert!(refused.retry_after.is_some());
    }

    #[test]
    fn a_changed_file_keeps_what_was_seen_of_those_that_stay() {
        let former = Registry::parse(FILE).unwrap();
        let caller = former.caller("H21", "motcua", &[0; 32]).unwrap();
        let now = Timestamp::from_second(1_760_000_000).unwrap();
        former.tally(&caller).unwrap().accepted(3);
        let lags = former.lags(&caller.participant.id).unwrap();
        lags.note(now, [now].into_iter());
        let grown = FILE.replacen("[[participant.system]]", EARLIER_SYSTEM, 1);
        let mut registry = Registry::parse(&grown).unwrap();
        registry.adopt(&former);
        assert_eq!(registry.tally(&caller).unwrap().state().accepted, 3);
        let states = registry.states(now).collect::<Vec<_>>();
        let accepted = states[0].systems.iter().map(|system| system.accepted);
        assert_eq!(accepted.collect::<Vec<_>>(), [0, 3]);
        assert_eq!(states[0].lateness.unwrap().events, 1);
        assert_eq!(states[1].lateness, None);
    }

    #[test]
    fn every_fault_of_the_file_is_named() {
        let text = r#"
            [[participant]]
            id = "h21"
            name = ""
            rate_per_second_max = 0
            [[participant]]
            id = "H56"
            name = "Thanh Hóa"
            [[participant.system]]
            name = "motcua"
            role = "push"
            pins = ["00"]
        "#;
        let faults = Registry::parse(text).err().unwrap();
        assert_eq!(faults.len(), 4, "{faults:#?}");
    }
}
