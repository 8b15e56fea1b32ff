//! Reading questions: what is taken, every fault at once, and the numbers that the contract shares with the domain.

use lienthong_domain::identity::{Field, JobState, UsageKind, UsageOutcome};

use super::*;

fn now() -> Timestamp {
    "2026-11-22T09:00:00+07:00".parse().unwrap()
}

fn inquiry() -> proto::Inquiry {
    proto::Inquiry {
        purpose_code: "CIVIL_STATUS".to_owned(),
        official_id: "lethihoa.tuphap".to_owned(),
        dossier_code: "H56.14-240823-0001".to_owned(),
    }
}

fn claims() -> proto::Claims {
    proto::Claims {
        number: "038191012345".to_owned(),
        full_name: "Lê Thị Hoà".to_owned(),
        birth_date: "1991-04-30".to_owned(),
        sex: proto::Sex::Female.into(),
        ethnicity_code: "01".to_owned(),
        old_number: "171234567".to_owned(),
        home_town: "Xã Hoằng Hóa, tỉnh Thanh Hóa".to_owned(),
        permanent_residence: String::new(),
    }
}

fn faults(inquiry: Option<&proto::Inquiry>, claims: Option<&proto::Claims>) -> Vec<String> {
    let faults = question(inquiry, claims, now()).expect_err("faulty");
    let told = faults.iter();
    told.map(|fault| format!("{} {}", fault.field, fault.reason.name()))
        .collect()
}

#[test]
fn a_question_is_read_with_everything_claimed() {
    let (inquiry, claims) = question(Some(&inquiry()), Some(&claims()), now()).unwrap();
    assert_eq!(inquiry.purpose.as_str(), "CIVIL_STATUS");
    assert_eq!(claims.birth.iso(), "1991-04-30");
    let optional = [
        Field::OldNumber,
        Field::Sex,
        Field::Ethnicity,
        Field::HomeTown,
    ];
    assert_eq!(claims.optional_fields(), optional.into_iter().collect());
}

#[test]
fn every_fault_is_named_with_its_path_and_without_its_value() {
    let empty = faults(
        Some(&proto::Inquiry::default()),
        Some(&proto::Claims::default()),
    );
    assert_eq!(
        empty,
        [
            "inquiry.purpose_code MISSING",
            "inquiry.official_id MISSING",
            "claims.number MISSING",
            "claims.full_name MISSING",
            "claims.birth_date MISSING",
        ]
    );
    assert_eq!(faults(None, None), ["inquiry MISSING", "claims MISSING"]);
    let wrong = proto::Claims {
        number: "03819101234".to_owned(),
        full_name: "Lê Thị Hoà 2".to_owned(),
        birth_date: "2026-11-23".to_owned(),
        sex: 3,
        ..claims()
    };
    let told = faults(Some(&inquiry()), Some(&wrong));
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(
        told.contains(&"claims.birth_date IN_FUTURE".to_owned()),
        "{told:?}"
    );
    let both_old = proto::Claims {
        number: "171234567".to_owned(),
        ..claims()
    };
    assert_eq!(
        faults(Some(&inquiry()), Some(&both_old)),
        ["claims.old_number CONFLICT"]
    );
    let officials_number = proto::Inquiry {
        official_id: "038191012345".to_owned(),
        ..inquiry()
    };
    assert_eq!(
        faults(Some(&officials_number), Some(&claims())),
        ["inquiry.official_id BAD_FORM"]
    );
}

#[test]
fn fields_are_read_by_their_numbers() {
    let asked = [
        proto::CitizenField::Sex.into(),
        proto::CitizenField::Mother.into(),
    ];
    let fields = fields_from_proto(&asked).unwrap();
    assert_eq!(fields_to_proto(fields), asked);
    assert!(fields_from_proto(&[]).is_err());
    assert!(fields_from_proto(&[0]).is_err());
    assert!(fields_from_proto(&[5; 21]).is_err());
}

#[test]
fn the_contract_and_the_domain_count_alike() {
    for field in Field::ALL {
        let named = proto::CitizenField::try_from(i32::from(field.code())).unwrap();
        let name = format!("CITIZEN_FIELD_{}", field.name().to_uppercase());
        assert_eq!(named.as_str_name(), name);
    }
    let number = |code: i64| i32::try_from(code).unwrap();
    for state in JobState::ALL {
        let named = proto::JobState::try_from(number(state.code())).unwrap();
        assert_eq!(
            named.as_str_name(),
            format!("JOB_STATE_{}", state.name().to_uppercase())
        );
    }
    for kind in UsageKind::ALL {
        let named = proto::UsageKind::try_from(number(kind.code())).unwrap();
        assert_eq!(
            named.as_str_name(),
            format!("USAGE_KIND_{}", kind.name().to_uppercase())
        );
    }
    for outcome in UsageOutcome::ALL {
        let named = proto::UsageOutcome::try_from(number(outcome.code())).unwrap();
        let name = format!("USAGE_OUTCOME_{}", outcome.name().to_uppercase());
        assert_eq!(named.as_str_name(), name);
    }
}
