//! The database's memory and what a call does to it: tokens, used request ids, record, faults.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::access::{Tokens, admits, token_lifetime};
use super::config::{Access, Gate, PopulationConfig};
use super::faults::{Fault, FaultDice, FaultScript, Plan};
use super::gate::lets_pass;
use super::http::is_soap;
use super::record::{Entry, NumberHash, Outcome, Record, Stats};
use super::register::Population;
use super::reply::{Answer, Blame};
use super::request::{Refusal, Request, Service, Subject};
use super::used_ids::UsedIds;
use crate::error::SimulatorError;
use crate::trace;

#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) config: PopulationConfig,
    pub(crate) population: Arc<Population>,
    /// Cancelled when the simulator stops, so that delayed calls do not hold it up.
    pub(crate) closing: CancellationToken,
    /// What callers of C06 hash.
    service_url: String,
    started: Instant,
    in_flight: AtomicU64,
    in_flight_max: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: ChaCha8Rng,
    tokens: Tokens,
    used_ids: UsedIds,
    entries: Vec<Entry>,
    truncated: bool,
    dice: FaultDice,
    stats: Stats,
}

/// Why a call is not carried out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Unauthorized,
    MediaType,
    Malformed(String),
    Repeated,
}

/// A call that was judged and for which the dice were rolled.
pub(crate) struct Call {
    /// Number of the call since the start, from 1.
    pub(crate) number: u64,
    pub(crate) plan: Plan,
    pub(crate) judged: Result<Request, Refused>,
    service: Option<Service>,
    /// Where the record keeps it.
    entry: Option<usize>,
}

