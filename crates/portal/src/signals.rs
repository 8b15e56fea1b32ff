//! What the portal's answers tell beside their content: its clock, and whether it takes our credentials.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use lienthong_domain::{Clock, DestinationName, Timestamp};
use lienthong_telemetry::metrics::DeliveryMetrics;
use reqwest::header::{DATE, HeaderMap};

/// An answer that took longer says too little about the clock.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(5);
/// The header has whole seconds, so on average its time is this much later than it says.
const CUT_SECONDS_MEAN: f64 = 0.5;

pub(crate) struct Signals {
    name: DestinationName,
    clock: Clock,
    pub(crate) metrics: DeliveryMetrics,
}

impl Signals {
    pub(crate) fn new(name: DestinationName, clock: Clock) -> Self {
        Self {
            name,
            clock,
            metrics: DeliveryMetrics::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Takes note of the time that an answer to a call begun at `asked_at` tells.
    pub(crate) fn note_date(&self, headers: &HeaderMap, asked_at: Timestamp) {
        let told = headers.get(DATE).and_then(|value| value.to_str().ok());
        if let Some(seconds) = told.and_then(|told| offset(told, asked_at, self.clock.now())) {
            self.metrics.set_clock_offset(self.name.as_str(), seconds);
        }
    }

    /// Takes note of the answer to a login.
    pub(crate) fn note_credentials(&self, refused: bool) {
        let name = self.name.as_str();
        self.metrics.set_credentials_refused(name, refused);
    }
}

/// The told time less the middle of the call, in seconds.
fn offset(told: &str, asked_at: Timestamp, now: Timestamp) -> Option<f64> {
    let told = DateTimeParser::new().parse_timestamp(told).ok()?;
    let round_trip = Duration::try_from(now.duration_since(asked_at)).ok()?;
    let ahead = told.duration_since(asked_at).as_secs_f64() + CUT_SECONDS_MEAN;
    (round_trip <= ROUND_TRIP_MAX).then(|| ahead - round_trip.as_secs_f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_call_is_compared() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let asked = at("2025-11-22T02:00:00Z");
        let table = [
            (
                "Sat, 22 Nov 2025 02:00:00 GMT",
                "2025-11-22T02:00:01Z",
                Some(0.0),
            ),
            (
                "Sat, 22 Nov 2025 02:05:00 GMT",
                "2025-11-22T02:00:01Z",
                Some(300.0),
            ),
            (
                "Sat, 22 Nov 2025 01:59:30 GMT",
                "2025-11-22T02:00:03Z",
                Some(-31.0),
            ),
            (
                "Sat, 22 Nov 2025 02:00:00 GMT",
                "2025-11-22T02:00:09Z",
                None,
            ),
            (
                "Sat, 22 Nov 2025 02:00:00 GMT",
                "2025-11-22T01:59:59Z",
                None,
            ),
            ("thứ bảy", "2025-11-22T02:00:01Z", None),
        ];
        for (told, answered, expected) in table {
            assert_eq!(
                offset(told, asked, at(answered)),
                expected,
                "{told} {answered}"
            );
        }
    }
}
