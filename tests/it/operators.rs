//! Operators see where statuses wait and why, and can mend it without reordering anything.

use lienthong_proto::admin::v1::delivery_selection::Selection;
use lienthong_proto::admin::v1::delivery_service_client::DeliveryServiceClient;
use lienthong_proto::admin::v1::{
    DeliverySelection, DiscardDeliveriesRequest, EraseDossierRequest, ExplainDossierRequest,
    ListDestinationsRequest, ListParkedDeliveriesRequest, ListQueuesRequest, ParkedFilter,
    PauseDestinationRequest, ReplayDeliveriesRequest, ResumeDestinationRequest, WaitCause,
};
use lienthong_proto::dossier::v1::{DossierStatus, GetDossierRequest};
use lienthong_tests::harness::{TestGateway, events};
use tonic::Code;

const CODE: &str = "H21.17-240823-0001";

/// A gateway with one dossier refused by the portal, and the portal mended again.
async fn with_a_parked_dossier() -> TestGateway {
    let gateway = TestGateway::start().await;
    gateway.park("H21", events::life(CODE)).await;
    gateway
}

fn everything() -> DeliverySelection {
    DeliverySelection {
        selection: Some(Selection::Filter(ParkedFilter::default())),
    }
}

#[tokio::test]
async fn a_parked_dossier_is_found_explained_replayed_and_delivered_in_order() {
    let gateway = with_a_parked_dossier().await;
    let mut operator = gateway.operator();
    let listed = operator
        .deliveries
        .list_parked_deliveries(ListParkedDeliveriesRequest::default())
        .await
        .unwrap()
        .into_inner();
    let found = &listed.deliveries[0];
    assert_eq!(found.delivery.as_ref().unwrap().dossier_code, CODE);
    assert_eq!(found.waiting_behind, 3);

    let ask = ExplainDossierRequest {
        dossier_code: CODE.to_owned(),
    };
    let why = operator
        .deliveries
        .explain_dossier(ask)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(why.lanes[0].cause(), WaitCause::HeadParked);
    assert!(!why.lanes[0].explanation_vi.is_empty() && !why.lanes[0].explanation_en.is_empty());

    let replay = |dry_run| ReplayDeliveriesRequest {
        selection: Some(everything()),
        reason: "Cổng đã sửa".to_owned(),
        dry_run,
        ..ReplayDeliveriesRequest::default()
    };
    let plan = operator
        .deliveries
        .replay_deliveries(replay(true))
        .await
        .unwrap()
        .into_inner();
    assert!(!plan.carried_out);
    assert_eq!(plan.plan.unwrap().would_replay, 1);
    gateway.parked(1).await;

    let done = operator
        .deliveries
        .replay_deliveries(replay(false))
        .await
        .unwrap()
        .into_inner();
    assert!(done.carried_out && done.operation.is_some());
    gateway.parked(0).await;
    gateway.drained().await;
    // Nothing is left to do.
    let again = operator
        .deliveries
        .replay_deliveries(replay(false))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again.plan.unwrap().would_replay, 0);
    assert!(!again.carried_out);
    let record = gateway.portal.record();
    let dossier = &record.dossiers[CODE];
    assert_eq!((dossier.status, dossier.progress.len()), (10, 4));
    assert!(dossier.out_of_order.is_empty());
    let actions = gateway.running().store.actions(0, 10).await.unwrap();
    let told = actions
        .iter()
        .map(|action| (action.kind.as_str(), action.by.as_str()));
    let expected =
        ["request_operation", "replay", "end_operation"].map(|kind| (kind, "G22/vanhanh"));
    assert_eq!(told.collect::<Vec<_>>(), expected);
    gateway.stop().await;
}

#[tokio::test]
async fn a_discarded_delivery_lets_the_rest_of_its_lane_go() {
    let gateway = with_a_parked_dossier().await;
    let mut operator = gateway.operator();
    let request = |reason: &str| DiscardDeliveriesRequest {
        selection: Some(everything()),
        reason: reason.to_owned(),
        ..DiscardDeliveriesRequest::default()
    };
    let refused = operator
        .deliveries
        .discard_deliveries(request(" "))
        .await
        .expect_err("no reason");
    assert_eq!(refused.code(), Code::InvalidArgument);
    operator
        .deliveries
        .discard_deliveries(request("Hồ sơ trùng"))
        .await
        .unwrap();
    gateway.parked(0).await;
    gateway.drained().await;
    let record = gateway.portal.record();
    assert_eq!(
        record.dossiers[CODE].progress.len(),
        3,
        "all but the discarded one"
    );
    gateway.stop().await;
}

