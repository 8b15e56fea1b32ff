//! The console's door and frame over real sockets: sign-in, sessions, forms, headers, and an identity provider.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail the test, as the tests themselves do"
)]

mod guard;
mod harness;
mod openid;
mod sign_in;
mod tls;
