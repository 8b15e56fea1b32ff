//! The promises of the product, seen from outside: one module per promise.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by stopping"
)]

mod access;
mod bad_input;
mod delivery;
mod identity;
mod operators;
mod push;
mod restart;
mod tidy;
mod tutorial;
mod watch;
