//! Procedure codes: national ones, and those a province or ministry adds for itself.

use std::sync::Arc;

use super::{AgencyCode, AgencyForm, is_digits, text_code};
use crate::fault::Reason;

const MALFORMED: Reason = Reason::BadForm {
    expected: "1.000094 | 1.003560.000.00.00.H56 | 2.002621.H56",
};

/// Bytes of the part that every form has, `N.NNNNNN`.
const NUMBER_LEN: usize = 8;

/// Code of an administrative procedure, at most 22 bytes; what was written is kept.
///
/// National `1.000094`, local `1.003560.000.00.00.H56`, local in short `2.002621.H56`. The first
/// digit is 1 to 3.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcedureCode {
    text: Arc<str>,
    locality: Option<AgencyCode>,
}

impl ProcedureCode {
    /// Reads a procedure code in any of the three forms.
    ///
    /// # Errors
    ///
    /// [`Reason::Missing`] if empty, else [`Reason::BadForm`].
    pub fn parse(text: &str) -> Result<Self, Reason> {
        if text.is_empty() {
            return Err(Reason::Missing);
        }
        // Two numbers, and whatever follows them as one part.
        let parts: Vec<&str> = text.splitn(3, '.').collect();
        let (series, number, locality) = match *parts.as_slice() {
            [series, number] => (series, number, None),
            [series, number, locality] => (series, number, Some(parse_locality(locality)?)),
            _ => return Err(MALFORMED),
        };
        if !matches!(series, "1" | "2" | "3") || !is_digits(number, 6, 6) {
            return Err(MALFORMED);
        }
        Ok(Self {
            text: text.into(),
            locality,
        })
    }

    /// The code as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The number alone, `1.003560`, without the locality.
    pub fn number(&self) -> &str {
        self.text
            .get(..NUMBER_LEN)
            .expect("parse requires a number of this length")
    }

    /// The province or ministry that added the procedure; `None` for a national one.
    pub const fn locality(&self) -> Option<&AgencyCode> {
        self.locality.as_ref()
    }
}

/// A whole agency code in its old form, or a root alone; provinces and ministries only.
fn parse_locality(text: &str) -> Result<AgencyCode, Reason> {
    let agency = AgencyCode::parse(text).map_err(|_| MALFORMED)?;
    let root = agency.root();
    let is_whole = agency.form() == AgencyForm::Old || agency.as_str() == root.as_str();
    if is_whole && (root.is_province() || root.is_ministry()) {
        Ok(agency)
    } else {
        Err(MALFORMED)
    }
}

text_code!(ProcedureCode);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_three_forms_tell_number_and_locality() {
        let cases = [
            ("1.000094", "1.000094", None),
            ("1.003560.000.00.00.H56", "1.003560", Some("000.00.00.H56")),
            ("2.002621.H56", "2.002621", Some("H56")),
            ("3.000001.G22", "3.000001", Some("G22")),
        ];
        for (text, number, locality) in cases {
            let code = ProcedureCode::parse(text).unwrap();
            assert_eq!(code.number(), number);
            assert_eq!(code.locality().map(AgencyCode::as_str), locality);
            assert_eq!(code.to_string(), text);
        }
    }

    #[test]
    fn nothing_is_guessed() {
        let refused = [
            "1",
            "1.",
            "1.00094",
            "1.0000941",
            "0.000094",
            "4.000094",
            "1,000094",
            "1.000094 ",
            " 1.000094",
            "１.000094",
            "1.00009４",
            "1.000094.",
            "1.000094.h56",
            "2.002621.H56.01",
            "2.002621.K56",
            "1.003560.000.00.00",
            "1.003560.000.00.00.H5",
            "BTP-1.000094",
        ];
        for text in refused {
            assert_eq!(ProcedureCode::parse(text), Err(MALFORMED), "{text}");
        }
        assert_eq!(ProcedureCode::parse(""), Err(Reason::Missing));
    }

    proptest! {
        #[test]
        fn a_code_reads_back_from_print_and_store(
            text in r"[1-3]\.[0-9]{6}((\.[0-9]{3}\.[0-9]{2}\.[0-9]{2})?\.[GH][0-9]{2})?"
        ) {
            let code = ProcedureCode::parse(&text).unwrap();
            prop_assert_eq!(&ProcedureCode::parse(&code.to_string()).unwrap(), &code);
            let stored = serde_json::to_string(&code).unwrap();
            prop_assert_eq!(&stored, &format!("\"{text}\""));
            prop_assert_eq!(serde_json::from_str::<ProcedureCode>(&stored).unwrap(), code);
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            if let Ok(code) = ProcedureCode::parse(&text) {
                prop_assert_eq!(code.as_str(), text);
            }
        }
    }
}
