//! What a span may say: a closed set of facts, each of a type that cannot hold anything about a person.

use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{DeliveryId, DestinationName, DossierCode, DossierStatus, ErrorCode, Fence};
use opentelemetry::KeyValue;

/// Most characters of a destination's code that are told.
const CODE_CHARS_MAX: usize = 40;
/// A destination's code with more digits than this is not told: it could be somebody's number.
const CODE_DIGITS_MAX: usize = 6;

/// One attribute of a span. Its name is the one that logs use.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'a> {
    /// `participant.id`: who pushed or asks.
    Participant(&'a ParticipantId),
    /// `dossier.code`.
    Dossier(&'a DossierCode),
    /// `dossier.status`.
    Status(DossierStatus),
    /// `dossier.sequence`: the event's place in its dossier.
    Sequence(i64),
    /// `delivery.duplicate`: the event was accepted before.
    Duplicate(bool),
    /// `destination.name`.
    Destination(&'a DestinationName),
    /// `delivery.id`.
    Delivery(DeliveryId),
    /// `delivery.fence`: which claim of the delivery.
    Fence(Fence),
    /// `delivery.attempt`, from 1.
    Attempt(u32),
    /// `delivery.outcome`: one of our own words.
    Outcome(&'static str),
    /// `call.service`: which service of the other side, in our own words.
    Service(&'static str),
    /// `error.code`: one of our public codes.
    Error(ErrorCode),
    /// `error.code`: a destination's own code. One that could hold more than a code is told as `OTHER`.
    ForeignCode(&'a str),
    /// `http.response.status_code`.
    HttpStatus(u16),
}

impl Fact<'_> {
    pub(super) fn into_attribute(self) -> KeyValue {
        match self {
            Self::Participant(id) => KeyValue::new("participant.id", id.as_str().to_owned()),
            Self::Dossier(code) => KeyValue::new("dossier.code", code.as_str().to_owned()),
            Self::Status(status) => KeyValue::new("dossier.status", i64::from(status.code())),
            Self::Sequence(sequence) => KeyValue::new("dossier.sequence", sequence),
            Self::Duplicate(duplicate) => KeyValue::new("delivery.duplicate", duplicate),
            Self::Destination(name) => KeyValue::new("destination.name", name.to_string()),
            Self::Delivery(id) => KeyValue::new("delivery.id", id.0),
            Self::Fence(fence) => KeyValue::new("delivery.fence", fence.0),
            Self::Attempt(attempt) => KeyValue::new("delivery.attempt", i64::from(attempt)),
            Self::Outcome(outcome) => KeyValue::new("delivery.outcome", outcome),
            Self::Service(service) => KeyValue::new("call.service", service),
            Self::Error(code) => KeyValue::new("error.code", code.name()),
            Self::ForeignCode(code) => KeyValue::new("error.code", told(code).to_owned()),
            Self::HttpStatus(status) => {
                KeyValue::new("http.response.status_code", i64::from(status))
            }
        }
    }
}

/// A code that can be nothing but one.
fn told(code: &str) -> &str {
    let plain = |found: char| found.is_ascii_alphanumeric() || "_-.".contains(found);
    let digits = code.chars().filter(char::is_ascii_digit).count();
    if code.chars().all(plain) && code.len() <= CODE_CHARS_MAX && digits <= CODE_DIGITS_MAX {
        code
    } else {
        "OTHER"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_code_that_could_be_more_is_not_told() {
        for (code, expected) in [
            ("-1", "-1"),
            ("HTTP_503", "HTTP_503"),
            ("", ""),
            ("079090012345", "OTHER"),
            ("CMND 024 123 456", "OTHER"),
            ("Nguyễn Văn An", "OTHER"),
            ("NGUYEN VAN AN", "OTHER"),
        ] {
            assert_eq!(told(code), expected, "{code:?}");
        }
    }
}
