//! Events read from the contract: one of everything, one fault of every kind, and whatever a generator finds.

use lienthong_domain::channel::{
    ApplicantKind, Channel, IdentityDocumentKind, OnlinePayment, ReturnMethod,
};
use proptest::prelude::*;
use prost_types::Timestamp;

use super::*;

#[expect(
    clippy::unnecessary_wraps,
    reason = "every field that takes it is optional"
)]
fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

/// An event with something in every field.
fn full() -> proto::StatusEvent {
    proto::StatusEvent {
        idempotency_key: "gialai-2025-000123".into(),
        dossier_code: "H21.17-240823-0001".into(),
        status: proto::DossierStatus::SupplementRequested.into(),
        occurred_at: at(1_751_500_000),
        source_sequence: Some(3),
        progress: Some(proto::ProgressLine {
            officer_name: "Nguyễn Thị Ánh Tuyết".into(),
            officer_title: "Chuyên viên".into(),
            unit_name: "UBND xã Ia Grai".into(),
            note: "Yêu cầu bổ sung giấy tờ:\n- bản sao".into(),
            started_at: at(1_751_400_000),
            due_at: at(1_751_900_000),
        }),
        details: Some(details()),
    }
}

fn details() -> proto::DossierDetails {
    let text = |text: &str| Some(text.to_owned());
    proto::DossierDetails {
        procedure_code: text("1.000094"),
        procedure_name: text("Đăng ký kết hôn có yếu tố nước ngoài"),
        field_code: text("G15-HT"),
        field_name: text("Hộ tịch"),
        channel: proto::Channel::Online.into(),
        applicant: Some(applicant()),
        summary: text("Hồ sơ của ông Rơ Châm Hlơi"),
        other_information: text("Không"),
        remark: text("Đã thu phí"),
        receipt_number: text("BN-0001"),
        return_information: text("Trả tại bộ phận một cửa"),
        submitted_at: at(1_751_000_000),
        received_at: at(1_751_100_000),
        due_at: at(1_752_000_000),
        finished_at: at(1_751_200_000),
        returned_at: at(1_751_300_000),
        refused_at: at(1_751_250_000),
        return_method: proto::ReturnMethod::Counter.into(),
        handling_unit: text("UBND xã Ia Grai"),
        filed_at_code: text("2"),
        has_digitised_components: Some(true),
        identified_by_vneid: Some(false),
        online_payment: proto::OnlinePayment::NationalPortal.into(),
        database_links: Some(proto::DatabaseLinkList {
            items: vec![proto::DatabaseLink { code: "DC".into() }],
        }),
        submitted_documents: Some(proto::SubmittedDocumentList {
            items: vec![document()],
        }),
        fees: Some(proto::FeeList {
            items: vec![fee(), proto::Fee::default()],
        }),
        other_papers: Some(proto::OtherPaperList {
            items: vec![paper()],
        }),
        supplements: Some(proto::SupplementList {
            items: vec![supplement()],
        }),
        results: Some(proto::ResultPaperList { items: vec![] }),
    }
}

fn applicant() -> proto::Applicant {
    proto::Applicant {
        name: Some("Rơ Châm Hlơi".into()),
        identity_document: Some("064087001234".into()),
        kind: proto::ApplicantKind::Citizen.into(),
        technical_id: Some("f1c2".into()),
        identities: Some(proto::IdentityList {
            items: vec![proto::Identity {
                kind: proto::IdentityKind::CitizenNumber.into(),
                number: "064087001234".into(),
            }],
        }),
        email: Some("hloi@example.vn".into()),
        fax: Some("0269 3824 000".into()),
        phone: Some("0905 000 001".into()),
    }
}

fn document() -> proto::SubmittedDocument {
    proto::SubmittedDocument {
        attachment_id: "t-1".into(),
        file_name: "Tờ khai.pdf".into(),
        deleted: false,
        component_code: "KQ.G15.000123".into(),
        file_url: "https://motcua.gialai.gov.vn/tep/1".into(),
        digitised: true,
        reuse_code: Some(2),
        from_national_store: true,
        replacing_result_code: "KQ1".into(),
    }
}

fn fee() -> proto::Fee {
    proto::Fee {
        name: "Lệ phí đăng ký kết hôn".into(),
        code: "LP01".into(),
        collection_code: "1".into(),
        amount_vnd: 1_500_000,
        kind: proto::FeeKind::Charge.into(),
    }
}

