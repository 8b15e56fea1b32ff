//! The whole edge over in-memory connections: real HTTP/2, real use cases, a real store in memory.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail the test, as the tests themselves do"
)]

mod admin;
mod limits;
mod overview;
mod push;
mod stream;
mod support;
mod watch;
