//! Promises about asking for operations and deciding about them.

use lienthong_domain::delivery::LanePolicy;

use super::Subject;
use super::fixture::{Desk, new_operation, operator, step_terms};
use crate::conformance::store::at;
use crate::operators::{
    Decided, Decision, NewOperation, Operation, OperationId, OperationKind, OperationState,
    Requested,
};
use crate::store::ParkedFilter;

async fn decide(desk: &Desk, id: OperationId, decision: Decision, by: &str) -> Decided {
    let decided = desk
        .operators
        .decide_operation(id, decision, operator(by, 60));
    decided.await.expect("decide")
}

fn done(decided: Decided) -> Operation {
    let done = match decided {
        Decided::Done(operation) => Some(operation),
        _ => None,
    };
    done.expect("it was carried out, or stood so already")
}

/// A double click is one operation; the key of another person is another key, and a key means one selection.
pub async fn an_operation_is_asked_for_once_per_key(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.park_each(1..3, 10).await;
    let first = desk.request(new_operation("nhấp đúp", 20)).await;
    assert_eq!((first.matched, first.moved, first.left_alone), (2, 0, 0));
    assert_eq!(first.state, OperationState::Running);
    assert_eq!(first.filter.parked_until, Some(at(20)));
    assert_eq!(first.requested_by, "account:hanh");
    let again = desk
        .operators
        .request_operation(new_operation("nhấp đúp", 21));
    let again = again.await.expect("request");
    assert!(matches!(again, Requested::Known(again) if again == first));
    let others = [
        NewOperation {
            kind: OperationKind::Discard,
            ..new_operation("nhấp đúp", 22)
        },
        NewOperation {
            filter: ParkedFilter {
                code: Some("-1".into()),
                ..ParkedFilter::default()
            },
            ..new_operation("nhấp đúp", 22)
        },
        NewOperation {
            allow_out_of_order: true,
            ..new_operation("nhấp đúp", 22)
        },
    ];
    for other in others {
        let answer = desk.operators.request_operation(other).await;
        assert!(matches!(answer.expect("request"), Requested::KeyReused));
    }
    let colleague = NewOperation {
        actor: operator("account:minh", 23),
        ..new_operation("nhấp đúp", 23)
    };
    assert_ne!(desk.request(colleague).await.id, first.id);
}

/// Nothing matches: no row, no action, and the key stays free.
pub async fn an_operation_over_nothing_is_not_written_down(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let answer = desk
        .operators
        .request_operation(new_operation("k", 5))
        .await;
    assert!(matches!(
        answer.expect("request"),
        Requested::NothingMatches
    ));
    let listed = desk.operators.operations(false, None, 10).await;
    assert!(listed.expect("operations").is_empty());
    assert!(
        desk.lane
            .store
            .actions(0, 10)
            .await
            .expect("actions")
            .is_empty()
    );
    desk.park_each(1..2, 10).await;
    desk.request(new_operation("k", 20)).await;
}

/// Above the limit nothing moves until somebody else approves; approving twice is harmless.
pub async fn many_deliveries_need_a_second_person(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.park_each(1..4, 10).await;
    let at_limit = NewOperation {
        approval_above: 3,
        ..new_operation("vừa đủ", 20)
    };
    assert_eq!(desk.request(at_limit).await.state, OperationState::Running);
    let above = NewOperation {
        kind: OperationKind::Discard,
        approval_above: 2,
        ..new_operation("nhiều", 20)
    };
    let id = desk.request(above).await.id;
    let waiting = desk.operation(id).await;
    assert_eq!(waiting.state, OperationState::AwaitingApproval);
    assert!(matches!(
        decide(&desk, id, Decision::Approve, "account:hanh").await,
        Decided::SamePerson
    ));
    assert_eq!(desk.operation(id).await, waiting);
    let approved = done(decide(&desk, id, Decision::Approve, "account:minh").await);
    assert_eq!(approved.state, OperationState::Running);
    assert_eq!(approved.decided_by.as_deref(), Some("account:minh"));
    assert_eq!(approved.decided_at, Some(at(60)));
    assert_eq!(
        approved.decided_reason.as_deref(),
        Some("đã sửa danh mục thủ tục")
    );
    let again = done(decide(&desk, id, Decision::Approve, "account:lan").await);
    assert_eq!(again, approved);
}

