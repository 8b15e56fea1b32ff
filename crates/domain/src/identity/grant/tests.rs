//! The whole table of `decide`: every obstacle alone, and which of two comes first.

use super::*;
use crate::identity::field::Field;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn procedure(code: &str) -> ProcedureCode {
    ProcedureCode::parse(code).unwrap()
}

fn quota() -> Arc<QuotaClass> {
    let limits = AskLimits {
        per_second_max: 5,
        subjects_per_hour_max: 50,
        subjects_per_day_max: 200,
    };
    Arc::new(QuotaClass {
        name: "office".into(),
        participant: limits,
        system: limits,
        official: limits,
        official_concurrent_max: 4,
        dossier_subjects_max: 10,
    })
}

fn grant(mode: Mode) -> Grant {
    Grant {
        purpose: PurposeCode::parse("CIVIL_STATUS").unwrap(),
        mode,
        fields: [Field::Sex, Field::PermanentResidence]
            .into_iter()
            .collect(),
        procedures: vec![procedure("1.001193")],
        quota: quota(),
        job_items_max: 0,
        valid_from: at("2026-01-01T00:00:00Z"),
        valid_until: Some(at("2027-01-01T00:00:00Z")),
    }
}

fn purpose(binding: Binding) -> Purpose {
    Purpose {
        code: PurposeCode::parse("CIVIL_STATUS").unwrap(),
        name: "Đăng ký hộ tịch".to_owned(),
        legal_basis: "Luật Hộ tịch 60/2014/QH13".to_owned(),
        binding,
        procedures: vec![procedure("1.001193"), procedure("1.000894")],
    }
}

fn asked(mode: Mode, fields: &[Field]) -> Asked {
    Asked {
        mode,
        fields: fields.iter().copied().collect(),
        now: at("2026-06-01T00:00:00Z"),
    }
}

fn held(open: bool, code: Option<&str>) -> DossierFacts {
    DossierFacts::Held {
        open,
        procedure: code.map(procedure),
    }
}

fn good() -> DossierFacts {
    held(true, Some("1.001193"))
}

#[test]
fn a_mode_permits_itself_and_disclosing_includes_verifying() {
    for granted in Mode::ALL {
        for asked_mode in Mode::ALL {
            let expected =
                granted == asked_mode || (granted == Mode::Disclose && asked_mode == Mode::Verify);
            assert_eq!(granted.permits(asked_mode), expected);
            let result = decide(
                Some(&grant(granted)),
                &purpose(Binding::Required),
                &asked(asked_mode, &[Field::Sex]),
                &good(),
            );
            let refused = result == Err(Refusal::ModeNotGranted);
            assert_eq!(refused, !expected, "{granted:?} {asked_mode:?}");
        }
    }
}

#[test]
fn without_a_grant_nothing_is_permitted() {
    for mode in Mode::ALL {
        let result = decide(
            None,
            &purpose(Binding::NotNeeded),
            &asked(mode, &[]),
            &good(),
        );
        assert_eq!(result, Err(Refusal::NoGrant));
    }
}

#[test]
fn a_grant_holds_from_its_first_instant_until_before_its_last() {
    let table = [
        ("2025-12-31T23:59:59.999999999Z", Err(Refusal::NotYetValid)),
        ("2026-01-01T00:00:00Z", Ok(FieldSet::EMPTY)),
        ("2026-12-31T23:59:59.999999999Z", Ok(FieldSet::EMPTY)),
        ("2027-01-01T00:00:00Z", Err(Refusal::Expired)),
    ];
    for (now, expected) in table {
        let asked = Asked {
            now: at(now),
            ..asked(Mode::Verify, &[])
        };
        let result = decide(
            Some(&grant(Mode::Verify)),
            &purpose(Binding::Required),
            &asked,
            &good(),
        );
        assert_eq!(result, expected, "{now}");
    }
    let endless = Grant {
        valid_until: None,
        ..grant(Mode::Verify)
    };
    let late = Asked {
        now: Timestamp::MAX,
        ..asked(Mode::Verify, &[])
    };
    assert!(decide_grant(Some(&endless), &late).is_ok());
}

