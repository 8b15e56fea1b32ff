//! Finds everything that is wrong with a configuration at once.

use std::collections::BTreeMap;
use std::path::Path;

use lienthong_domain::Private;
use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};

use super::{Access, ConfigFault, Filled, RemoteConfig, ServerConfig, Service, SoapConfig};

/// Longest time-out that can be set, in milliseconds.
const TIMEOUT_MS_MAX: u64 = 600_000;
/// Longest life of a token that can be set, in seconds.
const TOKEN_SECONDS_MAX: u64 = 86_400;
/// Largest answer that can be set, in bytes.
const BODY_BYTES_MAX: u64 = 4 << 20;
/// Most instances of a remote adapter.
const ENDPOINTS_MAX: usize = 16;
/// Most questions under way and most idle connections that can be set.
const CALLS_MAX: u64 = 16_384;
/// Most rules about faults.
const FAULT_RULES_MAX: usize = 256;

const MISSING: &str = "is missing";
const OUT_OF_BOUNDS: &str = "is zero or above its bound";
const NOT_A_HEADER: &str = "holds a name or value that HTTP does not allow";

/// Faults found so far.
#[derive(Default)]
struct Findings(Vec<ConfigFault>);

impl Findings {
    fn add_if(&mut self, wrong: bool, key: &str, reason: &'static str) {
        if wrong {
            let key = key.to_owned();
            self.0.push(ConfigFault { key, reason });
        }
    }

    fn present(&mut self, texts: &[(&str, &str)]) {
        for (key, text) in texts {
            self.add_if(text.trim().is_empty(), key, MISSING);
        }
    }

    fn bounded(&mut self, numbers: &[(&str, u64, u64)]) {
        for (key, number, max) in numbers {
            self.add_if(*number == 0 || number > max, key, OUT_OF_BOUNDS);
        }
    }

    fn url(&mut self, key: &str, url: &str, allow_plaintext: bool) {
        if let Err(reason) = check_url(url, allow_plaintext) {
            self.add_if(true, key, reason);
        }
    }

    fn header(&mut self, key: &str, value: &str) {
        self.add_if(HeaderValue::try_from(value).is_err(), key, NOT_A_HEADER);
    }

    fn file(&mut self, key: &str, path: &Path) {
        self.add_if(path.as_os_str().is_empty(), key, MISSING);
    }
}

impl SoapConfig {
    /// Everything that is wrong, in the order of the fields; empty when the database can be asked.
    pub fn check(&self) -> Vec<ConfigFault> {
        let mut findings = Findings::default();
        findings.url("url", &self.url, self.allow_plaintext);
        let alone = self.certificate.is_some() != self.key.is_some();
        findings.add_if(alone, "key", "goes with certificate: give both or neither");
        self.check_access(&mut findings);
        check_headers(&self.headers, &mut findings);
        findings.header("soap_action", &self.soap_action);
        findings.header("content_type", &self.content_type);
        findings.present(&[("default_procedure", &self.default_procedure)]);
        self.check_elements(&mut findings);
        self.check_service("look_up", &self.look_up, &mut findings);
        self.check_service("matching", &self.matching, &mut findings);
        self.check_faults(&mut findings);
        let body_bytes_max = u64::try_from(self.body_bytes_max).unwrap_or(u64::MAX);
        let idle_connections_max = u64::try_from(self.idle_connections_max).unwrap_or(u64::MAX);
        findings.bounded(&[
            (
                "connect_timeout_ms",
                self.connect_timeout_ms,
                TIMEOUT_MS_MAX,
            ),
            (
                "request_timeout_ms_max",
                self.request_timeout_ms_max,
                TIMEOUT_MS_MAX,
            ),
            ("idle_connections_max", idle_connections_max, CALLS_MAX),
            ("body_bytes_max", body_bytes_max, BODY_BYTES_MAX),
            (
                "token_seconds_default",
                self.token_seconds_default,
                TOKEN_SECONDS_MAX,
            ),
            (
                "failed_token_pause_ms",
                self.failed_token_pause_ms,
                TIMEOUT_MS_MAX,
            ),
        ]);
        findings.0
    }

    fn check_access(&self, findings: &mut Findings) {
        match &self.access {
            Access::None => {}
            Access::C06 {
                user,
                secret,
                service_url,
                ..
            } => {
                findings.present(&[("access.user", user), ("access.secret", secret.expose())]);
                let split = user.contains(':');
                findings.add_if(split, "access.user", "holds a colon, which ends a user");
                if !service_url.is_empty() {
                    // Only hashed, so plain http is as good as any.
                    findings.url("access.service_url", service_url, true);
                }
            }
            Access::Lgsp {
                token_url,
                access_key,
                secret_key,
                app_name,
                partner_code,
                partner_code_cus,
                ..
            } => {
                findings.url("access.token_url", token_url, self.allow_plaintext);
                findings.present(&[
                    ("access.access_key", access_key.expose()),
                    ("access.secret_key", secret_key.expose()),
                    ("access.app_name", app_name),
                    ("access.partner_code", partner_code),
                    ("access.partner_code_cus", partner_code_cus),
                ]);
            }
            Access::Wso2 {
                token_url,
                client_id,
                client_secret,
            } => {
                findings.url("access.token_url", token_url, self.allow_plaintext);
                findings.present(&[
                    ("access.client_id", client_id),
                    ("access.client_secret", client_secret.expose()),
                ]);
                let split = client_id.contains(':');
                findings.add_if(
                    split,
                    "access.client_id",
                    "holds a colon, which ends a user",
                );
            }
        }
    }

