//! What every population registry promises, one function per promise.
//!
//! An implementation calls [`run`] with a registry whose database holds the people of a [`Cast`]. Nothing here needs
//! a timer of its own to pass; the deadlines only end a broken registry.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use lienthong_domain::identity::name::tone_variants;
use lienthong_domain::identity::{
    BirthDate, Citizen, Claims, Field, FieldSet, FullName, IdNumber, NameLevel, OfficialId,
    Verdict, Verification,
};
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{Private, ProcedureCode, Text};

use crate::population::{LookUp, PopulationRegistry, Question, RegistryError};

/// How long any single question may take before the registry counts as broken.
const STEP_MAX: Duration = Duration::from_secs(30);
/// Questions asked at once.
const AT_ONCE: usize = 32;
/// Fewest people of a cast.
pub const PEOPLE_MIN: usize = 40;

/// Whom the suite asks about. None of them is real.
pub struct Cast {
    /// People of the database with their whole records, [`PEOPLE_MIN`] at least. Each has a number, a name that
    /// [`FullName`] reads and a whole birth date; somebody has an old number, somebody a home town in words, and
    /// somebody's name can be written in another tone style.
    pub people: Vec<Citizen>,
    /// Well-formed claims about nobody.
    pub nobody: Claims,
    /// One of the people with the name in bare letters, where it has others.
    pub bare: Claims,
}

/// Runs every promise.
///
/// # Panics
/// A promise is not kept.
pub async fn run(registry: &dyn PopulationRegistry, cast: &Cast) {
    assert!(cast.people.len() >= PEOPLE_MIN, "the cast is too small");
    true_claims_match(registry, cast).await;
    an_unknown_person_and_wrong_claims_look_alike(registry, cast).await;
    another_tone_style_matches_and_says_so(registry, cast).await;
    bare_letters_never_match(registry, cast).await;
    optional_claims_have_a_verdict_each(registry, cast).await;
    old_numbers_are_numbers(registry, cast).await;
    a_look_up_shows_the_wanted_fields_only(registry, cast).await;
    nobody_is_not_found(registry, cast).await;
    a_wrong_claim_finds_nothing(registry, cast).await;
    answers_do_not_mix(registry, cast).await;
    no_time_is_no_answer(registry, cast).await;
    errors_and_questions_hold_nobody(registry, cast).await;
    a_check_asks_nothing(registry).await;
}

/// Number, name and birth date as they are recorded are a match, of each claimed field.
pub async fn true_claims_match(registry: &dyn PopulationRegistry, cast: &Cast) {
    for person in cast.people.iter().take(10) {
        let claims = claims_of(person);
        let verification = verify(registry, &claims).await;
        assert_eq!(verification.verdict, Verdict::Match);
        assert_eq!(verification.name_level, Some(NameLevel::Exact));
        let expected = claims.fields().iter().map(|field| (field, Verdict::Match));
        assert_eq!(verification.fields, expected.collect::<Vec<_>>());
    }
}

/// Whoever guesses learns nothing: not which part was wrong, not whether there is such a number.
pub async fn an_unknown_person_and_wrong_claims_look_alike(
    registry: &dyn PopulationRegistry,
    cast: &Cast,
) {
    let wrong = wrong_claims(cast);
    for claims in wrong.iter().chain([&cast.nobody]) {
        let mut claims = claims.clone();
        for is_more in [false, true] {
            if is_more {
                claims.sex = cast.people[0].sex;
                claims.home_town = Some(text("thôn Hoà Bình"));
            }
            let verification = verify(registry, &claims).await;
            assert_eq!(verification, Verification::no_match(&claims));
        }
    }
}

