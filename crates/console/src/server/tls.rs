//! TLS for browsers: our certificate, TLS 1.3 or 1.2, no client certificates. The files are read again when they change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use lienthong_domain::Clock;
use lienthong_transport::install_crypto_provider;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::Config;
use crate::error::ConsoleError;

/// See the module.
pub(super) struct WebTls {
    certificate: PathBuf,
    key: PathBuf,
    clock: Clock,
    current: Mutex<(Stamps, Arc<ServerConfig>)>,
}

/// When the two files were last changed.
type Stamps = [Option<SystemTime>; 2];

impl WebTls {
    /// Reads the files; `None` where none are configured.
    pub(super) fn load(config: &Config, clock: Clock) -> Result<Option<Self>, ConsoleError> {
        let (Some(certificate), Some(key)) = (config.certificate.clone(), config.key.clone())
        else {
            return Ok(None);
        };
        let stamps = stamps(&certificate, &key);
        let first = build(&certificate, &key, &clock)?;
        Ok(Some(Self {
            certificate,
            key,
            clock,
            current: Mutex::new((stamps, Arc::new(first))),
        }))
    }

    /// The settings for a new connection; a look at the files costs two `stat`s.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(&self.certificate, &self.key);
        if current.0 != stamps {
            current.0 = stamps;
            match build(&self.certificate, &self.key, &self.clock) {
                Ok(next) => {
                    tracing::info!("the console's certificate was read again");
                    current.1 = Arc::new(next);
                }
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the console's changed certificate is not taken; the former one stays in force"
                ),
            }
        }
        current.1.clone().into()
    }
}

fn stamps(certificate: &Path, key: &Path) -> Stamps {
    [certificate, key].map(|path| {
        std::fs::metadata(path)
            .and_then(|data| data.modified())
            .ok()
    })
}

fn build(certificate: &Path, key: &Path, clock: &Clock) -> Result<ServerConfig, ConsoleError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| ConsoleError::Certificate {
        path: certificate.to_owned(),
        source,
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| failed(error.into()))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| failed(error.into()))?;
    let clock = Arc::new(super::tls_clock(clock));
    let mut config = ServerConfig::builder_with_details(install_crypto_provider(), clock)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| failed(error.into()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| failed(error.into()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
