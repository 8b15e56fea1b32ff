use lienthong_domain::identity::Sex;
use proptest::prelude::*;

use super::*;
use crate::config::SoapConfig;

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";

fn judge(form: Form) -> Judge {
    Judge::new(form, Rules::new(&SoapConfig::default().faults))
}

fn reply(status: u16, body: impl Into<String>) -> Reply {
    Reply {
        status,
        retry_after: None,
        body: Some(Bytes::from(body.into())),
    }
}

fn envelope(inside: &str) -> String {
    format!("<s:Envelope xmlns:s=\"{SOAP}\"><s:Header/><s:Body>{inside}</s:Body></s:Envelope>")
}

fn soap_fault(code: &str, sentence: &str) -> String {
    envelope(&format!(
        "<s:Fault><faultcode>s:{code}</faultcode><faultstring>{sentence}</faultstring></s:Fault>"
    ))
}

fn kind<T>(result: &Result<T, Failure>) -> &'static str {
    match result {
        Ok(_) => "answer",
        Err(Failure::Unavailable(_)) => "unavailable",
        Err(Failure::Busy { .. }) => "busy",
        Err(Failure::BadAnswer(_)) => "bad answer",
        Err(Failure::Refused(_)) => "refused",
    }
}

#[test]
fn a_match_is_true_or_false_and_nothing_else() {
    let said = |inside: &str| judge(Form::Soap).exists(&reply(200, envelope(inside)));
    let good = [
        ("<KetQuaXacThuc><TonTai>true</TonTai></KetQuaXacThuc>", true),
        (
            "<KetQuaXacThuc xmlns=\"http://www.mic.gov.vn/dancu/1.0\"><TonTai> False </TonTai></KetQuaXacThuc>",
            false,
        ),
        (
            "<x:KetQuaXacThuc xmlns:x=\"urn:x\"><x:TonTai>1</x:TonTai></x:KetQuaXacThuc>",
            true,
        ),
        (
            "<R><KetQuaXacThuc><TonTai><![CDATA[0]]></TonTai></KetQuaXacThuc></R>",
            false,
        ),
    ];
    for (inside, expected) in good {
        assert_eq!(said(inside), Ok(expected), "{inside}");
    }
    let bad = [
        "<KetQuaXacThuc/>",
        "<KetQuaXacThuc><TonTai/></KetQuaXacThuc>",
        "<KetQuaXacThuc><TonTai>có</TonTai></KetQuaXacThuc>",
        "<KetQuaXacThuc><TonTai>true</TonTai><TonTai>false</TonTai></KetQuaXacThuc>",
        "<KetQuaXacThuc><Khac>true</Khac></KetQuaXacThuc>",
        "<TonTai>true</TonTai>",
        "<CongdanCollection/>",
        "",
        "<KetQuaXacThuc><TonTai>false</TonTai></KetQuaXacThuc><KetQuaXacThuc/>",
    ];
    for inside in bad {
        assert_eq!(kind(&said(inside)), "bad answer", "{inside}");
    }
}

#[test]
fn only_an_empty_collection_is_not_found() {
    let said = |inside: &str| judge(Form::Soap).record(&reply(200, envelope(inside)));
    for inside in [
        "<CongdanCollection/>",
        "<CongDanCollection xmlns=\"urn:bat-ky\"> </CongDanCollection>",
        "<TraCuuThongTinCongDanResponse><x:CongdanCollection xmlns:x=\"urn:x\"/></TraCuuThongTinCongDanResponse>",
    ] {
        assert!(matches!(said(inside), Ok(None)), "{inside}");
    }
    let found =
        said("<CongdanCollection><CongDan><GioiTinh>2</GioiTinh></CongDan></CongdanCollection>");
    assert_eq!(found.unwrap().unwrap().sex, Some(Sex::Female));
    let bad = [
        "",
        "<CongDan/>",
        "<CongdanCollection>không tìm thấy</CongdanCollection>",
        "<CongdanCollection><NguoiDan/></CongdanCollection>",
        "<CongdanCollection><CongDan/><KhacNua/></CongdanCollection>",
        "<CongdanCollection><CongDan/><CongDan/></CongdanCollection>",
        "<CongdanCollection><CongDan><SoDinhDanh>x</SoDinhDanh></CongDan></CongdanCollection>",
        "<KetQuaXacThuc><TonTai>false</TonTai></KetQuaXacThuc>",
        "<TraCuuThongTinCongDanResponse/>",
        "<p>không tìm thấy</p>",
    ];
    for inside in bad {
        assert_eq!(kind(&said(inside)), "bad answer", "{inside}");
    }
}

