use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOT_NOW: Meaning = Meaning::NotNow {
    cause: RetryCause::Answer,
    after: None,
};

fn now() -> Timestamp {
    "2025-09-15T01:00:00Z".parse().unwrap()
}

fn rules() -> Rules {
    let mut config = Config::default();
    config.meanings.session_codes = vec!["401".to_owned()];
    config.meanings.overload_codes = vec!["429".to_owned()];
    Rules::new(&config)
}

fn reply(status: u16, retry_after: Option<&str>, body: impl Into<Vec<u8>>) -> Reply {
    Reply {
        status,
        retry_after: retry_after.map(str::to_owned),
        body: Some(body.into()),
    }
}

fn meaning(body: &Value) -> Meaning {
    rules()
        .judge(&reply(200, None, body.to_string()), now())
        .0
        .meaning
}

fn overloaded(seconds: u64) -> Meaning {
    Meaning::Overloaded {
        after: Some(Duration::from_secs(seconds)),
    }
}

fn later(seconds: u64) -> Meaning {
    Meaning::NotNow {
        cause: RetryCause::Answer,
        after: Some(Duration::from_secs(seconds)),
    }
}

#[test]
fn every_http_status_has_its_meaning() {
    for status in 100..=999 {
        let expected = match status {
            401 | 403 => Meaning::SessionOver,
            429 => Meaning::Overloaded { after: None },
            400..=499 if ![404, 405, 407, 408, 425].contains(&status) => Meaning::Refused,
            _ => NOT_NOW,
        };
        let (verdict, _) = rules().judge(&reply(status, None, "<html>"), now());
        assert_eq!(verdict.meaning, expected, "{status}");
        assert_eq!(verdict.http_status, Some(status));
        let code = if (200..300).contains(&status) {
            "BAD_ANSWER"
        } else {
            &format!("HTTP_{status}")
        };
        assert_eq!(verdict.code, code);
    }
}

#[test]
fn retry_after_is_seconds_or_a_date_and_bounded() {
    let cases = [
        (429, "7", overloaded(7)),
        (503, "120", overloaded(120)),
        (502, "120", later(120)),
        (503, "Mon, 15 Sep 2025 01:00:30 GMT", overloaded(30)),
        (503, "Mon, 15 Sep 2025 00:00:00 GMT", overloaded(0)),
        (429, "99999999999999999999999", overloaded(86_400)),
        (429, "Mon, 15 Sep 2098 00:00:00 GMT", overloaded(86_400)),
        (429, "-1", Meaning::Overloaded { after: None }),
        (429, "mai", Meaning::Overloaded { after: None }),
        (503, "", NOT_NOW),
    ];
    for (status, header, expected) in cases {
        let (verdict, _) = rules().judge(&reply(status, Some(header), ""), now());
        assert_eq!(verdict.meaning, expected, "{status} {header}");
    }
}

#[test]
fn every_code_and_message_has_its_meaning() {
    use Meaning::{Done, Exists, NotExists, Refused, SessionOver};
    let none = Meaning::Overloaded { after: None };
    let cases = [
        (json!(0), "Thành công", Done),
        (json!("0"), "", Done),
        (json!(" 00 "), "Hồ sơ đã tồn tại", Done),
        (json!(3), "Hồ sơ đã tồn tại", Exists),
        (json!("-3"), "HỒ SƠ ĐÃ TỒN TẠI TRÊN HỆ THỐNG", Exists),
        (
            json!(-1),
            "Hồ sơ H56.14-240823-0001 không tồn tại",
            NotExists,
        ),
        (json!("-1"), "Hồ sơ chưa tồn tại", NotExists),
        (json!(3), "", Refused),
        (json!(-3), "Cập nhật thành công", Refused),
        (json!(5), "Hồ sơ đã tồn tại", Refused),
        (
            json!(-1),
            "Phiên làm việc không hợp lệ hoặc đã hết hạn",
            SessionOver,
        ),
        (json!("9"), "Invalid SESSION", SessionOver),
        (json!("401"), "", SessionOver),
        (json!(429), "", none),
        (
            json!(-1),
            "Hệ thống đang bận, vui lòng thử lại sau",
            NOT_NOW,
        ),
        (json!(-1), "Hệ thống quá tải", NOT_NOW),
        (json!("99"), "Read TIMEOUT", NOT_NOW),
        (json!(-1), "Thiếu trường bắt buộc: NgayTiepNhan", Refused),
        (json!(-1), "", Refused),
        (json!(7), "Mã TTHC không hợp lệ", Refused),
        (json!("ERR_A.1-b"), "Thành công", Refused),
        (json!("E".repeat(40)), "", Refused),
        (json!("000"), "Thành công", Refused),
    ];
    for (code, message, expected) in cases {
        let body = json!({ "error_code": code, "message": message });
        assert_eq!(meaning(&body), expected, "{body}");
        let decomposed: String = message.nfd().collect();
        let body = json!({ "error_code": code, "message": decomposed });
        assert_eq!(meaning(&body), expected, "decomposed {body}");
    }
}

