//! What an answer means: from HTTP status, code and message to a [`Meaning`], by one table.
//!
//! | answer | meaning | outcome |
//! | --- | --- | --- |
//! | HTTP 429; 503 with Retry-After | overloaded | overloaded |
//! | HTTP 401, 403 | session over | one new login, then retry |
//! | other HTTP 5xx, 3xx, 1xx; a listed 4xx such as 404 | not now | retry (answer) |
//! | other HTTP 4xx | refused | rejected |
//! | not the portal's JSON, too large, or a code that is none | unreadable, `BAD_ANSWER` | retry (answer) |
//! | a code of success | done | delivered or advanced |
//! | a session code or phrase | session over | one new login, then retry |
//! | an overload code | overloaded | overloaded |
//! | a listed code and "đã tồn tại" / "không tồn tại" | exists / does not exist | insert and update swap |
//! | any other code and a phrase such as "quá tải" | not now | retry (answer) |
//! | a generic code | as configured | rejected, or retry (answer) |
//! | any other code | refused | rejected |
//!
//! A 503 without Retry-After comes from a proxy whose portal is gone, so it counts as a failure that
//! opens the breaker rather than as a plea for less traffic.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use lienthong_domain::delivery::RetryCause;
use lienthong_domain::{Answer, Outcome, Timestamp};
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization as _;

use crate::config::{AnswerFields, Config, GenericError, Meanings};

/// Longest wait that a Retry-After is taken for; a longer one is a mistake of the sender's clock.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);
/// Characters of a message that are searched for phrases.
const MESSAGE_CHARS_MAX: usize = 4_000;

/// What an answer means for the call that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Done.
    Done,
    /// There is such a dossier already.
    Exists,
    /// There is no such dossier.
    NotExists,
    /// The session is over.
    SessionOver,
    /// Less traffic, please.
    Overloaded {
        /// The wait it asked for.
        after: Option<Duration>,
    },
    /// It may work later.
    NotNow {
        /// Whether there was an answer at all.
        cause: RetryCause,
        /// The wait it asked for.
        after: Option<Duration>,
    },
    /// Never as it is.
    Refused,
}

/// A meaning with the evidence for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) meaning: Meaning,
    pub(crate) code: String,
    pub(crate) http_status: Option<u16>,
    pub(crate) message: String,
}

/// What came back over HTTP.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The header as it came.
    pub(crate) retry_after: Option<String>,
    /// `None` when it was larger than the bound.
    pub(crate) body: Option<Vec<u8>>,
}

impl Verdict {
    /// A verdict on a call that brought no answer.
    pub(crate) fn transport(code: &str, message: impl Into<String>) -> Self {
        let meaning = Meaning::NotNow {
            cause: RetryCause::Transport,
            after: None,
        };
        Self {
            meaning,
            code: code.to_owned(),
            http_status: None,
            message: message.into(),
        }
    }

    /// A verdict on an answer that cannot be used.
    pub(crate) fn not_now(code: &str, http_status: Option<u16>, message: &str) -> Self {
        let meaning = Meaning::NotNow {
            cause: RetryCause::Answer,
            after: None,
        };
        Self {
            meaning,
            code: code.to_owned(),
            http_status,
            message: message.to_owned(),
        }
    }

    /// The answer for the worker, when no further call can change it. `done` is what success means here.
    pub(crate) fn into_answer(self, done: Outcome) -> Answer {
        let outcome = match self.meaning {
            Meaning::Done => done,
            // The writing calls have tried the other way by now, so the portal contradicts itself or
            // speaks of something else than the dossier; either way this one dossier needs a person.
            Meaning::Exists | Meaning::NotExists | Meaning::Refused => Outcome::Rejected,
            Meaning::SessionOver => Outcome::Retry {
                cause: RetryCause::Answer,
                after: None,
            },
            Meaning::Overloaded { after } => Outcome::Overloaded { after },
            Meaning::NotNow { cause, after } => Outcome::Retry { cause, after },
        };
        Answer::new(outcome, &self.code, self.http_status, &self.message)
    }
}

/// The table, with the phrases folded once.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    fields: AnswerFields,
    meanings: Meanings,
}

impl Rules {
    pub(crate) fn new(config: &Config) -> Self {
        let mut meanings = config.meanings.clone();
        let lists = [
            &mut meanings.exists_phrases,
            &mut meanings.not_exists_phrases,
            &mut meanings.session_phrases,
            &mut meanings.busy_phrases,
        ];
        for phrase in lists.into_iter().flatten() {
            *phrase = fold(phrase);
        }
        Self {
            fields: config.answer_fields.clone(),
            meanings,
        }
    }