    fn check_elements(&self, findings: &mut Findings) {
        let fixed = |filled: &Filled| match filled {
            Filled::Fixed(text) => Some(text.clone()),
            Filled::Nothing | Filled::Participant | Filled::Official => None,
        };
        let texts = [
            ("default_procedure", Some(self.default_procedure.clone())),
            ("unit", fixed(&self.unit)),
            ("account", fixed(&self.account)),
            ("phone", fixed(&self.phone)),
            ("namespace", Some(self.namespace.clone())),
        ];
        for (key, text) in texts {
            let odd = text.is_some_and(|text| text.chars().any(char::is_control));
            findings.add_if(odd, key, "holds a control character");
        }
    }

    fn check_service(&self, name: &str, service: &Service, findings: &mut Findings) {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let element = service.element.as_str();
        let odd = !element.starts_with(|first: char| first.is_ascii_alphabetic())
            || !element.bytes().all(is_plain);
        let key = format!("{name}.element");
        findings.add_if(odd, &key, "is no name of an XML element");
        findings.present(&[(&format!("{name}.code"), &service.code)]);
        if !service.url.is_empty() {
            findings.url(&format!("{name}.url"), &service.url, self.allow_plaintext);
        }
    }

    fn check_faults(&self, findings: &mut Findings) {
        let many = self.faults.len() > FAULT_RULES_MAX;
        findings.add_if(many, "faults", "has more than 256 rules");
        let fits_all =
            |rule: &super::FaultRule| rule.code.trim().is_empty() && rule.phrase.trim().is_empty();
        let any = self.faults.iter().any(fits_all);
        findings.add_if(any, "faults", "holds a rule with neither code nor phrase");
    }
}

impl RemoteConfig {
    /// Everything that is wrong, in the order of the fields; the endpoints' form is checked when the channels are made.
    pub fn check(&self) -> Vec<ConfigFault> {
        let mut findings = Findings::default();
        let count = self.endpoints.len();
        findings.add_if(count == 0, "endpoints", MISSING);
        findings.add_if(
            count > ENDPOINTS_MAX,
            "endpoints",
            "has more than 16 instances",
        );
        let mut sorted = self.endpoints.clone();
        sorted.sort_unstable();
        sorted.dedup();
        findings.add_if(
            sorted.len() != count,
            "endpoints",
            "names an instance twice",
        );
        findings.file("ca", &self.ca);
        findings.file("certificate", &self.certificate);
        findings.file("key", &self.key);
        findings.bounded(&[
            (
                "connect_timeout_ms",
                self.connect_timeout_ms,
                TIMEOUT_MS_MAX,
            ),
            ("avoid_ms", self.avoid_ms, self.avoid_ms_max),
            ("avoid_ms_max", self.avoid_ms_max, TIMEOUT_MS_MAX),
        ]);
        findings.0
    }
}

impl ServerConfig {
    /// Everything that is wrong, in the order of the fields.
    pub fn check(&self) -> Vec<ConfigFault> {
        let mut findings = Findings::default();
        findings.add_if(
            self.peers.is_empty(),
            "peers",
            "is empty, so nobody could ask",
        );
        for peer in &self.peers {
            findings.present(&[
                ("peers.participant", &peer.participant),
                ("peers.system", &peer.system),
            ]);
        }
        let calls_max = u64::try_from(self.calls_max).unwrap_or(u64::MAX);
        findings.bounded(&[
            ("calls_max", calls_max, CALLS_MAX),
            (
                "deadline_ms_default",
                self.deadline_ms_default,
                self.deadline_ms_max,
            ),
            ("deadline_ms_max", self.deadline_ms_max, TIMEOUT_MS_MAX),
            ("drain_ms_max", self.drain_ms_max, TIMEOUT_MS_MAX),
        ]);
        findings.0
    }
}

fn check_headers(headers: &BTreeMap<String, Private<String>>, findings: &mut Findings) {
    let wrong = headers.iter().any(|(name, value)| {
        HeaderName::try_from(name).is_err() || HeaderValue::try_from(value.expose()).is_err()
    });
    findings.add_if(wrong, "headers", NOT_A_HEADER);
}

fn check_url(text: &str, allow_plaintext: bool) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err(MISSING);
    }
    let url = Url::parse(text).map_err(|_| "is not a whole address")?;
    match url.scheme() {
        "https" => {}
        "http" if allow_plaintext => {}
        "http" => return Err("is http://, which only allow_plaintext permits"),
        _ => return Err("is neither https:// nor http://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds credentials, which belong in access");
    }
    Ok(())
}
