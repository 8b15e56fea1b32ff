//! What the simulator remembers of the requests it read: compact, bounded, and no number of anybody.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::request::{Service, Subject};

/// A number of twelve or nine digits under a hash keyed with the seed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NumberHash([u8; 16]);

impl NumberHash {
    /// The hash of a number in the record of a simulator with this seed.
    pub fn of(seed: u64, number: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"lienthong population simulator");
        hasher.update(seed.to_le_bytes());
        hasher.update(number);
        let mut short = [0; 16];
        short.copy_from_slice(&hasher.finalize()[..16]);
        Self(short)
    }

    pub(crate) fn of_subject(seed: u64, subject: &Subject) -> Self {
        let (Subject::Number(number) | Subject::OldNumber(number)) = subject;
        Self::of(seed, number)
    }
}

impl fmt::Debug for NumberHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl From<NumberHash> for String {
    fn from(hash: NumberHash) -> Self {
        hex::encode(hash.0)
    }
}

impl TryFrom<String> for NumberHash {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, hex::FromHexError> {
        let mut hash = [0; 16];
        hex::decode_to_slice(text, &mut hash).map(|()| Self(hash))
    }
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// 037 showed the citizen, or 003 said true.
    Found,
    /// Nobody has that number. On the wire it looks like a mismatch.
    Unknown,
    /// Somebody has that number, but not that name or birth date.
    Mismatch,
    /// A token was given out.
    TokenGiven,
    /// HTTP 401.
    Unauthorized,
    /// The request was refused with a SOAP fault, or its HTTP was wrong.
    Malformed,
    /// The `MaYeuCau` had been used before.
    Repeated,
    /// A scripted fault took the place of the answer.
    Struck,
    /// Not answered yet, or its client went away first. Only entries show it, not counters.
    Pending,
}

impl Outcome {
    /// Whether the caller learnt what it asked.
    pub fn is_answer(self) -> bool {
        matches!(self, Self::Found | Self::Unknown | Self::Mismatch)
    }
}

/// One request that could be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Unix time in milliseconds: the configured start plus the tokio time passed.
    pub at_ms: i64,
    /// The service called.
    pub service: Service,
    /// `MaYeuCau`.
    pub request_id: Box<str>,
    /// `MaCanBo`.
    pub official: Box<str>,
    /// `MaDVC`.
    pub procedure: Box<str>,
    /// `SoDinhDanh` or `SoCMND` under a hash.
    pub citizen: NumberHash,
    /// What came of it.
    pub outcome: Outcome,
    /// Header `traceparent`, cut at 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Box<str>>,
}

/// Everything recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// In the order in which the calls were judged.
    pub entries: Vec<Entry>,
    /// Entries are missing because the bound was reached.
    pub truncated: bool,
}

/// How often one number was asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CitizenCalls {
    /// Requests that could be read.
    pub asked: u64,
    /// Those whose right answer was sent.
    pub answered: u64,
}

impl Record {
    /// Calls per number, as far as the entries reach.
    pub fn by_citizen(&self) -> BTreeMap<NumberHash, CitizenCalls> {
        let mut calls: BTreeMap<_, CitizenCalls> = BTreeMap::new();
        for entry in &self.entries {
            let calls = calls.entry(entry.citizen).or_default();
            calls.asked += 1;
            calls.answered += u64::from(entry.outcome.is_answer());
        }
        calls
    }
}

/// Counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Calls of any kind whose body arrived.
    pub calls: u64,
    /// Outcomes by service.
    pub outcomes: BTreeMap<Service, BTreeMap<Outcome, u64>>,
    /// Outcomes of calls whose service could not be told.
    pub outcomes_without_service: BTreeMap<Outcome, u64>,
    /// Faults that struck, by name.
    pub faults: BTreeMap<String, u64>,
    /// Calls being answered now; one whose client went away no longer counts.
    pub in_flight: u64,
    /// The most that were ever being answered at once.
    pub in_flight_max: u64,
    /// The record reached its bound.
    pub record_truncated: bool,
}

impl Stats {
    /// How often a service ended in an outcome.
    pub fn count(&self, service: Service, outcome: Outcome) -> u64 {
        let of_service = self.outcomes.get(&service);
        of_service
            .and_then(|outcomes| outcomes.get(&outcome))
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn add(&mut self, service: Option<Service>, outcome: Outcome) {
        let outcomes = match service {
            Some(service) => self.outcomes.entry(service).or_default(),
            None => &mut self.outcomes_without_service,
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
}
