//! The only place that makes a `tonic::Status`: public code, all faults, when to try again; never a cause.
//!
//! A cause is logged here, once, under the request id that the caller gets.

use std::collections::HashMap;
use std::time::Duration;

use lienthong_domain::error_code::{ERROR_DOMAIN, Severity};
use lienthong_domain::fault::Fault;
use lienthong_domain::{ErrorCode, Faults, Reason};
use lienthong_proto::dossier::v1 as proto;
use lienthong_services::Error;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, LocalizedMessage, StatusExt as _};

use crate::convert::span_to_proto;
use crate::request_id::RequestId;

/// Most bytes of faults in a status. Details travel as a trailer, and clients refuse headers above 8 KiB
/// (after base64, beside the other trailers); faults beyond are only counted, in `faults_total`.
const FAULT_BYTES_MAX: usize = 4 * 1024;
/// The pause suggested to senders while the gateway stops.
const DRAIN_RETRY: Duration = Duration::from_secs(1);
const VIETNAMESE: &str = "vi";

/// The gRPC code of each public code.
pub(crate) fn grpc_code(code: ErrorCode) -> Code {
    use ErrorCode as E;
    match code {
        E::InvalidFields | E::PageTokenInvalid => Code::InvalidArgument,
        E::DossierTransitionRefused
        | E::DossierDetailsIncomplete
        | E::DossierNotHeld
        | E::DossierClosed
        | E::DossierStillOpen
        | E::JobStateRefused
        | E::JobMissesTooMany
        | E::OperationEnded => Code::FailedPrecondition,
        E::IdempotencyKeyReused | E::OperationKeyReused => Code::AlreadyExists,
        E::ParticipantUnknown | E::CertificateNotPinned => Code::Unauthenticated,
        E::AgencyNotGranted
        | E::ParticipantSuspended
        | E::NotOperator
        | E::NotApprover
        | E::SecondPersonNeeded
        | E::GrantMissing
        | E::GrantNotValid
        | E::ModeNotGranted
        | E::FieldsNotGranted
        | E::ProcedureNotGranted => Code::PermissionDenied,
        E::RateExceeded
        | E::IntakeFull
        | E::StoreFull
        | E::TooManyDeliveries
        | E::MessageTooLarge
        | E::QuotaExceeded
        | E::SubjectLocked
        | E::GuardApprovalNeeded
        | E::GuardBlocked
        | E::PopulationBusy
        | E::JobTooLarge => Code::ResourceExhausted,
        E::StoreUnavailable | E::PopulationUnavailable | E::PopulationBadAnswer | E::Draining => {
            Code::Unavailable
        }
        E::DossierNotFound
        | E::DestinationUnknown
        | E::CitizenNotFound
        | E::JobNotFound
        | E::OperationNotFound => Code::NotFound,
        E::DeadlineTooShort => Code::DeadlineExceeded,
        // Reasons of parked deliveries and of items of jobs; a request that ends with one is a fault of ours,
        // as is a database that does not accept us.
        E::DeliveryRejected
        | E::DeliveryExhausted
        | E::DeliveryCrashSuspect
        | E::DeliveryDeadLettered
        | E::JobItemFaulty
        | E::PopulationRefused
        | E::Internal => Code::Internal,
    }
}

/// Whether a code says that the gateway would not do what was asked, and not that it could not, or found nothing.
pub(crate) fn is_refusal(code: ErrorCode) -> bool {
    matches!(
        grpc_code(code),
        Code::InvalidArgument
            | Code::FailedPrecondition
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::ResourceExhausted
    )
}

