use std::time::Duration;

use jiff::civil::date;
use lienthong_domain::{DestinationName, DossierCode, OperatorRole};
use lienthong_ports::operators::{DelayHistogram, Lag, OverdueDossier, SlowDossier};
use lienthong_services::report::ReportRow;

use super::*;
use crate::pages::sample::{self, HOSTILE, LANGUAGES, ago, has, is_harmless};

fn report() -> Report {
    let destination = DestinationName::parse("dvcqg").unwrap();
    let code = DossierCode::parse("H56.14-240823-0001").unwrap();
    let mut delays = DelayHistogram::default();
    delays.add(DelayHistogram::bucket(Duration::from_secs(2)), 10);
    let row = |root: Option<&str>| ReportRow {
        destination: destination.clone(),
        root: root.map(str::to_owned),
        accepted: 1_234,
        delivered: 1_200,
        parked: 3,
        retried: 4,
        given_up: 0,
        delays: delays.clone(),
    };
    Report {
        made_at: sample::now(),
        days: Span {
            first: date(2026, 11, 21),
            last: date(2026, 11, 21),
        },
        due_until: sample::now() + Duration::from_hours(1),
        rows: vec![row(Some("H56")), row(None)],
        slow: vec![SlowDossier {
            day: date(2026, 11, 21),
            destination: destination.clone(),
            dossier: code.clone(),
            sequence: 2,
            delay: Duration::from_mins(125),
        }],
        overdue: vec![OverdueDossier {
            dossier: code,
            procedure: None,
            due_at: ago(60),
            lanes: vec![Lag {
                destination,
                undelivered: 2,
                parked: 1,
            }],
        }],
    }
}

fn typed(pairs: &[(&str, &str)]) -> Typed {
    Typed::read(&Params::of(pairs), date(2026, 11, 21))
}

#[test]
fn a_report_has_a_sentence_tables_and_downloads() {
    let data = Data {
        typed: typed(&[("root", "H56")]),
        faulty: Faulty::default(),
        report: Some(report()),
    };
    for language in LANGUAGES {
        let frame = sample::frame(language, OperatorRole::Viewer);
        let html = view(&frame, &data).into_string();
        is_harmless(&html);
        let (sentence, late) = language.t(
            (
                "Ngày 21/11/2026: tiếp nhận 1.234, đã gửi 1.200, tạm giữ 3 lượt.",
                "quá hạn",
            ),
            (
                "21/11/2026: 1,234 accepted, 1,200 delivered, 3 parked.",
                "past due",
            ),
        );
        has(
            &html,
            &[
                sentence,
                late,
                "Thanh Hóa (H56)",
                "href=\"/reports.csv?period=day&amp;day=2026-11-21&amp;root=H56&amp;hours=8\"",
            ],
        );
    }
}

#[test]
fn months_are_whole_and_faults_stand_beside_their_fields() {
    let month = typed(&[("period", "month"), ("day", "2026-02-14")])
        .request()
        .unwrap();
    assert_eq!(
        (month.days.first, month.days.last),
        (date(2026, 2, 1), date(2026, 2, 28))
    );
    let faulty = typed(&[("day", HOSTILE), ("root", "Huế"), ("hours", "0")]);
    let faults = faulty.request().expect_err("three faults");
    assert_eq!(faults.len(), 3);
    let data = Data {
        typed: faulty,
        faulty: Faulty::of(&faults),
        report: None,
    };
    let html = view(&sample::frame(LANGUAGES[0], OperatorRole::Viewer), &data).into_string();
    is_harmless(&html);
    has(
        &html,
        &[
            "id=\"day-error\"",
            "id=\"root-error\"",
            "id=\"hours-error\"",
        ],
    );
}

#[tokio::test]
async fn files_hold_the_same_rows() {
    let report = report();
    let text = |response: Response| async {
        let body = axum::body::to_bytes(response.into_body(), 1 << 20)
            .await
            .unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    };
    let csv = text(files::csv(&report)).await;
    let lines = csv
        .trim_start_matches('\u{feff}')
        .lines()
        .collect::<Vec<_>>();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[1].starts_with("dvcqg,H56,Thanh Hóa,1234,1200,3,4,0,2."),
        "{}",
        lines[1]
    );
    assert!(lines[2].starts_with("dvcqg,,,1234,"), "{}", lines[2]);
    let json = text(files::json(&report)).await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["rows"][0]["name"], "Thanh Hóa");
    assert_eq!(json["overdue_dossiers"][0]["parked"], 1);
}
