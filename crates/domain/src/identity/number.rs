//! The numbers that name a citizen: 12 digits since 2016, 9 on the old identity card.
//!
//! Both are personal: they never print themselves, and whoever must send or store one says so with
//! `as_str`. There is no check digit, so a number is easily guessed: never hash it without a key.
//! Source: NĐ 137/2015/NĐ-CP Art. 13, TT 59/2021/TT-BCA Art. 4, domain.md §2.3.

use std::fmt;

use crate::code::numeric_code;
use crate::fault::Reason;
use crate::province::Province;
use crate::text::is_blank;

/// Hexadecimal digits of the shortest UUID or digest that may hold a number by chance.
const DRAWN_DIGITS_MIN: usize = 32;

/// Sex as the population database records it (`GioiTinh`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sex {
    /// 1, nam.
    Male,
    /// 2, nữ.
    Female,
}

numeric_code!(Sex in "GioiTinh" { Male = 1, Female = 2 });

impl Sex {
    /// Reads `male` or `female`.
    ///
    /// # Errors
    ///
    /// [`Reason::BadForm`] for anything else.
    pub fn parse(name: &str) -> Result<Self, Reason> {
        Self::ALL
            .iter()
            .copied()
            .find(|sex| sex.name() == name)
            .ok_or(Reason::BadForm {
                expected: "male | female",
            })
    }

    /// `male` or `female`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Male => "male",
            Self::Female => "female",
        }
    }
}

/// A citizen number (số định danh cá nhân), 12 ASCII digits `PPPCYYRRRRRR`: place of birth
/// registration, century and sex, year of birth, and six without meaning.
///
/// Only the form is checked. What the digits say about a person is a hint to be compared with what
/// is declared, never a reason to refuse the number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CitizenNumber([u8; 12]);

impl CitizenNumber {
    /// Reads 12 ASCII digits; blanks at either end are dropped.
    ///
    /// # Errors
    ///
    /// [`Reason::Missing`] if there are only blanks, [`Reason::NotDigits`] for anything but 0-9
    /// (full-width and Arabic digits included), [`Reason::BadForm`] for another length.
    pub fn parse(raw: &str) -> Result<Self, Reason> {
        digits(raw, "000000000000").map(Self)
    }

    /// The 12 digits, for the one place that must send, store or key them.
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }

    /// The first three digits: where the birth was registered, a province or a foreign country.
    /// It never follows a merger of provinces and is no address.
    pub fn prefix(&self) -> &str {
        ascii(&self.0[..3])
    }

    /// The last six digits.
    pub fn suffix(&self) -> &str {
        ascii(&self.0[6..])
    }

    /// The province, merged or not, in which the birth was registered; `None` for a birth abroad
    /// or an unknown prefix, which is worth a warning at most.
    pub fn province(&self) -> Option<&'static Province> {
        let prefix = self.prefix();
        Province::all()
            .iter()
            .find(|province| province.citizen_number_prefix() == prefix)
    }

    /// Sex: an even fourth digit is male, an odd one female, in every century.
    pub fn sex(&self) -> Sex {
        if self.digit(3).is_multiple_of(2) {
            Sex::Male
        } else {
            Sex::Female
        }
    }

    fn digit(&self, index: usize) -> u16 {
        u16::from(self.0[index] - b'0')
    }
}

impl fmt::Debug for CitizenNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CitizenNumber(***)")
    }
}

/// The number of an old identity card (CMND), 9 ASCII digits without inner meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OldNumber([u8; 9]);

impl OldNumber {
    /// Reads 9 ASCII digits; blanks at either end are dropped.
    ///
    /// # Errors
    ///
    /// As [`CitizenNumber::parse`].
    pub fn parse(raw: &str) -> Result<Self, Reason> {
        digits(raw, "000000000").map(Self)
    }

    /// The 9 digits, for the one place that must send, store or key them.
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }
}

impl fmt::Debug for OldNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OldNumber(***)")
    }
}

