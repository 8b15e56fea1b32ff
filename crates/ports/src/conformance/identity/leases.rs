//! Promises about items on their way: claimed in turns, begun once, never lost.

use std::time::Duration;

use lienthong_domain::identity::{JobState, Verdict};
use lienthong_domain::{DeliveryId, DossierStatus, ErrorCode, Fence, Timestamp};

use super::fixture::{Desk, answered, asker, claims, draft, full_claims, inquiry};
use super::{Opened, Subject};
use crate::broker::Message;
use crate::conformance::store::{at, code, offer};
use crate::identity::{ATTEMPTS_MAX, ItemDraft, ItemId, ItemNext, UsageFilter};
use crate::store::ClaimTerms;

/// A retry at this second.
fn retry(seconds: i64, counted: bool) -> ItemNext {
    ItemNext::Retry {
        at: at(seconds),
        counted,
    }
}

/// A worker gets what was added, to the letter.
pub async fn claims_come_back_as_they_were_added(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let opened = desk.identity.open_job(draft("k", 2)).await.expect("open");
    let job = opened.expect("a new job").id;
    let added = [full_claims(), claims(2)];
    let items = added
        .iter()
        .map(|claims| ItemDraft {
            claims: Ok(claims.clone()),
        })
        .collect();
    let row = desk.identity.add_items(job, 1, items, at(1)).await;
    row.expect("add").expect("room");
    let works = desk.work(10, 2).await;
    for ((work, claims), position) in works.iter().zip(&added).zip(1..) {
        assert_eq!((work.job, work.position, work.attempts), (job, position, 0));
        assert_eq!((&work.asker, &work.inquiry), (&asker("H21"), &inquiry()));
        assert!(work.claims == *claims, "the claims of position {position}");
        assert_eq!(work.message.delivery, work.item.as_delivery());
        assert_eq!(work.message.fence, Fence(1));
    }
    assert_eq!(works.len(), 2);
}

/// The window counts Sent and Calling of all jobs.
pub async fn an_item_claim_respects_batch_window_and_due_time(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    desk.running("a", 4).await;
    desk.running("b", 4).await;
    let claim = async |batch, window, now: Timestamp| {
        let terms = ClaimTerms {
            now,
            lease: Duration::from_mins(1),
            window,
            batch,
        };
        desk.identity.claim_items(terms).await.expect("claim")
    };
    assert_eq!(claim(10, 10, at(0)).await.len(), 0, "added at second 1");
    let first = claim(3, 10, at(1)).await;
    assert_eq!(first.len(), 3, "the batch");
    desk.begin(first[0], 1).await.expect("fresh");
    assert_eq!(claim(10, 5, at(1)).await.len(), 2, "the window");
    assert_eq!(claim(10, 5, at(1)).await.len(), 0, "the window is full");
    assert_eq!(claim(10, 100, at(1)).await.len(), 3, "the rest");
    assert_eq!(claim(10, 100, at(1)).await.len(), 0);
    assert_eq!(desk.identity.next_item_due().await.expect("due"), None);
}

/// Each claim shares its room out, and what one leaves another gets.
pub async fn jobs_take_turns(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let jobs = [
        desk.running("a", 20).await,
        desk.running("b", 20).await,
        desk.running("c", 2).await,
    ];
    let mut claimed = [0; 3];
    let mut count = async |batch| {
        for work in desk.work(batch, 2).await {
            let index = jobs.iter().position(|job| *job == work.job);
            claimed[index.expect("one of the three")] += 1;
        }
        claimed
    };
    assert_eq!(count(9).await, [4, 3, 2], "three each, but c has only two");
    // One at a time: whoever waited longest.
    let mut each = Vec::new();
    for _ in 0..4 {
        let before: [i32; 3] = each.last().copied().unwrap_or([4, 3, 2]);
        each.push(count(1).await);
        let now = each.last().expect("just pushed");
        assert_eq!(now.iter().sum::<i32>(), before.iter().sum::<i32>() + 1);
    }
    assert_eq!(each[3], [6, 5, 2], "by turns");
}

