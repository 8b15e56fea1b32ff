//! Promises about what operators do.

use std::time::Duration;

use lienthong_domain::DeliveryState::{Calling, Discarded, Done, Parked, Queued, Ready};
use lienthong_domain::delivery::{LanePolicy, ParkReason};

use super::Subject;
use super::fixture::{Lane, actor, at, code, destination, replay_terms};
use crate::store::{BreakerRecord, Next, ParkedFilter, ReplayTerms};

/// Paused: nothing is claimed. Each change leaves one action.
pub async fn a_paused_destination_is_not_claimed(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 1, 0).await;
    for _ in 0..2 {
        assert!(
            lane.store
                .set_paused(&lane.destination, true, actor(1))
                .await
                .expect("pause")
        );
    }
    assert!(lane.claim(10, 5).await.is_empty());
    let rows = lane.store.destinations().await.expect("destinations");
    let pause = rows[0].paused.as_ref().expect("paused");
    assert_eq!((pause.by.as_str(), pause.at), ("H21/console", at(1)));
    for _ in 0..2 {
        assert!(
            lane.store
                .set_paused(&lane.destination, false, actor(2))
                .await
                .expect("resume")
        );
    }
    assert_eq!(lane.claim(10, 5).await.len(), 1);
    let unknown = destination("unknown");
    assert!(
        !lane
            .store
            .set_paused(&unknown, true, actor(3))
            .await
            .expect("pause")
    );
    let actions = lane.store.actions(0, 10).await.expect("actions");
    let kinds: Vec<_> = actions
        .iter()
        .map(|action| (action.kind.as_str(), action.subject.as_str()))
        .collect();
    assert_eq!(kinds, [("pause", "dvcqg"), ("resume", "dvcqg")]);
    assert_eq!(actions[0].reason, "đã sửa danh mục");
    assert_eq!(
        lane.store
            .actions(actions[0].id, 10)
            .await
            .expect("actions"),
        actions[1..]
    );
}

/// Counted from 0, with one action, and a second replay finds nothing.
pub async fn a_replay_starts_anew_and_twice_is_harmless(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 2, 0).await;
    lane.deliver(
        Next::RetryAt {
            at: at(2),
            counted: true,
        },
        1,
    )
    .await;
    let id = lane.park(3).await;
    let items = lane.replay(replay_terms(), 10).await;
    assert_eq!((items.len(), items[0].id, items[0].sequence), (1, id, 1));
    assert!(items[0].repeats && !items[0].reorders && items[0].replayed);
    assert!(lane.replay(replay_terms(), 11).await.is_empty());
    assert_eq!(lane.store.actions(0, 10).await.expect("actions").len(), 1);
    let work = lane.work(10).await;
    assert_eq!((work.sequence, work.attempt, work.counted), (1, 3, 0));
    lane.finish(work.message, Next::Done, 12).await;
    assert_eq!(lane.states(&code(1)).await, [Done, Ready]);
}

/// A dry run says the same and does nothing, also for a discard.
pub async fn a_dry_run_changes_nothing(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 2, 0).await;
    let message = lane.claim_one(1).await;
    lane.store.bury(&[message], at(2)).await.expect("bury");
    let items = lane
        .replay(
            ReplayTerms {
                dry_run: true,
                ..replay_terms()
            },
            10,
        )
        .await;
    assert!(
        items[0].replayed && !items[0].repeats,
        "the broker gave it up before any attempt"
    );
    let ids = lane
        .store
        .discard(ParkedFilter::default(), true, 10, actor(10))
        .await;
    assert_eq!(ids.expect("discard"), [message.delivery]);
    assert_eq!(lane.states(&code(1)).await, [Parked, Queued]);
    assert!(lane.store.actions(0, 10).await.expect("actions").is_empty());
}

