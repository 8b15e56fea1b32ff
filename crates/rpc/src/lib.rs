#![doc = include_str!("../README.md")]

mod admin;
mod caller;
mod convert;
mod dossier;
mod dossier_stream;
mod health;
mod identity;
mod layers;
mod measure;
mod pages;
mod push;
mod request_id;
mod server;
mod status;
mod watch;

pub use health::{ACCEPTING, DELIVERING, Health};
pub use measure::methods;
pub use server::{BATCH_BYTES_MAX, MESSAGE_BYTES_MAX, RpcConfig, RpcError, RpcServer};