/// One item that comes late is served within a round, however much a large job has.
pub async fn a_small_job_is_not_starved_by_a_large_one(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    desk.running("large", 900).await;
    for _ in 0..5 {
        assert_eq!(desk.claim(10, 2).await.len(), 10);
    }
    let small = desk.running("deferred", 1).await;
    let jobs: Vec<_> = desk.work(10, 3).await.iter().map(|work| work.job).collect();
    assert!(jobs.contains(&small), "it is in the very next claim");
    assert_eq!(jobs.len(), 10, "and the large one has the rest");
}

/// An older fence, a second begin, a second finish; but a look is a look.
pub async fn stale_item_messages_do_nothing_but_leave_usage(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.running("k", 1).await;
    let old = desk.claim(1, 2).await[0];
    assert!(
        !desk.finish(old, answered(Verdict::Match), 3).await,
        "it was not begun"
    );
    desk.identity
        .unclaim_items(&[old], at(3))
        .await
        .expect("unclaim");
    assert!(desk.begin(old, 3).await.is_none(), "it was given back");
    let new = desk.claim(1, 4).await[0];
    assert_eq!(new.fence.0, old.fence.0 + 1);
    assert!(desk.begin(old, 4).await.is_none(), "an older fence");
    assert!(desk.begin(new, 4).await.is_some());
    assert!(desk.begin(new, 4).await.is_none(), "begun already");
    desk.identity
        .unclaim_items(&[new], at(5))
        .await
        .expect("unclaim");
    assert!(!desk.finish(old, answered(Verdict::NoMatch), 5).await);
    assert!(desk.finish(new, answered(Verdict::Match), 5).await);
    assert!(!desk.finish(new, answered(Verdict::NoMatch), 6).await);
    let row = desk.job(job).await;
    assert_eq!((row.items_matched, row.items_not_matched), (1, 0));
    let usage = desk.identity.usage(UsageFilter::default(), None, 10).await;
    assert_eq!(usage.expect("usage").len(), 4, "one per look");
}

/// As with deliveries.
pub async fn unclaimed_items_are_ready_at_the_given_time(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    desk.running("k", 1).await;
    let claimed = desk.claim(1, 2).await;
    desk.identity
        .unclaim_items(&claimed, at(30))
        .await
        .expect("unclaim");
    assert_eq!(
        desk.identity.next_item_due().await.expect("due"),
        Some(at(30))
    );
    assert_eq!(desk.claim(1, 29).await, []);
    assert_eq!(desk.work_one(30).await.attempts, 0);
}

/// The schedule is the caller's.
pub async fn an_item_retry_counts_only_when_told(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.running("k", 1).await;
    for (second, counted, attempts) in [(10, false, 0), (20, true, 0), (30, true, 1)] {
        let work = desk.work_one(second).await;
        assert_eq!(work.attempts, attempts);
        assert!(
            desk.finish(work.message, retry(second + 10, counted), second)
                .await
        );
        assert_eq!(desk.claim(1, second + 9).await, [], "not before its time");
    }
    assert_eq!(desk.work_one(40).await.attempts, 2);
    assert_eq!(desk.job(job).await.items_answered(), 0);
}

/// A claim that nobody began.
pub async fn a_lost_item_message_is_ready_after_its_lease(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    desk.running("k", 3).await;
    desk.claim(10, 2).await;
    let expire = async |seconds, limit| {
        let expired = desk.identity.expire_items(at(seconds), limit).await;
        expired.expect("expire")
    };
    assert_eq!(expire(61, 10).await, 0, "the lease holds for a minute");
    assert_eq!(expire(62, 2).await, 2, "the limit bounds a sweep");
    assert_eq!(expire(62, 2).await, 1);
    let works = desk.work(10, 62).await;
    assert_eq!(works.len(), 3);
    for work in works {
        assert_eq!((work.attempts, work.message.fence.0), (0, 2));
    }
}

/// So that an item that kills its workers comes to an end.
pub async fn a_vanished_worker_counts_as_an_attempt(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    desk.running("k", 1).await;
    let work = desk.work_one(2).await;
    assert_eq!(
        desk.identity
            .expire_items(at(62), 10)
            .await
            .expect("expire"),
        1
    );
    assert!(
        !desk
            .finish(work.message, answered(Verdict::Match), 63)
            .await
    );
    assert_eq!(desk.work_one(63).await.attempts, 1);
}