/// Either number, told apart by its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdNumber {
    /// 12 digits.
    Citizen(CitizenNumber),
    /// 9 digits.
    Old(OldNumber),
}

impl IdNumber {
    /// Reads 12 or 9 ASCII digits; blanks at either end are dropped.
    ///
    /// # Errors
    ///
    /// As [`CitizenNumber::parse`].
    pub fn parse(raw: &str) -> Result<Self, Reason> {
        let number = raw.trim_matches(is_blank);
        if number.len() == 9 {
            OldNumber::parse(number).map(Self::Old)
        } else {
            CitizenNumber::parse(number)
                .map(Self::Citizen)
                .map_err(|reason| match reason {
                    Reason::BadForm { .. } => Reason::BadForm {
                        expected: "000000000000 | 000000000",
                    },
                    other => other,
                })
        }
    }

    /// The digits, for the one place that must send, store or key them.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Citizen(number) => number.as_str(),
            Self::Old(number) => number.as_str(),
        }
    }

    /// Whether a number stands in `text`: a run of exactly 12 or 9 digits. What is kept in the clear must hold none.
    ///
    /// A UUID or a digest may hold such a run by chance, so a word of 32 or more hexadecimal digits, hyphens not
    /// counted and letters among them, is taken for one of those.
    pub fn stands_in(text: &str) -> bool {
        let is_of_a_word = |found: char| found.is_ascii_hexdigit() || found == '-';
        text.split(|found| !is_of_a_word(found))
            .filter(|word| !is_drawn(word))
            .flat_map(|word| word.split(|found: char| !found.is_ascii_digit()))
            .any(|run| matches!(run.len(), 9 | 12))
    }

    /// The citizen number, if this is one.
    pub const fn citizen(&self) -> Option<&CitizenNumber> {
        match self {
            Self::Citizen(number) => Some(number),
            Self::Old(_) => None,
        }
    }
}

/// Whether a word of hexadecimal digits and hyphens was drawn or computed.
fn is_drawn(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_hexdigit).count();
    digits >= DRAWN_DIGITS_MIN && word.bytes().any(|found| found.is_ascii_alphabetic())
}

fn digits<const N: usize>(raw: &str, expected: &'static str) -> Result<[u8; N], Reason> {
    let number = raw.trim_matches(is_blank).as_bytes();
    if number.is_empty() {
        return Err(Reason::Missing);
    }
    if !number.iter().all(u8::is_ascii_digit) {
        return Err(Reason::NotDigits);
    }
    number.try_into().map_err(|_| Reason::BadForm { expected })
}

