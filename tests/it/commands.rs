//! An operator's day on the command line against a whole gateway: see, understand, mend, have approved, report.

use lienthong_cli::Exit;
use lienthong_services::problems::ProblemKind;
use lienthong_tests::harness::{TestGateway, events};
use serde_json::Value;

use crate::client::run;

const CODE: &str = "H21.17-240823-0001";
const ACTS: (&str, &str) = ("G22", "vanhanh");
const APPROVES: (&str, &str) = ("G22", "duyet");
const LOOKS: (&str, &str) = ("G22", "xem");

/// A gateway where each replay needs a second person, with one dossier parked and the portal mended again.
async fn with_a_parked_dossier() -> TestGateway {
    let gateway = TestGateway::start_with(|config| {
        config.operators.replay_approval_above = 0;
    })
    .await;
    gateway.park("H21", events::life(CODE)).await;
    gateway
}

/// The codes of the overview's problems.
async fn problems(gateway: &TestGateway) -> (Exit, Vec<String>) {
    let (exit, overview) = run(gateway, LOOKS, &["overview", "--check"]).await;
    let problems = overview["problems"].as_array().expect("a list");
    let code = |problem: &Value| problem["code"].as_str().expect("a name").to_owned();
    (exit, problems.iter().map(code).collect())
}

#[tokio::test]
async fn a_parked_dossier_is_seen_replayed_with_a_second_person_and_reported() {
    let gateway = with_a_parked_dossier().await;
    gateway
        .until("the overview tells of the parked dossier", async || {
            let (exit, problems) = problems(&gateway).await;
            exit != Exit::Ok && problems.contains(&"DELIVERIES_PARKED".to_owned())
        })
        .await;
    let (_, group) = run(&gateway, LOOKS, &["parked", "groups", "--province", "H21"]).await;
    assert_eq!(group["deliveries"], 1);
    let error_group = group["error_group"].as_str().expect("a name");
    let (_, listed) = run(
        &gateway,
        LOOKS,
        &["parked", "list", "--error-group", error_group],
    )
    .await;
    assert_eq!(listed["delivery"]["dossier_code"], CODE);

    replay_with_a_second_person(&gateway, error_group).await;
    gateway.drained().await;

    let (_, action) = run(
        &gateway,
        LOOKS,
        &["actions", "--by", "G22/duyet", "--limit", "1"],
    )
    .await;
    assert_eq!(action["reason"], "đã xem một hồ sơ mẫu", "{action}");
    let (_, report) = run(&gateway, LOOKS, &["report", "day", "--province", "H21"]).await;
    let row = &report["rows"][0];
    let statuses = events::life(CODE).len();
    assert_eq!(row["root_code"], "H21", "{report}");
    assert_eq!(
        (&row["accepted"], &row["delivered"]),
        (&statuses.into(), &statuses.into())
    );
    assert_eq!(row["parked"], 1);
    gateway.stop().await;
}

/// A plan, one operation for two requests, and the approval of another person.
async fn replay_with_a_second_person(gateway: &TestGateway, error_group: &str) {
    let words = [
        "parked",
        "replay",
        "--error-group",
        error_group,
        "--reason",
        "đã sửa danh mục",
    ];
    let (exit, planned) = run(gateway, ACTS, &[&words[..], &["--dry-run"]].concat()).await;
    assert_eq!(
        (exit, &planned["plan"]["would_replay"]),
        (Exit::Ok, &1.into())
    );
    assert_eq!(planned["carried_out"], false);
    let certain = [&words[..], &["--yes", "--operation-key", "sua-danh-muc"]].concat();
    let (exit, asked) = run(gateway, ACTS, &certain).await;
    assert_eq!(exit, Exit::Later, "a second person must approve: {asked}");
    let (_, again) = run(gateway, ACTS, &certain).await;
    let number = asked["operation"]["operation_id"].to_string();
    assert_eq!(
        again["operation"]["operation_id"].to_string(),
        number,
        "one key, one operation"
    );

    let approve = [
        "operations",
        "approve",
        &number,
        "--reason",
        "đã xem một hồ sơ mẫu",
    ];
    assert_eq!(
        run(gateway, ACTS, &approve).await.0,
        Exit::Configuration,
        "not by oneself"
    );
    assert_eq!(run(gateway, APPROVES, &approve).await.0, Exit::Ok);
    let follow = ["operations", "show", &number, "--follow"];
    let (exit, done) = run(gateway, LOOKS, &follow).await;
    assert_eq!((exit, &done["moved"]), (Exit::Ok, &1.into()), "{done}");
}

#[tokio::test]
async fn a_pause_is_seen_everywhere_and_a_viewer_cannot_make_one() {
    let gateway = TestGateway::start().await;
    let pause = ["destinations", "pause", "dvcqg", "--reason", "bảo trì"];
    assert_eq!(run(&gateway, LOOKS, &pause).await.0, Exit::Configuration);
    let (_, paused) = run(&gateway, ACTS, &pause).await;
    assert_eq!(paused["state"], "DESTINATION_STATE_PAUSED");
    gateway
        .until("the overview tells of the pause", async || {
            let (_, problems) = problems(&gateway).await;
            problems.contains(&"DESTINATION_PAUSED".to_owned())
        })
        .await;
    let (_, queues) = run(&gateway, LOOKS, &["queues"]).await;
    assert_eq!(queues["queues"][0]["destination"], "dvcqg");
    let resume = ["destinations", "resume", "dvcqg", "--reason", "xong"];
    assert_eq!(run(&gateway, ACTS, &resume).await.0, Exit::Ok);
    gateway
        .until("nothing needs a person any more", async || {
            problems(&gateway).await == (Exit::Ok, Vec::new())
        })
        .await;
    let figures = ["figures", "no_such_figure"];
    assert_eq!(run(&gateway, LOOKS, &figures).await.0, Exit::DataRefused);
    // Whatever the overview names has its page.
    for name in ProblemKind::ALL.map(ProblemKind::name) {
        let (exit, page) = run(&gateway, LOOKS, &["explain", name]).await;
        assert_eq!((exit, &page["code"]), (Exit::Ok, &name.into()));
    }
    gateway.stop().await;
}