fn paper() -> proto::OtherPaper {
    proto::OtherPaper {
        name: "Giấy xác nhận".into(),
        quantity: 2,
        kind_code: "1".into(),
    }
}

fn supplement() -> proto::Supplement {
    proto::Supplement {
        supplement_id: "bs-1".into(),
        requested_by: "Trần Văn Bình".into(),
        request: "Bổ sung bản sao".into(),
        requested_at: at(1_751_150_000),
        received_by: "Lê Thị Cúc".into(),
        receipt_information: "Đã nhận đủ".into(),
        received_at: at(1_751_160_000),
        state_code: "1".into(),
        papers: vec![paper()],
        fees: vec![fee()],
        due_before_at: at(1_751_900_000),
        due_after_at: at(1_752_000_000),
    }
}

/// The contract's form of an event; only tests need to write one.
fn to_proto(event: &StatusEvent) -> proto::StatusEvent {
    proto::StatusEvent {
        idempotency_key: event.key.as_str().to_owned(),
        dossier_code: event.dossier.to_string(),
        status: event.status.code(),
        occurred_at: Some(crate::convert::instant_to_proto(event.occurred_at)),
        source_sequence: event.source_sequence,
        progress: event.progress.as_ref().map(progress_to_proto),
        details: event.details.as_ref().map(details::to_proto),
    }
}

fn faults_of(change: impl FnOnce(&mut proto::StatusEvent)) -> Vec<String> {
    let mut event = full();
    change(&mut event);
    let faults = from_proto(&event).expect_err("refused");
    faults
        .iter()
        .map(|fault| format!("{} {}", fault.field, fault.reason.name()))
        .collect()
}

#[test]
fn nothing_of_a_full_event_is_lost() {
    let read = from_proto(&full()).unwrap();
    assert_eq!(to_proto(&read), full());
    let details = read.details.unwrap();
    assert_eq!(details.channel, Some(Channel::Online));
    assert_eq!(details.return_method, Some(ReturnMethod::Counter));
    assert_eq!(details.online_payment, Some(OnlinePayment::NationalPortal));
    assert_eq!(details.applicant_kind, Some(ApplicantKind::Citizen));
    let identities = details.identities.unwrap();
    assert_eq!(identities[0].kind, IdentityDocumentKind::CitizenNumber);
    assert_eq!(
        details.fees.unwrap()[0]
            .kind_code
            .as_ref()
            .unwrap()
            .as_str(),
        "2"
    );
    assert_eq!(
        details.results,
        Some(vec![]),
        "an empty list empties the earlier one"
    );
}

#[test]
fn absent_fields_leave_what_was() {
    let event = proto::StatusEvent {
        details: Some(proto::DossierDetails {
            summary: Some("  ".into()),
            ..proto::DossierDetails::default()
        }),
        ..full()
    };
    let details = from_proto(&event).unwrap().details.unwrap();
    assert_eq!(details, lienthong_domain::DossierDetails::default());
}

#[test]
fn decomposed_letters_become_composed() {
    let mut event = full();
    let line = event.progress.as_mut().unwrap();
    line.officer_name = "Nguye\u{302}\u{303}n A\u{301}nh".into();
    let line = from_proto(&event).unwrap().progress.unwrap();
    assert_eq!(line.officer_name.expose().as_str(), "Nguyễn Ánh");
}

#[test]
fn an_empty_event_names_all_it_lacks() {
    let faults = from_proto(&proto::StatusEvent::default()).unwrap_err();
    let fields: Vec<_> = faults
        .iter()
        .map(|fault| (fault.field.as_str(), fault.reason))
        .collect();
    let missing = ["idempotency_key", "dossier_code", "status", "occurred_at"];
    assert_eq!(fields, missing.map(|field| (field, Reason::Missing)));
    let none = from_request(None).unwrap_err();
    assert_eq!(none, Faults::one("event", Reason::Missing));
}

