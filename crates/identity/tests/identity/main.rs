//! The promises of identity, over a real store in memory and a population database on a leash.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says so by ending"
)]

mod database;
mod guards;
mod numbers;
mod questions;
mod world;
