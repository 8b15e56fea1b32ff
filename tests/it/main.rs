//! The promises of the product, seen from outside: one module per promise.

mod access;
mod bad_input;
mod delivery;
mod operators;
mod push;
mod restart;
mod tidy;
mod tutorial;
mod watch;
