//! Every fault of the database, and what callers are told while it lasts.

use std::time::Duration;

use lienthong_simulators::population::{Fault, Latency};
use tonic::Code;

/// Slower than any call may be in these tests.
pub(super) const SLOW: Fault = Fault::Latency(Latency::Fixed { ms: 3_000 });

/// What is to be said while a fault lasts.
pub(super) struct Said {
    pub(super) code: Code,
    pub(super) reason: &'static str,
    pub(super) wait: Option<Duration>,
}

fn said(code: Code, reason: &'static str) -> Said {
    let wait = None;
    Said { code, reason, wait }
}

/// Every fault, and what it is called.
pub(super) fn faults() -> Vec<(Fault, Said)> {
    let unavailable = || said(Code::Unavailable, "POPULATION_UNAVAILABLE");
    let bad_answer = || said(Code::Unavailable, "POPULATION_BAD_ANSWER");
    let busy = || Said {
        wait: Some(Duration::from_secs(7)),
        ..said(Code::ResourceExhausted, "POPULATION_BUSY")
    };
    let refused = || said(Code::Internal, "POPULATION_REFUSED");
    let soap_fault = Fault::SoapFault {
        message: "Lỗi hệ thống, liên hệ quản trị".to_owned(),
    };
    let too_many = |as_soap_fault| Fault::Busy {
        retry_after_s: 7,
        as_soap_fault,
    };
    let drip = Fault::SlowDrip {
        bytes: 1,
        every_ms: 50,
    };
    vec![
        (Fault::Down, unavailable()),
        (Fault::Cut, unavailable()),
        (Fault::CutMidAnswer, unavailable()),
        (SLOW, unavailable()),
        (drip, unavailable()),
        (Fault::HalfOpen, unavailable()),
        (Fault::Status { code: 500 }, unavailable()),
        (Fault::Status { code: 503 }, unavailable()),
        (soap_fault, unavailable()),
        (Fault::Status { code: 401 }, refused()),
        (Fault::Status { code: 403 }, refused()),
        (too_many(false), busy()),
        (too_many(true), busy()),
        (Fault::Garbage, bad_answer()),
        (Fault::Truncated, bad_answer()),
        (Fault::EmptyBody, bad_answer()),
        (Fault::HugeBody, bad_answer()),
        (Fault::WrongNamespace, bad_answer()),
        (Fault::OtherPerson, bad_answer()),
    ]
}
