//! Each fault happens on the wire as scripted, and the record says whether the call took effect.

use std::time::{Duration, Instant};

use lienthong_simulators::portal::{Fault, FaultScript, PortalConfig};
use serde_json::{Value, json};

use crate::harness::{CODE, OTHER_CODE, Portal, find, is_cut, progress, sync};

/// A script with one fault for inserts and updates only.
fn on_sync(fault: &str) -> String {
    format!(r#"{{"rules":[{{"fault":{fault},"services":["DongBoHoSoMC"]}}]}}"#)
}

fn applied(portal: &Portal) -> usize {
    portal
        .handle
        .record()
        .entries
        .iter()
        .filter(|entry| entry.applied)
        .count()
}

fn struck(portal: &Portal, fault: &str) -> u64 {
    portal
        .handle
        .stats()
        .faults
        .get(fault)
        .copied()
        .unwrap_or_default()
}

#[tokio::test]
async fn a_reset_before_leaves_nothing_and_a_reset_after_leaves_the_effect() {
    for (fault, effects) in [("reset_before", 0), ("reset_after", 1)] {
        let portal = Portal::with_faults(&on_sync(&format!("\"{fault}\""))).await;
        let session = portal.log_in().await;
        let error = portal.post("g", &sync(&session, CODE, false), &[]).await;
        let error = error.expect_err("there is no answer");
        assert!(is_cut(&error), "{error:?}");
        assert_eq!(
            (applied(&portal), struck(&portal, fault)),
            (effects, 1),
            "{fault}"
        );
        let found = portal.call(&find(&session, CODE)).await;
        assert_eq!(
            found.body["result"].as_array().map(Vec::len),
            Some(effects),
            "{fault}"
        );
        portal.stop().await;
    }
}

#[tokio::test]
async fn a_reset_is_a_tcp_abort() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let portal = Portal::with_faults(r#"{"rules":[{"fault":"reset_after"}]}"#).await;
    let url = portal.admin("");
    let addr = url
        .trim_start_matches("http://")
        .split('/')
        .next()
        .expect("an address");
    let mut stream = tokio::net::TcpStream::connect(addr)
        .await
        .expect("it listens");
    let request = "POST /VXPAdapter/RestService/forward/mapi/login HTTP/1.1\r\n\
                   Host: portal\r\nContent-Length: 2\r\n\r\n{}";
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the request is taken");
    let mut answer = Vec::new();
    let error = stream
        .read_to_end(&mut answer)
        .await
        .expect_err("no orderly end");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(answer, b"");
    portal.stop().await;
}

#[tokio::test]
async fn statuses_and_429_apply_nothing() {
    for code in [500, 502, 503] {
        let portal =
            Portal::with_faults(&on_sync(&format!(r#"{{"status":{{"code":{code}}}}}"#))).await;
        let session = portal.log_in().await;
        let response = portal.post("g", &sync(&session, CODE, false), &[]).await;
        assert_eq!(response.expect("an answer").status(), code);
        assert_eq!((applied(&portal), struck(&portal, "status")), (0, 1));
        portal.stop().await;
    }
    let portal =
        Portal::with_faults(&on_sync(r#"{"too_many_requests":{"retry_after_s":7}}"#)).await;
    let session = portal.log_in().await;
    let response = portal
        .post("g", &sync(&session, CODE, false), &[])
        .await
        .expect("an answer");
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "7");
    assert_eq!(
        (applied(&portal), struck(&portal, "too_many_requests")),
        (0, 1)
    );
    portal.stop().await;
}

#[tokio::test]
async fn an_expired_session_needs_a_new_login() {
    let portal = Portal::with_faults(
        r#"{"rules":[{"fault":"expire_session","when":{"calls":{"from":1,"to":1}},
            "services":["DongBoHoSoMC"]}]}"#,
    )
    .await;
    let session = portal.log_in().await;
    for _ in 0..2 {
        let told = portal.call(&sync(&session, CODE, false)).await;
        assert_eq!((told.code, told.message.contains("hết hạn")), (-1, true));
    }
    assert_eq!(
        (applied(&portal), struck(&portal, "expire_session")),
        (0, 1)
    );
    let session = portal.log_in().await;
    assert_eq!(portal.call(&sync(&session, CODE, false)).await.code, 0);
    portal.stop().await;
}

#[tokio::test]
async fn wrong_bodies_are_wrong_and_apply_only_when_told_to() {
    for (body, length_min, length_max) in [
        ("truncated", 1, 200),
        ("html", 50, 1_000),
        ("huge", 8 << 20, 9 << 20),
    ] {
        for effects in [false, true] {
            let fault = format!(r#"{{"wrong_body":{{"body":"{body}","applied":{effects}}}}}"#);
            let portal = Portal::with_faults(&on_sync(&fault)).await;
            let session = portal.log_in().await;
            let response = portal.post("g", &sync(&session, CODE, false), &[]).await;
            let response = response.expect("an answer");
            assert_eq!(response.status(), 200);
            let text = response.text().await.expect("the answer arrives whole");
            assert!(
                (length_min..length_max).contains(&text.len()),
                "{body}: {}",
                text.len()
            );
            assert_eq!(
                serde_json::from_str::<Value>(&text).is_ok(),
                body == "huge",
                "{body}"
            );
            assert_eq!(applied(&portal), usize::from(effects), "{body}");
            assert_eq!(struck(&portal, "wrong_body"), 1);
            portal.stop().await;
        }
    }
}

#[tokio::test]
async fn a_rejection_hits_the_dossiers_named_and_is_recorded() {
    let portal = Portal::with_faults(
        r#"{"rules":[{"fault":{"reject":{"message":"Mã TTHC không hợp lệ"}},"dossiers":["H56.*"]}]}"#,
    )
    .await;
    let session = portal.log_in().await;
    let told = portal.call(&sync(&session, CODE, false)).await;
    assert_eq!(
        (told.code, told.message.as_str()),
        (-1, "Mã TTHC không hợp lệ")
    );
    assert_eq!(
        portal.call(&sync(&session, OTHER_CODE, false)).await.code,
        0
    );
    let record = portal.handle.record();
    assert_eq!(
        (
            record.dossiers[CODE].refused,
            record.dossiers[OTHER_CODE].syncs
        ),
        (1, 1)
    );
    assert_eq!(
        record.entries[0].refusal.as_deref(),
        Some("Mã TTHC không hợp lệ")
    );
    assert_eq!(struck(&portal, "reject"), 1);
    portal.stop().await;
}

#[tokio::test]
async fn delays_hold_the_call_or_only_its_answer() {
    for (fault, effects_meanwhile) in [("delay", 0), ("delay_answer", 1)] {
        let rule = format!(r#"{{"{fault}":{{"ms_min":600000,"ms_max":600000}}}}"#);
        let portal = Portal::with_faults(&on_sync(&rule)).await;
        let session = portal.log_in().await;
        let body = sync(&session, CODE, false);
        let call = portal.post("g", &body, &[]);
        let reached =
            wait_until(|| struck(&portal, fault) == 1 && applied(&portal) == effects_meanwhile);
        tokio::select! {
            _ = call => panic!("{fault}: answered without its delay"),
            () = reached => {}
        }
        // Ten minutes of delay must not hold up the stop.
        let begin = Instant::now();
        portal.stop().await;
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "{fault}: {:?}",
            begin.elapsed()
        );
    }
    let portal = Portal::with_faults(&on_sync(r#"{"delay":{"ms_min":50,"ms_max":60}}"#)).await;
    let session = portal.log_in().await;
    let begin = Instant::now();
    assert_eq!(portal.call(&sync(&session, CODE, false)).await.code, 0);
    assert!(begin.elapsed() >= Duration::from_millis(50));
    portal.stop().await;
}

/// Polls with a deadline; the condition is another task's work over a socket.
async fn wait_until(condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "the condition did not come true"
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn down_cuts_everything_but_the_admin_door_which_ends_it() {
    let portal = Portal::start(PortalConfig::default()).await;
    let session = portal.log_in().await;
    portal
        .handle
        .set_faults(FaultScript::always(Fault::Down))
        .expect("a good script");
    let login = json!({ "username": "u", "password": "p" });
    assert!(is_cut(
        &portal
            .post("login", &login, &[])
            .await
            .expect_err("it is down")
    ));
    let line = progress(&session, CODE, "4", "20240823093000");
    assert!(is_cut(
        &portal.post("g", &line, &[]).await.expect_err("it is down")
    ));
    assert_eq!(portal.handle.record().entries, []);

    let put = async |script: &'static str| {
        let request = portal.client.put(portal.admin("faults")).body(script);
        request
            .send()
            .await
            .expect("the admin door is open")
            .status()
    };
    assert_eq!(put(r#"{"rules":[{"fault":"sideways"}]}"#).await, 400);
    assert_eq!(
        put(r#"{"rules":[{"fault":"down","when":{"probability":2}}]}"#).await,
        400
    );
    assert_eq!(
        portal.handle.faults(),
        FaultScript::always(Fault::Down),
        "the old script stays"
    );
    assert_eq!(put("{}").await, 200);
    assert_eq!(portal.call(&sync(&session, CODE, false)).await.code, 0);
    portal.stop().await;
}
