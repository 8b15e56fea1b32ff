//! The closed list of figures kept by minute for charts, and how a look becomes them.

use std::time::Duration;

use lienthong_domain::{Operator, OperatorRole, Reason, Timestamp};
use lienthong_ports::operators::{Sample, SampleKey, SamplePoint};

use crate::Services;
use crate::error::Error;
use crate::looks::age;
use crate::operators::{invalid, require};
use crate::overview::{DestinationFlow, Overview, ProvinceFlow};

/// Most figures of one question.
pub const KEYS_MAX: usize = 50;
/// Points of a figure when the question names none.
pub const POINTS_DEFAULT: u32 = 180;
/// Most points of a figure.
pub const POINTS_MAX: u32 = 1_440;
/// Longest span of a question: as long as figures are kept.
pub const SPAN_MAX: Duration = Duration::from_hours(30 * 24);
/// Longest text of what a figure is about, in characters.
const ABOUT_CHARS_MAX: usize = 64;

/// The name of every figure that is kept. Those of a destination are about its name, those of a province about
/// `destination/root`, those of the gateway about nothing.
const FIGURES: [&str; 17] = [
    "accepted_per_minute",
    "delivered_per_minute",
    "parked_per_minute",
    "retried_per_minute",
    "waiting",
    "parked",
    "oldest_age_seconds",
    "end_to_end_ms_p50",
    "end_to_end_ms_p99",
    "province_oldest_age_seconds",
    "province_accepted_per_minute",
    "accept_ms_p50",
    "accept_ms_p99",
    "disk_free_bytes",
    "identity_answered",
    "identity_refused",
    "identity_failed",
];

/// A key of the list's figure `name`.
pub fn key(name: &str, about: &str) -> SampleKey {
    SampleKey {
        name: name.to_owned(),
        about: about.to_owned(),
    }
}

/// What a look says of every figure. One that nobody knows at the moment, such as a latency without a delivery, is
/// left out: a chart shows a gap.
pub fn of(overview: &Overview) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut push = |name: &str, about: &str, value: Option<f64>| {
        debug_assert!(FIGURES.contains(&name), "{name}");
        let key = key(name, about);
        samples.extend(value.map(|value| Sample { key, value }));
    };
    for flow in &overview.destinations {
        of_destination(flow, overview.measured_at, &mut push);
    }
    for flow in &overview.provinces {
        of_province(flow, overview.measured_at, &mut push);
    }
    let process = &overview.process;
    push("accept_ms_p50", "", process.accept_ms.map(|(p50, _)| p50));
    push("accept_ms_p99", "", process.accept_ms.map(|(_, p99)| p99));
    push("disk_free_bytes", "", process.disk_free_bytes.map(number));
    let identity = process.identity_per_minute;
    push(
        "identity_answered",
        "",
        identity.map(|found| number(found.0)),
    );
    push(
        "identity_refused",
        "",
        identity.map(|found| number(found.1)),
    );
    push("identity_failed", "", identity.map(|found| number(found.2)));
    samples
}

fn of_destination(
    flow: &DestinationFlow,
    now: Timestamp,
    push: &mut impl FnMut(&str, &str, Option<f64>),
) {
    let name = flow.state.row.name.as_str();
    let oldest = flow.oldest.as_ref();
    let age = oldest.map_or(0.0, |(_, since)| age(now, *since).as_secs_f64());
    let delay = |q: f64| {
        flow.delays
            .quantile(q)
            .map(|delay| delay.as_secs_f64() * 1_000.0)
    };
    push("accepted_per_minute", name, Some(flow.accepted_per_minute));
    push(
        "delivered_per_minute",
        name,
        Some(flow.delivered_per_minute),
    );
    push("parked_per_minute", name, Some(flow.parked_per_minute));
    push("retried_per_minute", name, Some(flow.retried_per_minute));
    push("waiting", name, Some(number(flow.waiting)));
    push("parked", name, Some(number(flow.parked)));
    push("oldest_age_seconds", name, Some(age));
    push("end_to_end_ms_p50", name, delay(0.5));
    push("end_to_end_ms_p99", name, delay(0.99));
}

fn of_province(
    flow: &ProvinceFlow,
    now: Timestamp,
    push: &mut impl FnMut(&str, &str, Option<f64>),
) {
    let about = format!("{}/{}", flow.destination, flow.root);
    let oldest = flow.oldest.as_ref();
    let age = oldest.map_or(0.0, |(_, since)| age(now, *since).as_secs_f64());
    push("province_oldest_age_seconds", &about, Some(age));
    let rate = flow.accepted_per_minute;
    push("province_accepted_per_minute", &about, Some(rate));
}

#[expect(clippy::cast_precision_loss, reason = "a figure of a chart")]
fn number(value: u64) -> f64 {
    value as f64
}

impl Services {
    /// Figures over time, from `since` until before `until`, at most `points_max` points each (0: [`POINTS_DEFAULT`]).
    ///
    /// # Errors
    /// `NOT_OPERATOR`, `INVALID_FIELDS` for an unknown figure or a span of more than [`SPAN_MAX`], or those of the store.
    pub async fn figures(
        &self,
        operator: &Operator,
        keys: Vec<SampleKey>,
        since: Timestamp,
        until: Timestamp,
        points_max: u32,
    ) -> Result<Vec<(SampleKey, Vec<SamplePoint>)>, Error> {
        require(operator, OperatorRole::Viewer)?;
        check_keys(&keys)?;
        if until <= since {
            return Err(invalid("until", Reason::BeforeOther { other: "since" }));
        }
        if age(until, since) > SPAN_MAX {
            let (min, max) = (0, (SPAN_MAX.as_secs() / 86_400).cast_signed());
            return Err(invalid("until", Reason::OutOfRange { min, max }));
        }
        let points = match points_max {
            0 => POINTS_DEFAULT,
            1..=POINTS_MAX => points_max,
            _ => {
                let (min, max) = (0, POINTS_MAX.into());
                return Err(invalid("points_max", Reason::OutOfRange { min, max }));
            }
        };
        let found = self.operators.samples(keys, since, until, points as usize);
        Ok(found.await?)
    }
}

fn check_keys(keys: &[SampleKey]) -> Result<(), Error> {
    let (max, actual) = (KEYS_MAX, keys.len());
    if actual == 0 {
        return Err(invalid("keys", Reason::Missing));
    }
    if actual > max {
        return Err(invalid("keys", Reason::TooMany { max, actual }));
    }
    for (index, key) in keys.iter().enumerate() {
        if !FIGURES.contains(&key.name.as_str()) {
            let what = "keys";
            return Err(invalid(
                format!("keys[{index}].name"),
                Reason::UnknownCode { what },
            ));
        }
        let (max, actual) = (ABOUT_CHARS_MAX, key.about.chars().count());
        if actual > max {
            return Err(invalid(
                format!("keys[{index}].about"),
                Reason::TooLong { max, actual },
            ));
        }
    }
    Ok(())
}
