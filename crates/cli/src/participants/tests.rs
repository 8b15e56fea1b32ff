//! The commands about participants against the fake, and how a check is told.

use super::*;
use crate::fake::FakeGateway;

async fn run(line: &str) -> crate::fake::Ran {
    let words: Vec<_> = line.split(' ').collect();
    FakeGateway::kind().await.run(&words).await
}

#[tokio::test]
async fn participants_are_listed_and_shown_with_their_grants() {
    let listed = run("participants list").await;
    assert_eq!(listed.data.lines().count(), 3, "{}", listed.data);
    assert!(listed.data.contains("hotich (identity)"), "{}", listed.data);
    assert!(
        listed.data.contains("tạm ngừng / suspended"),
        "{}",
        listed.data
    );
    let shown = run("participants show G15").await;
    assert!(shown.data.contains("Bộ Tư pháp"), "{}", shown.data);
    assert!(shown.data.contains("sex, home_town"), "{}", shown.data);
    let system = "hotich  identity            2  20/11/2026 08:30:00  20/11/2026 08:30:00        12        3";
    assert!(shown.data.contains(system), "{}", shown.data);
    let json = run("participants show G15 --json").await.object();
    assert_eq!(json["systems"][0]["grants"][0]["mode"], "verify");
    let unknown = run("participants show G99").await;
    assert_eq!(unknown.exit, Exit::DataRefused);
    assert!(unknown.talk.contains("participant G99"), "{}", unknown.talk);
}

#[tokio::test]
async fn a_check_ends_as_the_question_would() {
    let check = "participants check G15 hotich --purpose CIVIL_STATUS --mode disclose --fields";
    assert_eq!(run(&format!("{check} sex")).await.exit, Exit::Ok);
    let refused = run(&format!("{check} sex,father")).await;
    assert_eq!(refused.exit, Exit::NotSo);
    assert!(
        refused.data.contains("withheld: father"),
        "{}",
        refused.data
    );
}

#[tokio::test]
async fn guards_are_told_and_lifted() {
    let guards = run("participants guards").await;
    assert!(
        guards.data.contains("chờ duyệt / approval"),
        "{}",
        guards.data
    );
    let lift = "participants lift G15 hotich --reason nhầm";
    assert_eq!(run(lift).await.exit, Exit::DataRefused);
    let lifted = run(&format!("{lift} --official lethihoa.tuphap")).await;
    assert_eq!(
        (lifted.exit, lifted.data.as_str()),
        (Exit::Ok, "đã mở lại / lifted\n")
    );
}

#[test]
fn a_refused_check_is_told_with_its_steps_and_its_page() {
    let answer = proto::CheckGrantResponse {
        allowed: false,
        reason: "FIELDS_NOT_GRANTED".into(),
        message_vi: "Có trường thông tin không được cấp quyền.".into(),
        message_en: "Some of the fields are not granted.".into(),
        withheld_fields: vec!["father".into()],
        steps: vec![
            "participant G15: active".into(),
            "grant: verify, sex".into(),
        ],
        ..proto::CheckGrantResponse::default()
    };
    let told = told_check(&answer);
    let expected = "\
không được phép / not allowed: FIELDS_NOT_GRANTED
  Có trường thông tin không được cấp quyền.
  Some of the fields are not granted.
bị giữ lại / withheld: father

1. participant G15: active
2. grant: verify, sex

";
    assert_eq!(
        told.strip_suffix(ErrorCode::FieldsNotGranted.page()),
        Some(expected)
    );
    assert!(told.contains("**What to do**"));
}