#[test]
fn a_wrong_frame_is_a_bad_answer() {
    let collection = "<CongdanCollection/>";
    let whole = envelope(collection);
    let (half, _) = whole.split_at(whole.len() / 2);
    let frames = [
        String::new(),
        collection.to_owned(),
        half.to_owned(),
        whole.replace(SOAP, "urn:khong-phai"),
        whole.replace(&format!(" xmlns:s=\"{SOAP}\""), ""),
        whole.replace("s:Body", "s:Than"),
        format!("{whole}{whole}"),
        format!("<!DOCTYPE x>{whole}"),
        "<!DOCTYPE html><html><body>Hệ thống bảo trì</body></html>".to_owned(),
        "{\"error_code\":0}".to_owned(),
    ];
    for frame in frames {
        let read = judge(Form::Soap).record(&reply(200, frame.clone()));
        assert_eq!(kind(&read), "bad answer", "{frame}");
    }
    let not_text = Reply {
        body: Some(Bytes::from_static(b"\xff\xfe<")),
        ..reply(200, "")
    };
    assert_eq!(kind(&judge(Form::Soap).record(&not_text)), "bad answer");
    let too_large = Reply {
        body: None,
        ..reply(200, "")
    };
    assert_eq!(kind(&judge(Form::Soap).record(&too_large)), "bad answer");
}

#[test]
fn statuses_are_told_apart() {
    let not_found = envelope("<CongdanCollection/>");
    let wait = Some(Duration::from_secs(3));
    let table = [
        (204, None, "bad answer"),
        (301, None, "unavailable"),
        (400, None, "refused"),
        (401, None, "refused"),
        (403, None, "refused"),
        (404, None, "unavailable"),
        (407, None, "unavailable"),
        (408, None, "unavailable"),
        (415, None, "refused"),
        (429, None, "busy"),
        (429, wait, "busy"),
        (500, None, "unavailable"),
        (502, None, "unavailable"),
        (503, None, "unavailable"),
        (503, wait, "busy"),
        (504, wait, "unavailable"),
    ];
    for (status, retry_after, expected) in table {
        // The body of an error is no answer, whatever it says.
        for body in [not_found.as_str(), "", "<html/>"] {
            let reply = Reply {
                retry_after,
                ..reply(status, if status == 204 { "" } else { body })
            };
            let read = judge(Form::Soap).record(&reply);
            assert_eq!(kind(&read), expected, "{status} {retry_after:?} {body}");
            if let Err(Failure::Busy { retry_after: told }) = read {
                assert_eq!(told, retry_after);
            }
        }
    }
}

#[test]
fn faults_are_read_under_any_status_that_carries_them() {
    for status in [200, 400, 500, 502] {
        let said = |body: String| kind(&judge(Form::Soap).record(&reply(status, body)));
        assert_eq!(
            said(soap_fault("Client", "Sai định dạng")),
            "refused",
            "{status}"
        );
        assert_eq!(said(soap_fault("Server", "Lỗi")), "unavailable", "{status}");
        assert_eq!(
            said(soap_fault("Server", "Hệ thống đang bận")),
            "busy",
            "{status}"
        );
    }
    let secret = "052185012345 LÊ THỊ HOÀ";
    let read = judge(Form::Soap).record(&reply(500, soap_fault("Client", secret)));
    assert_eq!(
        read.err(),
        Some(Failure::refused("it answered with the error Client"))
    );
}

