//! What is asked, what is shown, what is recorded.

use lienthong_domain::identity::matching::Verdict;
use lienthong_domain::identity::{
    Citizen, CitizenNumber, Field, FieldSet, IdNumber, Mode, OldNumber, Place, PurposeCode,
    Relative, Sex, UsageKind, UsageOutcome,
};
use lienthong_domain::{ErrorCode, OperatorRole};
use lienthong_identity::{GrantCheck, UsageRequest};
use lienthong_ports::LookUp;

use crate::world::{Reply, World, claims, dossier, in_seconds, inquiry, look_up, on_duty, verify};

#[tokio::test(start_paused = true)]
async fn an_answer_comes_with_its_record_and_a_pseudonym_for_each_participant() {
    let world = World::new().await;
    let cases = [
        (Verdict::Match, UsageOutcome::Matched),
        (Verdict::Undecided, UsageOutcome::Undecided),
        (Verdict::NoMatch, UsageOutcome::NotMatched),
    ];
    for (verdict, outcome) in cases {
        world.population.always(Reply::Verdict(verdict));
        let request = verify("CIVIL_STATUS", Some(1), 7);
        let answer = world.verify(&world.counter(), request).await.unwrap();
        assert_eq!(answer.verification.unwrap().verdict, verdict);
        let row = world.last_row().await;
        assert_eq!((row.id, row.record.outcome), (answer.usage, outcome));
        assert_eq!(row.record.kind, UsageKind::Verify);
        assert_eq!(row.record.asked, FieldSet::KEY);
        assert!(row.record.shown.is_empty() && row.record.reason.is_none());
        assert_ne!(
            row.record.subject,
            Some(answer.subject_ref),
            "the gateway's own stays inside"
        );
    }
    world.population.always(Reply::Verdict(Verdict::Match));
    let here = world
        .verify(&world.counter(), verify("DATA_CLEANING", None, 7))
        .await
        .unwrap();
    let again = world
        .verify(&world.counter(), verify("DATA_CLEANING", None, 7))
        .await
        .unwrap();
    let there = world.caller("H56", "motcua");
    let there = world
        .verify(&there, verify("DATA_CLEANING", None, 7))
        .await
        .unwrap();
    assert_eq!(here.subject_ref, again.subject_ref);
    assert_ne!(here.subject_ref, there.subject_ref);
    let rows = world.rows().await;
    assert!(
        rows.iter()
            .all(|row| row.record.subject == rows[0].record.subject)
    );
}

