//! Instants and lengths of time between the wire, people and the command line; people see Vietnamese time.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use lienthong_domain::time::{OFFSET, display_local};

/// As the contract writes it.
pub(crate) fn to_wire(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.as_second(),
        nanos: at.subsec_nanosecond(),
    }
}

/// From the contract; `None` when absent or beyond the calendar.
pub(crate) fn from_wire(at: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    at.and_then(|at| Timestamp::new(at.seconds, at.nanos).ok())
}

/// `23/08/2024 14:00:00` in +07, or `-`.
pub(crate) fn shown(at: Option<&prost_types::Timestamp>) -> String {
    from_wire(at).map_or_else(|| "-".to_owned(), display_local)
}

/// Reads `2026-09-14`, `2026-09-14T08:00` (both +07) or RFC 3339, as clap asks for it.
///
/// # Errors
/// The accepted forms.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    let local = || {
        let civil = text
            .parse::<Date>()
            .map(|day| day.at(0, 0, 0, 0))
            .or_else(|_| text.parse::<DateTime>())
            .ok()?;
        OFFSET.to_timestamp(civil).ok()
    };
    text.parse::<Timestamp>()
        .ok()
        .or_else(local)
        .ok_or_else(|| "write 2026-09-14, 2026-09-14T08:00 or 2026-09-14T08:00:00+07:00".to_owned())
}

/// `1 d 3 h`, `2 h 5 m`, `41 s`: the two largest units.
fn two_units(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} m {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} m"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// Longest length of time that is read: a hundred years hold whatever is meant, and every sum with an instant of today.
const LENGTH_MAX: Duration = Duration::from_hours(100 * 366 * 24);
/// The units of a length, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Reads `500ms`, `90s`, `10m`, `2h` or `3d`, as clap asks for it.
///
/// # Errors
/// The accepted forms.
pub fn parse_length(text: &str) -> Result<Duration, String> {
    let read = || {
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let unit = text.strip_prefix(digits)?;
        let (_, milliseconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
        if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let number: u64 = digits.parse().ok()?;
        let length = Duration::from_millis(number.checked_mul(*milliseconds)?);
        (length <= LENGTH_MAX).then_some(length)
    };
    read().ok_or_else(|| "write a number and ms, s, m, h or d, such as 90s".to_owned())
}

/// A length of the contract; nothing for one that is absent or negative.
pub(crate) fn length(wire: Option<&prost_types::Duration>) -> Option<Duration> {
    let wire = wire?;
    let (seconds, nanos) = (u64::try_from(wire.seconds), u32::try_from(wire.nanos));
    Some(Duration::new(seconds.ok()?, nanos.ok()?))
}

/// `340 ms`, `1.2 s`, `2 m 5 s`: as much as people read from it.
pub(crate) fn delay(delay: Duration) -> String {
    match delay.as_millis() {
        millis @ 0..1_000 => format!("{millis} ms"),
        1_000..10_000 => format!("{:.1} s", delay.as_secs_f64()),
        _ => two_units(delay.as_secs()),
    }
}

/// [`delay`] of the contract, or `-`.
pub(crate) fn shown_length(wire: Option<&prost_types::Duration>) -> String {
    length(wire).map_or_else(|| "-".to_owned(), delay)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_and_told() {
        let read: Vec<_> = ["90s", "10m", "2h", "3d", "0s"].map(parse_length).into();
        let expected = [90, 600, 7_200, 259_200, 0].map(|seconds| Ok(Duration::from_secs(seconds)));
        assert_eq!(read, expected);
        assert_eq!(parse_length("500ms"), Ok(Duration::from_millis(500)));
        for wrong in [
            "",
            "10",
            "m",
            "-1m",
            "+1m",
            "1.5h",
            "20 s",
            "20sec",
            "10phút",
            "36601d",
            "99999999999999999999d",
            "18446744073709551615h",
        ] {
            assert!(parse_length(wrong).is_err(), "{wrong}");
        }
        let told: Vec<_> = [7, 999, 1_250, 125_000]
            .map(|millis| delay(Duration::from_millis(millis)))
            .into();
        assert_eq!(told, ["7 ms", "999 ms", "1.2 s", "2 m 5 s"]);
        assert_eq!(shown_length(None), "-");
    }

    #[test]
    fn a_day_begins_at_midnight_in_vietnam() {
        let at = parse("2026-09-14").unwrap();
        assert_eq!(at.to_string(), "2026-09-13T17:00:00Z");
        assert_eq!(parse("2026-09-14T00:00:00+07:00"), Ok(at));
        assert_eq!(parse("2026-09-14T00:00"), Ok(at));
        assert!(parse("14/09/2026").is_err());
        assert_eq!(shown(Some(&to_wire(at))), "14/09/2026 00:00:00");
    }

    #[test]
    fn long_lengths_have_two_units() {
        let told: Vec<_> = [41, 61, 7_500, 97_200].map(two_units).into();
        assert_eq!(told, ["41 s", "1 m 1 s", "2 h 5 m", "1 d 3 h"]);
    }
}
