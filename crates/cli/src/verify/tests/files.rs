//! Files of persons: carried columns, faults, interruptions, and files that are not ours.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use lienthong_proto::identity::v1::JobState;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::fake::{Moods, Ran, text};

const HEADING: &str = "stt,ho_ten,so_dinh_danh,ngay_sinh,gioi_tinh,ghi chú";

/// The command for `dân cư.csv` and `answers.csv`.
async fn verify(gateway: &FakeGateway, more: &[&str]) -> Ran {
    verify_until(gateway, more, CancellationToken::new()).await
}

async fn verify_until(gateway: &FakeGateway, more: &[&str], stop: CancellationToken) -> Ran {
    let (file, out) = (
        text(&gateway.path("dân cư.csv")),
        text(&gateway.path("answers.csv")),
    );
    let words = ["verify", &file, "--out", &out, "--json"];
    gateway
        .run_until(&[&words, &WHY[..], more].concat(), stop)
        .await
}

fn answers(gateway: &FakeGateway) -> String {
    std::fs::read_to_string(gateway.path("answers.csv")).unwrap()
}

/// A file of `count` right persons, of whom every third matches.
fn persons(count: usize) -> String {
    let mut file = format!("{HEADING}\n");
    for number in 0..count {
        let name = if number.is_multiple_of(3) {
            "Lê Thị Hoà"
        } else {
            "Đỗ Văn Bảy"
        };
        writeln!(file, "{number},{name},03819{number:06}1,1991-04-30,,").unwrap();
    }
    file
}

/// Right and faulty rows of every kind, and what becomes of them.
const MIXED_ROWS: [&str; 8] = [
    "1,Lê Thị Hoà,038191012341,30/4/1991,Nữ,\"hai\r\ndòng, \"\"trích\"\"\"",
    "2,Lê Thị Hoa,012345671,1931,,",
    "3,,038191012342,31/02/1991,,thiếu tên",
    "4,Le\u{302} Thi\u{323} Hoa\u{300},038191012343,1991-04-30,,",
    "5,Đỗ Văn Bảy,038191012349,1991-04-30,nam,",
    "6,Đỗ Văn Bảy,038191012348,2030-01-01,,",
    "7,Đỗ Văn Bảy,038191012344,1991-04-30,,",
    "8,x",
];
const MIXED_ANSWERS: &str = "\u{feff}stt,ho_ten,so_dinh_danh,ngay_sinh,gioi_tinh,ghi chú,verdict,name_level,verdict_number,verdict_full_name,verdict_birth_date,verdict_sex,failure,usage_id,job_id
1,Lê Thị Hoà,038191012341,30/4/1991,Nữ,\"hai\r\ndòng, \"\"trích\"\"\",match,exact,match,match,match,match,,U-1,J-1
2,Lê Thị Hoa,012345671,1931,,,undecided,no_diacritics,undecided,undecided,undecided,,,U-2,J-1
3,,038191012342,31/02/1991,,thiếu tên,,,,,,,\"JOB_ITEM_FAULTY: ho_ten MISSING, ngay_sinh NOT_A_DATE\",,J-1
4,Le\u{302} Thi\u{323} Hoa\u{300},038191012343,1991-04-30,,,match,exact,match,match,match,,,U-3,J-1
5,Đỗ Văn Bảy,038191012349,1991-04-30,nam,,,,,,,,POPULATION_UNAVAILABLE,U-4,J-1
6,Đỗ Văn Bảy,038191012348,2030-01-01,,,,,,,,,JOB_ITEM_FAULTY,U-5,J-1
7,Đỗ Văn Bảy,038191012344,1991-04-30,,,no_match,,no_match,no_match,no_match,,,U-6,J-1
8,x,,,,,,,,,,,JOB_ITEM_FAULTY: WRONG_CELL_COUNT,,J-1
";

