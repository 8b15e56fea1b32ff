//! Numbers, times and durations as people read them. Times are Vietnam's (+07); this is the one place that says so.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use lienthong_domain::time::display_local;

use crate::language::Language;

/// `1.234.567` in Vietnamese, `1,234,567` in English.
pub(crate) fn number(language: Language, value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(language.t('.', ','));
        }
        grouped.push(digit);
    }
    grouped
}

/// A figure with at most one decimal: `12,5` in Vietnamese, `12.5` in English; whole numbers above 100.
pub(crate) fn decimal(language: Language, value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let tenths = (value.abs() * 10.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float that is too large saturates, and a figure of that size is read as `very many`"
    )]
    let tenths = tenths as u64;
    let sign = if value < 0.0 && tenths > 0 { "-" } else { "" };
    let (whole, tenth) = (tenths / 10, tenths % 10);
    if whole >= 100 || tenth == 0 {
        let rounded = if tenth >= 5 { whole + 1 } else { whole };
        format!("{sign}{}", number(language, rounded))
    } else {
        let point = language.t(',', '.');
        format!("{sign}{}{point}{tenth}", number(language, whole))
    }
}

/// `1,5 GiB`.
pub(crate) fn bytes(language: Language, value: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    #[expect(
        clippy::cast_precision_loss,
        reason = "shown with one decimal, so 52 bits are plenty"
    )]
    let mut scaled = value as f64;
    let mut unit = 0;
    while scaled >= 1_024.0 && unit < UNITS.len() - 1 {
        scaled /= 1_024.0;
        unit += 1;
    }
    format!("{} {}", decimal(language, scaled), UNITS[unit])
}

/// `01/07/2025 06:30:00`.
pub(crate) fn instant(at: Timestamp) -> String {
    display_local(at)
}

/// `01/07/2025`.
pub(crate) fn date(day: Date) -> String {
    day.strftime("%d/%m/%Y").to_string()
}

/// The two largest units: `3 phút 20 giây`, `3 min 20 s`; below ten seconds with a decimal, below one in milliseconds.
pub(crate) fn duration(language: Language, length: Duration) -> String {
    let seconds = length.as_secs();
    if seconds == 0 {
        return format!("{} ms", length.as_millis());
    }
    if seconds < 10 {
        let figure = decimal(language, length.as_secs_f64());
        return format!("{figure} {}", language.t("giây", "s"));
    }
    let units = [
        (86_400, language.t("ngày", "d")),
        (3_600, language.t("giờ", "h")),
        (60, language.t("phút", "min")),
        (1, language.t("giây", "s")),
    ];
    let largest = units
        .iter()
        .position(|(size, _)| seconds >= *size)
        .unwrap_or(units.len() - 1);
    let mut left = seconds;
    let mut parts = Vec::with_capacity(2);
    for (size, name) in units.iter().skip(largest).take(2) {
        let count = left / size;
        left %= size;
        if count > 0 {
            parts.push(format!("{} {name}", number(language, count)));
        }
    }
    parts.join(" ")
}

/// From `then` to `now` as a duration; zero when `then` lies ahead.
pub(crate) fn age(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

/// `3 phút 20 giây trước`, `3 min 20 s ago`; `vừa xong` below a second, `sau 5 giây` for what lies ahead.
pub(crate) fn ago(language: Language, then: Timestamp, now: Timestamp) -> String {
    if then > now {
        let ahead = duration(language, age(now, then));
        return language.t(format!("sau {ahead}"), format!("in {ahead}"));
    }
    let passed = age(then, now);
    if passed < Duration::from_secs(1) {
        return language.t("vừa xong", "just now").to_owned();
    }
    let passed = duration(language, passed);
    language.t(format!("{passed} trước"), format!("{passed} ago"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VI: Language = Language::Vietnamese;
    const EN: Language = Language::English;

    #[test]
    fn numbers_are_grouped_as_each_language_writes_them() {
        assert_eq!(number(VI, 0), "0");
        assert_eq!(number(VI, 999), "999");
        assert_eq!(number(VI, 1_234_567), "1.234.567");
        assert_eq!(number(EN, 1_000), "1,000");
        assert_eq!(decimal(VI, 12.46), "12,5");
        assert_eq!(decimal(EN, -0.04), "0");
        assert_eq!(decimal(EN, -2.5), "-2.5");
        assert_eq!(decimal(EN, 1_234.56), "1,235");
        assert_eq!(decimal(EN, f64::NAN), "–");
        assert_eq!(bytes(EN, 1_610_612_736), "1.5 GiB");
        assert_eq!(bytes(EN, 512), "512 B");
    }

    #[test]
    fn durations_name_their_two_largest_units() {
        let cases = [
            (0, "0 ms", "0 ms"),
            (320, "320 ms", "320 ms"),
            (4_500, "4,5 giây", "4.5 s"),
            (200_000, "3 phút 20 giây", "3 min 20 s"),
            (3_600_000, "1 giờ", "1 h"),
            (3_605_000, "1 giờ", "1 h"),
            (90_061_000, "1 ngày 1 giờ", "1 d 1 h"),
        ];
        for (ms, vi, en) in cases {
            assert_eq!(duration(VI, Duration::from_millis(ms)), vi);
            assert_eq!(duration(EN, Duration::from_millis(ms)), en);
        }
    }

    #[test]
    fn times_are_those_of_vietnam() {
        let at = "2025-06-30T23:30:00Z".parse::<Timestamp>().unwrap();
        assert_eq!(instant(at), "01/07/2025 06:30:00");
        let later = at + Duration::from_secs(90);
        assert_eq!(ago(VI, at, later), "1 phút 30 giây trước");
        assert_eq!(ago(EN, later, at), "in 1 min 30 s");
        assert_eq!(ago(EN, at, at), "just now");
    }
}