/// The status of a refused request. Logs the cause.
pub(crate) fn from_error(error: &Error, request: RequestId) -> Status {
    log_cause(error, request);
    let mut details = ErrorDetails::new();
    let shown = violations(&error.faults);
    let mut metadata = metadata(error, request);
    if shown.len() < error.faults.len() {
        metadata.insert("faults_total".to_owned(), error.faults.len().to_string());
    }
    details
        .set_error_info(error.code.name(), ERROR_DOMAIN, metadata)
        .set_localized_message(VIETNAMESE, error.code.vi());
    if !shown.is_empty() {
        details.set_bad_request(shown);
    }
    if let Some(wait) = error.retry_after {
        details.set_retry_info(Some(wait));
    }
    match error.code {
        ErrorCode::RateExceeded => {
            details.add_quota_failure_violation("participant", error.code.en());
        }
        ErrorCode::QuotaExceeded
        | ErrorCode::SubjectLocked
        | ErrorCode::GuardApprovalNeeded
        | ErrorCode::GuardBlocked => {
            let told = |key| error.metadata.iter().find(|(name, _)| *name == key);
            let asker = told("asker").map_or("citizen", |(_, asker)| asker);
            let quota = told("quota").map(|(_, quota)| quota.as_str());
            details.add_quota_failure_violation(asker, quota.unwrap_or_else(|| error.code.en()));
        }
        _ => {}
    }
    Status::with_error_details(grpc_code(error.code), error.code.en(), details)
}

/// The status of a request with faults.
pub(crate) fn from_faults(faults: Faults, request: RequestId) -> Status {
    from_error(
        &Error::with_faults(ErrorCode::InvalidFields, faults),
        request,
    )
}

/// The status of a stream that ends because the gateway stops; everything taken has been answered.
pub(crate) fn draining(request: RequestId) -> Status {
    let mut details = ErrorDetails::new();
    let metadata = HashMap::from([("request_id".to_owned(), request.to_string())]);
    details
        .set_error_info(ErrorCode::Draining.name(), ERROR_DOMAIN, metadata)
        .set_retry_info(Some(DRAIN_RETRY))
        .set_localized_message(VIETNAMESE, ErrorCode::Draining.vi());
    let message = ErrorCode::Draining.en();
    Status::with_error_details(Code::Unavailable, message, details)
}

/// The status in place of one that tonic made itself, by its code: it refuses oversized messages with
/// `OUT_OF_RANGE` and malformed ones with `INTERNAL`, although both are the sender's doing.
pub(crate) fn from_tonic(status: Status, request: RequestId) -> Status {
    let ours = !status.details().is_empty();
    match status.code() {
        _ if ours => status,
        Code::OutOfRange => from_error(&Error::new(ErrorCode::MessageTooLarge), request),
        Code::Internal => {
            let expected = "protobuf of the contract, UTF-8 text, not compressed";
            from_faults(Faults::one("", Reason::BadForm { expected }), request)
        }
        _ => status,
    }
}

/// What a refusal is inside batches and streams; carries every kept fault. Logs the cause.
pub(crate) fn to_refusal(error: &Error, request: RequestId) -> proto::Refusal {
    log_cause(error, request);
    proto::Refusal {
        code: grpc_code(error.code).into(),
        reason: error.code.name().to_owned(),
        message: error.code.en().to_owned(),
        faults: error.faults.iter().map(fault_to_proto).collect(),
        metadata: metadata(error, request),
        retry_after: error.retry_after.map(span_to_proto),
    }
}

fn metadata(error: &Error, request: RequestId) -> HashMap<String, String> {
    let facts = error.metadata.iter();
    facts
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .chain([("request_id".to_owned(), request.to_string())])
        .collect()
}

/// As many faults as fit.
fn violations(faults: &Faults) -> Vec<FieldViolation> {
    let mut bytes = 0;
    let shown = faults.iter().map(violation).take_while(|found| {
        let vietnamese = found.localized_message.as_ref();
        let vietnamese = vietnamese.map_or(0, |found| found.message.len());
        bytes += found.field.len() + found.reason.len() + found.description.len() + vietnamese;
        bytes <= FAULT_BYTES_MAX
    });
    shown.collect()
}

fn violation(fault: &Fault) -> FieldViolation {
    FieldViolation {
        field: fault.field.clone(),
        description: fault.reason.en(),
        reason: fault.reason.name().to_owned(),
        localized_message: Some(LocalizedMessage::new(VIETNAMESE, fault.reason.vi())),
    }
}

fn fault_to_proto(fault: &Fault) -> proto::FieldFault {
    proto::FieldFault {
        field: fault.field.clone(),
        reason: fault.reason.name().to_owned(),
        message_vi: fault.reason.vi(),
        message_en: fault.reason.en(),
    }
}

