//! Who watches misses nothing, also across a reconnection.

use lienthong_proto::dossier::v1::watch_status_response::Change;
use lienthong_proto::dossier::v1::{PushStatusRequest, WatchStatusRequest};
use lienthong_tests::harness::{TestGateway, events};

const CODE: &str = "H21.17-240823-0001";

#[tokio::test]
async fn a_watcher_sees_every_acceptance_and_goes_on_from_its_cursor() {
    let gateway = TestGateway::start().await;
    let mut client = gateway.province("H21");
    let mut watcher = gateway.province("H21");
    let mut stream = watcher
        .watch_status(WatchStatusRequest::default())
        .await
        .unwrap()
        .into_inner();
    let mut accepted = Vec::new();
    let mut cursor = String::new();
    let life = events::life(CODE);
    client
        .push_status(PushStatusRequest {
            event: Some(life[0].clone()),
        })
        .await
        .unwrap();
    while accepted.is_empty() {
        let message = stream.message().await.unwrap().expect("the stream goes on");
        cursor = message.cursor;
        if let Some(Change::Accepted(change)) = message.change {
            accepted.push(change.entry.unwrap().dossier_sequence);
        }
    }
    drop(stream);
    // Two more while nobody watches.
    for event in &life[1..3] {
        client
            .push_status(PushStatusRequest {
                event: Some(event.clone()),
            })
            .await
            .unwrap();
    }
    let resume = WatchStatusRequest {
        cursor,
        agency_code: None,
    };
    let mut stream = watcher.watch_status(resume).await.unwrap().into_inner();
    let mut delivered = 0;
    while accepted.len() < 3 || delivered < 3 {
        match stream
            .message()
            .await
            .unwrap()
            .expect("the stream goes on")
            .change
        {
            Some(Change::Accepted(change)) => accepted.push(change.entry.unwrap().dossier_sequence),
            Some(Change::DeliveryChanged(_)) => delivered += 1,
            _ => {}
        }
    }
    accepted.dedup();
    assert_eq!(accepted, [1, 2, 3]);
    let bad = WatchStatusRequest {
        cursor: "không phải con trỏ".to_owned(),
        agency_code: None,
    };
    assert!(watcher.watch_status(bad).await.is_err());
    gateway.stop().await;
}
