//! The overview against the fake: what is told, and what cron learns.

use super::*;
use crate::fake::FakeGateway;

fn problem(severity: Severity) -> Problem {
    Problem {
        code: "BREAKER_OPEN".into(),
        severity: severity.into(),
        about: "dvcqg".into(),
        since: None,
        meaning_vi: "Cổng DVCQG không trả lời đúng.".into(),
        meaning_en: "The portal does not answer properly.".into(),
        action_vi: "Báo đơn vị quản lý dvcqg.".into(),
        action_en: "Tell the people of dvcqg.".into(),
    }
}

#[tokio::test]
async fn cron_learns_from_the_exit_code_how_bad_it_is() {
    let table = [
        (vec![], Exit::Ok),
        (vec![problem(Severity::Warning)], Exit::NotSo),
        (
            vec![problem(Severity::Warning), problem(Severity::Critical)],
            Exit::Critical,
        ),
    ];
    let gateway = FakeGateway::kind().await;
    for (problems, exit) in table {
        gateway.duty().problems = problems;
        let checked = gateway.run(&["overview", "--check"]).await;
        assert_eq!(checked.exit, exit, "{}", checked.data);
        assert_eq!(gateway.run(&["status"]).await.exit, Exit::Ok);
    }
}

#[tokio::test]
async fn a_problem_is_told_with_its_next_step_in_both_languages() {
    let gateway = FakeGateway::kind().await;
    gateway.duty().problems = vec![problem(Severity::Critical)];
    let ran = gateway.run(&["overview"]).await;
    let expected = "\
ÁCH TẮC: 1 vấn đề, có việc nghiêm trọng / STUCK: 1 problem(s), some critical  (20/11/2026 08:30:00)

BREAKER_OPEN dvcqg [NGHIÊM TRỌNG / CRITICAL]
  Cổng DVCQG không trả lời đúng.
  The portal does not answer properly.
  -> Báo đơn vị quản lý dvcqg.
  -> Tell the people of dvcqg.

destination  waiting  parked    oldest  oldest dossier      accepted/min  delivered/min  parked/min  drained in     p50    p99
dvcqg           1234      17  21 m 2 s  H56.14-261120-0001            62             58           0           -  180 ms  2.4 s
";
    let start: String = ran.data.split_inclusive('\n').take(10).collect();
    assert_eq!(start, expected);
    assert!(
        ran.data
            .contains("dvcqg        H05   Bà Rịa - Vũng Tàu     4.0 s"),
        "{}",
        ran.data
    );
    assert!(
        ran.data.contains("đĩa trống / disk free 53248 MiB"),
        "{}",
        ran.data
    );
    let json = gateway.run(&["overview", "--json"]).await.object();
    assert_eq!(json["problems"][0]["code"], "BREAKER_OPEN");
}

#[tokio::test]
async fn the_small_commands_ask_for_what_the_line_says() {
    let gateway = FakeGateway::kind().await;
    let queues = gateway.run(&["queues"]).await;
    assert!(queues.data.contains("4 old messages"), "{}", queues.data);
    let listed = gateway.run(&["destinations", "list"]).await;
    assert!(listed.data.contains("58    21 m 8 s"), "{}", listed.data);
    let pause = ["destinations", "pause", "dvcqg", "--reason", "bảo trì"];
    assert!(
        gateway
            .run(&pause)
            .await
            .data
            .contains("G15/hotich: bảo trì")
    );

    let actions = [
        "actions",
        "--kind",
        "pause",
        "--since",
        "2026-11-01",
        "--limit",
        "4",
    ];
    let told = gateway.run(&actions).await;
    assert_eq!(told.data.lines().count(), 5, "{}", told.data);
    assert!(told.data.contains("bảo trì\u{FFFD}[2J"), "{}", told.data);
    assert!(told.talk.contains("--limit"), "{}", told.talk);
    assert_eq!(gateway.duty().actions_asked.len(), 2, "two pages");
    assert_eq!(gateway.duty().actions_asked[1].kind, "pause");

    let figures = [
        "figures",
        "delivered_per_minute:dvcqg",
        "waiting:unknown",
        "--last",
        "1h",
    ];
    let told = gateway.run(&figures).await;
    assert!(
        told.data
            .contains("delivered_per_minute  dvcqg   7.5    15"),
        "{}",
        told.data
    );
    assert!(told.data.contains("▁▂▃█"), "{}", told.data);
    assert!(told.talk.contains("1 trong 2"), "{}", told.talk);
    let asked = gateway.duty().figures[0].clone();
    let (since, until) = (asked.since.unwrap(), asked.until.unwrap());
    assert_eq!(until.seconds - since.seconds, 3_600);

    let log = ["log", "debug", "--for", "90s", "--reason", "xem"];
    let told = gateway.run(&log).await;
    assert_eq!(
        told.data,
        "debug trong 2 m 0 s / for 2 m 0 s; trước đó / before: info\n"
    );
    let back = ["log", "configured", "--for", "0m", "--reason", "xong"];
    assert_eq!(gateway.run(&back).await.exit, Exit::Ok);
    let duty = gateway.duty();
    assert_eq!(
        (duty.filters[0].filter.as_str(), duty.filters[0].minutes),
        ("debug", 2)
    );
    assert_eq!(
        (duty.filters[1].filter.as_str(), duty.filters[1].minutes),
        ("", 0)
    );
}
