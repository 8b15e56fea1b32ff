//! What a simulated population database can be told before it starts.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::access::LgspKeys;
use super::faults::FaultScript;
use super::reply::LayoutChoice;

const CITIZENS: u32 = 1_000_000;
/// Calls kept in the record by default, at about 250 bytes each.
const RECORD_ENTRIES_MAX: usize = 500_000;
/// `MaYeuCau` remembered by default, at about 40 bytes each.
const REQUEST_IDS_MAX: usize = 500_000;

/// What must agree before a look-up (037) shows a citizen; a match (003) is always exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gate {
    /// Number, name letter by letter, birth date.
    #[default]
    Exact,
    /// Number, name without diacritics, birth date.
    FoldDiacritics,
    /// The number alone.
    NumberOnly,
}

/// Unit of the header `Timestamp`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimestampUnit {
    /// Milliseconds, as most clients send it.
    #[default]
    Milliseconds,
    /// Seconds.
    Seconds,
}

/// How callers prove who they are.
#[derive(Clone, Default)]
pub enum Access {
    /// Everybody is admitted.
    #[default]
    Open,
    /// Headers `Timestamp` and `Authorization: Basic base64(user:hash)` on each call, where the hash
    /// is SHA-256 over service URL, user, timestamp and secret in lower-case hex.
    C06 {
        /// Secret by user.
        users: BTreeMap<String, String>,
        /// The URL that callers hash; absent, the one that `Bound::service_url` tells.
        service_url: Option<String>,
        /// Unit of the timestamp.
        unit: TimestampUnit,
        /// How far the timestamp may be off, either way.
        skew_max: Duration,
    },
    /// LGSP variant A: a token for the header `lgspaccesstoken`, and both on each call.
    Lgsp {
        /// What the header must say.
        keys: LgspKeys,
        /// How long a token is good for, in tokio time.
        token_lifetime: Duration,
    },
    /// LGSP variant B: a WSO2 token for Basic client credentials.
    Wso2 {
        /// Client id.
        client_id: String,
        /// Client secret.
        client_secret: String,
        /// How long a token is good for, in tokio time.
        token_lifetime: Duration,
    },
}

/// Settings of a simulated population database; the default suits a test.
#[derive(Clone, Debug)]
pub struct PopulationConfig {
    /// Citizens, answers' layouts and tokens follow from it.
    pub seed: u64,
    /// How many citizens there are, 1 to 50,000,000.
    pub citizens: u32,
    /// Path of the SOAP service; tokens are given out at `/token`.
    pub path: String,
    /// How callers prove who they are.
    pub access: Access,
    /// What a look-up compares.
    pub gate: Gate,
    /// How answers are laid out.
    pub layout: LayoutChoice,
    /// `MaYeuCau` remembered, so that a repeated one is refused; the oldest goes first.
    pub request_ids_max: usize,
    /// Calls kept in memory; a further one sets `truncated`.
    pub record_entries_max: usize,
    /// Unix time of the start in milliseconds; the tokio time passed since is added.
    pub started_at_ms: i64,
    /// Faults in force from the first call.
    pub faults: FaultScript,
}

impl Default for PopulationConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            citizens: CITIZENS,
            path: "/dancuquocgia/services".to_owned(),
            access: Access::default(),
            gate: Gate::default(),
            layout: LayoutChoice::default(),
            request_ids_max: REQUEST_IDS_MAX,
            record_entries_max: RECORD_ENTRIES_MAX,
            started_at_ms: 0,
            faults: FaultScript::default(),
        }
    }
}

/// Secrets never print themselves.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "Open",
            Self::C06 { .. } => "C06",
            Self::Lgsp { .. } => "Lgsp",
            Self::Wso2 { .. } => "Wso2",
        })
    }
}
