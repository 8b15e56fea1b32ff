//! Deliveries survive a bad portal: retried, held back, parked, never lost, never reordered.

use std::time::Duration;

use lienthong_domain::DeliveryState;
use lienthong_proto::dossier::v1::DossierStatus;
use lienthong_simulators::portal::{Fault, FaultRule, FaultScript, Service, When};
use lienthong_tests::harness::{TestGateway, acts, events};

const CODE: &str = "H21.17-240823-0001";

/// A portal with this fault at the calls that `when` names.
fn script(fault: Fault, when: When) -> FaultScript {
    acts::script(FaultRule {
        when,
        ..FaultRule::always(fault)
    })
}

#[tokio::test]
async fn errors_of_the_portal_are_retried_until_the_status_is_there() {
    let gateway = TestGateway::start().await;
    let mut faults = script(Fault::Status { code: 503 }, When::Calls { from: 1, to: 4 });
    faults.rules[0].services = vec![Service::SyncDossier, Service::UpdateProgress];
    gateway.portal.set_faults(faults).unwrap();
    gateway.push("H21", events::life(CODE)).await;
    gateway.drained().await;
    let record = gateway.portal.record();
    assert_eq!(record.dossiers[CODE].status, 10);
    assert!(record.dossiers[CODE].out_of_order.is_empty());
    gateway.stop().await;
}

#[tokio::test]
async fn a_connection_reset_after_applying_leads_to_an_equal_repeat_only() {
    let gateway = TestGateway::start().await;
    gateway
        .portal
        .set_faults(script(Fault::ResetAfter, When::Calls { from: 3, to: 6 }))
        .unwrap();
    gateway.push("H21", events::life(CODE)).await;
    gateway.drained().await;
    let record = gateway.portal.record();
    let dossier = &record.dossiers[CODE];
    assert_eq!(dossier.status, 10);
    assert!(dossier.duplicates > 0, "the fault took place: {dossier:?}");
    assert_eq!(dossier.conflicting_duplicates, 0);
    assert!(
        dossier.out_of_order.iter().all(|pair| pair.duplicate),
        "{dossier:?}"
    );
    gateway.stop().await;
}

#[tokio::test]
async fn a_refused_dossier_parks_alone_and_holds_only_its_own_lane() {
    let gateway = TestGateway::start().await;
    let rejecting = acts::rejecting(vec![CODE.to_owned()]);
    gateway.portal.set_faults(rejecting).unwrap();
    gateway.push("H21", events::life(CODE)).await;
    gateway
        .push("H21", events::life("H21.17-240823-0002"))
        .await;
    gateway
        .until("the other dossier is complete", async || {
            gateway
                .portal
                .record()
                .dossiers
                .get("H21.17-240823-0002")
                .is_some_and(|dossier| dossier.status == 10)
        })
        .await;
    assert_eq!(gateway.count(DeliveryState::Parked).await, 1);
    assert_eq!(
        gateway.count(DeliveryState::Queued).await,
        3,
        "the rest of the lane waits behind it"
    );
    gateway.stop().await;
}

#[tokio::test]
async fn an_outage_longer_than_the_whole_schedule_parks_nothing() {
    let gateway = TestGateway::start_with(|config| {
        // The schedule would be over after four attempts, about three seconds; the breaker opens at the third silent call.
        config.delivery.workers.retry_last_times = 3;
        config.delivery.workers.breaker.unanswered_in_a_row = 3;
        config.delivery.workers.breaker.open_seconds = 1;
        config.delivery.workers.breaker.open_seconds_max = 1;
    })
    .await;
    gateway
        .portal
        .set_faults(script(Fault::Down, When::Always))
        .unwrap();
    for number in 1..=5 {
        gateway
            .push("H21", events::life(&format!("H21.17-240823-{number:04}")))
            .await;
    }
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(gateway.count(DeliveryState::Parked).await, 0);
    assert_eq!(gateway.count(DeliveryState::Done).await, 0);
    gateway.portal.set_faults(FaultScript::default()).unwrap();
    gateway.drained().await;
    assert_eq!(gateway.count(DeliveryState::Parked).await, 0);
    let record = gateway.portal.record();
    assert_eq!(record.dossiers.len(), 5);
    assert!(
        record
            .dossiers
            .values()
            .all(|dossier| dossier.status == 10 && dossier.out_of_order.is_empty())
    );
    gateway.stop().await;
}

#[tokio::test]
async fn a_crash_between_the_two_calls_resumes_at_the_second() {
    let mut gateway = TestGateway::start().await;
    // The dossier call works; the progress call finds the portal gone.
    let mut faults = script(Fault::Status { code: 500 }, When::Always);
    faults.rules[0].services = vec![Service::UpdateProgress];
    gateway.portal.set_faults(faults).unwrap();
    gateway.push("H21", vec![events::first(CODE)]).await;
    gateway
        .until("the dossier is at the portal", async || {
            gateway.portal.record().dossiers.contains_key(CODE)
        })
        .await;
    gateway.restart_with(|_| ()).await;
    gateway.portal.set_faults(FaultScript::default()).unwrap();
    gateway.drained().await;
    let record = gateway.portal.record();
    assert_eq!(
        record.dossiers[CODE].syncs, 1,
        "the first call was not made again"
    );
    assert_eq!(record.dossiers[CODE].progress.len(), 1);
    gateway.stop().await;
}

#[tokio::test]
async fn a_withdrawn_dossier_is_delivered_as_withdrawn() {
    let gateway = TestGateway::start().await;
    gateway
        .push(
            "H21",
            vec![
                events::first(CODE),
                events::status(CODE, DossierStatus::Withdrawn, 60),
            ],
        )
        .await;
    gateway.drained().await;
    assert_eq!(gateway.portal.record().dossiers[CODE].status, 7);
    gateway.stop().await;
}
