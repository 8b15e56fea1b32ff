#![doc = include_str!("../README.md")]

mod acceptor;
mod client;
mod clock;
mod deadline;
mod dev_ca;
mod error;
mod http;
mod http2;
mod peer;
mod pem;
mod provider;
mod server;
mod unary;

pub use acceptor::{
    Acceptor, AcceptorCounters, Connections, Limits, PeerInfo, PeerStream, RefusalKind,
};
pub use client::{ChannelTimeouts, ClientTls, ClientTlsFiles, IdentityFiles, grpc_channel};
pub use clock::TlsClock;
pub use deadline::{GRPC_TIMEOUT_HEADER, parse_grpc_timeout};
pub use dev_ca::{DevelopmentCa, IssuedCertificate, Overwrite};
pub use error::TransportError;
pub use http::{HttpClientConfig, OldestTls, http_client, read_bounded};
pub use http2::{Http2Limits, tonic_server};
pub use peer::{IdentityPolicy, PeerError, PeerIdentity};
pub use provider::install_crypto_provider;
pub use server::{Reloader, ServerTls, ServerTlsConfig};
pub use unary::{Answer, UnaryChannel};
