//! Promises about what happens when messages, workers or the gateway are lost.

use lienthong_domain::DeliveryState::{Calling, Parked, Queued, Ready, Sent};
use lienthong_domain::delivery::{LanePolicy, ParkReason};

use super::Subject;
use super::fixture::{Lane, at, code};
use crate::store::{Expired, Next};

/// A claim that nobody began.
pub async fn a_lost_message_is_ready_after_its_lease(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 1, 0).await;
    lane.claim_one(1).await;
    let expire = async |seconds| lane.store.expire(at(seconds), 3, 10).await.expect("expire");
    assert_eq!(
        expire(60).await,
        Expired::default(),
        "the lease holds for a minute"
    );
    assert_eq!(
        expire(62).await,
        Expired {
            sent: 1,
            ..Expired::default()
        }
    );
    let work = lane.work(62).await;
    assert_eq!(
        (work.attempt, work.message.fence.0),
        (1, 2),
        "no attempt was made"
    );
}

/// Each crash leaves an attempt; the third parks and the limit bounds a sweep.
pub async fn a_vanished_worker_is_a_crash_and_the_last_one_parks(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 2, 0).await;
    lane.push(&code(2), 1, 0).await;
    for round in 1..=3 {
        let now = round * 100;
        for message in lane.claim(10, now).await {
            let work = lane.begin(message, now).await.expect("fresh");
            assert_eq!(
                (work.attempt, work.counted),
                (u32::try_from(round).expect("small"), 0)
            );
        }
        let mut swept = Expired::default();
        for _ in 0..2 {
            let one = lane.store.expire(at(now + 90), 3, 1).await.expect("expire");
            swept.calling += one.calling;
            swept.parked += one.parked;
        }
        let (calling, parked) = if round < 3 { (2, 0) } else { (0, 2) };
        assert_eq!(
            swept,
            Expired {
                sent: 0,
                calling,
                parked
            }
        );
    }
    assert_eq!(lane.states(&code(1)).await, [Parked, Queued]);
    let entries = lane.store.timeline(&code(1), 0, 1).await.expect("timeline");
    let delivery = &entries[0].deliveries[0];
    assert_eq!(
        (delivery.parked, delivery.attempts.len()),
        (Some(ParkReason::CrashSuspect), 3)
    );
    assert_eq!(delivery.attempts[0].outcome, "lease_expired");
    assert_eq!(delivery.attempts[0].started_at, at(100));
    assert!(delivery.attempts[0].took.is_zero());
}

/// A second step keeps the first one done across a crash.
pub async fn advancing_keeps_the_step_and_the_lease(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 1, 0).await;
    let work = lane.work(1).await;
    assert!(
        lane.store
            .advance(work.message, 1, at(200))
            .await
            .expect("advance")
    );
    assert_eq!(
        lane.store.expire(at(100), 3, 10).await.expect("expire"),
        Expired::default()
    );
    assert_eq!(
        lane.store
            .expire(at(201), 3, 10)
            .await
            .expect("expire")
            .calling,
        1
    );
    let again = lane.work(201).await;
    assert_eq!((again.step, again.attempt), (1, 2));
    assert!(
        !lane
            .store
            .advance(work.message, 2, at(300))
            .await
            .expect("advance"),
        "stale"
    );
}

/// After a restart: Sent is free at once, Calling keeps its lease.
pub async fn recovery_frees_what_was_sent_only(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 1, 0).await;
    let called = lane.work(1).await;
    lane.push(&code(2), 1, 0).await;
    let sent = lane.claim_one(2).await;
    assert_eq!(lane.store.recover(at(3)).await.expect("recover"), 1);
    assert_eq!(lane.states(&code(1)).await, [Calling]);
    assert_eq!(lane.states(&code(2)).await, [Ready]);
    assert!(lane.begin(sent, 3).await.is_none());
    assert!(lane.finish(called.message, Next::Done, 3).await);
    assert_eq!(lane.claim(10, 3).await.len(), 1);
}

/// A dead letter parks its delivery, unless it has been claimed again.
pub async fn a_buried_message_parks_unless_stale(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Skip).await;
    lane.push(&code(1), 2, 0).await;
    let old = lane.claim_one(1).await;
    lane.store.unclaim(&[old], at(1)).await.expect("unclaim");
    let new = lane.claim_one(2).await;
    assert_eq!(lane.store.bury(&[old], at(3)).await.expect("bury"), 0);
    assert_eq!(lane.states(&code(1)).await, [Sent, Queued]);
    assert_eq!(
        lane.store
            .bury(&[old, new, new], at(4))
            .await
            .expect("bury"),
        1
    );
    assert_eq!(
        lane.states(&code(1)).await,
        [Parked, Ready],
        "the lane goes on"
    );
    let parked = lane
        .store
        .parked(
            crate::store::ParkedFilter::default(),
            lienthong_domain::DeliveryId(0),
            10,
        )
        .await;
    let parked = parked.expect("parked");
    assert_eq!(
        (parked[0].reason, parked[0].parked_at),
        (ParkReason::DeadLettered, at(4))
    );
    assert_eq!((parked[0].attempts, parked[0].code.as_str()), (0, ""));
}
