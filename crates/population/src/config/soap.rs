//! What can be set about the population database behind SOAP.
//!
//! Defaults come from public client code of provincial systems (2020-2025). Source: domain.md §3.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use lienthong_domain::Private;
use lienthong_transport::{HttpClientConfig, IdentityFiles, OldestTls};
use serde::Deserialize;

/// Settings of one population database; the default lacks address, procedure and credentials.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SoapConfig {
    /// Address of both services, unless a service names its own.
    pub url: String,
    /// Whether `http://` addresses are taken; for development only.
    pub allow_plaintext: bool,
    /// PEM file of the authorities to trust instead of the usual ones; the HTTP client reads it.
    pub ca_file: Option<PathBuf>,
    /// PEM: our certificate towards a security server that asks for one; goes with `key`.
    pub certificate: Option<PathBuf>,
    /// PEM: its private key.
    pub key: Option<PathBuf>,
    /// How we prove who we are.
    pub access: Access,
    /// Further headers of every call, such as `X-Road-Client` or `ApiKey`; values never print themselves.
    pub headers: BTreeMap<String, Private<String>>,
    /// Value of the header `SOAPAction`, quotes included.
    pub soap_action: String,
    /// Value of the header `Content-Type` of SOAP calls.
    pub content_type: String,
    /// How questions and answers are wrapped.
    pub form: Form,
    /// How claims are verified.
    pub verify_by: VerifyBy,
    /// `MaDVC` of questions that name no procedure.
    pub default_procedure: String,
    /// `MaDonVi`, in newer versions.
    pub unit: Filled,
    /// `TaiKhoan`, in newer versions.
    pub account: Filled,
    /// `SoDienThoai`, in newer versions.
    pub phone: Filled,
    /// Namespace of requests.
    pub namespace: String,
    /// The service that returns a record.
    pub look_up: Service,
    /// The service that says whether there is such a person.
    pub matching: Service,
    /// What SOAP faults and the error codes of a JSON envelope mean; the first rule that fits decides.
    pub faults: Vec<FaultRule>,
    /// Longest wait for a connection, in milliseconds; the HTTP client keeps it.
    pub connect_timeout_ms: u64,
    /// Longest single call, in milliseconds, within the time the caller gives.
    pub request_timeout_ms_max: u64,
    /// Idle connections kept; the HTTP client keeps them.
    pub idle_connections_max: usize,
    /// Largest answer that is read, in bytes.
    pub body_bytes_max: usize,
    /// How long a token is used whose life was not told, in seconds.
    pub token_seconds_default: u64,
    /// Shortest time between a failed request for a token and the next, in milliseconds.
    pub failed_token_pause_ms: u64,
}

/// How we prove who we are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Access {
    /// By our connection or the static headers alone.
    #[default]
    None,
    /// Headers `Timestamp` and `Authorization: Basic base64(user:hash)`, where the hash is SHA-256 over service URL,
    /// user, timestamp and secret in lower-case hexadecimal.
    C06 {
        /// User.
        user: String,
        /// Secret.
        secret: Private<String>,
        /// The URL that is hashed, when a proxy makes it another than the one we call; empty otherwise.
        #[serde(default)]
        service_url: String,
        /// Unit of the timestamp.
        #[serde(default)]
        timestamp: TimestampUnit,
    },
    /// LGSP: a token for the header `lgspaccesstoken`; each call carries both, and `AuthHash` of the official.
    Lgsp {
        /// Whole address of the token endpoint.
        token_url: String,
        /// `AccessKey`.
        access_key: Private<String>,
        /// `SecretKey`.
        secret_key: Private<String>,
        /// `AppName`.
        app_name: String,
        /// `PartnerCode`.
        partner_code: String,
        /// `PartnerCodeCus`.
        partner_code_cus: String,
        /// Key by official; sent in Base64 as `AuthHash`.
        #[serde(default)]
        official_keys: BTreeMap<String, Private<String>>,
        /// Key of officials without one of their own; empty refuses their questions once any official has a key.
        #[serde(default)]
        default_key: Private<String>,
    },
    /// WSO2: a token for Basic client credentials.
    Wso2 {
        /// Whole address of the token endpoint, usually `…/token`.
        token_url: String,
        /// Client id.
        client_id: String,
        /// Client secret.
        client_secret: Private<String>,
    },
}

/// Unit of the header `Timestamp`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimestampUnit {
    /// Most clients.
    #[default]
    Milliseconds,
    /// One client.
    Seconds,
}

