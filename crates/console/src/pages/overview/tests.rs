use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::{DestinationName, DossierCode, OperatorRole};
use lienthong_ports::broker::BrokerState;
use lienthong_ports::operators::{DelayHistogram, SampleKey, SamplePoint};
use lienthong_ports::store::{BreakerRecord, DestinationRow};
use lienthong_services::overview::{DestinationFlow, ProcessFigures, ProvinceFlow};
use lienthong_services::problems::{Problem, ProblemKind};
use lienthong_services::{DestinationState, QueueState};

use super::*;
use crate::language::Language;
use crate::pages::sample::{self, LANGUAGES, ago, has, is_harmless};

fn name() -> DestinationName {
    DestinationName::parse("dvcqg").unwrap()
}

fn code() -> DossierCode {
    DossierCode::parse("H56.14-240823-0001").unwrap()
}

fn flow() -> DestinationFlow {
    DestinationFlow {
        state: DestinationState {
            row: DestinationRow {
                name: name(),
                lane: LanePolicy::Hold,
                paused: None,
                breaker: BreakerRecord::default(),
            },
            concurrency_limit: 32,
            in_flight: 4,
            now: sample::now(),
        },
        waiting: 1_234,
        parked: 7,
        oldest: Some((code(), ago(200))),
        accepted_per_minute: 120.0,
        delivered_per_minute: 98.5,
        parked_per_minute: 0.0,
        retried_per_minute: 1.0,
        drained_in: Some(Duration::from_secs(750)),
        delays: DelayHistogram::default(),
    }
}

fn province(root: &str, waits: Option<i64>) -> ProvinceFlow {
    ProvinceFlow {
        destination: name(),
        root: root.to_owned(),
        accepted_today: 50,
        delivered_today: 40,
        parked_today: 2,
        oldest: waits.map(|seconds| (code(), ago(seconds))),
        accepted_per_minute: 3.0,
    }
}

fn data(problems: Vec<Problem>) -> Data {
    let overview = Overview {
        measured_at: sample::now(),
        problems,
        destinations: vec![flow()],
        provinces: vec![
            province("H21", None),
            province("H08", Some(30)),
            province("H56", Some(200)),
        ],
        queues: QueueState {
            counts: Vec::new(),
            broker: BrokerState::default(),
            depths: Vec::new(),
            topology_fault: None,
            now: sample::now(),
        },
        operations: Vec::new(),
        parked_groups: Vec::new(),
        process: ProcessFigures {
            accept_ms: Some((1.25, 8.0)),
            disk_free_bytes: Some(5 << 30),
            identity_per_minute: Some((60, 1, 0)),
            certificate_ends_at: Some(sample::now() + Duration::from_hours(240)),
            ..ProcessFigures::default()
        },
    };
    let point = |minute: i64, value: f64| SamplePoint {
        at: ago(60 * (60 - minute)),
        value,
        max: value,
    };
    let key = SampleKey {
        name: "delivered_per_minute".to_owned(),
        about: "dvcqg".to_owned(),
    };
    let points =
        (0..30).map(|minute| point(minute, 90.0 + f64::from(u8::try_from(minute).unwrap())));
    Data {
        overview: Arc::new(overview),
        history: History {
            hours: 1,
            destination: "dvcqg".to_owned(),
            until: sample::now(),
            figures: BTreeMap::from([(key, points.collect())]),
        },
    }
}

fn problem(kind: ProblemKind, severity: Severity, about: &str) -> Problem {
    Problem {
        kind,
        severity,
        about: about.to_owned(),
        since: Some(ago(600)),
        figure: 7,
    }
}

fn rendered(language: Language, data: &Data) -> String {
    let html = view(&sample::frame(language, OperatorRole::Viewer), data).into_string();
    is_harmless(&html);
    html
}

#[test]
fn a_calm_gateway_says_so_in_its_first_sentence() {
    let data = data(Vec::new());
    for language in LANGUAGES {
        let html = rendered(language, &data);
        let (verdict, totals) = language.t(
            ("Trạng thái đang được gửi đi bình thường.", "Đang gửi 98,5/phút; 1.234 lượt gửi đang chờ, lâu nhất đã 3 phút 20 giây; 7 tạm giữ."),
            ("Statuses flow.", "Delivering 98.5/min; 1,234 deliveries waiting, the oldest for 3 min 20 s; 7 parked."),
        );
        has(
            &html,
            &[
                "verdict good",
                verdict,
                totals,
                "href=\"/parked?destination=dvcqg\"",
            ],
        );
        assert!(!html.contains("callout"), "no problem, no callout");
    }
}

#[test]
fn every_problem_has_a_meaning_and_a_next_step() {
    let kinds = ProblemKind::ALL;
    let problems = kinds.map(|kind| problem(kind, Severity::Warning, "dvcqg"));
    let data = data(problems.to_vec());
    for language in LANGUAGES {
        let html = rendered(language, &data);
        let callouts = html.matches("class=\"callout warning\"").count();
        assert_eq!(callouts, kinds.len());
        has(
            &html,
            &[
                "verdict warning",
                "href=\"/destinations/dvcqg\"",
                "href=\"/dossiers/H56.14-240823-0001\"",
                "href=\"/parked?parked=crash_suspect\"",
                "href=\"/participants#guards\"",
            ],
        );
    }
}

#[test]
fn a_critical_problem_is_counted_in_the_verdict() {
    let data = data(vec![
        problem(ProblemKind::BreakerOpen, Severity::Critical, "dvcqg"),
        problem(ProblemKind::DeliveriesParked, Severity::Warning, "dvcqg"),
    ]);
    let html = rendered(LANGUAGES[0], &data);
    has(
        &html,
        &[
            "verdict bad",
            "Có 2 vấn đề, trong đó 1 vấn đề cần xử lý ngay.",
        ],
    );
}

#[test]
fn a_figure_has_the_tone_of_the_problem_it_causes() {
    let figures = |problems| {
        let html = rendered(LANGUAGES[0], &data(problems));
        ["good", "warning", "bad"].map(|tone| html.matches(&format!("figure {tone}")).count())
    };
    assert_eq!(figures(Vec::new()), [0, 0, 0]);
    let parked = problem(ProblemKind::DeliveriesParked, Severity::Critical, "dvcqg");
    let certificate = problem(ProblemKind::CertificateEnding, Severity::Warning, "");
    assert_eq!(figures(vec![parked, certificate]), [0, 1, 1]);
}

#[test]
fn the_province_that_waits_longest_comes_first() {
    let html = rendered(LANGUAGES[0], &data(Vec::new()));
    let place = |text: &str| html.find(text).unwrap();
    let (oldest, younger, none) = (place("Thanh Hóa (H56)"), place("H08)"), place("H21)"));
    assert!(oldest < younger && younger < none);
}

#[test]
fn charts_tell_what_they_show_and_what_is_missing() {
    let html = rendered(LANGUAGES[1], &data(Vec::new()));
    has(
        &html,
        &[
            "Delivered: latest 119/min, highest 119/min.",
            "No figures yet",
        ],
    );
    assert_eq!(html.matches("<figure").count(), 4);
}
