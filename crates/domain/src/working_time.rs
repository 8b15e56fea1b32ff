//! Working time of state agencies: Monday to Friday, 8:00 to 12:00 and 13:00 to 17:00 in Vietnam, but for holidays.
//!
//! Source: Bộ luật Lao động 45/2019/QH14, Điều 112 (holidays) and Điều 111 khoản 3 (a holiday on a weekend is made up
//! for on the next working day). The law fixes 1 January, 30 April, 1 May and 2 September. Tết, the Hùng kings' day and
//! the day beside 2 September are announced each year, so they come from the configuration and are never guessed.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday, time};

use crate::time::OFFSET;

/// The holidays whose dates the law itself names, as (month, day).
const FIXED_HOLIDAYS: [(i8, i8); 4] = [(1, 1), (4, 30), (5, 1), (9, 2)];
/// The hours of a working day, from and until before.
const SHIFTS: [(Time, Time); 2] = [
    (time(8, 0, 0, 0), time(12, 0, 0, 0)),
    (time(13, 0, 0, 0), time(17, 0, 0, 0)),
];
/// Most days looked at for one span: a year of nothing but holidays ends the search.
const DAYS_MAX: usize = 400;

/// Which days are worked on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkingCalendar {
    announced: BTreeSet<Date>,
}

impl WorkingCalendar {
    /// The law's fixed holidays and those announced, compensatory days included.
    pub fn new(announced: impl IntoIterator<Item = Date>) -> Self {
        Self {
            announced: announced.into_iter().collect(),
        }
    }

    /// Whether offices are open on a day.
    pub fn is_working_day(&self, day: Date) -> bool {
        let is_free = is_weekend(day) || is_fixed_holiday(day) || self.announced.contains(&day);
        !is_free && !self.makes_up(day)
    }

    /// The instant at which so much working time has passed since `start`; `start` itself for none. A calendar
    /// without a working day in the next year answers the end of its search.
    pub fn after(&self, start: Timestamp, working: Duration) -> Timestamp {
        let mut left = working;
        let mut reached = start;
        if left.is_zero() {
            return reached;
        }
        let days = crate::time::local_date(start)
            .series(jiff::Span::new().days(1))
            .take(DAYS_MAX);
        for day in days.filter(|day| self.is_working_day(*day)) {
            for (from, until) in SHIFTS {
                let (Ok(from), Ok(until)) = (instant(day, from), instant(day, until)) else {
                    return reached;
                };
                let from = from.max(start);
                if from >= until {
                    continue;
                }
                let open = Duration::try_from(until.duration_since(from)).unwrap_or_default();
                if open >= left {
                    return from.checked_add(left).unwrap_or(until);
                }
                left -= open;
                reached = until;
            }
        }
        reached
    }

    /// Whether `day` makes up for a fixed holiday on the weekend before it. Two holidays in a row (30 April and 1 May)
    /// make up on two days.
    fn makes_up(&self, day: Date) -> bool {
        let mut owed = 0_u32;
        let mut looked_at = day.checked_sub(jiff::Span::new().days(5)).unwrap_or(day);
        while looked_at < day {
            owed = self.owed_after(looked_at, owed);
            looked_at = match looked_at.tomorrow() {
                Ok(next) => next,
                Err(_) => return false,
            };
        }
        owed > 0
    }

