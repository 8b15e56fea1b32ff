//! Each fault happens on the wire as scripted, and the record says whether the caller learnt anything.

use std::time::{Duration, Instant};

use lienthong_simulators::population::{
    Fault, FaultScript, Layout, LayoutChoice, Outcome, PopulationConfig, Service,
};

use crate::harness::{Ask, Database, config, root_cause, value, wait_until};

fn always(fault: &str) -> String {
    format!(r#"{{"rules":[{{"fault":{fault}}}]}}"#)
}

fn last_outcome(database: &Database) -> Option<Outcome> {
    database
        .handle
        .record()
        .entries
        .last()
        .map(|entry| entry.outcome)
}

/// Faults that answer with something else: status, start of the body, HTTP header.
#[tokio::test]
async fn answers_in_place_of_the_right_one() {
    let html = "<!DOCTYPE html>";
    for (fault, name, status, start) in [
        (r#"{"status":{"code":503}}"#, "status", 503, "lỗi giả lập"),
        (
            r#"{"soap_fault":{"message":"Lỗi kết nối CSDL"}}"#,
            "soap_fault",
            500,
            "<?xml",
        ),
        (
            r#"{"busy":{"retry_after_s":7}}"#,
            "busy",
            429,
            "Hệ thống bận",
        ),
        (
            r#"{"busy":{"retry_after_s":7,"as_soap_fault":true}}"#,
            "busy",
            500,
            "<?xml",
        ),
        (r#""garbage""#, "garbage", 200, html),
        (r#""empty_body""#, "empty_body", 200, ""),
        (r#""huge_body""#, "huge_body", 200, "<!--xxxx"),
    ] {
        let database = Database::with_faults(&always(fault)).await;
        let citizen = database.citizen(0);
        let response = database.post(Ask::look_up("1", &citizen).xml()).await;
        let response = response.expect("an answer");
        assert_eq!(response.status(), status, "{fault}");
        let retry = response.headers().get("retry-after").cloned();
        assert_eq!(
            retry.is_some_and(|after| after == "7"),
            name == "busy",
            "{fault}"
        );
        let text = response.text().await.expect("whole");
        assert!(text.starts_with(start), "{fault}");
        assert_eq!(text.is_empty(), name == "empty_body");
        assert_eq!(text.len() > 8 << 20, name == "huge_body");
        if start == "<?xml" {
            let code = value(&text, "faultcode").expect("a SOAP fault");
            assert!(code.ends_with("Server"), "{text}");
        }
        assert!(!text.contains(&citizen.number), "{fault}");
        assert_eq!(database.struck(name), 1, "{fault}");
        assert_eq!(last_outcome(&database), Some(Outcome::Struck), "{fault}");
        assert_eq!(
            database
                .handle
                .stats()
                .count(Service::LookUp, Outcome::Struck),
            1
        );
        database.stop().await;
    }
}

/// Faults that spoil the right answer, compared with the right answer of the same layout.
#[tokio::test]
async fn the_right_answer_spoilt() {
    let database = Database::start(PopulationConfig {
        layout: LayoutChoice::Fixed(Layout::default()),
        ..config()
    })
    .await;
    let citizen = database.citizen(0);
    let (_, right) = database.told(Ask::look_up("0", &citizen).xml()).await;
    let set = |fault: Fault| {
        database
            .handle
            .set_faults(FaultScript::always(fault))
            .expect("in bounds");
    };

    set(Fault::Truncated);
    let (status, half) = database.told(Ask::look_up("1", &citizen).xml()).await;
    assert!(status == 200 && right.starts_with(&half) && half.len() * 3 < right.len() * 2);
    assert_eq!(last_outcome(&database), Some(Outcome::Struck));

    set(Fault::WrongNamespace);
    let (_, wrong) = database.told(Ask::look_up("2", &citizen).xml()).await;
    assert!(wrong.contains(&citizen.number));
    assert!(!wrong.contains("xmlsoap.org") && !wrong.contains("mic.gov.vn"));
    assert_eq!(last_outcome(&database), Some(Outcome::Found));

    set(Fault::OtherPerson);
    for (id, ask) in [
        ("3", Ask::look_up as fn(&str, &_) -> Ask),
        ("4", Ask::matching),
    ] {
        let (status, other) = database.told(ask(id, &citizen).xml()).await;
        let number = value(&other, "SoDinhDanh").expect("somebody is shown");
        assert_eq!(status, 200);
        assert_ne!(number, citizen.number, "{id}");
        assert!(database.handle.population().find(&number).is_some());
        assert_eq!(last_outcome(&database), Some(Outcome::Struck));
    }

    set(Fault::SlowDrip {
        bytes: 100,
        every_ms: 1,
    });
    let begin = Instant::now();
    let (_, dripped) = database.told(Ask::look_up("5", &citizen).xml()).await;
    assert_eq!(dripped, right);
    let portions = u64::try_from(right.len().div_ceil(100)).expect("a short answer");
    assert!(begin.elapsed() >= Duration::from_millis(portions));
    assert_eq!(last_outcome(&database), Some(Outcome::Found));
    database.stop().await;
}

#[tokio::test]
async fn cuts_end_the_connection_before_or_within_the_answer() {
    for fault in ["cut", "down"] {
        let database = Database::with_faults(&always(&format!("\"{fault}\""))).await;
        let error = database
            .post(Ask::look_up("1", &database.citizen(0)).xml())
            .await;
        let cause = root_cause(&error.expect_err("there is no answer"));
        let is_cut = cause.contains("reset") || cause.contains("closed before message completed");
        assert!(is_cut, "{cause}");
        assert_eq!(
            (database.struck(fault), last_outcome(&database)),
            (1, Some(Outcome::Struck))
        );
        // The admin door stays open.
        let health = database.client.get(database.admin("health")).send().await;
        assert_eq!(health.expect("an answer").status(), 200);
        database.stop().await;
    }
    let database = Database::with_faults(&always("\"cut_mid_answer\"")).await;
    let mut response = database
        .post(Ask::look_up("1", &database.citizen(0)).xml())
        .await
        .expect("the headers and the first half arrive");
    assert_eq!(response.status(), 200);
    let promised = response.content_length().expect("a length is promised");
    let mut arrived = 0;
    let error = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => arrived += u64::try_from(chunk.len()).expect("a short chunk"),
            Ok(None) => panic!("the answer arrived whole"),
            Err(error) => break error,
        }
    };
    assert!(
        arrived > 0 && arrived <= promised / 2,
        "{arrived} of {promised}: {error}"
    );
    assert_eq!(last_outcome(&database), Some(Outcome::Struck));
    database.stop().await;
}

#[tokio::test]
async fn silence_and_latency_last_until_the_caller_or_the_simulator_goes() {
    for (fault, name, outcome) in [
        (r#""half_open""#, "half_open", Outcome::Struck),
        (
            r#"{"latency":{"fixed":{"ms":600000}}}"#,
            "latency",
            Outcome::Pending,
        ),
    ] {
        let database = Database::with_faults(&always(fault)).await;
        let call = database.post(Ask::look_up("1", &database.citizen(0)).xml());
        let reached =
            wait_until(|| database.struck(name) == 1 && last_outcome(&database) == Some(outcome));
        tokio::select! {
            _ = call => panic!("{name}: answered"),
            () = reached => {}
        }
        assert_eq!(database.handle.stats().in_flight_max, 1);
        wait_until(|| database.handle.stats().in_flight == 0).await;
        let second = database.post(Ask::look_up("2", &database.citizen(0)).xml());
        let begin = Instant::now();
        let handle = database.handle.clone();
        tokio::select! {
            _ = second => panic!("{name}: answered"),
            () = wait_until(|| handle.stats().in_flight == 1) => {}
        }
        database.stop().await;
        assert!(begin.elapsed() < Duration::from_secs(10), "{name}");
    }
}

#[tokio::test]
async fn calls_in_flight_are_counted_at_their_most() {
    let database = Database::with_faults(&always("\"half_open\"")).await;
    let citizen = database.citizen(0);
    let post = |id: &str| database.post(Ask::look_up(id, &citizen).xml());
    tokio::select! {
        _ = async { tokio::join!(post("1"), post("2"), post("3")) } => panic!("answered"),
        () = wait_until(|| database.handle.stats().in_flight == 3) => {}
    }
    wait_until(|| database.handle.stats().in_flight == 0).await;
    assert_eq!(database.handle.stats().in_flight_max, 3);
    database.stop().await;
}

#[tokio::test]
async fn a_latency_is_waited_and_the_answer_is_right() {
    let database = Database::with_faults(&always(
        r#"{"latency":{"uniform":{"ms_min":50,"ms_max":60}}}"#,
    ))
    .await;
    let begin = Instant::now();
    let (status, xml) = database
        .told(Ask::matching("1", &database.citizen(0)).xml())
        .await;
    assert_eq!(
        (status, value(&xml, "TonTai").as_deref()),
        (200, Some("true"))
    );
    assert!(begin.elapsed() >= Duration::from_millis(50));
    database.stop().await;
}

#[tokio::test]
async fn scripts_are_set_and_refused_at_the_admin_door() {
    let database = Database::start(config()).await;
    let put = async |script: &'static str| {
        let response = database
            .client
            .put(database.admin("faults"))
            .body(script)
            .send()
            .await;
        let response = response.expect("an answer");
        (
            response.status().as_u16(),
            response.text().await.expect("whole"),
        )
    };
    let script = r#"{"rules":[{"fault":{"status":{"code":503}},"when":{"calls":{"from":2,"to":3}},
        "services":["XacThucThongTinCongDan"]}]}"#;
    let (status, told) = put(script).await;
    assert_eq!(status, 200);
    assert_eq!(
        FaultScript::from_json(&told).ok(),
        Some(database.handle.faults())
    );
    let citizen = database.citizen(0);
    let mut statuses = Vec::new();
    for id in ["1", "2", "3", "4"] {
        assert_eq!(
            database
                .told(Ask::look_up(&format!("t{id}"), &citizen).xml())
                .await
                .0,
            200
        );
        statuses.push(database.told(Ask::matching(id, &citizen).xml()).await.0);
    }
    assert_eq!(statuses, [200, 503, 503, 200]);
    for (wrong, reason) in [
        ("nope", "failed to read the fault script"),
        (r#"{"rules":[{"fault":{"status":{"code":99}}}]}"#, "rule 1"),
    ] {
        let (status, told) = put(wrong).await;
        assert_eq!(status, 400);
        assert!(told.contains(reason), "{told}");
    }
    assert_eq!(
        database.handle.faults().rules.len(),
        1,
        "the script in force stays"
    );
    // A repeat after a fault needs an id of its own: the struck call used its own up.
    assert_eq!(
        database.told(Ask::matching("2", &citizen).xml()).await.0,
        500
    );
    let calls = database.handle.record().by_citizen();
    let of = calls[&database.handle.number_hash(&citizen.number)];
    assert_eq!((of.asked, of.answered), (9, 6));
    database.stop().await;
}
