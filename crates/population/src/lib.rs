#![doc = include_str!("../README.md")]

pub mod config;
pub mod convert;
mod error;
mod failure;
mod remote;
mod request_id;
mod server;
mod soap;
mod status;

pub use config::{ConfigFault, RemoteConfig, ServerConfig, SoapConfig};
pub use error::PopulationError;
pub use remote::RemoteRegistry;
pub use server::AdapterServer;
pub use soap::SoapRegistry;
