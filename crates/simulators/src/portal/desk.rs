//! The portal's memory and what a call does to it: sessions, known dossiers, record, faults.
//! One lock covers a whole call, so the order of the record is the order of the effects.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::SimulatorError;
use super::answer::Answer;
use super::call::{Call, Service, text};
use super::config::PortalConfig;
use super::faults::{FaultDice, FaultScript, Plan};
use super::judge::{Item, Order, judge};
use super::record::{Entry, Record, Recorder};

/// Sessions remembered; the oldest goes first.
const SESSIONS_MAX: usize = 4_096;
/// Dossiers remembered, at about 100 bytes each; further inserts are refused.
const DOSSIERS_MAX: usize = 2_000_000;
/// Characters of a dossier code kept in the record; a code that fits no form may be any text.
const CODE_CHARS_MAX: usize = 64;

/// Counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Calls of any kind that were read, whatever came of them.
    pub calls: u64,
    /// Calls carried out with `error_code` 0, by service.
    pub done: BTreeMap<Service, u64>,
    /// Calls answered with another `error_code`.
    pub refused: u64,
    /// Dossiers inserted.
    pub inserted: u64,
    /// Dossiers updated.
    pub updated: u64,
    /// Progress lines taken.
    pub progress_lines: u64,
    /// Faults that struck, by name.
    pub faults: BTreeMap<String, u64>,
    /// The record reached its bound in memory.
    pub record_truncated: bool,
    /// The record file could not be written at least once.
    pub record_file_failed: bool,
}

#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) config: PortalConfig,
    /// Cancelled when the simulator stops, so that delayed calls do not hold it up.
    pub(crate) closing: CancellationToken,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: ChaCha8Rng,
    sessions: HashMap<String, Instant>,
    sessions_by_age: VecDeque<String>,
    statuses: HashMap<String, u8>,
    recorder: Recorder,
    dice: FaultDice,
    stats: Stats,
    answers: u64,
    recorded_calls: u64,
}

