//! Promises about lanes, claims and the end of attempts.

use std::time::Duration;

use lienthong_domain::DeliveryState::{Calling, Done, Parked, Queued, Ready, Sent, Superseded};
use lienthong_domain::Fence;
use lienthong_domain::delivery::{LanePolicy, ParkReason};

use super::Subject;
use super::fixture::{Lane, at, code, destination, offer};
use crate::broker::Message;
use crate::store::{ClaimTerms, DestinationSpec, Next};

/// Policy `hold`: a parked delivery stops its lane, also for events that come later.
pub async fn hold_waits_for_the_operator(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 3, 0).await;
    lane.park(10).await;
    lane.push(&code(1), 1, 20).await;
    assert_eq!(
        lane.states(&code(1)).await,
        [Parked, Queued, Queued, Queued]
    );
    assert!(lane.claim(10, 1_000).await.is_empty());
}

/// Policy `skip`: the next one goes on.
pub async fn skip_goes_on_after_a_parked_one(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Skip).await;
    lane.push(&code(1), 3, 0).await;
    lane.park(10).await;
    assert_eq!(lane.states(&code(1)).await, [Parked, Ready, Queued]);
    lane.park(12).await;
    assert_eq!(lane.deliver(Next::Done, 14).await, 3);
    lane.push(&code(1), 1, 20).await;
    assert_eq!(lane.states(&code(1)).await, [Parked, Parked, Done, Ready]);
}

/// Policy `latest`: the newest of those that wait goes on, the others are left out; while nothing is
/// parked nothing is left out.
pub async fn latest_leaves_out_all_but_the_newest(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Latest).await;
    lane.push(&code(1), 5, 0).await;
    assert_eq!(lane.deliver(Next::Done, 10).await, 1);
    assert_eq!(
        lane.states(&code(1)).await,
        [Done, Ready, Queued, Queued, Queued]
    );
    lane.park(12).await;
    assert_eq!(
        lane.states(&code(1)).await,
        [Done, Parked, Superseded, Superseded, Ready]
    );
    assert_eq!(lane.deliver(Next::Done, 14).await, 5);
    let view = lane
        .store
        .dossier(&code(1))
        .await
        .expect("dossier")
        .expect("known");
    assert_eq!(
        (view.lanes[0].delivered_sequence, view.lanes[0].parked),
        (5, 1)
    );
}

/// Sequence after sequence, each only when the one before is done.
pub async fn only_the_head_is_claimed_in_order(subject: &dyn Subject) {
    for policy in [LanePolicy::Hold, LanePolicy::Skip, LanePolicy::Latest] {
        let lane = Lane::open(subject, policy).await;
        let dossier = code(match policy {
            LanePolicy::Hold => 1,
            LanePolicy::Skip => 2,
            LanePolicy::Latest => 3,
        });
        lane.push(&dossier, 3, 0).await;
        for sequence in 1..=3 {
            let work = lane.work(10).await;
            assert_eq!(
                (work.sequence, work.delivered_before),
                (sequence, sequence > 1)
            );
            assert_eq!((work.attempt, work.counted, work.step), (1, 0, 0));
            assert!(
                lane.claim(10, 10).await.is_empty(),
                "{policy:?}: the successor waits"
            );
            assert!(lane.finish(work.message, Next::Done, 10).await);
        }
        assert_eq!(lane.states(&dossier).await, [Done; 3]);
        lane.store.close().await;
    }
}

/// A stuck dossier is nobody else's trouble; the oldest due goes first.
pub async fn lanes_do_not_wait_for_each_other(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 2, 0).await;
    lane.park(5).await;
    lane.push(&code(3), 1, 10).await;
    lane.push(&code(2), 1, 11).await;
    let mut dossiers = Vec::new();
    for message in lane.claim(10, 20).await {
        dossiers.push(lane.begin(message, 20).await.expect("fresh").dossier);
    }
    assert_eq!(dossiers, [code(3), code(2)]);
}

/// Batch and window bound a claim, and nothing is claimed before it is due.
pub async fn a_claim_respects_batch_window_and_due_time(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    for number in 1..=6 {
        lane.push(&code(number), 1, 0).await;
    }
    let terms = |batch, window| ClaimTerms {
        now: at(10),
        lease: Duration::from_mins(1),
        window,
        batch,
    };
    let claim = async |terms| {
        lane.store
            .claim(&lane.destination, terms)
            .await
            .expect("claim")
    };
    let first = claim(terms(2, 4)).await;
    assert_eq!(first.len(), 2, "the batch bounds");
    assert_eq!(claim(terms(10, 4)).await.len(), 2, "the window bounds");
    assert!(claim(terms(10, 4)).await.is_empty());
    lane.begin(first[0], 10).await.expect("fresh");
    assert!(claim(terms(10, 4)).await.is_empty(), "a call still counts");
    lane.finish(
        first[0],
        Next::RetryAt {
            at: at(50),
            counted: true,
        },
        10,
    )
    .await;
    assert_eq!(claim(terms(1, 4)).await.len(), 1);
    assert_eq!(lane.claim(10, 49).await.len(), 1, "not the one due at 50");
    assert_eq!(
        lane.store.next_due(&lane.destination).await.expect("due"),
        Some(at(50))
    );
    assert_eq!(lane.claim(10, 50).await.len(), 1);
    assert_eq!(
        lane.store.next_due(&lane.destination).await.expect("due"),
        None
    );
    let unknown = destination("unknown");
    assert!(
        lane.store
            .claim(&unknown, terms(1, 1))
            .await
            .expect("claim")
            .is_empty()
    );
}

