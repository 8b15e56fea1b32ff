//! What operators may do, and that only they may.

use std::time::Duration;

use lienthong_domain::delivery::ParkReason;
use lienthong_domain::{Answer, DestinationName, Outcome};
use lienthong_ports::operators::StepTerms;
use lienthong_ports::store::{ClaimTerms, Finish, Next};
use lienthong_ports::{OperatorStore as _, Store as _};
use lienthong_proto::admin::v1 as proto;
use lienthong_proto::admin::v1::delivery_selection::Selection;
use lienthong_proto::admin::v1::delivery_service_client::DeliveryServiceClient;
use lienthong_proto::admin::v1::destination_service_client::DestinationServiceClient;
use lienthong_proto::admin::v1::operation_service_client::OperationServiceClient;
use lienthong_proto::admin::v1::queue_service_client::QueueServiceClient;
use lienthong_proto::dossier::v1::DossierStatus as S;
use lienthong_rpc::RpcConfig;
use lienthong_services::operators::Config as Rules;

use crate::support::{Edge, event, next_event, now, push, refused};

/// Lets the destination refuse the heads of all lanes.
async fn park(edge: &Edge) {
    let terms = ClaimTerms {
        now: now(),
        lease: Duration::from_mins(1),
        window: 100,
        batch: 100,
    };
    let destination = DestinationName::parse("dvcqg").unwrap();
    let messages = edge.store.claim(&destination, terms).await.unwrap();
    edge.store.begin(&messages, now(), now()).await.unwrap();
    let refuse = |message| Finish {
        message,
        started_at: now(),
        took: Duration::from_millis(120),
        answer: Answer::new(
            Outcome::Rejected,
            "-1",
            Some(200),
            "Mã thủ tục không tồn tại",
        ),
        next: Next::Park(ParkReason::Rejected),
        span_id: None,
    };
    let finishes = messages.into_iter().map(refuse).collect();
    edge.store.finish(finishes).await.unwrap();
}

/// Takes the steps of operations until none runs.
async fn take_steps(edge: &Edge) {
    let mut at = now();
    loop {
        at += Duration::from_secs(1);
        let terms = StepTerms {
            now: at,
            limit: 500,
            catch_up_max: Duration::from_secs(1),
        };
        let steps = edge.store.step_operations(terms).await.unwrap();
        if steps.iter().all(|step| !step.operation.state.is_open()) {
            return;
        }
    }
}

/// Two dossiers, the first with one event more, both parked.
async fn parked_edge() -> Edge {
    parked_edge_under(Rules::default()).await
}

async fn parked_edge_under(rules: Rules) -> Edge {
    let edge = Edge::start_under(RpcConfig::default(), rules).await;
    let mut client = edge.client("H21");
    for event in [event(1), next_event(1, 2, S::Processing), event(2)] {
        client.push_status(push(event)).await.unwrap();
    }
    park(&edge).await;
    edge
}

#[tokio::test]
async fn participants_are_not_operators() {
    let edge = Edge::start().await;
    let channel = edge.channel("H21", "motcua");
    let expected = "PermissionDenied NOT_OPERATOR";
    let queues = QueueServiceClient::new(channel.clone())
        .list_queues(proto::ListQueuesRequest {})
        .await;
    assert_eq!(refused(queues), expected);
    let mut destinations = DestinationServiceClient::new(channel.clone());
    let pause = proto::PauseDestinationRequest {
        destination: "dvcqg".into(),
        reason: "thử".into(),
    };
    assert_eq!(
        refused(destinations.pause_destination(pause).await),
        expected
    );
    let mut deliveries = DeliveryServiceClient::new(channel);
    let all = proto::DeliverySelection {
        selection: Some(Selection::Filter(proto::ParkedFilter::default())),
    };
    let discard = proto::DiscardDeliveriesRequest {
        selection: Some(all),
        reason: "thử".into(),
        ..Default::default()
    };
    assert_eq!(
        refused(deliveries.discard_deliveries(discard).await),
        expected
    );
}