#[tokio::test(start_paused = true)]
async fn each_refusal_comes_in_its_order_is_recorded_and_asks_nobody() {
    let world = World::new().await;
    let mut with_sex = verify("DATA_CLEANING", None, 1);
    with_sex.claims.sex = Some(Sex::Female);
    let mut elsewhere = verify("CIVIL_STATUS", None, 1);
    elsewhere.inquiry.dossier = Some(dossier("H56.14-250701-0001"));
    let mut unknown = verify("CIVIL_STATUS", None, 1);
    unknown.inquiry.dossier = Some(dossier("H21.17-250701-0999"));
    let cases = [
        (
            verify("NO_SUCH_PURPOSE", Some(1), 1),
            ErrorCode::GrantMissing,
        ),
        (
            verify("CITIZEN_REQUEST", Some(1), 1),
            ErrorCode::GrantMissing,
        ),
        (verify("EXPIRED", None, 1), ErrorCode::GrantNotValid),
        (with_sex, ErrorCode::FieldsNotGranted),
        (verify("CIVIL_STATUS", None, 1), ErrorCode::DossierNotHeld),
        (
            verify("SOCIAL_INSURANCE", None, 1),
            ErrorCode::DossierNotHeld,
        ),
        (elsewhere, ErrorCode::DossierNotHeld),
        (unknown, ErrorCode::DossierNotHeld),
        (verify("CIVIL_STATUS", Some(2), 1), ErrorCode::DossierClosed),
        (
            verify("CIVIL_STATUS", Some(3), 1),
            ErrorCode::ProcedureNotGranted,
        ),
    ];
    for (number, (request, code)) in cases.into_iter().enumerate() {
        let error = world.verify(&world.counter(), request).await.unwrap_err();
        assert_eq!(error.code, code);
        let row = world.last_row().await;
        assert_eq!(row.record.outcome, UsageOutcome::Refused, "{code}");
        assert_eq!(row.record.reason, Some(code));
        assert!(row.record.subject.is_some());
        assert_eq!(world.rows().await.len(), number + 1);
    }
    let fields = [Field::Sex].into_iter().collect();
    let mut request = look_up(1, fields);
    request.inquiry = inquiry("DATA_CLEANING", None);
    let error = world.look_up(&world.counter(), request).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::ModeNotGranted);
    let request = look_up(1, [Field::Religion].into_iter().collect());
    let error = world.look_up(&world.counter(), request).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::FieldsNotGranted);
    assert_eq!(world.population.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn fields_are_intersected_before_the_call_and_filtered_after_it() {
    use Field::{Father, HouseholdHead, Mother, PermanentResidence, Religion, Sex as SexField};
    let world = World::new().await;
    let relative = |number: &str| {
        Some(Relative {
            citizen_number: CitizenNumber::parse(number).ok(),
            ..Relative::default()
        })
    };
    // The database tells more than it was asked for.
    let record = Citizen {
        citizen_number: claims(1).number.citizen().copied(),
        sex: Some(Sex::Female),
        permanent_residence: Some(Place::default()),
        home_town: Some(Place::default()),
        father: relative("052060000001"),
        mother: relative("052160000002"),
        household_head: relative("052160000002"),
        ..Citizen::default()
    };
    world
        .population
        .then([Reply::Record(LookUp::Found(Box::new(record)))]);
    let set = |fields: &[Field]| fields.iter().copied().collect::<FieldSet>();
    let wanted = set(&[SexField, Mother, HouseholdHead, Father, Religion]);
    let answer = world
        .look_up(&world.counter(), look_up(1, wanted))
        .await
        .unwrap();
    let granted = set(&[SexField, Mother, HouseholdHead]);
    let own_numbers = set(&[Field::CitizenNumber, Field::OldNumber]);
    assert_eq!(
        *world.population.fields.lock().unwrap(),
        [granted.union(own_numbers)]
    );
    assert_eq!((answer.shown, answer.citizen.fields()), (granted, granted));
    assert_eq!(answer.withheld, set(&[Father, Religion]));
    assert!(
        !answer.citizen.fields().contains(PermanentResidence),
        "granted, but not wanted"
    );
    let rows = world.rows().await;
    assert_eq!(rows.len(), 2, "the citizen, and the mother once");
    assert_eq!((rows[0].id, rows[0].record.shown), (answer.usage, granted));
    assert_eq!(rows[0].record.asked, wanted);
    assert!(rows[1].record.as_relative && rows[1].record.subject != rows[0].record.subject);
    assert_eq!(rows[1].record.shown, set(&[Mother, HouseholdHead]));
}

#[tokio::test(start_paused = true)]
async fn a_look_is_recorded_under_both_numbers_of_the_citizen() {
    let world = World::new().await;
    let record = Citizen {
        citizen_number: claims(1).number.citizen().copied(),
        old_number: OldNumber::parse("211234567").ok(),
        sex: Some(Sex::Female),
        ..Citizen::default()
    };
    world
        .population
        .then([Reply::Record(LookUp::Found(Box::new(record)))]);
    let sex = [Field::Sex].into_iter().collect::<FieldSet>();
    let answer = world.look_up(&world.counter(), look_up(1, sex)).await;
    let answer = answer.unwrap();
    assert_eq!(
        (answer.shown, answer.citizen.fields()),
        (sex, sex),
        "the other number is not shown"
    );
    let rows = world.rows().await;
    let [look, other] = &rows[..] else {
        panic!("one look, two numbers: {rows:?}");
    };
    assert_ne!(look.record.subject, other.record.subject);
    let mut as_the_look = other.record.clone();
    (as_the_look.subject, as_the_look.as_relative) = (look.record.subject, false);
    assert_eq!(as_the_look, look.record);

    let request = UsageRequest {
        inquiry: inquiry("CITIZEN_REQUEST", None),
        number: IdNumber::parse("211234567").ok(),
        participant: None,
        since: None,
        before: None,
        limit: 100,
        request_id: "r-usage".to_owned(),
    };
    let teller = world.caller("H21", "tracuu");
    let page = world.identity.usage(&teller, request, in_seconds(5)).await;
    let rows = page.unwrap().rows;
    assert_eq!((rows.len(), rows[0].record.shown), (1, sex));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_person_and_a_wrong_claim_look_alike() {
    let world = World::new().await;
    let mut seen = Vec::new();
    for found in [LookUp::NotFound, LookUp::Mismatch] {
        world.population.then([Reply::Record(found)]);
        let request = look_up(1, [Field::Sex].into_iter().collect());
        let error = world.look_up(&world.counter(), request).await.unwrap_err();
        let record = world.last_row().await.record;
        seen.push((
            error.code,
            error.metadata,
            record.outcome,
            record.reason,
            record.shown,
        ));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(
        (seen[0].0, seen[0].2),
        (ErrorCode::CitizenNotFound, UsageOutcome::NotMatched)
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_recorded_does_not_leave() {
    use lienthong_ports::Store;
    let world = World::new().await;
    world.population.hold();
    let caller = world.counter();
    let asking = world.verify(&caller, verify("DATA_CLEANING", None, 1));
    let breaking = async {
        while world.population.calls() == 0 {
            tokio::task::yield_now().await;
        }
        world.store.close().await;
        world.population.release();
    };
    let (answer, ()) = tokio::join!(asking, breaking);
    assert_eq!(answer.unwrap_err().code, ErrorCode::StoreUnavailable);
    let refused = world
        .verify(&world.counter(), verify("NO_SUCH_PURPOSE", None, 1))
        .await;
    assert_eq!(
        refused.unwrap_err().code,
        ErrorCode::StoreUnavailable,
        "nor does a refusal"
    );
}

#[tokio::test(start_paused = true)]
async fn who_looked_is_told_to_those_entitled_and_telling_is_recorded() {
    let world = World::new().await;
    let looked = world
        .verify(&world.counter(), verify("CIVIL_STATUS", Some(1), 1))
        .await
        .unwrap();
    world
        .verify(&world.counter(), verify("CIVIL_STATUS", Some(1), 2))
        .await
        .unwrap();
    let request = |number: Option<u32>| UsageRequest {
        inquiry: inquiry("CITIZEN_REQUEST", None),
        number: number.map(|number| claims(number).number),
        participant: None,
        since: None,
        before: None,
        limit: 100,
        request_id: "r-usage".to_owned(),
    };
    let ask = async |caller, request| world.identity.usage(caller, request, in_seconds(5)).await;
    let teller = world.caller("H21", "tracuu");
    let page = ask(&teller, request(Some(1))).await.unwrap();
    assert_eq!(page.rows.len(), 1);
    assert_eq!(
        page.rows[0].record.asker.official.as_str(),
        "nguyenthihoa.tuphap"
    );
    assert_eq!(
        page.rows[0].record.subject,
        Some(looked.subject_ref),
        "as the participant knows the citizen"
    );
    let row = world.last_row().await;
    assert_eq!(
        (row.id, row.record.kind),
        (page.usage, UsageKind::ListUsage)
    );
    assert_eq!(row.record.outcome, UsageOutcome::Disclosed);
    let code = async |caller, request| ask(caller, request).await.unwrap_err().code;
    assert_eq!(code(&teller, request(None)).await, ErrorCode::InvalidFields);
    let counter = world.counter();
    assert_eq!(
        code(&counter, request(Some(1))).await,
        ErrorCode::GrantMissing
    );
    let mut by_participant = request(Some(1));
    by_participant.participant = Some(world.counter().participant.id.clone());
    assert_eq!(code(&teller, by_participant).await, ErrorCode::NotOperator);
    assert_eq!(
        world.last_row().await.record.reason,
        Some(ErrorCode::NotOperator)
    );
    let all = ask(&world.operator(), request(None)).await.unwrap();
    assert_eq!(
        all.rows.len(),
        6,
        "operators see everything, the refusals too"
    );
    let by_gateway = all.rows.last().unwrap().record.subject;
    assert_eq!(by_gateway, world.rows().await[0].record.subject);
    assert_ne!(by_gateway, Some(looked.subject_ref));
}

#[tokio::test(start_paused = true)]
async fn a_check_says_what_a_question_would_meet_and_leaves_no_trace() {
    let world = World::new().await;
    let check = |purpose: &str, mode, fields: &[Field], dossier: Option<u32>| GrantCheck {
        participant: world.counter().participant.id.clone(),
        system: world.counter().system,
        official: None,
        purpose: PurposeCode::parse(purpose).unwrap(),
        mode,
        fields: fields.iter().copied().collect(),
        dossier: dossier.map(lienthong_ports::conformance::store::code),
    };
    let operator = on_duty(OperatorRole::Viewer);
    let both = [Field::Sex, Field::Religion];
    let good = check("CIVIL_STATUS", Mode::Disclose, &both, Some(1));
    let good = world.identity.check_grant(&operator, &good).await.unwrap();
    let only = |field: Field| [field].into_iter().collect::<FieldSet>();
    assert_eq!(good.result, Ok(only(Field::Sex)));
    assert_eq!(
        (good.withheld, good.steps.len()),
        (only(Field::Religion), 4)
    );
    let cases = [
        (
            check("CITIZEN_REQUEST", Mode::Verify, &[], None),
            ErrorCode::GrantMissing,
            2,
        ),
        (
            check("DATA_CLEANING", Mode::Disclose, &both, None),
            ErrorCode::ModeNotGranted,
            2,
        ),
        (
            check("CIVIL_STATUS", Mode::Verify, &[], Some(2)),
            ErrorCode::DossierClosed,
            4,
        ),
    ];
    for (check, code, steps) in cases {
        let checked = world.identity.check_grant(&operator, &check).await.unwrap();
        assert_eq!((checked.result, checked.steps.len()), (Err(code), steps));
        assert!(
            checked.steps.last().unwrap().contains(code.name()),
            "{:?}",
            checked.steps
        );
    }
    assert!(world.rows().await.is_empty() && world.population.calls() == 0);
}
