//! Errors as gRPC statuses, and back: the only place that makes or reads one.

use std::collections::HashMap;
use std::time::Duration;

use lienthong_domain::error_code::ERROR_DOMAIN;
use lienthong_domain::{ErrorCode, Faults};
use lienthong_ports::RegistryError;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, LocalizedMessage, StatusExt as _};

/// Key of an error's own words among the facts of `ErrorInfo`.
const CAUSE: &str = "cause";
/// Longest cause that is taken from an adapter, in characters.
const CAUSE_CHARS_MAX: usize = 200;
const VIETNAMESE: &str = "vi";

/// A refusal for a reason of our own.
pub(crate) fn refusal(error: ErrorCode) -> Status {
    let code = match error {
        ErrorCode::ParticipantUnknown => Code::Unauthenticated,
        ErrorCode::DeadlineTooShort => Code::DeadlineExceeded,
        _ => Code::PermissionDenied,
    };
    finish(code, error, details(error, None))
}

/// The status of a request with faults.
pub(crate) fn from_faults(faults: &Faults) -> Status {
    let violations = faults.iter().map(|fault| FieldViolation {
        field: fault.field.clone(),
        description: fault.reason.en(),
        reason: fault.reason.name().to_owned(),
        localized_message: Some(LocalizedMessage::new(VIETNAMESE, fault.reason.vi())),
    });
    let error = ErrorCode::InvalidFields;
    let mut details = details(error, None);
    details.set_bad_request(violations.collect::<Vec<_>>());
    finish(Code::InvalidArgument, error, details)
}

/// The status of a question without an answer.
pub(crate) fn from_registry(error: &RegistryError) -> Status {
    use RegistryError as E;
    let (code, public, cause) = match error {
        E::Unavailable(cause) => (
            Code::Unavailable,
            ErrorCode::PopulationUnavailable,
            Some(cause),
        ),
        E::Busy { .. } => (Code::ResourceExhausted, ErrorCode::PopulationBusy, None),
        E::BadAnswer(cause) => (Code::Internal, ErrorCode::PopulationBadAnswer, Some(cause)),
        E::Refused(cause) => (
            Code::FailedPrecondition,
            ErrorCode::PopulationRefused,
            Some(cause),
        ),
    };
    let mut details = details(public, cause.map(String::as_str));
    if let E::Busy {
        retry_after: Some(wait),
    } = error
    {
        details.set_retry_info(Some(*wait));
    }
    finish(code, public, details)
}

fn details(error: ErrorCode, cause: Option<&str>) -> ErrorDetails {
    let facts = cause.map(|cause| (CAUSE.to_owned(), cause.to_owned()));
    let facts: HashMap<_, _> = facts.into_iter().collect();
    let mut details = ErrorDetails::new();
    details
        .set_error_info(error.name(), ERROR_DOMAIN, facts)
        .set_localized_message(VIETNAMESE, error.vi());
    details
}

fn finish(code: Code, error: ErrorCode, details: ErrorDetails) -> Status {
    Status::with_error_details(code, error.en(), details)
}

/// What an adapter's status says. One without our reason comes from the way to it.
pub(crate) fn to_registry(status: &Status) -> RegistryError {
    let details = status.get_error_details();
    let info = details
        .error_info()
        .filter(|info| info.domain == ERROR_DOMAIN);
    let reason = info.map(|info| info.reason.as_str()).unwrap_or_default();
    let cause = info.and_then(|info| info.metadata.get(CAUSE));
    let cause = || {
        let cause = cause.map_or("its adapter does not say why", String::as_str);
        let plain = cause.chars().filter(|found| !found.is_control());
        plain.take(CAUSE_CHARS_MAX).collect::<String>()
    };
    let retry_after = details.retry_info().and_then(|info| info.retry_delay);
    let code = status.code();
    if reason == ErrorCode::PopulationUnavailable.name() {
        RegistryError::Unavailable(cause())
    } else if reason == ErrorCode::PopulationBusy.name() {
        RegistryError::Busy { retry_after }
    } else if reason == ErrorCode::PopulationBadAnswer.name() {
        RegistryError::BadAnswer(cause())
    } else if reason == ErrorCode::PopulationRefused.name() {
        RegistryError::Refused(cause())
    } else {
        by_code(code, retry_after)
    }
}

