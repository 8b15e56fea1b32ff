//! What each answer means. Only a well-formed answer of the service that was asked is an answer; everything else is
//! a failure, and none of them ever looks like "not found".

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use lienthong_domain::identity::Citizen;
use serde_json::Value;

use super::faults::{Fault, Rules};
use super::record;
use super::xml::{self, Element};
use crate::config::Form;
use crate::failure::Failure;

/// Longest wait that is believed.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// What came back over HTTP.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// `None` when it was larger than the bound.
    pub(crate) body: Option<Bytes>,
}

/// Reads answers by the configured form and table of faults.
pub(crate) struct Judge {
    form: Form,
    rules: Rules,
}

/// What the body holds.
enum Payload {
    Answer(Element),
    Fault(Fault),
}

impl Judge {
    pub(crate) fn new(form: Form, rules: Rules) -> Self {
        Self { form, rules }
    }

    /// Whether there is such a person, as service 003 says.
    pub(crate) fn exists(&self, reply: &Reply) -> Result<bool, Failure> {
        let answer = self.answer(reply)?;
        let result = answer
            .unwrapped("KetQuaXacThuc")
            .ok_or_else(|| bad("it is not the answer of service 003"))?;
        let [only] = result.children() else {
            return Err(bad("KetQuaXacThuc does not hold one TonTai"));
        };
        let said = only.text().filter(|_| only.is("TonTai"));
        match said.map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            _ => Err(bad("TonTai is neither true nor false")),
        }
    }

    /// The record, or none, as service 037 says.
    pub(crate) fn record(&self, reply: &Reply) -> Result<Option<Citizen>, Failure> {
        let answer = self.answer(reply)?;
        let collection = answer
            .unwrapped("CongdanCollection")
            .ok_or_else(|| bad("it is not the answer of service 037"))?;
        // A collection that holds anything but one record may be a layout that nobody has seen yet. To take it for
        // "not found" would tell everybody that they do not exist.
        match collection.children() {
            [] if collection.text().is_none() => Ok(None),
            [person] if person.is("CongDan") => record::read(person).map(Some).map_err(bad),
            _ => Err(bad(
                "CongdanCollection holds something else than one CongDan",
            )),
        }
    }

    /// Whether the database understood that an empty question is one it cannot answer.
    pub(crate) fn refuses_the_empty_question(&self, reply: &Reply) -> Result<(), Failure> {
        let is_told = matches!(reply.status, 200..=299 | 400 | 500);
        match self.payload(reply).filter(|_| is_told) {
            Some(Ok(Payload::Fault(fault))) => {
                let json = self.form == Form::Json && reply.status < 300;
                if json || fault.is_about_the_question(&self.rules) {
                    return Ok(());
                }
                Err(self.rules.judge(&fault, reply.retry_after))
            }
            _ => match self.answer(reply) {
                Ok(_) => Err(bad("it answered a question that was not asked")),
                Err(failure) => Err(failure),
            },
        }
    }

    /// The element inside the body of a good answer.
    fn answer(&self, reply: &Reply) -> Result<Element, Failure> {
        let status = reply.status;
        let retry_after = reply.retry_after;
        match status {
            200..=299 => match self.payload(reply) {
                Some(Ok(Payload::Answer(element))) => Ok(element),
                Some(Ok(Payload::Fault(fault))) => Err(self.rules.judge(&fault, retry_after)),
                Some(Err(failure)) => Err(failure),
                None => Err(bad("it is too large")),
            },
            401 | 403 => Err(Failure::refused(format!("it answered with HTTP {status}"))),
            429 => Err(Failure::Busy { retry_after }),
            503 if retry_after.is_some() => Err(Failure::Busy { retry_after }),
            // A wrong address or a proxy on the way says nothing about our credentials.
            404 | 405 | 407 | 408 | 425 => Err(by_status(status)),
            400..=599 => match self.payload(reply) {
                Some(Ok(Payload::Fault(fault))) => Err(self.rules.judge(&fault, retry_after)),
                _ if status < 500 => {
                    Err(Failure::refused(format!("it answered with HTTP {status}")))
                }
                _ => Err(by_status(status)),
            },
            _ => Err(by_status(status)),
        }
    }

    /// `None` when the body is larger than the bound.
    fn payload(&self, reply: &Reply) -> Option<Result<Payload, Failure>> {
        let body = reply.body.as_ref()?;
        let read = || {
            let text = std::str::from_utf8(body).map_err(|_| bad("it is not UTF-8"))?;
            match self.form {
                Form::Soap => of_soap(text),
                Form::Json => of_json(text),
            }
        };
        Some(read())
    }
}

fn bad(cause: &'static str) -> Failure {
    Failure::bad_answer(cause)
}

fn by_status(status: u16) -> Failure {
    Failure::unavailable(format!("it answered with HTTP {status}"))
}

/// The one element in the body of the one envelope.
fn of_soap(text: &str) -> Result<Payload, Failure> {
    let mut root = xml::parse(text).map_err(bad)?;
    if !root.is_soap("Envelope") {
        return Err(bad("its root is no SOAP envelope"));
    }
    let bodies = root.children().iter().filter(|child| child.is_soap("Body"));
    if bodies.count() != 1 {
        return Err(bad("the envelope does not hold one body"));
    }
    let mut body = root.take_child(|child| child.is_soap("Body"));
    if body.children().len() != 1 {
        return Err(bad("the body does not hold one element"));
    }
    let element = body.take_child(|_| true);
    if element.is_soap("Fault") {
        return Ok(Payload::Fault(Fault::of_soap(&element)));
    }
    Ok(Payload::Answer(element))
}

/// The XML in `message` of a JSON envelope; with or without an envelope of its own.
fn of_json(text: &str) -> Result<Payload, Failure> {
    let object: Value = serde_json::from_str(text).map_err(|_| bad("it is no JSON"))?;
    let code = match &object["error_code"] {
        Value::String(code) => code.trim().to_owned(),
        Value::Number(code) => code.to_string(),
        _ => return Err(bad("it has no error_code")),
    };
    let message = object["message"].as_str().unwrap_or_default();
    if !matches!(code.as_str(), "0" | "00") {
        return Ok(Payload::Fault(Fault::of_json(code, message.to_owned())));
    }
    let root = xml::parse(message).map_err(bad)?;
    if root.is_soap("Envelope") {
        return of_soap(message);
    }
    Ok(Payload::Answer(root))
}

/// Reads `Retry-After`: seconds or a date.
pub(crate) fn read_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
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
