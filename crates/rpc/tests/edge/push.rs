//! Unary pushes, batches and reads.

use lienthong_proto::dossier::v1 as proto;
use lienthong_proto::dossier::v1::DossierStatus as S;
use lienthong_rpc::{RpcConfig, RpcServer};
use lienthong_services::operators::Config as Rules;
use tokio::task::JoinSet;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic_types::StatusExt as _;

use crate::support::{
    Edge, connect, event, event_of, info, next_event, open_store, push, refused, services,
};

fn code(number: u32) -> String {
    format!("H21.17-250701-{number:05}")
}

#[tokio::test]
async fn a_pushed_status_is_there_to_read() {
    let edge = Edge::start().await;
    let mut client = edge.client("H21");
    let response = client.push_status(push(event(1))).await.unwrap();
    let request_id = response.metadata().get("x-request-id").unwrap();
    assert_eq!(request_id.len(), 36);
    let receipt = response.into_inner().receipt.unwrap();
    assert_eq!((receipt.dossier_sequence, receipt.duplicate), (1, false));

    let again = client
        .push_status(push(event(1)))
        .await
        .unwrap()
        .into_inner()
        .receipt
        .unwrap();
    assert!(again.duplicate);
    assert_eq!(again.event_id, receipt.event_id);

    client
        .push_status(push(next_event(1, 2, S::Processing)))
        .await
        .unwrap();
    let request = proto::GetDossierRequest {
        dossier_code: code(1),
    };
    let dossier = client
        .get_dossier(request)
        .await
        .unwrap()
        .into_inner()
        .dossier
        .unwrap();
    assert_eq!(dossier.status(), S::Processing);
    assert_eq!(
        (dossier.agency_code.as_str(), dossier.last_sequence),
        ("H21.17", 2)
    );
    assert_eq!(dossier.details, event(1).details);
    assert_eq!(dossier.deliveries[0].destination, "dvcqg");

    let mut sequences = Vec::new();
    let mut token = String::new();
    loop {
        let request = proto::ListStatusEventsRequest {
            dossier_code: code(1),
            page_size: 1,
            page_token: token,
        };
        let page = client
            .list_status_events(request)
            .await
            .unwrap()
            .into_inner();
        sequences.extend(page.entries.iter().map(|entry| entry.dossier_sequence));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(sequences, [1, 2]);
}

#[tokio::test]
async fn each_refusal_has_its_code_and_reason() {
    let edge = Edge::start().await;
    let mut client = edge.client("H21");
    client.push_status(push(event(1))).await.unwrap();

    let mut reused = event(1);
    reused.status = S::Registered.into();
    let foreign = event_of("H56.14", 1);
    let forbidden = next_event(1, 2, S::ResultReturned);
    let bare = proto::StatusEvent {
        details: None,
        ..event(2)
    };
    let cases = [
        (reused, "AlreadyExists IDEMPOTENCY_KEY_REUSED"),
        (foreign, "PermissionDenied AGENCY_NOT_GRANTED"),
        (bare, "FailedPrecondition DOSSIER_DETAILS_INCOMPLETE"),
    ];
    for (event, expected) in cases {
        assert_eq!(refused(client.push_status(push(event)).await), expected);
    }
    let status = client.push_status(push(forbidden)).await.unwrap_err();
    assert_eq!(info(&status).reason, "DOSSIER_TRANSITION_REFUSED");
    assert_eq!(info(&status).metadata["allowed"], "2,4,5,6,7,8,9");
    assert_eq!(
        refused(
            client
                .push_status(proto::PushStatusRequest::default())
                .await
        ),
        "InvalidArgument INVALID_FIELDS"
    );

    let missing = proto::GetDossierRequest {
        dossier_code: code(9),
    };
    assert_eq!(
        refused(client.get_dossier(missing).await),
        "NotFound DOSSIER_NOT_FOUND"
    );
    let token = proto::ListDossiersRequest {
        page_token: "x".into(),
        ..Default::default()
    };
    assert_eq!(
        refused(client.list_dossiers(token).await),
        "InvalidArgument PAGE_TOKEN_INVALID"
    );
    let foreign = proto::GetDossierRequest {
        dossier_code: code(1),
    };
    let probed = edge.client("H56").get_dossier(foreign).await;
    assert_eq!(refused(probed), "NotFound DOSSIER_NOT_FOUND");
}

#[tokio::test]
async fn all_faults_come_at_once_with_the_request_id() {
    let edge = Edge::start().await;
    let mut bad = event(1);
    bad.dossier_code = "h21".into();
    bad.progress.as_mut().unwrap().note = String::new();
    bad.details.as_mut().unwrap().channel = 9;
    let status = edge.client("H21").push_status(push(bad)).await.unwrap_err();
    let fields: Vec<_> = status
        .get_details_bad_request()
        .unwrap()
        .field_violations
        .into_iter()
        .map(|violation| violation.field)
        .collect();
    assert_eq!(fields, ["dossier_code", "progress.note", "details.channel"]);
    let header = status
        .metadata()
        .get("x-request-id")
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(info(&status).metadata["request_id"], header);
}

#[tokio::test]
async fn only_registered_peers_are_callers() {
    let edge = Edge::start().await;
    let unknown = edge.client("H62").push_status(push(event(1))).await;
    assert_eq!(refused(unknown), "Unauthenticated PARTICIPANT_UNKNOWN");
    let suspended = edge.client("H01").push_status(push(event(1))).await;
    assert_eq!(refused(suspended), "PermissionDenied PARTICIPANT_SUSPENDED");
}

#[tokio::test]
async fn a_connection_without_identity_calls_nothing() {
    let (connections, incoming) = tokio::sync::mpsc::unbounded_channel();
    let store = std::sync::Arc::new(open_store());
    let services = services(store.clone(), store, Rules::default());
    let server = RpcServer::new(services, None, RpcConfig::default());
    let mut serving = JoinSet::new();
    let incoming = UnboundedReceiverStream::new(incoming);
    serving.spawn(server.await.serve(incoming, CancellationToken::new()));
    let channel = connect(move |stream| {
        connections
            .send(Ok::<_, std::io::Error>(stream))
            .map_err(|_| std::io::ErrorKind::ConnectionRefused.into())
    });
    let mut client = proto::dossier_service_client::DossierServiceClient::new(channel);
    // Metadata that claims an identity is not looked at.
    let mut request = tonic::Request::new(push(event(1)));
    request
        .metadata_mut()
        .insert("x-participant", "H21".parse().unwrap());
    let refusal = refused(client.push_status(request).await);
    assert_eq!(refusal, "Unauthenticated PARTICIPANT_UNKNOWN");
}

#[tokio::test]
async fn each_item_of_a_batch_stands_for_itself() {
    use proto::item_result::Result as Item;
    let edge = Edge::start().await;
    let mut client = edge.client("H21");
    let mut bad = event(2);
    bad.idempotency_key = "có dấu".into();
    let events = vec![
        event(1),
        bad,
        event_of("H56.14", 3),
        next_event(1, 2, S::Processing),
    ];
    let request = proto::BatchPushStatusRequest { events };
    let results = client
        .batch_push_status(request)
        .await
        .unwrap()
        .into_inner()
        .results;
    let shown: Vec<_> = results
        .iter()
        .map(|item| match item.result.as_ref().unwrap() {
            Item::Receipt(receipt) => {
                format!("{} {}", receipt.dossier_code, receipt.dossier_sequence)
            }
            Item::Refusal(refusal) => format!("{} {}", refusal.code, refusal.reason),
        })
        .collect();
    let first = format!("{} 1", code(1));
    let second = format!("{} 2", code(1));
    assert_eq!(
        shown,
        [
            first.as_str(),
            "3 INVALID_FIELDS",
            "7 AGENCY_NOT_GRANTED",
            second.as_str()
        ]
    );

    let events = vec![event(1); 501];
    let large = client
        .batch_push_status(proto::BatchPushStatusRequest { events })
        .await;
    assert_eq!(refused(large), "InvalidArgument INVALID_FIELDS");
}

#[tokio::test]
async fn listings_have_filters_and_pages() {
    let edge = Edge::start().await;
    let mut client = edge.client("H21");
    let mut events: Vec<_> = (1..=5).map(event).collect();
    events.push(event_of("H21.9", 1));
    // Bình Định was merged into Gia Lai.
    events.push(event_of("H08.1", 1));
    client
        .batch_push_status(proto::BatchPushStatusRequest { events })
        .await
        .unwrap();

    let filter = proto::DossierFilter {
        agency_code: "H21.17".into(),
        ..Default::default()
    };
    let mut request = proto::ListDossiersRequest {
        filter: Some(filter),
        page_size: 2,
        page_token: String::new(),
    };
    let mut codes = Vec::new();
    loop {
        let page = client
            .list_dossiers(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert!(
            page.dossiers
                .iter()
                .all(|dossier| dossier.details.is_none())
        );
        codes.extend(page.dossiers.into_iter().map(|dossier| dossier.code));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(codes, (1..=5).map(code).collect::<Vec<_>>());
    let all = client
        .list_dossiers(proto::ListDossiersRequest::default())
        .await
        .unwrap();
    assert_eq!(all.into_inner().dossiers.len(), 7);
}