    /// The days still to be made up for after `day`, when `owed` were before it.
    fn owed_after(&self, day: Date, owed: u32) -> u32 {
        match (is_weekend(day), is_fixed_holiday(day)) {
            (true, true) => owed + 1,
            (true, false) | (false, true) => owed,
            (false, false) if self.announced.contains(&day) => owed,
            (false, false) => owed.saturating_sub(1),
        }
    }
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn is_fixed_holiday(day: Date) -> bool {
    FIXED_HOLIDAYS.contains(&(day.month(), day.day()))
}

fn instant(day: Date, at: Time) -> Result<Timestamp, jiff::Error> {
    OFFSET.to_timestamp(day.to_datetime(at))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn local(text: &str) -> Timestamp {
        format!("{text}:00+07:00").parse().unwrap()
    }

    fn hours(count: u64) -> Duration {
        Duration::from_secs(count * 3_600)
    }

    #[test]
    fn hours_are_counted_over_lunch_nights_weekends_and_holidays() {
        let calendar = WorkingCalendar::new([date(2027, 2, 8)]);
        let table = [
            // Friday morning, over lunch.
            ("2026-11-20T10:00", 3, "2026-11-20T14:00"),
            // A full shift ends at its end.
            ("2026-11-20T08:00", 4, "2026-11-20T12:00"),
            // Friday afternoon, over the weekend.
            ("2026-11-20T16:00", 2, "2026-11-23T09:00"),
            // Before, between and after the hours.
            ("2026-11-20T05:00", 1, "2026-11-20T09:00"),
            ("2026-11-20T12:30", 1, "2026-11-20T14:00"),
            ("2026-11-20T19:00", 8, "2026-11-23T17:00"),
            // On a Sunday.
            ("2026-11-22T09:00", 1, "2026-11-23T09:00"),
            // 1 January 2027 is a Friday.
            ("2026-12-31T16:00", 2, "2027-01-04T09:00"),
            // An announced holiday, a Monday.
            ("2027-02-05T16:00", 2, "2027-02-09T09:00"),
            // Eighty hours are two weeks.
            ("2026-11-16T08:00", 80, "2026-11-27T17:00"),
            ("2026-11-20T10:00", 0, "2026-11-20T10:00"),
        ];
        for (start, count, expected) in table {
            let reached = calendar.after(local(start), hours(count));
            assert_eq!(reached, local(expected), "{count} hours after {start}");
        }
    }

    #[test]
    fn fixed_holidays_on_a_weekend_are_made_up_for() {
        let calendar = WorkingCalendar::default();
        let free = [
            // 30 April 2022 was a Saturday and 1 May a Sunday: Monday and Tuesday were free.
            date(2022, 5, 2),
            date(2022, 5, 3),
            // 1 January 2023 was a Sunday.
            date(2023, 1, 2),
            // 1 May 2027 is a Saturday, and 30 April a Friday.
            date(2027, 4, 30),
            date(2027, 5, 3),
            date(2026, 9, 2),
        ];
        let worked = [
            date(2022, 5, 4),
            date(2023, 1, 3),
            date(2027, 5, 4),
            date(2026, 9, 1),
            date(2026, 1, 2),
        ];
        for day in free {
            assert!(!calendar.is_working_day(day), "{day}");
        }
        for day in worked {
            assert!(calendar.is_working_day(day), "{day}");
        }
    }

    #[test]
    fn a_calendar_without_working_days_still_answers() {
        let all = date(2026, 1, 1).series(jiff::Span::new().days(1)).take(800);
        let calendar = WorkingCalendar::new(all);
        let start = local("2026-01-05T08:00");
        assert_eq!(calendar.after(start, hours(1)), start);
    }

    proptest! {
        /// A slow and obvious oracle: minute by minute.
        #[test]
        fn every_span_is_what_counting_minutes_says(start in 0_i64..20_000, minutes in 1_u64..2_000) {
            let calendar = WorkingCalendar::default();
            let start = local("2027-04-26T00:00") + jiff::SignedDuration::from_mins(start);
            let mut at = start;
            let mut left = minutes;
            while left > 0 {
                let here = OFFSET.to_datetime(at);
                let open = matches!(here.hour(), 8..=11 | 13..=16) && calendar.is_working_day(here.date());
                left -= u64::from(open);
                at += jiff::SignedDuration::from_mins(1);
            }
            prop_assert_eq!(calendar.after(start, Duration::from_secs(minutes * 60)), at);
        }
    }
}
