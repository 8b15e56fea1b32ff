//! The console in a real Chromium: what an operator does, what an attacker tries, and every page as people see it.

use std::path::{Path, PathBuf};
use std::process::Command;

use lienthong_console::Accounts;
use lienthong_domain::{Clock, OperatorRole};
use lienthong_proto::dossier::v1::PushStatusRequest;
use lienthong_simulators::portal::{Fault, FaultRule, FaultScript};
use lienthong_tests::harness::{TestGateway, events};
use serde_json::{Value, json};

/// Set where the test must not be left out.
const REQUIRED: &str = "LIENTHONG_REQUIRE_BROWSER";
/// Where the pictures go, for people to look at; a temporary folder otherwise.
const SCREENSHOTS: &str = "LIENTHONG_SCREENSHOTS";
/// Debian's browser.
const CHROMIUM: &str = "/usr/bin/chromium";
const PASSWORD: &str = "mat-khau-cho-may-kiem-thu";
const DOSSIER: &str = "H56.14-240823-0001";
/// What the portal says when it rejects the dossier.
const MESSAGE: &str = "Mã thủ tục không có trong danh mục";

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
    let accounts = tempfile::NamedTempFile::new().unwrap();
    write_accounts(accounts.path());
    let gateway = TestGateway::start_with(|config| {
        config.console.address = Some(([127, 0, 0, 1], 0).into());
        config.console.accounts_file = Some(accounts.path().to_owned());
        config.operators.replay_approval_above = 0;
    })
    .await;
    park(&gateway).await;

    let pictures = tempfile::tempdir().unwrap();
    let screenshots =
        std::env::var_os(SCREENSHOTS).map_or_else(|| pictures.path().into(), PathBuf::from);
    let settings = json!({
        "base": gateway.running().console_url.as_deref().expect("the console answers"),
        "chromium": CHROMIUM,
        "dossier": DOSSIER,
        "message": MESSAGE,
        "screenshots": screenshots,
        "accounts": {
            "viewer": { "name": "xem", "password": PASSWORD },
            "operator": { "name": "truc", "password": PASSWORD },
            "approver": { "name": "duyet", "password": PASSWORD },
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

fn write_accounts(path: &Path) {
    let now = Clock::system().now();
    let people = [
        ("xem", "Người xem", OperatorRole::Viewer),
        ("truc", "Người trực", OperatorRole::Operator),
        ("duyet", "Người duyệt", OperatorRole::Approver),
    ];
    Accounts::edit(path, |accounts| {
        people
            .iter()
            .try_for_each(|(name, shown, role)| accounts.add((name, shown), *role, PASSWORD, now))
    })
    .unwrap();
}

/// One dossier that the portal rejects; then the portal is mended, so that a replay succeeds.
async fn park(gateway: &TestGateway) {
    let rejected = FaultRule {
        dossiers: vec![DOSSIER.to_owned()],
        ..FaultRule::always(Fault::Reject {
            message: MESSAGE.to_owned(),
        })
    };
    let script = FaultScript {
        seed: 0,
        rules: vec![rejected],
    };
    gateway.portal.set_faults(script).unwrap();
    let event = Some(events::first(DOSSIER));
    gateway
        .province("H56")
        .push_status(PushStatusRequest { event })
        .await
        .unwrap();
    let parked = async || {
        let counts = gateway.running().store.counts().await.unwrap();
        let state = lienthong_domain::DeliveryState::Parked;
        counts.iter().any(|count| count.of(state) == 1)
    };
    gateway.until("the dossier is parked", parked).await;
    gateway.portal.set_faults(FaultScript::default()).unwrap();
}
