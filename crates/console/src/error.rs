//! The one error of this crate. Each text completes "failed to ...".

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the console did not start, or an accounts file was not read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsoleError {
    /// The configuration cannot be used.
    #[error("use the console's configuration: {}", .0.iter().map(|(key, text)| format!("console.{key}: {text}")).collect::<Vec<_>>().join("; "))]
    Config(Vec<(&'static str, String)>),
    /// The address cannot be listened on.
    #[error("listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The accounts file is not what it should be.
    #[error("read the accounts in {}: {}", path.display(), faults.join("; "))]
    Accounts {
        /// The file.
        path: PathBuf,
        /// Every fault.
        faults: Vec<String>,
    },
    /// An account, role or password was refused.
    #[error("change the accounts: {0}")]
    Refused(&'static str),
    /// A certificate and its key cannot be used.
    #[error("use the certificate in {}", path.display())]
    Certificate {
        /// The file with the certificate.
        path: PathBuf,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The client for the identity provider cannot be built.
    #[error("prepare the sign-in at the identity provider")]
    OpenId(#[source] lienthong_transport::TransportError),
    /// A password could not be hashed.
    #[error("hash a password")]
    Hash,
}