    /// Judges `reply`; the object is there when the portal's JSON could be read.
    pub(crate) fn judge(&self, reply: &Reply, now: Timestamp) -> (Verdict, Map<String, Value>) {
        let object = reply
            .body
            .as_deref()
            .and_then(|body| serde_json::from_slice(body).ok());
        if (200..300).contains(&reply.status) {
            let verdict = self.judge_body(reply, object.as_ref());
            (verdict, object.unwrap_or_default())
        } else {
            let object = object.unwrap_or_default();
            let verdict = Verdict {
                meaning: self.of_status(reply, now),
                code: format!("HTTP_{}", reply.status),
                http_status: Some(reply.status),
                message: self.message(&object).to_owned(),
            };
            (verdict, object)
        }
    }

    /// The session in the answer to a login, if it is usable text.
    pub(crate) fn session<'a>(&self, object: &'a Map<String, Value>) -> Option<&'a str> {
        let session = object.get(&self.fields.session)?.as_str()?;
        (!session.is_empty()).then_some(session)
    }

    /// Whether a look-up found anything.
    pub(crate) fn found(&self, object: &Map<String, Value>) -> bool {
        match object.get(&self.fields.result) {
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(item)) => !item.is_empty(),
            _ => false,
        }
    }

    fn of_status(&self, reply: &Reply, now: Timestamp) -> Meaning {
        let after = reply
            .retry_after
            .as_deref()
            .and_then(|text| read_retry_after(text, now));
        match reply.status {
            429 => Meaning::Overloaded { after },
            503 if after.is_some() => Meaning::Overloaded { after },
            401 | 403 => Meaning::SessionOver,
            status @ 400..500 if !self.meanings.retry_statuses.contains(&status) => {
                Meaning::Refused
            }
            _ => Meaning::NotNow {
                cause: RetryCause::Answer,
                after,
            },
        }
    }

    fn judge_body(&self, reply: &Reply, object: Option<&Map<String, Value>>) -> Verdict {
        let bad = |message| Verdict::not_now("BAD_ANSWER", Some(reply.status), message);
        let Some(object) = object else {
            let too_large = reply.body.is_none();
            return bad(if too_large {
                "the answer is too large"
            } else {
                "the answer is no JSON object"
            });
        };
        let Some(code) = object.get(&self.fields.code).and_then(read_code) else {
            return bad("the answer has no usable code");
        };
        let message = self.message(object);
        Verdict {
            meaning: self.of_code(&code, message),
            code,
            http_status: Some(reply.status),
            message: message.to_owned(),
        }
    }

    fn of_code(&self, code: &str, message: &str) -> Meaning {
        let rules = &self.meanings;
        let is = |codes: &[String]| codes.iter().any(|listed| listed == code);
        let message = fold(message);
        let says = |phrases: &[String]| {
            phrases
                .iter()
                .any(|phrase| message.contains(phrase.as_str()))
        };
        let is_generic_retry =
            is(&rules.generic_codes) && rules.generic_error == GenericError::Retry;
        if is(&rules.success_codes) {
            Meaning::Done
        } else if is(&rules.session_codes) || says(&rules.session_phrases) {
            Meaning::SessionOver
        } else if is(&rules.overload_codes) {
            Meaning::Overloaded { after: None }
        } else if is(&rules.message_codes) && says(&rules.not_exists_phrases) {
            Meaning::NotExists
        } else if is(&rules.message_codes) && says(&rules.exists_phrases) {
            Meaning::Exists
        } else if says(&rules.busy_phrases) || is_generic_retry {
            Meaning::NotNow {
                cause: RetryCause::Answer,
                after: None,
            }
        } else {
            Meaning::Refused
        }
    }

    fn message<'a>(&self, object: &'a Map<String, Value>) -> &'a str {
        object
            .get(&self.fields.message)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// A code is a string or a whole number. It is logged and stored as it is, so whatever else a portal
/// writes there, such as a sentence or a name, is no code.
fn read_code(value: &Value) -> Option<String> {
    let code = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) if !number.is_f64() => number.to_string(),
        _ => return None,
    };
    is_code(&code).then_some(code)
}

/// Whether `text` can be a code: `[A-Za-z0-9_.-]{1,40}`.
pub(crate) fn is_code(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=Answer::CODE_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_plain)
}

/// One form for comparing: NFC, lower case, a bounded beginning.
fn fold(text: &str) -> String {
    text.chars()
        .take(MESSAGE_CHARS_MAX)
        .nfc()
        .flat_map(char::to_lowercase)
        .collect()
}

/// Seconds, or an HTTP date; a date that has passed is no wait.
fn read_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let until = DateTimeParser::new().parse_timestamp(text).ok()?;
        Duration::try_from(until.duration_since(now)).unwrap_or_default()
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests;
