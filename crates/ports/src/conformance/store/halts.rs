//! Promises about what halts a destination: an operator's pause, and the breaker.

use lienthong_domain::delivery::LanePolicy;

use super::Subject;
use super::fixture::{Lane, actor, at, code, destination};
use crate::store::BreakerRecord;

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
