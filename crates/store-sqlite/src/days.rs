//! Days in Vietnam's time, numbered from 1970 on.

use lienthong_domain::Timestamp;
use lienthong_domain::time::OFFSET;
use lienthong_ports::operators::Span;

const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// Most days that one question may span.
const DAYS_MAX: i64 = 366;

/// The day of an instant as stored.
pub(crate) fn day_of(micros: i64) -> i64 {
    micros.saturating_add(ahead_micros()).div_euclid(DAY_MICROS)
}

/// An instant of the day; `None` for a number beyond the calendar.
pub(crate) fn noon_of(day: i64) -> Option<Timestamp> {
    let noon = day
        .checked_mul(DAY_MICROS)?
        .checked_add(DAY_MICROS / 2 - ahead_micros())?;
    Timestamp::from_microsecond(noon).ok()
}

/// How far the clocks of Vietnam are ahead.
fn ahead_micros() -> i64 {
    i64::from(OFFSET.seconds()) * 1_000_000
}

/// The first and the last day of a span, cut to its bound.
pub(crate) fn days_of(span: Span) -> (i64, i64) {
    let [first, last] = [span.first, span.last].map(|date| {
        let noon = OFFSET.to_timestamp(date.at(12, 0, 0, 0));
        noon.map_or(0, |noon| day_of(noon.as_microsecond()))
    });
    (first, last.min(first + DAYS_MAX - 1))
}

#[cfg(test)]
mod tests {
    use lienthong_domain::time::local_date;

    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_vietnam() {
        let before: Timestamp = "2025-06-30T16:59:59.999999Z".parse().unwrap();
        let day = day_of(before.as_microsecond());
        assert_eq!(day_of(before.as_microsecond() + 1), day + 1);
        let date = local_date(noon_of(day).unwrap());
        assert_eq!(date, local_date(before));
        let first = date.yesterday().unwrap();
        assert_eq!(days_of(Span { first, last: date }), (day - 1, day));
    }

    #[test]
    fn a_long_span_is_cut() {
        let span = Span {
            first: "2024-01-01".parse().unwrap(),
            last: "2034-01-01".parse().unwrap(),
        };
        let (first, last) = days_of(span);
        assert_eq!(last - first + 1, DAYS_MAX);
    }
}
