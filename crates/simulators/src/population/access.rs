//! Who may call: the headers of C06, and the tokens of the two LGSP variants.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::config::{Access, TimestampUnit};

/// Tokens remembered; the oldest goes first.
const TOKENS_MAX: usize = 4_096;
const LGSP_HEADER: &str = "lgspaccesstoken";

/// What the header `lgspaccesstoken` says, as JSON in Base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct LgspKeys {
    /// `AccessKey`.
    pub access_key: String,
    /// `SecretKey`.
    pub secret_key: String,
    /// `AppName`.
    pub app_name: String,
    /// `PartnerCode`.
    pub partner_code: String,
    /// `PartnerCodeCus`.
    pub partner_code_cus: String,
}

impl fmt::Debug for LgspKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LgspKeys").finish_non_exhaustive()
    }
}

/// Tokens that were given out and when they end.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    ends: HashMap<String, Instant>,
    by_age: VecDeque<String>,
}

impl Tokens {
    pub(crate) fn give(&mut self, token: &str, lifetime: Duration) {
        if self.by_age.len() == TOKENS_MAX
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.ends.remove(&oldest);
        }
        self.ends
            .insert(token.to_owned(), Instant::now() + lifetime);
        self.by_age.push_back(token.to_owned());
    }

    fn is_good(&self, token: &str) -> bool {
        self.ends
            .get(token)
            .is_some_and(|end| Instant::now() < *end)
    }

    /// Ends every token at once, as a restart of the gateway would.
    pub(crate) fn clear(&mut self) {
        self.ends.clear();
        self.by_age.clear();
    }
}

/// Whether the headers of a call admit it.
pub(crate) fn admits(
    access: &Access,
    service_url: &str,
    tokens: &Tokens,
    headers: &HeaderMap,
    now_ms: i64,
) -> bool {
    match access {
        Access::Open => true,
        Access::C06 {
            users,
            unit,
            skew_max,
            ..
        } => {
            is_timely(headers, *unit, *skew_max, now_ms)
                && is_signed(users, service_url, headers).unwrap_or(false)
        }
        Access::Lgsp { keys, .. } => has_token(tokens, headers) && has_keys(keys, headers),
        Access::Wso2 { .. } => has_token(tokens, headers),
    }
}

/// How long a token is good for that a request with these headers asks for; none without the right
/// credentials, or where there are no tokens.
pub(crate) fn token_lifetime(access: &Access, headers: &HeaderMap) -> Option<Duration> {
    match access {
        Access::Open | Access::C06 { .. } => None,
        Access::Lgsp {
            keys,
            token_lifetime,
        } => has_keys(keys, headers).then_some(*token_lifetime),
        Access::Wso2 {
            client_id,
            client_secret,
            token_lifetime,
        } => {
            let (id, secret) = basic(headers)?;
            (id == *client_id && secret == *client_secret).then_some(*token_lifetime)
        }
    }
}

fn is_timely(headers: &HeaderMap, unit: TimestampUnit, skew_max: Duration, now_ms: i64) -> bool {
    let stamp = text(headers, "Timestamp").and_then(|stamp| stamp.parse::<i64>().ok());
    let stamp_ms = match unit {
        TimestampUnit::Milliseconds => stamp,
        TimestampUnit::Seconds => stamp.and_then(|seconds| seconds.checked_mul(1_000)),
    };
    stamp_ms.is_some_and(|stamp_ms| u128::from(stamp_ms.abs_diff(now_ms)) <= skew_max.as_millis())
}

fn is_signed(
    users: &BTreeMap<String, String>,
    service_url: &str,
    headers: &HeaderMap,
) -> Option<bool> {
    let (user, hash) = basic(headers)?;
    let secret = users.get(&user)?;
    let mut hasher = Sha256::new();
    for part in [service_url, &user, text(headers, "Timestamp")?, secret] {
        hasher.update(part);
    }
    Some(hex::encode(hasher.finalize()) == hash)
}

fn has_token(tokens: &Tokens, headers: &HeaderMap) -> bool {
    text(headers, header::AUTHORIZATION.as_str())
        .and_then(|value| value.strip_prefix("Bearer "))
        .is_some_and(|token| tokens.is_good(token))
}

fn has_keys(keys: &LgspKeys, headers: &HeaderMap) -> bool {
    text(headers, LGSP_HEADER)
        .and_then(|value| STANDARD.decode(value).ok())
        .and_then(|json| serde_json::from_slice::<LgspKeys>(&json).ok())
        .is_some_and(|told| told == *keys)
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = text(headers, header::AUTHORIZATION.as_str())?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (user, password) = pair.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
