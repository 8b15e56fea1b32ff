//! Promises about what is parked: previews and groups.

use lienthong_domain::delivery::{LanePolicy, ParkReason};
use lienthong_domain::{DeliveryId, DossierDetails, DossierStatus, ProcedureCode};

use super::Subject;
use super::fixture::{Desk, new_operation, other_province, step_terms};
use crate::conformance::store::{at, code, details, offer};
use crate::operators::{OperationKind, Preview};
use crate::store::{Next, ParkedFilter};

async fn preview(desk: &Desk, kind: OperationKind, filter: ParkedFilter) -> Preview {
    let preview = desk.operators.preview(kind, filter, false, 2);
    preview.await.expect("preview")
}

/// Dossier 1: two parked, the first of them overtaken by the third, and two that wait. Dossier 2: given up by the
/// broker before any attempt. Dossier 3: rejected, one waits. Dossier 4: its second is being called.
async fn prepare(desk: &Desk) -> Vec<DeliveryId> {
    let mut parked = Vec::new();
    for second in 0..2 {
        desk.push(&code(1), second).await;
        parked.push(desk.lane.park(5 + second).await);
    }
    desk.push(&code(1), 2).await;
    desk.lane.deliver(Next::Done, 8).await;
    desk.push(&code(2), 10).await;
    let message = desk.lane.claim_one(10).await;
    desk.lane
        .store
        .bury(&[message], at(11))
        .await
        .expect("bury");
    parked.push(message.delivery);
    for second in [12, 13] {
        desk.push(&code(3), second).await;
    }
    parked.push(desk.lane.park(14).await);
    desk.lane.claim_one(14).await;
    desk.push(&code(4), 15).await;
    parked.push(desk.lane.park(16).await);
    desk.push(&code(4), 17).await;
    desk.lane.work(18).await;
    for second in [19, 20] {
        desk.push(&code(1), second).await;
    }
    parked
}

/// Exact counts and the first deliveries; nothing changes, and an operation does just that.
pub async fn a_preview_says_what_would_happen(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Skip).await;
    let parked = prepare(&desk).await;
    let before = preview(&desk, OperationKind::Replay, ParkedFilter::default()).await;
    assert_eq!((before.matches, before.repeats, before.reorders), (5, 4, 3));
    assert_eq!(
        before.behind, 4,
        "two, one that was claimed, and one that is called"
    );
    let items: Vec<_> = before
        .items
        .iter()
        .map(|item| {
            (
                item.id,
                item.sequence,
                item.repeats,
                item.reorders,
                item.replayed,
            )
        })
        .collect();
    assert_eq!(
        items,
        [
            (parked[0], 1, true, true, false),
            (parked[1], 2, true, true, false)
        ]
    );
    assert_eq!(
        preview(&desk, OperationKind::Replay, ParkedFilter::default()).await,
        before
    );
    let some = ParkedFilter {
        reason: Some(ParkReason::DeadLettered),
        ..ParkedFilter::default()
    };
    let buried = preview(&desk, OperationKind::Replay, some).await;
    assert_eq!(
        (
            buried.matches,
            buried.repeats,
            buried.reorders,
            buried.behind
        ),
        (1, 0, 0, 0)
    );
    assert!(buried.items[0].replayed);
    let nowhere = ParkedFilter {
        root: Some("H99".into()),
        ..ParkedFilter::default()
    };
    assert_eq!(
        preview(&desk, OperationKind::Replay, nowhere).await,
        Preview::default()
    );
    desk.request(new_operation("k", 30)).await;
    let stepped = desk.step(step_terms(40)).await;
    let moved = before.matches - before.reorders;
    assert_eq!(u64::from(stepped[0].moved), moved);
    assert_eq!(stepped[0].operation.left_alone, before.reorders);
}

/// It would give all of them up.
pub async fn a_preview_of_a_discard_breaks_no_order(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Skip).await;
    prepare(&desk).await;
    let preview = preview(&desk, OperationKind::Discard, ParkedFilter::default()).await;
    assert_eq!((preview.matches, preview.reorders), (5, 0));
    assert!(
        preview
            .items
            .iter()
            .all(|item| item.replayed && !item.reorders)
    );
    assert_eq!(desk.parked().await.len(), 5);
}

/// By destination, province, reason and code; most first, and by filter.
pub async fn parked_deliveries_are_grouped_by_cause(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    desk.park_each(1..3, 10).await;
    desk.park_each(3..4, 20).await;
    desk.push(&other_province(1), 30).await;
    desk.lane.park(31).await;
    desk.push(&other_province(2), 40).await;
    let message = desk.lane.claim_one(40).await;
    desk.lane
        .store
        .bury(&[message], at(41))
        .await
        .expect("bury");
    let group = async |filter| {
        let groups = desk.operators.parked_groups(filter).await.expect("groups");
        groups
            .into_iter()
            .map(|group| {
                assert_eq!(group.destination.as_str(), "dvcqg");
                let times = (group.oldest_parked_at, group.newest_parked_at);
                (
                    group.root,
                    group.reason,
                    group.code,
                    group.deliveries,
                    times,
                )
            })
            .collect::<Vec<_>>()
    };
    let gia_lai = (
        "H21".to_owned(),
        ParkReason::Rejected,
        "-1".to_owned(),
        3,
        (at(11), at(21)),
    );
    let rejected = (
        "H24".to_owned(),
        ParkReason::Rejected,
        "-1".to_owned(),
        1,
        (at(31), at(31)),
    );
    let buried = (
        "H24".to_owned(),
        ParkReason::DeadLettered,
        String::new(),
        1,
        (at(41), at(41)),
    );
    let all = group(ParkedFilter::default()).await;
    assert_eq!((all.len(), &all[0]), (3, &gia_lai));
    assert!(all.contains(&rejected) && all.contains(&buried));
    let filter = ParkedFilter {
        reason: Some(ParkReason::DeadLettered),
        ..ParkedFilter::default()
    };
    assert_eq!(group(filter).await, [buried]);
    let filter = ParkedFilter {
        root: Some("H21".into()),
        parked_until: Some(at(20)),
        ..ParkedFilter::default()
    };
    assert_eq!(group(filter).await[0].3, 2);
}

/// The procedure is the dossier's present one, also when it becomes known after the parking.
pub async fn parked_deliveries_follow_the_procedure(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let parked = desk.park_each(1..2, 10).await;
    let mut renamed = offer("renamed", &code(1), DossierStatus::Processing, 20);
    let other = ProcedureCode::parse("2.000815").expect("a procedure code");
    renamed.event.details = Some(DossierDetails {
        procedure_code: Some(other.clone()),
        ..details()
    });
    desk.lane.offer(renamed).await.expect("accepted");
    for (procedure, expected) in [("1.001193", 0), ("2.000815", 1)] {
        let filter = ParkedFilter {
            procedure: ProcedureCode::parse(procedure).ok(),
            ..ParkedFilter::default()
        };
        let counted = preview(&desk, OperationKind::Replay, filter).await;
        assert_eq!(counted.matches, expected, "{procedure}");
    }
    let shown = desk
        .lane
        .store
        .parked(ParkedFilter::default(), DeliveryId(0), 10)
        .await;
    let shown = shown.expect("parked");
    assert_eq!(
        (shown[0].id, shown[0].procedure.as_ref()),
        (parked[0], Some(&other))
    );
}
