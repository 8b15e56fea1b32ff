//! The one error of this crate. Each text completes "failed to ...".

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::Timestamp;

/// What can go wrong while TLS settings are loaded, sockets bound and clients built.
///
/// Faults of a single connection are not here: they never leave the acceptor, which counts them
/// (see [`RefusalKind`](crate::RefusalKind)).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// A file could not be opened or read.
    #[error("read {}", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file is larger than any certificate or revocation list we expect.
    #[error("read {}: larger than {bytes_max} bytes", path.display())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// The bound.
        bytes_max: u64,
    },
    /// A file is not well-formed PEM.
    #[error("parse PEM in {}", path.display())]
    ParsePem {
        /// The file.
        path: PathBuf,
        /// Where the PEM is broken.
        source: rustls_pki_types::pem::Error,
    },
    /// A PEM file holds nothing of the kind it should hold.
    #[error("find a {expected} in {}", path.display())]
    NothingInPem {
        /// The file.
        path: PathBuf,
        /// The kind of PEM section looked for.
        expected: &'static str,
    },
    /// A certificate or revocation list is not well-formed DER.
    #[error("parse the {what} in {}: {reason}", path.display())]
    ParseDer {
        /// The file.
        path: PathBuf,
        /// Kind of object.
        what: &'static str,
        /// What the parser said.
        reason: String,
    },
    /// A CA certificate cannot serve as a trust anchor.
    #[error("trust the CA certificate in {}", path.display())]
    TrustAnchor {
        /// The file.
        path: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// The roots and revocation lists do not make a verifier.
    #[error("build the client certificate verifier from {}", path.display())]
    ClientVerifier {
        /// The file with the client CA.
        path: PathBuf,
        /// What rustls said.
        source: rustls::server::VerifierBuilderError,
    },
    /// The certificate and the key do not belong together, or the key is of no use.
    #[error("use {} with the key in {}", certificate.display(), key.display())]
    CertificateAndKey {
        /// The certificate chain file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// The certificate is expired or not yet valid.
    #[error(
        "use the certificate in {}: valid from {not_before} to {not_after}, now is {now}",
        path.display()
    )]
    CertificateNotCurrent {
        /// The certificate chain file.
        path: PathBuf,
        /// Start of validity.
        not_before: Timestamp,
        /// End of validity.
        not_after: Timestamp,
        /// The time it was judged by.
        now: Timestamp,
    },
    /// rustls refused a setting; with fixed settings this is a defect of ours.
    #[error("set up TLS")]
    Tls(#[from] rustls::Error),
    /// The address cannot be listened on.
    #[error("listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// A trust domain, participant or system does not follow its grammar.
    #[error("use {value:?} as a {what}: {rule}")]
    BadName {
        /// Which name it is.
        what: &'static str,
        /// The refused text.
        value: String,
        /// The grammar.
        rule: &'static str,
    },
    /// An endpoint is not of the form `https://host:port`.
    #[error("use {endpoint:?} as an endpoint: {reason}")]
    BadEndpoint {
        /// The refused text.
        endpoint: String,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The HTTP client cannot be built.
    #[error("build the HTTP client")]
    HttpClient(#[source] reqwest::Error),
    /// A response body broke off.
    #[error("read the response body")]
    ReadBody(#[source] reqwest::Error),
    /// A response body is longer than the caller takes.
    #[error("read the response body: longer than {bytes_max} bytes")]
    BodyTooLarge {
        /// The bound.
        bytes_max: usize,
    },
    /// The development CA could not make a key, a certificate or a revocation list.
    #[error("issue the {what}")]
    Issue {
        /// Kind of object.
        what: &'static str,
        /// What rcgen said.
        source: rcgen::Error,
    },
    /// A certificate of the development CA was asked to live longer than it may.
    #[error("issue a certificate for {days} days: 1 to {days_max} are allowed")]
    BadLifetime {
        /// Days asked for.
        days: u16,
        /// Days allowed.
        days_max: u16,
    },
    /// A serial number is not hexadecimal.
    #[error("read {0:?} as a hexadecimal serial number")]
    BadSerial(String),
    /// A file is already there and overwriting was not asked for.
    #[error("write {}: the file exists", path.display())]
    FileExists {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be written.
    #[error("write {}", path.display())]
    WriteFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}
