//! Who the peer is: read strictly from its leaf certificate, after rustls has verified the chain.

use jiff::{SignedDuration, Timestamp};
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;

use crate::error::TransportError;

/// Longest participant or system name, in characters.
const NAME_CHARS_MAX: usize = 64;
/// Longest trust domain, in characters. Source: SPIFFE-ID §2.1.
const TRUST_DOMAIN_CHARS_MAX: usize = 255;
const RSA_BITS_MIN: usize = 3072;

/// Which certificates name a participant of ours.
#[derive(Debug, Clone)]
pub struct IdentityPolicy {
    trust_domain: String,
    validity_days_max: u16,
}

impl IdentityPolicy {
    /// Longest validity when nothing else is configured: 398 days, and one for authorities that
    /// count both the first and the last day.
    pub const VALIDITY_DAYS_MAX_DEFAULT: u16 = 399;

    /// Takes certificates of `spiffe://<trust_domain>/..` that live at most `validity_days_max`.
    ///
    /// # Errors
    /// [`TransportError::BadName`] when the trust domain is not 1 to 255 of `[a-z0-9._-]`.
    pub fn new(trust_domain: &str, validity_days_max: u16) -> Result<Self, TransportError> {
        let allowed =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        if !(1..=TRUST_DOMAIN_CHARS_MAX).contains(&trust_domain.len())
            || !trust_domain.chars().all(allowed)
        {
            return Err(TransportError::BadName {
                what: "trust domain",
                value: trust_domain.to_owned(),
                rule: "1 to 255 of a-z, 0-9, dot, underscore, hyphen",
            });
        }
        Ok(Self {
            trust_domain: trust_domain.to_owned(),
            validity_days_max,
        })
    }

    /// The trust domain.
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }
}

/// A participant's system, as proved by its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerIdentity {
    /// Agency code of the participant, 1 to 64 of `[A-Za-z0-9._-]`.
    pub participant: String,
    /// The participant's system, same grammar.
    pub system: String,
    /// SHA-256 of the subject public key info: what the participants registry pins.
    pub spki_sha256: [u8; 32],
    /// Serial number, lower-case hexadecimal without leading zero bytes.
    pub serial: String,
    /// End of validity; a connection does not outlive it.
    pub not_after: Timestamp,
}

impl PeerIdentity {
    /// The key pin as 64 lower-case hexadecimal digits.
    pub fn spki_sha256_hex(&self) -> String {
        hex::encode(self.spki_sha256)
    }

    /// Reads the identity from a leaf certificate.
    ///
    /// The chain, the validity period and revocation are rustls' business; this looks at what
    /// rustls does not: the name, the purposes, the key strength and the length of validity.
    ///
    /// # Errors
    /// One [`PeerError`] per fault, the first one found.
    pub fn from_certificate(
        leaf: &CertificateDer<'_>,
        policy: &IdentityPolicy,
    ) -> Result<Self, PeerError> {
        let certificate = parse(leaf)?;
        check_purposes(&certificate)?;
        check_key(&certificate)?;
        let not_after = timestamp(certificate.validity().not_after)?;
        check_validity(&certificate, not_after, policy)?;
        let (participant, system) = parse_name(only_uri(&certificate)?, policy)?;
        Ok(Self {
            participant,
            system,
            spki_sha256: Sha256::digest(certificate.public_key().raw).into(),
            serial: serial_hex(&certificate),
            not_after,
        })
    }
}

/// Why a certificate names no participant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// Not one whole X.509 certificate, or an extension is broken or repeated.
    #[error("read the certificate")]
    Malformed,
    /// A CA certificate must not be used by a system.
    #[error("accept a CA certificate as a peer")]
    CertificateAuthority,
    /// Key usage lacks digitalSignature.
    #[error("accept a key that is not for digital signatures")]
    NoDigitalSignature,
    /// Extended key usage lacks clientAuth.
    #[error("accept a certificate that is not for client authentication")]
    NoClientAuth,
    /// The key is RSA below 3072 bits or of a kind we do not take.
    #[error("accept a weak or unknown kind of key")]
    WeakKey,
    /// The certificate lives longer than allowed.
    #[error("accept a certificate valid for more than {days_max} days")]
    ValidTooLong {
        /// The bound.
        days_max: u16,
    },
    /// The number of URI names is not one.
    #[error("find exactly one URI name, there are {count}")]
    UriCount {
        /// How many there are.
        count: usize,
    },
    /// The URI names another trust domain or is no SPIFFE id.
    #[error("accept a name outside our trust domain")]
    ForeignTrustDomain,
    /// The path is not `/<participant>/<system>` in the grammar of names.
    #[error("read participant and system from the name")]
    BadPath,
}

