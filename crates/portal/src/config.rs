//! What can be set about the portal: addresses, credentials, names, code lists and limits.
//!
//! The official specification is not public. Defaults come from public client code of provincial
//! systems (2020-2025), so every one of them can be changed.

mod check;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use lienthong_domain::{AgencyCode, DestinationName, Private};
use serde::Deserialize;

/// Settings of one portal; the default lacks addresses and credentials.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Name of the destination.
    pub name: DestinationName,
    /// Whole address of the login, usually `…/mapi/login`.
    pub login_url: String,
    /// Whole address of all other calls, usually `…/mapi/g`.
    pub data_url: String,
    /// Whether `http://` addresses are taken; for development only.
    pub allow_plaintext: bool,
    /// PEM file of the authorities to trust instead of the usual ones; the HTTP client reads it.
    pub ca_file: Option<PathBuf>,
    /// Member code of the portal at the exchange platform; empty sends none.
    pub dstcode: String,
    /// Where `dstcode` is written.
    pub dstcode_in: DstcodePlace,
    /// Further headers of every call; their values may be keys and never print themselves.
    pub headers: BTreeMap<String, Private<String>>,
    /// Whether data calls carry `Idempotency-Key` (event id) and `Dossier-Sequence`.
    pub send_sequence_headers: bool,
    /// User of the login, normally the agency code.
    pub username: String,
    /// Its password.
    pub password: Private<String>,
    /// Which agency code the calls name in `madonvi`.
    pub agency: Agency,
    /// How long a session is used, in seconds. Source: clients keep theirs ten minutes.
    pub session_seconds: u64,
    /// Shortest time between a failed login and the next, in milliseconds.
    pub failed_login_pause_ms: u64,
    /// Longest wait for a connection, in milliseconds; the HTTP client keeps it.
    pub connect_timeout_ms: u64,
    /// Longest single call, in milliseconds, within the time the caller gives. Source: clients wait 60 s.
    pub request_timeout_ms_max: u64,
    /// Largest answer that is read, in bytes.
    pub body_bytes_max: usize,
    /// Names of the services.
    pub services: Services,
    /// Names of the fields of an answer.
    pub answer_fields: AnswerFields,
    /// What the portal's codes and phrases mean.
    pub meanings: Meanings,
    /// Longest text per wire field, in characters: what is longer is cut. Empty by default, since a
    /// cut text is not what the province sent; without a cut the portal refuses it visibly.
    pub cuts: BTreeMap<String, usize>,
}

/// Where `dstcode` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DstcodePlace {
    /// Query parameter `dstcode`.
    #[default]
    Query,
    /// Header `dstcode`.
    Header,
    /// Both.
    Both,
}

/// Which agency code the calls name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agency {
    /// The one in the dossier's code.
    #[default]
    Dossier,
    /// Always this one.
    Fixed(AgencyCode),
}

/// Names of the services.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Services {
    /// Insert or update of a dossier.
    pub sync: String,
    /// A progress line.
    pub progress: String,
    /// Whether the portal has a dossier.
    pub find: String,
}

/// Names of the fields of an answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerFields {
    /// The code: a string or a whole number.
    pub code: String,
    /// The sentence for people.
    pub message: String,
    /// What a look-up found.
    pub result: String,
    /// The session that a login opened.
    pub session: String,
}

/// What codes and phrases mean. Codes are compared as text, so `0` and `"0"` are one code; phrases
/// are found anywhere in the message, whatever its case and Unicode form.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Meanings {
    /// Done. Nothing else is ever taken for success.
    pub success_codes: Vec<String>,
    /// The session is over, whatever the message.
    pub session_codes: Vec<String>,
    /// Less traffic, please.
    pub overload_codes: Vec<String>,
    /// Refusals whose message may say that the dossier exists or does not.
    pub message_codes: Vec<String>,
    /// Errors without a meaning of their own.
    pub generic_codes: Vec<String>,
    /// What a generic error means when no phrase fits.
    pub generic_error: GenericError,
    /// The dossier exists already.
    pub exists_phrases: Vec<String>,
    /// The dossier does not exist.
    pub not_exists_phrases: Vec<String>,
    /// The session is over.
    pub session_phrases: Vec<String>,
    /// It may work later.
    pub busy_phrases: Vec<String>,
    /// HTTP statuses below 500 that say nothing about the dossier, such as an address that leads
    /// nowhere: tried again, because a mistake in a proxy must not park every dossier.
    pub retry_statuses: Vec<u16>,
}

/// What a generic error means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GenericError {
    /// The portal refuses this dossier: only it is parked, and an operator sees why.
    #[default]
    Reject,
    /// It may work later.
    Retry,
}

/// One thing that is wrong with a [`Config`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// The setting, such as `login_url`.
    pub key: String,
    /// What is wrong with it; never holds a secret.
    pub reason: &'static str,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.reason)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: DestinationName::parse("dvcqg").expect("five plain letters are a name"),
            login_url: String::new(),
            data_url: String::new(),
            allow_plaintext: false,
            ca_file: None,
            dstcode: "VN:GOV:000.00.00.G22:vpcpdvcprovider".to_owned(),
            dstcode_in: DstcodePlace::default(),
            headers: BTreeMap::new(),
            send_sequence_headers: true,
            username: String::new(),
            password: Private::default(),
            agency: Agency::default(),
            session_seconds: 600,
            failed_login_pause_ms: 2_000,
            connect_timeout_ms: 10_000,
            request_timeout_ms_max: 60_000,
            body_bytes_max: 1 << 20,
            services: Services::default(),
            answer_fields: AnswerFields::default(),
            meanings: Meanings::default(),
            cuts: BTreeMap::new(),
        }
    }
}

impl Default for Services {
    fn default() -> Self {
        Self {
            sync: "DongBoHoSoMC".to_owned(),
            progress: "CapNhatTienDoHoSoMC".to_owned(),
            find: "TraCuuHoSo".to_owned(),
        }
    }
}

impl Default for AnswerFields {
    fn default() -> Self {
        Self {
            code: "error_code".to_owned(),
            message: "message".to_owned(),
            result: "result".to_owned(),
            session: "session".to_owned(),
        }
    }
}

impl Default for Meanings {
    fn default() -> Self {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            success_codes: list(&["0", "00"]),
            session_codes: Vec::new(),
            overload_codes: Vec::new(),
            message_codes: list(&["3", "-3", "-1"]),
            generic_codes: list(&["-1"]),
            generic_error: GenericError::default(),
            exists_phrases: list(&["đã tồn tại"]),
            not_exists_phrases: list(&["không tồn tại", "chưa tồn tại"]),
            session_phrases: list(&["phiên làm việc", "đăng nhập lại", "session"]),
            busy_phrases: list(&[
                "bận",
                "busy",
                "quá tải",
                "overload",
                "timeout",
                "time out",
                "thử lại",
                "bảo trì",
            ]),
            retry_statuses: vec![404, 405, 407, 408, 425],
        }
    }
}

#[cfg(test)]
mod tests;
