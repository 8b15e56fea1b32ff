//! What a simulated portal can be told before it starts.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::faults::FaultScript;

/// Entries kept in memory by default, at about 250 bytes each.
const RECORD_ENTRIES_MAX: usize = 500_000;

/// How `error_code` is written: the real portal and its proxies do not agree among themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorCodeStyle {
    /// Each answer in the next of the three styles below, so that no adapter relies on one.
    #[default]
    Alternate,
    /// A JSON number: `0`, `-1`.
    Number,
    /// A JSON string: `"0"`, `"-1"`.
    Text,
    /// A JSON string with success padded: `"00"`, `"-1"`.
    PaddedText,
}

/// Settings of a simulated portal; the default suits a test.
#[derive(Clone)]
pub struct PortalConfig {
    /// Path before `/mapi/login` and `/mapi/g`.
    pub prefix: String,
    /// How `error_code` is written.
    pub error_code_style: ErrorCodeStyle,
    /// How long a session is good for after its login, in tokio time.
    pub session_lifetime: Duration,
    /// Password by user name; empty admits everybody who gives both.
    pub accounts: BTreeMap<String, String>,
    /// Whether fields outside the known table pass; off, the simulator refuses them by name.
    pub unknown_fields_allowed: bool,
    /// Appends each entry as one JSON line, flushed before the call is answered.
    pub record_file: Option<PathBuf>,
    /// Entries kept in memory; further ones only go to the file and set `truncated`.
    pub record_entries_max: usize,
    /// Unix time of the start in milliseconds; entries add the tokio time passed since.
    pub started_at_ms: i64,
    /// Makes session tokens differ between runs that must not share them.
    pub seed: u64,
    /// Faults in force from the first call.
    pub faults: FaultScript,
}

impl Default for PortalConfig {
    fn default() -> Self {
        Self {
            prefix: "/VXPAdapter/RestService/forward".to_owned(),
            error_code_style: ErrorCodeStyle::default(),
            session_lifetime: Duration::from_mins(10),
            accounts: BTreeMap::new(),
            unknown_fields_allowed: false,
            record_file: None,
            record_entries_max: RECORD_ENTRIES_MAX,
            started_at_ms: 0,
            seed: 0,
            faults: FaultScript::default(),
        }
    }
}

/// Passwords never print themselves.
impl fmt::Debug for PortalConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalConfig")
            .field("prefix", &self.prefix)
            .field("session_lifetime", &self.session_lifetime)
            .field("accounts", &self.accounts.len())
            .field("record_file", &self.record_file)
            .finish_non_exhaustive()
    }
}