#[test]
fn a_json_envelope_holds_the_xml() {
    let json = |code: Value, message: &str| {
        reply(
            200,
            serde_json::json!({ "error_code": code, "message": message }).to_string(),
        )
    };
    let bare = "<CongdanCollection xmlns=\"http://www.mic.gov.vn/dancu/1.0\"/>";
    for code in [Value::from(0), "0".into(), "00".into()] {
        for xml in [bare.to_owned(), envelope(bare)] {
            let read = judge(Form::Json).record(&json(code.clone(), &xml));
            assert!(matches!(read, Ok(None)), "{code} {xml}");
        }
    }
    let table = [
        (json((-1).into(), "Lỗi"), "unavailable"),
        (json("-1".into(), "Quá tải, thử lại sau"), "busy"),
        (json(0.into(), ""), "bad answer"),
        (json(0.into(), "không tìm thấy"), "bad answer"),
        (json(Value::Null, bare), "bad answer"),
        (reply(200, bare), "bad answer"),
        (reply(200, "[]"), "bad answer"),
        (reply(401, "{}"), "refused"),
    ];
    for (reply, expected) in table {
        assert_eq!(kind(&judge(Form::Json).record(&reply)), expected);
    }
}

#[test]
fn an_empty_question_must_be_refused() {
    let asked = |status, body: String| {
        kind(&judge(Form::Soap).refuses_the_empty_question(&reply(status, body)))
    };
    assert_eq!(asked(500, soap_fault("Client", "Thiếu phần tử")), "answer");
    assert_eq!(asked(400, soap_fault("Client", "Thiếu phần tử")), "answer");
    assert_eq!(asked(500, soap_fault("Server", "Lỗi")), "unavailable");
    assert_eq!(asked(500, soap_fault("Client", "Hệ thống quá tải")), "busy");
    assert_eq!(asked(401, soap_fault("Client", "Sai mật khẩu")), "refused");
    assert_eq!(asked(403, String::new()), "refused");
    assert_eq!(asked(200, envelope("<CongdanCollection/>")), "bad answer");
    assert_eq!(asked(200, "<html/>".to_owned()), "bad answer");
    assert_eq!(asked(502, String::new()), "unavailable");
}

#[test]
fn waits_are_seconds_or_dates() {
    let now: Timestamp = "2025-09-15T08:00:00Z".parse().unwrap();
    let table = [
        ("7", Some(7)),
        (" 0 ", Some(0)),
        ("99999999999999999999", Some(86_400)),
        ("Mon, 15 Sep 2025 08:00:30 GMT", Some(30)),
        ("Mon, 15 Sep 2025 07:00:00 GMT", Some(0)),
        ("-1", None),
        ("", None),
        ("mai", None),
    ];
    for (text, seconds) in table {
        assert_eq!(
            read_retry_after(text, now),
            seconds.map(Duration::from_secs),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn garbage_is_never_an_answer(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        status in prop::sample::select(vec![200_u16, 201, 204, 301, 400, 401, 404, 429, 500, 503]),
    ) {
        let reply = Reply { status, retry_after: None, body: Some(Bytes::from(bytes)) };
        for form in [Form::Soap, Form::Json] {
            prop_assert!(judge(form).record(&reply).is_err());
            prop_assert!(judge(form).exists(&reply).is_err());
            prop_assert!(judge(form).refuses_the_empty_question(&reply).is_err());
        }
    }

    /// Whatever is broken in an answer with a record, it does not become "not found".
    #[test]
    fn a_damaged_record_is_not_nobody(from in 0_usize..400, length in 1_usize..40, with in "\\PC{0,8}") {
        let person = "<CongDan><SoDinhDanh>052185012345</SoDinhDanh><HoVaTen><Ten>LÊ THỊ HOÀ</Ten></HoVaTen>\
                      <NgayThangNamSinh><Nam>1985</Nam></NgayThangNamSinh></CongDan>";
        let whole = envelope(&format!("<CongdanCollection>{person}</CongdanCollection>"));
        let chars: Vec<char> = whole.chars().collect();
        let from = from % chars.len();
        let until = (from + length).min(chars.len());
        let (before, after) = (chars[..from].iter().copied(), chars[until..].iter().copied());
        let damaged: String = before.chain(with.chars()).chain(after).collect();
        let read = judge(Form::Soap).record(&reply(200, damaged.clone()));
        prop_assert!(!matches!(read, Ok(None)), "{}", damaged);
    }
}
