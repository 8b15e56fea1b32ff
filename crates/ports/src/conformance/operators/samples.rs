//! Promises about figures by minute.

use lienthong_domain::Timestamp;
use lienthong_domain::delivery::LanePolicy;

use super::Subject;
use super::fixture::Desk;
use crate::conformance::store::at;
use crate::operators::{Sample, SampleKey, SamplePoint};

fn key(name: &str, about: &str) -> SampleKey {
    SampleKey {
        name: name.into(),
        about: about.into(),
    }
}

fn waiting() -> SampleKey {
    key("waiting", "dvcqg")
}

fn minute(number: i64) -> Timestamp {
    at(number * 60)
}

async fn keep(desk: &Desk, number: i64, figures: &[(SampleKey, f64)]) {
    let samples = figures.iter().map(|(key, value)| Sample {
        key: key.clone(),
        value: *value,
    });
    let kept = desk
        .operators
        .keep_samples(minute(number), samples.collect());
    kept.await.expect("keep");
}

async fn points(desk: &Desk, since: i64, until: i64, points_max: usize) -> Vec<SamplePoint> {
    let read = desk
        .operators
        .samples(vec![waiting()], minute(since), minute(until), points_max);
    let mut read = read.await.expect("samples");
    assert_eq!((read.len(), &read[0].0), (1, &waiting()));
    read.remove(0).1
}

fn point(number: i64, value: f64, max: f64) -> SamplePoint {
    SamplePoint {
        at: minute(number),
        value,
        max,
    }
}

/// Each figure is its own; the end of the range is not in it; an unknown figure has no points.
pub async fn figures_of_a_minute_are_kept_and_overwritten(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let age = key("oldest_age_seconds", "dvcqg/H21");
    keep(
        &desk,
        1,
        &[
            (waiting(), 5.0),
            (age.clone(), 1.5),
            (key("parked", ""), f64::NAN),
        ],
    )
    .await;
    keep(&desk, 1, &[(waiting(), 7.0)]).await;
    keep(&desk, 2, &[(waiting(), 9.0)]).await;
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let keys = vec![age.clone(), key("parked", ""), waiting()];
    let read = desk
        .operators
        .samples(keys.clone(), minute(1), minute(3), 10)
        .await;
    let expected = [
        (age, vec![point(1, 1.5, 1.5)]),
        (key("parked", ""), vec![]),
        (waiting(), vec![point(1, 7.0, 7.0), point(2, 9.0, 9.0)]),
    ];
    assert_eq!(read.expect("samples"), expected);
    assert_eq!(points(&desk, 1, 2, 10).await, [point(1, 7.0, 7.0)]);
    assert!(points(&desk, 3, 9, 10).await.is_empty());
}

/// Points of equal width: the mean and the maximum; never more than asked for.
pub async fn figures_are_thinned_to_points(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    for (number, value) in [(0, 1.0), (1, 3.0), (2, 8.0), (3, 0.0), (6, 4.0)] {
        keep(&desk, number, &[(waiting(), value)]).await;
    }
    let thinned = points(&desk, 0, 7, 4).await;
    let expected = [point(0, 2.0, 3.0), point(2, 4.0, 8.0), point(6, 4.0, 4.0)];
    assert_eq!(thinned, expected);
    assert_eq!(points(&desk, 0, 7, 1).await, [point(0, 3.2, 8.0)]);
    assert_eq!(points(&desk, 0, 7, 100).await.len(), 5);
}

/// The old ones go, also when nothing new comes for their key.
pub async fn figures_are_forgotten_after_thirty_days(subject: &dyn Subject) {
    const DAYS_30: i64 = 30 * 24 * 60;
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    keep(&desk, 0, &[(waiting(), 1.0)]).await;
    keep(&desk, 1, &[(waiting(), 2.0)]).await;
    let other = key("parked", "dvcqg");
    keep(&desk, DAYS_30, &[(other.clone(), 1.0)]).await;
    assert_eq!(points(&desk, 0, 10, 10).await.len(), 2);
    keep(&desk, DAYS_30 + 1, &[(other, 1.0)]).await;
    assert_eq!(points(&desk, 0, 10, 10).await, [point(1, 2.0, 2.0)]);
}