/// Refuses what is not 1 to 64 of `[A-Za-z0-9._-]`, and the two path segments `.` and `..`.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=NAME_CHARS_MAX).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        && text != "."
        && text != ".."
}

/// Parses DER that must hold one certificate and nothing after it.
pub(crate) fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, PeerError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(PeerError::Malformed),
    }
}

/// Serial number, lower-case hexadecimal without leading zero bytes.
pub(crate) fn serial_hex(certificate: &X509Certificate<'_>) -> String {
    let raw = certificate.raw_serial();
    let zeros = raw.iter().take_while(|byte| **byte == 0).count();
    hex::encode(raw.get(zeros..).unwrap_or_default())
}

pub(crate) fn timestamp(time: ASN1Time) -> Result<Timestamp, PeerError> {
    Timestamp::from_second(time.timestamp()).map_err(|_out_of_range| PeerError::Malformed)
}

fn check_purposes(certificate: &X509Certificate<'_>) -> Result<(), PeerError> {
    let constraints = certificate
        .basic_constraints()
        .map_err(|_repeated| PeerError::Malformed)?;
    if constraints.is_some_and(|extension| extension.value.ca) {
        return Err(PeerError::CertificateAuthority);
    }
    let usage = certificate
        .key_usage()
        .map_err(|_repeated| PeerError::Malformed)?;
    let usage = usage.ok_or(PeerError::NoDigitalSignature)?.value;
    if usage.key_cert_sign() || usage.crl_sign() {
        return Err(PeerError::CertificateAuthority);
    }
    if !usage.digital_signature() {
        return Err(PeerError::NoDigitalSignature);
    }
    let purposes = certificate
        .extended_key_usage()
        .map_err(|_repeated| PeerError::Malformed)?;
    if !purposes.is_some_and(|extension| extension.value.client_auth) {
        return Err(PeerError::NoClientAuth);
    }
    Ok(())
}

fn check_key(certificate: &X509Certificate<'_>) -> Result<(), PeerError> {
    const ED25519: &str = "1.3.101.112";
    let key = certificate.public_key();
    match key.parsed() {
        Ok(PublicKey::RSA(key)) if key.key_size() >= RSA_BITS_MIN => Ok(()),
        // webpki takes P-256, P-384 and P-521 only, so the curve needs no second look here.
        Ok(PublicKey::EC(_)) => Ok(()),
        _ if key.algorithm.algorithm.to_id_string() == ED25519 => Ok(()),
        _ => Err(PeerError::WeakKey),
    }
}

fn check_validity(
    certificate: &X509Certificate<'_>,
    not_after: Timestamp,
    policy: &IdentityPolicy,
) -> Result<(), PeerError> {
    let not_before = timestamp(certificate.validity().not_before)?;
    let longest = SignedDuration::from_hours(24 * i64::from(policy.validity_days_max));
    if not_after.duration_since(not_before) > longest {
        return Err(PeerError::ValidTooLong {
            days_max: policy.validity_days_max,
        });
    }
    Ok(())
}

/// Source: SPIFFE X509-SVID §2, exactly one URI SAN; other kinds of names are of no meaning to us.
fn only_uri<'a>(certificate: &'a X509Certificate<'_>) -> Result<&'a str, PeerError> {
    let names = certificate
        .subject_alternative_name()
        .map_err(|_repeated| PeerError::Malformed)?;
    let mut uris = names
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        });
    match (uris.next(), uris.count()) {
        (Some(uri), 0) => Ok(uri),
        (None, _) => Err(PeerError::UriCount { count: 0 }),
        (Some(_), more) => Err(PeerError::UriCount { count: more + 1 }),
    }
}

