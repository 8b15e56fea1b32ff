//! The overview, figures, reports, the record of actions, and the roles that may see or act.

use lienthong_ports::OperatorStore as _;
use lienthong_ports::operators::Sample;
use lienthong_proto::admin::v1 as proto;
use lienthong_proto::admin::v1::audit_service_client::AuditServiceClient;
use lienthong_proto::admin::v1::destination_service_client::DestinationServiceClient;
use lienthong_proto::admin::v1::operation_service_client::OperationServiceClient;
use lienthong_proto::admin::v1::overview_service_client::OverviewServiceClient;
use lienthong_proto::admin::v1::participant_service_client::ParticipantServiceClient;
use lienthong_proto::admin::v1::report_service_client::ReportServiceClient;
use lienthong_proto::dossier::v1::PushStatusRequest;
use lienthong_services::samples;
use tonic::transport::Channel;

use crate::support::{Edge, event, now, push, refused, seconds};

fn pause(reason: &str) -> proto::PauseDestinationRequest {
    proto::PauseDestinationRequest {
        destination: "dvcqg".into(),
        reason: reason.into(),
    }
}

async fn problems(channel: Channel) -> Vec<(String, String)> {
    let mut client = OverviewServiceClient::new(channel);
    let overview = client.get_overview(proto::GetOverviewRequest {}).await;
    let found = overview.unwrap().into_inner().problems.into_iter();
    found.map(|problem| (problem.code, problem.about)).collect()
}

#[tokio::test]
async fn viewers_see_everything_and_change_nothing() {
    let edge = Edge::start().await;
    let viewer = || edge.channel("G22", "xem");
    let destinations = &mut DestinationServiceClient::new(viewer());
    let listed = destinations.list_destinations(proto::ListDestinationsRequest {});
    assert_eq!(listed.await.unwrap().into_inner().destinations.len(), 1);
    let paused = destinations.pause_destination(pause("thử")).await;
    assert_eq!(refused(paused), "PermissionDenied NOT_OPERATOR");
    // This edge has no workers, and the overview says so.
    let expected = ("BROKER_TOPOLOGY".to_owned(), "dvcqg".to_owned());
    assert_eq!(problems(viewer()).await, [expected]);

    let mut overview = OverviewServiceClient::new(viewer());
    let filter = proto::SetLogFilterRequest {
        filter: "debug".into(),
        minutes: 5,
        reason: "thử".into(),
    };
    let set = overview.set_log_filter(filter).await;
    assert_eq!(refused(set), "PermissionDenied NOT_OPERATOR");

    let mut operations = OperationServiceClient::new(edge.operator());
    let approve = proto::ApproveOperationRequest {
        operation_id: 1,
        reason: "được".into(),
    };
    let approved = operations.approve_operation(approve.clone()).await;
    assert_eq!(refused(approved), "PermissionDenied NOT_APPROVER");
    let mut operations = OperationServiceClient::new(edge.channel("G22", "duyet"));
    let approved = operations.approve_operation(approve).await;
    assert_eq!(refused(approved), "NotFound OPERATION_NOT_FOUND");

    let province = edge.channel("H21", "motcua");
    let mut overview = OverviewServiceClient::new(province.clone());
    let seen = overview.get_overview(proto::GetOverviewRequest {}).await;
    assert_eq!(refused(seen), "PermissionDenied NOT_OPERATOR");
    let mut reports = ReportServiceClient::new(province);
    let report = reports.get_report(proto::GetReportRequest::default()).await;
    assert_eq!(refused(report), "PermissionDenied NOT_OPERATOR");
}