/// As a failure of ours, counted like any other; a claim that was never begun is no attempt.
pub async fn an_item_that_kills_its_workers_is_given_up(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.running("k", 1).await;
    let mut seconds = 2;
    let mut expire = async || {
        seconds += 60;
        let expired = desk.identity.expire_items(at(seconds), 10).await;
        assert_eq!(expired.expect("expire"), 1);
        seconds
    };
    assert_eq!(desk.claim(1, 2).await.len(), 1);
    let mut now = expire().await;
    for attempts in 0..=ATTEMPTS_MAX {
        assert_eq!(desk.job(job).await.items_failed, 0);
        assert_eq!(desk.work_one(now).await.attempts, attempts);
        now = expire().await;
    }
    let row = desk.job(job).await;
    assert_eq!((row.state, row.items_failed), (JobState::Done, 1));
    assert_eq!(row.finished_at, Some(at(now)));
    assert_eq!(desk.claim(10, now + 1_000).await, []);
    let answers = desk.answers(job, 0).await;
    assert_eq!(answers[0].result, Err(ErrorCode::Internal));
}

/// Calling items keep their lease.
pub async fn recovery_frees_sent_items_only(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    desk.running("k", 3).await;
    let calling = desk.work(1, 2).await;
    let sent = desk.claim(2, 2).await;
    let desk = Desk::open(subject).await;
    assert_eq!(
        desk.identity.recover_items(at(3)).await.expect("recover"),
        2
    );
    assert!(desk.begin(sent[0], 3).await.is_none());
    assert_eq!(desk.claim(10, 3).await.len(), 2);
    assert!(
        desk.finish(calling[0].message, answered(Verdict::Match), 4)
            .await
    );
}

/// Either side ignores what belongs to the other, even where the numbers are equal.
pub async fn items_and_deliveries_are_never_mixed_up(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.running("k", 1).await;
    let item = desk.claim(1, 2).await[0];
    assert!(ItemId::of_delivery(item.delivery).is_some());
    assert_eq!(ItemId::of_delivery(DeliveryId(64)), None);

    let accepted = offer("e", &code(1), DossierStatus::Processing, 0);
    let receipts = desk.store.accept(vec![accepted]).await.expect("accept");
    assert!(receipts[0].is_ok());
    let buried = desk.store.bury(&[item], at(3)).await.expect("bury");
    assert_eq!(buried, 0);
    let begun = desk.store.begin(&[item], at(3), at(63)).await;
    assert!(begun.expect("begin")[0].is_none());
    desk.store.unclaim(&[item], at(3)).await.expect("unclaim");
    let advanced = desk.store.advance(item, 1, at(63)).await;
    assert!(!advanced.expect("advance"));

    let bare = Message {
        delivery: DeliveryId(ItemId::of_delivery(item.delivery).expect("an item").0),
        fence: item.fence,
        trace: None,
    };
    desk.identity
        .unclaim_items(&[bare], at(3))
        .await
        .expect("unclaim");
    assert!(desk.begin(bare, 3).await.is_none());
    assert!(!desk.finish(bare, answered(Verdict::Match), 3).await);
    assert!(desk.begin(item, 3).await.is_some(), "the item is untouched");
    assert_eq!(desk.job(job).await.items_answered(), 0);
}

/// Through the store's one signal: workers wait for the former, readers of answers for the latter.
pub async fn wakeups_tell_of_due_and_answered_items(subject: &dyn Subject) {
    let Opened { identity, store } = subject.open().await;
    let desk = Desk { identity, store };
    let mut wakeups = desk.store.wakeups();
    let job = desk.open_job("k", 1).await.id;
    wakeups.mark_unchanged();
    desk.add(job, 1, &[true]).await.expect("room");
    told(&mut wakeups).await;
    let work = desk.work_one(2).await;
    assert!(desk.finish(work.message, retry(3, true), 2).await);
    told(&mut wakeups).await;
    let claimed = desk.claim(1, 3).await;
    desk.identity
        .unclaim_items(&claimed, at(3))
        .await
        .expect("unclaim");
    told(&mut wakeups).await;
    let work = desk.work_one(4).await;
    wakeups.mark_unchanged();
    assert!(desk.finish(work.message, answered(Verdict::Match), 4).await);
    told(&mut wakeups).await;
}

async fn told(wakeups: &mut tokio::sync::watch::Receiver<u64>) {
    let changed = tokio::time::timeout(Duration::from_secs(5), wakeups.changed()).await;
    changed
        .expect("told within five seconds")
        .expect("the store lives");
}
