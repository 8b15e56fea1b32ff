//! Promises about filters: each field of a filter alone.

use lienthong_domain::delivery::{LanePolicy, ParkReason};
use lienthong_domain::{DeliveryId, DossierCode, DossierStatus, ProcedureCode};

use super::Subject;
use super::fixture::{Lane, at, code, destination, offer};
use crate::store::{DossierFilter, DossierView, Next, Parked, ParkedFilter};

/// One delivery rejected by the destination and one given up by the broker, in two provinces.
pub async fn parked_filters_mean_what_they_say(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.push(&code(1), 3, 0).await;
    let first = lane.park(10).await;
    let other = DossierCode::parse("000.17.22.H08-250701-0001").expect("a dossier code");
    lane.offer(offer("z", &other, DossierStatus::Processing, 0))
        .await
        .expect("accepted");
    let message = lane.claim_one(20).await;
    lane.store.bury(&[message], at(20)).await.expect("bury");
    let second = message.delivery;
    for (filter, expected) in parked_cases(first, second) {
        let found = lane
            .store
            .parked(filter.clone(), DeliveryId(0), 10)
            .await
            .expect("parked");
        assert_eq!(ids(&found), expected, "{filter:?}");
    }
    let all = ParkedFilter::default;
    let found = lane
        .store
        .parked(all(), DeliveryId(0), 1)
        .await
        .expect("parked");
    assert_eq!(
        (found[0].behind, found[0].attempts, found[0].code.as_str()),
        (2, 1, "-1")
    );
    assert_eq!(
        (&found[0].dossier, found[0].sequence, found[0].parked_at),
        (&code(1), 1, at(10))
    );
    let rest = lane.store.parked(all(), first, 10).await.expect("parked");
    assert_eq!(ids(&rest), [second]);
}

#[rustfmt::skip]
fn parked_cases(first: DeliveryId, second: DeliveryId) -> Vec<(ParkedFilter, Vec<DeliveryId>)> {
    let all = ParkedFilter::default;
    let procedure = |text| ProcedureCode::parse(text).ok();
    vec![
        (all(), vec![first, second]),
        (ParkedFilter { ids: vec![second, DeliveryId(7)], ..all() }, vec![second]),
        (ParkedFilter { destination: Some(destination("dvcqg")), ..all() }, vec![first, second]),
        (ParkedFilter { destination: Some(destination("unknown")), ..all() }, vec![]),
        (ParkedFilter { root: Some("H08".into()), ..all() }, vec![second]),
        (ParkedFilter { procedure: procedure("1.001193"), ..all() }, vec![first, second]),
        (ParkedFilter { procedure: procedure("1.000001"), ..all() }, vec![]),
        (ParkedFilter { reason: Some(ParkReason::Rejected), ..all() }, vec![first]),
        (ParkedFilter { code: Some("-1".into()), ..all() }, vec![first]),
        (ParkedFilter { parked_since: Some(at(10)), ..all() }, vec![first, second]),
        (ParkedFilter { parked_since: Some(at(11)), ..all() }, vec![second]),
        (ParkedFilter { parked_until: Some(at(10)), ..all() }, vec![]),
        (ParkedFilter { parked_until: Some(at(20)), ..all() }, vec![first]),
    ]
}

/// Two dossiers delivered, one claimed, one parked; an agency is not the prefix of a longer number.
pub async fn dossier_filters_mean_what_they_say(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    let texts = [
        "000.17.22.H08-250701-0001",
        "H08.1-250701-0001",
        "H21.1-250701-0001",
        "H21.17-250701-0001",
    ];
    for (second, text) in (0..).zip(texts) {
        let dossier = DossierCode::parse(text).expect("a dossier code");
        let status = if second < 3 {
            DossierStatus::Processing
        } else {
            DossierStatus::Processed
        };
        lane.offer(offer(text, &dossier, status, second))
            .await
            .expect("accepted");
    }
    for _ in 0..2 {
        let message = lane.claim(1, 10).await[0];
        lane.begin(message, 10).await.expect("fresh");
        lane.finish(message, Next::Done, 10).await;
    }
    lane.claim(1, 10).await;
    let message = lane.claim(1, 10).await[0];
    lane.store.bury(&[message], at(11)).await.expect("bury");
    for (filter, expected) in dossier_cases() {
        let found = lane
            .store
            .dossiers(filter.clone(), None, 10)
            .await
            .expect("dossiers");
        let expected: Vec<_> = expected.iter().map(|index| texts[*index]).collect();
        assert_eq!(codes(&found), expected, "{filter:?}");
    }
}

#[rustfmt::skip]
fn dossier_cases() -> Vec<(DossierFilter, Vec<usize>)> {
    let all = DossierFilter::default;
    vec![
        (all(), vec![0, 1, 2, 3]),
        (DossierFilter { roots: vec!["H21".into()], ..all() }, vec![2, 3]),
        (DossierFilter { roots: vec!["H21".into(), "H08".into()], ..all() }, vec![0, 1, 2, 3]),
        (DossierFilter { agency_prefix: Some("H21.1".into()), ..all() }, vec![2]),
        (DossierFilter { agency_prefix: Some("H21".into()), ..all() }, vec![2, 3]),
        (DossierFilter { agency_prefix: Some("000.17.22.H08".into()), ..all() }, vec![0]),
        (DossierFilter { status: Some(DossierStatus::Processed), ..all() }, vec![3]),
        (DossierFilter { updated_since: Some(at(2)), ..all() }, vec![2, 3]),
        (DossierFilter { updated_until: Some(at(2)), ..all() }, vec![0, 1]),
        (DossierFilter { only_waiting: true, ..all() }, vec![2]),
        (DossierFilter { only_parked: true, ..all() }, vec![3]),
    ]
}

fn ids(parked: &[Parked]) -> Vec<DeliveryId> {
    parked.iter().map(|parked| parked.id).collect()
}

fn codes(views: &[DossierView]) -> Vec<&str> {
    views.iter().map(|view| view.code.as_str()).collect()
}