impl Desk {
    pub(crate) fn open(config: PortalConfig) -> Result<Self, SimulatorError> {
        let dice = FaultDice::new(config.faults.clone())?;
        let recorder = Recorder::open(config.record_entries_max, config.record_file.as_deref())?;
        let state = State {
            random: ChaCha8Rng::seed_from_u64(config.seed ^ config.started_at_ms.unsigned_abs()),
            sessions: HashMap::new(),
            sessions_by_age: VecDeque::new(),
            statuses: HashMap::new(),
            recorder,
            dice,
            stats: Stats::default(),
            answers: 0,
            recorded_calls: 0,
        };
        let closing = CancellationToken::new();
        Ok(Self {
            config,
            closing,
            started: Instant::now(),
            state: Mutex::new(state),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no code panics while it holds the lock")
    }

    pub(crate) fn record(&self) -> Record {
        // Summaries take a while on a long record; calls must not wait for them.
        let (entries, truncated) = {
            let state = self.state();
            (state.recorder.entries(), state.recorder.is_truncated())
        };
        Record::of(entries, truncated)
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = self.state();
        Stats {
            record_truncated: state.recorder.is_truncated(),
            record_file_failed: state.recorder.has_file_failed(),
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

    /// Counts the call and rolls the dice for it.
    pub(crate) fn plan(&self, call: &Call) -> Plan {
        let mut state = self.state();
        state.stats.calls += 1;
        let plan = state.dice.roll(call.service, &call.dossier_codes());
        for name in &plan.names {
            *state.stats.faults.entry((*name).to_owned()).or_default() += 1;
        }
        plan
    }

    /// The JSON text of an answer in the style whose turn it is.
    pub(crate) fn write(&self, answer: &Answer) -> String {
        let mut state = self.state();
        let number = state.answers;
        state.answers += 1;
        answer.to_json(self.config.error_code_style, number)
    }

    /// Carries a call out and records it.
    pub(crate) fn carry_out(&self, call: &Call) -> Answer {
        let order = judge(call, self.config.unknown_fields_allowed);
        let mut state = self.state();
        let is_login = call.service == Some(Service::Login);
        if call.body.is_ok() && !is_login && !self.is_session_good(&state, call.session()) {
            state.stats.refused += 1;
            return Answer::session_over();
        }
        let answer = match &order {
            Ok(order) => self.effect(&mut state, call, order),
            Err(refusal) => refusal.clone(),
        };
        self.note(&mut state, call, order.ok().as_ref(), &answer);
        answer
    }

    /// Answers without an effect, and records that there was none.
    pub(crate) fn refuse(&self, call: &Call, message: &str) -> Answer {
        let answer = Answer::refused(message);
        let order = judge(call, self.config.unknown_fields_allowed).ok();
        self.note(&mut self.state(), call, order.as_ref(), &answer);
        answer
    }

    /// Ends the caller's session as if its time were over.
    pub(crate) fn end_session(&self, call: &Call) -> Answer {
        let mut state = self.state();
        if let Some(session) = call.session() {
            state.sessions.remove(session);
        }
        state.stats.refused += 1;
        Answer::session_over()
    }

    fn is_session_good(&self, state: &State, session: Option<&str>) -> bool {
        session
            .and_then(|session| state.sessions.get(session))
            .is_some_and(|since| since.elapsed() < self.config.session_lifetime)
    }

    fn effect(&self, state: &mut State, call: &Call, order: &Order) -> Answer {
        match order {
            Order::Login => self.log_in(state, call),
            Order::Sync {
                updating: false,
                dossiers,
            } => state.insert(dossiers),
            Order::Sync {
                updating: true,
                dossiers,
            } => state.update(dossiers),
            Order::Progress { lines } => state.add_progress(lines),
            Order::Find { dossier } => state.find(dossier),
        }
    }

    fn log_in(&self, state: &mut State, call: &Call) -> Answer {
        let field = |name| call.body.as_ref().ok().and_then(|body| text(body, name));
        let (user, password) = (field("username"), field("password"));
        let accounts = &self.config.accounts;
        let known = user.and_then(|user| accounts.get(user)).map(String::as_str);
        if accounts.is_empty() || (known.is_some() && known == password) {
            Answer::done_with("session", json!(state.open_session()))
        } else {
            Answer::refused("Sai tên đăng nhập hoặc mật khẩu")
        }
    }

    /// Counts the outcome, and records a call that writes: one entry per dossier or line.
    fn note(&self, state: &mut State, call: &Call, order: Option<&Order>, answer: &Answer) {
        match (answer.is_done(), call.service) {
            (true, Some(service)) => *state.stats.done.entry(service).or_default() += 1,
            _ => state.stats.refused += 1,
        }
        let Some(service @ (Service::SyncDossier | Service::UpdateProgress)) = call.service else {
            return;
        };
        state.recorded_calls += 1;
        for item in items_to_record(call, order) {
            let passed_ms = i64::try_from(self.started.elapsed().as_millis());
            state.recorder.add(Entry {
                at_ms: self
                    .config
                    .started_at_ms
                    .saturating_add(passed_ms.unwrap_or(i64::MAX)),
                call: state.recorded_calls,
                service,
                dossier: item.dossier.into(),
                status: item.status,
                occurred: item.occurred,
                key: call.marks.key.clone(),
                sequence: call.marks.sequence,
                body_hash: call.hash,
                applied: answer.is_done(),
                refusal: (!answer.is_done()).then(|| answer.message.as_str().into()),
                trace: call.marks.trace.clone(),
            });
        }
    }
}

/// The items of a call; of one that could not be read, as far as its codes can be seen.
fn items_to_record(call: &Call, order: Option<&Order>) -> Vec<Item> {
    if let Some(
        Order::Sync {
            dossiers: items, ..
        }
        | Order::Progress { lines: items },
    ) = order
    {
        return items.clone();
    }
    let code = call.dossier_codes().into_iter().next().unwrap_or_default();
    let dossier = code.chars().take(CODE_CHARS_MAX).collect();
    vec![Item {
        dossier,
        status: 0,
        occurred: None,
    }]
}

impl State {
    fn open_session(&mut self) -> String {
        if self.sessions_by_age.len() == SESSIONS_MAX
            && let Some(oldest) = self.sessions_by_age.pop_front()
        {
            self.sessions.remove(&oldest);
        }
        let session = hex::encode(self.random.random::<[u8; 16]>());
        self.sessions.insert(session.clone(), Instant::now());
        self.sessions_by_age.push_back(session.clone());
        session
    }

    // A call with several items takes effect as a whole or not at all.

    fn insert(&mut self, dossiers: &[Item]) -> Answer {
        if dossiers
            .iter()
            .any(|item| self.statuses.contains_key(&item.dossier))
        {
            return Answer::exists();
        }
        if self.statuses.len() + dossiers.len() > DOSSIERS_MAX {
            return Answer::refused("Hệ thống đã đầy");
        }
        self.stats.inserted += count(dossiers);
        self.remember(dossiers)
    }

    fn update(&mut self, dossiers: &[Item]) -> Answer {
        if let Some(refusal) = self.first_unknown(dossiers) {
            return refusal;
        }
        self.stats.updated += count(dossiers);
        self.remember(dossiers)
    }

    fn add_progress(&mut self, lines: &[Item]) -> Answer {
        if let Some(refusal) = self.first_unknown(lines) {
            return refusal;
        }
        // The dossier's own status comes with DongBoHoSoMC; a line is only added to its history.
        self.stats.progress_lines += count(lines);
        Answer::done()
    }

    fn find(&self, dossier: &str) -> Answer {
        let found = self
            .statuses
            .get(dossier)
            .map(|status| json!({ "MaHoSo": dossier, "TrangThaiHoSo": status.to_string() }));
        Answer::done_with("result", found.into_iter().collect())
    }

    fn first_unknown(&self, items: &[Item]) -> Option<Answer> {
        let unknown = items
            .iter()
            .find(|item| !self.statuses.contains_key(&item.dossier))?;
        Some(Answer::refused(format!(
            "Hồ sơ {} không tồn tại",
            unknown.dossier
        )))
    }

    fn remember(&mut self, dossiers: &[Item]) -> Answer {
        for item in dossiers {
            self.statuses.insert(item.dossier.clone(), item.status);
        }
        Answer::done()
    }
}

fn count(items: &[Item]) -> u64 {
    u64::try_from(items.len()).expect("a call holds at most a hundred items")
}
