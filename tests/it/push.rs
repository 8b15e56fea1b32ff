//! What is pushed is kept once, answered with a receipt, and reaches the portal in order.

use lienthong_proto::dossier::v1::item_result::Result as ItemResult;
use lienthong_proto::dossier::v1::stream_status_response::Result as StreamResult;
use lienthong_proto::dossier::v1::{
    BatchPushStatusRequest, DossierStatus, GetDossierRequest, ListDossiersRequest,
    ListStatusEventsRequest, PushStatusRequest, Receipt, StatusEvent, StreamStatusRequest,
};
use lienthong_tests::harness::{TestGateway, events};
use tonic::Code;

const CODE: &str = "H21.17-240823-0001";

async fn push(gateway: &TestGateway, event: StatusEvent) -> Result<Receipt, tonic::Status> {
    let request = PushStatusRequest { event: Some(event) };
    let response = gateway.province("H21").push_status(request).await?;
    Ok(response.into_inner().receipt.expect("a receipt"))
}

#[tokio::test]
async fn a_dossier_lives_from_acceptance_to_the_result_at_the_portal() {
    let gateway = TestGateway::start().await;
    for (index, event) in events::life(CODE).into_iter().enumerate() {
        let receipt = push(&gateway, event).await.expect("accepted");
        assert_eq!(receipt.dossier_sequence, i64::try_from(index).unwrap() + 1);
        assert!(
            !receipt.duplicate && !receipt.late && receipt.warnings.is_empty(),
            "{receipt:?}"
        );
    }
    gateway.drained().await;
    let record = gateway.portal.record();
    let dossier = &record.dossiers[CODE];
    assert_eq!(dossier.status, 10);
    let seen = dossier
        .progress
        .iter()
        .map(|line| line.status)
        .collect::<Vec<_>>();
    assert_eq!(seen, [2, 4, 9, 10]);
    assert!(
        dossier.out_of_order.is_empty() && dossier.duplicates == 0,
        "{dossier:?}"
    );
    gateway.stop().await;
}

#[tokio::test]
async fn the_same_event_gets_the_same_receipt_and_is_delivered_once() {
    let gateway = TestGateway::start().await;
    let first = push(&gateway, events::first(CODE)).await.unwrap();
    let again = push(&gateway, events::first(CODE)).await.unwrap();
    assert!(again.duplicate);
    assert_eq!(again.event_id, first.event_id);
    assert_eq!(again.dossier_sequence, first.dossier_sequence);
    assert_eq!(again.accepted_at, first.accepted_at);
    gateway.drained().await;
    assert_eq!(gateway.portal.record().dossiers[CODE].progress.len(), 1);
    gateway.stop().await;
}

#[tokio::test]
async fn a_hundred_callers_with_one_key_get_one_receipt() {
    let gateway = TestGateway::start().await;
    let mut callers = tokio::task::JoinSet::new();
    let client = gateway.province("H21");
    for _ in 0..100 {
        let mut client = client.clone();
        callers.spawn(async move {
            let request = PushStatusRequest {
                event: Some(events::first(CODE)),
            };
            client
                .push_status(request)
                .await
                .unwrap()
                .into_inner()
                .receipt
                .unwrap()
        });
    }
    let receipts = callers.join_all().await;
    assert_eq!(
        receipts.iter().filter(|receipt| !receipt.duplicate).count(),
        1
    );
    assert!(
        receipts
            .iter()
            .all(|receipt| receipt.event_id == receipts[0].event_id)
    );
    gateway.stop().await;
}

#[tokio::test]
async fn a_key_with_other_content_is_refused_and_nothing_is_stored() {
    let gateway = TestGateway::start().await;
    push(&gateway, events::first(CODE)).await.unwrap();
    let mut other = events::status(CODE, DossierStatus::Processing, 60);
    other.idempotency_key = events::first(CODE).idempotency_key;
    let refused = push(&gateway, other).await.expect_err("the key is taken");
    assert_eq!(refused.code(), Code::AlreadyExists);
    assert_eq!(timeline(&gateway).await.len(), 1);
    gateway.stop().await;
}

#[tokio::test]
async fn a_late_status_is_kept_told_as_progress_and_moves_nothing_back() {
    let gateway = TestGateway::start().await;
    for event in events::life(CODE) {
        push(&gateway, event).await.unwrap();
    }
    let late = push(
        &gateway,
        events::status(CODE, DossierStatus::Processing, 1_800),
    )
    .await
    .unwrap();
    assert!(late.late);
    assert_eq!(late.warnings[0].code, "LATE");
    gateway.drained().await;
    let dossier = dossier(&gateway).await;
    assert_eq!(dossier.status(), DossierStatus::ResultReturned);
    let record = gateway.portal.record();
    let seen = &record.dossiers[CODE];
    assert_eq!(seen.status, 10, "the portal's current status stays");
    assert_eq!(seen.progress.len(), 5, "the late line is told");
    gateway.stop().await;
}

