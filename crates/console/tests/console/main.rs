//! The console over real sockets: its door and frame (sign-in, sessions, forms, headers, an identity provider), and its
//! pages over use cases and a store that are real.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail the test, as the tests themselves do"
)]

mod guard;
mod harness;
mod openid;
mod reading;
mod sign_in;
mod tls;
mod ways;
mod world;
