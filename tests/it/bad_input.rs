//! Bad input gets a clear error that names every fault, and nothing is stored.

use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_proto::dossier::v1::{
    DossierStatus, Fee, FeeList, ListStatusEventsRequest, PushStatusRequest, StatusEvent,
};
use lienthong_tests::harness::{TestGateway, events};
use prost_types::Timestamp;
use tonic::{Code, Status};
use tonic_types::StatusExt;

const CODE: &str = "H21.17-240823-0001";

async fn refused(gateway: &TestGateway, event: StatusEvent) -> Status {
    let request = PushStatusRequest { event: Some(event) };
    gateway
        .province("H21")
        .push_status(request)
        .await
        .expect_err("bad input is refused")
}

fn fields(status: &Status) -> Vec<String> {
    let faults = status
        .get_details_bad_request()
        .map(|bad| bad.field_violations)
        .unwrap_or_default();
    let mut fields = faults
        .into_iter()
        .map(|fault| fault.field)
        .collect::<Vec<_>>();
    fields.sort();
    fields
}

fn reason(status: &Status) -> String {
    status
        .get_details_error_info()
        .map(|info| info.reason)
        .unwrap_or_default()
}

async fn nothing_stored(gateway: &TestGateway) {
    let counts = gateway.running().store.counts().await.unwrap();
    assert!(
        counts
            .iter()
            .all(|count| count.by_state.iter().sum::<u64>() == 0)
    );
}

#[tokio::test]
async fn every_fault_of_an_event_is_named_at_once() {
    let gateway = TestGateway::start().await;
    let mut event = events::first(CODE);
    event.idempotency_key = "khóa có dấu".to_owned();
    event.dossier_code = "H21.17-240832-0001".to_owned();
    event.status = 11;
    event.occurred_at = None;
    event.source_sequence = Some(-1);
    let progress = event.progress.as_mut().unwrap();
    progress.officer_name = "Nguyễn ".repeat(20);
    progress.note = String::new();
    let details = event.details.as_mut().unwrap();
    details.procedure_code = Some("9.1".to_owned());
    details.summary = Some("một\u{202e}hai".to_owned());
    details.fees = Some(FeeList {
        items: vec![
            Fee::default(),
            Fee {
                amount_vnd: -5,
                ..Fee::default()
            },
        ],
    });
    let status = refused(&gateway, event).await;
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::InvalidArgument, "INVALID_FIELDS")
    );
    let expected = [
        "details.fees[1].amount_vnd",
        "details.procedure_code",
        "details.summary",
        "dossier_code",
        "idempotency_key",
        "occurred_at",
        "progress.note",
        "progress.officer_name",
        "source_sequence",
        "status",
    ];
    let named = fields(&status).join("\n");
    for field in expected {
        assert!(named.contains(field), "{field} is not named in\n{named}");
    }
    nothing_stored(&gateway).await;
    gateway.stop().await;
}

#[tokio::test]
async fn dates_in_the_future_and_out_of_order_are_refused() {
    let gateway = TestGateway::start().await;
    let mut future = events::first(CODE);
    future.occurred_at = Some(Timestamp {
        seconds: 4_000_000_000,
        nanos: 0,
    });
    assert_eq!(fields(&refused(&gateway, future).await), ["occurred_at"]);
    let mut incoherent = events::first(CODE);
    incoherent.details.as_mut().unwrap().submitted_at = events::at(60);
    assert_eq!(
        fields(&refused(&gateway, incoherent).await),
        ["details.received_at"]
    );
    nothing_stored(&gateway).await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_processed_dossier_without_its_date_is_refused_and_no_date_is_invented() {
    let gateway = TestGateway::start().await;
    let mut client = gateway.province("H21");
    for event in &events::life(CODE)[..2] {
        client
            .push_status(PushStatusRequest {
                event: Some(event.clone()),
            })
            .await
            .unwrap();
    }
    let status = refused(
        &gateway,
        events::status(CODE, DossierStatus::Processed, 7_200),
    )
    .await;
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(reason(&status), "DOSSIER_DETAILS_INCOMPLETE");
    assert_eq!(fields(&status), ["details.finished_at"]);
    gateway.stop().await;
}

#[tokio::test]
async fn a_forbidden_transition_names_what_is_allowed_and_a_lenient_participant_is_warned() {
    let gateway = TestGateway::start().await;
    let mut client = gateway.province("H21");
    client
        .push_status(PushStatusRequest {
            event: Some(events::first(CODE)),
        })
        .await
        .unwrap();
    let status = refused(
        &gateway,
        events::status(CODE, DossierStatus::Registered, 60),
    )
    .await;
    assert_eq!(status.code(), Code::FailedPrecondition);
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "DOSSIER_TRANSITION_REFUSED");
    assert_eq!(info.metadata["from"], "2");
    assert_eq!(info.metadata["allowed"], "2,4,5,6,7,8,9");
    let timeline = ListStatusEventsRequest {
        dossier_code: CODE.to_owned(),
        ..Default::default()
    };
    let kept = client
        .list_status_events(timeline)
        .await
        .unwrap()
        .into_inner()
        .entries;
    assert_eq!(kept.len(), 1, "nothing of the refused one is kept");

    let (code, mut lenient) = ("H56.01-240823-0001", gateway.province("H56"));
    lenient
        .push_status(PushStatusRequest {
            event: Some(events::first(code)),
        })
        .await
        .unwrap();
    let odd = events::status(code, DossierStatus::Registered, 60);
    let receipt = lenient
        .push_status(PushStatusRequest { event: Some(odd) })
        .await
        .unwrap();
    let warnings = receipt.into_inner().receipt.unwrap().warnings;
    assert_eq!(warnings[0].code, "TRANSITION_OUTSIDE_TABLE");
    gateway.stop().await;
}