/// A successor has been delivered, or is being called: the replay would reorder.
pub async fn a_replay_out_of_order_needs_leave(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Skip).await;
    lane.push(&code(1), 2, 0).await;
    lane.park(10).await;
    let called = lane.work(11).await;
    let items = lane.replay(replay_terms(), 12).await;
    assert!(items[0].reorders && !items[0].replayed);
    lane.finish(called.message, Next::Done, 13).await;
    let items = lane.replay(replay_terms(), 14).await;
    assert!(items[0].reorders && !items[0].replayed);
    assert_eq!(lane.states(&code(1)).await, [Parked, Done]);
    let leave = ReplayTerms {
        allow_out_of_order: true,
        ..replay_terms()
    };
    let items = lane.replay(leave, 15).await;
    assert!(items[0].reorders && items[0].replayed);
    assert_eq!(lane.states(&code(1)).await, [Ready, Done]);
}

/// One after the other, at the rate of the terms, and no more than the limit.
pub async fn a_replay_is_spaced(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    for number in 1..=4 {
        lane.push(&code(number), 1, 0).await;
        lane.park(10).await;
    }
    let terms = ReplayTerms {
        spacing: Duration::from_secs(5),
        limit: 3,
        ..replay_terms()
    };
    assert_eq!(lane.replay(terms, 100).await.len(), 3);
    for seconds in [100, 105, 110] {
        assert!(
            lane.claim(10, seconds - 1).await.is_empty(),
            "not before {seconds}"
        );
        assert_eq!(lane.claim(10, seconds).await.len(), 1);
    }
}

/// A replayed delivery is the head again: a successor that nobody calls yet steps back behind it.
pub async fn a_replayed_head_goes_before_its_successors(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Skip).await;
    lane.push(&code(1), 4, 0).await;
    lane.park(10).await;
    lane.park(12).await;
    let claimed = lane.claim_one(14).await;
    assert_eq!(lane.replay(replay_terms(), 15).await.len(), 2);
    assert_eq!(lane.states(&code(1)).await, [Ready, Queued, Queued, Queued]);
    assert!(
        lane.begin(claimed, 15).await.is_none(),
        "its claim is stale"
    );
    for sequence in 1..=4 {
        assert_eq!(lane.deliver(Next::Done, 20).await, sequence);
    }
}

/// Given up: the next one goes on.
pub async fn a_discard_releases_the_lane(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 2, 0).await;
    let id = lane.park(10).await;
    let filter = ParkedFilter {
        ids: vec![id],
        ..ParkedFilter::default()
    };
    let discarded = lane
        .store
        .discard(filter.clone(), false, 10, actor(20))
        .await;
    assert_eq!(discarded.expect("discard"), [id]);
    assert!(
        lane.store
            .discard(filter, false, 10, actor(21))
            .await
            .expect("discard")
            .is_empty()
    );
    assert_eq!(lane.states(&code(1)).await, [Discarded, Ready]);
    let actions = lane.store.actions(0, 10).await.expect("actions");
    assert_eq!(
        (actions[0].kind.as_str(), &actions[0].subject),
        ("discard", &id.to_string())
    );
    let work = lane.work(30).await;
    assert_eq!((work.sequence, work.delivered_before), (2, false));
    assert_eq!(lane.states(&code(1)).await, [Discarded, Calling]);
    lane.finish(work.message, Next::Park(ParkReason::Exhausted), 31)
        .await;
}

/// A breaker's memory outlives the store.
pub async fn the_breaker_is_remembered(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    let record = BreakerRecord {
        open_until: Some(at(600)),
        openings: 3,
    };
    lane.store
        .save_breaker(&lane.destination, record)
        .await
        .expect("save");
    drop(lane);
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    let rows = lane.store.destinations().await.expect("destinations");
    assert_eq!((rows.len(), rows[0].breaker), (1, record));
    lane.store
        .save_breaker(&lane.destination, BreakerRecord::default())
        .await
        .expect("save");
    let rows = lane.store.destinations().await.expect("destinations");
    assert_eq!(rows[0].breaker, BreakerRecord::default());
}