/// What awaits or runs is ended at any time by anybody who may; what was moved stays moved.
pub async fn a_cancelled_operation_moves_no_more(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.park_each(1..4, 10).await;
    let waiting = NewOperation {
        approval_above: 0,
        ..new_operation("chờ duyệt", 20)
    };
    let waiting = desk.request(waiting).await.id;
    assert!(desk.step(step_terms(30)).await.is_empty());
    let slow = NewOperation {
        per_second: 1,
        ..new_operation("chậm", 20)
    };
    let slow = desk.request(slow).await.id;
    assert_eq!(desk.step(step_terms(20)).await[0].moved, 1);
    for id in [waiting, slow] {
        let cancelled = done(decide(&desk, id, Decision::Cancel, "account:hanh").await);
        assert_eq!(cancelled.state, OperationState::Cancelled);
        assert_eq!(cancelled.decided_by.as_deref(), Some("account:hanh"));
        let again = done(decide(&desk, id, Decision::Cancel, "account:minh").await);
        assert_eq!(again, cancelled);
    }
    assert!(desk.step(step_terms(100)).await.is_empty());
    assert_eq!(desk.parked().await.len(), 2);
    assert_eq!(desk.operation(slow).await.moved, 1);
}

/// Done is done, and an unknown number is told.
pub async fn an_ended_operation_is_not_decided_again(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.park_each(1..2, 10).await;
    let id = desk.request(new_operation("k", 20)).await.id;
    desk.step(step_terms(25)).await;
    assert_eq!(desk.operation(id).await.state, OperationState::Done);
    for decision in [Decision::Approve, Decision::Cancel] {
        let decided = decide(&desk, id, decision, "account:minh").await;
        assert!(matches!(decided, Decided::Ended(_)), "{decided:?}");
        let unknown = decide(&desk, OperationId(id.0 + 1), decision, "account:minh").await;
        assert!(matches!(unknown, Decided::NotFound), "{unknown:?}");
    }
    let unknown = desk.operators.operation(OperationId(id.0 + 1)).await;
    assert_eq!(unknown.expect("operation"), None);
}

/// Pages go on before the last one seen; the open ones are those that await or run.
pub async fn operations_are_listed_newest_first(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.park_each(1..4, 10).await;
    let mut ids = Vec::new();
    for (key, approval_above) in [("một", 1_000), ("hai", 0), ("ba", 0)] {
        let new = NewOperation {
            approval_above,
            ..new_operation(key, 20)
        };
        ids.push(desk.request(new).await.id);
    }
    desk.step(step_terms(25)).await;
    let list = async |only_open, before, limit| {
        let listed = desk.operators.operations(only_open, before, limit).await;
        let listed = listed.expect("operations");
        listed.iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(list(false, None, 2).await, [ids[2], ids[1]]);
    assert_eq!(list(false, Some(ids[1]), 2).await, [ids[0]]);
    assert_eq!(list(true, None, 10).await, [ids[2], ids[1]]);
    assert_eq!(list(true, Some(ids[2]), 10).await, [ids[1]]);
}

/// One action for the request, the approval, each delivery and the end, by whom it was.
pub async fn operations_leave_their_actions(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let parked = desk.park_each(1..3, 10).await;
    let new = NewOperation {
        approval_above: 1,
        ..new_operation("k", 20)
    };
    let id = desk.request(new).await.id;
    done(decide(&desk, id, Decision::Approve, "account:minh").await);
    desk.step(step_terms(70)).await;
    let actions = desk.lane.store.actions(0, 100).await.expect("actions");
    let told: Vec<_> = actions
        .iter()
        .map(|action| {
            (
                action.kind.as_str(),
                action.subject.clone(),
                action.by.as_str(),
            )
        })
        .collect();
    let operation = format!("operation:{id}");
    let expected = [
        ("request_operation", operation.clone(), "account:hanh"),
        ("approve_operation", operation.clone(), "account:minh"),
        ("replay", parked[0].to_string(), "account:hanh"),
        ("replay", parked[1].to_string(), "account:hanh"),
        ("end_operation", operation, "account:hanh"),
    ];
    assert_eq!(told, expected);
    assert_eq!(actions[2].reason, "đã sửa danh mục thủ tục");
    assert_eq!(actions[2].at, at(70));
}
