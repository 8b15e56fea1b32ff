//! Promises about dossiers whose result is due.

use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::{DossierCode, DossierDetails, DossierStatus, ProcedureCode};

use super::Subject;
use super::fixture::{Desk, other_province};
use crate::conformance::store::{at, code, destination, details, offer};
use crate::operators::{Lag, OverdueDossier};
use crate::store::Next;

/// An event whose details name a due instant, or none.
async fn push_due(desk: &Desk, dossier: &DossierCode, seconds: i64, due: Option<i64>) {
    let key = format!("{}/{seconds}", dossier.as_str());
    let mut offer = offer(&key, dossier, DossierStatus::Processing, seconds);
    offer.event.details = Some(DossierDetails {
        due_at: due.map(at),
        ..details()
    });
    desk.lane.offer(offer).await.expect("accepted");
}

async fn overdue(desk: &Desk, until: i64, root: Option<&str>, limit: usize) -> Vec<OverdueDossier> {
    let root = root.map(str::to_owned);
    let found = desk.operators.overdue_dossiers(at(until), root, limit);
    found.await.expect("overdue")
}

fn codes(overdue: &[OverdueDossier]) -> Vec<DossierCode> {
    overdue.iter().map(|one| one.dossier.clone()).collect()
}

/// With what they still hold; discarded is as good as delivered, parked is not.
pub async fn due_dossiers_are_told_until_delivered(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    push_due(&desk, &code(1), 0, Some(500)).await;
    push_due(&desk, &code(2), 1, Some(400)).await;
    push_due(&desk, &code(3), 2, None).await;
    push_due(&desk, &code(1), 3, None).await;
    let found = overdue(&desk, 1_000, None, 10).await;
    let lag = |undelivered, parked| Lag {
        destination: destination("dvcqg"),
        undelivered,
        parked,
    };
    let expected = [
        OverdueDossier {
            dossier: code(2),
            procedure: ProcedureCode::parse("1.001193").ok(),
            due_at: at(400),
            lanes: vec![lag(1, 0)],
        },
        OverdueDossier {
            dossier: code(1),
            procedure: ProcedureCode::parse("1.001193").ok(),
            due_at: at(500),
            lanes: vec![lag(2, 0)],
        },
    ];
    assert_eq!(found, expected);
    assert_eq!(codes(&overdue(&desk, 500, None, 10).await), [code(2)]);
    assert_eq!(codes(&overdue(&desk, 1_000, None, 1).await), [code(2)]);
    for message in desk.lane.claim(1, 10).await {
        desk.lane.begin(message, 10).await.expect("fresh");
        let park = Next::Park(lienthong_domain::delivery::ParkReason::Rejected);
        assert!(desk.lane.finish(message, park, 10).await);
    }
    assert_eq!(overdue(&desk, 1_000, None, 10).await[1].lanes, [lag(2, 1)]);
    assert_eq!(desk.deliver_all(20).await.len(), 2);
    assert_eq!(codes(&overdue(&desk, 1_000, None, 10).await), [code(1)]);
    assert_eq!(desk.discard(&desk.parked().await, 30).await, 1);
    assert_eq!(overdue(&desk, 1_000, None, 10).await[0].lanes, [lag(1, 0)]);
    assert_eq!(desk.deliver_all(40).await.len(), 1);
    assert!(overdue(&desk, 1_000, None, 10).await.is_empty());
    push_due(&desk, &code(1), 50, None).await;
    assert_eq!(
        codes(&overdue(&desk, 1_000, None, 10).await),
        [code(1)],
        "it is open again"
    );
}

/// The newest details decide; events without details change nothing.
pub async fn a_due_instant_follows_the_details(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    push_due(&desk, &code(1), 0, Some(500)).await;
    push_due(&desk, &code(1), 1, Some(5_000)).await;
    assert!(overdue(&desk, 1_000, None, 10).await.is_empty());
    let key = "without-details";
    let mut bare = offer(key, &code(1), DossierStatus::Processing, 2);
    bare.event.details = None;
    desk.lane.offer(bare).await.expect("accepted");
    let found = overdue(&desk, 10_000, None, 10).await;
    assert_eq!(found[0].due_at, at(5_000));
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    assert_eq!(overdue(&desk, 10_000, None, 10).await, found);
}

/// One province alone, or all in one order.
pub async fn due_dossiers_are_told_by_province(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    push_due(&desk, &code(1), 0, Some(300)).await;
    push_due(&desk, &other_province(1), 1, Some(200)).await;
    push_due(&desk, &code(2), 2, Some(100)).await;
    let all = overdue(&desk, 1_000, None, 10).await;
    assert_eq!(codes(&all), [code(2), other_province(1), code(1)]);
    assert_eq!(overdue(&desk, 1_000, Some("H24"), 10).await, all[1..2]);
    assert!(overdue(&desk, 1_000, Some("H99"), 10).await.is_empty());
}
