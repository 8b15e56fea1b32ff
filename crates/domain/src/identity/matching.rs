//! What a claim about a person is worth against the record: match, no match, or undecided.
//!
//! Undecided is for a claim that may well be true but is not proved. It is never shown as a match.

use serde::{Deserialize, Serialize};

use super::birth::BirthDate;
use super::name::NameLevel;
use super::name::spelling::{self, ToneStyle};

/// The answer to one claim, or to several together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The claim agrees with the record.
    Match,
    /// The claim contradicts the record.
    NoMatch,
    /// The claim is vaguer than the record, or the record is silent.
    Undecided,
}

impl Verdict {
    /// Stable name for programs, `lower_snake`; also the stored form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::NoMatch => "no_match",
            Self::Undecided => "undecided",
        }
    }

    /// Both together: a contradiction decides, then a doubt.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::NoMatch, _) | (_, Self::NoMatch) => Self::NoMatch,
            (Self::Undecided, _) | (_, Self::Undecided) => Self::Undecided,
            (Self::Match, Self::Match) => Self::Match,
        }
    }
}

/// A tone mark on the other vowel is a match; missing diacritics leave the name undecided.
impl From<NameLevel> for Verdict {
    fn from(level: NameLevel) -> Self {
        match level {
            NameLevel::Exact | NameLevel::ToneStyle => Self::Match,
            NameLevel::NoDiacritics => Self::Undecided,
            NameLevel::Different => Self::NoMatch,
        }
    }
}

/// The verdict over what identifies a person: number, name and date of birth.
pub fn key(number: Verdict, name: NameLevel, birth: Verdict) -> Verdict {
    number.and(name.into()).and(birth)
}

/// Compares dates of birth. A year against a full date of that year is undecided.
pub fn birth(claimed: BirthDate, recorded: BirthDate) -> Verdict {
    match (claimed, recorded) {
        _ if claimed == recorded => Verdict::Match,
        (BirthDate::Full(_), BirthDate::Full(_)) => Verdict::NoMatch,
        _ if claimed.year() == recorded.year() => Verdict::Undecided,
        _ => Verdict::NoMatch,
    }
}

/// Compares a place or another text; `None` when the record lacks it.
///
/// Case, normal form, tone style, blanks and punctuation do not count. Texts that are equal only
/// without diacritics are undecided, and so is a text without letters and digits.
pub fn text(claimed: &str, recorded: Option<&str>) -> Verdict {
    let (claimed, recorded) = (words(claimed), words(recorded.unwrap_or_default()));
    if claimed.is_empty() || recorded.is_empty() {
        Verdict::Undecided
    } else if claimed == recorded {
        Verdict::Match
    } else if spelling::bare(&claimed) == spelling::bare(&recorded) {
        Verdict::Undecided
    } else {
        Verdict::NoMatch
    }
}

/// The words of `text` in one spelling, with single spaces between them.
fn words(text: &str) -> String {
    let upper = spelling::upper(text);
    let mut words = String::with_capacity(upper.len());
    for word in upper.split(|found| !spelling::is_of_a_word(found)) {
        if !word.is_empty() {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(word);
        }
    }
    spelling::restyle(&words, ToneStyle::New)
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Match, NoMatch, Undecided};
    use super::*;

    const VERDICTS: [Verdict; 3] = [Match, NoMatch, Undecided];

    #[test]
    fn dates_of_birth_agree_as_far_as_both_know_them() {
        let cases = [
            ("1985-02-28", "1985-02-28", Match),
            ("1985-02-28", "1985-02-27", NoMatch),
            ("1985-02-28", "1984-02-28", NoMatch),
            ("1985-12-02", "1985-02-12", NoMatch),
            ("1985", "1985", Match),
            ("1985", "1986", NoMatch),
            ("1985", "1985-02-28", Undecided),
            ("1985-02-28", "1985", Undecided),
            ("1985", "1986-02-28", NoMatch),
            ("1985-02-28", "1986", NoMatch),
        ];
        for (claimed, recorded, expected) in cases {
            let read = |text| BirthDate::parse(text).unwrap();
            let found = birth(read(claimed), read(recorded));
            assert_eq!(found, expected, "{claimed} {recorded}");
        }
    }

    #[test]
    fn a_text_agrees_but_for_its_dress() {
        let cases = [
            (
                "Xã Ia Grai, tỉnh Gia Lai",
                Some("XÃ IA GRAI - TỈNH GIA LAI"),
                Match,
            ),
            ("  Huyện   Hoài Ân ", Some("Huyện Hoài Ân."), Match),
            ("Thanh Hóa", Some("Thanh Hoá"), Match),
            (
                "Thừa Thiên - Huế",
                Some("Thừa Thiên Hue\u{302}\u{301}"),
                Match,
            ),
            ("Số 12/3 Lê Lợi", Some("số 12-3, lê lợi"), Match),
            ("Số 12/3 Lê Lợi", Some("Số 123 Lê Lợi"), NoMatch),
            ("Dak Lak", Some("Đắk Lắk"), Undecided),
            ("Đăk Lăk", Some("Đắk Lắk"), Undecided),
            ("Đắk Lắk", Some("Đắk Nông"), NoMatch),
            ("Kinh", None, Undecided),
            ("Kinh", Some(""), Undecided),
            ("Kinh", Some(" - "), Undecided),
            ("", Some("Kinh"), Undecided),
            ("Kinh", Some("Gia Rai"), NoMatch),
        ];
        for (claimed, recorded, expected) in cases {
            assert_eq!(text(claimed, recorded), expected, "{claimed} {recorded:?}");
        }
    }

    #[test]
    fn verdicts_are_stored_by_name() {
        for verdict in VERDICTS {
            let stored = serde_json::to_string(&verdict).unwrap();
            assert_eq!(stored, format!("{:?}", verdict.name()));
            assert_eq!(serde_json::from_str::<Verdict>(&stored).unwrap(), verdict);
        }
    }

    #[test]
    fn a_person_is_matched_only_by_three_matches() {
        for number in VERDICTS {
            for name in NameLevel::ALL.iter().copied() {
                for birth in VERDICTS {
                    let is_against =
                        number == NoMatch || name == NameLevel::Different || birth == NoMatch;
                    let is_sure = number == Match && name <= NameLevel::ToneStyle && birth == Match;
                    let expected = match (is_against, is_sure) {
                        (true, _) => NoMatch,
                        (false, true) => Match,
                        (false, false) => Undecided,
                    };
                    let found = key(number, name, birth);
                    assert_eq!(found, expected, "{number:?} {name:?} {birth:?}");
                }
            }
        }
    }
}
