//! Reads PEM files; every error names the file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustls::RootCertStore;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use crate::error::TransportError;

/// Bound of one PEM file. A revocation list of 100,000 entries takes about 5 MB.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// All certificates of a file, at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    sections(path, "certificate")
}

/// All revocation lists of a file, at least one.
pub(crate) fn revocation_lists(
    path: &Path,
) -> Result<Vec<CertificateRevocationListDer<'static>>, TransportError> {
    sections(path, "revocation list")
}

/// The first private key of a file.
pub(crate) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TransportError> {
    PrivateKeyDer::from_pem_slice(&read(path)?)
        .map_err(|source| pem_error(path, "private key", source))
}

/// All certificates of a file as trust anchors.
pub(crate) fn roots(path: &Path) -> Result<RootCertStore, TransportError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path)? {
        store
            .add(certificate)
            .map_err(|source| TransportError::TrustAnchor {
                path: path.to_owned(),
                source,
            })?;
    }
    Ok(store)
}

/// The text of a file, for libraries that parse PEM themselves.
pub(crate) fn text(path: &Path) -> Result<String, TransportError> {
    String::from_utf8(read(path)?).map_err(|source| TransportError::ReadFile {
        path: path.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidData, source.utf8_error()),
    })
}

fn sections<T: PemObject>(path: &Path, expected: &'static str) -> Result<Vec<T>, TransportError> {
    let items = T::pem_slice_iter(&read(path)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| pem_error(path, expected, source))?;
    if items.is_empty() {
        return Err(pem_error(path, expected, pem::Error::NoItemsFound));
    }
    Ok(items)
}

fn pem_error(path: &Path, expected: &'static str, source: pem::Error) -> TransportError {
    let path = path.to_owned();
    match source {
        pem::Error::NoItemsFound => TransportError::NothingInPem { path, expected },
        source => TransportError::ParsePem { path, source },
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TransportError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|source| TransportError::ReadFile {
            path: path.to_owned(),
            source,
        })?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(TransportError::FileTooLarge {
            path: path.to_owned(),
            bytes_max: FILE_BYTES_MAX,
        });
    }
    Ok(bytes)
}
