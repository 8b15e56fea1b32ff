//! Login, sessions, inserts, updates, progress, look-ups, record and admin door.

use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_simulators::portal::{
    Entry, ErrorCodeStyle, PortalConfig, PortalSimulator, Record, Service, SimulatorError, Stats,
};
use serde_json::{Value, json};

use crate::harness::{CODE, OTHER_CODE, Portal, find, progress, sync};

#[tokio::test]
async fn a_dossier_lives_from_insert_to_progress() {
    let portal = Portal::start(PortalConfig::default()).await;
    let session = portal.log_in().await;

    let unknown = portal
        .call(&progress(&session, CODE, "2", "20240823081500"))
        .await;
    assert_eq!(unknown.code, -1);
    assert!(
        unknown.message.contains("không tồn tại"),
        "{}",
        unknown.message
    );
    let early = portal.call(&sync(&session, CODE, true)).await;
    assert_eq!(
        (early.code, early.message.contains("không tồn tại")),
        (-1, true)
    );
    assert_eq!(
        portal.call(&find(&session, CODE)).await.body["result"],
        json!([])
    );

    assert_eq!(portal.call(&sync(&session, CODE, false)).await.code, 0);
    let again = portal.call(&sync(&session, CODE, false)).await;
    assert_eq!(
        (again.code, again.message.as_str()),
        (3, "Hồ sơ đã tồn tại")
    );
    assert_eq!(portal.call(&sync(&session, CODE, true)).await.code, 0);
    let line = progress(&session, CODE, "4", "20240823093000");
    assert_eq!(portal.call(&line).await.code, 0);
    let found = portal.call(&find(&session, CODE)).await;
    assert_eq!(
        found.body["result"],
        json!([{ "MaHoSo": CODE, "TrangThaiHoSo": "2" }])
    );

    let record = portal.handle.record();
    let applied: Vec<bool> = record.entries.iter().map(|entry| entry.applied).collect();
    assert_eq!(applied, [false, false, true, false, true, true]);
    let summary = &record.dossiers[CODE];
    // A progress line says what was done, not where the dossier stands.
    assert_eq!((summary.syncs, summary.refused, summary.status), (2, 3, 2));
    assert_eq!(
        summary.progress[0].occurred.map(String::from).as_deref(),
        Some("20240823093000")
    );
    let stats = portal.handle.stats();
    assert_eq!(
        (stats.inserted, stats.updated, stats.progress_lines),
        (1, 1, 1)
    );
    assert_eq!((stats.refused, stats.done[&Service::FindDossier]), (3, 2));
    portal.stop().await;
}

#[tokio::test]
async fn sessions_end_after_their_lifetime_and_strangers_have_none() {
    let portal = Portal::start(PortalConfig::default()).await;
    let session = portal.log_in().await;
    assert_eq!(portal.call(&sync(&session, CODE, false)).await.code, 0);

    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(9)).await;
    tokio::time::resume();
    assert_eq!(portal.call(&sync(&session, CODE, true)).await.code, 0);

    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    let late = portal.call(&sync(&session, CODE, true)).await;
    assert_eq!(late.code, -1);
    assert!(late.message.contains("hết hạn"), "{}", late.message);
    let stranger = portal.call(&sync("0123", CODE, true)).await;
    assert_eq!((stranger.code, stranger.message), (late.code, late.message));

    let session = portal.log_in().await;
    assert_eq!(portal.call(&sync(&session, CODE, true)).await.code, 0);
    assert_eq!(portal.handle.record().dossiers[CODE].syncs, 3);
    portal.stop().await;
}

