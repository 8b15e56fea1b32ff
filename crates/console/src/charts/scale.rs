//! Where ticks stand: round figures upwards, round times across.

use std::time::Duration;

use jiff::tz::TimeZone;
use lienthong_domain::{Timestamp, time};

use crate::format;
use crate::language::Language;

/// The smallest step upwards: labels have one decimal.
const STEP_MIN: f64 = 0.1;
/// Steps of an axis upwards, at most.
const STEPS_MAX: f64 = 4.0;
/// Steps of an axis across, at most.
const TIMES_MAX: i64 = 8;
/// Distances of ticks across, in minutes, at +07.
const TIME_STEPS: [i64; 9] = [5, 10, 15, 30, 60, 120, 180, 360, 720];
/// Round durations, in seconds.
const ROUND_SECONDS: [f64; 18] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0,
    10_800.0, 21_600.0, 43_200.0, 86_400.0,
];

/// What a chart counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Things a minute.
    PerMinute,
    /// Seconds, shown as a duration.
    Seconds,
    /// Milliseconds, shown as a duration.
    Milliseconds,
}

impl Unit {
    /// A figure with its unit.
    pub(crate) fn value(self, language: Language, value: f64) -> String {
        match self {
            Self::PerMinute => {
                let rate = format::decimal(language, value);
                format!("{rate}{}", language.t("/phút", "/min"))
            }
            Self::Seconds => duration(language, value),
            // A receipt takes less than that; its tenths matter.
            Self::Milliseconds if value < 10.0 => {
                format!("{} ms", format::decimal(language, value))
            }
            Self::Milliseconds => duration(language, value / 1_000.0),
        }
    }

    /// A tick's label; shorter than [`Unit::value`], because it stands beside the drawing.
    pub(super) fn label(self, language: Language, tick: f64) -> String {
        let ms = match self {
            Self::PerMinute => return format::decimal(language, tick),
            _ if tick == 0.0 => return "0".to_owned(),
            Self::Seconds => tick * 1_000.0,
            Self::Milliseconds => tick,
        };
        let (size, unit) = match ms {
            ms if ms < 1_000.0 => (1.0, "ms"),
            ms if ms < 60_000.0 => (1_000.0, language.t("giây", "s")),
            ms if ms < 3_600_000.0 => (60_000.0, language.t("phút", "min")),
            ms if ms < 86_400_000.0 => (3_600_000.0, language.t("giờ", "h")),
            _ => (86_400_000.0, language.t("ngày", "d")),
        };
        format!("{} {unit}", format::decimal(language, ms / size))
    }

    fn step(self, least: f64) -> f64 {
        let least = least.max(STEP_MIN);
        match self {
            Self::PerMinute => decimal_step(least),
            Self::Seconds => duration_step(least),
            Self::Milliseconds if least < 1_000.0 => decimal_step(least),
            Self::Milliseconds => duration_step(least / 1_000.0) * 1_000.0,
        }
    }
}

/// From zero to a round figure.
pub(super) struct Axis {
    step: f64,
    steps: u32,
}

impl Axis {
    /// The smallest axis that holds `largest`, which is finite and not below zero.
    pub(super) fn up_to(largest: f64, unit: Unit) -> Self {
        let largest = if largest > 0.0 { largest } else { 1.0 };
        let step = unit.step(largest / STEPS_MAX);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and 5: the step is at least a quarter of the largest figure"
        )]
        let steps = (largest / step).ceil().clamp(1.0, STEPS_MAX + 1.0) as u32;
        Self { step, steps }
    }

    /// The ticks, zero first.
    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> {
        let step = self.step;
        (0..=self.steps).map(move |tick| f64::from(tick) * step)
    }

    /// Where on the axis a value lies: 0 at its foot, 1 at its head.
    pub(super) fn part(&self, value: f64) -> f64 {
        (value / (self.step * f64::from(self.steps))).clamp(0.0, 1.0)
    }
}

