//! A date of birth, of which many older people know and registered only the year.

use std::fmt;

use jiff::civil::Date;

use crate::code::is_digits;
use crate::fault::Reason;
use crate::text::is_blank;

/// First year of birth that is read.
pub const BIRTH_YEAR_MIN: i16 = 1900;

/// Last year of birth that is read; [`BirthDate::not_after`] is the tighter bound.
pub const BIRTH_YEAR_MAX: i16 = 2100;

/// A date of birth as it was registered. Personal: it never prints itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum BirthDate {
    /// Year, month and day.
    Full(Date),
    /// Only the year.
    Year(i16),
}

impl BirthDate {
    /// Reads `YYYY-MM-DD` or `YYYY`; blanks at either end are dropped.
    ///
    /// # Errors
    ///
    /// [`Reason::Missing`] if there are only blanks, [`Reason::BadForm`] for any other form,
    /// [`Reason::OutOfRange`] for a year outside [`BIRTH_YEAR_MIN`]..=[`BIRTH_YEAR_MAX`],
    /// [`Reason::NotADate`] for a day that the calendar does not have.
    pub fn parse(raw: &str) -> Result<Self, Reason> {
        let expected = "YYYY-MM-DD | YYYY";
        let text = raw.trim_matches(is_blank);
        let parts: Vec<_> = text.splitn(4, '-').collect();
        match parts[..] {
            [""] => Err(Reason::Missing),
            [year] => read_year(year, expected).map(Self::Year),
            [year, month, day] => read_date(year, month, day, expected).map(Self::Full),
            _ => Err(Reason::BadForm { expected }),
        }
    }

    /// Reads what [`BirthDate::compact`] writes.
    ///
    /// # Errors
    ///
    /// As [`BirthDate::parse`].
    pub fn parse_compact(raw: &str) -> Result<Self, Reason> {
        let expected = "yyyyMMdd | yyyy";
        let text = raw.trim_matches(is_blank);
        if text.is_empty() {
            return Err(Reason::Missing);
        }
        match (text.get(..4), text.get(4..6), text.get(6..)) {
            (Some(year), Some(month), Some(day)) => {
                read_date(year, month, day, expected).map(Self::Full)
            }
            _ => read_year(text, expected).map(Self::Year),
        }
    }

    /// `yyyyMMdd` or `yyyy`, as the population database takes it.
    pub fn compact(self) -> String {
        match self {
            Self::Full(date) => date.strftime("%Y%m%d").to_string(),
            Self::Year(year) => format!("{year:04}"),
        }
    }

    /// `YYYY-MM-DD` or `YYYY`, which [`BirthDate::parse`] reads back.
    pub fn iso(self) -> String {
        match self {
            Self::Full(date) => date.to_string(),
            Self::Year(year) => format!("{year:04}"),
        }
    }

    /// Year of birth.
    pub fn year(self) -> i16 {
        match self {
            Self::Full(date) => date.year(),
            Self::Year(year) => year,
        }
    }

    /// Checks that the birth lies not after `today`, a date in Vietnam.
    ///
    /// # Errors
    ///
    /// [`Reason::InFuture`] if it does.
    pub fn not_after(self, today: Date) -> Result<(), Reason> {
        let is_future = match self {
            Self::Full(date) => date > today,
            Self::Year(year) => year > today.year(),
        };
        if is_future {
            Err(Reason::InFuture)
        } else {
            Ok(())
        }
    }
}

fn read_date(year: &str, month: &str, day: &str, expected: &'static str) -> Result<Date, Reason> {
    let year = read_year(year, expected)?;
    let part = |text: &str| -> Result<i8, Reason> {
        let value = is_digits(text, 2, 2).then(|| text.parse().ok()).flatten();
        value.ok_or(Reason::BadForm { expected })
    };
    Date::new(year, part(month)?, part(day)?).map_err(|_| Reason::NotADate)
}

fn read_year(text: &str, expected: &'static str) -> Result<i16, Reason> {
    let year = is_digits(text, 4, 4).then(|| text.parse().ok()).flatten();
    let year = year.ok_or(Reason::BadForm { expected })?;
    if (BIRTH_YEAR_MIN..=BIRTH_YEAR_MAX).contains(&year) {
        Ok(year)
    } else {
        Err(Reason::OutOfRange {
            min: BIRTH_YEAR_MIN.into(),
            max: BIRTH_YEAR_MAX.into(),
        })
    }
}

impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BirthDate(***)")
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_day_or_a_year_is_read_in_both_forms() {
        let born = BirthDate::parse(" 1985-02-28 ").unwrap();
        assert_eq!(born, BirthDate::Full(date(1985, 2, 28)));
        assert_eq!(
            (born.compact(), born.iso()),
            ("19850228".into(), "1985-02-28".into())
        );
        assert_eq!(BirthDate::parse_compact("19850228"), Ok(born));

        let year = BirthDate::parse("1931").unwrap();
        assert_eq!(year, BirthDate::Year(1931));
        assert_eq!((year.compact(), year.iso()), ("1931".into(), "1931".into()));
        assert_eq!(BirthDate::parse_compact("1931"), Ok(year));
    }

    #[test]
    fn other_forms_are_refused_by_kind() {
        let cases = [
            ("", "MISSING"),
            ("\u{A0} ", "MISSING"),
            ("1985-02-29", "NOT_A_DATE"),
            ("1985-00-01", "NOT_A_DATE"),
            ("1899", "OUT_OF_RANGE"),
            ("2101-01-01", "OUT_OF_RANGE"),
            ("1985-2-8", "BAD_FORM"),
            ("1985-02", "BAD_FORM"),
            ("1985-02-", "BAD_FORM"),
            ("1985-02-28-", "BAD_FORM"),
            ("19850228", "BAD_FORM"),
            ("28/02/1985", "BAD_FORM"),
            ("-1985", "BAD_FORM"),
            ("+985", "BAD_FORM"),
            ("85", "BAD_FORM"),
            ("１９８５", "BAD_FORM"),
        ];
        for (text, reason) in cases {
            let refused = BirthDate::parse(text).map_err(Reason::name);
            assert_eq!(refused, Err(reason), "{text:?}");
        }
        let compact = [
            ("", "MISSING"),
            ("19850229", "NOT_A_DATE"),
            ("1899", "OUT_OF_RANGE"),
            ("198502", "BAD_FORM"),
            ("1985-02-28", "BAD_FORM"),
            ("198502280", "BAD_FORM"),
            ("năm 1985", "BAD_FORM"),
        ];
        for (text, reason) in compact {
            let refused = BirthDate::parse_compact(text).map_err(Reason::name);
            assert_eq!(refused, Err(reason), "{text:?}");
        }
    }

    #[test]
    fn nobody_is_born_tomorrow() {
        let today = date(2026, 7, 1);
        for born in ["2026-07-01", "2026", "1900"] {
            assert_eq!(BirthDate::parse(born).unwrap().not_after(today), Ok(()));
        }
        for unborn in ["2026-07-02", "2027"] {
            let refused = BirthDate::parse(unborn).unwrap().not_after(today);
            assert_eq!(refused, Err(Reason::InFuture), "{unborn}");
        }
    }

    #[test]
    fn births_never_print() {
        let shown = format!(
            "{:?} {:?}",
            BirthDate::parse("1931"),
            BirthDate::parse("1985-02-28")
        );
        assert_eq!(shown, "Ok(BirthDate(***)) Ok(BirthDate(***))");
    }

    proptest! {
        #[test]
        fn every_birth_reads_back(year in 1900_i16..=2100, day in proptest::option::of(1_i16..=365)) {
            let first = date(year, 1, 1);
            let born = match day {
                Some(day) => BirthDate::Full(first.with().day_of_year(day).build().unwrap()),
                None => BirthDate::Year(year),
            };
            prop_assert_eq!(BirthDate::parse(&born.iso()), Ok(born));
            prop_assert_eq!(BirthDate::parse_compact(&born.compact()), Ok(born));
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            if let Ok(born) = BirthDate::parse(&text) {
                prop_assert_eq!(born.iso(), text.trim());
            }
            if let Ok(born) = BirthDate::parse_compact(&text) {
                prop_assert_eq!(born.compact(), text.trim());
            }
        }
    }
}
