//! What errors that the database puts into words mean, by the configured table.

use std::time::Duration;

use unicode_normalization::UnicodeNormalization as _;

use super::xml::Element;
use crate::config::{FaultMeaning, FaultRule};
use crate::failure::Failure;

/// Longest code that is repeated in an error.
const CODE_CHARS_MAX: usize = 8;
/// Codes of SOAP 1.1 and 1.2.
const BLAMES: [&str; 6] = [
    "Client",
    "Sender",
    "MustUnderstand",
    "VersionMismatch",
    "Server",
    "Receiver",
];

/// An error as the database told it. Its words may quote the question, so they never leave.
pub(crate) struct Fault {
    /// Code without its prefix.
    pub(crate) code: String,
    /// Sentence and detail.
    words: String,
    is_ours: Option<bool>,
}

impl Fault {
    /// Reads a `Fault` of SOAP 1.1 or 1.2.
    pub(crate) fn of_soap(element: &Element) -> Self {
        let code = element
            .child("Code")
            .and_then(|code| code.child_text("Value"));
        let code = element.child_text("faultcode").or(code).unwrap_or_default();
        let code = code.rsplit_once(':').map_or(code, |(_, local)| local);
        // SOAP 1.1 lets codes be refined with a dot: `Client.Authentication`.
        let whose = code.split('.').next().unwrap_or_default();
        let is_ours = match whose.to_ascii_lowercase().as_str() {
            "client" | "sender" | "mustunderstand" | "versionmismatch" => Some(true),
            "server" | "receiver" => Some(false),
            _ => None,
        };
        Self {
            code: code.to_owned(),
            words: element.all_text(),
            is_ours,
        }
    }

    /// An error code of a JSON envelope, which blames nobody.
    pub(crate) fn of_json(code: String, words: String) -> Self {
        Self {
            code,
            words,
            is_ours: None,
        }
    }

    /// Whether the code blames the question and no rule says otherwise.
    pub(crate) fn is_about_the_question(&self, rules: &Rules) -> bool {
        self.is_ours == Some(true) && rules.find(self).is_none()
    }
}

/// The table, ready for comparing.
pub(crate) struct Rules(Vec<(String, String, FaultMeaning)>);

impl Rules {
    pub(crate) fn new(rules: &[FaultRule]) -> Self {
        let rules = rules.iter();
        Self(
            rules
                .map(|rule| {
                    (
                        rule.code.trim().to_owned(),
                        fold(&rule.phrase),
                        rule.meaning,
                    )
                })
                .collect(),
        )
    }

    fn find(&self, fault: &Fault) -> Option<FaultMeaning> {
        let words = fold(&fault.words);
        let fits = self.0.iter().find(|(code, phrase, _)| {
            (code.is_empty() || *code == fault.code) && words.contains(phrase.as_str())
        });
        fits.map(|(_, _, meaning)| *meaning)
    }

    /// What a fault means: by the table, else by whom its code blames. An unknown code may be anything, so it
    /// counts as trouble that passes.
    pub(crate) fn judge(&self, fault: &Fault, retry_after: Option<Duration>) -> Failure {
        let by_code = match fault.is_ours {
            Some(true) => FaultMeaning::Refused,
            Some(false) | None => FaultMeaning::Unavailable,
        };
        let cause = match known_code(&fault.code) {
            Some(code) => format!("it answered with the error {code}"),
            None => "it answered with an error".to_owned(),
        };
        match self.find(fault).unwrap_or(by_code) {
            FaultMeaning::Busy => Failure::Busy { retry_after },
            FaultMeaning::Refused => Failure::Refused(cause),
            // Who says when to come back is there, and has too much to do.
            FaultMeaning::Unavailable if retry_after.is_some() => Failure::Busy { retry_after },
            FaultMeaning::Unavailable => Failure::Unavailable(cause),
        }
    }
}

/// A code that can be repeated: whom it blames, or a few signs and digits, too few to be a name, a number or a date.
fn known_code(code: &str) -> Option<&str> {
    let whose = code.split('.').next().unwrap_or_default();
    if BLAMES.contains(&whose) {
        return Some(whose);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let digits = code.bytes().filter(u8::is_ascii_digit).count();
    let good = code.len() <= CODE_CHARS_MAX && code.bytes().all(plain) && (1..=3).contains(&digits);
    good.then_some(code)
}

fn fold(text: &str) -> String {
    text.nfc().collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::xml;
    use super::*;
    use crate::config::SoapConfig;

    fn fault(inside: &str) -> Fault {
        Fault::of_soap(&xml::parse(&format!("<Fault>{inside}</Fault>")).unwrap())
    }

    #[test]
    fn faults_are_told_apart_by_table_then_by_blame() {
        let mut rules = SoapConfig::default().faults;
        rules.push(FaultRule {
            code: "E17".to_owned(),
            phrase: String::new(),
            meaning: FaultMeaning::Refused,
        });
        let rules = Rules::new(&rules);
        let busy = Failure::Busy { retry_after: None };
        let refused = |code: &str| Failure::refused(format!("it answered with the error {code}"));
        let down = |code: &str| Failure::unavailable(format!("it answered with the error {code}"));
        let nameless = Failure::unavailable("it answered with an error");
        let cases = [
            (
                "<faultcode>soap:Client</faultcode><faultstring>Sai mã</faultstring>",
                refused("Client"),
            ),
            ("<faultcode>Client.Auth</faultcode>", refused("Client")),
            (
                "<faultcode>S:Server</faultcode><faultstring>Lỗi</faultstring>",
                down("Server"),
            ),
            (
                "<faultcode>S:Server</faultcode><faultstring>Hệ thống QUÁ TẢI</faultstring>",
                busy.clone(),
            ),
            (
                "<faultcode>S:Client</faultcode><faultstring>Hệ thống qu\u{61}\u{301} tải</faultstring>",
                busy,
            ),
            (
                "<faultcode>S:Server</faultcode><detail><a>Đang bảo trì</a></detail>",
                down("Server"),
            ),
            ("<faultcode>E17</faultcode>", refused("E17")),
            (
                "<Code><Value>e:Sender</Value></Code><Reason><Text>x</Text></Reason>",
                refused("Sender"),
            ),
            ("<Code><Value>e:Receiver</Value></Code>", down("Receiver")),
            ("<faultcode>HOA</faultcode>", nameless.clone()),
            ("<faultcode>052185012345</faultcode>", nameless.clone()),
            ("<faultcode>19850228</faultcode>", nameless.clone()),
            ("", nameless),
        ];
        for (inside, expected) in cases {
            assert_eq!(rules.judge(&fault(inside), None), expected, "{inside}");
        }
        let wait = Some(Duration::from_secs(7));
        let later = Failure::Busy { retry_after: wait };
        assert_eq!(
            rules.judge(&fault("<faultcode>Server</faultcode>"), wait),
            later
        );
        assert_eq!(
            rules.judge(&fault("<faultcode>E17</faultcode>"), wait),
            refused("E17")
        );
        assert!(fault("<faultcode>Client</faultcode>").is_about_the_question(&rules));
        assert!(!fault("<faultcode>Server</faultcode>").is_about_the_question(&rules));
        let busy = "<faultcode>Client</faultcode><faultstring>busy</faultstring>";
        assert!(!fault(busy).is_about_the_question(&rules));
    }
}