/// Round times between two instants, at most [`TIMES_MAX`] steps, by the clock of Vietnam.
pub(super) fn times(since: Timestamp, until: Timestamp) -> Vec<Timestamp> {
    let offset = i64::from(time::OFFSET.seconds());
    let (first, last) = (since.as_second() + offset, until.as_second() + offset);
    let minutes = (last - first).max(0) / 60;
    let longest = minutes / TIMES_MAX + 1;
    let step = TIME_STEPS
        .into_iter()
        .find(|step| minutes / step <= TIMES_MAX)
        .unwrap_or(longest)
        * 60;
    let begin = first.div_euclid(step) * step;
    // The first round time may lie before the span.
    (0..=TIMES_MAX + 1)
        .map(|tick| begin + tick * step)
        .filter(|at| (first..=last).contains(at))
        .filter_map(|at| Timestamp::from_second(at - offset).ok())
        .collect()
}

/// Hours and minutes in Vietnam.
pub(super) fn clock(at: Timestamp) -> String {
    let local = at.to_zoned(TimeZone::fixed(time::OFFSET));
    local.strftime("%H:%M").to_string()
}

fn duration(language: Language, seconds: f64) -> String {
    // What no duration holds is drawn at the edge of the chart and written as the longest one.
    let length = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    format::duration(language, length)
}

/// The smallest of 1, 2, 5, 10, 20, 50, ... that is not below `least`.
fn decimal_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let round = [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power);
    let mut fitting = round.filter(|step| *step >= least);
    fitting.next().unwrap_or(10.0 * power)
}

/// The smallest round duration, in seconds, that is not below `least`.
fn duration_step(least: f64) -> f64 {
    let days = ROUND_SECONDS[ROUND_SECONDS.len() - 1];
    if least < ROUND_SECONDS[0] {
        return decimal_step(least);
    }
    let mut fitting = ROUND_SECONDS.into_iter().filter(|step| *step >= least);
    fitting
        .next()
        .unwrap_or_else(|| decimal_step(least / days) * days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_figures() {
        let table = [
            (0.0, Unit::PerMinute, "0 0,5 1"),
            (3.0, Unit::PerMinute, "0 1 2 3"),
            (97.0, Unit::PerMinute, "0 50 100"),
            (1234.0, Unit::PerMinute, "0 500 1.000 1.500"),
            (50.0, Unit::Seconds, "0 15 giây 30 giây 45 giây 1 phút"),
            (9_000.0, Unit::Seconds, "0 1 giờ 2 giờ 3 giờ"),
            (0.4, Unit::Milliseconds, "0 0,1 ms 0,2 ms 0,3 ms 0,4 ms"),
            (700.0, Unit::Milliseconds, "0 200 ms 400 ms 600 ms 800 ms"),
            (
                1e15,
                Unit::PerMinute,
                "0 500.000.000.000.000 1.000.000.000.000.000",
            ),
        ];
        for (largest, unit, expected) in table {
            let axis = Axis::up_to(largest, unit);
            let labels = axis
                .ticks()
                .map(|tick| unit.label(Language::Vietnamese, tick));
            assert_eq!(labels.collect::<Vec<_>>().join(" "), expected, "{largest}");
        }
    }

    #[test]
    fn times_are_round_in_vietnam() {
        let until = "2026-11-21T11:32:09Z".parse::<Timestamp>().unwrap();
        let table = [
            (1, "17:40 17:50 18:00 18:10 18:20 18:30"),
            (6, "13:00 14:00 15:00 16:00 17:00 18:00"),
            (24, "21:00 00:00 03:00 06:00 09:00 12:00 15:00 18:00"),
        ];
        for (hours, expected) in table {
            let since = Timestamp::from_second(until.as_second() - hours * 3_600).unwrap();
            let clocks = times(since, until).into_iter().map(clock);
            assert_eq!(clocks.collect::<Vec<_>>().join(" "), expected);
        }
        assert!(times(until, until).len() <= 1);
    }
}
