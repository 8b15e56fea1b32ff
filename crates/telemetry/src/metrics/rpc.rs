//! Calls of the contract: how many, with which code they ended, how long they took.

use std::time::Duration;

use prometheus_client::registry::Registry;

use super::{Counter, Distribution, Gauge, Label, Table, Vocabulary, named, register};

/// Up to the longest deadline of a unary call.
const CALL_SECONDS: &[f64] = &[
    0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0,
];
/// Every code of gRPC by its number. Source: google/rpc/code.proto.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
/// Codes whose series are there before the first such answer, so that a rate sees that one too.
const SHOWN: [&str; 5] = [
    "OK",
    "DEADLINE_EXCEEDED",
    "RESOURCE_EXHAUSTED",
    "INTERNAL",
    "UNAVAILABLE",
];

/// Calls.
#[derive(Clone, Debug)]
pub struct RpcMetrics {
    calls: Table<Counter>,
    seconds: Table<Distribution>,
    /// Calls under way, streams included.
    pub in_flight: Gauge,
}

impl RpcMetrics {
    pub(super) fn new(words: &Vocabulary, registry: &mut Registry) -> Self {
        let methods = || Label::open("method", words.methods.iter().cloned());
        let codes = Label::closed("code", CODES);
        let shown = |values: &[&str]| named(values) && SHOWN.contains(&values[1]);
        let calls = Table::new(vec![methods(), codes], Counter::default, shown);
        let seconds = || Distribution::new(CALL_SECONDS);
        Self {
            calls: register(
                registry,
                "lienthong_rpc_requests",
                "Calls by method and code, counted at their end; streams too",
                calls,
            ),
            seconds: register(
                registry,
                "lienthong_rpc_duration_seconds",
                "Time of unary calls from the end of their headers to their answer",
                Table::new(vec![methods()], seconds, named),
            ),
            in_flight: register(
                registry,
                "lienthong_rpc_requests_in_flight",
                "Calls under way, streams included",
                Gauge::default(),
            ),
        }
    }

    /// Counts a call that ended: `Service/Method`, the number of its code, and its time if it was unary.
    pub fn ended(&self, method: &str, code: i32, took: Option<Duration>) {
        let code = usize::try_from(code).ok().and_then(|code| CODES.get(code));
        let code = code.copied().unwrap_or("UNKNOWN");
        self.calls.at(&[method, code]).inc();
        if let Some(took) = took {
            self.seconds.at(&[method]).observe_time(took);
        }
    }
}