#[test]
fn every_kind_of_fault_is_named_by_its_path() {
    let faults = faults_of(|event| {
        event.idempotency_key = "khóa".into();
        event.dossier_code = "H21.17-240230-0001".into();
        event.status = 11;
        event.occurred_at = at(0);
        let line = event.progress.as_mut().unwrap();
        line.officer_name = String::new();
        line.note = "x".repeat(2_001);
        let details = event.details.as_mut().unwrap();
        details.channel = -4;
        details.return_method = 3;
        details.online_payment = i32::MIN;
        details.procedure_code = Some("9.1".into());
        details.handling_unit = Some("Phòng\n1".into());
        details.due_at.as_mut().unwrap().nanos = -1;
        let applicant = details.applicant.as_mut().unwrap();
        applicant.phone = Some("\u{202e}090".into());
        let numbers = &mut applicant.identities.as_mut().unwrap().items;
        numbers[0].number = "06408700123".into();
        numbers.push(proto::Identity {
            kind: 0,
            number: "abc".into(),
        });
        details.submitted_documents.as_mut().unwrap().items[0].file_url = "ftp://a".into();
        details.submitted_documents.as_mut().unwrap().items[0].reuse_code = Some(u32::MAX);
        details.fees.as_mut().unwrap().items[1].amount_vnd = -1;
        details.fees.as_mut().unwrap().items[1].kind = 3;
        details.other_papers.as_mut().unwrap().items[0].quantity = 70_000;
        let supplement = &mut details.supplements.as_mut().unwrap().items[0];
        supplement.fees[0].amount_vnd = i64::MAX;
        details.results.as_mut().unwrap().items = vec![proto::ResultPaper::default(); 101];
    });
    let mut found = faults.iter().map(String::as_str).collect::<Vec<_>>();
    found.sort_unstable();
    let expected = [
        "details.applicant.identities[0].number BAD_FORM",
        "details.applicant.identities[1].kind MISSING",
        "details.applicant.phone BIDI_CONTROL",
        "details.channel UNKNOWN_CODE",
        "details.due_at NOT_A_DATE",
        "details.fees[1].amount_vnd OUT_OF_RANGE",
        "details.fees[1].kind UNKNOWN_CODE",
        "details.handling_unit CONTROL_CHARACTER",
        "details.online_payment UNKNOWN_CODE",
        "details.other_papers[0].quantity OUT_OF_RANGE",
        "details.procedure_code BAD_FORM",
        "details.results TOO_MANY",
        "details.return_method UNKNOWN_CODE",
        "details.submitted_documents[0].file_url NOT_URL",
        "details.submitted_documents[0].reuse_code UNKNOWN_CODE",
        "details.supplements[0].fees[0].amount_vnd OUT_OF_RANGE",
        "dossier_code NOT_A_DATE",
        "idempotency_key BAD_FORM",
        "occurred_at OUT_OF_RANGE",
        "progress.note TOO_LONG",
        "progress.officer_name MISSING",
        "status UNKNOWN_CODE",
    ];
    assert_eq!(found, expected);
}

/// The lists of the contract and of the domain agree by name, whatever their numbers are.
#[test]
fn enumerations_agree_by_name() {
    fn read<D: TryFrom<i32, Error = Reason> + std::fmt::Debug>(number: i32, shift: i32) -> String {
        let found: Option<D> = crate::convert::listed(&mut Faults::new(), "x", number, shift);
        found.map_or_else(String::new, |value| format!("{value:?}").to_uppercase())
    }
    let check = |name: &str, prefix: &str, found: String| {
        let name = name.strip_prefix(prefix).unwrap().replace('_', "");
        // The domain says "not paid" where the contract says "none" of the online ways.
        assert_eq!(found.replace("NOTPAID", "NONE"), name);
    };
    for number in 1..=3 {
        let name = proto::Channel::try_from(number).unwrap().as_str_name();
        check(name, "CHANNEL_", read::<Channel>(number, 0));
    }
    for number in 1..=2 {
        let name = proto::ReturnMethod::try_from(number).unwrap().as_str_name();
        check(name, "RETURN_METHOD_", read::<ReturnMethod>(number, 1));
        let name = proto::IdentityKind::try_from(number).unwrap().as_str_name();
        check(
            name,
            "IDENTITY_KIND_",
            read::<IdentityDocumentKind>(number, 0),
        );
    }
    for number in 1..=4 {
        let name = proto::OnlinePayment::try_from(number)
            .unwrap()
            .as_str_name();
        check(name, "ONLINE_PAYMENT_", read::<OnlinePayment>(number, 1));
        let name = proto::ApplicantKind::try_from(number)
            .unwrap()
            .as_str_name();
        check(name, "APPLICANT_KIND_", read::<ApplicantKind>(number, 0));
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-zA-Zđơưêễịạ0-9 ]{0,20}",
        1 => ".{0,12}",
        1 => Just("https://motcua.gialai.gov.vn/1".to_owned()),
        1 => Just("064087001234".to_owned()),
        1 => Just("1.000094".to_owned()),
    ]
}

