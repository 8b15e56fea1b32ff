//! What earlier looks saw, as far as rates need it: bounded, and without a clock of its own.

use std::collections::VecDeque;
use std::time::Duration;

use lienthong_domain::Timestamp;
use lienthong_telemetry::metrics::Snapshot;

/// The span of rates a minute.
const MINUTE: Duration = Duration::from_mins(1);
/// The span over which the disk's rate is taken, and how often it is noted for that.
const DISK_SPAN: Duration = Duration::from_hours(1);
const DISK_STEP: Duration = Duration::from_secs(30);
/// Over less than this the disk's rate says nothing: a checkpoint moves as much as minutes of work.
const DISK_SPAN_MIN: Duration = Duration::from_mins(5);
/// Beyond this the disk lasts long enough.
const HOURS_MAX: f64 = 24.0 * 365.0;

/// The earlier looks.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) accepts: Window<Snapshot>,
    pub(super) questions: Window<(u64, u64, u64)>,
    pub(super) disk: Window<u64>,
}

impl Default for Past {
    fn default() -> Self {
        Self {
            accepts: Window::new(MINUTE, Duration::ZERO),
            questions: Window::new(MINUTE, Duration::ZERO),
            disk: Window::new(DISK_SPAN, DISK_STEP),
        }
    }
}

impl Past {
    /// Median and 99th percentile of acceptance over the last minute, in milliseconds.
    pub(super) fn accept_ms(&self) -> Option<(f64, f64)> {
        let [(_, first), (_, last)] = self.accepts.ends()?;
        let minute = last.since(first);
        Some((
            minute.quantile(0.5)? * 1_000.0,
            minute.quantile(0.99)? * 1_000.0,
        ))
    }

    /// Questions of the last minute: answered, refused, failed.
    pub(super) fn questions(&self) -> Option<(u64, u64, u64)> {
        let [(_, first), (_, last)] = self.questions.ends()?;
        Some((last.0 - first.0, last.1 - first.1, last.2 - first.2))
    }

    /// Hours until `reserve_bytes` are left at the rate of the last hour; `None` while the space does not shrink.
    #[expect(
        clippy::cast_precision_loss,
        reason = "bytes of disks are far below 2^52, and the figure is an estimate"
    )]
    pub(super) fn disk_hours_left(&self, reserve_bytes: u64) -> Option<f64> {
        let [(then, before), (now, free)] = self.disk.ends()?;
        let span = Duration::try_from(now.duration_since(*then)).ok()?;
        let lost = before.checked_sub(*free).filter(|lost| *lost > 0)?;
        if span < DISK_SPAN_MIN {
            return None;
        }
        let per_hour = lost as f64 / (span.as_secs_f64() / 3_600.0);
        let hours = free.saturating_sub(reserve_bytes) as f64 / per_hour;
        (hours < HOURS_MAX).then_some(hours)
    }
}

/// Figures with their instants, over about `span`, at least `step` apart but for the newest.
#[derive(Debug)]
pub(super) struct Window<T> {
    span: Duration,
    step: Duration,
    kept: VecDeque<(Timestamp, T)>,
    newest: Option<(Timestamp, T)>,
}

/// Figures kept at most, should looks come faster than they do.
const KEPT_MAX: usize = 256;

impl<T: Clone> Window<T> {
    fn new(span: Duration, step: Duration) -> Self {
        Self {
            span,
            step,
            kept: VecDeque::new(),
            newest: None,
        }
    }

    /// Notes a figure. A clock that was set back starts over.
    pub(super) fn note(&mut self, now: Timestamp, value: T) {
        let last = self.kept.back().map(|(at, _)| *at);
        if last.is_some_and(|last| now < last) {
            self.kept.clear();
        }
        if last.is_none_or(|last| now < last || now >= last + self.step) {
            self.kept.push_back((now, value.clone()));
        }
        self.newest = Some((now, value));
        // The first one stays that is just as old as the span, or older.
        while self.kept.len() > KEPT_MAX
            || self
                .kept
                .get(1)
                .is_some_and(|(at, _)| *at + self.span <= now)
        {
            self.kept.pop_front();
        }
    }

    /// The oldest and the newest, where they differ.
    fn ends(&self) -> Option<[&(Timestamp, T); 2]> {
        let (first, last) = (self.kept.front()?, self.newest.as_ref()?);
        (first.0 < last.0).then_some([first, last])
    }
}

#[cfg(test)]
mod tests {
    use lienthong_telemetry::metrics::Distribution;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_window_compares_with_what_was_a_span_ago() {
        let mut past = Past::default();
        for seconds in (0..=300).step_by(5) {
            past.questions.note(at(seconds), (seconds, 2 * seconds, 0));
        }
        assert_eq!(past.questions(), Some((60, 120, 0)));
        assert!(past.questions.kept.len() <= 13);
        past.questions.note(at(100), (400, 0, 0));
        assert_eq!(past.questions(), None, "the clock was set back");
    }

    #[test]
    fn the_last_minute_has_quantiles_of_its_own() {
        let (mut past, accepts) = (Past::default(), Distribution::new(&[0.001, 0.002, 0.004]));
        (0..1_000).for_each(|_| accepts.observe(0.004));
        past.accepts.note(at(0), accepts.snapshot());
        assert_eq!(past.accept_ms(), None, "nothing to compare with");
        past.accepts.note(at(60), accepts.snapshot());
        assert_eq!(past.accept_ms(), None, "nothing happened");
        (0..100).for_each(|_| accepts.observe(0.001));
        past.accepts.note(at(65), accepts.snapshot());
        let (median, high) = past.accept_ms().unwrap();
        assert!(
            (median - 0.5).abs() < 1e-9 && (high - 0.99).abs() < 1e-9,
            "{median} {high}"
        );
    }

    #[test]
    fn a_disk_that_shrinks_has_hours_left() {
        let mut past = Past::default();
        let (gib, reserve) = (1 << 30, 2 << 30);
        past.disk.note(at(0), 20 * gib);
        past.disk.note(at(60), 19 * gib);
        assert_eq!(past.disk_hours_left(reserve), None, "a minute says nothing");
        past.disk.note(at(1_800), 12 * gib);
        // 8 GiB in half an hour: 10 GiB above the reserve last 37.5 minutes.
        assert_eq!(past.disk_hours_left(reserve), Some(0.625));
        past.disk.note(at(3_700), 21 * gib);
        assert_eq!(past.disk_hours_left(reserve), None, "it grew");
        past.disk.note(at(7_400), 1);
        assert_eq!(past.disk_hours_left(reserve), Some(0.0));
    }

    #[test]
    fn looks_in_a_hurry_do_not_fill_the_memory() {
        let mut past = Past::default();
        for milliseconds in 0..100_000 {
            let now = Timestamp::UNIX_EPOCH + Duration::from_millis(milliseconds);
            past.questions.note(now, (0, 0, 0));
            past.disk.note(now, 1);
        }
        assert!(past.questions.kept.len() <= KEPT_MAX);
        assert!(past.disk.kept.len() <= 5);
    }
}
