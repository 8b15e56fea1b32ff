//! Promises about what is counted by day.

use std::time::Duration;

use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::{DeliveryId, DossierStatus};

use super::Subject;
use super::fixture::{Desk, new_operation, other_province, step_terms};
use crate::conformance::store::{at, code, offer};
use crate::operators::{DayFlow, DelayHistogram, SlowDossier, Span};
use crate::store::{Next, ParkedFilter};

/// The first second of 2 July 2025 in Vietnam.
const MIDNIGHT: i64 = 17 * 3_600;

/// The first days of July 2025, both included.
fn days(first: i8, last: i8) -> Span {
    Span {
        first: jiff::civil::date(2025, 7, first),
        last: jiff::civil::date(2025, 7, last),
    }
}

async fn flows(desk: &Desk, span: Span) -> Vec<DayFlow> {
    desk.operators.day_flows(span).await.expect("flows")
}

/// Accepted, delivered, parked, retried, given up.
fn counts(flow: &DayFlow) -> [u64; 5] {
    [
        flow.accepted,
        flow.delivered,
        flow.parked,
        flow.retried,
        flow.given_up,
    ]
}

/// An event before midnight and one after it, the first delivered after it; by province.
pub async fn days_are_those_of_vietnam(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.push(&code(1), MIDNIGHT - 1).await;
    desk.push(&other_province(1), MIDNIGHT).await;
    desk.deliver_all(MIDNIGHT + 1).await;
    let all = flows(&desk, days(1, 31)).await;
    let told: Vec<_> = all
        .iter()
        .map(|flow| (flow.day.day(), flow.root.as_str(), counts(flow)))
        .collect();
    let expected = [
        (1, "H21", [1, 0, 0, 0, 0]),
        (2, "H21", [0, 1, 0, 0, 0]),
        (2, "H24", [1, 1, 0, 0, 0]),
    ];
    assert_eq!(told, expected);
    assert!(all.iter().all(|flow| flow.destination.as_str() == "dvcqg"));
    assert_eq!(flows(&desk, days(1, 1)).await, all[..1]);
    assert_eq!(flows(&desk, days(2, 2)).await, all[1..]);
    assert!(flows(&desk, days(3, 31)).await.is_empty());
}

/// Retries, parkings, replays, discards, vanished workers; and the delay of what is delivered.
pub async fn every_outcome_is_counted_on_its_day(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.push(&code(1), 0).await;
    for counted in [true, false] {
        desk.lane
            .deliver(Next::RetryAt { at: at(5), counted }, 5)
            .await;
    }
    desk.lane.work(6).await;
    desk.lane
        .store
        .expire(at(100), 3, 10)
        .await
        .expect("expire");
    desk.lane.park(200).await;
    desk.request(new_operation("k", 300)).await;
    desk.step(step_terms(301)).await;
    desk.lane.park(400).await;
    let hopeless = desk.park_each(2..3, 500).await;
    assert_eq!(desk.discard(&hopeless, 600).await, 1);
    desk.push(&code(3), 700).await;
    desk.lane.deliver(Next::Done, 730).await;
    let all = flows(&desk, days(1, 1)).await;
    assert_eq!(all.len(), 1);
    assert_eq!(counts(&all[0]), [3, 1, 3, 3, 1]);
    let mut delays = DelayHistogram::default();
    delays.add(DelayHistogram::bucket(Duration::from_secs(30)), 1);
    assert_eq!(all[0].delays, delays);
}

/// Policy `latest`: what a newer status replaced is given up. Repeated and refused offers are nothing.
pub async fn what_stores_nothing_counts_nothing(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Latest).await;
    for second in 0..4 {
        desk.push(&code(1), second).await;
    }
    let repeated = offer(
        &format!("{}/0", code(1).as_str()),
        &code(1),
        DossierStatus::Processing,
        0,
    );
    assert!(
        desk.lane
            .offer(repeated)
            .await
            .expect("a receipt")
            .duplicate
    );
    let refused = offer("refused", &code(1), DossierStatus::Registered, 9);
    desk.lane.offer(refused).await.expect_err("no way back");
    desk.lane.park(10).await;
    let stale = desk
        .lane
        .store
        .parked(ParkedFilter::default(), DeliveryId(0), 1)
        .await;
    assert_eq!(stale.expect("parked").len(), 1);
    let all = flows(&desk, days(1, 1)).await;
    assert_eq!(counts(&all[0]), [4, 0, 1, 0, 2]);
}

/// The figures are rows.
pub async fn days_outlive_the_store(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.push(&code(1), 0).await;
    desk.deliver_all(4).await;
    let before = flows(&desk, days(1, 1)).await;
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    assert_eq!(flows(&desk, days(1, 1)).await, before);
    desk.push(&code(2), 10).await;
    desk.deliver_all(14).await;
    let after = flows(&desk, days(1, 1)).await;
    assert_eq!(counts(&after[0]), [2, 2, 0, 0, 0]);
    assert_eq!(after[0].delays.total(), 2);
    assert_eq!(after[0].delays.since(&before[0].delays).total(), 1);
}

/// However their commits are grouped.
pub async fn concurrent_events_are_counted_once_each(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 1..=40 {
        let lane = desk.lane.clone();
        calls.spawn(async move { lane.push(&code(number), 2, i64::from(number)).await });
    }
    while let Some(call) = calls.join_next().await {
        call.expect("a push does not panic");
    }
    desk.deliver_all(100).await;
    let all = flows(&desk, days(1, 1)).await;
    assert_eq!(counts(&all[0]), [80, 80, 0, 0, 0]);
    assert_eq!(all[0].delays.total(), 80);
}

/// Of each province the slowest, each dossier of a day once with its worst delay.
pub async fn the_slowest_dossiers_are_kept(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    for number in 1..=25 {
        desk.push(&code(number), i64::from(number)).await;
    }
    desk.push(&code(1), 30).await;
    desk.push(&other_province(1), 95).await;
    desk.deliver_all(100).await;
    let slow = async |root: Option<&str>, limit| -> Vec<SlowDossier> {
        let root = root.map(str::to_owned);
        let slow = desk.operators.slow_dossiers(days(1, 2), root, limit).await;
        slow.expect("slow")
    };
    let all = slow(None, 3).await;
    let told: Vec<_> = all
        .iter()
        .map(|slow| (slow.dossier.clone(), slow.sequence, slow.delay.as_secs()))
        .collect();
    let expected = [
        (code(1), 1, 99),
        (code(2), 1, 98),
        (code(3), 1, 97),
        (other_province(1), 1, 5),
    ];
    assert_eq!(told, expected);
    assert_eq!(all[0].day, days(1, 1).first);
    assert_eq!(slow(Some("H24"), 3).await, all[3..]);
    let many = slow(Some("H21"), 100).await;
    assert!(many.len() >= 20, "at least twenty are kept");
    assert!(many.is_sorted_by(|one, next| one.delay >= next.delay));
    desk.push(&code(1), 101).await;
    desk.lane.deliver(Next::Done, 300).await;
    let again = slow(Some("H21"), 2).await;
    assert_eq!((again[0].sequence, again[0].delay.as_secs()), (3, 199));
    assert_eq!(again[1].dossier, code(2));
}
