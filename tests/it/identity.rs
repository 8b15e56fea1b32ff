//! Who may ask what about whom, what they are told, and what is written down about it.

mod numbers;

use lienthong_proto::admin::v1::CheckGrantRequest;
use lienthong_proto::dossier::v1::{PushStatusRequest, StatusEvent};
use lienthong_proto::identity::v1::{
    CitizenField, Claims, Inquiry, NameLevel, UsageKind, UsageOutcome, UsageRecord, Verdict,
};
use lienthong_tests::harness::citizens::{
    self, DOSSIER, citizen, claims, for_dossier, for_ministry, look_up, reason, usage_of, verify,
};
use lienthong_tests::harness::{TestGateway, events};
use tonic::Code;

/// A gateway at which H56 holds one open dossier.
async fn with_a_dossier() -> TestGateway {
    let gateway = TestGateway::start().await;
    push(&gateway, events::first(DOSSIER)).await;
    gateway
}

async fn push(gateway: &TestGateway, event: StatusEvent) {
    let event = Some(event);
    let mut client = gateway.province("H56");
    client
        .push_status(PushStatusRequest { event })
        .await
        .expect("accepted");
}

async fn records(gateway: &TestGateway, number: &str) -> Vec<UsageRecord> {
    let mut ministry = gateway.citizens("G15", "hotich");
    let found = ministry
        .list_usage(usage_of(number))
        .await
        .expect("granted");
    found.into_inner().records
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_are_verified_and_nothing_is_read_out() {
    let gateway = with_a_dossier().await;
    let mut province = gateway.citizens("H56", "motcua");
    let person = citizen(&gateway.population, 0);
    let claimed = Claims {
        sex: citizens::sex(&person),
        ..claims(&person)
    };
    let answer = province
        .verify_citizen(verify(for_dossier(DOSSIER), claimed))
        .await
        .unwrap();
    let answer = answer.into_inner();
    let verification = answer.verification.unwrap();
    assert_eq!(verification.verdict(), Verdict::Match);
    assert_eq!(verification.name_level(), NameLevel::Exact);
    let fields = verification
        .fields
        .iter()
        .map(|field| (field.field(), field.verdict()));
    let expected = [
        CitizenField::CitizenNumber,
        CitizenField::FullName,
        CitizenField::BirthDate,
        CitizenField::Sex,
    ];
    assert!(fields.eq(expected.map(|field| (field, Verdict::Match))));
    assert_eq!(answer.subject_ref.len(), 32);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_person_and_a_wrong_claim_look_alike() {
    let gateway = with_a_dossier().await;
    let mut province = gateway.citizens("H56", "motcua");
    let person = citizen(&gateway.population, 1);
    let wrong = Claims {
        birth_date: "1901-01-01".to_owned(),
        sex: citizens::sex(&person),
        ..claims(&person)
    };
    let unknown = Claims {
        // A prefix that no province has.
        number: "999191000001".to_owned(),
        ..wrong.clone()
    };
    let mut told = Vec::new();
    for claimed in [wrong, unknown] {
        let asked = verify(for_dossier(DOSSIER), claimed.clone());
        let verified = province.verify_citizen(asked).await.unwrap().into_inner();
        let asked = look_up(
            for_dossier(DOSSIER),
            Claims { sex: 0, ..claimed },
            &[CitizenField::Sex],
        );
        let refused = province.get_citizen(asked).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        told.push((
            verified.verification,
            reason(&refused),
            refused.message().to_owned(),
        ));
    }
    assert_eq!(told[0], told[1]);
    let verification = told[0].0.as_ref().unwrap();
    assert_eq!(verification.verdict(), Verdict::NoMatch);
    assert!(
        verification
            .fields
            .iter()
            .all(|field| field.verdict() == Verdict::NoMatch)
    );
    assert_eq!(told[0].1, "CITIZEN_NOT_FOUND");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_shows_what_is_asked_granted_and_recorded_and_nothing_else() {
    let gateway = with_a_dossier().await;
    let mut province = gateway.citizens("H56", "motcua");
    let person = citizen(&gateway.population, 2);
    let fields = [
        CitizenField::PermanentResidence,
        CitizenField::Religion,
        CitizenField::Spouse,
    ];
    let asked = look_up(for_dossier(DOSSIER), claims(&person), &fields);
    let found = province.get_citizen(asked).await.unwrap().into_inner();
    let shown = found.citizen.clone().unwrap();
    let place = shown
        .permanent_residence
        .clone()
        .expect("granted and recorded");
    assert_eq!(
        place.province_code,
        person.permanent_residence.as_ref().unwrap().province
    );
    let only = lienthong_proto::identity::v1::Citizen {
        permanent_residence: Some(place),
        ..Default::default()
    };
    assert_eq!(shown, only);
    assert_eq!(
        found.shown_fields,
        [i32::from(CitizenField::PermanentResidence)]
    );
    let withheld = [CitizenField::Religion, CitizenField::Spouse].map(i32::from);
    assert_eq!(found.withheld_fields, withheld);

    let nothing = look_up(
        for_dossier(DOSSIER),
        claims(&person),
        &[CitizenField::Religion],
    );
    let refused = province.get_citizen(nothing).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::PermissionDenied, "FIELDS_NOT_GRANTED")
    );
    gateway.stop().await;
}

/// Who asks for what, and why it is refused.
fn refused_questions() -> Vec<(&'static str, &'static str, Inquiry, &'static str)> {
    let land = Inquiry {
        purpose_code: "LAND".to_owned(),
        ..for_dossier(DOSSIER)
    };
    vec![
        // No grant at all, also for a purpose that does not exist.
        ("H29", "motcua", for_dossier(DOSSIER), "GRANT_MISSING"),
        (
            "H56",
            "motcua",
            for_ministry("DATA_CLEANING"),
            "GRANT_MISSING",
        ),
        ("H56", "motcua", for_ministry("NOTHING"), "GRANT_MISSING"),
        // Ended in 2021.
        ("H56", "motcua", land, "GRANT_NOT_VALID"),
        // A grant to verify only.
        (
            "H21",
            "motcua",
            for_dossier("H21.17-240823-0001"),
            "MODE_NOT_GRANTED",
        ),
        // No dossier, another's dossier, one that is not here, a closed one, one of another procedure.
        ("H56", "motcua", for_dossier(""), "DOSSIER_NOT_HELD"),
        (
            "H56",
            "motcua",
            for_dossier("H21.17-240823-0001"),
            "DOSSIER_NOT_HELD",
        ),
        (
            "H56",
            "motcua",
            for_dossier("H56.14-240823-9999"),
            "DOSSIER_NOT_HELD",
        ),
        (
            "H56",
            "motcua",
            for_dossier("H56.14-240823-0003"),
            "DOSSIER_CLOSED",
        ),
        (
            "H56",
            "motcua",
            for_dossier("H56.14-240823-0002"),
            "PROCEDURE_NOT_GRANTED",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_is_refused_and_asks_nobody() {
    let gateway = with_a_dossier().await;
    push(
        &gateway,
        StatusEvent {
            details: Some(lienthong_proto::dossier::v1::DossierDetails {
                procedure_code: Some("2.000815".to_owned()),
                ..events::details()
            }),
            ..events::first("H56.14-240823-0002")
        },
    )
    .await;
    for event in events::life("H56.14-240823-0003") {
        push(&gateway, event).await;
    }
    let person = citizen(&gateway.population, 3);
    let fields = &[CitizenField::PermanentResidence];
    let table = refused_questions();
    let count = table.len();
    for (participant, system, inquiry, expected) in table {
        let mut client = gateway.citizens(participant, system);
        let asked = look_up(inquiry, claims(&person), fields);
        let refused = client.get_citizen(asked).await.unwrap_err();
        assert_eq!(reason(&refused), expected);
    }
    assert_eq!(
        gateway.population.stats().calls,
        0,
        "the database was asked"
    );
    // Each refusal is written down, with who asked for whom.
    let written = records(&gateway, &person.number).await;
    let refused = written
        .iter()
        .filter(|row| row.outcome() == UsageOutcome::Refused);
    assert_eq!(refused.count(), count);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_citizen_can_be_told_who_looked() {
    let gateway = with_a_dossier().await;
    let mut province = gateway.citizens("H56", "motcua");
    let person = citizen(&gateway.population, 4);
    province
        .verify_citizen(verify(for_dossier(DOSSIER), claims(&person)))
        .await
        .unwrap();
    let fields = [CitizenField::Sex, CitizenField::Religion];
    province
        .get_citizen(look_up(for_dossier(DOSSIER), claims(&person), &fields))
        .await
        .unwrap();

    let written = records(&gateway, &person.number).await;
    let [looked_up, verified] = &written[..] else {
        panic!("newest first: {written:#?}");
    };
    assert_eq!(
        (verified.kind(), verified.outcome()),
        (UsageKind::Verify, UsageOutcome::Matched)
    );
    assert_eq!(
        (looked_up.kind(), looked_up.outcome()),
        (UsageKind::Disclose, UsageOutcome::Disclosed)
    );
    assert_eq!(looked_up.shown_fields, [i32::from(CitizenField::Sex)]);
    assert_eq!(looked_up.asked_fields, fields.map(i32::from));
    for row in &written {
        assert_eq!(
            (row.participant_id.as_str(), row.system.as_str()),
            ("H56", "motcua")
        );
        assert_eq!(row.official_id, "lethihoa.tuphap");
        assert_eq!(
            (row.purpose_code.as_str(), row.dossier_code.as_str()),
            ("CIVIL_STATUS", DOSSIER)
        );
    }
    // Asking who looked is itself a look.
    let again = records(&gateway, &person.number).await;
    assert_eq!(again[0].kind(), UsageKind::ListUsage);

    // Provinces may not ask that; operators see pseudonyms and no more.
    let refused = province
        .list_usage(usage_of(&person.number))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let mut operator = gateway.citizens("G22", "vanhanh");
    let all = lienthong_proto::identity::v1::ListUsageRequest {
        participant_id: "H56".to_owned(),
        ..usage_of("")
    };
    let seen = operator.list_usage(all).await.unwrap().into_inner().records;
    assert!(seen.len() >= 2);
    assert!(!format!("{seen:?}").contains(&person.number));
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn relatives_in_a_record_are_written_down_too() {
    let gateway = with_a_dossier().await;
    let mut province = gateway.citizens("H56", "motcua");
    let child = (0..1_000)
        .map(|skip| citizen(&gateway.population, skip))
        .find(|person| {
            person
                .mother
                .as_ref()
                .is_some_and(|mother| mother.number.is_some())
        });
    let child = child.expect("somebody's mother is known");
    let asked = look_up(
        for_dossier(DOSSIER),
        claims(&child),
        &[CitizenField::Mother],
    );
    let found = province.get_citizen(asked).await.unwrap().into_inner();
    let mother = found.citizen.unwrap().mother.expect("granted and recorded");
    let written = records(&gateway, &mother.citizen_number).await;
    let shown = written
        .iter()
        .find(|row| row.as_relative)
        .expect("a row for the mother");
    assert_eq!(shown.shown_fields, [i32::from(CitizenField::Mother)]);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pseudonym_belongs_to_one_participant() {
    let gateway = with_a_dossier().await;
    let person = citizen(&gateway.population, 5);
    let mut province = gateway.citizens("H56", "motcua");
    let mut ministry = gateway.citizens("G15", "hotich");
    let ours = verify(for_dossier(DOSSIER), claims(&person));
    let first = province
        .verify_citizen(ours.clone())
        .await
        .unwrap()
        .into_inner();
    let second = province.verify_citizen(ours).await.unwrap().into_inner();
    let theirs = verify(for_ministry("DATA_CLEANING"), claims(&person));
    let other = ministry.verify_citizen(theirs).await.unwrap().into_inner();
    assert_eq!(first.subject_ref, second.subject_ref);
    assert_ne!(first.subject_ref, other.subject_ref);
    assert_ne!(first.usage_id, second.usage_id);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_can_see_why_a_question_would_be_refused() {
    let gateway = with_a_dossier().await;
    let mut operator = gateway.operator().participants;
    let question = CheckGrantRequest {
        participant_id: "H56".to_owned(),
        system: "motcua".to_owned(),
        purpose_code: "CIVIL_STATUS".to_owned(),
        mode: "disclose".to_owned(),
        fields: vec!["sex".to_owned(), "religion".to_owned()],
        dossier_code: DOSSIER.to_owned(),
    };
    let checked = operator
        .check_grant(question.clone())
        .await
        .unwrap()
        .into_inner();
    assert!(checked.allowed, "{checked:?}");
    assert_eq!(
        (checked.shown_fields, checked.withheld_fields),
        (vec!["sex".to_owned()], vec!["religion".to_owned()])
    );
    let land = CheckGrantRequest {
        purpose_code: "LAND".to_owned(),
        ..question.clone()
    };
    let checked = operator.check_grant(land).await.unwrap().into_inner();
    assert_eq!(
        (checked.allowed, checked.reason.as_str()),
        (false, "GRANT_NOT_VALID")
    );
    assert!(!checked.steps.is_empty());
    assert!(!checked.message_vi.is_empty());
    let mut province =
        lienthong_proto::admin::v1::participant_service_client::ParticipantServiceClient::new(
            gateway.channel("H56", "motcua"),
        );
    let refused = province.check_grant(question).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_OPERATOR");
    gateway.stop().await;
}
