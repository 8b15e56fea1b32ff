use lienthong_domain::identity::{
    BirthDate, Citizen, CitizenNumber, Claims, Field, FieldSet, FullName, IdNumber, NameLevel,
    OldNumber, Place, Relative, Verdict, Verification,
};
use lienthong_domain::{Private, Text};
use proptest::prelude::*;

use super::*;

fn text(text: &str) -> Option<Private<Text<250>>> {
    Text::parse(text).ok().map(Private::new)
}

fn claims() -> Claims {
    let mut claims = Claims::key(
        IdNumber::parse("038191012345").unwrap(),
        FullName::parse("Lê Thị Hoà").unwrap(),
        BirthDate::parse("1991").unwrap(),
    );
    claims.sex = Some(Sex::Female);
    claims.ethnicity = Text::parse("01").ok();
    claims.old_number = OldNumber::parse("171234567").ok();
    claims.home_town = text("Thôn 3");
    claims.permanent_residence = text("Số 12");
    claims
}

fn citizen() -> Citizen {
    let code = |code: &str| Text::parse(code).ok();
    let place = || {
        Some(Place {
            province: code("38"),
            district: code("390"),
            commune: code("15001"),
            detail: text("Thôn 3"),
            country: code("VN"),
        })
    };
    let relative = || {
        Some(Relative {
            full_name: text("LÊ VĂN ĐỨC"),
            citizen_number: CitizenNumber::parse("038065000001").ok(),
            old_number: OldNumber::parse("170000001").ok(),
            nationality: code("VN"),
            relation: code("Con"),
        })
    };
    Citizen {
        citizen_number: CitizenNumber::parse("038191012345").ok(),
        old_number: OldNumber::parse("171234567").ok(),
        full_name: text("LÊ THỊ HOÀ"),
        birth_date: BirthDate::parse("1991-04-30").ok(),
        sex: Some(Sex::Female),
        ethnicity: code("01"),
        religion: code("00"),
        marital_status: code("2"),
        blood_group: code("O"),
        nationality: code("VN"),
        birth_registration: place(),
        home_town: place(),
        permanent_residence: place(),
        current_residence: Some(Place::default()),
        father: relative(),
        mother: relative(),
        spouse: relative(),
        representative: relative(),
        household_head: Some(Relative::default()),
        household_number: text("380123456"),
    }
}

#[test]
fn everything_comes_back_as_it_went() {
    assert_eq!(claims_from_proto(&claims_to_proto(&claims())), Ok(claims()));
    for field in Field::ALL {
        let some = citizen().masked(FieldSet::from_iter([field]));
        assert_eq!(
            citizen_from_proto(&citizen_to_proto(&some)),
            Ok(some),
            "{field:?}"
        );
    }
    assert_eq!(
        citizen_from_proto(&citizen_to_proto(&citizen())),
        Ok(citizen())
    );
    assert_eq!(
        citizen_from_proto(&proto::Citizen::default()),
        Ok(Citizen::default())
    );
}

#[test]
fn a_question_is_told_all_its_faults() {
    let mut wrong = claims_to_proto(&claims());
    wrong.number = "171234567".to_owned();
    wrong.full_name = "Lê 2".to_owned();
    wrong.birth_date = "30/04/1991".to_owned();
    wrong.sex = 9;
    wrong.old_number = "1".to_owned();
    wrong.home_town = "x".repeat(251);
    let faults = claims_from_proto(&wrong).unwrap_err();
    let named: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(
        named,
        ["full_name", "birth_date", "sex", "old_number", "home_town"]
    );
    wrong = claims_to_proto(&claims());
    wrong.number = "171234568".to_owned();
    let faults = claims_from_proto(&wrong).unwrap_err().to_string();
    assert_eq!(
        faults,
        "old_number: The value contradicts number; correct one of the two."
    );

    let faults = fields_from_proto(&[1, 0, 21]).unwrap_err();
    let named: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(named, ["[1]", "[2]"]);
    assert!(fields_from_proto(&[1; 21]).is_err());
    assert_eq!(
        fields_from_proto(&[3, 1, 3]).unwrap(),
        fields_from_proto(&[1, 3]).unwrap()
    );
}

#[test]
fn a_malformed_record_is_refused_by_field() {
    let mut wrong = citizen_to_proto(&citizen());
    wrong.birth_date = "mai".to_owned();
    wrong.father.as_mut().unwrap().citizen_number = "1".to_owned();
    wrong.home_town.as_mut().unwrap().commune_code = "x".repeat(11);
    let faults = citizen_from_proto(&wrong).unwrap_err();
    let named: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(
        named,
        [
            "birth_date",
            "home_town.commune_code",
            "father.citizen_number"
        ]
    );
}

#[test]
fn a_verification_says_no_more_than_its_verdict_allows() {
    let good = Verification::of_key(&claims(), Verdict::Match, NameLevel::ToneStyle);
    let read = |message: &proto::Verification| verification_from_proto(message, &claims());
    assert_eq!(read(&verification_to_proto(&good)), Ok(good.clone()));
    let undecided = Verification::of_key(&claims(), Verdict::Undecided, NameLevel::NoDiacritics);
    assert_eq!(read(&verification_to_proto(&undecided)), Ok(undecided));

    let mut leaking = verification_to_proto(&good);
    leaking.verdict = proto::Verdict::NoMatch.into();
    assert_eq!(read(&leaking), Ok(Verification::no_match(&claims())));
    leaking.verdict = proto::Verdict::Undecided.into();
    assert!(read(&leaking).is_err());
    let mut short = verification_to_proto(&good);
    short.fields.pop();
    assert!(read(&short).is_err());
    let mut odd = verification_to_proto(&good);
    odd.fields[0].verdict = 0;
    assert!(read(&odd).is_err());
    assert!(read(&proto::Verification::default()).is_err());
}

proptest! {
    #[test]
    fn any_claims_are_answered_without_their_values(
        number in "\\PC{0,14}", name in "\\PC{0,20}", birth in "[0-9-]{0,10}", sex in -1_i32..4,
    ) {
        let message = proto::Claims {
            number,
            full_name: name,
            birth_date: birth,
            sex,
            ..proto::Claims::default()
        };
        match claims_from_proto(&message) {
            Ok(claims) => prop_assert_eq!(claims_from_proto(&claims_to_proto(&claims)), Ok(claims)),
            Err(faults) => prop_assert!(!faults.is_empty()),
        }
    }
}