#[tokio::test]
async fn accounts_are_checked_when_there_are_any() {
    let accounts = BTreeMap::from([("000.00.00.H56".to_owned(), "đúng".to_owned())]);
    let config = PortalConfig {
        accounts,
        ..PortalConfig::default()
    };
    assert!(
        !format!("{config:?}").contains("đúng"),
        "a password prints itself"
    );
    let portal = Portal::start(config).await;
    for (username, password, code) in [
        ("000.00.00.H56", "sai", -1),
        ("H99", "đúng", -1),
        ("000.00.00.H56", "đúng", 0),
    ] {
        let body = json!({ "username": username, "password": password });
        let response = portal
            .post("login", &body, &[])
            .await
            .expect("the portal answers");
        let text = response.text().await.expect("the answer arrives whole");
        let answer: Value = serde_json::from_str(&text).expect("the answer is JSON");
        let told = answer["error_code"].to_string().replace('"', "");
        assert_eq!(told.parse(), Ok(code), "{username} {password}");
        assert_eq!(answer.get("session").is_some(), code == 0);
    }
    portal.stop().await;
}

#[tokio::test]
async fn the_code_of_success_comes_in_every_style_by_turns() {
    let portal = Portal::start(PortalConfig::default()).await;
    let session = portal.log_in().await;
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(portal.call(&find(&session, CODE)).await.body["error_code"].clone());
    }
    assert_eq!(
        codes,
        [json!("0"), json!("00"), json!(0)],
        "the login took the first number"
    );
    portal.stop().await;

    let error_code_style = ErrorCodeStyle::Number;
    let portal = Portal::start(PortalConfig {
        error_code_style,
        ..PortalConfig::default()
    })
    .await;
    let session = portal.log_in().await;
    for _ in 0..3 {
        assert_eq!(
            portal.call(&find(&session, CODE)).await.body["error_code"],
            json!(0)
        );
    }
    portal.stop().await;
}

#[tokio::test]
async fn keys_and_sequences_are_recorded_and_judged() {
    let portal = Portal::start(PortalConfig::default()).await;
    let session = portal.log_in().await;
    let first = sync(&session, CODE, false);
    portal
        .marked(
            &first,
            &[("Idempotency-Key", "khoa-1"), ("Dossier-Sequence", "1")],
        )
        .await;
    // The answer was lost, so the adapter repeats the same content as an update.
    let again = sync(&session, CODE, true);
    portal
        .marked(
            &again,
            &[("Idempotency-Key", "khoa-1"), ("Dossier-Sequence", "1")],
        )
        .await;
    let third = progress(&session, CODE, "9", "20240825093000");
    portal
        .marked(
            &third,
            &[("Idempotency-Key", "khoa-3"), ("Dossier-Sequence", "3")],
        )
        .await;
    let second = progress(&session, CODE, "4", "20240824093000");
    portal
        .marked(
            &second,
            &[("Idempotency-Key", "khoa-2"), ("Dossier-Sequence", "2")],
        )
        .await;
    let changed = progress(&session, CODE, "5", "20240824093000");
    portal
        .marked(
            &changed,
            &[("Idempotency-Key", "khoa-3"), ("Dossier-Sequence", "3")],
        )
        .await;

    let record = portal.handle.record();
    let summary = &record.dossiers[CODE];
    assert_eq!((summary.duplicates, summary.conflicting_duplicates), (1, 1));
    assert_eq!(summary.out_of_order.len(), 1);
    assert_eq!(
        (
            summary.out_of_order[0].first,
            summary.out_of_order[0].second
        ),
        ((3, 3), (4, 2))
    );
    assert_eq!(
        summary
            .progress
            .iter()
            .map(|line| line.status)
            .collect::<Vec<_>>(),
        [9, 4, 5]
    );
    assert_eq!(record.entries[0].key.as_deref(), Some("khoa-1"));

    let wrong = portal.marked(&second, &[("Dossier-Sequence", "hai")]).await;
    assert_eq!(
        (wrong.code, wrong.message.contains("Dossier-Sequence")),
        (-1, true)
    );
    portal.stop().await;
}

