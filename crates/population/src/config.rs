//! What can be set: the population database behind SOAP, the instances of a remote adapter, and the adapter's own
//! server.

mod check;
mod soap;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

pub use soap::{
    Access, FaultMeaning, FaultRule, Filled, Form, Service, SoapConfig, TimestampUnit, VerifyBy,
};

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// The setting, such as `access.secret`.
    pub key: String,
    /// What is wrong with it; never holds a secret.
    pub reason: &'static str,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.reason)
    }
}

/// The instances of an adapter that runs elsewhere; the default lacks endpoints and files.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RemoteConfig {
    /// `https://host:port` of each instance, 1 to 16.
    pub endpoints: Vec<String>,
    /// The name to expect in their certificates, when it is not the host of the endpoint.
    pub server_name: Option<String>,
    /// PEM: the authorities that issue their certificates.
    pub ca: PathBuf,
    /// PEM: our certificate, then its intermediates.
    pub certificate: PathBuf,
    /// PEM: our private key.
    pub key: PathBuf,
    /// Longest wait for a connection, TCP and TLS together, in milliseconds. Short, since another instance
    /// is asked within the same deadline.
    pub connect_timeout_ms: u64,
    /// How long an instance is avoided after its first failure, in milliseconds; doubled with each further one.
    pub avoid_ms: u64,
    /// Longest time that an instance is avoided, in milliseconds.
    pub avoid_ms_max: u64,
}

impl Default for RemoteConfig {
    fn default() -> Self {
        Self {
            endpoints: Vec::new(),
            server_name: None,
            ca: PathBuf::new(),
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            connect_timeout_ms: 2_000,
            avoid_ms: 500,
            avoid_ms_max: 30_000,
        }
    }
}

/// The adapter's own server; the default lets nobody in.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// The systems that may ask, as their certificates name them.
    pub peers: Vec<AllowedPeer>,
    /// Questions under way at once; further ones are answered with `POPULATION_BUSY`.
    pub calls_max: usize,
    /// How long a question may take when its caller sets no deadline, in milliseconds.
    pub deadline_ms_default: u64,
    /// How long a question may take at most, in milliseconds.
    pub deadline_ms_max: u64,
    /// How long questions under way may take after the stop, in milliseconds.
    pub drain_ms_max: u64,
}

/// A system that may ask.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowedPeer {
    /// The participant in its certificate.
    pub participant: String,
    /// The system in its certificate.
    pub system: String,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8444)),
            peers: Vec::new(),
            calls_max: 256,
            deadline_ms_default: 5_000,
            deadline_ms_max: 30_000,
            drain_ms_max: 10_000,
        }
    }
}

#[cfg(test)]
mod tests;