/// What was certainly not published goes back; its old message is stale and nothing is counted.
pub async fn unclaimed_work_is_ready_at_the_given_time(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 1, 0).await;
    let message = lane.claim_one(1).await;
    lane.store
        .unclaim(&[message], at(5))
        .await
        .expect("unclaim");
    assert!(lane.begin(message, 5).await.is_none());
    assert!(lane.claim(1, 4).await.is_empty());
    let work = lane.work(5).await;
    assert_eq!((work.attempt, work.counted), (1, 0));
    assert_eq!(work.message.fence, Fence(message.fence.0 + 1));
    lane.store
        .unclaim(&[work.message], at(9))
        .await
        .expect("unclaim");
    assert_eq!(
        lane.states(&code(1)).await,
        [Calling],
        "a call cannot be unclaimed"
    );
}

/// Only the newest fence in the right state does anything.
pub async fn stale_messages_do_nothing(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 2, 0).await;
    let old = lane.claim_one(1).await;
    assert!(!lane.finish(old, Next::Done, 1).await, "it was not begun");
    lane.store.expire(at(100), 3, 10).await.expect("expire");
    let new = lane.claim_one(101).await;
    assert!(lane.begin(old, 101).await.is_none());
    lane.store.unclaim(&[old], at(101)).await.expect("unclaim");
    assert_eq!(lane.states(&code(1)).await, [Sent, Queued]);
    assert!(lane.begin(new, 101).await.is_some());
    assert!(lane.begin(new, 101).await.is_none(), "a message seen twice");
    assert!(!lane.finish(old, Next::Done, 101).await);
    assert!(!lane.store.advance(old, 1, at(500)).await.expect("advance"));
    assert!(lane.finish(new, Next::Done, 101).await);
    assert!(
        !lane
            .finish(new, Next::Park(ParkReason::Rejected), 102)
            .await,
        "it is done"
    );
    let unknown = Message {
        delivery: lienthong_domain::DeliveryId(i64::MAX),
        fence: Fence(1),
        trace: None,
    };
    assert!(lane.begin(unknown, 101).await.is_none());
    assert_eq!(lane.states(&code(1)).await, [Done, Ready]);
}

/// Attempts are numbered always and counted when told.
pub async fn retries_count_only_when_told(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 1, 0).await;
    let expected = [(1, 0), (2, 1), (3, 1), (4, 2)];
    for (round, counted) in (0..).zip([true, false, true, true]) {
        let work = lane.work(10 + round).await;
        assert_eq!(
            (work.attempt, work.counted),
            expected[usize::try_from(round).expect("small")]
        );
        let next = Next::RetryAt {
            at: at(11 + round),
            counted,
        };
        assert!(lane.finish(work.message, next, 10 + round).await);
    }
    let entries = lane
        .store
        .timeline(&code(1), 0, 10)
        .await
        .expect("timeline");
    let delivery = &entries[0].deliveries[0];
    assert_eq!((delivery.attempts_counted, delivery.attempts.len()), (3, 4));
    assert_eq!(delivery.next_attempt_at, Some(at(14)));
}

/// Two destinations do not wait for each other.
pub async fn every_destination_gets_its_own_delivery(subject: &dyn Subject) {
    let specs = ["dvcqg", "bo-tu-phap"].map(|name| DestinationSpec {
        name: destination(name),
        lane: LanePolicy::Hold,
    });
    let store = subject.open(specs.to_vec()).await;
    let lanes = specs.map(|spec| Lane {
        store: store.clone(),
        destination: spec.name,
    });
    lanes[0]
        .offer(offer("a", &code(1), super::status(2), 0))
        .await
        .expect("accepted");
    lanes[0]
        .offer(offer("b", &code(1), super::status(4), 1))
        .await
        .expect("accepted");
    assert_eq!(lanes[1].deliver(Next::Done, 5).await, 1);
    assert_eq!(lanes[1].deliver(Next::Done, 5).await, 2);
    assert_eq!(lanes[0].work(6).await.sequence, 1);
    let view = store
        .dossier(&code(1))
        .await
        .expect("dossier")
        .expect("known");
    let delivered: Vec<_> = view
        .lanes
        .iter()
        .map(|lane| lane.delivered_sequence)
        .collect();
    assert_eq!((delivered, view.lanes[0].waiting), (vec![0, 2], 2));
}