#[tokio::test]
async fn a_destination_is_paused_and_resumed_with_a_reason() {
    let edge = Edge::start().await;
    let mut client = DestinationServiceClient::new(edge.operator());
    let pause = |destination: &str, reason: &str| proto::PauseDestinationRequest {
        destination: destination.into(),
        reason: reason.into(),
    };
    let none = client.pause_destination(pause("dvcqg", " ")).await;
    assert_eq!(refused(none), "InvalidArgument INVALID_FIELDS");
    let other = client.pause_destination(pause("kho", "bảo trì")).await;
    assert_eq!(refused(other), "NotFound DESTINATION_UNKNOWN");

    let paused = client
        .pause_destination(pause("dvcqg", "Cổng bảo trì"))
        .await
        .unwrap();
    let paused = paused.into_inner().destination.unwrap();
    assert_eq!(paused.state(), proto::DestinationState::Paused);
    let by = paused.pause.unwrap();
    assert_eq!(
        (by.paused_by.as_str(), by.reason.as_str()),
        ("G22/vanhanh", "Cổng bảo trì")
    );

    let resume = proto::ResumeDestinationRequest {
        destination: "dvcqg".into(),
        reason: "xong".into(),
    };
    client.resume_destination(resume).await.unwrap();
    let listed = client
        .list_destinations(proto::ListDestinationsRequest {})
        .await
        .unwrap();
    let listed = listed.into_inner().destinations;
    assert_eq!(listed[0].state(), proto::DestinationState::Running);
    assert_eq!(listed[0].breaker_state(), proto::BreakerState::Closed);
    assert_eq!(
        listed[0].parked_lane_policy(),
        proto::ParkedLanePolicy::Hold
    );
}

#[tokio::test]
async fn queues_count_what_stands_where() {
    let edge = parked_edge().await;
    let mut client = QueueServiceClient::new(edge.operator());
    let queues = client
        .list_queues(proto::ListQueuesRequest {})
        .await
        .unwrap()
        .into_inner();
    let counts = queues.queues[0].counts.unwrap();
    assert_eq!((counts.parked, counts.queued, counts.ready), (2, 1, 0));
    assert_eq!(queues.broker.unwrap().kind, "embedded");
}

#[tokio::test]
async fn parked_deliveries_are_listed_by_group_and_page() {
    let edge = parked_edge().await;
    let mut client = DeliveryServiceClient::new(edge.operator());
    let filter = |group: &str| {
        Some(proto::ParkedFilter {
            error_group: group.into(),
            ..Default::default()
        })
    };
    let mut request = proto::ListParkedDeliveriesRequest {
        filter: filter("REJECTED/-1"),
        page_size: 1,
        page_token: String::new(),
    };
    let first = client
        .list_parked_deliveries(request.clone())
        .await
        .unwrap()
        .into_inner();
    let parked = &first.deliveries[0];
    assert_eq!(parked.error_group, "REJECTED/-1");
    assert_eq!(
        (parked.province_code.as_str(), parked.waiting_behind),
        ("H21", 1)
    );
    assert_eq!(
        parked.last_attempt.as_ref().unwrap().message,
        "Mã thủ tục không tồn tại"
    );
    request.page_token = first.next_page_token;
    let second = client
        .list_parked_deliveries(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        second.deliveries[0].delivery.as_ref().unwrap().dossier_code,
        "H21.17-250701-00002"
    );

    request.filter = filter("EXHAUSTED");
    let foreign = client.list_parked_deliveries(request.clone()).await;
    assert_eq!(refused(foreign), "InvalidArgument PAGE_TOKEN_INVALID");
    request.page_token = String::new();
    let none = client
        .list_parked_deliveries(request)
        .await
        .unwrap()
        .into_inner();
    assert!(none.deliveries.is_empty());
}