/// "Hoà" for "Hòa" is the same person, and the level tells that it was not letter by letter.
pub async fn another_tone_style_matches_and_says_so(
    registry: &dyn PopulationRegistry,
    cast: &Cast,
) {
    let mut asked = 0;
    for person in &cast.people {
        let claims = claims_of(person);
        for name in tone_variants(&claims.name) {
            let claims = Claims {
                name,
                ..claims.clone()
            };
            let verification = verify(registry, &claims).await;
            // A database that compares exactly before it shows a record may hide it from a registry that looks it up.
            if verification.verdict == Verdict::Match {
                assert_eq!(verification.name_level, Some(NameLevel::ToneStyle));
                asked += 1;
            } else {
                assert_eq!(verification, Verification::no_match(&claims));
            }
        }
    }
    assert!(asked > 0, "nobody's name was matched in another tone style");
}

/// A name without its diacritics is undecided at most, and then no field matches.
pub async fn bare_letters_never_match(registry: &dyn PopulationRegistry, cast: &Cast) {
    let verification = verify(registry, &cast.bare).await;
    assert_ne!(verification.verdict, Verdict::Match);
    let fields = verification.fields.iter();
    assert!(
        fields
            .clone()
            .all(|(_, verdict)| *verdict != Verdict::Match)
    );
    assert_eq!(fields.count(), cast.bare.fields().iter().count());
}

/// Beside a matched key, each further claim is told by itself: right, wrong, or not recorded.
pub async fn optional_claims_have_a_verdict_each(registry: &dyn PopulationRegistry, cast: &Cast) {
    let told = |person: &&Citizen| person.old_number.is_some() && town_of(person).is_some();
    let person = cast.people.iter().find(told);
    let person = person.expect("the cast has somebody with old number and home town");
    let town = town_of(person).expect("just looked for");
    let mut right = claims_of(person);
    right.sex = person.sex;
    right.ethnicity = person.ethnicity.clone();
    right.old_number = person.old_number;
    right.home_town = Some(text(&town.to_lowercase()));
    let verification = verify(registry, &right).await;
    let expected = right.fields().iter().map(|field| (field, Verdict::Match));
    assert_eq!(verification.fields, expected.collect::<Vec<_>>());

    let mut wrong = right.clone();
    let others = lienthong_domain::identity::Sex::ALL.iter().copied();
    wrong.sex = others.clone().find(|sex| Some(*sex) != person.sex);
    wrong.home_town = Some(text("một nơi nào khác"));
    let verification = verify(registry, &wrong).await;
    assert_eq!(verification.verdict, Verdict::Match, "the key is right");
    for (field, verdict) in verification.fields {
        let is_wrong = matches!(field, Field::Sex | Field::HomeTown);
        let expected = if is_wrong {
            Verdict::NoMatch
        } else {
            Verdict::Match
        };
        assert_eq!(verdict, expected, "{field:?}");
    }
}

/// Nine digits lead to the same person as twelve.
pub async fn old_numbers_are_numbers(registry: &dyn PopulationRegistry, cast: &Cast) {
    let person = cast
        .people
        .iter()
        .find(|person| person.old_number.is_some());
    let person = person.expect("the cast has somebody with an old number");
    let old = person.old_number.expect("just looked for");
    let claims = Claims {
        number: IdNumber::Old(old),
        ..claims_of(person)
    };
    let verification = verify(registry, &claims).await;
    assert_eq!(verification.verdict, Verdict::Match);
    let fields: FieldSet = verification
        .fields
        .iter()
        .map(|(field, _)| *field)
        .collect();
    assert!(fields.contains(Field::OldNumber) && !fields.contains(Field::CitizenNumber));
    let found = record(look_up(registry, &claims, FieldSet::all()).await);
    assert!(found.citizen_number == person.citizen_number);
}

/// Each field alone, none, the key and all of them: exactly what is recorded of the wanted fields, and nothing beside.
pub async fn a_look_up_shows_the_wanted_fields_only(
    registry: &dyn PopulationRegistry,
    cast: &Cast,
) {
    let single = Field::ALL
        .into_iter()
        .map(|field| FieldSet::from_iter([field]));
    let sets = single.chain([FieldSet::EMPTY, FieldSet::KEY, FieldSet::all()]);
    for (fields, person) in sets.zip(cast.people.iter().cycle()) {
        let found = record(look_up(registry, &claims_of(person), fields).await);
        let expected = person.clone().masked(fields);
        assert_eq!(found.fields(), expected.fields(), "{fields:?}");
        assert!(same_record(&found, &expected), "{fields:?}");
    }
}