fn ascii(digits: &[u8]) -> &str {
    str::from_utf8(digits).expect("`digits` lets in nothing but ASCII digits")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn citizen(number: &str) -> CitizenNumber {
        CitizenNumber::parse(number).unwrap()
    }

    #[test]
    fn the_digits_tell_place_and_sex() {
        use Sex::{Female, Male};
        let cases = [
            ("052000000001", Some("H08"), Male),
            ("064199000002", Some("H21"), Female),
            ("079285000003", Some("H29"), Male),
            ("001309000004", Some("H26"), Female),
            ("138499000005", None, Male),
            ("999500000006", None, Female),
            ("052601000007", Some("H08"), Male),
            ("052799000008", Some("H08"), Female),
            ("052800000009", Some("H08"), Male),
            ("052999000010", Some("H08"), Female),
        ];
        for (text, province, sex) in cases {
            let number = citizen(text);
            let found = number
                .province()
                .map(|province| province.code().to_string());
            assert_eq!(found.as_deref(), province, "{text}");
            assert_eq!(number.sex(), sex, "{text}");
        }
        let number = citizen("052185012345");
        assert_eq!((number.prefix(), number.suffix()), ("052", "012345"));
    }

    #[test]
    fn every_province_is_found_by_its_prefix() {
        for province in Province::all() {
            let number = citizen(&format!("{}190000001", province.citizen_number_prefix()));
            assert_eq!(number.province(), Some(province));
        }
    }

    #[test]
    fn only_ascii_digits_in_the_right_number_are_read() {
        let cases = [
            ("", "MISSING"),
            (" \u{A0}", "MISSING"),
            ("05218501234", "BAD_FORM"),
            ("0521850123456", "BAD_FORM"),
            ("052 185 012345", "NOT_DIGITS"),
            ("052185-012345", "NOT_DIGITS"),
            ("05218501234O", "NOT_DIGITS"),
            ("+52185012345", "NOT_DIGITS"),
            ("０５２１８５０１２３４５", "NOT_DIGITS"),
            ("٠٥٢١٨٥٠١٢٣٤٥", "NOT_DIGITS"),
            ("05218501234５", "NOT_DIGITS"),
            ("052185012345\n", "NOT_DIGITS"),
            ("052185012345\u{200B}", "NOT_DIGITS"),
        ];
        for (text, reason) in cases {
            let refused = CitizenNumber::parse(text).map_err(Reason::name);
            assert_eq!(refused, Err(reason), "{text:?}");
            let refused = IdNumber::parse(text).map_err(Reason::name);
            assert_eq!(refused, Err(reason), "{text:?}");
        }
        assert_eq!(citizen("\u{3000}052185012345 ").as_str(), "052185012345");
    }

    #[test]
    fn the_length_tells_the_two_numbers_apart() {
        let old = IdNumber::parse(" 211234567 ").unwrap();
        assert_eq!((old.as_str(), old.citizen()), ("211234567", None));
        assert!(matches!(old, IdNumber::Old(_)));
        let new = IdNumber::parse("052185012345").unwrap();
        assert_eq!(new.citizen(), Some(&citizen("052185012345")));
        for neither in ["21123456", "2112345678", "05218501234"] {
            let refused = IdNumber::parse(neither);
            let expected = "000000000000 | 000000000";
            assert_eq!(refused, Err(Reason::BadForm { expected }), "{neither}");
        }
        assert_eq!(IdNumber::parse("21123456x"), Err(Reason::NotDigits));
    }

    #[test]
    fn a_number_is_found_wherever_it_stands() {
        let cases = [
            ("052185012345", true),
            ("canbo-052185012345", true),
            ("cb052185012345@gialai", true),
            ("lô 2/211234567/a", true),
            ("211234567-052185012345-211234568-052185012346", true),
            ("", false),
            ("nguyenvana.tuphap", false),
            ("0905123456", false),
            ("0521850123456", false),
            ("202611220931", true),
            ("2026-11-22/0931", false),
            ("csv-00000000000000000000052185012345", false),
            ("csv-052185012345a1b2c3d4e5f6a7b8c9d0e1f2", false),
            ("0199a2b3-1234-7abc-8def-123456789012", false),
            ("0199a2b3-052185012345", true),
        ];
        for (text, expected) in cases {
            assert_eq!(IdNumber::stands_in(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_never_print() {
        let shown = format!(
            "{:?} {:?}",
            IdNumber::parse("052185012345"),
            IdNumber::parse("211234567")
        );
        assert_eq!(
            shown,
            "Ok(Citizen(CitizenNumber(***))) Ok(Old(OldNumber(***)))"
        );
    }

    #[test]
    fn sexes_have_a_code_and_a_name() {
        for sex in Sex::ALL {
            assert_eq!(Sex::parse(sex.name()), Ok(*sex));
        }
        assert_eq!(
            (Sex::Male.code(), Sex::from_code(2)),
            (1, Some(Sex::Female))
        );
        for other in ["", "Male", "nam", "1"] {
            assert_eq!(Sex::parse(other).map_err(Reason::name), Err("BAD_FORM"));
        }
    }

    proptest! {
        #[test]
        fn twelve_digits_are_always_read_and_kept(text in "[0-9]{12}") {
            let number = citizen(&text);
            prop_assert_eq!(number.as_str(), &text);
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            if let Ok(number) = IdNumber::parse(&text) {
                prop_assert_eq!(number.as_str(), text.trim());
            }
        }
    }
}
