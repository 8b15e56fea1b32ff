//! The promises of the product, seen from outside: one module per promise.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by stopping"
)]

mod access;
mod bad_input;
mod browser;
mod canary;
mod client;
mod commands;
mod delivery;
mod doctor;
mod foreign;
mod game;
mod guards;
mod identity;
mod jobs;
mod metrics;
mod operations;
mod operators;
mod population;
mod push;
mod restart;
mod tidy;
mod traces;
mod tutorial;
mod verify;
mod watch;