#[tokio::test]
async fn a_strict_judge_names_the_field_and_several_items_stand_or_fall_together() {
    let portal = Portal::start(PortalConfig::default()).await;
    let session = portal.log_in().await;
    let mut body = sync(&session, CODE, false);
    body["data"][0]["NgayTiepNhan"] = json!("23/08/2024");
    let told = portal.call(&body).await;
    assert_eq!(
        (told.code, told.message.contains("NgayTiepNhan")),
        (-1, true)
    );

    assert_eq!(portal.call(&sync(&session, CODE, false)).await.code, 0);
    let mut both = progress(&session, CODE, "4", "20240823093000");
    let lost = progress(&session, OTHER_CODE, "4", "20240823093000")["data"][0].clone();
    both["data"].as_array_mut().expect("a list").push(lost);
    let told = portal.call(&both).await;
    assert!(told.message.contains(OTHER_CODE), "{}", told.message);
    let record = portal.handle.record();
    assert_eq!(record.dossiers[CODE].progress, []);
    assert_eq!(record.dossiers[OTHER_CODE].refused, 1);
    assert_eq!(record.entries.last().map(|entry| entry.call), Some(3));

    let unheard = json!({ "session": session, "madonvi": "H56", "service": "LayThuTuc" });
    assert_eq!(portal.call(&unheard).await.code, -1);
    let big = json!({ "session": "x".repeat(5 << 20) });
    let response = portal.post("g", &big, &[]).await;
    assert!(response.is_err() || response.is_ok_and(|response| response.status() == 413));
    portal.stop().await;
}

#[tokio::test]
async fn the_record_file_and_the_admin_door_tell_what_the_handle_tells() {
    let folder = tempfile::tempdir().expect("a private folder");
    let path = folder.path().join("record.ndjson");
    let portal = Portal::start(PortalConfig {
        record_file: Some(path.clone()),
        record_entries_max: 2,
        started_at_ms: 1_793_000_000_000,
        ..PortalConfig::default()
    })
    .await;
    let session = portal.log_in().await;
    portal.call(&sync(&session, CODE, false)).await;
    portal
        .call(&progress(&session, CODE, "4", "20240823093000"))
        .await;
    portal
        .call(&progress(&session, CODE, "9", "20240824093000"))
        .await;

    // The simulator still runs: each line was flushed before its call was answered.
    let file = std::fs::read_to_string(&path).expect("the file is there");
    let lines: Vec<Entry> = file
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is an entry"))
        .collect();
    let record = portal.handle.record();
    assert_eq!(
        (lines.len(), record.entries.len(), record.truncated),
        (3, 2, true)
    );
    assert_eq!(lines[..2], record.entries);
    assert!(lines[0].at_ms >= 1_793_000_000_000);
    assert!(!file.contains("Ngọc Ánh"), "a name was kept");

    let get = async |path: &str| {
        let response = portal
            .client
            .get(portal.admin(path))
            .send()
            .await
            .expect("an answer");
        assert_eq!(response.status(), 200, "{path}");
        response.text().await.expect("the answer arrives whole")
    };
    let told: Record = serde_json::from_str(&get("record").await).expect("a record");
    assert_eq!(told, record);
    let told: Record = serde_json::from_str(&get("record?entries=false").await).expect("a record");
    assert_eq!((told.entries.len(), told.dossiers), (0, record.dossiers));
    let told: Stats = serde_json::from_str(&get("stats").await).expect("statistics");
    assert_eq!(told, portal.handle.stats());
    assert_eq!(get("health").await, r#"{"status":"ok"}"#);
    portal.stop().await;
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let addr = "127.0.0.1:0".parse().expect("a loopback address");
    for prefix in ["no-slash", "/ends/", "/{pattern}", "/khoảng trắng"] {
        let config = PortalConfig {
            prefix: prefix.to_owned(),
            ..PortalConfig::default()
        };
        let error = PortalSimulator::bind(config, addr).await.err();
        assert!(matches!(error, Some(SimulatorError::Prefix(_))), "{prefix}");
    }
    let record_file = Some("/dev/null/record.ndjson".into());
    let config = PortalConfig {
        record_file,
        ..PortalConfig::default()
    };
    let error = PortalSimulator::bind(config, addr).await.err();
    assert!(matches!(error, Some(SimulatorError::RecordFile { .. })));
}
