//! The TLS settings of our servers: TLS 1.3, mutual, revocation lists, no resumption.
//!
//! [`ServerTls`] holds the settings in force; [`Reloader`] follows the files.

mod reload;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use tokio::sync::watch;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use crate::clock::TlsClock;
use crate::error::TransportError;
use crate::peer::{self, IdentityPolicy};
use crate::pem;
use crate::provider::install_crypto_provider;

pub use reload::Reloader;

/// The only protocol spoken over a server connection of ours.
pub(crate) const ALPN_H2: &[u8] = b"h2";

/// Where the server's identity and the roots of its clients lie.
#[derive(Debug, Clone)]
pub struct ServerTlsConfig {
    /// PEM: the server's certificate, then its intermediates.
    pub certificate_chain: PathBuf,
    /// PEM: the server's private key.
    pub private_key: PathBuf,
    /// PEM: the authorities that issue participant certificates.
    pub client_ca: PathBuf,
    /// PEM: revocation lists. With none, revocation is not checked; with some, every authority
    /// must have a current one, or its clients are refused.
    pub client_crls: Vec<PathBuf>,
    /// Which client certificates name a participant.
    pub identity: IdentityPolicy,
}

impl ServerTlsConfig {
    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.certificate_chain, &self.private_key, &self.client_ca]
            .into_iter()
            .chain(&self.client_crls)
    }
}

/// The settings in force; share it as an `Arc` between the acceptor and the [`Reloader`].
#[derive(Debug)]
pub struct ServerTls {
    config: ServerTlsConfig,
    clock: TlsClock,
    published: watch::Sender<Arc<Published>>,
}

/// One set of settings that was built whole from one reading of the files.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) verifier: Arc<dyn ClientCertVerifier>,
    pub(crate) stamps: Vec<reload::FileStamp>,
    not_after: Timestamp,
    crl_next_update: Option<Timestamp>,
}

impl ServerTls {
    /// Reads the files and builds the settings. Blocks on file access: call it at start.
    ///
    /// # Errors
    /// An unreadable or malformed file (named), a key that does not match its certificate, or a
    /// server certificate that is not valid now.
    pub fn load(config: ServerTlsConfig, clock: TlsClock) -> Result<Self, TransportError> {
        let first = build(&config, &clock)?;
        Ok(Self {
            config,
            clock,
            published: watch::Sender::new(Arc::new(first)),
        })
    }

    /// Reads the files again; publishes the new settings only when they are good.
    ///
    /// # Errors
    /// As [`load`](Self::load); the settings in force stay.
    pub fn reload(&self) -> Result<(), TransportError> {
        let next = build(&self.config, &self.clock)?;
        self.published.send_replace(Arc::new(next));
        Ok(())
    }

    /// End of validity of the server certificate in force, for warnings ahead of time.
    pub fn not_after(&self) -> Timestamp {
        self.current().not_after
    }

    /// When the first of the revocation lists in force runs out, after which its clients are
    /// refused; `None` without revocation lists.
    pub fn crl_next_update(&self) -> Option<Timestamp> {
        self.current().crl_next_update
    }

    pub(crate) fn current(&self) -> Arc<Published> {
        self.published.borrow().clone()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<Published>> {
        self.published.subscribe()
    }

    pub(crate) fn clock(&self) -> &TlsClock {
        &self.clock
    }

    pub(crate) fn identity(&self) -> &IdentityPolicy {
        &self.config.identity
    }
}

fn build(config: &ServerTlsConfig, clock: &TlsClock) -> Result<Published, TransportError> {
    // Taken before reading: a file that changes while it is read is read again at the next poll.
    let stamps = reload::stamps(config);
    let chain = pem::certificates(&config.certificate_chain)?;
    let not_after = check_current(&config.certificate_chain, &chain, clock.now())?;
    let (verifier, crl_next_update) = client_verifier(config)?;
    let key = pem::private_key(&config.private_key)?;

    let mut server =
        ServerConfig::builder_with_details(install_crypto_provider(), Arc::new(clock.clone()))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(verifier.clone())
            // Fails unless the key is the certificate's own.
            .with_single_cert(chain, key)
            .map_err(|source| TransportError::CertificateAndKey {
                certificate: config.certificate_chain.clone(),
                key: config.private_key.clone(),
                source,
            })?;
    // A resumed session would bring back the client chain without verifying it again, so a revoked
    // participant could stay: no cache, no tickets, no early data.
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    server.max_early_data_size = 0;
    server.alpn_protocols = vec![ALPN_H2.to_vec()];
    Ok(Published {
        config: Arc::new(server),
        verifier,
        stamps,
        not_after,
        crl_next_update,
    })
}

/// The verifier of client chains, and when the first revocation list runs out.
fn client_verifier(
    config: &ServerTlsConfig,
) -> Result<(Arc<dyn ClientCertVerifier>, Option<Timestamp>), TransportError> {
    let roots = Arc::new(pem::roots(&config.client_ca)?);
    let mut lists = Vec::new();
    let mut next_updates = Vec::new();
    for path in &config.client_crls {
        for list in pem::revocation_lists(path)? {
            next_updates.push(next_update(path, &list)?);
            lists.push(list);
        }
    }
    // With lists, an authority without one means refusal, down to the root: the builder's default.
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, install_crypto_provider())
        .with_crls(lists)
        .enforce_revocation_expiration()
        .build()
        .map_err(|source| TransportError::ClientVerifier {
            path: config.client_ca.clone(),
            source,
        })?;
    Ok((verifier, next_updates.into_iter().min()))
}

fn next_update(
    path: &Path,
    list: &CertificateRevocationListDer<'_>,
) -> Result<Timestamp, TransportError> {
    let fault = |reason: String| TransportError::ParseDer {
        path: path.to_owned(),
        what: "revocation list",
        reason,
    };
    let (_, parsed) =
        CertificateRevocationList::from_der(list).map_err(|error| fault(error.to_string()))?;
    let next = parsed
        .next_update()
        .ok_or_else(|| fault("it has no next update".to_owned()))?;
    peer::timestamp(next).map_err(|error| fault(error.to_string()))
}

/// Refuses a server certificate that no client would accept now; returns its end of validity.
fn check_current(
    path: &Path,
    chain: &[CertificateDer<'_>],
    now: Timestamp,
) -> Result<Timestamp, TransportError> {
    let fault = |error: peer::PeerError| TransportError::ParseDer {
        path: path.to_owned(),
        what: "certificate",
        reason: error.to_string(),
    };
    let leaf = chain
        .first()
        .ok_or_else(|| fault(peer::PeerError::Malformed))?;
    let parsed = peer::parse(leaf).map_err(fault)?;
    let not_before = peer::timestamp(parsed.validity().not_before).map_err(fault)?;
    let not_after = peer::timestamp(parsed.validity().not_after).map_err(fault)?;
    if now < not_before || now > not_after {
        return Err(TransportError::CertificateNotCurrent {
            path: path.to_owned(),
            not_before,
            not_after,
            now,
        });
    }
    Ok(not_after)
}
