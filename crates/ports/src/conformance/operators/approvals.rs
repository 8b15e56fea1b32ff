//! Promises about the second person: when one is needed, who counts as one, and how long is waited.

use lienthong_domain::DeliveryId;
use lienthong_domain::delivery::LanePolicy;

use super::Subject;
use super::fixture::{Desk, new_operation, operator, step_terms};
use crate::conformance::store::at;
use crate::operators::OperationState::{AwaitingApproval, Cancelled, Running};
use crate::operators::{
    APPROVAL_SPAN, APPROVAL_WAIT_MAX, Decided, Decision, ENDED_BY, NewOperation, Operation,
    OperationId, OperationKind,
};
use crate::store::ParkedFilter;

/// A replay of these deliveries, with a second person above three.
fn replay_of(ids: &[DeliveryId], key: &str, by: &str, seconds: i64) -> NewOperation {
    NewOperation {
        filter: ParkedFilter {
            ids: ids.to_vec(),
            ..ParkedFilter::default()
        },
        approval_above: 3,
        actor: operator(by, seconds),
        ..new_operation(key, seconds)
    }
}

async fn decide(desk: &Desk, id: OperationId, decision: Decision, by: &str) -> Decided {
    let decided = desk
        .operators
        .decide_operation(id, decision, operator(by, 60));
    decided.await.expect("decide")
}

async fn decided(desk: &Desk, id: OperationId, decision: Decision, by: &str) -> Operation {
    let done = match decide(desk, id, decision, by).await {
        Decided::Done(operation) => Some(operation),
        _ => None,
    };
    done.expect("it was carried out")
}

/// Many deliveries in small portions are many deliveries, whichever way the person came in; each kind for itself.
pub async fn small_operations_of_one_person_count_together(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let parked = desk.park_each(1..5, 10).await;
    let (two, others) = parked.split_at(2);
    let state = async |new| desk.request(new).await.state;
    let of_hanh = |ids, key, seconds| replay_of(ids, key, "account:hanh", seconds);
    assert_eq!(state(of_hanh(two, "1", 20)).await, Running);
    assert_eq!(state(of_hanh(others, "2", 30)).await, AwaitingApproval);
    let by_the_other_door = replay_of(others, "3", "openid:hanh", 30);
    assert_eq!(state(by_the_other_door).await, AwaitingApproval);
    let colleague = replay_of(others, "4", "account:minh", 30);
    assert_eq!(state(colleague).await, Running);
    let discard = NewOperation {
        kind: OperationKind::Discard,
        ..of_hanh(others, "5", 30)
    };
    assert_eq!(state(discard).await, Running);
    // What awaits approval is not counted: two and one are not above three.
    assert_eq!(state(of_hanh(&two[..1], "6", 40)).await, Running);
    let span = i64::try_from(APPROVAL_SPAN.as_secs()).expect("a day");
    let within = of_hanh(others, "7", 20 + span - 1);
    assert_eq!(state(within).await, AwaitingApproval);
    let a_day_later = of_hanh(others, "8", 20 + span);
    assert_eq!(state(a_day_later).await, Running);
}

/// What a second person answered for does not count against the first, nor what was cancelled before it moved anything.
pub async fn approved_and_unmoved_operations_do_not_count(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let parked = desk.park_each(1..6, 10).await;
    let of_hanh = |ids, key| desk.request(replay_of(ids, key, "account:hanh", 20));
    let many = of_hanh(&parked, "nhiều").await;
    assert_eq!(many.state, AwaitingApproval);
    decided(&desk, many.id, Decision::Approve, "account:minh").await;
    let unmoved = of_hanh(&parked[..3], "chưa chạy").await;
    assert_eq!(unmoved.state, Running);
    decided(&desk, unmoved.id, Decision::Cancel, "account:hanh").await;
    let slow = NewOperation {
        per_second: 1,
        ..replay_of(&parked[..3], "chậm", "account:hanh", 20)
    };
    let slow = desk.request(slow).await;
    assert_eq!(slow.state, Running);
    // Of the operation that is approved nothing is moved in this step's time; of the slow one, one delivery.
    decided(&desk, many.id, Decision::Cancel, "account:lan").await;
    assert_eq!(desk.step(step_terms(20)).await[0].moved, 1);
    decided(&desk, slow.id, Decision::Cancel, "account:hanh").await;
    let three = of_hanh(&parked[1..4], "ba").await;
    assert_eq!(three.state, AwaitingApproval, "one was moved before");
    let alone = async |by: &str, kind| {
        let sum = desk
            .operators
            .asked_alone(by.to_owned(), kind, at(20))
            .await;
        sum.expect("the store sums up")
    };
    // What a dry run tells is what was counted.
    assert_eq!(alone("openid:hanh", OperationKind::Replay).await, 1);
    assert_eq!(alone("account:minh", OperationKind::Replay).await, 0);
    assert_eq!(alone("account:hanh", OperationKind::Discard).await, 0);
    assert_eq!(of_hanh(&parked[1..3], "hai").await.state, Running);
}

