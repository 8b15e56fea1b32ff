//! Promises about what can be read, and about closing and opening.

use lienthong_domain::DeliveryState::{Calling, Ready, Sent};
use lienthong_domain::delivery::{LanePolicy, ParkReason};
use lienthong_domain::{DossierCode, DossierDetails, DossierStatus};

use super::Subject;
use super::fixture::{Lane, at, code, offer};
use crate::store::{Change, ChangeCursor, DossierFilter, Next, Offer, StoreError};

/// Pages of two: every dossier and event once, in order.
pub async fn pages_are_complete_and_in_order(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    for number in [5, 3, 1, 4, 2] {
        lane.push(&code(number), 1, 0).await;
    }
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = lane
            .store
            .dossiers(DossierFilter::default(), after, 2)
            .await
            .expect("dossiers");
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2 && *last.details == DossierDetails::default());
        after = Some(last.code.as_str().to_owned());
        seen.extend(page.into_iter().map(|view| view.code));
    }
    assert_eq!(seen, (1..=5).map(code).collect::<Vec<_>>());
    lane.push(&code(1), 4, 10).await;
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = lane
            .store
            .timeline(&code(1), after, 2)
            .await
            .expect("timeline");
        let Some(last) = page.last() else { break };
        after = last.sequence;
        seen.extend(page.iter().map(|entry| entry.sequence));
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    assert!(
        lane.store
            .timeline(&code(99), 0, 2)
            .await
            .expect("timeline")
            .is_empty()
    );
}

/// Read one at a time from any place: everything once, in the order in which it happened.
pub async fn changes_miss_nothing_and_keep_their_order(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 1, 0).await;
    lane.deliver(
        Next::RetryAt {
            at: at(2),
            counted: true,
        },
        1,
    )
    .await;
    lane.push(&code(2), 1, 1).await;
    lane.push(&code(1), 1, 2).await;
    for message in lane.claim(10, 5).await {
        lane.begin(message, 5).await.expect("fresh");
        lane.finish(message, Next::Done, 5).await;
    }
    lane.push(&code(3), 1, 6).await;
    let (mut cursor, mut told) = (ChangeCursor::default(), Vec::new());
    loop {
        let (changes, next) = lane.store.changes(cursor, 1).await.expect("changes");
        assert!(changes.len() <= 1 && next.event >= cursor.event && next.attempt >= cursor.attempt);
        if changes.is_empty() {
            assert_eq!(next, cursor);
            break;
        }
        cursor = next;
        told.extend(changes.iter().map(tell));
    }
    let expected = [
        "event 1/1",
        "attempt 1/1",
        "event 2/1",
        "event 1/2",
        "attempt 2/1",
        "attempt 1/1",
        "event 3/1",
    ];
    let mut sorted = (told.clone(), expected.map(String::from).to_vec());
    // The two deliveries of one claim are due in the order of their times.
    sorted.0[4..6].sort_unstable();
    sorted.1[4..6].sort_unstable();
    assert_eq!(sorted.0, sorted.1);
    assert_eq!(lane.store.newest_cursor().await.expect("cursor"), cursor);
    let (at_once, _) = lane
        .store
        .changes(ChangeCursor::default(), 100)
        .await
        .expect("changes");
    assert_eq!(at_once.iter().map(tell).collect::<Vec<_>>(), told);
}

/// What an operator needs to see of an attempt.
pub async fn attempts_are_shown_with_their_evidence(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 2, 0).await;
    lane.park(10).await;
    let entries = lane
        .store
        .timeline(&code(1), 0, 10)
        .await
        .expect("timeline");
    let delivery = &entries[0].deliveries[0];
    let attempt = &delivery.attempts[0];
    assert_eq!(
        (attempt.number, attempt.started_at, attempt.took.as_secs()),
        (1, at(9), 1)
    );
    assert_eq!(
        (attempt.outcome, attempt.code.as_str(), attempt.http_status),
        ("rejected", "-1", Some(200))
    );
    assert_eq!(attempt.message, "Không tìm thấy thủ tục");
    assert_eq!(
        (delivery.parked, delivery.ended_at),
        (Some(ParkReason::Rejected), Some(at(10)))
    );
    assert_eq!(
        (entries[0].system.as_str(), entries[0].participant.as_str()),
        ("igate", "H21")
    );
    let view = lane
        .store
        .dossier(&code(1))
        .await
        .expect("dossier")
        .expect("known");
    assert_eq!(
        view.lanes[0].head.as_ref(),
        Some(delivery),
        "the lane waits for it"
    );
    assert_eq!((view.lanes[0].waiting, view.lanes[0].parked), (1, 1));
}

/// The running counts after a bit of everything.
pub async fn counts_equal_a_recount(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Latest).await;
    for number in 1..=6 {
        lane.push(&code(number), 4, -100 + 10 * i64::from(number))
            .await;
    }
    for (index, message) in lane.claim(6, 10).await.into_iter().enumerate() {
        let next = match index {
            0 => Next::Done,
            1 => Next::Park(ParkReason::Rejected),
            2 => Next::RetryAt {
                at: at(20),
                counted: false,
            },
            _ => continue,
        };
        lane.begin(message, 10).await.expect("fresh");
        lane.finish(message, next, 10).await;
    }
    recount(&lane).await;
    lane.store.recover(at(13)).await.expect("recover");
    recount(&lane).await;
    lane.park_all(14).await;
    recount(&lane).await;
    let lane = Lane::open(subject, LanePolicy::Latest).await;
    recount(&lane).await;
}

