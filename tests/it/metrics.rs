//! What the gateway tells of itself: names that hold, rules that fire, a dashboard that finds its figures.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use lienthong_domain::DossierCode;
use lienthong_proto::dossier::v1::{GetDossierRequest, PushStatusRequest};
use lienthong_services::problems::ProblemKind;
use lienthong_testkit::prometheus;
use lienthong_tests::harness::acts::rejecting;
use lienthong_tests::harness::citizens::{DOSSIER, citizen, claims, for_dossier, verify};
use lienthong_tests::harness::{TestGateway, events};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const CODE: &str = "H21.17-240823-0001";
const LATE: &str = "H21.17-240823-0002";
/// Ends of the series of a histogram.
const HISTOGRAM_ENDS: [&str; 3] = ["_bucket", "_count", "_sum"];

fn deploy() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().join("deploy")
}

fn read(file: &str) -> String {
    fs::read_to_string(deploy().join(file)).expect(file)
}

async fn get(gateway: &TestGateway, path: &str, accept: &str) -> (u16, String) {
    let address = gateway.running().metrics_address.expect("metrics are on");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: {accept}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

async fn metrics(gateway: &TestGateway) -> String {
    get(gateway, "/metrics", "*/*").await.1
}

/// The value of a series, written as in the text.
fn figure(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    line.and_then(|rest| rest.trim().parse().ok())
}

/// A gateway that has taken, delivered, refused and parked something.
async fn busy_gateway() -> TestGateway {
    let gateway = TestGateway::start().await;
    let rejecting = rejecting(vec![LATE.to_owned()]);
    gateway.portal.set_faults(rejecting).unwrap();
    let mut client = gateway.province("H21");
    let mut push = async |event| client.push_status(PushStatusRequest { event }).await;
    for event in events::life(CODE) {
        push(Some(event)).await.unwrap();
    }
    push(events::life(CODE).into_iter().next()).await.unwrap();
    push(events::life(LATE).into_iter().next()).await.unwrap();
    push(None).await.unwrap_err();
    let unknown = GetDossierRequest {
        dossier_code: "H21.17-240823-0009".to_owned(),
    };
    client.get_dossier(unknown).await.unwrap_err();
    gateway
}

#[tokio::test]
async fn a_scrape_tells_what_happened() {
    let gateway = busy_gateway().await;
    let lived = events::life(CODE).len();
    let lived = f64::from(u32::try_from(lived).unwrap());
    let accepted = "lienthong_statuses_accepted_total{province=\"H21\"}";
    let delivered = "lienthong_deliveries_delivered_total{destination=\"dvcqg\",province=\"H21\"}";
    let parked = "lienthong_deliveries_parked_total{destination=\"dvcqg\",reason=\"rejected\"}";
    gateway
        .until("everything is delivered or parked, and told", async || {
            let text = metrics(&gateway).await;
            figure(&text, delivered) == Some(lived) && figure(&text, parked) == Some(1.0)
        })
        .await;
    let problem = "lienthong_problem_active{problem=\"DELIVERIES_PARKED\",severity=\"warning\",about=\"dvcqg\"}";
    gateway
        .until("the gateway has looked at itself", async || {
            figure(&metrics(&gateway).await, problem) == Some(1.0)
        })
        .await;
    let text = metrics(&gateway).await;
    let expected = [
        (accepted, lived + 1.0),
        ("lienthong_statuses_repeated_total", 1.0),
        (
            "lienthong_statuses_refused_total{reason=\"INVALID_FIELDS\"}",
            1.0,
        ),
        (
            "lienthong_deliveries{destination=\"dvcqg\",state=\"parked\"}",
            1.0,
        ),
        (
            "lienthong_breaker_state{destination=\"dvcqg\",state=\"closed\"}",
            1.0,
        ),
        ("lienthong_broker_connected", 1.0),
        (
            "lienthong_rpc_requests_total{method=\"DossierService/GetDossier\",code=\"NOT_FOUND\"}",
            1.0,
        ),
        (
            "lienthong_rpc_requests_total{method=\"DossierService/PushStatus\",code=\"OK\"}",
            lived + 2.0,
        ),
        ("lienthong_broker_queue_consumers{queue=\"dvcqg\"}", 1.0),
    ];
    for (series, value) in expected {
        assert_eq!(figure(&text, series), Some(value), "{series}");
    }
    for positive in [
        "lienthong_store_commit_items_count",
        "lienthong_store_disk_free_bytes{}",
        "lienthong_certificate_remaining_seconds",
        "lienthong_accept_duration_seconds_sum",
        "lienthong_delivery_end_to_end_seconds_count{destination=\"dvcqg\"}",
        "lienthong_looked_at_timestamp_seconds",
        "process_resident_memory_bytes",
    ] {
        assert!(
            figure(&text, positive).is_some_and(|value| value > 0.0),
            "{positive}"
        );
    }
    let offset = "lienthong_destination_clock_offset_seconds{destination=\"dvcqg\"}";
    let offset = figure(&text, offset).expect("the simulator tells its time");
    assert!(offset.abs() < 5.0, "{offset}");
    assert_eq!(get(&gateway, "/ready", "*/*").await.0, 200);
    gateway.stop().await;
}

#[tokio::test]
async fn questions_about_citizens_are_counted_and_nobody_is_named() {
    let gateway = TestGateway::start().await;
    let event = Some(events::first(DOSSIER));
    let mut province = gateway.province("H56");
    let pushed = province.push_status(PushStatusRequest { event });
    pushed.await.unwrap();
    let somebody = citizen(&gateway.population, 0);
    let mut client = gateway.citizens("H56", "motcua");
    let question = verify(for_dossier(DOSSIER), claims(&somebody));
    client.verify_citizen(question).await.unwrap();
    let elsewhere = verify(for_dossier("H56.99-240823-0099"), claims(&somebody));
    client.verify_citizen(elsewhere).await.unwrap_err();
    let text = metrics(&gateway).await;
    let question = |outcome: &str| {
        let start = "lienthong_identity_questions_total{kind=\"verify\"";
        figure(&text, &format!("{start},outcome=\"{outcome}\"}}"))
    };
    assert_eq!(
        (question("matched"), question("refused")),
        (Some(1.0), Some(1.0))
    );
    for (series, value) in [
        (
            "lienthong_identity_question_duration_seconds_count{kind=\"verify\"}",
            2.0,
        ),
        (
            "lienthong_population_calls_total{outcome=\"answered\"}",
            1.0,
        ),
        (
            "lienthong_identity_guard_actions_total{action=\"held\"}",
            0.0,
        ),
    ] {
        assert_eq!(figure(&text, series), Some(value), "{series}");
    }
    let number = claims(&somebody).number;
    assert!(!number.is_empty() && !text.contains(&number));
    gateway.stop().await;
}

#[tokio::test]
async fn no_dossier_and_no_person_is_ever_named() {
    let gateway = busy_gateway().await;
    let (_, text) = get(&gateway, "/metrics", "application/openmetrics-text").await;
    assert!(text.ends_with("# EOF\n"));
    assert!(!text.contains(CODE) && !text.contains("Nguyễn"));
    let root = DossierCode::parse(CODE).unwrap().agency().root();
    assert!(text.contains(root.as_str()), "the province is");
    gateway.stop().await;
}

#[tokio::test]
async fn the_disk_running_full_is_told_to_probes_and_alerts() {
    let gateway = TestGateway::start_with(|config| config.store.reserve_mib = 1 << 40).await;
    let full =
        "lienthong_problem_active{problem=\"DISK_FULL\",severity=\"critical\",about=\"gateway\"}";
    gateway
        .until("the gateway has seen its disk", async || {
            figure(&metrics(&gateway).await, full) == Some(1.0)
        })
        .await;
    assert_eq!(get(&gateway, "/ready", "*/*").await.0, 503);
    assert_eq!(get(&gateway, "/live", "*/*").await.0, 200);
    gateway.stop().await;
}

/// Runs promtool on a text; `None` where it is not installed.
fn promtool(arguments: &[&str], input: &str) -> Option<Output> {
    let program = prometheus::program("promtool").expect("promtool is there if it must be")?;
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(deploy().join("prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    Some(child.wait_with_output().unwrap())
}

fn assert_content(what: &str, output: Option<Output>) {
    let Some(output) = output else { return };
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {said}");
}

#[tokio::test]
async fn promtool_has_nothing_against_the_names() {
    let gateway = busy_gateway().await;
    gateway
        .until("traffic is told", async || {
            metrics(&gateway).await.contains("_bucket")
        })
        .await;
    let text = metrics(&gateway).await;
    let checked = promtool(&["check", "metrics"], &text);
    if let Some(output) = &checked {
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said, "", "promtool complains");
    }
    assert_content("check metrics", checked);
    gateway.stop().await;
}

#[test]
fn promtool_accepts_rules_configuration_and_stories() {
    assert_content(
        "rules",
        promtool(&["check", "rules", "lienthong.rules.yml"], ""),
    );
    assert_content(
        "configuration",
        promtool(&["check", "config", "prometheus.yml"], ""),
    );
    assert_content(
        "stories",
        promtool(&["test", "rules", "lienthong.rules.test.yml"], ""),
    );
}

/// Names of figures in a text: what stands before a brace, a bracket or an operator and begins like one of ours.
fn names_in(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words = text.split(|letter| !is_part(letter));
    let ours = words.filter(|word| word.starts_with("lienthong_") || word.starts_with("process_"));
    ours.map(str::to_owned).collect()
}

#[tokio::test]
async fn every_figure_that_rules_and_dashboard_name_exists() {
    let gateway = TestGateway::start().await;
    let text = metrics(&gateway).await;
    gateway.stop().await;
    let mut known = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        known.insert(name.to_owned());
        if kind == "histogram" {
            known.extend(HISTOGRAM_ENDS.map(|end| format!("{name}{end}")));
        }
    }
    assert!(known.len() > 60, "{known:?}");
    let rules = read("prometheus/lienthong.rules.yml");
    let expressions = rules
        .lines()
        .filter(|line| line.trim_start().starts_with("expr:"));
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("grafana/lienthong-overview.json")).unwrap();
    let sources = [
        ("rules", expressions.collect::<Vec<_>>().join("\n")),
        ("stories", read("prometheus/lienthong.rules.test.yml")),
        ("dashboard", all_expressions(&dashboard).join("\n")),
    ];
    for (source, text) in sources {
        let named = names_in(&text);
        assert!(named.len() > 10, "{source}: {named:?}");
        let missing = named.difference(&known).collect::<Vec<_>>();
        assert!(missing.is_empty(), "{source} asks for {missing:?}");
    }
    let readme = read("README.md");
    // Names cut short with dots are explained by the ones before them.
    let named = names_in(&readme);
    let missing = named
        .difference(&known)
        .filter(|name| *name != "lienthong_");
    let missing = missing.collect::<Vec<_>>();
    assert!(missing.is_empty(), "README.md names {missing:?}");
}

