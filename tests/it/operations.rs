//! Operations over many parked deliveries, the second person, the overview and the report, at the front door.

use lienthong_proto::admin::v1::delivery_selection::Selection;
use lienthong_proto::admin::v1::{
    ApproveOperationRequest, CancelOperationRequest, DeliverySelection, DiscardDeliveriesRequest,
    GetOperationRequest, GetOverviewRequest, GetOverviewResponse, GetReportRequest,
    ListActionsRequest, ListOperationsRequest, ListParkedGroupsRequest, Operation, OperationState,
    ParkedFilter, PauseDestinationRequest, ReplayDeliveriesRequest,
};
use lienthong_simulators::portal::{Fault, FaultScript};
use lienthong_tests::harness::{Operator, TestGateway, events};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

const DOSSIERS: u64 = 6;

fn code(number: u64) -> String {
    format!("H21.17-240823-{number:04}")
}

/// A gateway with dossiers of two statuses each, the first refused by the portal, and the portal mended again.
async fn with_parked_dossiers(approval_above: u64) -> TestGateway {
    let gateway = TestGateway::start_with(|config| {
        config.operators.approval_above = approval_above;
        config.operators.replay_approval_above = approval_above;
    })
    .await;
    let two_of = |number| events::life(&code(number)).into_iter().take(2);
    let events = (1..=DOSSIERS).flat_map(two_of).collect();
    gateway.park("H21", events).await;
    gateway
}

fn selection(destination: &str) -> DeliverySelection {
    let filter = ParkedFilter {
        destination: destination.to_owned(),
        ..ParkedFilter::default()
    };
    DeliverySelection {
        selection: Some(Selection::Filter(filter)),
    }
}

fn replay(key: &str, rate_per_second: u32) -> ReplayDeliveriesRequest {
    ReplayDeliveriesRequest {
        selection: Some(selection("dvcqg")),
        reason: "Cổng đã cập nhật danh mục thủ tục".to_owned(),
        rate_per_second,
        idempotency_key: key.to_owned(),
        ..ReplayDeliveriesRequest::default()
    }
}

async fn asked(operator: &mut Operator, request: ReplayDeliveriesRequest) -> Operation {
    let answer = operator.deliveries.replay_deliveries(request).await;
    let answer = answer.unwrap().into_inner();
    assert!(answer.carried_out);
    answer.operation.expect("an operation was written down")
}

async fn standing(operator: &mut Operator, operation_id: i64) -> Operation {
    let request = GetOperationRequest { operation_id };
    let found = operator.operations.get_operation(request).await.unwrap();
    found.into_inner().operation.unwrap()
}

async fn reached(gateway: &TestGateway, operation_id: i64, state: OperationState) -> Operation {
    let mut operator = gateway.on_duty("xem");
    let mut last = Operation::default();
    gateway
        .until("the operation comes so far", async || {
            last = standing(&mut operator, operation_id).await;
            last.state() == state
        })
        .await;
    last
}

async fn approve(operator: &mut Operator, operation_id: i64) -> Result<Operation, Status> {
    let request = ApproveOperationRequest {
        operation_id,
        reason: "đã xem danh sách".to_owned(),
    };
    let approved = operator.operations.approve_operation(request).await?;
    Ok(approved.into_inner().operation.unwrap())
}

async fn overview(gateway: &TestGateway) -> GetOverviewResponse {
    let mut operator = gateway.on_duty("xem");
    let request = GetOverviewRequest {};
    let overview = operator.overview.get_overview(request).await.unwrap();
    overview.into_inner()
}

async fn problem(gateway: &TestGateway, code: &str, about: &str) {
    gateway
        .until("the overview shows the problem", async || {
            let problems = overview(gateway).await.problems;
            problems
                .iter()
                .any(|found| found.code == code && found.about == about)
        })
        .await;
}

