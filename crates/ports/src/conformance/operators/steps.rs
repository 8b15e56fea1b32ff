//! Promises about the steps of operations.

use std::time::Duration;

use lienthong_domain::DeliveryState::Ready;
use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::{DossierDetails, DossierStatus, ProcedureCode};

use super::Subject;
use super::fixture::{Desk, new_operation, operator, step_terms};
use crate::conformance::store::{at, code, details, offer};
use crate::operators::{Decision, NewOperation, OperationState, StepTerms};
use crate::store::ParkedFilter;

/// Later arrivals are not touched, also when the clock says that they are earlier.
pub async fn an_operation_moves_what_was_parked_when_it_was_asked_for(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.park_each(1..4, 10).await;
    let id = desk.request(new_operation("k", 11)).await.id;
    let later = desk.park_each(4..6, 5).await;
    let stepped = desk.step(step_terms(20)).await;
    assert_eq!((stepped.len(), stepped[0].moved), (1, 3));
    assert_eq!(stepped[0].operation.state, OperationState::Done);
    assert_eq!(stepped[0].operation.ended_at, Some(at(20)));
    assert_eq!(stepped[0].operation, desk.operation(id).await);
    assert_eq!(desk.parked().await, later);
    for number in 1..4 {
        assert_eq!(desk.lane.states(&code(number)).await, [Ready]);
    }
    assert!(desk.step(step_terms(21)).await.is_empty(), "it has ended");
    assert_eq!(desk.deliver_all(20).await.len(), 3);
}

/// While it awaited approval somebody else replayed one of them: it ends without that one.
pub async fn what_left_before_its_turn_is_left_alone(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let parked = desk.park_each(1..4, 10).await;
    let waiting = NewOperation {
        approval_above: 2,
        ..new_operation("k", 20)
    };
    let id = desk.request(waiting).await.id;
    let other = NewOperation {
        filter: ParkedFilter {
            ids: vec![parked[1]],
            ..ParkedFilter::default()
        },
        actor: operator("account:minh", 20),
        ..new_operation("k", 20)
    };
    desk.request(other).await;
    assert_eq!(desk.step(step_terms(20)).await[0].moved, 1);
    let approver = operator("account:lan", 21);
    let approved = desk
        .operators
        .decide_operation(id, Decision::Approve, approver);
    approved.await.expect("decide");
    desk.step(step_terms(30)).await;
    let operation = desk.operation(id).await;
    assert_eq!(operation.state, OperationState::Done);
    assert_eq!(
        (operation.matched, operation.moved, operation.left_alone),
        (3, 2, 1)
    );
}

/// A dossier that comes into the selection later, by a new procedure code, was never meant; not even in the place of
/// one that has left it.
pub async fn nothing_is_moved_that_did_not_match(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let parked = desk.park_each(1..4, 10).await;
    let rename = async |dossier, procedure: &str, seconds| {
        let key = format!("renamed-{dossier}-{seconds}");
        let mut renamed = offer(&key, &code(dossier), DossierStatus::Processing, seconds);
        renamed.event.details = Some(DossierDetails {
            procedure_code: ProcedureCode::parse(procedure).ok(),
            ..details()
        });
        desk.lane.offer(renamed).await.expect("accepted");
    };
    rename(3, "2.000815", 15).await;
    let new = NewOperation {
        filter: ParkedFilter {
            procedure: ProcedureCode::parse("1.001193").ok(),
            ..ParkedFilter::default()
        },
        ..new_operation("k", 20)
    };
    let operation = desk.request(new).await;
    assert_eq!(operation.matched, 2);
    rename(2, "2.000815", 24).await;
    rename(3, "1.001193", 25).await;
    desk.step(step_terms(30)).await;
    let ended = desk.operation(operation.id).await;
    assert_eq!(
        (ended.state, ended.moved, ended.left_alone),
        (OperationState::Done, 1, 1)
    );
    assert_eq!(desk.parked().await, parked[1..]);
}