fn by_code(code: Code, retry_after: Option<Duration>) -> RegistryError {
    // A status's own text is left out: it may quote what was sent.
    let said = || format!("its adapter answered {code:?}");
    match code {
        Code::ResourceExhausted => RegistryError::Busy { retry_after },
        Code::InvalidArgument
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::FailedPrecondition
        | Code::Unimplemented
        | Code::OutOfRange => RegistryError::Refused(said()),
        Code::DeadlineExceeded | Code::Cancelled => {
            RegistryError::Unavailable("its adapter did not answer in time".to_owned())
        }
        Code::DataLoss => RegistryError::BadAnswer(said()),
        // tonic reports broken connections as Unknown and Internal too.
        _ => RegistryError::Unavailable(said()),
    }
}

#[cfg(test)]
mod tests {
    use lienthong_domain::Reason;

    use super::*;

    #[test]
    fn every_error_comes_back_as_itself() {
        let wait = Some(Duration::from_millis(1_500));
        let errors = [
            RegistryError::Unavailable("it answered with HTTP 502".to_owned()),
            RegistryError::Busy { retry_after: wait },
            RegistryError::Busy { retry_after: None },
            RegistryError::BadAnswer("it is about another person".to_owned()),
            RegistryError::Refused("it answered with HTTP 403".to_owned()),
        ];
        for error in errors {
            let status = from_registry(&error);
            let back = to_registry(&status);
            assert_eq!(format!("{back:?}"), format!("{error:?}"));
            assert!(status.get_error_details().localized_message().is_some());
        }
    }

    #[test]
    fn statuses_without_a_reason_never_mean_an_answer() {
        let table = [
            (Code::Unavailable, "Unavailable"),
            (Code::Unknown, "Unavailable"),
            (Code::Internal, "Unavailable"),
            (Code::DeadlineExceeded, "Unavailable"),
            (Code::Cancelled, "Unavailable"),
            (Code::NotFound, "Unavailable"),
            (Code::ResourceExhausted, "Busy"),
            (Code::PermissionDenied, "Refused"),
            (Code::Unauthenticated, "Refused"),
            (Code::InvalidArgument, "Refused"),
            (Code::Unimplemented, "Refused"),
            (Code::DataLoss, "BadAnswer"),
        ];
        for (code, expected) in table {
            let error = to_registry(&Status::new(code, "052185012345 LÊ THỊ HOÀ"));
            let shown = format!("{error:?} {error}");
            assert!(shown.starts_with(expected), "{code:?}: {shown}");
            assert!(!shown.contains("052185012345"), "{shown}");
        }
    }

    #[test]
    fn a_request_learns_all_its_faults() {
        let mut faults = Faults::one("claims.number", Reason::Missing);
        faults.push("claims.birth_date", Reason::NotADate);
        let status = from_faults(&faults);
        let details = status.get_error_details();
        let named = &details.bad_request().unwrap().field_violations;
        let fields: Vec<_> = named.iter().map(|found| found.field.as_str()).collect();
        assert_eq!(
            (status.code(), fields),
            (
                Code::InvalidArgument,
                vec!["claims.number", "claims.birth_date"]
            )
        );
    }

    #[test]
    fn a_cause_is_bounded_and_plain() {
        let error = RegistryError::Unavailable(format!("a\nb{}", "x".repeat(500)));
        let RegistryError::Unavailable(cause) = to_registry(&from_registry(&error)) else {
            panic!("another kind");
        };
        assert!(cause.starts_with("ab") && cause.len() == CAUSE_CHARS_MAX);
    }
}
