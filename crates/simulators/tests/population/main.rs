//! The population simulator over real sockets, and the citizens it invents.

mod access;
mod citizens;
mod faults;
mod harness;
mod refusals;
mod services;
