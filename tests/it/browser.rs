//! The console in a real Chromium: what an operator does, what an attacker tries, and every page as people see it.

use std::path::{Path, PathBuf};
use std::process::Command;

use lienthong_domain::OperatorRole;
use lienthong_tests::harness::acts::{CONSOLE_PASSWORD, REJECTED, write_accounts};
use lienthong_tests::harness::{TestGateway, events};
use serde_json::{Value, json};

/// Set where the test must not be left out.
const REQUIRED: &str = "LIENTHONG_REQUIRE_BROWSER";
/// Where the pictures go, for people to look at; a temporary folder otherwise.
const SCREENSHOTS: &str = "LIENTHONG_SCREENSHOTS";
/// Debian's browser.
const CHROMIUM: &str = "/usr/bin/chromium";
const DOSSIER: &str = "H56.14-240823-0001";

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_finds_replays_and_sees_delivered_and_attackers_get_nowhere() {
    let folder = root().join("tests/browser");
    if !Path::new(CHROMIUM).exists() || !folder.join("node_modules").exists() {
        assert!(
            std::env::var_os(REQUIRED).is_none(),
            "Debian's chromium and `npm ci` in tests/browser are needed"
        );
        println!("left out: no Chromium, or no `npm ci` in tests/browser");
        return;
    }
    let people = [
        ("xem", "Người xem", OperatorRole::Viewer),
        ("truc", "Người trực", OperatorRole::Operator),
        ("duyet", "Người duyệt", OperatorRole::Approver),
    ];
    let gateway = TestGateway::start_with(|config| {
        write_accounts(config.console.accounts_file.as_deref().unwrap(), &people);
        config.operators.replay_approval_above = 0;
    })
    .await;
    gateway.park("H56", vec![events::first(DOSSIER)]).await;

    let pictures = tempfile::tempdir().unwrap();
    let screenshots =
        std::env::var_os(SCREENSHOTS).map_or_else(|| pictures.path().into(), PathBuf::from);
    let settings = json!({
        "base": gateway.running().console_url.as_deref().expect("the console answers"),
        "chromium": CHROMIUM,
        "dossier": DOSSIER,
        "message": REJECTED,
        "screenshots": screenshots,
        "accounts": {
            "viewer": { "name": "xem", "password": CONSOLE_PASSWORD },
            "operator": { "name": "truc", "password": CONSOLE_PASSWORD },
            "approver": { "name": "duyet", "password": CONSOLE_PASSWORD },
        },
    });
    let file = pictures.path().join("settings.json");
    std::fs::write(&file, settings.to_string()).unwrap();
    let shift = move || {
        Command::new("node")
            .arg("operator.mjs")
            .arg(file)
            .current_dir(folder)
            .output()
    };
    let output = tokio::task::spawn_blocking(shift).await.unwrap();
    let output = output.expect("Node.js runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let seen: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(seen["findings"], json!([]), "axe-core and widths");
    assert_eq!(
        seen["problems"],
        json!([]),
        "scripts, policies, other hosts"
    );
    assert_eq!(seen["operations"], 1, "a double click is one operation");
    let dossiers = gateway.portal.record().dossiers;
    let taken = dossiers.get(DOSSIER).map(|dossier| dossier.syncs);
    assert_eq!(taken, Some(1), "the dossier is at the portal, once");
    gateway.stop().await;
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
