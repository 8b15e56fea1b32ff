//! `verify` as it is typed, against a gateway in this process that breaks off, pauses and refuses.

mod files;

use crate::exit::Exit;
use crate::fake::FakeGateway;

const WHY: [&str; 4] = ["--purpose", "CIVIL_STATUS", "--official", "lethihoa.tuphap"];

fn person<'a>(name: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let who = [
        "verify",
        "--number",
        "038191012345",
        "--name",
        name,
        "--birth",
        "30/04/1991",
    ];
    [&who, more].concat()
}

#[tokio::test]
async fn one_person_is_told_in_a_table_and_by_the_exit_code() {
    let gateway = FakeGateway::kind().await;
    let more = [
        &WHY[..],
        &["--sex", "Nữ", "--dossier", "H56.14-240823-0001"],
    ]
    .concat();
    let ran = gateway.run(&person("Lê Thị Hòa", &more)).await;
    assert_eq!(ran.exit, Exit::Ok, "{}", ran.talk);
    let rows = [
        ("", "kết quả / answer"),
        ("công dân / person", "khớp / match"),
        ("  số định danh / citizen number", "khớp / match"),
        ("  họ tên / full name", "khớp / match"),
        ("  ngày sinh / birth date", "khớp / match"),
        ("  giới tính / sex", "khớp / match"),
        (
            "mức khớp tên / name level",
            "khác chỗ đặt dấu thanh / tone mark placed otherwise",
        ),
        ("nhật ký / usage record", "U-1"),
        ("bí danh / pseudonym", "5f0c"),
    ];
    let expected = rows.map(|(asked, answer)| format!("{asked:<33}{answer}\n"));
    assert_eq!(ran.data, expected.concat());
    let asked = gateway.record().verified[0].clone();
    let claims = asked.claims.unwrap();
    assert_eq!((claims.birth_date.as_str(), claims.sex), ("1991-04-30", 2));
    assert_eq!(asked.inquiry.unwrap().dossier_code, "H56.14-240823-0001");

    for name in ["Lê Thị Hoa", "Lê Thị Lan"] {
        assert_eq!(
            gateway.run(&person(name, &WHY)).await.exit,
            Exit::NotSo,
            "{name}"
        );
    }
    let ran = gateway
        .run(&person("Lê Thị Hoa", &[&WHY[..], &["--json"]].concat()))
        .await;
    assert_eq!(ran.object()["verification"]["verdict"], "VERDICT_UNDECIDED");
    // A name in decomposed letters is the same name.
    let ran = gateway
        .run(&person("Le\u{302} Thi\u{323} Hoa\u{300}", &WHY))
        .await;
    assert_eq!(ran.exit, Exit::Ok);
}

#[tokio::test]
async fn a_question_may_be_put_off_and_a_used_up_quota_is_told() {
    let gateway = FakeGateway::kind().await;
    let later = [
        "--defer",
        "--purpose",
        "OUTAGE",
        "--official",
        "lethihoa.tuphap",
    ];
    let ran = gateway.run(&person("Lê Thị Hoà", &later)).await;
    assert_eq!(ran.exit, Exit::Later);
    assert!(ran.talk.contains("--job J-9"), "{}", ran.talk);

    let quota = ["--purpose", "QUOTA", "--official", "lethihoa.tuphap"];
    let ran = gateway.run(&person("Lê Thị Hoà", &quota)).await;
    assert_eq!(ran.exit, Exit::Unreachable);
    assert!(
        ran.talk.contains("300 citizens a day (official)"),
        "{}",
        ran.talk
    );
    assert!(ran.talk.contains("2 h 5 m"), "{}", ran.talk);
    assert!(
        !ran.talk.contains("038191012345") && !ran.talk.contains("Hoà"),
        "{}",
        ran.talk
    );
}

#[tokio::test]
async fn every_wrong_option_is_named_and_no_value_repeated() {
    let gateway = FakeGateway::kind().await;
    let line = "verify --number 38191012345 --name Ле --birth 4/31/1991 --sex x --purpose CIVIL_STATUS --official a";
    let words: Vec<_> = line.split(' ').collect();
    let ran = gateway.run(&words).await;
    assert_eq!(ran.exit, Exit::Usage);
    for option in ["--number", "--name", "--birth", "--sex"] {
        assert!(ran.talk.contains(option), "{}", ran.talk);
    }
    for value in ["38191012345", "Ле", "4/31/1991"] {
        assert!(!ran.talk.contains(value), "{}", ran.talk);
    }
    assert!(gateway.record().verified.is_empty());
}

#[tokio::test]
async fn granted_fields_are_shown_and_the_others_named() {
    let gateway = FakeGateway::kind().await;
    let get = [
        &WHY[..],
        &["--get", "sex,permanent_residence,father,religion"],
    ]
    .concat();
    let ran = gateway.run(&person("Lê Thị Hoà", &get)).await;
    assert_eq!(ran.exit, Exit::Ok);
    let expected = "\
trường / field                        giá trị / value
giới tính / sex                       nữ / female
nơi thường trú / permanent residence  Số 12, phố Hàng Đồng, xã 14758, tỉnh 38
cha / father                          [không được cấp / not granted]
tôn giáo / religion                   [không có trong hồ sơ / not recorded]
nhật ký / usage record                U-2
bí danh / pseudonym                   5f0c
";
    assert_eq!(ran.data, expected);
    let ran = gateway.run(&person("Lê Thị Lan", &get)).await;
    assert_eq!(ran.exit, Exit::DataRefused);
    assert!(ran.talk.contains("CITIZEN_NOT_FOUND"), "{}", ran.talk);
}