#[test]
fn what_is_not_the_portals_json_is_a_bad_answer() {
    let bodies = [
        "",
        "{",
        "[]",
        "null",
        "\"0\"",
        "0",
        "{}",
        "<!DOCTYPE html><html>0</html>",
        r#"{"error_code":null}"#,
        r#"{"error_code":{}}"#,
        r#"{"error_code":0.0}"#,
        r#"{"error_code":true}"#,
        r#"{"error_code":" "}"#,
        r#"{"code":"0"}"#,
        r#"{"error_code":"thành công"}"#,
        r#"{"error_code":"Nguyen Van A"}"#,
        r#"{"error_code":"7\nlevel=error"}"#,
        r#"{"error_code":"hoa@example.vn"}"#,
        r#"{"error_code":"０"}"#,
        &json!({ "error_code": "E".repeat(41) }).to_string(),
    ];
    for body in bodies {
        let (verdict, _) = rules().judge(&reply(200, None, body), now());
        assert_eq!(
            (verdict.meaning, verdict.code.as_str()),
            (NOT_NOW, "BAD_ANSWER"),
            "{body}"
        );
        assert!(
            !verdict.message.contains("html"),
            "a body must not be quoted"
        );
    }
    let huge = Reply {
        status: 200,
        retry_after: None,
        body: None,
    };
    let (verdict, _) = rules().judge(&huge, now());
    assert_eq!(
        verdict,
        Verdict::not_now("BAD_ANSWER", Some(200), "the answer is too large")
    );
}

#[test]
fn a_generic_error_can_be_set_to_try_again() {
    let mut config = Config::default();
    config.meanings.generic_error = GenericError::Retry;
    let rules = Rules::new(&config);
    let judge = |code: i64, message: &str| {
        let body = json!({ "error_code": code, "message": message }).to_string();
        rules.judge(&reply(200, None, body), now()).0.meaning
    };
    assert_eq!(judge(-1, "Lỗi không xác định"), NOT_NOW);
    assert_eq!(judge(-1, "Hồ sơ đã tồn tại"), Meaning::Exists);
    assert_eq!(judge(7, "Lỗi không xác định"), Meaning::Refused);
}

#[test]
fn the_names_of_the_fields_can_be_set() {
    let mut config = Config::default();
    config.answer_fields.code = "response_code".to_owned();
    config.answer_fields.session = "token".to_owned();
    let rules = Rules::new(&config);
    let body = json!({ "response_code": "00", "token": "abc" }).to_string();
    let (verdict, object) = rules.judge(&reply(200, None, body), now());
    assert_eq!(verdict.meaning, Meaning::Done);
    assert_eq!(rules.session(&object), Some("abc"));
}

#[test]
fn a_look_up_found_something_when_its_result_is_not_empty() {
    let cases = [
        (json!({ "result": [{ "MaHoSo": "x" }] }), true),
        (json!({ "result": { "MaHoSo": "x" } }), true),
        (json!({ "result": [] }), false),
        (json!({ "result": {} }), false),
        (json!({ "result": null }), false),
        (json!({ "result": "x" }), false),
        (json!({}), false),
    ];
    for (object, expected) in cases {
        assert_eq!(
            rules().found(object.as_object().unwrap()),
            expected,
            "{object}"
        );
    }
}

#[test]
fn every_meaning_has_its_outcome() {
    let after = Some(Duration::from_secs(3));
    let advanced = Outcome::Advanced { step: 1 };
    let retry = |cause, after| Outcome::Retry { cause, after };
    let cases = [
        (Meaning::Done, advanced),
        (Meaning::Exists, Outcome::Rejected),
        (Meaning::NotExists, Outcome::Rejected),
        (Meaning::Refused, Outcome::Rejected),
        (Meaning::SessionOver, retry(RetryCause::Answer, None)),
        (Meaning::Overloaded { after }, Outcome::Overloaded { after }),
        (
            Meaning::NotNow {
                cause: RetryCause::Answer,
                after,
            },
            retry(RetryCause::Answer, after),
        ),
        (
            Meaning::NotNow {
                cause: RetryCause::Transport,
                after: None,
            },
            retry(RetryCause::Transport, None),
        ),
    ];
    for (meaning, outcome) in cases {
        let verdict = Verdict {
            meaning,
            code: "-1".to_owned(),
            http_status: Some(200),
            message: "Số 064190000001".to_owned(),
        };
        let answer = verdict.into_answer(advanced);
        assert_eq!(answer.outcome, outcome);
        assert_eq!(answer.message, "Số …");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_answered_and_never_taken_for_success(
        status in 100_u16..1000,
        header in prop::option::of(".{0,40}"),
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let (verdict, _) = rules().judge(&reply(status, header.as_deref(), body), now());
        prop_assert_ne!(verdict.meaning, Meaning::Done);
        let answer = verdict.into_answer(Outcome::Delivered);
        prop_assert!(answer.message.chars().count() <= Answer::MESSAGE_CHARS_MAX);
    }

    #[test]
    fn only_a_code_of_success_is_success(code in "[-0-9a-z]{0,3}|00?", message in ".{0,80}") {
        let done = meaning(&json!({ "error_code": code, "message": message })) == Meaning::Done;
        prop_assert_eq!(done, code == "0" || code == "00");
    }
}
