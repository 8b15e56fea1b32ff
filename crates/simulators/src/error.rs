//! Why a simulator did not start or did not take a script.

use std::net::SocketAddr;

/// Why a simulator did not start or did not take a script.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The address cannot be listened on.
    #[error("failed to listen on {addr}")]
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The record file cannot be opened for appending.
    #[error("failed to open the record file {}", path.display())]
    RecordFile {
        /// The file asked for.
        path: std::path::PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The prefix is not a plain path.
    #[error(
        "failed to use the prefix {0:?}: it must start with '/', not end with it, and be plain"
    )]
    Prefix(String),
    /// A population of this size cannot be invented.
    #[error("failed to invent {0} citizens: between 1 and 50,000,000 are possible")]
    Citizens(u32),
    /// A fault script is not JSON of the right shape.
    #[error("failed to read the fault script")]
    FaultJson(#[source] serde_json::Error),
    /// A fault script asks for something out of bounds.
    #[error("failed to accept rule {rule} of the fault script: {reason}")]
    FaultRule {
        /// Position of the rule, from 1.
        rule: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The server ended with an error.
    #[error("failed to serve")]
    Serve(#[source] std::io::Error),
}

/// Refuses a prefix that a router would take for a pattern.
pub(crate) fn check_prefix(prefix: &str) -> Result<(), SimulatorError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let good = prefix.starts_with('/') && !prefix.ends_with('/') && prefix.bytes().all(plain);
    if good || prefix.is_empty() {
        Ok(())
    } else {
        Err(SimulatorError::Prefix(prefix.to_owned()))
    }
}
