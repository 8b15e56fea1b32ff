//! Dossier codes: the agency that took the dossier in, the day, and a number of that day.

use std::sync::Arc;

use jiff::civil::Date;

use super::{AgencyCode, is_digits, text_code};
use crate::fault::Reason;

const MALFORMED: Reason = Reason::BadForm {
    expected: "H56.14-240823-0001",
};

/// Code of a dossier, `<agency>-YYMMDD-XXXX`, at most 28 bytes; what was written is kept.
///
/// The agency is in its old form (`000.17.22.H56-210531-0001`, TT 01/2018/TT-VPCP) or its new one
/// (`H56.14-240823-0001`, TT 03/2025/TT-VPCP). A merged province's dossiers keep their code.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DossierCode {
    text: Arc<str>,
    agency: AgencyCode,
    intake_date: Date,
    daily_sequence: u32,
}

impl DossierCode {
    /// Reads a dossier code in either form; the daily number has four or five digits.
    ///
    /// # Errors
    ///
    /// [`Reason::Missing`] if empty, [`Reason::NotADate`] if `YYMMDD` is no day of this century,
    /// else [`Reason::BadForm`].
    pub fn parse(text: &str) -> Result<Self, Reason> {
        if text.is_empty() {
            return Err(Reason::Missing);
        }
        // One part more than the form has, so that a longer code is seen as longer.
        let parts: Vec<&str> = text.splitn(4, '-').collect();
        let [agency, date, sequence] = *parts.as_slice() else {
            return Err(MALFORMED);
        };
        if !is_digits(date, 6, 6) || !is_digits(sequence, 4, 5) {
            return Err(MALFORMED);
        }
        Ok(Self {
            text: text.into(),
            agency: AgencyCode::parse(agency).map_err(|_| MALFORMED)?,
            intake_date: Date::strptime("%Y%m%d", format!("20{date}"))
                .map_err(|_| Reason::NotADate)?,
            daily_sequence: sequence.parse().map_err(|_| MALFORMED)?,
        })
    }

    /// The code as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The agency that took the dossier in.
    pub const fn agency(&self) -> &AgencyCode {
        &self.agency
    }

    /// The day of intake, 2000-2099, as the code states it.
    pub const fn intake_date(&self) -> Date {
        self.intake_date
    }

    /// Number of the dossier within its agency and day, 0..=99999.
    pub const fn daily_sequence(&self) -> u32 {
        self.daily_sequence
    }
}

text_code!(DossierCode);

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_tell_agency_day_and_number() {
        let old = DossierCode::parse("000.17.22.H56-210531-0001").unwrap();
        assert_eq!(old.agency().as_str(), "000.17.22.H56");
        assert_eq!(
            (old.intake_date(), old.daily_sequence()),
            (date(2021, 5, 31), 1)
        );

        let new = DossierCode::parse("H56.14-240823-12345").unwrap();
        assert_eq!(new.agency().root().as_str(), "H56");
        assert_eq!(
            (new.intake_date(), new.daily_sequence()),
            (date(2024, 8, 23), 12_345)
        );
        assert_eq!(
            format!("{new} {new:?}"),
            "H56.14-240823-12345 H56.14-240823-12345"
        );
    }

    #[test]
    fn a_day_that_never_was_is_refused() {
        for day in ["240230", "230229", "241301", "240100", "000000"] {
            let text = format!("H56.14-{day}-0001");
            assert_eq!(DossierCode::parse(&text), Err(Reason::NotADate), "{day}");
        }
        assert!(DossierCode::parse("H56.14-240229-0001").is_ok());
    }

    #[test]
    fn nothing_is_guessed() {
        let refused = [
            "H56.14-240823",
            "H56.14-240823-001",
            "H56.14-240823-000001",
            "H56.14-20240823-0001",
            "h56.14-240823-0001",
            " H56.14-240823-0001",
            "H56.14-240823-0001 ",
            "-240823-0001",
            "H56.14-240823-0001-1",
            "H56.14-24082３-0001",
            "H56.14–240823–0001",
            "000000001",
            "H56.14-+40823-0001",
            "H56.14 -240823-0001",
        ];
        for text in refused {
            assert_eq!(DossierCode::parse(text), Err(MALFORMED), "{text}");
        }
        assert_eq!(DossierCode::parse(""), Err(Reason::Missing));
    }

    proptest! {
        #[test]
        fn a_code_reads_back_from_print_and_store(
            agency in r"[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.H[0-9]{2}|H[0-9]{2}(\.[0-9]{1,3}){0,3}",
            day in 0_i32..36_500,
            number in "[0-9]{4,5}",
        ) {
            let day = date(2000, 1, 1) + jiff::Span::new().days(day);
            let text = format!("{agency}-{}-{number}", day.strftime("%y%m%d"));
            let code = DossierCode::parse(&text).unwrap();
            prop_assert_eq!(code.intake_date(), day);
            prop_assert_eq!(code.agency().as_str(), agency);
            prop_assert_eq!(&DossierCode::parse(&code.to_string()).unwrap(), &code);
            let stored = serde_json::to_string(&code).unwrap();
            prop_assert_eq!(serde_json::from_str::<DossierCode>(&stored).unwrap(), code);
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            if let Ok(code) = DossierCode::parse(&text) {
                prop_assert_eq!(code.as_str(), text);
            }
        }
    }
}