/// Everything answered is there again, also after a store that was only forgotten.
pub async fn reopening_keeps_everything(subject: &dyn Subject) {
    for (number, orderly) in [(1, true), (2, false)] {
        let lane = Lane::open(subject, LanePolicy::Hold).await;
        let first = offer(
            &format!("first {number}").replace(' ', "-"),
            &code(number),
            DossierStatus::Processing,
            0,
        );
        let receipt = lane.offer(first.clone()).await.expect("accepted");
        lane.push(&code(number), 3, 1).await;
        let work = lane.work(10).await;
        assert!(
            lane.finish(
                work.message,
                Next::RetryAt {
                    at: at(50),
                    counted: true
                },
                10
            )
            .await
        );
        let before = lane
            .store
            .timeline(&code(number), 0, 10)
            .await
            .expect("timeline");
        let counts = lane.store.counts().await.expect("counts");
        if orderly {
            lane.store.close().await;
        }
        drop(lane);
        let lane = Lane::open(subject, LanePolicy::Hold).await;
        let after = lane
            .store
            .timeline(&code(number), 0, 10)
            .await
            .expect("timeline");
        assert_eq!(format!("{before:?}"), format!("{after:?}"));
        assert_eq!(lane.store.counts().await.expect("counts"), counts);
        let again = lane
            .offer(Offer {
                now: at(99),
                ..first
            })
            .await
            .expect("accepted");
        assert_eq!(
            again,
            crate::store::Receipt {
                duplicate: true,
                ..receipt
            }
        );
        assert!(
            lane.begin(work.message, 20).await.is_none(),
            "its attempt has ended"
        );
        for _ in 0..4 {
            lane.deliver(Next::Done, 60).await;
        }
        lane.store.close().await;
    }
}

/// Whoever waits hears of new events, of ready deliveries and of ended attempts.
pub async fn wakeups_tell_of_new_work(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    let mut wakeups = lane.store.wakeups();
    let mut woken = async |what: &str| {
        let waited =
            tokio::time::timeout(std::time::Duration::from_secs(30), wakeups.changed()).await;
        assert!(matches!(waited, Ok(Ok(()))), "woken by {what}");
        wakeups.mark_unchanged();
    };
    lane.push(&code(1), 1, 0).await;
    woken("an event").await;
    let message = lane.claim_one(1).await;
    lane.store
        .unclaim(&[message], at(1))
        .await
        .expect("unclaim");
    woken("a ready delivery").await;
    lane.deliver(Next::Done, 2).await;
    woken("an attempt").await;
}

/// After [`Store::close`](crate::Store::close) nothing happens any more.
pub async fn a_closed_store_says_so(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 1, 0).await;
    lane.store.close().await;
    lane.store.close().await;
    let offers = vec![offer("k", &code(2), DossierStatus::Processing, 0)];
    assert!(matches!(
        lane.store.accept(offers).await,
        Err(StoreError::Closed)
    ));
    assert!(matches!(lane.store.counts().await, Err(StoreError::Closed)));
    assert!(matches!(
        lane.store.recover(at(1)).await,
        Err(StoreError::Closed)
    ));
}

impl Lane {
    /// Parks every head that is due.
    async fn park_all(&self, seconds: i64) {
        for message in self.claim(100, seconds).await {
            self.begin(message, seconds).await.expect("fresh");
            self.finish(message, Next::Park(ParkReason::Exhausted), seconds)
                .await;
        }
    }
}

/// Compares the counts with what the timelines show.
pub(in crate::conformance) async fn recount(lane: &Lane) {
    let mut by_state = [0; 8];
    let mut oldest = None;
    for view in lane
        .store
        .dossiers(DossierFilter::default(), None, 100)
        .await
        .expect("dossiers")
    {
        for entry in lane
            .store
            .timeline(&view.code, 0, 100)
            .await
            .expect("timeline")
        {
            for delivery in entry.deliveries {
                by_state[usize::from(delivery.state.code())] += 1;
                if matches!(delivery.state, Ready | Sent | Calling) {
                    oldest = oldest.into_iter().chain([entry.accepted_at]).min();
                }
            }
        }
    }
    let counts = lane.store.counts().await.expect("counts");
    assert_eq!(counts[0].by_state, by_state);
    assert_eq!(counts[0].oldest_waiting_since, oldest);
}

fn tell(change: &Change) -> String {
    let number = |dossier: &DossierCode| dossier.daily_sequence();
    match change {
        Change::Accepted(entry) => format!("event {}/{}", number(&entry.dossier), entry.sequence),
        Change::Attempted { dossier, delivery } => {
            format!("attempt {}/{}", number(dossier), delivery.sequence)
        }
    }
}
