//! `StreamStatus`: order, windows, rates, the end.

use std::time::{Duration, Instant};

use lienthong_proto::admin::v1::ListParticipantsRequest;
use lienthong_proto::admin::v1::participant_service_client::ParticipantServiceClient;
use lienthong_proto::dossier::v1 as proto;
use lienthong_proto::dossier::v1::DossierStatus as S;
use lienthong_proto::dossier::v1::stream_status_response::Result as Item;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use crate::support::{Edge, event, event_of, info, next_event, refused};

fn message(client_ref: u64, event: proto::StatusEvent) -> proto::StreamStatusRequest {
    proto::StreamStatusRequest {
        client_ref,
        event: Some(event),
    }
}

/// One line per answer: the sender's number and the sequence, or the reason.
fn shown(answer: &proto::StreamStatusResponse) -> String {
    match answer.result.as_ref().unwrap() {
        Item::Receipt(receipt) => format!("{} {}", answer.client_ref, receipt.dossier_sequence),
        Item::Refusal(refusal) => format!("{} {}", answer.client_ref, refusal.reason),
    }
}

#[tokio::test]
async fn every_message_is_answered_in_order() {
    const DOSSIERS: u32 = 50;
    const STEPS: i64 = 20;
    let edge = Edge::start().await;
    let mut messages = Vec::new();
    let mut expected = Vec::new();
    for step in 1..=STEPS {
        for dossier in 1..=DOSSIERS {
            let client_ref = messages.len() as u64;
            let event = if step == 1 {
                event(dossier)
            } else {
                next_event(dossier, step, S::Accepted)
            };
            messages.push(message(client_ref, event));
            expected.push(format!("{client_ref} {step}"));
        }
    }
    let mut bad = event(99);
    bad.status = 0;
    messages.insert(300, message(9_000, bad));
    expected.insert(300, "9000 INVALID_FIELDS".to_owned());
    messages.insert(
        300,
        proto::StreamStatusRequest {
            client_ref: 9_001,
            event: None,
        },
    );
    expected.insert(300, "9001 INVALID_FIELDS".to_owned());

    let answers = edge
        .client("H21")
        .stream_status(tokio_stream::iter(messages))
        .await
        .unwrap();
    assert!(answers.metadata().contains_key("x-request-id"));
    let answers: Vec<_> = answers
        .into_inner()
        .map(|answer| shown(&answer.unwrap()))
        .collect()
        .await;
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn a_stream_over_its_rate_is_slowed_down_and_not_refused() {
    // Thanh Hóa may push 500 a second and 1,000 at once.
    let edge = Edge::start().await;
    let messages = (1..=1_200).map(|number| message(number.into(), event_of("H56.14", number)));
    let started = Instant::now();
    let answers = edge
        .client("H56")
        .stream_status(tokio_stream::iter(messages))
        .await
        .unwrap();
    let answers: Vec<_> = answers
        .into_inner()
        .map(|answer| shown(&answer.unwrap()))
        .collect()
        .await;
    assert_eq!(answers.len(), 1_200);
    assert!(
        answers.iter().all(|answer| answer.ends_with(" 1")),
        "nothing was refused"
    );
    assert!(
        started.elapsed() > Duration::from_millis(300),
        "{:?}",
        started.elapsed()
    );
    let mut participants = ParticipantServiceClient::new(edge.operator());
    let listed = participants.list_participants(ListParticipantsRequest {});
    let listed = listed.await.unwrap().into_inner().participants;
    let found = listed.iter().find(|found| found.participant_id == "H56");
    let system = &found.unwrap().systems[0];
    assert_eq!((system.accepted, system.refused), (1_200, 0));
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_reads_no_answers_is_read_no_further() {
    const MANY: u64 = 50_000;
    let edge = Edge::start().await;
    let (sender, messages) = mpsc::channel(1);
    let mut client = edge.client("H21");
    let mut answers = client
        .stream_status(ReceiverStream::new(messages))
        .await
        .unwrap()
        .into_inner();
    let mut sent = 0;
    // Time is paused: it passes only when client and server have nothing left to do.
    while sent < MANY {
        let sending = sender.send(message(sent, event(7)));
        match tokio::time::timeout(Duration::from_secs(1), sending).await {
            Ok(done) => done.unwrap(),
            Err(_stalled) => break,
        }
        sent += 1;
    }
    assert!((256..10_000).contains(&sent), "{sent} messages were taken");

    drop(sender);
    let mut answered = 0;
    while let Some(answer) = answers.next().await {
        assert_eq!(answer.unwrap().client_ref, answered);
        answered += 1;
    }
    assert_eq!(answered, sent, "nothing taken is lost");
}

#[tokio::test]
async fn a_stop_answers_what_was_taken_and_then_ends_the_stream() {
    let edge = Edge::start().await;
    let (sender, messages) = mpsc::channel(1_000);
    for number in 1..=300 {
        sender
            .send(message(number.into(), event(number)))
            .await
            .unwrap();
    }
    let mut client = edge.client("H21");
    let mut answers = client
        .stream_status(ReceiverStream::new(messages))
        .await
        .unwrap()
        .into_inner();
    let first = answers.next().await.unwrap().unwrap();
    assert_eq!(shown(&first), "1 1");
    edge.stop.cancel();

    let mut answered = 1;
    let end = loop {
        match answers.next().await.expect("the stream ends with a status") {
            Ok(answer) => {
                answered += 1;
                assert_eq!(shown(&answer), format!("{answered} 1"));
            }
            Err(status) => break status,
        }
    };
    assert_eq!(
        (end.code(), info(&end).reason.as_str()),
        (Code::Unavailable, "DRAINING")
    );
    drop((sender, client));
    edge.ended().await;
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline() {
    let edge = Edge::start().await;
    let (sender, messages) = mpsc::channel(1);
    let mut request = tonic::Request::new(ReceiverStream::new(messages));
    request
        .metadata_mut()
        .insert("grpc-timeout", "300m".parse().unwrap());
    sender.send(message(1, event(1))).await.unwrap();
    let mut answers = edge
        .client("H21")
        .stream_status(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(shown(&answers.next().await.unwrap().unwrap()), "1 1");
    let end = answers.next().await.unwrap();
    assert_eq!(refused(end), "DeadlineExceeded DEADLINE_TOO_SHORT");
}