#[tokio::test]
async fn ten_megabytes_are_refused_before_they_are_read() {
    let gateway = TestGateway::start().await;
    let mut event = events::first(CODE);
    event.details.as_mut().unwrap().remark = Some("x".repeat(10 << 20));
    let status = refused(&gateway, event).await;
    assert!(
        matches!(
            status.code(),
            Code::OutOfRange | Code::ResourceExhausted | Code::InvalidArgument
        ),
        "{status:?}"
    );
    assert!(!status.message().is_empty());
    nothing_stored(&gateway).await;
    // The connection is still good for others.
    let mut client = gateway.province("H21");
    client
        .push_status(PushStatusRequest {
            event: Some(events::first(CODE)),
        })
        .await
        .unwrap();
    gateway.stop().await;
}

/// Sends bytes as they are, as a broken client would.
struct Raw;

impl tonic::codec::Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl tonic::codec::Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(
        &mut self,
        bytes: Vec<u8>,
        into: &mut tonic::codec::EncodeBuf<'_>,
    ) -> Result<(), Status> {
        bytes::BufMut::put_slice(into, &bytes);
        Ok(())
    }
}

impl tonic::codec::Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(
        &mut self,
        from: &mut tonic::codec::DecodeBuf<'_>,
    ) -> Result<Option<Vec<u8>>, Status> {
        use bytes::Buf;
        Ok(Some(from.copy_to_bytes(from.remaining()).to_vec()))
    }
}

#[tokio::test]
async fn bytes_that_are_no_message_and_text_that_is_not_utf8_are_refused() {
    let gateway = TestGateway::start().await;
    // Field 1 (event), a message of four bytes: its field 1 (the key) with two bytes that are not UTF-8.
    let not_utf8 = vec![0x0a, 0x04, 0x0a, 0x02, 0xff, 0xfe];
    for bytes in [not_utf8, vec![0xff; 64], vec![0x0a, 0x7f]] {
        let mut client = tonic::client::Grpc::new(gateway.channel("H21", "motcua"));
        client.ready().await.unwrap();
        let path = tonic::codegen::http::uri::PathAndQuery::from_static(
            "/lienthong.dossier.v1.DossierService/PushStatus",
        );
        let answer = client.unary(tonic::Request::new(bytes), path, Raw).await;
        let status = answer.expect_err("not a message");
        assert!(
            matches!(status.code(), Code::InvalidArgument | Code::Internal),
            "{status:?}"
        );
    }
    nothing_stored(&gateway).await;
    let mut client = DossierServiceClient::new(gateway.channel("H21", "motcua"));
    client
        .push_status(PushStatusRequest {
            event: Some(events::first(CODE)),
        })
        .await
        .unwrap();
    gateway.stop().await;
}

#[tokio::test]
async fn an_empty_request_says_what_is_missing() {
    let gateway = TestGateway::start().await;
    let request = PushStatusRequest { event: None };
    let status = gateway
        .province("H21")
        .push_status(request)
        .await
        .expect_err("no event");
    assert_eq!(fields(&status), ["event"]);
    gateway.stop().await;
}

#[tokio::test]
async fn an_agency_that_nobody_covers_is_refused_by_name() {
    let gateway = TestGateway::start().await;
    let status = refused(&gateway, events::first("H99.01-240823-0001")).await;
    assert_eq!(status.code(), Code::PermissionDenied);
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "AGENCY_NOT_GRANTED");
    assert_eq!(info.metadata["agency"], "H99.01");
    nothing_stored(&gateway).await;
    gateway.stop().await;
}
