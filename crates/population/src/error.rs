//! Why an adapter cannot be built or could not go on.

use lienthong_transport::TransportError;

use crate::config::ConfigFault;

/// Why an adapter cannot be built or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum PopulationError {
    /// The configuration has faults.
    #[error(
        "accept the configuration of the population database: {}",
        join(faults)
    )]
    Config {
        /// All of them.
        faults: Vec<ConfigFault>,
    },
    /// A file, an endpoint or a name of the TLS settings cannot be used.
    #[error("set up the connection to the population adapter")]
    Transport(#[source] TransportError),
    /// The HTTP/2 server failed.
    #[error("serve the population registry over gRPC")]
    Serve(#[source] tonic::transport::Error),
}

fn join(faults: &[ConfigFault]) -> String {
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    faults.join("; ")
}
