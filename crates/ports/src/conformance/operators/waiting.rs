//! Promises about what has waited longest.

use lienthong_domain::delivery::LanePolicy;

use super::Subject;
use super::fixture::{Desk, other_province};
use crate::conformance::store::{at, code};
use crate::store::Next;

async fn oldest(desk: &Desk) -> Vec<(String, String, i64)> {
    let oldest = desk.operators.oldest_waiting().await.expect("oldest");
    oldest
        .into_iter()
        .map(|oldest| {
            assert_eq!(oldest.destination.as_str(), "dvcqg");
            let since = oldest.accepted_at.as_second() - at(0).as_second();
            (oldest.root, oldest.dossier.as_str().to_owned(), since)
        })
        .collect()
}

/// One line for each province that has something; what is retried keeps its age.
pub async fn the_oldest_waiting_is_told_by_province(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    assert!(oldest(&desk).await.is_empty());
    desk.push(&code(1), 1).await;
    let retry = Next::RetryAt {
        at: at(600),
        counted: true,
    };
    desk.lane.deliver(retry, 2).await;
    desk.push(&other_province(1), 3).await;
    desk.push(&code(2), 4).await;
    desk.push(&other_province(1), 5).await;
    let (gia_lai, hai_phong) = ("H21".to_owned(), "H24".to_owned());
    let first = (gia_lai.clone(), code(1).as_str().to_owned(), 1);
    let second = (hai_phong.clone(), other_province(1).as_str().to_owned(), 3);
    assert_eq!(oldest(&desk).await, [first.clone(), second]);
    let counts = desk.lane.store.counts().await.expect("counts");
    assert_eq!(counts[0].oldest_waiting_since, Some(at(1)));
    assert_eq!(counts[0].oldest_waiting, Some(code(1)));
    assert_eq!(desk.deliver_all(10).await.len(), 3);
    assert_eq!(oldest(&desk).await, [first]);
    assert_eq!(desk.deliver_all(600).await.len(), 1);
    assert!(oldest(&desk).await.is_empty());
    let counts = desk.lane.store.counts().await.expect("counts");
    assert_eq!(counts[0].oldest_waiting, None);
}

/// Neither a parked event nor those behind it wait for the destination; a replayed one does, since its acceptance.
pub async fn what_is_parked_waits_for_nobody(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.push(&code(1), 1).await;
    desk.push(&code(1), 2).await;
    desk.lane.park(3).await;
    assert!(oldest(&desk).await.is_empty());
    desk.push(&code(2), 5).await;
    let waiting = (String::from("H21"), code(2).as_str().to_owned(), 5);
    assert_eq!(oldest(&desk).await, [waiting]);
    desk.request(super::new_operation("k", 6)).await;
    desk.step(super::step_terms(7)).await;
    let replayed = (String::from("H21"), code(1).as_str().to_owned(), 1);
    assert_eq!(oldest(&desk).await, [replayed]);
}
