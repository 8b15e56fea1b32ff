//! Outgoing TLS: roots, an optional identity of our own, and gRPC channels over it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};

use crate::clock::TlsClock;
use crate::error::TransportError;
use crate::pem;
use crate::provider::install_crypto_provider;
use crate::server::ALPN_H2;

/// Where a client certificate and its key lie.
#[derive(Debug, Clone)]
pub struct IdentityFiles {
    /// PEM: the certificate, then its intermediates.
    pub certificate_chain: PathBuf,
    /// PEM: the private key.
    pub private_key: PathBuf,
}

/// Where the TLS material of a client lies.
#[derive(Debug, Clone)]
pub struct ClientTlsFiles {
    /// PEM: the authorities that issue the server's certificate. Nothing else is trusted.
    pub roots: PathBuf,
    /// Who we are, where the server asks.
    pub identity: Option<IdentityFiles>,
    /// The name to expect in the server's certificate, when it is not the host of the endpoint.
    pub server_name: Option<String>,
}

/// TLS 1.3 for gRPC clients.
#[derive(Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
}

impl ClientTls {
    /// Reads the files. Blocks on file access: call it at start.
    ///
    /// # Errors
    /// An unreadable or malformed file (named), a key that does not match its certificate, or an
    /// impossible server name.
    pub fn load(files: &ClientTlsFiles, clock: TlsClock) -> Result<Self, TransportError> {
        let versions = &[&rustls::version::TLS13];
        let mut config =
            client_config(Some(&files.roots), files.identity.as_ref(), versions, clock)?;
        config.alpn_protocols = vec![ALPN_H2.to_vec()];
        let server_name = files.server_name.as_deref().map(server_name).transpose()?;
        Ok(Self {
            config: Arc::new(config),
            server_name,
        })
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientTls")
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

/// Bounds in time of a gRPC channel.
#[derive(Debug, Clone)]
pub struct ChannelTimeouts {
    /// TCP and TLS together.
    pub connect: Duration,
    /// One call up to its response headers, kept on our side; a deadline the server shall know is
    /// set per request. `None` leaves the bound to the caller.
    pub request: Option<Duration>,
    /// How often a silent connection is asked whether it lives, also while no call is in flight.
    pub keepalive_interval: Duration,
    /// How long the answer may take.
    pub keepalive_timeout: Duration,
}

impl Default for ChannelTimeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            request: Some(Duration::from_secs(10)),
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
        }
    }
}

/// A channel to `https://host:port` that connects at its first call and again when needed.
///
/// # Errors
/// [`TransportError::BadEndpoint`] when the endpoint has another form.
pub fn grpc_channel(
    endpoint: &str,
    tls: ClientTls,
    timeouts: &ChannelTimeouts,
) -> Result<Channel, TransportError> {
    let connector = Connector::new(endpoint, tls)?;
    let origin = connector.origin.clone();
    let connect = tower::service_fn(move |_uri: Uri| {
        let connector = connector.clone();
        async move { connector.connect().await.map(TokioIo::new) }
    });

    let mut endpoint = Endpoint::from(origin.clone())
        .origin(origin)
        .connect_timeout(timeouts.connect)
        .http2_keep_alive_interval(timeouts.keepalive_interval)
        .keep_alive_timeout(timeouts.keepalive_timeout)
        .keep_alive_while_idle(true);
    if let Some(request) = timeouts.request {
        endpoint = endpoint.timeout(request);
    }
    Ok(endpoint.connect_with_connector_lazy(connect))
}

/// The way to one server.
#[derive(Clone)]
pub(crate) struct Connector {
    origin: Uri,
    host: String,
    port: u16,
    name: ServerName<'static>,
    tls: TlsConnector,
}