#[tokio::test]
async fn a_replay_is_planned_and_then_carried_out() {
    let edge = parked_edge().await;
    let mut client = DeliveryServiceClient::new(edge.operator());
    let filter = proto::ParkedFilter {
        destination: "dvcqg".into(),
        ..Default::default()
    };
    let request = |dry_run| proto::ReplayDeliveriesRequest {
        selection: Some(proto::DeliverySelection {
            selection: Some(Selection::Filter(filter.clone())),
        }),
        reason: "Cổng đã sửa danh mục".into(),
        dry_run,
        ..Default::default()
    };
    for dry_run in [true, true, false] {
        let answer = client
            .replay_deliveries(request(dry_run))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(answer.carried_out, !dry_run);
        let plan = answer.plan.unwrap();
        assert_eq!((plan.would_replay, plan.would_reorder), (2, 0));
        let shown = plan.items[0].delivery.as_ref().unwrap();
        assert_eq!(
            (shown.destination.as_str(), shown.dossier_sequence),
            ("dvcqg", 1)
        );
    }
    take_steps(&edge).await;
    let again = client
        .replay_deliveries(request(false))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again.plan.unwrap().would_replay, 0);
    assert!(!again.carried_out && again.operation.is_none());
    let nothing = proto::ReplayDeliveriesRequest {
        selection: None,
        ..request(true)
    };
    assert_eq!(
        refused(client.replay_deliveries(nothing).await),
        "InvalidArgument INVALID_FIELDS"
    );
    let empty = proto::DeliverySelection {
        selection: Some(Selection::Ids(proto::DeliveryIdList::default())),
    };
    let empty = proto::ReplayDeliveriesRequest {
        selection: Some(empty),
        ..request(true)
    };
    assert_eq!(
        refused(client.replay_deliveries(empty).await),
        "InvalidArgument INVALID_FIELDS"
    );
}

/// The discard of one delivery; a dry run has no reason.
fn discard_of(id: i64, dry_run: bool) -> proto::DiscardDeliveriesRequest {
    let delivery_ids = vec![id];
    let selection = Some(Selection::Ids(proto::DeliveryIdList { delivery_ids }));
    proto::DiscardDeliveriesRequest {
        selection: Some(proto::DeliverySelection { selection }),
        reason: if dry_run { "" } else { "hồ sơ trùng" }.into(),
        dry_run,
        ..Default::default()
    }
}

#[tokio::test]
async fn a_dry_run_tells_whether_a_second_person_is_needed_and_asking_agrees() {
    let rules = Rules {
        approval_above: 1,
        ..Rules::default()
    };
    let edge = parked_edge_under(rules).await;
    let mut operator = DeliveryServiceClient::new(edge.operator());
    let list = proto::ListParkedDeliveriesRequest::default();
    let parked = operator.list_parked_deliveries(list).await.unwrap();
    let ids = parked.into_inner().deliveries.into_iter();
    let ids = ids.map(|parked| parked.delivery.unwrap().delivery_id);
    // The second counts together with the first, which nobody else decided about.
    for (id, needed) in ids.zip([false, true]) {
        for dry_run in [true, false] {
            let answer = operator.discard_deliveries(discard_of(id, dry_run)).await;
            let answer = answer.unwrap().into_inner();
            assert_eq!(answer.needs_approval, needed, "{id} {dry_run}");
            let state = answer.operation.map(|operation| operation.state());
            let asked = if needed {
                proto::OperationState::AwaitingApproval
            } else {
                proto::OperationState::Running
            };
            assert_eq!(state, (!dry_run).then_some(asked), "{id} {dry_run}");
        }
        let mut colleague = DeliveryServiceClient::new(edge.channel("G22", "duyet"));
        let answer = colleague.discard_deliveries(discard_of(id, true)).await;
        assert!(!answer.unwrap().into_inner().needs_approval, "{id}");
    }
    let replay = proto::ReplayDeliveriesRequest {
        selection: discard_of(1, true).selection,
        dry_run: true,
        ..Default::default()
    };
    let answer = operator.replay_deliveries(replay).await.unwrap();
    assert!(!answer.into_inner().needs_approval, "each kind for itself");
}