fn log_cause(error: &Error, request: RequestId) {
    let Some(cause) = &error.cause else { return };
    let cause = chain(cause.as_ref());
    match error.code.severity() {
        Severity::Error => {
            tracing::error!(request.id = %request, error.code = %error.code, error = cause, "a request failed");
        }
        Severity::Warning | Severity::Info => {
            tracing::debug!(request.id = %request, error.code = %error.code, error = cause, "a request was refused");
        }
    }
}

/// An error and everything below it, outermost first.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let texts = std::iter::successors(Some(error), |error| error.source());
    texts
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> RequestId {
        RequestId::sample()
    }

    #[test]
    fn a_refusal_is_neither_an_outage_nor_an_empty_answer() {
        use ErrorCode as E;
        for code in [
            E::InvalidFields,
            E::RateExceeded,
            E::QuotaExceeded,
            E::GuardBlocked,
            E::GrantMissing,
            E::DossierNotHeld,
        ] {
            assert!(is_refusal(code), "{code}");
        }
        for code in [
            E::PopulationUnavailable,
            E::StoreUnavailable,
            E::DeadlineTooShort,
            E::CitizenNotFound,
            E::Internal,
        ] {
            assert!(!is_refusal(code), "{code}");
        }
    }

    #[test]
    fn every_code_has_its_grpc_code() {
        let table = ErrorCode::ALL
            .iter()
            .map(|code| format!("{code} {:?}", grpc_code(*code)))
            .collect::<Vec<_>>();
        let expected = [
            "INVALID_FIELDS InvalidArgument",
            "DOSSIER_TRANSITION_REFUSED FailedPrecondition",
            "DOSSIER_DETAILS_INCOMPLETE FailedPrecondition",
            "IDEMPOTENCY_KEY_REUSED AlreadyExists",
            "AGENCY_NOT_GRANTED PermissionDenied",
            "PARTICIPANT_UNKNOWN Unauthenticated",
            "PARTICIPANT_SUSPENDED PermissionDenied",
            "CERTIFICATE_NOT_PINNED Unauthenticated",
            "NOT_OPERATOR PermissionDenied",
            "RATE_EXCEEDED ResourceExhausted",
            "INTAKE_FULL ResourceExhausted",
            "STORE_UNAVAILABLE Unavailable",
            "STORE_FULL ResourceExhausted",
            "DOSSIER_NOT_FOUND NotFound",
            "DOSSIER_STILL_OPEN FailedPrecondition",
            "PAGE_TOKEN_INVALID InvalidArgument",
            "DESTINATION_UNKNOWN NotFound",
            "TOO_MANY_DELIVERIES ResourceExhausted",
            "DEADLINE_TOO_SHORT DeadlineExceeded",
            "MESSAGE_TOO_LARGE ResourceExhausted",
            "DELIVERY_REJECTED Internal",
            "DELIVERY_EXHAUSTED Internal",
            "DELIVERY_CRASH_SUSPECT Internal",
            "DELIVERY_DEAD_LETTERED Internal",
            "GRANT_MISSING PermissionDenied",
            "GRANT_NOT_VALID PermissionDenied",
            "MODE_NOT_GRANTED PermissionDenied",
            "FIELDS_NOT_GRANTED PermissionDenied",
            "DOSSIER_NOT_HELD FailedPrecondition",
            "DOSSIER_CLOSED FailedPrecondition",
            "PROCEDURE_NOT_GRANTED PermissionDenied",
            "QUOTA_EXCEEDED ResourceExhausted",
            "SUBJECT_LOCKED ResourceExhausted",
            "GUARD_APPROVAL_NEEDED ResourceExhausted",
            "GUARD_BLOCKED ResourceExhausted",
            "CITIZEN_NOT_FOUND NotFound",
            "POPULATION_UNAVAILABLE Unavailable",
            "POPULATION_BUSY ResourceExhausted",
            "POPULATION_BAD_ANSWER Unavailable",
            "POPULATION_REFUSED Internal",
            "JOB_NOT_FOUND NotFound",
            "JOB_STATE_REFUSED FailedPrecondition",
            "JOB_TOO_LARGE ResourceExhausted",
            "JOB_MISSES_TOO_MANY FailedPrecondition",
            "JOB_ITEM_FAULTY Internal",
            "NOT_APPROVER PermissionDenied",
            "SECOND_PERSON_NEEDED PermissionDenied",
            "OPERATION_NOT_FOUND NotFound",
            "OPERATION_ENDED FailedPrecondition",
            "OPERATION_KEY_REUSED AlreadyExists",
            "DRAINING Unavailable",
            "INTERNAL Internal",
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn a_status_names_every_fault_in_both_languages() {
        let mut faults = Faults::one("dossier_code", Reason::Missing);
        faults.push("details.fees[2].amount_vnd", Reason::NotDigits);
        let status = from_faults(faults, request());
        let details = status.get_error_details();
        assert_eq!(status.code(), Code::InvalidArgument);

        let info = details.error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("INVALID_FIELDS", "lienthong")
        );
        assert_eq!(info.metadata["request_id"], request().to_string());
        let bad = &details.bad_request().unwrap().field_violations;
        assert_eq!(bad.len(), 2);
        assert_eq!(bad[1].field, "details.fees[2].amount_vnd");
        assert_eq!(bad[1].reason, "NOT_DIGITS");
        let vietnamese = bad[1].localized_message.as_ref().unwrap();
        assert_eq!(
            (vietnamese.locale.as_str(), vietnamese.message.clone()),
            ("vi", Reason::NotDigits.vi())
        );
        assert_eq!(
            details.localized_message().unwrap().message,
            ErrorCode::InvalidFields.vi()
        );
    }

    #[test]
    fn a_status_fits_into_the_headers_that_clients_take() {
        let mut faults = Faults::new();
        for index in 0..200 {
            let field = format!("details.submitted_documents[{index}].replacing_result_code");
            faults.push(
                field,
                Reason::TooLong {
                    max: 100,
                    actual: 4_000,
                },
            );
        }
        let status = from_faults(faults.clone(), request());
        assert!(
            status.details().len() * 4 / 3 < 8 * 1024,
            "{}",
            status.details().len()
        );
        let details = status.get_error_details();
        assert!(details.bad_request().unwrap().field_violations.len() > 10);
        assert_eq!(
            details.error_info().unwrap().metadata["faults_total"],
            "200"
        );

        let error = Error::with_faults(ErrorCode::InvalidFields, faults);
        let refusal = to_refusal(&error, request());
        assert_eq!(refusal.faults.len(), lienthong_domain::fault::FAULTS_MAX);
    }

    #[test]
    fn a_rate_comes_with_its_wait_and_quota() {
        let wait = Duration::from_millis(1_500);
        let error = Error::new(ErrorCode::RateExceeded).retry_after(wait);
        let details = from_error(&error, request()).get_error_details();
        assert_eq!(details.retry_info().unwrap().retry_delay, Some(wait));
        assert!(details.has_quota_failure_violations());
        assert_eq!(
            to_refusal(&error, request()).retry_after,
            Some(span_to_proto(wait))
        );
    }

    #[test]
    fn a_cause_is_never_shown() {
        let error = Error {
            cause: Some("disk /dev/sda1: Nguyễn Văn A".into()),
            ..Error::new(ErrorCode::Internal)
        };
        let status = from_error(&error, request());
        let shown = format!("{status:?} {:?}", to_refusal(&error, request()));
        assert!(!shown.contains("sda1"), "{shown}");
        assert!(!String::from_utf8_lossy(status.details()).contains("sda1"));
    }

    #[test]
    fn what_tonic_refuses_is_the_senders_fault() {
        let large = from_tonic(Status::out_of_range("found 9 bytes"), request());
        assert_eq!(large.code(), Code::ResourceExhausted);
        assert_eq!(
            large.get_error_details().error_info().unwrap().reason,
            "MESSAGE_TOO_LARGE"
        );
        let broken = from_tonic(Status::internal("failed to decode"), request());
        assert_eq!(broken.code(), Code::InvalidArgument);
        let ours = from_error(&Error::new(ErrorCode::Internal), request());
        assert_eq!(from_tonic(ours, request()).code(), Code::Internal);
        assert_eq!(
            from_tonic(Status::unimplemented("x"), request()).code(),
            Code::Unimplemented
        );
    }
}