/// Nobody is nobody.
pub async fn nobody_is_not_found(registry: &dyn PopulationRegistry, cast: &Cast) {
    let found = look_up(registry, &cast.nobody, FieldSet::all()).await;
    assert_eq!(found, LookUp::NotFound);
}

/// A number alone opens no record.
pub async fn a_wrong_claim_finds_nothing(registry: &dyn PopulationRegistry, cast: &Cast) {
    for claims in wrong_claims(cast) {
        let found = look_up(registry, &claims, FieldSet::all()).await;
        assert!(
            matches!(found, LookUp::NotFound | LookUp::Mismatch),
            "{found:?}"
        );
    }
}

/// Many questions at once each get their own answer.
pub async fn answers_do_not_mix(registry: &dyn PopulationRegistry, cast: &Cast) {
    let people = cast.people.iter().cycle().take(AT_ONCE);
    let mut asking: Vec<_> = people
        .enumerate()
        .map(|(index, person)| {
            Box::pin(async move {
                let claims = claims_of(person);
                let question = question(&format!("song-song-{index}-{}", unique()));
                let found = registry
                    .look_up(&question, &claims, FieldSet::KEY, STEP_MAX)
                    .await;
                let found = record(found.expect("the registry answers"));
                assert!(found.citizen_number == person.citizen_number);
                assert!(found.birth_date == person.birth_date);
            })
        })
        .collect();
    std::future::poll_fn(|context| {
        asking.retain_mut(|asked| asked.as_mut().poll(context).is_pending());
        if asking.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

/// Without time there is no answer, above all not "no match" or "not found", and nobody waits.
pub async fn no_time_is_no_answer(registry: &dyn PopulationRegistry, cast: &Cast) {
    let claims = claims_of(&cast.people[0]);
    let begun = Instant::now();
    let verified = registry
        .verify(&question(&unique()), &claims, Duration::ZERO)
        .await;
    assert!(
        matches!(verified, Err(RegistryError::Unavailable(_))),
        "{verified:?}"
    );
    let fields = FieldSet::all();
    let found = registry
        .look_up(&question(&unique()), &claims, fields, Duration::ZERO)
        .await;
    assert!(
        matches!(found, Err(RegistryError::Unavailable(_))),
        "{found:?}"
    );
    assert!(begun.elapsed() < STEP_MAX);
    // And the next question is answered.
    assert_eq!(verify(registry, &claims).await.verdict, Verdict::Match);
}

/// What prints tells nothing of anybody.
pub async fn errors_and_questions_hold_nobody(registry: &dyn PopulationRegistry, cast: &Cast) {
    let person = &cast.people[0];
    let claims = claims_of(person);
    let error = registry
        .verify(&question(&unique()), &claims, Duration::ZERO)
        .await;
    let found = look_up(registry, &claims, FieldSet::all()).await;
    let error = error.expect_err("there is no time");
    let shown = format!("{error} {error:?} {found:?} {claims:?}");
    let secrets = [
        claims.number.as_str().to_owned(),
        claims.name.upper(),
        claims.name.as_str().to_owned(),
        claims.birth.iso(),
        claims.birth.compact(),
    ];
    for secret in secrets {
        assert!(!shown.contains(&secret), "{shown}");
    }
}

/// A good way and good credentials are found good.
pub async fn a_check_asks_nothing(registry: &dyn PopulationRegistry) {
    assert_eq!(registry.check(STEP_MAX).await, Ok(()));
}

/// The claims that are true of a person.
///
/// # Panics
/// The record lacks number, name or birth date.
pub fn claims_of(person: &Citizen) -> Claims {
    let number = person.citizen_number.expect("the cast has numbers");
    let name = person.full_name.as_ref().expect("the cast has names");
    let name = FullName::parse(name.expose().as_str()).expect("the cast's names can be read");
    let birth = person.birth_date.expect("the cast has birth dates");
    Claims::key(IdNumber::Citizen(number), name, birth)
}

/// A question of an official in Gia Lai.
pub fn question(request_id: &str) -> Question {
    Question {
        request_id: request_id.to_owned(),
        participant: ParticipantId::parse("H21").expect("a province is a participant"),
        official: OfficialId::parse("hoa.tuphap").expect("an account has this form"),
        procedure: ProcedureCode::parse("1.001193").ok(),
        trace: None,
    }
}

/// An id that no other question of this process has.
pub fn unique() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("phep-thu-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Claims with exactly one part of somebody else.
fn wrong_claims(cast: &Cast) -> Vec<Claims> {
    let (person, other) = (claims_of(&cast.people[0]), claims_of(&cast.people[1]));
    let other_year = match person.birth {
        BirthDate::Full(date) if date.year() > 1950 => "1931-01-02",
        BirthDate::Full(_) | BirthDate::Year(_) => "1999-01-02",
    };
    let birth = BirthDate::parse(other_year).expect("a date");
    let name = FullName::parse("Không Phải Người Này").expect("a name");
    let number = other.number;
    vec![
        Claims {
            name,
            ..person.clone()
        },
        Claims {
            birth,
            ..person.clone()
        },
        Claims { number, ..person },
    ]
}

fn town_of(person: &Citizen) -> Option<String> {
    let detail = person.home_town.as_ref()?.detail.as_ref()?;
    Some(detail.expose().as_str().to_owned())
}

fn text(text: &str) -> Private<Text<250>> {
    Private::new(Text::parse(text).expect("plain text"))
}

/// Equal, whatever the case of the names: a database may show either.
fn same_record(one: &Citizen, other: &Citizen) -> bool {
    let name = |person: &Citizen| {
        let name = person.full_name.as_ref();
        name.map(|name| name.expose().as_str().to_uppercase())
    };
    let relatives = |person: &Citizen| -> BTreeSet<(Field, Option<String>)> {
        let number = |number: Option<_>| {
            number
                .map(|number: lienthong_domain::identity::CitizenNumber| number.as_str().to_owned())
        };
        let relatives = person.relatives();
        relatives
            .map(|(field, relative)| (field, number(relative.citizen_number)))
            .collect()
    };
    one.citizen_number == other.citizen_number
        && one.old_number == other.old_number
        && name(one) == name(other)
        && one.birth_date == other.birth_date
        && one.sex == other.sex
        && one.ethnicity == other.ethnicity
        && one.religion == other.religion
        && one.marital_status == other.marital_status
        && one.blood_group == other.blood_group
        && one.nationality == other.nationality
        && one.birth_registration == other.birth_registration
        && one.home_town == other.home_town
        && one.permanent_residence == other.permanent_residence
        && one.current_residence == other.current_residence
        && one.household_number == other.household_number
        && relatives(one) == relatives(other)
}

/// The record that a look-up must have found.
fn record(looked: LookUp) -> Citizen {
    let found = match looked {
        LookUp::Found(found) => Some(*found),
        LookUp::NotFound | LookUp::Mismatch => None,
    };
    found.expect("the record is found")
}

async fn verify(registry: &dyn PopulationRegistry, claims: &Claims) -> Verification {
    let asked = registry
        .verify(&question(&unique()), claims, STEP_MAX)
        .await;
    asked.expect("the registry answers")
}

async fn look_up(registry: &dyn PopulationRegistry, claims: &Claims, fields: FieldSet) -> LookUp {
    let asked = registry
        .look_up(&question(&unique()), claims, fields, STEP_MAX)
        .await;
    asked.expect("the registry answers")
}