fn all_expressions(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match value.as_str() {
                Some(text) if key == "expr" || key == "query" => vec![text.to_owned()],
                _ => all_expressions(value),
            })
            .collect(),
        serde_json::Value::Array(items) => items.iter().flat_map(all_expressions).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("grafana/lienthong-overview.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let shown = panels.iter().filter(|panel| panel["type"] != "row");
    assert!(shown.clone().count() > 30);
    for panel in shown {
        let title = panel["title"].as_str().unwrap_or_default();
        let description = panel["description"].as_str().unwrap_or_default();
        let unit = panel["fieldConfig"]["defaults"]["unit"].as_str();
        assert!(!title.is_empty() && description.contains(" — "), "{title}");
        assert!(
            unit.is_some_and(|unit| !unit.is_empty()),
            "{title} has no unit"
        );
        assert!(
            !panel["targets"].as_array().unwrap().is_empty(),
            "{title} asks nothing"
        );
    }
}

/// The rules by alert: their lines.
fn alerts(rules: &str) -> Vec<(String, Vec<&str>)> {
    let mut alerts: Vec<(String, Vec<&str>)> = Vec::new();
    for line in rules.lines() {
        if let Some(name) = line.trim_start().strip_prefix("- alert: ") {
            alerts.push((name.to_owned(), Vec::new()));
        } else if let Some((_, lines)) = alerts.last_mut() {
            lines.push(line.trim_start());
        }
    }
    alerts
}