#[tokio::test]
async fn a_file_is_answered_row_by_row_with_all_that_it_held() {
    let gateway = FakeGateway::kind().await;
    gateway.file(
        "dân cư.csv",
        &format!("\u{feff}{HEADING}\r\n{}\r\n", MIXED_ROWS.join("\r\n")),
    );
    let ran = verify(&gateway, &[]).await;
    assert_eq!(ran.exit, Exit::DataRefused, "{}", ran.talk);
    let told = ran.object();
    let counts = [
        "items",
        "matched",
        "not_matched",
        "undecided",
        "failed",
        "faulty",
    ]
    .map(|key| told[key].clone());
    assert_eq!(
        counts.map(|count| count.as_u64().unwrap()),
        [8, 2, 1, 1, 1, 3]
    );
    assert_eq!(told["job"], "J-1");
    let named = told["faulty_lines"].as_array().unwrap().iter();
    let named: Vec<_> = named
        .map(|fault| format!("{} {}", fault["line"], fault["field"]))
        .collect();
    assert_eq!(
        named,
        ["5 \"ho_ten\"", "5 \"ngay_sinh\"", "10 \"\"", "8 \"\""]
    );
    for value in ["0381910", "Hoà", "Bảy"] {
        assert!(
            !ran.talk.contains(value) && !ran.data.contains(value),
            "{} {}",
            ran.talk,
            ran.data
        );
    }
    assert!(ran.talk.contains("ngày/tháng/năm"), "{}", ran.talk);

    assert_eq!(answers(&gateway), MIXED_ANSWERS);
    let mode = std::fs::metadata(gateway.path("answers.csv"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        gateway.record().jobs[0].erased_to,
        6,
        "the gateway may erase what was fetched"
    );

    // Repeated, the command has nothing to do and changes nothing.
    let again = verify(&gateway, &[]).await;
    assert_eq!(again.object()["matched"], 2);
    assert_eq!(answers(&gateway), MIXED_ANSWERS);
    assert_eq!(gateway.record().streams_after, [0, 6]);
}

#[tokio::test]
async fn an_upload_that_breaks_off_again_and_again_sends_every_item_once_in_bounded_messages() {
    let moods = Moods {
        break_uploads_at: [1, 700, 6_000, 6_500].into(),
        ..Moods::default()
    };
    let gateway = FakeGateway::start(moods).await;
    let long = "thôn Đông, xã Hoằng Hoá, ".repeat(9);
    let mut file = format!("{HEADING},que_quan\n");
    for number in 0..7_000 {
        writeln!(
            file,
            "{number},Lê Thị Hoà,03819{number:06}1,1991-04-30,,,\"{long}\""
        )
        .unwrap();
    }
    gateway.file("dân cư.csv", &file);
    let ran = verify(&gateway, &[]).await;
    assert_eq!(ran.exit, Exit::Ok, "{}", ran.talk);
    assert_eq!(ran.object()["matched"], 7_000);
    let record = gateway.record();
    assert_eq!((record.jobs.len(), record.jobs[0].items.len()), (1, 7_000));
    assert!(record.moods.break_uploads_at.is_empty());
    for (items, bytes) in &record.messages {
        assert!(
            *items <= 500 && *bytes <= 200 << 10,
            "{items} items, {bytes} bytes"
        );
    }
    assert!(record.messages.iter().any(|(_, bytes)| *bytes > 150 << 10));
}

#[tokio::test]
async fn an_interrupted_upload_goes_on_with_the_same_command() {
    let stop = CancellationToken::new();
    let moods = Moods {
        stop_upload_at: Some((5_500, stop.clone())),
        ..Moods::default()
    };
    let gateway = FakeGateway::start(moods).await;
    gateway.file("dân cư.csv", &persons(9_000));
    let ran = verify_until(&gateway, &[], stop).await;
    assert_eq!(ran.exit, Exit::Interrupted);
    assert!(ran.talk.contains("repeat this command"), "{}", ran.talk);
    let before = gateway.record().messages.len();
    gateway.record().moods.stop_upload_at = None;

    let ran = verify(&gateway, &[]).await;
    assert_eq!(ran.exit, Exit::Ok, "{}", ran.talk);
    let record = gateway.record();
    assert_eq!((record.jobs.len(), record.jobs[0].items.len()), (1, 9_000));
    let sent: usize = record.messages.iter().map(|(items, _)| items).sum();
    assert!(
        before > 0 && sent <= 9_000 + 5_000,
        "{sent} items were sent"
    );
    assert_eq!(ran.object()["matched"], 3_000);
}

#[tokio::test]
async fn answers_that_break_off_are_fetched_once_each() {
    let stop = CancellationToken::new();
    let moods = Moods {
        break_answers_at: [0, 1, 333].into(),
        stop_answers_at: Some((700, stop.clone())),
        ..Moods::default()
    };
    let gateway = FakeGateway::start(moods).await;
    gateway.file("dân cư.csv", &persons(1_000));
    let ran = verify_until(&gateway, &[], stop).await;
    assert_eq!(ran.exit, Exit::Interrupted, "{}", ran.talk);
    assert!(
        ran.talk.contains("lienthong verify --job J-1 --cancel"),
        "{}",
        ran.talk
    );
    let first_rows = answers(&gateway).lines().count() - 1;
    assert!((333..1_000).contains(&first_rows), "{first_rows}");
    gateway.record().moods.stop_answers_at = None;

    let ran = verify(&gateway, &[]).await;
    assert_eq!(ran.exit, Exit::Ok, "{}", ran.talk);
    assert_eq!(
        (&ran.object()["matched"], &ran.object()["answered"]),
        (&334.into(), &1_000.into())
    );
    let text = answers(&gateway);
    for (number, line) in text.lines().skip(1).enumerate() {
        assert!(line.starts_with(&format!("{number},")), "{line}");
        assert!(line.ends_with(&format!(",U-{},J-1", number + 1)), "{line}");
    }
    let record = gateway.record();
    assert_eq!(record.jobs.len(), 1);
    let after = &record.streams_after;
    assert!(after.is_sorted(), "{after:?}");
    assert!(
        after.contains(&u32::try_from(first_rows).unwrap()),
        "{after:?}: what was written is not fetched again"
    );
}

#[tokio::test]
async fn a_file_torn_at_any_byte_is_completed_to_the_same_file() {
    let moods = Moods {
        keeps_answers: true,
        ..Moods::default()
    };
    let gateway = FakeGateway::start(moods).await;
    let rows = "1,Lê Thị Hoà,038191012341,1991-04-30,,\"hai\ndòng, \"\"trích\"\"\"\n2,,,,,\n3,Đỗ Văn Bảy,038191012344,1931,,\n";
    gateway.file("dân cư.csv", &format!("\u{feff}{HEADING}\n{rows}"));
    verify(&gateway, &[]).await;
    let whole = std::fs::read(gateway.path("answers.csv")).unwrap();
    // Every byte of the rows, and some of the heading.
    let rows_at = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for length in (0..rows_at).step_by(17).chain(rows_at..whole.len()) {
        std::fs::write(gateway.path("answers.csv"), &whole[..length]).unwrap();
        let ran = verify(&gateway, &[]).await;
        assert_eq!(ran.exit, Exit::DataRefused, "{length}: {}", ran.talk);
        let found = std::fs::read(gateway.path("answers.csv")).unwrap();
        assert_eq!(
            String::from_utf8(found),
            String::from_utf8(whole.clone()),
            "{length}"
        );
    }
}

#[tokio::test]
async fn what_is_not_ours_is_left_alone() {
    let gateway = FakeGateway::kind().await;
    gateway.file("dân cư.csv", &persons(5));
    let full = verify(&gateway, &[]).await;
    assert_eq!(full.exit, Exit::Ok);
    let whole = answers(&gateway);
    let three_rows: String = whole.split_inclusive('\n').take(4).collect();
    let other_input = whole.replace("1,Đỗ Văn Bảy", "1,Đỗ Văn Tám");
    let foreign = [
        ("", "thư riêng\n", "something else"),
        ("", other_input.as_str(), "something else"),
        (
            "--job-key=other",
            three_rows.as_str(),
            "answers of job J-1, which has another key",
        ),
    ];
    for (more, content, part) in foreign {
        gateway.file("answers.csv", content);
        let more: Vec<_> = Some(more)
            .into_iter()
            .filter(|more| !more.is_empty())
            .collect();
        let ran = verify(&gateway, &more).await;
        assert_eq!(ran.exit, Exit::DataRefused, "{}", ran.talk);
        assert!(ran.talk.contains(part), "{}", ran.talk);
        assert_eq!(answers(&gateway), content);
        assert!(
            !ran.talk.contains("Bảy") && !ran.talk.contains("Tám"),
            "{}",
            ran.talk
        );
    }
    gateway.file("answers.csv", &three_rows);
    assert_eq!(
        gateway.record().jobs.len(),
        1,
        "nothing was uploaded for another file"
    );
    let locked = std::fs::File::open(gateway.path("answers.csv")).unwrap();
    locked.lock().unwrap();
    let ran = verify(&gateway, &[]).await;
    assert!(ran.talk.contains("another run"), "{}", ran.talk);
    drop(locked);
    // The answers were fetched and erased; another file cannot get them again.
    std::fs::remove_file(gateway.path("answers.csv")).unwrap();
    let ran = verify(&gateway, &[]).await;
    assert_eq!(ran.exit, Exit::DataRefused, "{}", ran.talk);
    assert!(ran.talk.contains("no answer to 5 rows"), "{}", ran.talk);
}

#[tokio::test]
async fn a_disk_that_is_full_ends_the_run_and_not_the_job() {
    let gateway = FakeGateway::kind().await;
    let file = gateway.file("dân cư.csv", &persons(20_000));
    let words = ["verify", &file, "--out", "/dev/full", "--json"];
    let ran = gateway.run(&[&words, &WHY[..]].concat()).await;
    assert_eq!(ran.exit, Exit::Internal);
    assert!(ran.talk.contains("write /dev/full"), "{}", ran.talk);
    assert!(ran.talk.contains("No space left"), "{}", ran.talk);
}

#[tokio::test]
async fn a_job_that_stands_still_or_ends_early_is_told() {
    let moods = Moods {
        ends_at: Some((2, JobState::Paused)),
        ..Moods::default()
    };
    let gateway = FakeGateway::start(moods).await;
    gateway.file("dân cư.csv", &persons(5));
    let ran = verify(&gateway, &[]).await;
    assert_eq!(ran.exit, Exit::Later, "{}", ran.talk);
    assert!(ran.talk.contains("JOB_MISSES_TOO_MANY"), "{}", ran.talk);
    assert!(
        ran.talk.contains("lienthong verify --job J-1 --resume"),
        "{}",
        ran.talk
    );
    assert_eq!(ran.object()["answered"], 2);

    gateway.record().moods.ends_at = Some((3, JobState::Cancelled));
    let ran = verify(&gateway, &[]).await;
    assert_eq!(ran.exit, Exit::DataRefused);
    assert!(ran.talk.contains("no answer to 2 rows"), "{}", ran.talk);
    gateway.record().moods.ends_at = None;
    let ran = verify(&gateway, &[]).await;
    assert_eq!((ran.exit, &ran.object()["answered"]), (Exit::Ok, &5.into()));
}

#[tokio::test]
async fn a_dry_run_names_every_faulty_row_and_writes_nothing() {
    let gateway = FakeGateway::kind().await;
    let file = gateway.file(
        "dân cư.csv",
        &format!("{HEADING}\n1,Lê Thị Hoà,x,1991-04-30,,\n"),
    );
    let ran = gateway.run(&["verify", &file, "--dry-run"]).await;
    assert_eq!(ran.exit, Exit::DataRefused);
    let row = ran.data.lines().nth(1).unwrap();
    let expected = "          2  so_dinh_danh  NOT_DIGITS      Có ký tự không phải chữ số";
    assert!(row.starts_with(expected), "{}", ran.data);
    assert!(
        ran.data
            .ends_with("1 dòng / rows: 0 hỏi được / right, 1 có lỗi / faulty\n"),
        "{}",
        ran.data
    );
    assert_eq!(gateway.record().jobs.len(), 0);

    // Nothing to ask: the answers say so, and no gateway is asked.
    let ran = verify(&gateway, &[]).await;
    assert_eq!(ran.exit, Exit::DataRefused);
    assert!(answers(&gateway).ends_with(",JOB_ITEM_FAULTY: so_dinh_danh NOT_DIGITS,,\n"));
    assert_eq!(gateway.record().jobs.len(), 0);

    for (content, part) in [
        ("", "missing"),
        (HEADING, "no row"),
        ("a,b\n1,2\n", "missing"),
    ] {
        let file = gateway.file("khác.csv", content);
        let ran = gateway.run(&["verify", &file, "--dry-run"]).await;
        assert_eq!(ran.exit, Exit::DataRefused);
        assert!(ran.talk.contains(part), "{}", ran.talk);
    }
}

#[tokio::test]
async fn jobs_are_listed_and_steered() {
    let gateway = FakeGateway::kind().await;
    for key in ["G15/1", "G15/2", "G15/3"] {
        gateway.file("dân cư.csv", &persons(2));
        verify(&gateway, &["--job-key", key]).await;
        std::fs::remove_file(gateway.path("answers.csv")).unwrap();
    }
    let ran = gateway.run(&["verify", "--jobs", "--limit", "2"]).await;
    assert_eq!(ran.data.lines().count(), 3, "{}", ran.data);
    assert!(
        ran.data.lines().nth(1).unwrap().contains("G15/3"),
        "{}",
        ran.data
    );
    assert!(ran.talk.contains("--limit"), "{}", ran.talk);
    for (steer, state) in [
        ("--pause", "PAUSED"),
        ("--resume", "RUNNING"),
        ("--cancel", "CANCELLED"),
    ] {
        let ran = gateway
            .run(&["verify", "--job", "J-2", steer, "--json"])
            .await;
        assert_eq!(ran.object()["state"], format!("JOB_STATE_{state}"));
    }
    let ran = gateway.run(&["verify", "--job", "J-7"]).await;
    assert_eq!(ran.exit, Exit::DataRefused);
}
