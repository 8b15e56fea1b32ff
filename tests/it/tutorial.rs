//! The README's tutorial: real files of provincial systems, pushed with the real command.

use std::path::{Path, PathBuf};

use lienthong_cli::Exit;
use lienthong_domain::DeliveryState;
use lienthong_tests::harness::TestGateway;
use serde_json::Value;

use crate::client::run;

/// A copy of a data file in the test's own folder, since `push` keeps its state beside the file.
fn copy(gateway: &TestGateway, name: &str) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(name);
    let to = gateway.folder().join(name);
    std::fs::copy(from, &to).expect("the data file is there");
    to
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_five_provinces_reaches_the_portal_and_a_second_push_changes_nothing() {
    let gateway = TestGateway::start().await;
    let mut events = 0;
    for province in ["H56", "H21", "H29", "H26", "H17"] {
        let file = copy(&gateway, &format!("{province}.ndjson"));
        let file = file.to_str().unwrap();
        let (exit, first) = run(&gateway, (province, "motcua"), &["push", file]).await;
        assert_eq!(
            (exit, &first["refused"]),
            (Exit::Ok, &Value::from(0)),
            "{first:#}"
        );
        let count = first["events"].as_u64().unwrap();
        assert_eq!(first["accepted"], Value::from(count), "{first:#}");
        events += count - first["duplicates"].as_u64().unwrap();
        let (exit, second) = run(&gateway, (province, "motcua"), &["push", file]).await;
        assert_eq!(
            (exit, &second["duplicates"]),
            (Exit::Ok, &Value::from(count)),
            "{second:#}"
        );
    }
    gateway.drained().await;
    let counts = gateway.running().store.counts().await.unwrap();
    assert_eq!(counts[0].of(DeliveryState::Parked), 0);
    assert_eq!(counts[0].of(DeliveryState::Done), events);
    let record = gateway.portal.record();
    assert_eq!(record.dossiers.len(), 252);
    assert!(
        record
            .dossiers
            .values()
            .all(|dossier| dossier.out_of_order.is_empty())
    );
    let statuses = record.dossiers.values().map(|dossier| dossier.status);
    assert_eq!(
        statuses.collect::<std::collections::BTreeSet<_>>().len(),
        10,
        "each status is the last one of some dossier"
    );
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_faulty_line_is_told_with_line_field_and_reason() {
    let gateway = TestGateway::start_with(|config| config.delivery.workers.idle_ms = 50).await;
    let file = copy(&gateway, "faulty.ndjson");
    // A strict participant: Thanh Hóa is lenient in these tests, so its file is judged by its own rules.
    let text = std::fs::read_to_string(gateway.folder().join("participants.toml")).unwrap();
    std::fs::write(
        gateway.folder().join("participants.toml"),
        text.replace("transitions = \"warn\"", ""),
    )
    .unwrap();
    let strict =
        lienthong_services::Registry::parse(&text.replace("transitions = \"warn\"", "")).unwrap();
    gateway.running().services.set_registry(strict);
    let (exit, summary) = run(
        &gateway,
        ("H56", "motcua"),
        &["push", file.to_str().unwrap()],
    )
    .await;
    assert_eq!(exit, Exit::DataRefused);
    let told = summary["refused_lines"].as_array().unwrap();
    let expected =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/faulty.csv"))
            .unwrap();
    let mut missing = Vec::new();
    for row in expected.lines().skip(1) {
        let mut columns = row.splitn(3, ',');
        let line: u64 = columns.next().unwrap().parse().unwrap();
        let (field, reason) = (columns.next().unwrap(), columns.next().unwrap());
        let faults = told
            .iter()
            .filter(|told| told["line"].as_u64() == Some(line))
            .collect::<Vec<_>>();
        // The gateway's own refusals name no field of the file, or the contract's.
        let named = |fault: &&Value| {
            let said = fault["field"].as_str().unwrap_or_default();
            said.is_empty() || said.contains('_') || said.contains(field)
        };
        let judged = !faults.is_empty() && faults.iter().any(named);
        if judged == (reason == "ok") {
            missing.push(row);
        }
    }
    assert!(
        missing.is_empty(),
        "judged otherwise than expected:\n{}\n{summary:#}",
        missing.join("\n")
    );
    gateway.stop().await;
}
