//! Promises about what an operation does to deliveries and their lanes.

use lienthong_domain::DeliveryState::{Discarded, Done, Parked, Queued, Ready};
use lienthong_domain::DossierCode;
use lienthong_domain::delivery::{LanePolicy, ParkReason};

use super::Subject;
use super::fixture::{Desk, new_operation, operator, step_terms};
use crate::conformance::store::{at, code, recount};
use crate::operators::{NewOperation, OperationState, Requested};
use crate::store::{Erasure, Next};

impl Desk {
    /// Replays everything parked in one step a second after `seconds`; how many were moved and left alone.
    async fn replay(&self, key: &str, allow_out_of_order: bool, seconds: i64) -> [u64; 2] {
        let new = NewOperation {
            allow_out_of_order,
            ..new_operation(key, seconds)
        };
        let id = self.request(new).await.id;
        self.step(step_terms(seconds + 1)).await;
        let ended = self.operation(id).await;
        assert_eq!(ended.state, OperationState::Done);
        [ended.moved, ended.left_alone]
    }
}

/// Attempts are counted from 0 again, and go on to be numbered; asked for once more, nothing is parked.
pub async fn a_replay_starts_anew(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.push(&code(1), 0).await;
    desk.push(&code(1), 1).await;
    let retry = Next::RetryAt {
        at: at(2),
        counted: true,
    };
    desk.lane.deliver(retry, 1).await;
    desk.lane.park(3).await;
    assert_eq!(desk.replay("một lần", false, 10).await, [1, 0]);
    let again = new_operation("lần nữa", 11);
    let again = desk.operators.request_operation(again).await;
    assert!(matches!(again.expect("request"), Requested::NothingMatches));
    let work = desk.lane.work(12).await;
    assert_eq!((work.sequence, work.attempt, work.counted), (1, 3, 0));
    assert!(desk.lane.finish(work.message, Next::Done, 13).await);
    assert_eq!(desk.lane.states(&code(1)).await, [Done, Ready]);
}

/// It is the head again: a successor that nobody calls yet steps back behind it.
pub async fn a_replayed_head_goes_before_its_successors(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Skip).await;
    desk.lane.push(&code(1), 4, 0).await;
    for second in [10, 12] {
        desk.lane.park(second).await;
    }
    let claimed = desk.lane.claim_one(14).await;
    assert_eq!(desk.replay("k", false, 15).await, [2, 0]);
    let states = desk.lane.states(&code(1)).await;
    assert_eq!(states, [Ready, Queued, Queued, Queued]);
    recount(&desk.lane).await;
    let stale = desk.lane.begin(claimed, 16).await;
    assert!(stale.is_none(), "its claim is stale");
    for sequence in 1..=4 {
        assert_eq!(desk.lane.deliver(Next::Done, 20).await, sequence);
    }
}

/// Two parked deliveries of one dossier, a third that waits, and other dossiers between them.
pub async fn a_replay_keeps_the_order(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Skip).await;
    for (number, second) in [(1, 0), (2, 1), (1, 2), (2, 3), (1, 4)] {
        desk.push(&code(number), second).await;
    }
    for second in [10, 11] {
        for message in desk.lane.claim(10, second).await {
            desk.lane.begin(message, second).await.expect("fresh");
            let park = Next::Park(ParkReason::Rejected);
            assert!(desk.lane.finish(message, park, second).await);
        }
    }
    assert_eq!(desk.lane.states(&code(1)).await, [Parked, Parked, Ready]);
    let slow = NewOperation {
        per_second: 1,
        ..new_operation("k", 20)
    };
    desk.request(slow).await;
    for second in 20..24 {
        assert_eq!(desk.step(step_terms(second)).await[0].moved, 1);
    }
    assert_eq!(desk.lane.states(&code(1)).await, [Ready, Queued, Queued]);
    let delivered = desk.deliver_all(30).await;
    let of = |dossier: &DossierCode| -> Vec<i64> {
        let of_it = delivered.iter().filter(|(of, _)| of == dossier);
        of_it.map(|(_, sequence)| *sequence).collect()
    };
    assert_eq!((of(&code(1)), of(&code(2))), (vec![1, 2, 3], vec![1, 2]));
}

/// A successor is being called, or was delivered: left alone, unless it is allowed.
pub async fn an_operation_reorders_only_with_leave(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Skip).await;
    desk.push(&code(1), 0).await;
    desk.push(&code(1), 1).await;
    let overtaken = desk.lane.park(5).await;
    let called = desk.lane.work(6).await;
    desk.park_each(2..3, 10).await;
    assert_eq!(desk.replay("đang gọi", false, 20).await, [1, 1]);
    assert!(desk.lane.finish(called.message, Next::Done, 30).await);
    assert_eq!(desk.replay("theo thứ tự", false, 40).await, [0, 1]);
    assert_eq!(desk.parked().await, [overtaken]);
    assert_eq!(desk.replay("bất kể thứ tự", true, 50).await, [1, 0]);
    assert_eq!(desk.lane.states(&code(1)).await, [Ready, Done]);
}

/// Given up, and their lanes go on; the rest stays. A dossier of which nothing else is left may then be erased.
pub async fn a_discard_releases_lanes(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let parked = desk.park_each(1..4, 10).await;
    desk.push(&code(1), 12).await;
    assert_eq!(desk.discard(&parked[..2], 20).await, 2);
    assert_eq!(desk.lane.states(&code(1)).await, [Discarded, Ready]);
    assert_eq!(desk.lane.states(&code(2)).await, [Discarded]);
    assert_eq!(desk.parked().await, parked[2..]);
    recount(&desk.lane).await;
    for (number, expected) in [(1, Erasure::StillOpen), (2, Erasure::Done)] {
        let actor = operator("account:hanh", 30);
        let erased = desk.lane.store.erase_dossier(&code(number), actor).await;
        assert_eq!(erased.expect("erase"), expected, "dossier {number}");
    }
    let work = desk.lane.work(30).await;
    assert_eq!((work.sequence, work.delivered_before), (2, false));
}