#[tokio::test]
async fn a_paused_destination_gets_nothing_until_it_goes_on() {
    let gateway = TestGateway::start().await;
    let mut operator = gateway.operator();
    let pause = PauseDestinationRequest {
        destination: "dvcqg".to_owned(),
        reason: "Bảo trì theo kế hoạch".to_owned(),
    };
    operator
        .destinations
        .pause_destination(pause)
        .await
        .unwrap();
    gateway.push("H21", events::life(CODE)).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(gateway.portal.record().dossiers.is_empty());
    let listed = operator
        .destinations
        .list_destinations(ListDestinationsRequest {})
        .await
        .unwrap()
        .into_inner();
    let pause = listed.destinations[0].pause.clone().expect("it is paused");
    assert_eq!(pause.paused_by, "G22/vanhanh");
    let ask = ExplainDossierRequest {
        dossier_code: CODE.to_owned(),
    };
    let why = operator
        .deliveries
        .explain_dossier(ask)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(why.lanes[0].cause(), WaitCause::DestinationPaused);
    let resume = ResumeDestinationRequest {
        destination: "dvcqg".to_owned(),
        reason: "Xong".to_owned(),
    };
    operator
        .destinations
        .resume_destination(resume)
        .await
        .unwrap();
    gateway.drained().await;
    assert_eq!(gateway.portal.record().dossiers[CODE].status, 10);
    let unknown = PauseDestinationRequest {
        destination: "khac".to_owned(),
        reason: "x".to_owned(),
    };
    let refused = operator
        .destinations
        .pause_destination(unknown)
        .await
        .expect_err("unknown");
    assert_eq!(refused.code(), Code::NotFound);
    gateway.stop().await;
}

#[tokio::test]
async fn the_queues_show_what_the_store_holds() {
    let gateway = with_a_parked_dossier().await;
    gateway
        .push("H21", events::life("H21.17-240823-0002"))
        .await;
    gateway
        .until("the second dossier is complete", async || {
            gateway
                .portal
                .record()
                .dossiers
                .get("H21.17-240823-0002")
                .is_some_and(|dossier| dossier.progress.len() == 4)
        })
        .await;
    gateway
        .until("the queues agree", async || {
            let queues = gateway
                .operator()
                .queues
                .list_queues(ListQueuesRequest {})
                .await
                .unwrap()
                .into_inner();
            let counts = queues.queues[0].counts.unwrap();
            (counts.parked, counts.queued, counts.delivered) == (1, 3, 4)
        })
        .await;
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivered_dossier_is_erased_and_keeps_its_statuses() {
    let gateway = TestGateway::start().await;
    gateway.push("H21", vec![events::first(CODE)]).await;
    let mut operator = gateway.operator();
    let erase = EraseDossierRequest {
        dossier_code: CODE.to_owned(),
        reason: "công dân yêu cầu, hết hạn lưu".to_owned(),
    };
    let mut province = DeliveryServiceClient::new(gateway.channel("H21", "motcua"));
    let refused = province.erase_dossier(erase.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    gateway.drained().await;
    operator
        .deliveries
        .erase_dossier(erase.clone())
        .await
        .unwrap();
    operator.deliveries.erase_dossier(erase).await.unwrap();

    let request = GetDossierRequest {
        dossier_code: CODE.to_owned(),
    };
    let found = operator
        .dossiers
        .get_dossier(request)
        .await
        .unwrap()
        .into_inner();
    let dossier = found.dossier.unwrap();
    assert_eq!(dossier.status(), DossierStatus::Accepted);
    assert!(dossier.erased_at.is_some());
    let details = dossier.details.unwrap_or_default();
    assert!(details.applicant.is_none() && details.summary.is_none());
    gateway.stop().await;
}
