//! Only registered systems with a good certificate come in, and only to what is theirs.

use lienthong_proto::admin::v1::ListQueuesRequest;
use lienthong_proto::admin::v1::queue_service_client::QueueServiceClient;
use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_proto::dossier::v1::{GetDossierRequest, PushStatusRequest, WatchStatusRequest};
use lienthong_tests::harness::{TestGateway, events};
use lienthong_transport::{DevelopmentCa, IdentityFiles, IdentityPolicy, Overwrite};
use tonic::{Code, Status};
use tonic_types::StatusExt;

fn request(code: &str) -> PushStatusRequest {
    PushStatusRequest {
        event: Some(events::first(code)),
    }
}

fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

/// In TLS 1.3 a client learns of the refusal after its handshake: the connection is cut before any answer.
fn at_the_door(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::Unknown)
        && status.message().contains("transport")
}

#[tokio::test]
async fn no_certificate_and_a_foreign_one_are_refused_at_the_door() {
    let gateway = TestGateway::start().await;
    let nobody = gateway.channel_with(None);
    let refused = DossierServiceClient::new(nobody)
        .push_status(request("H21-240823-0001"))
        .await;
    assert!(at_the_door(&refused.expect_err("no certificate")));

    let elsewhere = tempfile::tempdir().unwrap();
    let now = lienthong_domain::Clock::system().now();
    let policy = IdentityPolicy::new(lienthong_tests::harness::TRUST_DOMAIN, 399).unwrap();
    let foreign = DevelopmentCa::create(now).unwrap();
    foreign
        .issue_participant(&policy, ("H21", "motcua"), now, 30)
        .unwrap()
        .save(elsewhere.path(), Overwrite::No)
        .unwrap();
    let files = IdentityFiles {
        certificate_chain: elsewhere.path().join("H21-motcua.pem"),
        private_key: elsewhere.path().join("H21-motcua-key.pem"),
    };
    let stranger = gateway.channel_with(Some(files));
    let refused = DossierServiceClient::new(stranger)
        .push_status(request("H21-240823-0001"))
        .await;
    assert!(at_the_door(&refused.expect_err("a foreign authority")));
    assert_eq!(stored(&gateway).await, 0);
    gateway.stop().await;
}

#[tokio::test]
async fn unregistered_systems_and_suspended_participants_are_told_so() {
    let gateway = TestGateway::start().await;
    for (participant, system, expected) in [
        ("H24", "motcua", "PARTICIPANT_UNKNOWN"),
        ("H21", "khac", "PARTICIPANT_UNKNOWN"),
        ("H40", "motcua", "PARTICIPANT_SUSPENDED"),
    ] {
        let mut client = DossierServiceClient::new(gateway.channel(participant, system));
        let code = format!("{participant}-240823-0001");
        let refused = client
            .push_status(request(&code))
            .await
            .expect_err("not let in");
        assert_eq!(reason(&refused), expected);
    }
    assert_eq!(stored(&gateway).await, 0);
    gateway.stop().await;
}

#[tokio::test]
async fn a_participant_pushes_for_itself_and_the_provinces_merged_into_it_only() {
    let gateway = TestGateway::start().await;
    let mut client = gateway.province("H21");
    for (code, allowed) in [
        ("H21.17-240823-0001", true),
        ("000.17.22.H21-240823-0001", true),
        ("H08.12-240823-0001", true),
        ("H56.01-240823-0001", false),
        ("H34.01-240823-0001", false),
    ] {
        match client.push_status(request(code)).await {
            Ok(_) => assert!(allowed, "{code}"),
            Err(status) => {
                assert!(!allowed, "{code}: {status}");
                assert_eq!(status.code(), Code::PermissionDenied);
                assert_eq!(reason(&status), "AGENCY_NOT_GRANTED");
            }
        }
    }
    assert_eq!(stored(&gateway).await, 3);
    gateway.stop().await;
}

#[tokio::test]
async fn another_provinces_dossier_looks_as_if_it_were_not_there() {
    let gateway = TestGateway::start().await;
    gateway
        .province("H21")
        .push_status(request("H21-240823-0001"))
        .await
        .unwrap();
    let ask = GetDossierRequest {
        dossier_code: "H21-240823-0001".to_owned(),
    };
    let refused = gateway
        .province("H56")
        .get_dossier(ask)
        .await
        .expect_err("not theirs");
    assert_eq!(refused.code(), Code::NotFound);
    gateway.stop().await;
}

#[tokio::test]
async fn the_operators_services_are_for_operators() {
    let gateway = TestGateway::start().await;
    let mut province = QueueServiceClient::new(gateway.channel("H21", "motcua"));
    let refused = province
        .list_queues(ListQueuesRequest::default())
        .await
        .expect_err("a province");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::PermissionDenied, "NOT_OPERATOR")
    );
    let mut operator = gateway.operator();
    assert!(
        operator
            .queues
            .list_queues(ListQueuesRequest::default())
            .await
            .is_ok()
    );
    let push = operator
        .dossiers
        .push_status(request("G22-240823-0001"))
        .await;
    assert_eq!(
        push.expect_err("operators do not push").code(),
        Code::PermissionDenied
    );
    gateway.stop().await;
}

#[tokio::test]
async fn a_participant_over_its_rate_is_told_when_to_come_back() {
    let gateway = TestGateway::start().await;
    let mut client = gateway.province("H31");
    let mut refused = None;
    // One event a second is granted, with a burst of a thousand.
    for number in 0..1_100 {
        let code = format!("H31-240823-{:04}", number % 10_000);
        if let Err(status) = client.push_status(request(&code)).await {
            refused = Some(status);
            break;
        }
    }
    let status = refused.expect("the burst ends");
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::ResourceExhausted, "RATE_EXCEEDED")
    );
    let wait = status
        .get_details_retry_info()
        .and_then(|info| info.retry_delay)
        .expect("RetryInfo");
    assert!(wait.as_millis() <= 1_000, "{wait:?}");
    gateway.stop().await;
}

#[tokio::test]
async fn a_suspended_participant_is_cut_off_where_it_stands() {
    let gateway = TestGateway::start().await;
    let mut client = gateway.province("H21");
    client
        .push_status(request("H21-240823-0001"))
        .await
        .expect("not suspended yet");
    let mut watch = client
        .watch_status(WatchStatusRequest::default())
        .await
        .unwrap()
        .into_inner();
    let file = gateway.folder().join("participants.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let suspended = text.replacen("id = \"H21\"", "id = \"H21\"\nactive = false", 1);
    std::fs::write(&file, suspended).unwrap();
    // The open stream ends, and a new call is refused.
    while let Ok(Some(_)) = watch.message().await {}
    let refused = client
        .push_status(request("H21-240823-0002"))
        .await
        .expect_err("suspended");
    assert_eq!(reason(&refused), "PARTICIPANT_SUSPENDED");
    gateway.stop().await;
}

async fn stored(gateway: &TestGateway) -> u64 {
    let counts = gateway.running().store.counts().await.unwrap();
    counts
        .iter()
        .map(|count| count.by_state.iter().sum::<u64>())
        .sum()
}
