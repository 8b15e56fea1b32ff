//! A gateway that stops in order or starts on old files loses nothing and repeats nothing.

use lienthong_proto::dossier::v1::{ListStatusEventsRequest, PushStatusRequest};
use lienthong_tests::harness::{TestGateway, events};

const CODE: &str = "H21.17-240823-0001";

#[tokio::test]
async fn what_was_accepted_before_a_restart_is_delivered_after_it() {
    let mut gateway = TestGateway::start().await;
    // Nothing can be delivered yet: the portal's address leads nowhere.
    let url = std::cell::RefCell::new(String::new());
    gateway
        .restart_with(|config| {
            url.replace(std::mem::replace(
                &mut config.portal.login_url,
                "http://127.0.0.1:9/mapi/login".to_owned(),
            ));
        })
        .await;
    let mut client = gateway.province("H21");
    let mut receipts = Vec::new();
    for event in events::life(CODE) {
        let answer = client
            .push_status(PushStatusRequest { event: Some(event) })
            .await
            .unwrap();
        receipts.push(answer.into_inner().receipt.unwrap());
    }
    gateway
        .restart_with(|config| config.portal.login_url = url.take())
        .await;
    gateway.drained().await;
    let record = gateway.portal.record();
    assert_eq!(record.dossiers[CODE].status, 10);
    assert_eq!(record.dossiers[CODE].duplicates, 0);

    // The same keys still get the same receipts.
    let mut client = gateway.province("H21");
    for (event, before) in events::life(CODE).into_iter().zip(&receipts) {
        let answer = client
            .push_status(PushStatusRequest { event: Some(event) })
            .await
            .unwrap();
        let again = answer.into_inner().receipt.unwrap();
        assert!(again.duplicate);
        assert_eq!(
            (&again.event_id, again.dossier_sequence),
            (&before.event_id, before.dossier_sequence)
        );
    }
    let ask = ListStatusEventsRequest {
        dossier_code: CODE.to_owned(),
        ..Default::default()
    };
    let entries = client
        .list_status_events(ask)
        .await
        .unwrap()
        .into_inner()
        .entries;
    assert_eq!(entries.len(), 4);
    gateway.stop().await;
}

#[tokio::test]
async fn a_second_gateway_on_the_same_store_is_refused() {
    let gateway = TestGateway::start().await;
    let path = gateway.folder().join("data/lienthong.db");
    let second = TestGateway::start_at(lienthong_domain::Clock::system(), move |config| {
        config.store.path = path;
    })
    .await;
    let error = second
        .err()
        .map(|error| format!("{error:#}"))
        .expect("one process at a time");
    assert!(error.contains("lienthong.db"), "{error}");
    gateway.stop().await;
}