fn parse_name(uri: &str, policy: &IdentityPolicy) -> Result<(String, String), PeerError> {
    let path = uri
        .strip_prefix("spiffe://")
        .and_then(|rest| rest.strip_prefix(policy.trust_domain.as_str()))
        .and_then(|rest| rest.strip_prefix('/'))
        .ok_or(PeerError::ForeignTrustDomain)?;
    match path.split_once('/') {
        // A third segment would leave a slash in `system`, which is no character of a name.
        Some((participant, system)) if is_name(participant) && is_name(system) => {
            Ok((participant.to_owned(), system.to_owned()))
        }
        _ => Err(PeerError::BadPath),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy() -> IdentityPolicy {
        IdentityPolicy::new("gw.example.vn", IdentityPolicy::VALIDITY_DAYS_MAX_DEFAULT).unwrap()
    }

    #[test]
    fn names_are_read_strictly() {
        use PeerError::{BadPath, ForeignTrustDomain};
        let long = format!("spiffe://gw.example.vn/{}/x", "a".repeat(65));
        let table = [
            ("spiffe://gw.example.vn/H56/motcua", Ok(("H56", "motcua"))),
            (
                "spiffe://gw.example.vn/G01.02/a_b-c.d",
                Ok(("G01.02", "a_b-c.d")),
            ),
            ("spiffe://gw.example.vn/H56", Err(BadPath)),
            ("spiffe://gw.example.vn/H56/", Err(BadPath)),
            ("spiffe://gw.example.vn//motcua", Err(BadPath)),
            ("spiffe://gw.example.vn/H56/motcua/x", Err(BadPath)),
            ("spiffe://gw.example.vn/H56/motcua?x", Err(BadPath)),
            ("spiffe://gw.example.vn/H56/../H57", Err(BadPath)),
            ("spiffe://gw.example.vn/H56/..", Err(BadPath)),
            ("spiffe://gw.example.vn/H56/m%6ftcua", Err(BadPath)),
            ("spiffe://gw.example.vn/H56/một-cửa", Err(BadPath)),
            (long.as_str(), Err(BadPath)),
            ("spiffe://gw.example.vn", Err(ForeignTrustDomain)),
            (
                "spiffe://gw.example.vn:443/H56/motcua",
                Err(ForeignTrustDomain),
            ),
            (
                "spiffe://gw.example.vn.evil/H56/motcua",
                Err(ForeignTrustDomain),
            ),
            ("spiffe://GW.example.vn/H56/motcua", Err(ForeignTrustDomain)),
            ("SPIFFE://gw.example.vn/H56/motcua", Err(ForeignTrustDomain)),
            ("https://gw.example.vn/H56/motcua", Err(ForeignTrustDomain)),
        ];
        for (uri, expected) in table {
            let expected = expected.map(|(p, s)| (p.to_owned(), s.to_owned()));
            assert_eq!(parse_name(uri, &policy()), expected, "{uri}");
        }
    }

    #[test]
    fn trust_domains_are_read_strictly() {
        for bad in [
            "",
            "GW.vn",
            "gw.vn/x",
            "gw.vn:443",
            "tỉnh.vn",
            &"a".repeat(256),
        ] {
            assert!(IdentityPolicy::new(bad, 1).is_err(), "{bad}");
        }
        assert_eq!(policy().trust_domain(), "gw.example.vn");
    }

    proptest! {
        #[test]
        fn a_name_survives_the_round_trip(
            participant in "[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}",
            system in "[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}",
        ) {
            let uri = format!("spiffe://gw.example.vn/{participant}/{system}");
            prop_assert_eq!(parse_name(&uri, &policy()), Ok((participant, system)));
        }

        #[test]
        fn arbitrary_bytes_are_refused_without_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..256),
        ) {
            let der = CertificateDer::from(bytes);
            prop_assert!(PeerIdentity::from_certificate(&der, &policy()).is_err());
        }
    }
}
