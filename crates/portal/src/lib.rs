#![doc = include_str!("../README.md")]
// A dossier with every field is more than `serde_json::json!` takes by default.
#![cfg_attr(test, recursion_limit = "256")]

mod adapter;
mod answer;
pub mod config;
mod link;
mod map;
mod redact;
mod session;
mod signals;
mod spans;
mod wire;

pub use adapter::{Portal, PortalError};
pub use config::{Config, ConfigFault};
