//! The promises of the transport crate, over real loopback sockets and on a chosen day.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking, like the tests themselves"
)]

mod certificates;
mod lifetime;
mod limits;
mod outgoing;
mod support;
mod unary;