#[test]
fn verifying_refuses_claims_that_are_not_granted_and_disclosing_leaves_them_out() {
    let (sex, mother) = (Field::Sex, Field::Mother);
    let set = |fields: &[Field]| fields.iter().copied().collect::<FieldSet>();
    let table = [
        (Mode::Verify, &[][..], Ok(set(&[]))),
        (Mode::Verify, &[sex], Ok(set(&[sex]))),
        (
            Mode::Verify,
            &[sex, mother],
            Err(Refusal::FieldsNotGranted(set(&[mother]))),
        ),
        (Mode::Disclose, &[sex, mother], Ok(set(&[sex]))),
        (
            Mode::Disclose,
            &[mother],
            Err(Refusal::FieldsNotGranted(set(&[mother]))),
        ),
        (
            Mode::Disclose,
            &[],
            Err(Refusal::FieldsNotGranted(set(&[]))),
        ),
    ];
    for (mode, fields, expected) in table {
        let result = decide(
            Some(&grant(Mode::Disclose)),
            &purpose(Binding::Required),
            &asked(mode, fields),
            &good(),
        );
        assert_eq!(result, expected, "{mode:?} {fields:?}");
    }
}

#[test]
fn the_dossier_binds_as_the_purpose_says() {
    use Binding::{NotNeeded, Recorded, Required};
    use DossierFacts::{Named, NotHeld, NotNamed};
    let ok = Ok(FieldSet::EMPTY);
    let table = [
        (Required, NotNamed, Err(Refusal::DossierMissing)),
        (Required, Named, Err(Refusal::DossierNotHeld)),
        (Required, NotHeld, Err(Refusal::DossierNotHeld)),
        (
            Required,
            held(false, Some("1.001193")),
            Err(Refusal::DossierClosed),
        ),
        (
            Required,
            held(true, None),
            Err(Refusal::ProcedureNotGranted),
        ),
        // Of the purpose, but not of the grant.
        (
            Required,
            held(true, Some("1.000894")),
            Err(Refusal::ProcedureNotGranted),
        ),
        (
            Required,
            held(true, Some("2.000815")),
            Err(Refusal::ProcedureNotGranted),
        ),
        (Required, good(), ok),
        (Recorded, NotNamed, Err(Refusal::DossierMissing)),
        (Recorded, Named, ok),
        (Recorded, NotHeld, ok),
        (NotNeeded, NotNamed, ok),
        (NotNeeded, NotHeld, ok),
        (NotNeeded, held(false, None), ok),
    ];
    for (binding, facts, expected) in table {
        let result = decide(
            Some(&grant(Mode::Verify)),
            &purpose(binding),
            &asked(Mode::Verify, &[]),
            &facts,
        );
        assert_eq!(result, expected, "{binding:?} {facts:?}");
    }
}

#[test]
fn empty_lists_of_procedures_mean_any() {
    let any_grant = Grant {
        procedures: Vec::new(),
        ..grant(Mode::Verify)
    };
    let any_purpose = Purpose {
        procedures: Vec::new(),
        ..purpose(Binding::Required)
    };
    let verify = asked(Mode::Verify, &[]);
    let of_purpose = held(true, Some("1.000894"));
    let purpose = purpose(Binding::Required);
    assert!(decide(Some(&any_grant), &purpose, &verify, &of_purpose).is_ok());
    assert!(decide(Some(&any_grant), &any_purpose, &verify, &held(true, None)).is_ok());
    let other = held(true, Some("2.000815"));
    let refused = decide(Some(&any_grant), &purpose, &verify, &other);
    assert_eq!(refused, Err(Refusal::ProcedureNotGranted));
}

#[test]
fn the_first_obstacle_is_the_answer() {
    let asked = Asked {
        now: at("2028-01-01T00:00:00Z"),
        ..asked(Mode::Usage, &[Field::Mother])
    };
    let grant = grant(Mode::Verify);
    let purpose = purpose(Binding::Required);
    let facts = DossierFacts::NotNamed;
    assert_eq!(
        decide(Some(&grant), &purpose, &asked, &facts),
        Err(Refusal::Expired)
    );
    let asked = Asked {
        now: grant.valid_from,
        ..asked
    };
    assert_eq!(
        decide(Some(&grant), &purpose, &asked, &facts),
        Err(Refusal::ModeNotGranted)
    );
    let asked = Asked {
        mode: Mode::Verify,
        ..asked
    };
    assert!(matches!(
        decide(Some(&grant), &purpose, &asked, &facts),
        Err(Refusal::FieldsNotGranted(_))
    ));
}
