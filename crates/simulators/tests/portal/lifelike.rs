//! The repository's lifelike input passes the strict judge, sent the way an adapter would.

use std::path::Path;

use lienthong_simulators::portal::PortalConfig;
use serde_json::{Value, json};

use crate::harness::Portal;

#[tokio::test]
async fn every_line_of_the_lifelike_input_is_taken() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/dossiers.ndjson");
    let text = std::fs::read_to_string(path).expect("the lifelike input is in the repository");
    let portal = Portal::start(PortalConfig::default()).await;
    let session = portal.log_in().await;
    let mut items = 0;
    for (number, line) in (1..).zip(text.lines()) {
        let mut body = whole_call(serde_json::from_str(line).expect("a line is JSON"));
        body["session"] = json!(session);
        items += body["data"].as_array().map_or(0, Vec::len);
        let mut told = portal.call(&body).await;
        if told.code == 3 {
            body["isUpdating"] = json!("True");
            told = portal.call(&body).await;
        }
        assert_eq!(told.code, 0, "line {number}: {}", told.message);
    }
    let record = portal.handle.record();
    assert!(
        record.dossiers.len() >= 240,
        "{} dossiers",
        record.dossiers.len()
    );
    assert_eq!(
        record.entries.iter().filter(|entry| entry.applied).count(),
        items
    );
    portal.stop().await;
}

/// Wraps a bare dossier or progress line as an adapter does.
fn whole_call(value: Value) -> Value {
    if value.get("service").is_some() {
        return value;
    }
    if value.get("TrangThaiHoSo").is_some() {
        json!({ "service": "DongBoHoSoMC", "madonvi": "H56", "isUpdating": "False", "data": [value] })
    } else {
        json!({ "service": "CapNhatTienDoHoSoMC", "madonvi": "H56", "data": [value] })
    }
}
