//! Reports against the fake, in each form.

use super::*;
use crate::fake::FakeGateway;

#[tokio::test]
async fn a_day_is_today_in_vietnam_and_a_month_is_whole() {
    let gateway = FakeGateway::kind().await;
    for words in [
        &["report", "day"][..],
        &["report", "month"],
        &["report", "month", "2024-02"],
        &[
            "report",
            "day",
            "2026-10-31",
            "--province",
            "H08",
            "--overdue-hours",
            "16",
            "--dossiers",
            "50",
        ],
    ] {
        assert_eq!(gateway.run(words).await.exit, Exit::Ok);
    }
    let duty = gateway.duty();
    let days = duty.reports.iter();
    let days = days.map(|asked| (asked.first_day.as_str(), asked.last_day.as_str()));
    let expected = [
        ("2026-11-20", "2026-11-20"),
        ("2026-11-01", "2026-11-30"),
        ("2024-02-01", "2024-02-29"),
        ("2026-10-31", "2026-10-31"),
    ];
    assert_eq!(days.collect::<Vec<_>>(), expected);
    let last = &duty.reports[3];
    assert_eq!(
        (
            last.root_code.as_str(),
            last.overdue_working_hours,
            last.dossiers_max
        ),
        ("H08", 16, 50)
    );
}

#[tokio::test]
async fn the_table_has_human_units() {
    let gateway = FakeGateway::kind().await;
    let ran = gateway.run(&["report", "day"]).await;
    let expected = "\
Báo cáo liên thông / report 20/11/2026
destination  code  province    accepted  delivered  parked  retried  given up  median      p99
dvcqg        H56   Thanh Hóa      12345      12300       3       40         1  180 ms  2 m 5 s
dvcqg              cộng / sum     12345      12300       3       40         1  180 ms  2 m 5 s

Chậm nhất / slowest
destination  dossier             sequence  day           delay
dvcqg        H56.14-261120-0001         4  2026-11-20  2 h 5 m
";
    assert!(ran.data.starts_with(expected), "{}", ran.data);
}

#[tokio::test]
async fn every_form_goes_to_a_file_or_to_stdout() {
    let gateway = FakeGateway::kind().await;
    let file = gateway.path("bao-cao.html");
    let name = file.to_str().unwrap();
    let words = ["report", "day", "--format", "html", "--output", name];
    let ran = gateway.run(&words).await;
    assert_eq!(
        (ran.exit, ran.data.as_str()),
        (Exit::Ok, ""),
        "{}",
        ran.talk
    );
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(
        page.starts_with("<!DOCTYPE html><html lang=\"vi\">"),
        "{page}"
    );
    assert!(page.contains("12.345"), "{page}");
    assert!(page.contains("H56.14-261119-&lt;b&gt;"), "{page}");
    assert!(page.contains("đã quá hạn"), "{page}");
    for outside in ["http:", "https:", "src=", "<script", "@import"] {
        assert!(!page.contains(outside), "{outside} in {page}");
    }
    let csv = gateway
        .run(&[
            "report", "month", "--format", "csv", "--part", "overdue", "--bom",
        ])
        .await;
    let expected = "\u{feff}dossier_code,procedure_code,due_at,past_due,undelivered,parked\r\n\
        H56.14-261119-<b>,1.001193,2026-11-20T01:30:00Z,true,2,1\n";
    assert_eq!(csv.data, expected);
    let json = gateway.run(&["report", "day", "--json"]).await.object();
    assert_eq!(json["rows"][0]["delay_p99"], "125s");
    let nowhere = gateway.path("none/a.csv");
    let words = ["report", "day", "--output", nowhere.to_str().unwrap()];
    let ran = gateway.run(&words).await;
    assert_eq!(ran.exit, Exit::Internal);
    assert!(ran.talk.contains("none/a.csv"), "{}", ran.talk);
}
