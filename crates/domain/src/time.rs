//! Business times: instants inside, civil times in Vietnam (+07, no summer time) outside.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

use crate::code::is_digits;
use crate::fault::Reason;

/// Offset of all business times.
pub const OFFSET: Offset = jiff::tz::offset(7);

/// First year a business time may lie in.
pub const YEAR_MIN: i16 = 1990;

/// Last year a business time may lie in.
pub const YEAR_MAX: i16 = 2100;

/// Reads the portal's `yyyyMMddHHmmss`, 14 ASCII digits in +07.
///
/// # Errors
///
/// [`Reason::Missing`] if empty, [`Reason::BadForm`] unless 14 digits, [`Reason::NotADate`] if the
/// calendar or the clock has no such time, [`Reason::OutOfRange`] for a year outside
/// [`YEAR_MIN`]..=[`YEAR_MAX`].
pub fn local_from_portal(text: &str) -> Result<Timestamp, Reason> {
    if text.is_empty() {
        return Err(Reason::Missing);
    }
    if !is_digits(text, 14, 14) {
        return Err(Reason::BadForm {
            expected: "yyyyMMddHHmmss",
        });
    }
    let number = |from: usize, to: usize| -> i16 {
        text.get(from..to)
            .and_then(|digits| digits.parse().ok())
            .expect("14 ASCII digits, four at most at a time")
    };
    let part = |from: usize| -> i8 {
        i8::try_from(number(from, from + 2)).expect("two digits are below 100")
    };
    let local = DateTime::new(
        number(0, 4),
        part(4),
        part(6),
        part(8),
        part(10),
        part(12),
        0,
    )
    .map_err(|_| Reason::NotADate)?;
    if !(YEAR_MIN..=YEAR_MAX).contains(&local.year()) {
        return Err(Reason::OutOfRange {
            min: YEAR_MIN.into(),
            max: YEAR_MAX.into(),
        });
    }
    OFFSET.to_timestamp(local).map_err(|_| Reason::NotADate)
}

/// Writes `yyyyMMddHHmmss` in +07; parts of a second are cut.
pub fn portal_from_timestamp(at: Timestamp) -> String {
    display(at, "%Y%m%d%H%M%S")
}

/// Writes `dd/MM/yyyy HH:mm:ss` in +07, for people; parts of a second are cut.
pub fn display_local(at: Timestamp) -> String {
    display(at, "%d/%m/%Y %H:%M:%S")
}

/// The first instant in Vietnam of a date written `2026-01-01`; `None` for any other text.
pub fn local_midnight(text: &str) -> Option<Timestamp> {
    let date = text.parse::<Date>().ok().filter(|_| text.len() == 10)?;
    OFFSET.to_timestamp(date.at(0, 0, 0, 0)).ok()
}

/// The date in Vietnam at an instant.
pub fn local_date(at: Timestamp) -> Date {
    OFFSET.to_datetime(at).date()
}

fn display(at: Timestamp, format: &str) -> String {
    at.to_zoned(TimeZone::fixed(OFFSET))
        .strftime(format)
        .to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn days_begin_at_midnight_in_vietnam() {
        let first = local_midnight("2026-01-01").unwrap();
        assert_eq!(first.to_string(), "2025-12-31T17:00:00Z");
        assert_eq!(local_date(first).to_string(), "2026-01-01");
        for bad in ["2026-13-01", "2026-1-1", "20260101", "2026-01-01T00", ""] {
            assert_eq!(local_midnight(bad), None, "{bad}");
        }
    }

    #[test]
    fn portal_times_are_seven_hours_ahead() {
        let at = local_from_portal("20250701063000").unwrap();
        assert_eq!(at.to_string(), "2025-06-30T23:30:00Z");
        assert_eq!(portal_from_timestamp(at), "20250701063000");
        assert_eq!(display_local(at), "01/07/2025 06:30:00");
    }

    #[test]
    fn times_that_never_were_are_refused() {
        let never = [
            "20250230080000",
            "20230229080000",
            "20251301080000",
            "20250100080000",
            "20250701240000",
            "20250701086000",
            "20250701080060",
        ];
        for text in never {
            assert_eq!(local_from_portal(text), Err(Reason::NotADate), "{text}");
        }
        assert!(local_from_portal("20240229235959").is_ok());
    }

    #[test]
    fn only_fourteen_digits_are_a_time() {
        let refused = [
            "20250701",
            "202507010800000",
            "2025-07-01T08:00",
            " 2025070108000",
            "2025070108000 ",
            "+2025070108000",
            "２０２５０７",
        ];
        for text in refused {
            let reason = local_from_portal(text).map_err(Reason::name);
            assert_eq!(reason, Err("BAD_FORM"), "{text}");
        }
        assert_eq!(local_from_portal(""), Err(Reason::Missing));
    }

    #[test]
    fn years_have_bounds_on_the_local_calendar() {
        let refused = Err(Reason::OutOfRange {
            min: 1990,
            max: 2100,
        });
        assert_eq!(local_from_portal("19891231235959"), refused);
        assert_eq!(local_from_portal("21010101000000"), refused);
        assert!(local_from_portal("19900101000000").is_ok());
        assert!(local_from_portal("21001231235959").is_ok());
    }

    #[test]
    fn parts_of_a_second_are_cut() {
        let at: Timestamp = "2025-06-30T23:30:00.999Z".parse().unwrap();
        assert_eq!(portal_from_timestamp(at), "20250701063000");
    }

    proptest! {
        #[test]
        fn every_second_reads_back(seconds in 631_126_800_i64..4_133_955_600) {
            let at = Timestamp::from_second(seconds).unwrap();
            prop_assert_eq!(local_from_portal(&portal_from_timestamp(at)), Ok(at));
        }

        #[test]
        fn any_text_is_answered(text in "[0-9]{14}|.*") {
            if let Ok(at) = local_from_portal(&text) {
                prop_assert_eq!(portal_from_timestamp(at), text);
            }
        }
    }
}
