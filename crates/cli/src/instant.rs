//! Instants between the wire, people and the command line; people see Vietnamese time.

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
pub(crate) fn age(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} m {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} m"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn ages_have_two_units() {
        let told: Vec<_> = [0, 61, 7_500, 97_200, -5].map(age).into();
        assert_eq!(told, ["0 s", "1 m 1 s", "2 h 5 m", "1 d 3 h", "0 s"]);
    }
}