fn any_instant() -> impl Strategy<Value = Option<Timestamp>> {
    let usual = (631_126_800_i64..4_133_955_600, 0..1_000_000_000_i32);
    let odd = (any::<i64>(), any::<i32>());
    prop_oneof![
        2 => Just(None),
        6 => usual.prop_map(|(seconds, nanos)| Some(Timestamp { seconds, nanos })),
        1 => odd.prop_map(|(seconds, nanos)| Some(Timestamp { seconds, nanos })),
    ]
}

fn any_code() -> impl Strategy<Value = i32> {
    prop_oneof![9 => 0..6_i32, 1 => any::<i32>()]
}

prop_compose! {
    fn any_fee()(
        name in any_text(), amount in prop_oneof![9 => 0..9_000_000_i64, 1 => any::<i64>()], kind in any_code(),
    ) -> proto::Fee {
        proto::Fee { name, amount_vnd: amount, kind, ..proto::Fee::default() }
    }
}

prop_compose! {
    fn any_details()(
        texts in prop::collection::vec(prop::option::of(any_text()), 8),
        codes in prop::collection::vec(any_code(), 5),
        times in prop::collection::vec(any_instant(), 4),
        fees in prop::option::of(prop::collection::vec(any_fee(), 0..4)),
        url in any_text(),
        number in any_text(),
        flags in any::<(Option<bool>, bool, Option<u32>)>(),
    ) -> proto::DossierDetails {
        let mut texts = texts.into_iter();
        let mut text = || texts.next().unwrap();
        proto::DossierDetails {
            procedure_code: text(), procedure_name: text(), field_code: text(), summary: text(),
            remark: text(), handling_unit: text(),
            channel: codes[0], return_method: codes[1], online_payment: codes[2],
            applicant: Some(proto::Applicant {
                name: text(), phone: text(), kind: codes[3],
                identities: Some(proto::IdentityList {
                    items: vec![proto::Identity { kind: codes[4], number }],
                }),
                ..proto::Applicant::default()
            }),
            submitted_at: times[0], due_at: times[1], returned_at: times[2], refused_at: times[3],
            has_digitised_components: flags.0,
            submitted_documents: Some(proto::SubmittedDocumentList {
                items: vec![proto::SubmittedDocument {
                    file_url: url, deleted: flags.1, reuse_code: flags.2,
                    ..proto::SubmittedDocument::default()
                }],
            }),
            fees: fees.map(|items| proto::FeeList { items }),
            ..proto::DossierDetails::default()
        }
    }
}

prop_compose! {
    fn any_event()(
        key in prop_oneof!["[!-~]{1,20}", any_text()],
        code in prop_oneof![4 => Just("H21.17-240823-0001".to_owned()), 1 => any_text()],
        status in any_code(),
        occurred_at in any_instant(),
        source_sequence in any::<Option<i64>>(),
        line in prop::option::of((any_text(), any_text(), any_instant())),
        details in prop::option::of(any_details()),
    ) -> proto::StatusEvent {
        proto::StatusEvent {
            idempotency_key: key, dossier_code: code, status, occurred_at, source_sequence,
            progress: line.map(|(officer_name, note, due_at)| proto::ProgressLine {
                officer_name, note, due_at, ..proto::ProgressLine::default()
            }),
            details,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Any message is read or refused with faults; what was read, written and read again stays the same.
    #[test]
    fn what_is_read_reads_back(event in any_event()) {
        match from_proto(&event) {
            Ok(read) => prop_assert_eq!(from_proto(&to_proto(&read)), Ok(read)),
            Err(faults) => prop_assert!(!faults.is_empty()),
        }
    }

    /// Details alone, so that good ones are frequent.
    #[test]
    fn details_read_back(found in any_details()) {
        let mut faults = Faults::new();
        let read = details::from_proto(&found, &mut faults);
        let mut again = Faults::new();
        let reread = details::from_proto(&details::to_proto(&read), &mut again);
        if faults.is_empty() {
            prop_assert!(again.is_empty(), "{again:?}");
            prop_assert_eq!(reread, read);
        }
    }
}
