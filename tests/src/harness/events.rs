//! Status events for tests: complete, lifelike, and easy to change.

use lienthong_proto::dossier::v1::{
    Applicant, ApplicantKind, Channel, DossierDetails, DossierStatus, ProgressLine, ReturnMethod,
    StatusEvent,
};
use prost_types::Timestamp;

/// 23 August 2024, 08:15 in Hà Nội: the day before every test event.
pub const DAY: i64 = 1_724_375_700;

/// An instant so many seconds after [`DAY`].
#[expect(clippy::unnecessary_wraps, reason = "the fields it fills are optional")]
pub fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp {
        seconds: DAY + seconds,
        nanos: 0,
    })
}

/// A status of a dossier, with its progress line, at `seconds` after [`DAY`]; the key names all three.
pub fn status(code: &str, status: DossierStatus, seconds: i64) -> StatusEvent {
    StatusEvent {
        idempotency_key: format!("{code}/{}/{seconds}", status as i32),
        dossier_code: code.to_owned(),
        status: status.into(),
        occurred_at: at(seconds),
        source_sequence: None,
        progress: Some(ProgressLine {
            officer_name: "Trần Thị Hòa".to_owned(),
            officer_title: "Chuyên viên".to_owned(),
            unit_name: "Bộ phận Một cửa".to_owned(),
            note: "Chuyển bước xử lý".to_owned(),
            started_at: at(seconds),
            due_at: None,
        }),
        details: None,
    }
}

/// The first status of a dossier: accepted, with everything the portal asks for.
pub fn first(code: &str) -> StatusEvent {
    StatusEvent {
        details: Some(details()),
        ..status(code, DossierStatus::Accepted, 0)
    }
}

/// Complete details of a birth registration.
pub fn details() -> DossierDetails {
    DossierDetails {
        procedure_code: Some("1.001193".to_owned()),
        procedure_name: Some("Đăng ký khai sinh".to_owned()),
        field_code: Some("G15-HT".to_owned()),
        field_name: Some("Hộ tịch".to_owned()),
        channel: Channel::Online.into(),
        applicant: Some(Applicant {
            name: Some("Nguyễn Thị Thuỳ Dương".to_owned()),
            kind: ApplicantKind::Citizen.into(),
            ..Applicant::default()
        }),
        summary: Some("Đăng ký khai sinh cho con".to_owned()),
        submitted_at: at(-600),
        received_at: at(0),
        due_at: at(5 * 86_400),
        return_method: ReturnMethod::Counter.into(),
        handling_unit: Some("UBND xã Ia Grai".to_owned()),
        ..DossierDetails::default()
    }
}

/// The whole life of a dossier: accepted, processing, processed, result returned.
pub fn life(code: &str) -> Vec<StatusEvent> {
    let finished = DossierDetails {
        finished_at: at(7_200),
        ..DossierDetails::default()
    };
    let returned = DossierDetails {
        returned_at: at(9_000),
        ..DossierDetails::default()
    };
    vec![
        first(code),
        status(code, DossierStatus::Processing, 3_600),
        StatusEvent {
            details: Some(finished),
            ..status(code, DossierStatus::Processed, 7_200)
        },
        StatusEvent {
            details: Some(returned),
            ..status(code, DossierStatus::ResultReturned, 9_000)
        },
    ]
}