/// The stable reason of a refusal.
fn reason<T: std::fmt::Debug>(result: Result<T, Status>) -> String {
    let status = result.expect_err("refused");
    let info = status.get_details_error_info();
    info.expect("every refusal has its reason").reason
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_is_one_replay_that_shows_its_progress_and_keeps_the_order() {
    let gateway = with_parked_dossiers(100).await;
    let mut operator = gateway.operator();
    let groups = operator
        .deliveries
        .list_parked_groups(ListParkedGroupsRequest::default())
        .await
        .unwrap()
        .into_inner()
        .groups;
    assert_eq!(
        (
            groups.len(),
            groups[0].deliveries,
            groups[0].province_code.as_str()
        ),
        (1, DOSSIERS, "H21")
    );

    let first = asked(&mut operator, replay("wizard-1", 4)).await;
    let second = asked(&mut operator, replay("wizard-1", 4)).await;
    assert_eq!(first.operation_id, second.operation_id);
    assert_eq!(first.matched, DOSSIERS);
    let other = ReplayDeliveriesRequest {
        selection: Some(selection("")),
        ..replay("wizard-1", 4)
    };
    let reused = operator.deliveries.replay_deliveries(other).await;
    assert_eq!(reason(reused), "OPERATION_KEY_REUSED");

    let mut seen = Vec::new();
    gateway
        .until("the operation is done", async || {
            let found = standing(&mut operator, first.operation_id).await;
            seen.push(found.moved);
            found.state() == OperationState::Done
        })
        .await;
    assert!(seen.is_sorted(), "{seen:?}");
    let between = |moved: &u64| (1..DOSSIERS).contains(moved);
    assert!(seen.iter().any(between), "at four a second: {seen:?}");
    gateway.drained().await;
    let record = gateway.portal.record();
    for number in 1..=DOSSIERS {
        let dossier = &record.dossiers[&code(number)];
        assert_eq!((dossier.status, dossier.progress.len()), (4, 2));
        assert!(dossier.out_of_order.is_empty());
    }
    let request = ListActionsRequest {
        by: "G22/vanhanh".to_owned(),
        kind: "replay".to_owned(),
        ..ListActionsRequest::default()
    };
    let actions = operator.audit.list_actions(request).await.unwrap();
    assert_eq!(actions.into_inner().actions.len() as u64, DOSSIERS);
    let none = operator.deliveries.replay_deliveries(replay("x", 0)).await;
    assert!(!none.unwrap().into_inner().carried_out, "nothing is parked");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_replay_waits_for_a_second_person() {
    let gateway = with_parked_dossiers(2).await;
    let (mut operator, mut approver) = (gateway.operator(), gateway.on_duty("duyet"));
    let asked_for = asked(&mut operator, replay("", 1_000)).await;
    assert_eq!(asked_for.state(), OperationState::AwaitingApproval);
    let id = asked_for.operation_id;
    assert_eq!(reason(approve(&mut operator, id).await), "NOT_APPROVER");
    problem(&gateway, "APPROVAL_AWAITED", &id.to_string()).await;
    gateway.parked(DOSSIERS).await;

    let own = asked(&mut approver, replay("", 1_000)).await.operation_id;
    let by_oneself = approve(&mut approver, own).await;
    assert_eq!(reason(by_oneself), "SECOND_PERSON_NEEDED");
    let cancel = CancelOperationRequest {
        operation_id: own,
        reason: "trùng".to_owned(),
    };
    approver.operations.cancel_operation(cancel).await.unwrap();

    let approved = approve(&mut approver, id).await.unwrap();
    assert_eq!(approved.decided_by, "G22/duyet");
    let done = reached(&gateway, id, OperationState::Done).await;
    assert_eq!((done.moved, done.left_alone), (DOSSIERS, 0));
    assert_eq!(reason(approve(&mut approver, id).await), "OPERATION_ENDED");
    assert_eq!(
        reason(approve(&mut approver, 999).await),
        "OPERATION_NOT_FOUND"
    );
    gateway.drained().await;
    let request = ListOperationsRequest::default();
    let listed = operator.operations.list_operations(request).await.unwrap();
    let listed = listed.into_inner().operations.into_iter();
    let states = listed.map(|found| (found.operation_id, found.state()));
    let expected = [(own, OperationState::Cancelled), (id, OperationState::Done)];
    assert_eq!(states.collect::<Vec<_>>(), expected);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_replay_moves_nothing_more() {
    let gateway = with_parked_dossiers(100).await;
    let mut operator = gateway.operator();
    let id = asked(&mut operator, replay("", 1)).await.operation_id;
    gateway
        .until("the first is moved", async || {
            standing(&mut operator, id).await.moved > 0
        })
        .await;
    let cancel = CancelOperationRequest {
        operation_id: id,
        reason: "nhầm nhóm lỗi".to_owned(),
    };
    for _ in 0..2 {
        let request = cancel.clone();
        operator.operations.cancel_operation(request).await.unwrap();
    }
    let ended = reached(&gateway, id, OperationState::Cancelled).await;
    gateway.parked(DOSSIERS - ended.moved).await;
    // A later operation is not held back by it.
    let discard = DiscardDeliveriesRequest {
        selection: Some(selection("dvcqg")),
        reason: "hồ sơ thử nghiệm".to_owned(),
        ..DiscardDeliveriesRequest::default()
    };
    let discarded = operator.deliveries.discard_deliveries(discard).await;
    let discarded = discarded.unwrap().into_inner().operation.unwrap();
    let done = reached(&gateway, discarded.operation_id, OperationState::Done).await;
    assert_eq!(done.moved, DOSSIERS - ended.moved);
    gateway.drained().await;
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_names_what_is_wrong_and_the_report_counts() {
    let gateway = TestGateway::start_with(|config| {
        config.delivery.workers.breaker.calls_min = 1;
        config.delivery.workers.breaker.unanswered_in_a_row = 1;
    })
    .await;
    let down = Fault::Status { code: 503 };
    let portal = &gateway.portal;
    portal.set_faults(FaultScript::always(down)).unwrap();
    gateway.push("H21", vec![events::first(&code(1))]).await;
    problem(&gateway, "BREAKER_OPEN", "dvcqg").await;
    let pause = PauseDestinationRequest {
        destination: "dvcqg".to_owned(),
        reason: "bảo trì".to_owned(),
    };
    let mut viewer = gateway.on_duty("xem");
    let refused = viewer.destinations.pause_destination(pause.clone()).await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    let mut operator = gateway.operator();
    operator
        .destinations
        .pause_destination(pause)
        .await
        .unwrap();
    problem(&gateway, "DESTINATION_PAUSED", "dvcqg").await;
    let seen = overview(&gateway).await;
    let (flow, province) = (&seen.destinations[0], &seen.provinces[0]);
    assert_eq!(
        (flow.waiting, flow.oldest_dossier_code.clone()),
        (1, code(1))
    );
    assert_eq!(
        (province.name.as_str(), province.accepted_today),
        ("Gia Lai", 1)
    );
    for problem in &seen.problems {
        assert!(problem.since.is_some() && problem.action_vi.ends_with('.'));
    }

    let today = lienthong_domain::time::local_date(gateway.running().services.clock().now());
    let request = GetReportRequest {
        first_day: today.to_string(),
        last_day: today.to_string(),
        ..GetReportRequest::default()
    };
    let report = viewer.reports.get_report(request).await.unwrap();
    let report = report.into_inner();
    let rows = report.rows.iter();
    let rows = rows.map(|row| (row.root_code.as_str(), row.accepted, row.delivered));
    assert_eq!(rows.collect::<Vec<_>>(), [("H21", 1, 0), ("", 1, 0)]);
    let overdue = &report.overdue_dossiers[0];
    assert_eq!(overdue.dossier_code, code(1));
    assert!(overdue.past_due && overdue.undelivered == 1);
    gateway.stop().await;
}
