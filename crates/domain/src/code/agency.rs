//! Agency codes in their old and new form, and the root they belong to.

use std::sync::Arc;

use super::{is_digits, text_code};
use crate::fault::Reason;

/// First level of an agency code, such as `H56` (a province) or `G22` (a ministry): one capital
/// letter and two digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RootCode([u8; 3]);

impl RootCode {
    /// Reads a root code.
    ///
    /// # Errors
    ///
    /// [`Reason::Missing`] if empty, else [`Reason::BadForm`].
    pub fn parse(text: &str) -> Result<Self, Reason> {
        match *text.as_bytes() {
            [] => Err(Reason::Missing),
            [b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9'] => {
                let mut root = [0; 3];
                root.copy_from_slice(text.as_bytes());
                Ok(Self(root))
            }
            _ => Err(Reason::BadForm { expected: "H56" }),
        }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("parse admits ASCII only")
    }

    /// Whether the code lies in the range of provinces, `Hxx`; it may still name none.
    pub const fn is_province(self) -> bool {
        self.0[0] == b'H'
    }

    /// Whether the code lies in the range of ministries, `Gxx`; it may still name none.
    pub const fn is_ministry(self) -> bool {
        self.0[0] == b'G'
    }
}

text_code!(RootCode);

/// Which rule an agency code follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgencyForm {
    /// `000.17.22.H56`, the root last. Source: QCVN 102:2016.
    Old,
    /// `H56[.yy[.zz[.tt]]]`, the root first. Source: QĐ 20/2020/QĐ-TTg.
    New,
}

/// Code of an agency in either form, at most 15 bytes; what was written is kept.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgencyCode {
    text: Arc<str>,
    root: RootCode,
}

impl AgencyCode {
    /// Reads `000.17.22.H56`, or a root with up to three parts of one to three digits below it.
    ///
    /// # Errors
    ///
    /// [`Reason::Missing`] if empty, else [`Reason::BadForm`].
    pub fn parse(text: &str) -> Result<Self, Reason> {
        const MALFORMED: Reason = Reason::BadForm {
            expected: "H56.14 | 000.14.00.H56",
        };
        if text.is_empty() {
            return Err(Reason::Missing);
        }
        // One part more than any form has, so that a longer code is seen as longer.
        let parts: Vec<&str> = text.splitn(5, '.').collect();
        let root = match *parts.as_slice() {
            [tail, middle, head, root]
                if is_digits(tail, 3, 3) && is_digits(middle, 2, 2) && is_digits(head, 2, 2) =>
            {
                root
            }
            [root, ref below @ ..]
                if below.len() <= 3 && below.iter().all(|part| is_digits(part, 1, 3)) =>
            {
                root
            }
            _ => return Err(MALFORMED),
        };
        let root = RootCode::parse(root).map_err(|_| MALFORMED)?;
        Ok(Self {
            text: text.into(),
            root,
        })
    }

    /// The code as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The province, ministry or other body it belongs to.
    pub const fn root(&self) -> RootCode {
        self.root
    }

    /// Whether it is `other` or a unit below it, both in the new form; an old-form code is only itself.
    pub fn is_within(&self, other: &Self) -> bool {
        let below = self.text.strip_prefix(&*other.text);
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// Which rule it follows.
    pub fn form(&self) -> AgencyForm {
        if self.text.starts_with(self.root.as_str()) {
            AgencyForm::New
        } else {
            AgencyForm::Old
        }
    }

    /// Whether both codes seem to name one unit, across the two forms: the parts of the old form
    /// are read backwards and zero parts at the end are ignored, so `000.15.02.H40` and
    /// `H40.02.15` are the same.
    ///
    /// A guess for showing to people: no source confirms the reading order, so nothing may be
    /// decided by it.
    pub fn is_same_unit(&self, other: &Self) -> bool {
        self.root == other.root && self.levels() == other.levels()
    }

    /// Numbers of the levels below the root, the highest first, without zeros at the end.
    fn levels(&self) -> Vec<u16> {
        let number = |part: &str| part.parse().expect("parse admits at most three digits");
        let mut levels: Vec<u16> = match self.form() {
            AgencyForm::New => self.text.split('.').skip(1).map(number).collect(),
            AgencyForm::Old => self.text.rsplit('.').skip(1).map(number).collect(),
        };
        while levels.pop_if(|level| *level == 0).is_some() {}
        levels
    }
}

text_code!(AgencyCode);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn agency(text: &str) -> AgencyCode {
        AgencyCode::parse(text).unwrap()
    }

    #[test]
    fn both_forms_know_their_root() {
        let cases = [
            ("000.17.22.H56", "H56", AgencyForm::Old),
            ("000.00.00.G22", "G22", AgencyForm::Old),
            ("H56", "H56", AgencyForm::New),
            ("H21.17", "H21", AgencyForm::New),
            ("H21.105", "H21", AgencyForm::New),
            ("G22.01.02.03", "G22", AgencyForm::New),
        ];
        for (text, root, form) in cases {
            let code = agency(text);
            assert_eq!((code.root().as_str(), code.form()), (root, form), "{text}");
            assert_eq!(format!("{code} {code:?}"), format!("{text} {text}"));
        }
    }

    #[test]
    fn nothing_is_guessed() {
        let refused = [
            "h56",
            "H5",
            "H567",
            " H56",
            "H56 ",
            "H５６",
            "H56.",
            "H56..1",
            "H56.1234",
            "H56.a",
            "H56.1.2.3.4",
            "000.17.22",
            "000.17.22.h56",
            "00.17.22.H56",
            "000.017.22.H56",
            "000.17.22.H56.1",
            "000-17-22-H56",
            "Н56",
            "H56\n",
            "Đ56",
        ];
        for text in refused {
            assert!(
                matches!(AgencyCode::parse(text), Err(Reason::BadForm { .. })),
                "{text}"
            );
        }
        assert_eq!(AgencyCode::parse(""), Err(Reason::Missing));
        assert_eq!(
            RootCode::parse("H5６").map_err(Reason::name),
            Err("BAD_FORM")
        );
    }

    #[test]
    fn the_two_forms_of_one_unit_are_recognised() {
        assert!(agency("000.15.02.H40").is_same_unit(&agency("H40.02.15")));
        assert!(agency("000.00.14.H56").is_same_unit(&agency("H56.14")));
        assert!(agency("000.00.00.H56").is_same_unit(&agency("H56")));
        assert!(!agency("000.15.02.H40").is_same_unit(&agency("H40.15.02")));
        assert!(!agency("000.00.14.H56").is_same_unit(&agency("H57.14")));
    }

    #[test]
    fn kinds_of_root_are_told_apart_by_letter() {
        assert!(agency("H01.02").root().is_province() && !agency("H01.02").root().is_ministry());
        assert!(agency("G01").root().is_ministry() && !agency("K01").root().is_province());
    }

    proptest! {
        #[test]
        fn a_code_reads_back_from_print_and_store(
            text in r"[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}|[A-Z][0-9]{2}(\.[0-9]{1,3}){0,3}"
        ) {
            let code = agency(&text);
            prop_assert_eq!(&agency(&code.to_string()), &code);
            let stored = serde_json::to_string(&code).unwrap();
            prop_assert_eq!(&stored, &format!("\"{text}\""));
            prop_assert_eq!(serde_json::from_str::<AgencyCode>(&stored).unwrap(), code);
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            if let Ok(code) = AgencyCode::parse(&text) {
                prop_assert_eq!(code.as_str(), text);
            }
        }
    }
}