#[tokio::test]
async fn actions_are_listed_newest_first_by_page() {
    let edge = Edge::start().await;
    let mut destinations = DestinationServiceClient::new(edge.operator());
    destinations
        .pause_destination(pause("Cổng bảo trì"))
        .await
        .unwrap();
    let resume = proto::ResumeDestinationRequest {
        destination: "dvcqg".into(),
        reason: "xong".into(),
    };
    destinations.resume_destination(resume).await.unwrap();
    let mut client = AuditServiceClient::new(edge.channel("G22", "xem"));
    let mut request = proto::ListActionsRequest {
        subject: "dvcqg".into(),
        page_size: 1,
        ..Default::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = client.list_actions(request.clone()).await.unwrap();
        let page = page.into_inner();
        for action in page.actions {
            seen.push(format!("{} {}: {}", action.by, action.kind, action.reason));
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let expected = [
        "G22/vanhanh resume: xong",
        "G22/vanhanh pause: Cổng bảo trì",
    ];
    assert_eq!(seen, expected);
    request.kind = "pause".into();
    let paused = client.list_actions(request.clone()).await.unwrap();
    assert_eq!(paused.into_inner().actions.len(), 1);
    request.page_token = "x".into();
    let foreign = client.list_actions(request).await;
    assert_eq!(refused(foreign), "InvalidArgument PAGE_TOKEN_INVALID");
}

#[tokio::test]
async fn a_log_filter_is_recorded_unless_it_cannot_be_read() {
    let edge = Edge::start().await;
    let mut overview = OverviewServiceClient::new(edge.operator());
    let request = |filter: &str, minutes| proto::SetLogFilterRequest {
        filter: filter.into(),
        minutes,
        reason: "tìm lỗi đồng bộ".into(),
    };
    for faulty in [request("lienthong=loud", 5), request("debug", 1_441)] {
        let set = overview.set_log_filter(faulty).await;
        assert_eq!(refused(set), "InvalidArgument INVALID_FIELDS");
    }
    for filter in ["lienthong_delivery=debug", ""] {
        let set = overview.set_log_filter(request(filter, 5)).await;
        assert_eq!(set.unwrap().into_inner().former_filter, "warn");
    }
    let mut client = AuditServiceClient::new(edge.operator());
    let actions = client.list_actions(proto::ListActionsRequest::default());
    let actions = actions.await.unwrap().into_inner().actions.into_iter();
    let told = actions.map(|action| format!("{} {}", action.kind, action.subject));
    let expected = ["log_filter default", "log_filter lienthong_delivery=debug"];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn figures_are_read_by_name_and_bounded() {
    let edge = Edge::start().await;
    let key = samples::key("delivered_per_minute", "dvcqg");
    let sample = Sample { key, value: 12.5 };
    let minute = now();
    let kept = edge.store.keep_samples(minute, vec![sample]).await;
    kept.unwrap();
    let mut client = OverviewServiceClient::new(edge.operator());
    let request = |name: &str, days: i64| proto::ListFiguresRequest {
        keys: vec![proto::FigureKey {
            name: name.into(),
            about: "dvcqg".into(),
        }],
        since: seconds(now().as_second() - days * 86_400),
        until: seconds(now().as_second() + 60),
        points_max: 0,
    };
    let found = client
        .list_figures(request("delivered_per_minute", 1))
        .await;
    let figures = found.unwrap().into_inner().figures;
    assert_eq!(figures[0].points.len(), 1);
    assert!((figures[0].points[0].value - 12.5).abs() < 1e-9);
    let faulty = [
        request("secrets_per_minute", 1),
        request("delivered_per_minute", 31),
        proto::ListFiguresRequest::default(),
    ];
    for request in faulty {
        let found = client.list_figures(request).await;
        assert_eq!(refused(found), "InvalidArgument INVALID_FIELDS");
    }
}

#[tokio::test]
async fn a_report_counts_what_was_accepted() {
    let edge = Edge::start().await;
    for number in [1, 2] {
        edge.client("H21")
            .push_status(push(event(number)))
            .await
            .unwrap();
    }
    let mut client = ReportServiceClient::new(edge.channel("G22", "xem"));
    let request = |first: &str, last: &str| proto::GetReportRequest {
        first_day: first.into(),
        last_day: last.into(),
        ..Default::default()
    };
    let report = client.get_report(request("2025-07-10", "2025-07-10")).await;
    let report = report.unwrap().into_inner();
    let rows = report.rows.iter().map(|row| {
        let name = row.name.as_str();
        (row.root_code.as_str(), name, row.accepted, row.delivered)
    });
    let expected = [("H21", "Gia Lai", 2, 0), ("", "", 2, 0)];
    assert_eq!(rows.collect::<Vec<_>>(), expected);
    assert!(report.rows[0].delay_p50.is_none());
    let before = client.get_report(request("2025-07-01", "2025-07-09")).await;
    assert_eq!(before.unwrap().into_inner().rows, []);
    for (first, last) in [
        ("2025-7-1", "2025-07-09"),
        ("2025-07-10", "2025-07-09"),
        ("", "2025-07-09"),
        ("2020-01-01", "2025-07-09"),
    ] {
        let refusal = client.get_report(request(first, last)).await;
        assert_eq!(refused(refusal), "InvalidArgument INVALID_FIELDS");
    }
}

#[tokio::test]
async fn participants_are_seen_with_what_came_of_their_calls() {
    let edge = Edge::start().await;
    let mut province = edge.client("H21");
    province.push_status(push(event(1))).await.unwrap();
    let faulty = province.push_status(PushStatusRequest::default()).await;
    assert_eq!(refused(faulty), "InvalidArgument INVALID_FIELDS");
    let mut client = ParticipantServiceClient::new(edge.channel("G22", "xem"));
    let listed = client.list_participants(proto::ListParticipantsRequest {});
    let listed = listed.await.unwrap().into_inner().participants;
    let of = |id: &str| {
        let found = listed.iter().find(|found| found.participant_id == id);
        found.unwrap().clone()
    };
    let system = &of("H21").systems[0];
    assert_eq!((system.accepted, system.refused), (1, 1));
    assert_eq!(system.last_seen_at.unwrap().seconds, now().as_second());
    assert_eq!(
        system.certificate_ends_at.unwrap().seconds,
        now().as_second()
    );
    assert!(of("H21").lateness.unwrap().seconds > 86_400);
    assert_eq!(of("H56").systems[0].last_seen_at, None);
    assert_eq!(of("H56").lateness, None);
    let roles = of("G22").systems.into_iter().map(|system| system.role);
    assert_eq!(
        roles.collect::<Vec<_>>(),
        ["operator", "approver", "viewer"]
    );
    let guards = client.list_guards(proto::ListGuardsRequest {}).await;
    let code = guards.unwrap_err().code();
    assert_eq!(
        code,
        tonic::Code::Unimplemented,
        "nobody asks about citizens here"
    );
}