impl Connector {
    /// Reads `https://host:port`.
    pub(crate) fn new(endpoint: &str, tls: ClientTls) -> Result<Self, TransportError> {
        let fault = |reason| TransportError::BadEndpoint {
            endpoint: endpoint.to_owned(),
            reason,
        };
        let origin: Uri = endpoint
            .parse()
            .map_err(|_malformed| fault("it is not a URI"))?;
        if origin.scheme_str() != Some("https") {
            return Err(fault("it must start with https://"));
        }
        if origin.path() != "/" || origin.query().is_some() {
            return Err(fault("it must end after the port"));
        }
        let (Some(host), Some(port)) = (origin.host(), origin.port_u16()) else {
            return Err(fault("it must name host and port"));
        };
        // An IPv6 host is in brackets in a URI and bare elsewhere.
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let name = match tls.server_name {
            Some(name) => name,
            None => server_name(&host)?,
        };
        Ok(Self {
            origin,
            host,
            port,
            name,
            tls: TlsConnector::from(tls.config),
        })
    }

    /// TCP and TLS, with HTTP/2 agreed on.
    pub(crate) async fn connect(&self) -> io::Result<TlsStream<TcpStream>> {
        let socket = TcpStream::connect((self.host.as_str(), self.port)).await?;
        socket.set_nodelay(true)?;
        let stream = self.tls.connect(self.name.clone(), socket).await?;
        if stream.get_ref().1.alpn_protocol() != Some(ALPN_H2) {
            return Err(io::Error::other("the server did not negotiate h2"));
        }
        Ok(stream)
    }

    /// The whole address of `path` at this server.
    pub(crate) fn uri_of(&self, path: &Uri) -> Uri {
        let mut parts = self.origin.clone().into_parts();
        parts.path_and_query = path.path_and_query().cloned();
        Uri::from_parts(parts).expect("scheme and authority of one address, path of another")
    }
}

/// The rustls settings shared by gRPC and HTTP clients; ALPN is left to the caller.
pub(crate) fn client_config(
    roots: Option<&Path>,
    identity: Option<&IdentityFiles>,
    versions: &[&'static SupportedProtocolVersion],
    clock: TlsClock,
) -> Result<ClientConfig, TransportError> {
    let builder = ClientConfig::builder_with_details(install_crypto_provider(), Arc::new(clock))
        .with_protocol_versions(versions)?
        .with_root_certificates(roots.map_or_else(|| Ok(RootCertStore::empty()), pem::roots)?);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(files) => builder
            .with_client_auth_cert(
                pem::certificates(&files.certificate_chain)?,
                pem::private_key(&files.private_key)?,
            )
            .map_err(|source| TransportError::CertificateAndKey {
                certificate: files.certificate_chain.clone(),
                key: files.private_key.clone(),
                source,
            })?,
    };
    // A resumed session would skip the check of the server's certificate.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn server_name(name: &str) -> Result<ServerName<'static>, TransportError> {
    ServerName::try_from(name.to_owned()).map_err(|_malformed| TransportError::BadName {
        what: "server name",
        value: name.to_owned(),
        rule: "a DNS name or an IP address",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn endpoints_are_read_strictly() {
        let config = ClientConfig::builder_with_provider(install_crypto_provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let tls = ClientTls {
            config: Arc::new(config),
            server_name: None,
        };
        let table = [
            ("https://gateway.example.vn:8443", true),
            ("https://127.0.0.1:8443", true),
            ("https://[::1]:8443", true),
            ("https://gateway.example.vn:8443/", true),
            ("http://gateway.example.vn:8443", false),
            ("gateway.example.vn:8443", false),
            ("https://gateway.example.vn", false),
            ("https://gateway.example.vn:8443/x", false),
            ("https://gateway.example.vn:8443?x", false),
            ("https://bad_name!:8443", false),
            ("", false),
        ];
        for (endpoint, good) in table {
            let channel = grpc_channel(endpoint, tls.clone(), &ChannelTimeouts::default());
            assert_eq!(channel.is_ok(), good, "{endpoint}");
        }
    }
}
