//! `WatchStatus`: from now on, from a cursor on, and the heartbeat.

use std::time::Duration;

use lienthong_proto::dossier::v1 as proto;
use lienthong_proto::dossier::v1::DossierStatus as S;
use lienthong_proto::dossier::v1::watch_status_response::Change;
use tokio_stream::StreamExt as _;
use tonic::{Code, Streaming};

use crate::support::{Edge, event, event_of, info, next_event, push, refused};

fn from_now() -> proto::WatchStatusRequest {
    proto::WatchStatusRequest::default()
}

async fn next(changes: &mut Streaming<proto::WatchStatusResponse>) -> (String, String) {
    let message = changes.next().await.unwrap().unwrap();
    let shown = match message.change.unwrap() {
        Change::Accepted(accepted) => {
            let entry = accepted.entry.unwrap();
            format!("{} {}", accepted.dossier_code, entry.dossier_sequence)
        }
        Change::DeliveryChanged(changed) => format!("{} delivery", changed.dossier_code),
        Change::Heartbeat(_) => "heartbeat".to_owned(),
    };
    (message.cursor, shown)
}

#[tokio::test]
async fn a_watch_goes_on_after_its_cursor() {
    let edge = Edge::start().await;
    let mut client = edge.client("H21");
    client.push_status(push(event(1))).await.unwrap();

    let mut changes = client.watch_status(from_now()).await.unwrap().into_inner();
    edge.client("H56")
        .push_status(push(event_of("H56.14", 1)))
        .await
        .unwrap();
    client.push_status(push(event(2))).await.unwrap();
    let (cursor, shown) = next(&mut changes).await;
    assert_eq!(
        shown, "H21.17-250701-00002 1",
        "neither the past nor another province"
    );
    drop(changes);

    client
        .push_status(push(next_event(2, 2, S::Processing)))
        .await
        .unwrap();
    let request = proto::WatchStatusRequest {
        cursor,
        agency_code: None,
    };
    let mut changes = client.watch_status(request).await.unwrap().into_inner();
    assert_eq!(next(&mut changes).await.1, "H21.17-250701-00002 2");
    edge.stop.cancel();
    let end = changes.next().await.unwrap().unwrap_err();
    assert_eq!(
        (end.code(), info(&end).reason.as_str()),
        (Code::Unavailable, "DRAINING")
    );
}

#[tokio::test(start_paused = true)]
async fn silence_ends_with_a_heartbeat() {
    let edge = Edge::start().await;
    let mut changes = edge
        .client("H21")
        .watch_status(from_now())
        .await
        .unwrap()
        .into_inner();
    let started = tokio::time::Instant::now();
    for beat in 1..=2 {
        assert_eq!(next(&mut changes).await.1, "heartbeat");
        let waited = started.elapsed().as_secs();
        assert_eq!(waited, Duration::from_secs(15 * beat).as_secs());
    }
}

#[tokio::test]
async fn cursors_and_agencies_are_checked() {
    let edge = Edge::start().await;
    let mut client = edge.client("H21");
    let request = proto::WatchStatusRequest {
        cursor: "mai".into(),
        agency_code: None,
    };
    assert_eq!(
        refused(client.watch_status(request).await),
        "InvalidArgument PAGE_TOKEN_INVALID"
    );
    let request = proto::WatchStatusRequest {
        agency_code: Some("gia lai".into()),
        ..from_now()
    };
    assert_eq!(
        refused(client.watch_status(request).await),
        "InvalidArgument INVALID_FIELDS"
    );
}
