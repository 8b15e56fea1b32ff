//! Sizes, deadlines, malformed input, health, reflection.

use lienthong_proto::dossier::v1 as proto;
use lienthong_rpc::{ACCEPTING, DELIVERING, RpcConfig};
use tokio_stream::StreamExt as _;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::support::{Edge, event, push, refused};

fn large(bytes: usize) -> proto::StatusEvent {
    let mut large = event(1);
    large.details.as_mut().unwrap().remark = Some("x".repeat(bytes));
    large
}

#[tokio::test]
async fn messages_have_a_bound_and_batches_a_larger_one() {
    let edge = Edge::start().await;
    let mut client = edge.client("H21");
    let expected = "ResourceExhausted MESSAGE_TOO_LARGE";
    assert_eq!(
        refused(client.push_status(push(large(257 * 1024))).await),
        expected
    );
    assert_eq!(
        refused(client.push_status(push(large(10_000_000))).await),
        expected
    );
    let fits = client.push_status(push(large(250 * 1024))).await;
    assert_eq!(
        refused(fits),
        "InvalidArgument INVALID_FIELDS",
        "read, and the remark is too long"
    );

    let events = vec![event(1), large(900 * 1024)];
    let batch = client
        .batch_push_status(proto::BatchPushStatusRequest { events })
        .await
        .unwrap();
    assert_eq!(batch.into_inner().results.len(), 2);
    let events = vec![large(1_100_000)];
    let batch = client
        .batch_push_status(proto::BatchPushStatusRequest { events })
        .await;
    assert_eq!(refused(batch), expected);

    let messages = vec![
        proto::StreamStatusRequest {
            client_ref: 1,
            event: Some(event(2)),
        },
        proto::StreamStatusRequest {
            client_ref: 2,
            event: Some(large(300_000)),
        },
    ];
    let answers = client
        .stream_status(tokio_stream::iter(messages))
        .await
        .unwrap();
    let answers: Vec<_> = answers.into_inner().collect().await;
    assert_eq!(answers.len(), 2);
    assert_eq!(
        answers[0].as_ref().unwrap().client_ref,
        1,
        "what came before is answered"
    );
    assert_eq!(refused(answers.into_iter().nth(1).unwrap()), expected);
}

/// A push whose key may be any bytes.
#[derive(Clone, PartialEq, prost::Message)]
struct RawPush {
    #[prost(message, optional, tag = "1")]
    event: Option<RawEvent>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RawEvent {
    #[prost(bytes = "vec", tag = "1")]
    idempotency_key: Vec<u8>,
}

#[tokio::test]
async fn text_that_is_not_utf8_is_the_senders_fault() {
    let edge = Edge::start().await;
    let mut grpc = Grpc::new(edge.channel("H21", "motcua"));
    grpc.ready().await.unwrap();
    let event = Some(RawEvent {
        idempotency_key: b"Nguy\xea\xafn".to_vec(),
    });
    let path = PathAndQuery::from_static("/lienthong.dossier.v1.DossierService/PushStatus");
    let codec = tonic_prost::ProstCodec::<RawPush, proto::PushStatusResponse>::default();
    let answer = grpc
        .unary(Request::new(RawPush { event }), path, codec)
        .await;
    assert_eq!(refused(answer), "InvalidArgument INVALID_FIELDS");
}

#[tokio::test]
async fn deadlines_are_read_and_kept() {
    let edge = Edge::start().await;
    let mut client = edge.client("H21");
    let timed = |timeout: &'static str| {
        let mut request = Request::new(push(event(1)));
        request
            .metadata_mut()
            .insert("grpc-timeout", timeout.parse().unwrap());
        request
    };
    for malformed in ["soon", "5", "123456789S"] {
        let answer = client.push_status(timed(malformed)).await;
        assert_eq!(
            refused(answer),
            "InvalidArgument INVALID_FIELDS",
            "{malformed}"
        );
    }
    client.push_status(timed("99999999H")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_ends_at_its_deadline() {
    let edge = Edge::start().await;
    // A body that never comes keeps the handler waiting; only the layer's deadline can end it.
    let mut grpc = Grpc::new(edge.channel("H21", "motcua"));
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_static("/lienthong.dossier.v1.DossierService/PushStatus");
    let codec =
        tonic_prost::ProstCodec::<proto::PushStatusRequest, proto::PushStatusResponse>::default();
    let started = tokio::time::Instant::now();
    let never = Request::new(tokio_stream::pending());
    let answer = grpc.client_streaming(never, path, codec).await;
    assert_eq!(refused(answer), "DeadlineExceeded DEADLINE_TOO_SHORT");
    assert_eq!(started.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn health_has_names_of_its_own_and_watches_end_with_the_server() {
    let edge = Edge::start().await;
    let mut client = HealthClient::new(edge.channel("H21", "motcua"));
    let mut check = async |service: &str| {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        client
            .check(request)
            .await
            .map(|answer| answer.into_inner().status())
    };
    let dossiers = "lienthong.dossier.v1.DossierService";
    for (name, expected) in [
        (ACCEPTING, ServingStatus::Serving),
        ("", ServingStatus::Serving),
        (dossiers, ServingStatus::Serving),
        (DELIVERING, ServingStatus::NotServing),
        ("lienthong.admin.v1.QueueService", ServingStatus::Serving),
    ] {
        assert_eq!(check(name).await.unwrap(), expected, "{name}");
    }
    edge.health.set_accepting(false).await;
    edge.health.set_delivering(true).await;
    assert_eq!(check(dossiers).await.unwrap(), ServingStatus::NotServing);
    assert_eq!(check(DELIVERING).await.unwrap(), ServingStatus::Serving);
    assert_eq!(
        check("lienthong.other").await.unwrap_err().code(),
        Code::NotFound
    );

    let request = HealthCheckRequest {
        service: DELIVERING.to_owned(),
    };
    let mut watch = client.watch(request).await.unwrap().into_inner();
    assert_eq!(
        watch.next().await.unwrap().unwrap().status(),
        ServingStatus::Serving
    );
    edge.stop.cancel();
    assert_eq!(
        watch.next().await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
    assert!(watch.next().await.is_none());
    drop(client);
    edge.ended().await;
}

#[tokio::test]
async fn reflection_answers_only_where_it_is_switched_on() {
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    for reflection in [false, true] {
        let edge = Edge::start_with(RpcConfig {
            reflection,
            ..RpcConfig::default()
        })
        .await;
        let mut client = ServerReflectionClient::new(edge.channel("H21", "motcua"));
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let answer = client
            .server_reflection_info(tokio_stream::once(request))
            .await;
        if !reflection {
            assert_eq!(answer.unwrap_err().code(), Code::Unimplemented);
            continue;
        }
        let listed = answer.unwrap().into_inner().next().await.unwrap().unwrap();
        let Some(MessageResponse::ListServicesResponse(listed)) = listed.message_response else {
            panic!("not a list of services");
        };
        let names: Vec<_> = listed
            .service
            .iter()
            .map(|service| service.name.as_str())
            .collect();
        assert!(
            names.contains(&"lienthong.dossier.v1.DossierService"),
            "{names:?}"
        );
    }
}
