//! The outbound HTTP client: our rustls settings, no surprises, bounded bodies.

use std::path::PathBuf;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Client, Response, redirect, retry};

use crate::client::{IdentityFiles, client_config};
use crate::clock::TlsClock;
use crate::error::TransportError;

const USER_AGENT: &str = concat!("lienthong/", env!("CARGO_PKG_VERSION"));

/// The oldest TLS version an HTTP client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OldestTls {
    /// TLS 1.2, for portals that offer nothing newer.
    V1_2,
    /// TLS 1.3.
    #[default]
    V1_3,
}

/// Settings of an outbound HTTP client.
#[derive(Debug, Clone)]
pub struct HttpClientConfig {
    /// PEM: the authorities to trust; the system's bundle is a file like any other. `None` trusts
    /// nobody, which is of use with `allow_plaintext` only.
    pub roots: Option<PathBuf>,
    /// Who we are, where the server asks.
    pub identity: Option<IdentityFiles>,
    /// The oldest TLS version taken.
    pub oldest_tls: OldestTls,
    /// TCP and TLS together.
    pub connect_timeout: Duration,
    /// One request, from connecting to the last byte of the body.
    pub request_timeout: Duration,
    /// Idle connections kept per host.
    pub idle_connections_max: usize,
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
    /// Whether `http://` is allowed: simulators, and systems behind a proxy of their own.
    pub allow_plaintext: bool,
}

impl Default for HttpClientConfig {
    fn default() -> Self {
        Self {
            roots: None,
            identity: None,
            oldest_tls: OldestTls::default(),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            idle_connections_max: 16,
            idle_timeout: Duration::from_mins(1),
            allow_plaintext: false,
        }
    }
}

/// Builds a client that follows no redirect, obeys no proxy variable and repeats nothing by itself.
///
/// Reads the files. Blocks on file access: call it at start.
///
/// # Errors
/// An unreadable or malformed file (named), or a key that does not match its certificate.
pub fn http_client(config: &HttpClientConfig, clock: TlsClock) -> Result<Client, TransportError> {
    let versions: &[_] = match config.oldest_tls {
        OldestTls::V1_2 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        OldestTls::V1_3 => &[&rustls::version::TLS13],
    };
    let identity = config.identity.as_ref();
    let mut tls = client_config(config.roots.as_deref(), identity, versions, clock)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(!config.allow_plaintext)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        // An attempt is one call: repeating is decided where attempts are counted.
        .retry(retry::never())
        .user_agent(USER_AGENT)
        .connect_timeout(config.connect_timeout)
        .timeout(config.request_timeout)
        .pool_max_idle_per_host(config.idle_connections_max)
        .pool_idle_timeout(config.idle_timeout)
        .tcp_nodelay(true)
        .build()
        .map_err(TransportError::HttpClient)
}

/// Reads a whole body of at most `bytes_max`; stops reading at the first byte too many.
///
/// # Errors
/// [`TransportError::BodyTooLarge`], announced or found; [`TransportError::ReadBody`] when the
/// body breaks off or the request's time is up.
pub async fn read_bounded(
    mut response: Response,
    bytes_max: usize,
) -> Result<Bytes, TransportError> {
    let too_large = || TransportError::BodyTooLarge { bytes_max };
    let announced = usize::try_from(response.content_length().unwrap_or(0));
    if announced.map_or(true, |announced| announced > bytes_max) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(TransportError::ReadBody)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
