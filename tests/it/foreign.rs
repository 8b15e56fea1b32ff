//! A client that we did not write: Python with grpcio, made from the published contract.

use std::path::Path;
use std::process::Command;

use lienthong_proto::dossier::v1::PushStatusRequest;
use lienthong_simulators::population::Citizen;
use lienthong_tests::harness::citizens::{DOSSIER, citizen, claims};
use lienthong_tests::harness::{TestGateway, events};
use serde_json::{Value, json};

/// A Python with grpcio and grpcio-tools; `tests/run` makes one.
const PYTHON: &str = "LIENTHONG_TEST_PYTHON";
/// Set where the test must not be left out.
const REQUIRED: &str = "LIENTHONG_REQUIRE_PYTHON";

#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_verifies_looks_up_and_is_refused() {
    let Some(python) = std::env::var_os(PYTHON) else {
        assert!(
            std::env::var_os(REQUIRED).is_none(),
            "{PYTHON} must name a Python with grpcio"
        );
        println!("left out: {PYTHON} names no Python with grpcio");
        return;
    };
    let gateway = TestGateway::start().await;
    let event = Some(events::first(DOSSIER));
    gateway
        .province("H56")
        .push_status(PushStatusRequest { event })
        .await
        .unwrap();
    let person = citizen(&gateway.population, 0);

    let folder = tempfile::tempdir().unwrap();
    let questions = folder.path().join("questions.json");
    std::fs::write(&questions, questions_about(&gateway, &person).to_string()).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let client = tokio::task::spawn_blocking(move || {
        Command::new(python)
            .arg(root.join("tests/python/client.py"))
            .arg(root.join("proto"))
            .arg(questions)
            .output()
    });
    let output = client.await.unwrap().expect("Python runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let answers: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");

    assert_eq!(
        answers["right"]["verification"]["verdict"], "VERDICT_MATCH",
        "{answers}"
    );
    assert_eq!(
        answers["wrong"]["verification"]["verdict"],
        "VERDICT_NO_MATCH"
    );
    let shown = &answers["look_up"]["citizen"]["permanent_residence"]["province_code"];
    assert_eq!(
        *shown,
        json!(person.permanent_residence.as_ref().unwrap().province)
    );
    assert_eq!(
        answers["look_up"]["withheld_fields"],
        json!(["CITIZEN_FIELD_RELIGION"])
    );
    let refused = |name: &str| answers[name]["refused"].clone();
    assert_eq!(refused("unbound")["reason"], "DOSSIER_NOT_HELD");
    assert_eq!(refused("not_granted")["code"], "PERMISSION_DENIED");
    assert_eq!(refused("not_granted")["reason"], "GRANT_MISSING");
    assert_eq!(refused("faulty")["code"], "INVALID_ARGUMENT");
    let fields = refused("faulty")["fields"].clone();
    let expected = [
        "inquiry.official_id",
        "claims.number",
        "claims.full_name",
        "claims.birth_date",
    ];
    assert_eq!(fields, json!(expected));
    gateway.stop().await;
}

fn questions_about(gateway: &TestGateway, person: &Citizen) -> Value {
    let right = claims(person);
    let right = json!({
        "number": right.number, "full_name": right.full_name, "birth_date": right.birth_date,
    });
    let mut wrong = right.clone();
    wrong["birth_date"] = json!("1901-01-01");
    let inquiry = json!({
        "purpose_code": "CIVIL_STATUS", "official_id": "python.client", "dossier_code": DOSSIER,
    });
    let mut unbound = inquiry.clone();
    unbound["dossier_code"] = json!("");
    let mut not_granted = inquiry.clone();
    not_granted["purpose_code"] = json!("TAX");
    let ask = |method: &str, request: Value| json!({ "method": method, "request": request });
    let verify = |inquiry: &Value, claims: &Value| {
        ask(
            "VerifyCitizen",
            json!({ "inquiry": inquiry, "claims": claims }),
        )
    };
    let fields = [
        "CITIZEN_FIELD_PERMANENT_RESIDENCE",
        "CITIZEN_FIELD_RELIGION",
    ];
    let files = gateway.identity("H56", "motcua");
    json!({
        "where": {
            "address": gateway.address().to_string(),
            "ca": gateway.folder().join("ca.pem"),
            "cert": files.certificate_chain,
            "key": files.private_key,
        },
        "ask": {
            "right": verify(&inquiry, &right),
            "wrong": verify(&inquiry, &wrong),
            "look_up": ask("GetCitizen", json!({ "inquiry": inquiry, "claims": right, "fields": fields })),
            "unbound": verify(&unbound, &right),
            "not_granted": verify(&not_granted, &right),
            "faulty": verify(
                &json!({ "purpose_code": "CIVIL_STATUS", "dossier_code": DOSSIER }),
                &json!({ "number": "1", "full_name": "123", "birth_date": "yesterday" }),
            ),
        },
    })
}