/// A delivery that fails again is the business of another operation.
pub async fn what_parks_again_is_not_moved_again(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let parked = desk.park_each(1..3, 10).await;
    let slow = NewOperation {
        per_second: 1,
        ..new_operation("k", 20)
    };
    let id = desk.request(slow).await.id;
    assert_eq!(desk.step(step_terms(20)).await[0].moved, 1);
    assert_eq!(desk.lane.park(20).await, parked[0]);
    assert_eq!(desk.step(step_terms(21)).await[0].moved, 1);
    desk.step(step_terms(22)).await;
    let operation = desk.operation(id).await;
    assert_eq!(
        (operation.state, operation.moved),
        (OperationState::Done, 2)
    );
    assert_eq!(desk.parked().await, parked[..1]);
}

/// One at once, then no more than the rate allows; fractions are carried over.
pub async fn steps_are_no_faster_than_the_rate(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.park_each(1..11, 10).await;
    let new = NewOperation {
        per_second: 2,
        ..new_operation("k", 20)
    };
    desk.request(new).await;
    let expected = [
        (0, 1),
        (300, 0),
        (600, 1),
        (700, 0),
        (1_100, 1),
        (1_500, 1),
        (2_400, 1),
        (3_000, 2),
    ];
    for (after_ms, moved) in expected {
        let terms = StepTerms {
            now: at(20) + Duration::from_millis(after_ms),
            ..step_terms(20)
        };
        let stepped = desk.step(terms).await;
        assert_eq!(stepped[0].moved, moved, "after {after_ms} ms");
    }
}

/// However much its rate allows.
pub async fn a_step_has_a_bound(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.park_each(1..6, 10).await;
    desk.request(new_operation("k", 20)).await;
    for moved in [2, 2, 1] {
        let terms = StepTerms {
            limit: 2,
            ..step_terms(30)
        };
        assert_eq!(desk.step(terms).await[0].moved, moved);
    }
    assert!(desk.step(step_terms(30)).await.is_empty());
}

/// A gateway that was down does not catch up.
pub async fn a_long_pause_is_no_burst(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.park_each(1..11, 10).await;
    let new = NewOperation {
        per_second: 1,
        ..new_operation("k", 20)
    };
    desk.request(new).await;
    let terms = StepTerms {
        catch_up_max: Duration::from_secs(3),
        ..step_terms(3_600)
    };
    assert_eq!(desk.step(terms).await[0].moved, 3);
    assert_eq!(desk.step(terms).await[0].moved, 0);
}

/// Each running operation is stepped; none waits for the others.
pub async fn operations_have_their_turns(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let parked = desk.park_each(1..5, 10).await;
    let mut ids = Vec::new();
    for (key, chosen) in [("một", &parked[..2]), ("hai", &parked[2..])] {
        let new = NewOperation {
            filter: ParkedFilter {
                ids: chosen.to_vec(),
                ..ParkedFilter::default()
            },
            per_second: 1,
            ..new_operation(key, 20)
        };
        ids.push(desk.request(new).await.id);
    }
    for second in [20, 21] {
        let mut stepped = desk.step(step_terms(second)).await;
        stepped.sort_by_key(|one| one.operation.id);
        let moved: Vec<_> = stepped
            .iter()
            .map(|one| (one.operation.id, one.moved))
            .collect();
        assert_eq!(moved, [(ids[0], 1), (ids[1], 1)]);
    }
    assert!(desk.parked().await.is_empty());
}

/// Its cursor, its counts and its pace are rows.
pub async fn an_operation_goes_on_after_reopening(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.park_each(1..5, 10).await;
    let new = NewOperation {
        per_second: 1,
        ..new_operation("k", 20)
    };
    let id = desk.request(new).await.id;
    let mut last = None;
    for second in 20..24 {
        let desk = Desk::open(subject, LanePolicy::Hold).await;
        let stepped = desk.step(step_terms(second)).await;
        assert_eq!(stepped[0].moved, 1, "at {second}");
        last = Some(desk);
    }
    let desk = last.expect("four steps");
    desk.step(step_terms(24)).await;
    let operation = desk.operation(id).await;
    assert_eq!(
        (operation.state, operation.moved),
        (OperationState::Done, 4)
    );
    let actions = desk.lane.store.actions(0, 100).await.expect("actions");
    assert_eq!(
        actions
            .iter()
            .filter(|action| action.kind == "replay")
            .count(),
        4
    );
}
