//! TLS to RabbitMQ: version 1.3, one authority, a client certificate if the broker asks for one.
//!
//! The settings are ours and not lapin's, which would add the system's authorities and TLS 1.2.

use std::sync::Arc;

use lapin::tcp::RustlsConnector;
use lapin::uri::{AMQPScheme, AMQPUri};
use rustls::crypto::aws_lc_rs;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::{Config, Tls};
use crate::failure::Failure;

/// The connector for `amqps`; `None` for `amqp`.
///
/// The scheme and the files must agree: plain text instead of TLS never happens by oversight.
pub(crate) fn connector(config: &Config) -> Result<Option<RustlsConnector>, Failure> {
    let AMQPUri { scheme, .. } = &config.url.0;
    match (scheme, &config.tls) {
        (AMQPScheme::AMQP, None) => Ok(None),
        (AMQPScheme::AMQPS, Some(tls)) => {
            let settings = client_config(tls).map_err(Failure::Tls)?;
            Ok(Some(RustlsConnector::from(Arc::new(settings))))
        }
        (AMQPScheme::AMQPS, None) => {
            Err(Failure::Tls("amqps needs the file of an authority".into()))
        }
        (AMQPScheme::AMQP, Some(_)) => Err(Failure::Tls(
            "TLS files are given, so the URL must say amqps".into(),
        )),
    }
}

fn client_config(tls: &Tls) -> Result<ClientConfig, String> {
    let mut authorities = RootCertStore::empty();
    for certificate in certificates(&tls.ca_pem)? {
        authorities
            .add(certificate)
            .map_err(|error| format!("the authority: {error}"))?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| error.to_string())?
        .with_root_certificates(authorities);
    let Some((chain, key)) = &tls.client else {
        return Ok(builder.with_no_client_auth());
    };
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
        .map_err(|error| format!("the client key: {error}"))?;
    let settings = builder.with_client_auth_cert(certificates(chain)?, key);
    settings.map_err(|error| format!("the client certificate: {error}"))
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err("there is no certificate in the PEM text".into()),
        Err(error) => Err(format!("a certificate: {error}")),
    }
}
