//! Finds everything that is wrong with a configuration at once.

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};

use super::{Config, ConfigFault, Meanings};
use crate::answer::is_code;

/// Longest life of a session that can be set, in seconds.
const SESSION_SECONDS_MAX: u64 = 86_400;
/// Longest time-out that can be set, in milliseconds.
pub(super) const TIMEOUT_MS_MAX: u64 = 600_000;
/// Largest answer that can be set, in bytes.
const BODY_BYTES_MAX: usize = 64 << 20;
/// Smallest answer that can be set, in bytes; a plain refusal must fit.
const BODY_BYTES_MIN: usize = 1_024;

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
}

impl Config {
    /// Everything that is wrong, in the order of the fields; empty when the portal can be used.
    pub fn check(&self) -> Vec<ConfigFault> {
        let mut findings = Findings::default();
        self.check_addresses(&mut findings);
        self.check_texts(&mut findings);
        self.check_numbers(&mut findings);
        self.meanings.check(&mut findings);
        let cuts_to_nothing = self.cuts.values().any(|chars_max| *chars_max == 0);
        findings.add_if(cuts_to_nothing, "cuts", "one cuts to nothing");
        findings.0
    }

    fn check_addresses(&self, findings: &mut Findings) {
        for (key, url) in [("login_url", &self.login_url), ("data_url", &self.data_url)] {
            if let Err(reason) = check_url(url, self.allow_plaintext) {
                findings.add_if(true, key, reason);
            }
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":.-_".contains(&byte);
        let odd = !self.dstcode.bytes().all(is_plain);
        findings.add_if(
            odd,
            "dstcode",
            "holds something else than letters, digits and :.-_",
        );
        for (name, value) in &self.headers {
            let bad_name = HeaderName::try_from(name).is_err();
            findings.add_if(
                bad_name,
                "headers",
                "one has a name that HTTP does not allow",
            );
            let bad_value = HeaderValue::try_from(value.expose()).is_err();
            findings.add_if(
                bad_value,
                "headers",
                "one has a value that HTTP does not allow",
            );
        }
    }

    fn check_texts(&self, findings: &mut Findings) {
        let texts = [
            ("username", &self.username),
            ("password", self.password.expose()),
            ("services.sync", &self.services.sync),
            ("services.progress", &self.services.progress),
            ("services.find", &self.services.find),
            ("answer_fields.code", &self.answer_fields.code),
            ("answer_fields.message", &self.answer_fields.message),
            ("answer_fields.result", &self.answer_fields.result),
            ("answer_fields.session", &self.answer_fields.session),
        ];
        for (key, text) in texts {
            findings.add_if(text.trim().is_empty(), key, "is missing");
        }
    }

    fn check_numbers(&self, findings: &mut Findings) {
        let numbers = [
            ("session_seconds", self.session_seconds, SESSION_SECONDS_MAX),
            (
                "failed_login_pause_ms",
                self.failed_login_pause_ms,
                TIMEOUT_MS_MAX,
            ),
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
        ];
        for (key, number, max) in numbers {
            findings.add_if(
                number == 0 || number > max,
                key,
                "is zero or above its bound",
            );
        }
        let odd = !(BODY_BYTES_MIN..=BODY_BYTES_MAX).contains(&self.body_bytes_max);
        findings.add_if(odd, "body_bytes_max", "lies outside 1 KiB to 64 MiB");
    }
}

impl Meanings {
    fn check(&self, findings: &mut Findings) {
        let lists = [
            ("meanings.exists_phrases", &self.exists_phrases),
            ("meanings.not_exists_phrases", &self.not_exists_phrases),
            ("meanings.session_phrases", &self.session_phrases),
            ("meanings.busy_phrases", &self.busy_phrases),
        ];
        for (key, list) in lists {
            let empty = list.iter().any(|phrase| phrase.trim().is_empty());
            findings.add_if(
                empty,
                key,
                "holds an empty phrase, which every message contains",
            );
        }
        self.check_codes(findings);
        let key = "meanings.success_codes";
        let none = self.success_codes.is_empty();
        findings.add_if(none, key, "is empty, so nothing would ever be delivered");
        let others = [
            &self.session_codes,
            &self.overload_codes,
            &self.message_codes,
            &self.generic_codes,
        ];
        let twice = others
            .into_iter()
            .flatten()
            .any(|code| self.success_codes.contains(code));
        findings.add_if(twice, key, "holds a code that another list holds too");
        let odd = self
            .retry_statuses
            .iter()
            .any(|status| !(400..500).contains(status));
        findings.add_if(
            odd,
            "meanings.retry_statuses",
            "holds one outside 400 to 499",
        );
    }

    fn check_codes(&self, findings: &mut Findings) {
        let lists = [
            ("meanings.success_codes", &self.success_codes),
            ("meanings.session_codes", &self.session_codes),
            ("meanings.overload_codes", &self.overload_codes),
            ("meanings.message_codes", &self.message_codes),
            ("meanings.generic_codes", &self.generic_codes),
        ];
        for (key, list) in lists {
            let never = !list.iter().all(|code| is_code(code));
            findings.add_if(never, key, "holds a code that is not [A-Za-z0-9_.-]{1,40}");
        }
    }
}

fn check_url(text: &str, allow_plaintext: bool) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("is missing");
    }
    let url = Url::parse(text).map_err(|_| "is not a whole address")?;
    match url.scheme() {
        "https" => {}
        "http" if allow_plaintext => {}
        "http" => return Err("is http://, which only allow_plaintext permits"),
        _ => return Err("is neither https:// nor http://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds credentials, which belong in username and password");
    }
    Ok(())
}
