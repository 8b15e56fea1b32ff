//! The id of one request: a UUID of version 7 that the caller gets as `x-request-id` and the log carries.

use std::fmt;

use http::HeaderValue;
use lienthong_domain::EventId;
use lienthong_services::Services;

/// Name of the response header.
pub(crate) const HEADER: &str = "x-request-id";

/// Names one request in answers and in the log; drawn as event ids are, so it sorts by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(EventId);

impl RequestId {
    pub(crate) fn new(services: &Services) -> Self {
        Self(services.random().event_id(services.clock().now()))
    }

    pub(crate) fn header(self) -> HeaderValue {
        let text = HeaderValue::try_from(self.to_string());
        let mut value = text.expect("hexadecimal digits and hyphens");
        // Never the same twice: kept out of the connection's header table, where it would push out what repeats.
        value.set_sensitive(true);
        value
    }

    #[cfg(test)]
    pub(crate) fn sample() -> Self {
        Self(EventId::from_bytes([7; 16]))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
