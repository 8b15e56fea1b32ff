//! A certificate authority for demos, development and tests. A province in production brings the
//! certificates of a real one.

mod files;

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason,
    RevokedCertParams, SanType, SerialNumber,
};

use crate::error::TransportError;
use crate::peer::{self, IdentityPolicy};
use crate::pem;

pub use files::Overwrite;

const CA_FILE: &str = "ca.pem";
const CA_KEY_FILE: &str = "ca-key.pem";
const CA_CRL_FILE: &str = "ca-crl.pem";
const CA_NAME: &str = "Lienthong development CA";
const CA_DAYS: u16 = 5 * 365;
/// Longest life of an issued certificate and of a revocation list.
const DAYS_MAX: u16 = 90;
/// How far the start of validity lies back, for clocks that lag.
const BACKDATED: SignedDuration = SignedDuration::from_hours(1);

/// A self-signed P-256 authority with its key.
pub struct DevelopmentCa {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
}

/// A certificate with its key, not yet on disk.
pub struct IssuedCertificate {
    stem: String,
    certificate_pem: String,
    private_key_pem: String,
    serial: String,
    not_after: Timestamp,
}

impl DevelopmentCa {
    /// Longest life of an issued certificate, in days.
    pub const DAYS_MAX: u16 = DAYS_MAX;

    /// Makes a new authority, valid for five years.
    ///
    /// # Errors
    /// [`TransportError::Issue`] when no key could be made.
    pub fn create(now: Timestamp) -> Result<Self, TransportError> {
        let fault = |source| TransportError::Issue {
            what: "CA certificate",
            source,
        };
        let key = KeyPair::generate().map_err(fault)?;
        let mut params = params(CA_NAME, now, CA_DAYS);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(fault)?;
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate_pem: certificate.pem(),
        })
    }

    /// Reads `ca.pem` and `ca-key.pem` from a folder.
    ///
    /// # Errors
    /// A missing or malformed file.
    pub fn load(folder: &Path) -> Result<Self, TransportError> {
        let fault = |source| TransportError::Issue {
            what: "use of the saved CA",
            source,
        };
        let certificate_pem = pem::text(&folder.join(CA_FILE))?;
        let key_pem = pem::text(&folder.join(CA_KEY_FILE))?;
        let key = KeyPair::from_pem(&key_pem).map_err(fault)?;
        let issuer = Issuer::from_ca_cert_pem(&certificate_pem, key).map_err(fault)?;
        Ok(Self {
            issuer,
            certificate_pem,
        })
    }

    /// Writes `ca.pem` and `ca-key.pem` (mode 0600) into a folder, which is made if missing.
    ///
    /// # Errors
    /// [`TransportError::FileExists`] unless overwriting was asked for; a failed write.
    pub fn save(&self, folder: &Path, overwrite: Overwrite) -> Result<(), TransportError> {
        let key = self.issuer.key().serialize_pem();
        files::write_pair(
            [
                (&folder.join(CA_FILE), &self.certificate_pem),
                (&folder.join(CA_KEY_FILE), &key),
            ],
            overwrite,
        )
    }

    /// The authority's certificate, PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Issues a server certificate for DNS names and IP addresses; saved as `server.pem`.
    ///
    /// # Errors
    /// [`TransportError::BadName`] without names or with an impossible one;
    /// [`TransportError::BadLifetime`] beyond 1 to 90 days.
    pub fn issue_server(
        &self,
        names: &[&str],
        now: Timestamp,
        days: u16,
    ) -> Result<IssuedCertificate, TransportError> {
        let bad_name = |value: &str| TransportError::BadName {
            what: "server name",
            value: value.to_owned(),
            rule: "at least one; each a DNS name or an IP address",
        };
        let mut params = params(names.first().ok_or_else(|| bad_name(""))?, now, days);
        for name in names {
            params.subject_alt_names.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_not_an_address) => {
                    rustls_pki_types::DnsName::try_from(*name)
                        .map_err(|_malformed| bad_name(name))?;
                    SanType::DnsName((*name).try_into().map_err(|_not_ascii| bad_name(name))?)
                }
            });
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(params, "server".to_owned(), days)
    }

    /// Issues a client certificate for a participant's system; saved as
    /// `<participant>-<system>.pem`.
    ///
    /// # Errors
    /// [`TransportError::BadName`] for a name outside its grammar;
    /// [`TransportError::BadLifetime`] beyond 1 to 90 days.
    pub fn issue_participant(
        &self,
        policy: &IdentityPolicy,
        (participant, system): (&str, &str),
        now: Timestamp,
        days: u16,
    ) -> Result<IssuedCertificate, TransportError> {
        let uri = format!("spiffe://{}/{participant}/{system}", policy.trust_domain());
        let bad_name = |what, value: &str| TransportError::BadName {
            what,
            value: value.to_owned(),
            rule: "1 to 64 of A-Z, a-z, 0-9, dot, underscore, hyphen",
        };
        for (what, name) in [("participant", participant), ("system", system)] {
            if !peer::is_name(name) {
                return Err(bad_name(what, name));
            }
        }
        let mut params = params(&format!("{participant} {system}"), now, days);
        let uri = uri
            .as_str()
            .try_into()
            .map_err(|_not_ascii| bad_name("name", &uri))?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params, format!("{participant}-{system}"), days)
    }

    /// A revocation list (PEM) of the given serials, as [`IssuedCertificate::serial`] writes them.
    ///
    /// # Errors
    /// [`TransportError::BadSerial`] for what is not hexadecimal;
    /// [`TransportError::BadLifetime`] beyond 1 to 90 days.
    pub fn revocation_list(
        &self,
        serials: &[&str],
        now: Timestamp,
        days: u16,
    ) -> Result<String, TransportError> {
        check_days(days)?;
        let revoked = serials.iter().map(|serial| {
            let bytes =
                hex::decode(serial).map_err(|_| TransportError::BadSerial((*serial).to_owned()))?;
            Ok(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&bytes),
                revocation_time: rcgen::date_time_ymd(1970, 1, 1) + since_1970(now),
                reason_code: Some(RevocationReason::CessationOfOperation),
                invalidity_date: None,
            })
        });
        let start = now - BACKDATED;
        let list = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(1970, 1, 1) + since_1970(start),
            next_update: rcgen::date_time_ymd(1970, 1, 1) + since_1970(end(start, days)),
            crl_number: SerialNumber::from(since_1970(now).as_secs()),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect::<Result<_, TransportError>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer)
            .and_then(|list| list.pem())
            .map_err(|source| TransportError::Issue {
                what: "revocation list",
                source,
            })
    }

    /// Writes a revocation list as `ca-crl.pem`, replacing the one before.
    ///
    /// # Errors
    /// A failed write.
    pub fn save_revocation_list(folder: &Path, list_pem: &str) -> Result<(), TransportError> {
        files::write_public(&folder.join(CA_CRL_FILE), list_pem, Overwrite::Yes)
    }

    fn issue(
        &self,
        mut params: CertificateParams,
        stem: String,
        days: u16,
    ) -> Result<IssuedCertificate, TransportError> {
        check_days(days)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let fault = |source| TransportError::Issue {
            what: "certificate",
            source,
        };
        let key = KeyPair::generate().map_err(fault)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(fault)?;
        let (serial, not_after) = facts(&certificate)?;
        Ok(IssuedCertificate {
            stem,
            certificate_pem: certificate.pem(),
            private_key_pem: key.serialize_pem(),
            serial,
            not_after,
        })
    }
}

