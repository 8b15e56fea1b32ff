//! The `traceparent` header of a call, kept as it came so that a test can say whose it is.

use axum::http::HeaderMap;

/// More of it is not kept; a real one has 55.
const CHARS_MAX: usize = 64;

pub(crate) fn read(headers: &HeaderMap) -> Option<Box<str>> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    Some(text.chars().take(CHARS_MAX).collect())
}