#[tokio::test]
async fn viewers_try_out_and_ask_for_nothing() {
    let edge = parked_edge().await;
    let mut viewer = DeliveryServiceClient::new(edge.channel("G22", "xem"));
    let list = proto::ListParkedDeliveriesRequest::default();
    let parked = viewer.list_parked_deliveries(list).await.unwrap();
    let first = parked.into_inner().deliveries[0].delivery.clone().unwrap();
    let planned = viewer.discard_deliveries(discard_of(first.delivery_id, true));
    let planned = planned.await.unwrap().into_inner();
    assert_eq!((planned.would_discard, planned.carried_out), (1, false));
    assert_eq!(planned.items, std::slice::from_ref(&first));
    let replay = |dry_run| proto::ReplayDeliveriesRequest {
        selection: discard_of(first.delivery_id, true).selection,
        dry_run,
        ..Default::default()
    };
    let planned = viewer.replay_deliveries(replay(true)).await.unwrap();
    let plan = planned.into_inner().plan.unwrap();
    assert_eq!(plan.items[0].delivery, Some(first.clone()));
    let too_fast = proto::ReplayDeliveriesRequest {
        rate_per_second: 1_001,
        ..replay(true)
    };
    let too_fast = viewer.replay_deliveries(too_fast).await;
    assert_eq!(refused(too_fast), "InvalidArgument INVALID_FIELDS");
    let asked = viewer.replay_deliveries(replay(false)).await;
    assert_eq!(refused(asked), "PermissionDenied NOT_OPERATOR");
    let asked = viewer.discard_deliveries(discard_of(first.delivery_id, false));
    assert_eq!(refused(asked.await), "PermissionDenied NOT_OPERATOR");
    let mut province = DeliveryServiceClient::new(edge.channel("H21", "motcua"));
    let tried = province.replay_deliveries(replay(true)).await;
    assert_eq!(refused(tried), "PermissionDenied NOT_OPERATOR");
}

#[tokio::test]
async fn a_discard_releases_what_waits_behind() {
    let edge = parked_edge().await;
    let mut client = DeliveryServiceClient::new(edge.operator());
    let filter = Some(Selection::Filter(proto::ParkedFilter::default()));
    let request = proto::DiscardDeliveriesRequest {
        selection: Some(proto::DeliverySelection { selection: filter }),
        reason: "Hồ sơ thử nghiệm".into(),
        ..Default::default()
    };
    let answer = client
        .discard_deliveries(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!((answer.would_discard, answer.would_release), (2, 1));
    assert!(answer.carried_out);
    assert_eq!(answer.items.len(), 2);
    let operation = answer.operation.unwrap();
    assert_eq!(operation.state(), proto::OperationState::Running);
    take_steps(&edge).await;
    let request = proto::GetOperationRequest {
        operation_id: operation.operation_id,
    };
    let mut client = OperationServiceClient::new(edge.operator());
    let done = client.get_operation(request).await.unwrap().into_inner();
    let done = done.operation.unwrap();
    assert_eq!(
        (done.state(), done.matched, done.moved, done.left_alone),
        (proto::OperationState::Done, 2, 2, 0)
    );
    assert_eq!(done.requested_by, "G22/vanhanh");
}

#[tokio::test]
async fn a_waiting_dossier_is_explained() {
    let edge = parked_edge().await;
    let mut client = DeliveryServiceClient::new(edge.operator());
    let request = proto::ExplainDossierRequest {
        dossier_code: "H21.17-250701-00001".into(),
    };
    let lane = client
        .explain_dossier(request)
        .await
        .unwrap()
        .into_inner()
        .lanes
        .remove(0);
    assert_eq!(lane.cause(), proto::WaitCause::HeadParked);
    assert_eq!(lane.waiting, 2);
    assert_eq!(lane.head.unwrap().event_id.len(), 36);
    assert_eq!(lane.head_delivery.unwrap().parked_reason, "REJECTED");
    assert_eq!(lane.waiting_since.unwrap().seconds, now().as_second());
    assert!(lane.explanation_vi.contains("từ chối"));
}