/// An account and an `OpenID` sign-in of the same name are one person; two systems of one participant are two.
pub async fn another_way_in_is_not_another_person(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let parked = desk.park_each(1..5, 10).await;
    let table = [
        ("account:hanh", "openid:hanh", false),
        ("openid:hanh", "account:hanh", false),
        ("account:hanh", "openid:minh", true),
        ("G22/vanhanh", "G22/vanhanh", false),
        ("G22/vanhanh", "G22/duyet", true),
    ];
    for (asks, approves, may) in table {
        let key = format!("{asks} {approves}");
        let id = desk.request(replay_of(&parked, &key, asks, 20)).await.id;
        let decided = decide(&desk, id, Decision::Approve, approves).await;
        let approved = matches!(decided, Decided::Done(_));
        assert_eq!(approved, may, "{approves} for {asks}: {decided:?}");
        let refused = matches!(decided, Decided::SamePerson);
        assert_eq!(refused, !may, "{approves} for {asks}");
    }
}

/// Whoever approved answers for what was moved, also after somebody else ended it.
pub async fn a_cancellation_keeps_the_approver(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let parked = desk.park_each(1..5, 10).await;
    let id = desk
        .request(replay_of(&parked, "k", "account:hanh", 20))
        .await
        .id;
    let approved = decided(&desk, id, Decision::Approve, "account:minh").await;
    let cancelled = decided(&desk, id, Decision::Cancel, "account:lan").await;
    let expected = Operation {
        state: Cancelled,
        ..approved
    };
    assert_eq!(cancelled, expected);
    assert_eq!(cancelled.decided_by.as_deref(), Some("account:minh"));
    let actions = desk.lane.store.actions(0, 100).await.expect("actions");
    let last = actions.last().expect("actions");
    assert_eq!(
        (last.kind.as_str(), last.by.as_str()),
        ("cancel_operation", "account:lan")
    );
}

/// Nobody decided for a week: what was asked for then is not what somebody would approve today.
pub async fn nobody_is_waited_for_longer_than_a_week(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let parked = desk.park_each(1..5, 10).await;
    let id = desk
        .request(replay_of(&parked, "k", "account:hanh", 20))
        .await
        .id;
    let wait = i64::try_from(APPROVAL_WAIT_MAX.as_secs()).expect("a week");
    assert!(desk.step(step_terms(20 + wait - 1)).await.is_empty());
    assert_eq!(desk.operation(id).await.state, AwaitingApproval);
    let stepped = desk.step(step_terms(20 + wait)).await;
    assert_eq!((stepped.len(), stepped[0].moved), (1, 0));
    let ended = desk.operation(id).await;
    assert_eq!(stepped[0].operation, ended);
    assert_eq!(ended.state, Cancelled);
    assert_eq!(ended.decided_by.as_deref(), Some(ENDED_BY));
    assert_eq!(ended.decided_at, Some(at(20 + wait)));
    assert_eq!(desk.parked().await, parked);
    assert!(desk.step(step_terms(21 + wait)).await.is_empty());
    let actions = desk.lane.store.actions(0, 100).await.expect("actions");
    let last = actions.last().expect("actions");
    let expected = ("cancel_operation", ENDED_BY, format!("operation:{id}"));
    assert_eq!(
        (last.kind.as_str(), last.by.as_str(), last.subject.clone()),
        expected
    );
}