/// How questions and answers are wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// SOAP 1.1.
    #[default]
    Soap,
    /// JSON in; out comes `{error_code, message}` whose message is the XML text.
    Json,
}

/// How claims are verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyBy {
    /// By service 003, which compares exactly and shows nothing. A claimed name without diacritics then counts as
    /// wrong: "undecided" would be the answer to every guess, since nothing tells whether the rest was right.
    #[default]
    Match,
    /// By service 037: the record is compared here, so a name without diacritics or a mere year can be told
    /// from a wrong one. The record does not leave.
    LookUp,
}

/// What an optional element of a request says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filled {
    /// The element is left out.
    #[default]
    Nothing,
    /// The participant's agency code.
    Participant,
    /// The official's id.
    Official,
    /// Always this.
    Fixed(String),
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its element in the body.
    pub element: String,
    /// `MaTichHop`.
    pub code: String,
    /// Its address, when it is not the common one; empty otherwise.
    #[serde(default)]
    pub url: String,
}

/// A code, a phrase or both, and what an error with them means.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The fault code without its prefix, or the JSON error code; empty fits any.
    #[serde(default)]
    pub code: String,
    /// Found anywhere in the sentence and the detail, whatever its case and Unicode form; empty fits any.
    #[serde(default)]
    pub phrase: String,
    /// What it means.
    pub meaning: FaultMeaning,
}

/// What an error means. None of these says anything about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultMeaning {
    /// Fewer questions, please.
    Busy,
    /// Our credentials or our question are not accepted.
    Refused,
    /// It may work later.
    Unavailable,
}

impl SoapConfig {
    /// The address of a service, as it is written here.
    pub(crate) fn url_of<'a>(&'a self, service: &'a Service) -> &'a str {
        if service.url.is_empty() {
            &self.url
        } else {
            &service.url
        }
    }

    /// Settings of the HTTP client that [`SoapRegistry::new`](crate::SoapRegistry::new) takes.
    pub fn http_client_config(&self) -> HttpClientConfig {
        let identity = self.certificate.clone().zip(self.key.clone());
        HttpClientConfig {
            roots: self.ca_file.clone(),
            identity: identity.map(|(certificate_chain, private_key)| IdentityFiles {
                certificate_chain,
                private_key,
            }),
            // Security servers in the field still speak TLS 1.2.
            oldest_tls: OldestTls::V1_2,
            connect_timeout: Duration::from_millis(self.connect_timeout_ms),
            request_timeout: Duration::from_millis(self.request_timeout_ms_max),
            idle_connections_max: self.idle_connections_max,
            allow_plaintext: self.allow_plaintext,
            ..HttpClientConfig::default()
        }
    }
}

impl Default for SoapConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            allow_plaintext: false,
            ca_file: None,
            certificate: None,
            key: None,
            access: Access::default(),
            headers: BTreeMap::new(),
            soap_action: "\"\"".to_owned(),
            content_type: "application/xml".to_owned(),
            form: Form::default(),
            verify_by: VerifyBy::default(),
            default_procedure: String::new(),
            unit: Filled::default(),
            account: Filled::default(),
            phone: Filled::default(),
            namespace: "http://dancuquocgia.bca".to_owned(),
            look_up: Service::new("TraCuuThongTinCongDan", "037"),
            matching: Service::new("XacThucThongTinCongDan", "003"),
            faults: default_faults(),
            connect_timeout_ms: 5_000,
            request_timeout_ms_max: 30_000,
            idle_connections_max: 64,
            body_bytes_max: 256 * 1024,
            token_seconds_default: 600,
            failed_token_pause_ms: 2_000,
        }
    }
}

impl Service {
    fn new(element: &str, code: &str) -> Self {
        Self {
            element: element.to_owned(),
            code: code.to_owned(),
            url: String::new(),
        }
    }
}

fn default_faults() -> Vec<FaultRule> {
    let busy = [
        "quá tải",
        "quá nhiều",
        "hạn mức",
        "bận",
        "busy",
        "overload",
        "too many",
        "throttl",
    ];
    let later = ["bảo trì", "tạm dừng", "time out", "timeout", "thử lại"];
    let rule = |phrase: &str, meaning| FaultRule {
        code: String::new(),
        phrase: phrase.to_owned(),
        meaning,
    };
    let busy = busy.map(|phrase| rule(phrase, FaultMeaning::Busy));
    let later = later.map(|phrase| rule(phrase, FaultMeaning::Unavailable));
    busy.into_iter().chain(later).collect()
}