#[test]
fn every_alert_says_what_to_do_in_both_languages_and_has_its_story() {
    let (rules, stories) = (
        read("prometheus/lienthong.rules.yml"),
        read("prometheus/lienthong.rules.test.yml"),
    );
    let alerts = alerts(&rules);
    for (name, lines) in &alerts {
        let has = |start: &str| lines.iter().any(|line| line.starts_with(start));
        for part in [
            "severity: ",
            "for: ",
            "summary_vi: ",
            "summary_en: ",
            "description_vi: ",
            "description_en: ",
            "runbook_vi: |",
            "runbook_en: |",
            "Ý nghĩa: ",
            "Kiểm tra: ",
            "Xử lý: ",
            "Meaning: ",
            "Check: ",
            "Do: ",
        ] {
            assert!(has(part), "{name} has no `{part}`");
        }
        assert!(
            stories.contains(&format!("- name: {name}\n")),
            "{name} has no story"
        );
        let fires = format!("{{alertname=\"{name}\", ");
        assert!(stories.contains(&fires), "{name} never fires in its story");
    }
    for kind in ProblemKind::ALL {
        let camel = camel_case(kind.name());
        let rule = alerts.iter().find(|(name, _)| *name == camel);
        let (_, lines) = rule.unwrap_or_else(|| panic!("{camel} has no alert"));
        let expression = format!(
            "lienthong_problem_active{{problem=\"{}\"}} > 0",
            kind.name()
        );
        assert!(lines.contains(&&*format!("expr: {expression}")), "{camel}");
    }
}

/// `DISK_FULL` as `DiskFull`.
fn camel_case(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_owned() + &rest.to_lowercase()
    });
    words.collect()
}