#[tokio::test]
async fn a_batch_answers_each_item_and_keeps_the_good_ones() {
    let gateway = TestGateway::start().await;
    let foreign = events::first("H56.01-240823-0001");
    let mut wrong = events::first("H21.17-240823-0002");
    wrong.dossier_code = "H21.17-240823".to_owned();
    let batch = vec![
        events::first(CODE),
        foreign,
        wrong,
        events::first("H21.17-240823-0003"),
    ];
    let request = BatchPushStatusRequest { events: batch };
    let response = gateway
        .province("H21")
        .batch_push_status(request)
        .await
        .unwrap()
        .into_inner();
    let reasons = response
        .results
        .into_iter()
        .map(|item| match item.result.expect("an answer") {
            ItemResult::Receipt(_) => "accepted".to_owned(),
            ItemResult::Refusal(refusal) => refusal.reason,
        });
    let expected = [
        "accepted",
        "AGENCY_NOT_GRANTED",
        "INVALID_FIELDS",
        "accepted",
    ];
    assert_eq!(reasons.collect::<Vec<_>>(), expected);
    gateway.stop().await;
}

#[tokio::test]
async fn a_stream_answers_everything_in_order_of_its_commit() {
    let gateway = TestGateway::start().await;
    let codes = (1..=50)
        .map(|number| format!("H21.17-240823-{number:04}"))
        .collect::<Vec<_>>();
    let all = codes
        .iter()
        .flat_map(|code| events::life(code))
        .collect::<Vec<_>>();
    let count = all.len() as u64;
    let requests = (1..)
        .zip(all)
        .map(|(client_ref, event)| StreamStatusRequest {
            client_ref,
            event: Some(event),
        });
    let mut client = gateway.province("H21");
    let mut answers = client
        .stream_status(tokio_stream::iter(requests))
        .await
        .unwrap()
        .into_inner();
    let mut seen = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        assert!(
            matches!(answer.result, Some(StreamResult::Receipt(_))),
            "{answer:?}"
        );
        seen.push(answer.client_ref);
    }
    assert_eq!(seen, (1..=count).collect::<Vec<_>>());
    gateway.drained().await;
    let record = gateway.portal.record();
    assert_eq!(record.dossiers.len(), 50);
    assert!(
        record
            .dossiers
            .values()
            .all(|dossier| dossier.status == 10 && dossier.out_of_order.is_empty())
    );
    gateway.stop().await;
}

#[tokio::test]
async fn dossiers_are_listed_by_page_and_filter() {
    let gateway = TestGateway::start().await;
    for number in 1..=7 {
        push(
            &gateway,
            events::first(&format!("H08.12-240823-{number:04}")),
        )
        .await
        .unwrap();
    }
    let mut client = gateway.province("H21");
    let (mut token, mut codes) = (String::new(), Vec::new());
    loop {
        let request = ListDossiersRequest {
            page_size: 3,
            page_token: token,
            filter: None,
        };
        let page = client.list_dossiers(request).await.unwrap().into_inner();
        codes.extend(page.dossiers.into_iter().map(|dossier| dossier.code));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    codes.sort();
    codes.dedup();
    assert_eq!(
        codes.len(),
        7,
        "the dossiers of a merged province belong to its successor"
    );
    let stranger = ListDossiersRequest::default();
    let seen = gateway
        .province("H56")
        .list_dossiers(stranger)
        .await
        .unwrap()
        .into_inner();
    assert!(seen.dossiers.is_empty());
    gateway.stop().await;
}

async fn timeline(gateway: &TestGateway) -> Vec<lienthong_proto::dossier::v1::TimelineEntry> {
    let request = ListStatusEventsRequest {
        dossier_code: CODE.to_owned(),
        ..Default::default()
    };
    gateway
        .province("H21")
        .list_status_events(request)
        .await
        .unwrap()
        .into_inner()
        .entries
}

async fn dossier(gateway: &TestGateway) -> lienthong_proto::dossier::v1::Dossier {
    let request = GetDossierRequest {
        dossier_code: CODE.to_owned(),
    };
    gateway
        .province("H21")
        .get_dossier(request)
        .await
        .unwrap()
        .into_inner()
        .dossier
        .unwrap()
}