impl fmt::Debug for DevelopmentCa {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DevelopmentCa")
    }
}

impl IssuedCertificate {
    /// The certificate, PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The private key, PEM.
    pub fn private_key_pem(&self) -> &str {
        &self.private_key_pem
    }

    /// Serial number, lower-case hexadecimal.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// End of validity.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Name of the files without extension: `server` or `<participant>-<system>`.
    pub fn stem(&self) -> &str {
        &self.stem
    }

    /// Writes `<stem>.pem` and `<stem>-key.pem` (mode 0600) into a folder, made if missing.
    ///
    /// # Errors
    /// [`TransportError::FileExists`] unless overwriting was asked for; a failed write.
    pub fn save(&self, folder: &Path, overwrite: Overwrite) -> Result<(), TransportError> {
        files::write_pair(
            [
                (
                    &folder.join(format!("{}.pem", self.stem)),
                    &self.certificate_pem,
                ),
                (
                    &folder.join(format!("{}-key.pem", self.stem)),
                    &self.private_key_pem,
                ),
            ],
            overwrite,
        )
    }
}

impl fmt::Debug for IssuedCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("IssuedCertificate")
            .field("stem", &self.stem)
            .field("serial", &self.serial)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

fn params(common_name: &str, now: Timestamp, days: u16) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    let start = now - BACKDATED;
    params.not_before = rcgen::date_time_ymd(1970, 1, 1) + since_1970(start);
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + since_1970(end(start, days));
    params
}

fn check_days(days: u16) -> Result<(), TransportError> {
    if (1..=DAYS_MAX).contains(&days) {
        return Ok(());
    }
    Err(TransportError::BadLifetime {
        days,
        days_max: DAYS_MAX,
    })
}

fn end(start: Timestamp, days: u16) -> Timestamp {
    start + SignedDuration::from_hours(24 * i64::from(days))
}

/// Instants before 1970 count as 1970: no certificate of ours is that old.
fn since_1970(instant: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(instant.as_second()).unwrap_or(0))
}

fn facts(certificate: &Certificate) -> Result<(String, Timestamp), TransportError> {
    let fault = |_error| TransportError::Issue {
        what: "certificate",
        source: rcgen::Error::CouldNotParseCertificate,
    };
    let parsed = peer::parse(certificate.der()).map_err(fault)?;
    let not_after = peer::timestamp(parsed.validity().not_after).map_err(fault)?;
    Ok((peer::serial_hex(&parsed), not_after))
}
