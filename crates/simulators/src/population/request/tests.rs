use proptest::prelude::*;

use super::*;

const GOOD: &str = "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>\
    <XacThucThongTinCongDan xmlns='http://dancuquocgia.bca'><MaYeuCau>a-1</MaYeuCau>\
    <MaDVC>1.001193</MaDVC><MaTichHop>003</MaTichHop><MaCanBo>cb01</MaCanBo>\
    <SoCMND>012345678</SoCMND><HoVaTen>H&apos;HEN NIÊ</HoVaTen>\
    <NgayThangNamSinh><Nam>1992</Nam></NgayThangNamSinh></XacThucThongTinCongDan>\
    </s:Body></s:Envelope>";

/// Whatever was taken keeps the bounds that the rest relies on.
fn assert_in_bounds(request: &Request) {
    assert!(!request.id.is_empty() && request.id.len() <= REQUEST_ID_CHARS_MAX);
    assert!(is_nfc(&request.name) && request.name == request.name.to_uppercase());
    for text in [&request.name, &request.official, &request.procedure] {
        assert!(!text.is_empty() && text.chars().count() <= FIELD_CHARS_MAX);
    }
    let (digits, count) = match &request.subject {
        Subject::Number(digits) => (digits, 12),
        Subject::OldNumber(digits) => (digits, 9),
    };
    assert!(digits.len() == count && digits.bytes().all(|byte| byte.is_ascii_digit()));
}

#[test]
fn a_good_request_is_read_as_it_is_meant() {
    let Ok(request) = Request::read(GOOD.as_bytes()) else {
        panic!("it is good");
    };
    assert_in_bounds(&request);
    assert_eq!(
        (request.service, request.id.as_str()),
        (Service::Match, "a-1")
    );
    assert_eq!(request.name, "H'HEN NIÊ");
    assert!(request.subject == Subject::OldNumber("012345678".to_owned()));
    assert!(request.birth == BirthClaim::Year(1992));
}

#[test]
fn dates_exist_in_the_calendar() {
    for (date, is_real) in [
        ("19920229", true),
        ("19930229", false),
        ("19000229", false),
        ("20000229", true),
        ("19921231", true),
        ("19920431", false),
        ("19921301", false),
        ("19920001", false),
        ("19920100", false),
        ("17991231", false),
    ] {
        assert_eq!(check_date(date).is_ok(), is_real, "{date}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_in_bounds_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(request) = Request::read(&bytes) {
            assert_in_bounds(&request);
        }
    }

    #[test]
    fn a_damaged_request_is_read_in_bounds_or_refused(
        at in 0..GOOD.len(), length in 0usize..12, by in "[<>/&'a-z0-9Ạ ]{0,6}",
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, by.bytes());
        if let Ok(request) = Request::read(&bytes) {
            assert_in_bounds(&request);
        }
    }
}
