//! Grants read from a file, and every fault of one.

use lienthong_domain::identity::{Field, FieldSet, Mode, PurposeCode};
use lienthong_domain::participant::ParticipantId;

use crate::Registry;

const TERMS: &str = r#"
    [[purpose]]
    code = "CIVIL_STATUS"
    name = "Đăng ký hộ tịch"
    legal_basis = "Luật Hộ tịch 60/2014/QH13"
    procedures = ["1.001193", "1.000894"]

    [[purpose]]
    code = "DATA_CLEANING"
    name = "Làm sạch dữ liệu hộ tịch"
    legal_basis = "Quyết định 06/QĐ-TTg"
    dossier = "not_needed"

    [[quota_class]]
    name = "office"
    participant = { per_second_max = 50, subjects_per_hour_max = 2000, subjects_per_day_max = 10000 }
    system = { per_second_max = 20, subjects_per_hour_max = 1000, subjects_per_day_max = 5000 }
    official = { per_second_max = 2, subjects_per_hour_max = 60, subjects_per_day_max = 200 }
    official_concurrent_max = 4
    dossier_subjects_max = 10
"#;

const MINISTRY: &str = r#"
    [[participant]]
    id = "G15"
    name = "Bộ Tư pháp"
    [[participant.system]]
    name = "hotich"
    role = "identity"
    [[participant.system.grant]]
    purpose = "CIVIL_STATUS"
    mode = "disclose"
    fields = ["sex", "permanent_residence"]
    procedures = ["1.001193"]
    quota = "office"
    valid_from = "2026-01-01"
    valid_until = "2027-01-01"
    [[participant.system.grant]]
    purpose = "DATA_CLEANING"
    mode = "verify"
    quota = "office"
    job_items_max = 200000
    valid_from = "2026-01-01T08:00:00+07:00"
"#;

#[test]
fn a_grant_is_found_by_participant_system_and_purpose() {
    let registry = Registry::parse(&format!("{TERMS}{MINISTRY}")).unwrap();
    let ministry = ParticipantId::parse("G15").unwrap();
    let purpose = |code| PurposeCode::parse(code).unwrap();
    let civil = registry
        .grant(&ministry, "hotich", &purpose("CIVIL_STATUS"))
        .unwrap();
    assert_eq!(civil.mode, Mode::Disclose);
    let fields: FieldSet = [Field::Sex, Field::PermanentResidence]
        .into_iter()
        .collect();
    assert_eq!(civil.fields, fields);
    assert_eq!(civil.valid_from.to_string(), "2025-12-31T17:00:00Z");
    assert_eq!(
        civil.valid_until.unwrap().to_string(),
        "2026-12-31T17:00:00Z"
    );
    assert_eq!(civil.quota.official.subjects_per_day_max, 200);

    let cleaning = registry
        .grant(&ministry, "hotich", &purpose("DATA_CLEANING"))
        .unwrap();
    assert_eq!(cleaning.valid_from.to_string(), "2026-01-01T01:00:00Z");
    assert_eq!(
        (cleaning.valid_until, cleaning.job_items_max),
        (None, 200_000)
    );
    assert_eq!(registry.purposes().count(), 2);

    let other = ParticipantId::parse("G22").unwrap();
    assert!(registry.grant(&other, "hotich", &civil.purpose).is_none());
    assert!(registry.grant(&ministry, "khac", &civil.purpose).is_none());
    assert!(
        registry
            .grant(&ministry, "hotich", &purpose("TAX"))
            .is_none()
    );
}

#[test]
fn every_fault_of_a_grant_is_named() {
    let table = [
        (
            r#"purpose = "CIVIL_STATUS""#,
            r#"purpose = "TAX""#,
            "no such [[purpose]]",
        ),
        (
            r#"quota = "office""#,
            r#"quota = "none""#,
            "no such [[quota_class]]",
        ),
        (r#""sex", "#, r#""sexx", "#, "no such field \"sexx\""),
        (
            r#"fields = ["sex", "permanent_residence"]"#,
            "",
            "at least one",
        ),
        (
            r#"procedures = ["1.001193"]"#,
            r#"procedures = ["x"]"#,
            "procedures: \"x\"",
        ),
        (
            r#"valid_until = "2027-01-01""#,
            r#"valid_until = "2025-01-01""#,
            "after valid_from",
        ),
        (
            r#"valid_until = "2027-01-01""#,
            r#"valid_until = "2027""#,
            "valid_until:",
        ),
        (
            "job_items_max = 200000",
            "job_items_max = 200001",
            "at most 200000",
        ),
        (
            "job_items_max = 200000",
            r#"procedures = ["1.001193"]"#,
            "nobody would check",
        ),
        (
            r#"mode = "verify""#,
            r#"mode = "usage""#,
            "for usage records has none",
        ),
        (
            r#"purpose = "DATA_CLEANING""#,
            r#"purpose = "CIVIL_STATUS""#,
            "one grant per purpose",
        ),
        (
            r#"role = "identity""#,
            r#"role = "operator""#,
            "operators hold no grants",
        ),
    ];
    for (good, bad, fault) in table {
        assert!(MINISTRY.contains(good), "{good}");
        let text = format!("{TERMS}{}", MINISTRY.replacen(good, bad, 1));
        let faults = Registry::parse(&text).err().unwrap_or_default();
        assert!(
            faults.iter().any(|found| found.contains(fault)),
            "{bad}: {faults:?}"
        );
    }
}

#[test]
fn every_fault_of_a_purpose_or_class_is_named() {
    let table = [
        (r#"code = "DATA_CLEANING""#, r#"code = "data""#, "code:"),
        (
            r#"code = "DATA_CLEANING""#,
            r#"code = "CIVIL_STATUS""#,
            "listed twice",
        ),
        (
            r#"legal_basis = "Quyết định 06/QĐ-TTg""#,
            r#"legal_basis = " ""#,
            "legal_basis:",
        ),
        (
            r#"dossier = "not_needed""#,
            r#"procedures = ["y"]"#,
            "procedures: \"y\"",
        ),
        (
            "official_concurrent_max = 4",
            "official_concurrent_max = 0",
            "official_concurrent_max",
        ),
        (
            "per_second_max = 2,",
            "per_second_max = 0,",
            "official: every limit",
        ),
        (
            "subjects_per_hour_max = 60",
            "subjects_per_hour_max = 201",
            "official: subjects",
        ),
        (
            "dossier_subjects_max = 10",
            "dossier_subjects_max = 0",
            "dossier_subjects_max",
        ),
    ];
    for (good, bad, fault) in table {
        assert!(TERMS.contains(good), "{good}");
        let faults = Registry::parse(&TERMS.replacen(good, bad, 1))
            .err()
            .unwrap_or_default();
        assert!(
            faults.iter().any(|found| found.contains(fault)),
            "{bad}: {faults:?}"
        );
    }
}