impl Desk {
    pub(crate) fn open(
        config: PopulationConfig,
        bound_url: String,
    ) -> Result<Self, SimulatorError> {
        let service_url = match &config.access {
            Access::C06 {
                service_url: Some(url),
                ..
            } => url.clone(),
            _ => bound_url,
        };
        let state = State {
            random: ChaCha8Rng::seed_from_u64(config.seed ^ config.started_at_ms.unsigned_abs()),
            tokens: Tokens::default(),
            used_ids: UsedIds::new(config.request_ids_max),
            entries: Vec::new(),
            truncated: false,
            dice: FaultDice::new(config.faults.clone())?,
            stats: Stats::default(),
        };
        Ok(Self {
            population: Arc::new(Population::new(config.seed, config.citizens)?),
            config,
            closing: CancellationToken::new(),
            service_url,
            started: Instant::now(),
            in_flight: AtomicU64::new(0),
            in_flight_max: AtomicU64::new(0),
            state: Mutex::new(state),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no code panics while it holds the lock")
    }

    pub(crate) fn service_url(&self) -> &str {
        &self.service_url
    }

    pub(crate) fn record(&self) -> Record {
        let state = self.state();
        Record {
            entries: state.entries.clone(),
            truncated: state.truncated,
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = self.state();
        Stats {
            in_flight: self.in_flight.load(Ordering::Relaxed),
            in_flight_max: self.in_flight_max.load(Ordering::Relaxed),
            record_truncated: state.truncated,
            ..state.stats.clone()
        }
    }

    pub(crate) fn faults(&self) -> FaultScript {
        self.state().dice.script().clone()
    }

    pub(crate) fn set_faults(&self, script: FaultScript) -> Result<(), SimulatorError> {
        self.state().dice = FaultDice::new(script)?;
        Ok(())
    }

    /// Counts a call as in flight until the guard is dropped.
    pub(crate) fn take_off(self: &Arc<Self>) -> Flight {
        let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.in_flight_max.fetch_max(now, Ordering::Relaxed);
        Flight(Arc::clone(self))
    }

    /// Judges a call to the SOAP service and rolls the dice for it.
    pub(crate) fn receive(&self, headers: &HeaderMap, bytes: &[u8]) -> Call {
        let read = Request::read(bytes);
        let service = match &read {
            Ok(request) => Some(request.service),
            Err(refusal) => refusal.service,
        };
        let now_ms = self.now_ms();
        let entry = read
            .as_ref()
            .ok()
            .map(|request| self.entry(request, headers, now_ms));
        let mut state = self.state();
        let plan = state.plan(service);
        let access = &self.config.access;
        let judged = if !admits(access, &self.service_url, &state.tokens, headers, now_ms) {
            Err(Refused::Unauthorized)
        } else if is_soap(headers) {
            state.judge(headers, read)
        } else {
            Err(Refused::MediaType)
        };
        Call {
            number: state.stats.calls,
            plan,
            judged,
            service,
            entry: entry.and_then(|entry| state.add(entry, self.config.record_entries_max)),
        }
    }

    fn entry(&self, request: &Request, headers: &HeaderMap, at_ms: i64) -> Entry {
        Entry {
            at_ms,
            service: request.service,
            request_id: request.id.as_str().into(),
            official: request.official.as_str().into(),
            procedure: request.procedure.as_str().into(),
            citizen: NumberHash::of_subject(self.config.seed, &request.subject),
            outcome: Outcome::Pending,
            trace: trace::read(headers),
        }
    }

    /// Rolls the dice for a call for a token.
    pub(crate) fn plan_token(&self) -> Plan {
        self.state().plan(Some(Service::Token))
    }

    /// Writes down what came of a call.
    pub(crate) fn finish(&self, call: &Call, outcome: Outcome) {
        let mut state = self.state();
        state.stats.add(call.service, outcome);
        if let Some(entry) = call.entry {
            state.entries[entry].outcome = outcome;
        }
    }

    pub(crate) fn finish_token(&self, outcome: Outcome) {
        self.state().stats.add(Some(Service::Token), outcome);
    }

    /// What the database says to a request that is in order.
    pub(crate) fn answer(&self, request: &Request) -> (Outcome, Answer) {
        let person = match &request.subject {
            Subject::Number(number) => self.population.person(number),
            Subject::OldNumber(number) => self.population.person_by_old_number(number),
        };
        let gate = match request.service {
            Service::LookUp => self.config.gate,
            Service::Match | Service::Token => Gate::Exact,
        };
        let outcome = match &person {
            None => Outcome::Unknown,
            Some(person) if lets_pass(gate, request, person) => Outcome::Found,
            Some(_) => Outcome::Mismatch,
        };
        let is_found = outcome == Outcome::Found;
        let answer = match request.service {
            Service::LookUp => Answer::Person(
                person
                    .filter(|_| is_found)
                    .map(|person| Box::new(self.population.complete(&person))),
            ),
            Service::Match | Service::Token => Answer::Exists(is_found),
        };
        (outcome, answer)
    }

    /// The entry of somebody who was not asked about.
    pub(crate) fn other_person(&self, request: &Request) -> Answer {
        let asked = match &request.subject {
            Subject::Number(number) => self.population.find(number),
            Subject::OldNumber(number) => self.population.find_old(number),
        };
        let other = asked.map_or_else(
            || self.population.citizen(0),
            |citizen| self.population.neighbour(&citizen),
        );
        Answer::Person(Some(Box::new(other)))
    }

    /// A new token and its lifetime, for the right credentials.
    pub(crate) fn give_token(&self, headers: &HeaderMap) -> Option<(String, Duration)> {
        let lifetime = token_lifetime(&self.config.access, headers)?;
        let mut state = self.state();
        let token = hex::encode(state.random.random::<[u8; 16]>());
        state.tokens.give(&token, lifetime);
        Some((token, lifetime))
    }

    fn now_ms(&self) -> i64 {
        let passed_ms = i64::try_from(self.started.elapsed().as_millis());
        self.config
            .started_at_ms
            .saturating_add(passed_ms.unwrap_or(i64::MAX))
    }
}

impl Refused {
    /// What the caller is told in a SOAP fault; nothing where HTTP says it.
    pub(crate) fn to_fault(&self) -> Option<Answer> {
        let sentence = match self {
            Self::Unauthorized | Self::MediaType => return None,
            Self::Malformed(reason) => reason.clone(),
            Self::Repeated => "MaYeuCau đã được sử dụng".to_owned(),
        };
        Some(Answer::Fault(Blame::Client, sentence))
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Unauthorized => Outcome::Unauthorized,
            Self::MediaType | Self::Malformed(_) => Outcome::Malformed,
            Self::Repeated => Outcome::Repeated,
        }
    }
}

impl State {
    fn plan(&mut self, service: Option<Service>) -> Plan {
        self.stats.calls += 1;
        let plan = self.dice.roll(service);
        for name in &plan.names {
            match self.stats.faults.get_mut(*name) {
                Some(count) => *count += 1,
                None => {
                    self.stats.faults.insert((*name).to_owned(), 1);
                }
            }
        }
        if plan.strike == Some(Fault::ExpireTokens) {
            self.tokens.clear();
        }
        plan
    }

    fn judge(
        &mut self,
        headers: &HeaderMap,
        read: Result<Request, Refusal>,
    ) -> Result<Request, Refused> {
        let action = headers.get("SOAPAction").map(HeaderValue::as_bytes);
        if !matches!(action, Some(b"" | b"\"\"")) {
            return Err(Refused::Malformed("SOAPAction phải là \"\"".to_owned()));
        }
        let request = read.map_err(|refusal| Refused::Malformed(refusal.reason))?;
        if self.used_ids.is_new(&request.id) {
            Ok(request)
        } else {
            Err(Refused::Repeated)
        }
    }

    fn add(&mut self, entry: Entry, entries_max: usize) -> Option<usize> {
        if self.entries.len() >= entries_max {
            self.truncated = true;
            return None;
        }
        self.entries.push(entry);
        Some(self.entries.len() - 1)
    }
}

/// One call in flight.
#[derive(Debug)]
pub(crate) struct Flight(Arc<Desk>);

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
