//! The promises of the product, seen from outside: one module per promise.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by stopping"
)]

mod access;
mod bad_input;
mod canary;
mod client;
mod delivery;
mod foreign;
mod guards;
mod identity;
mod jobs;
mod operators;
mod population;
mod push;
mod restart;
mod tidy;
mod tutorial;
mod verify;
mod watch;
