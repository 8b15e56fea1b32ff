use lienthong_domain::identity::{BirthDate, CitizenNumber, OldNumber, Sex};
use lienthong_domain::{Private, Text};

use super::*;

fn text(text: &str) -> Option<Private<Text<250>>> {
    Text::parse(text).ok().map(Private::new)
}

fn claims(number: &str, name: &str, birth: &str) -> Claims {
    Claims::key(
        IdNumber::parse(number).unwrap(),
        FullName::parse(name).unwrap(),
        BirthDate::parse(birth).unwrap(),
    )
}

fn hoa() -> Claims {
    claims("038191012345", "Lê Thị Hoà", "1991-04-30")
}

fn record(number: Option<&str>, name: Option<&str>, birth: Option<&str>) -> Citizen {
    Citizen {
        citizen_number: number.map(|number| CitizenNumber::parse(number).unwrap()),
        old_number: OldNumber::parse("171234567").ok(),
        full_name: name.and_then(text),
        birth_date: birth.map(|birth| BirthDate::parse(birth).unwrap()),
        ..Citizen::default()
    }
}

#[test]
fn the_key_is_compared_over_its_whole_table() {
    use Verdict::{Match, NoMatch, Undecided};
    let number = Some("038191012345");
    let day = Some("1991-04-30");
    // Record, verdict, whether it is certainly the asked one.
    let table = [
        (record(number, Some("LÊ THỊ HOÀ"), day), Match, true),
        (record(number, Some("LÊ THỊ HÒA"), day), Match, true),
        (record(number, Some("LE THI HOA"), day), Undecided, true),
        (record(number, Some("LÊ THỊ HẠNH"), day), NoMatch, true),
        (
            record(number, Some("LÊ THỊ HOÀ"), Some("1991")),
            Undecided,
            true,
        ),
        (
            record(number, Some("LÊ THỊ HOÀ"), Some("1991-05-30")),
            NoMatch,
            true,
        ),
        (record(number, None, day), Undecided, true),
        (record(number, Some("LÊ THỊ HOÀ"), None), Undecided, true),
        (record(None, Some("LÊ THỊ HOÀ"), day), Undecided, true),
        (record(None, Some("LÊ THỊ HOÀ"), None), Undecided, false),
        (record(None, None, day), Undecided, false),
        (record(None, Some("LÊ THỊ HẠNH"), day), NoMatch, false),
        (record(None, None, None), Undecided, false),
        // A name that no caller could claim is compared as text.
        (record(number, Some("LÊ THỊ HOÀ (2)"), day), NoMatch, true),
    ];
    for (index, (record, verdict, certain)) in table.iter().enumerate() {
        let key = Key::of(&hoa(), record).unwrap();
        assert_eq!(
            (key.verdict(), key.is_certain()),
            (*verdict, *certain),
            "row {index}"
        );
        assert_eq!(key.contradicts(), *verdict == NoMatch, "row {index}");
        assert_eq!(key.opens_the_record(), *verdict == Match, "row {index}");
        let verification = verification(&hoa(), record, key);
        // Of an uncertain record nobody learns that it is there.
        let verdict = if *certain { *verdict } else { NoMatch };
        assert_eq!(verification.verdict, verdict, "row {index}");
        if verdict == NoMatch {
            assert_eq!(verification, Verification::no_match(&hoa()));
        }
    }
}

#[test]
fn another_number_is_another_person() {
    let other = record(Some("038191012346"), Some("LÊ THỊ HOÀ"), Some("1991-04-30"));
    assert!(matches!(
        Key::of(&hoa(), &other),
        Err(Failure::BadAnswer(_))
    ));
    let asked_by_old = claims("171234567", "Lê Thị Hoà", "1991-04-30");
    assert!(Key::of(&asked_by_old, &other).is_ok_and(Key::opens_the_record));
    let mut silent = other.clone();
    silent.old_number = None;
    let silent = Key::of(&asked_by_old, &silent).unwrap();
    assert_eq!(silent.verdict(), Verdict::Undecided);
    assert!(!silent.opens_the_record(), "name and birth date merely fit");
    let asked_by_old = claims("171234568", "Lê Thị Hoà", "1991-04-30");
    assert!(matches!(
        Key::of(&asked_by_old, &other),
        Err(Failure::BadAnswer(_))
    ));
}

#[test]
fn nothing_matches_of_a_person_who_is_not_matched() {
    let mut claims = hoa();
    claims.sex = Some(Sex::Female);
    let mut told = record(Some("038191012345"), Some("LE THI HOA"), Some("1991-04-30"));
    told.sex = Some(Sex::Female);
    let key = Key::of(&claims, &told).unwrap();
    let answer = verification(&claims, &told, key);
    assert!(
        answer
            .fields
            .iter()
            .all(|(_, verdict)| *verdict == Verdict::Undecided)
    );
    assert_eq!(answer.name_level, Some(NameLevel::NoDiacritics));
    told.full_name = None;
    let key = Key::of(&claims, &told).unwrap();
    assert_eq!(verification(&claims, &told, key).name_level, None);
}

#[test]
fn optional_claims_are_compared_each_by_itself() {
    use Verdict::{Match, NoMatch, Undecided};
    let mut claims = hoa();
    claims.sex = Some(Sex::Female);
    claims.ethnicity = Some(Text::parse("1").unwrap());
    claims.old_number = OldNumber::parse("171234567").ok();
    claims.home_town = text("thôn 3, xã Hoằng Hoá, tỉnh Thanh Hóa");
    claims.permanent_residence = text("Số 12 đường Lê Lợi");
    let mut told = record(Some("038191012345"), Some("LÊ THỊ HOÀ"), Some("1991-04-30"));
    let place = |detail: &str| {
        Some(Place {
            detail: text(detail),
            ..Place::default()
        })
    };
    let verdicts = |told: &Citizen| {
        let answer = verification(&claims, told, Key::of(&claims, told).unwrap());
        let optional = claims.optional_fields();
        let fields = answer.fields.into_iter();
        fields
            .filter(|(field, _)| optional.contains(*field))
            .map(|(_, verdict)| verdict)
            .collect::<Vec<_>>()
    };
    // Old number, sex, ethnicity, home town, residence: the order of the fields.
    assert_eq!(
        verdicts(&told),
        [Match, Undecided, Undecided, Undecided, Undecided]
    );
    told.sex = Some(Sex::Male);
    told.ethnicity = Text::parse("01").ok();
    told.home_town = place("Thôn 3");
    told.permanent_residence = place("SỐ 12 ĐƯỜNG LÊ LỢI.");
    assert_eq!(verdicts(&told), [Match, NoMatch, Match, Undecided, Match]);
    told.home_town = place("Thôn 4");
    told.ethnicity = Text::parse("10").ok();
    assert_eq!(verdicts(&told), [Match, NoMatch, NoMatch, NoMatch, Match]);
}
