//! What is sent through the product: pushes, a job, questions, refusals, nonsense, and a database that fails.

use std::time::Duration;

use lienthong_domain::DeliveryState;
use lienthong_proto::dossier::v1::item_result::Result as Pushed;
use lienthong_proto::dossier::v1::{
    Applicant, BatchPushStatusRequest, DossierDetails, GetDossierRequest, Identity, IdentityKind,
    IdentityList, ListDossiersRequest, ProgressLine, PushStatusRequest, StatusEvent,
};
use lienthong_proto::identity::v1::create_verification_job_request::Part;
use lienthong_proto::identity::v1::{
    CitizenField, Claims, CreateVerificationJobRequest, Inquiry, JobItems, JobOpening,
    ListVerificationResultsRequest,
};
use lienthong_simulators::population::{Citizen, Fault, FaultScript};
use lienthong_simulators::portal;
use lienthong_tests::harness::canaries::{Canaries, born, phone};
use lienthong_tests::harness::citizens::{
    claims, for_dossier, for_ministry, look_up, usage_of, verify,
};
use lienthong_tests::harness::events;
use tokio::task::JoinSet;

use super::{PEOPLE, Stage};

/// One claim in so many names somebody else.
const WRONG_EVERY: usize = 20;
/// People whose names and numbers stand where they do not belong.
const FAULTY: usize = 100;
/// People of whom the portal speaks when it refuses their dossiers.
const REJECTED: usize = 20;
const PROVINCES: [&str; 5] = ["H56", "H21", "H29", "H26", "H17"];
/// Askers at once.
const ASKERS: usize = 16;
/// People of one message of a batch or an upload.
const CHUNK: usize = 250;
/// How long a job about everybody may take.
const JOB_PATIENCE: Duration = Duration::from_mins(2);

fn code(index: usize) -> String {
    let (province, number) = (index % PROVINCES.len(), index / PROVINCES.len() + 1);
    format!("{}.14-240823-{number:04}", PROVINCES[province])
}

/// The portal refuses some dossiers and says whose they are.
pub(super) fn portal_speaks_of_people(stage: &Stage) {
    let people = stage.canaries.people().iter().take(REJECTED).enumerate();
    let rules = people.map(|(index, person)| portal::FaultRule {
        fault: portal::Fault::Reject {
            message: format!("Hồ sơ của {} ({}) sai", person.name.full(), person.number),
        },
        when: portal::When::Always,
        services: Vec::new(),
        dossiers: vec![code(index)],
    });
    let script = portal::FaultScript {
        seed: 0,
        rules: rules.collect(),
    };
    stage.gateway.portal.set_faults(script).unwrap();
}

/// A first status that is full of a person.
fn event(index: usize, person: &Citizen) -> StatusEvent {
    let code = code(index);
    let (name, number, phone) = (person.name.full(), person.number.clone(), phone(index));
    let officer: String = name.chars().take(50).collect();
    let identity = Identity {
        kind: IdentityKind::CitizenNumber.into(),
        number: number.clone(),
    };
    let applicant = Applicant {
        name: Some(name.clone()),
        identity_document: Some(number.clone()),
        identities: Some(IdentityList {
            items: vec![identity],
        }),
        phone: Some(phone.clone()),
        ..events::details().applicant.unwrap()
    };
    let first = events::first(&code);
    StatusEvent {
        progress: Some(ProgressLine {
            officer_name: officer,
            note: format!("Đã gọi {phone}, gặp {}", name.to_uppercase()),
            ..first.progress.clone().unwrap()
        }),
        details: Some(DossierDetails {
            applicant: Some(applicant),
            summary: Some(format!("Đăng ký khai sinh cho con của {name}")),
            remark: Some(format!("{name}, số {number}, sinh ngày {}", born(person))),
            ..events::details()
        }),
        ..first
    }
}

pub(super) async fn push(stage: &mut Stage) {
    let mut pushing = JoinSet::new();
    for (at, province) in PROVINCES.into_iter().enumerate() {
        let people = stage.canaries.people().iter().enumerate();
        let events = people
            .filter(|(index, _)| index % PROVINCES.len() == at)
            .map(|(index, person)| event(index, person))
            .collect::<Vec<_>>();
        let mut client = stage.gateway.province(province);
        pushing.spawn(async move {
            for chunk in events.chunks(CHUNK) {
                let events = chunk.to_vec();
                let request = BatchPushStatusRequest { events };
                let pushed = client.batch_push_status(request).await.unwrap();
                for result in pushed.into_inner().results {
                    assert!(
                        matches!(result.result, Some(Pushed::Receipt(_))),
                        "{result:?}"
                    );
                }
            }
        });
    }
    while let Some(pushed) = pushing.join_next().await {
        pushed.unwrap();
    }
}

/// What is claimed of the canary at `index`; now and then something wrong.
fn claimed(canaries: &Canaries, index: usize) -> Claims {
    let people = canaries.people();
    let mut claimed = claims(&people[index]);
    if index % WRONG_EVERY == WRONG_EVERY - 1 {
        claimed.full_name = people[(index + 1) % people.len()].name.full();
    }
    claimed
}

/// One job about everybody, and some items that cannot be asked.
pub(super) async fn run_job(stage: &mut Stage) {
    let mut items = (0..PEOPLE)
        .map(|index| claimed(&stage.canaries, index))
        .collect::<Vec<_>>();
    for person in stage.canaries.people().iter().take(FAULTY) {
        items.push(Claims {
            number: format!("{} {}", person.number, person.name.full()),
            ..claims(person)
        });
    }
    let count = items.len();
    let opening = JobOpening {
        idempotency_key: "lam-sach/1".to_owned(),
        inquiry: Some(for_ministry("DATA_CLEANING")),
        items_total: u32::try_from(count).unwrap(),
    };
    let mut parts = vec![Part::Opening(opening)];
    for (chunk, claims) in items.chunks(CHUNK).enumerate() {
        parts.push(Part::Items(JobItems {
            first_position: u32::try_from(chunk * CHUNK + 1).unwrap(),
            claims: claims.to_vec(),
        }));
    }
    let messages = parts
        .into_iter()
        .map(|part| CreateVerificationJobRequest { part: Some(part) })
        .collect::<Vec<_>>();
    let mut ministry = stage.gateway.citizens("G15", "hotich");
    let created = ministry
        .create_verification_job(tokio_stream::iter(messages))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(created.refused_items.len(), FAULTY);
    for refused in &created.refused_items {
        stage.told.message(refused);
    }
    let request = ListVerificationResultsRequest {
        job_id: created.job.unwrap().job_id,
        after_position: 0,
    };
    let results = ministry.list_verification_results(request).await.unwrap();
    let mut results = results.into_inner();
    let mut answers = 0;
    let reading = async {
        while let Some(answer) = results.message().await.unwrap() {
            stage.told.message(&answer);
            answers += 1;
        }
    };
    let read = tokio::time::timeout(JOB_PATIENCE, reading).await;
    assert!(read.is_ok(), "only {answers} of {count} items are answered");
    assert_eq!(answers, count);
}

/// Verifications and look-ups, everybody in a request of their own.
pub(super) async fn ask(stage: &mut Stage) {
    let mut asking = JoinSet::new();
    for asker in 0..ASKERS {
        let canaries = stage.canaries.clone();
        let mut province = stage.gateway.citizens("H56", "motcua");
        let inquiry = Inquiry {
            official_id: format!("canbo{asker}.tuphap"),
            ..for_dossier(&code(0))
        };
        asking.spawn(async move {
            let mut refused = Vec::new();
            for index in (asker..PEOPLE).step_by(ASKERS) {
                let (inquiry, claims) = (inquiry.clone(), claimed(&canaries, index));
                let answer = if index % 2 == 0 {
                    let request = verify(inquiry, claims);
                    province.verify_citizen(request).await.map(drop)
                } else {
                    let fields = [
                        CitizenField::CitizenNumber,
                        CitizenField::FullName,
                        CitizenField::PermanentResidence,
                    ];
                    let request = look_up(inquiry, claims, &fields);
                    province.get_citizen(request).await.map(drop)
                };
                refused.extend(answer.err());
            }
            refused
        });
    }
    let refused = asking.join_all().await.into_iter().flatten();
    let wrong = PEOPLE / WRONG_EVERY;
    let refused = refused.collect::<Vec<_>>();
    assert!(
        refused.len() <= wrong,
        "the right ones are answered: {refused:?}"
    );
    for status in &refused {
        stage.told.status(status);
    }
}

/// Questions that nobody granted, and somebody who guesses.
pub(super) async fn be_refused(stage: &mut Stage) {
    let fields = &[CitizenField::PermanentResidence];
    let told = &mut stage.told;
    let mut without_grant = stage.gateway.citizens("H29", "motcua");
    let mut verifier = stage.gateway.citizens("H21", "motcua");
    let mut province = stage.gateway.citizens("H56", "motcua");
    let guesser = Inquiry {
        official_id: "kedoantho.tuphap".to_owned(),
        ..for_dossier(&code(0))
    };
    for (index, person) in stage.canaries.people().iter().take(FAULTY).enumerate() {
        let right = || claims(person);
        let asked = look_up(for_dossier(&code(2)), right(), fields);
        told.failed(without_grant.get_citizen(asked).await);
        let asked = look_up(for_dossier(&code(1)), right(), fields);
        told.failed(verifier.get_citizen(asked).await);
        let asked = look_up(for_dossier("H56.14-240823-9999"), right(), fields);
        told.failed(province.get_citizen(asked).await);
        let asked = look_up(for_dossier(&code(0)), right(), &[CitizenField::Religion]);
        told.failed(province.get_citizen(asked).await);
        if index < 10 {
            let wrong = Claims {
                birth_date: "1901-01-02".to_owned(),
                ..right()
            };
            let asked = look_up(guesser.clone(), wrong, fields);
            told.failed(province.get_citizen(asked).await);
        }
    }
}

/// Names and numbers where they do not belong.
pub(super) async fn send_nonsense(stage: &mut Stage) {
    let told = &mut stage.told;
    let mut province = stage.gateway.citizens("H56", "motcua");
    let mut dossiers = stage.gateway.province("H56");
    for (index, person) in stage.canaries.people().iter().take(FAULTY).enumerate() {
        let (name, number) = (person.name.full(), person.number.clone());
        let right = || claims(person);
        let wrong_claims = [
            (format!("{number}X"), name.clone(), born(person)),
            (name.clone(), number.clone(), born(person)),
            (number.clone(), name.clone(), name.clone()),
            (number.clone(), name.repeat(20), number.clone()),
        ];
        for (number, full_name, birth_date) in wrong_claims {
            let claims = Claims {
                number,
                full_name,
                birth_date,
                home_town: name.repeat(40),
                ..right()
            };
            let asked = verify(for_dossier(&code(0)), claims);
            told.failed(province.verify_citizen(asked).await);
        }
        let inquiry = Inquiry {
            purpose_code: name.clone(),
            official_id: format!("{name} {number}"),
            dossier_code: number.clone(),
        };
        told.failed(province.verify_citizen(verify(inquiry, right())).await);
        told.failed(province.list_usage(usage_of(&name)).await);

        let good = event(index, person);
        let mut bad = good.clone();
        bad.dossier_code.clone_from(&number);
        bad.idempotency_key.clone_from(&name);
        let progress = bad.progress.as_mut().unwrap();
        progress.officer_name = name.repeat(10);
        let details = bad.details.as_mut().unwrap();
        details.procedure_code = Some(number.clone());
        let applicant = details.applicant.as_mut().unwrap();
        applicant.identities.as_mut().unwrap().items[0].number = format!("{number}{number}");
        applicant.phone = Some(name.repeat(10));
        let event = Some(bad.clone());
        told.failed(dossiers.push_status(PushStatusRequest { event }).await);
        // The same key with another content, in a batch.
        let mut changed = event_of_province(&good, "H56");
        changed.progress.as_mut().unwrap().note.clone_from(&name);
        let request = BatchPushStatusRequest {
            events: vec![bad, changed],
        };
        let pushed = dossiers.batch_push_status(request).await.unwrap();
        for result in pushed.into_inner().results {
            if let Some(Pushed::Refusal(refusal)) = &result.result {
                told.message(refusal);
            }
        }
        let dossier_code = format!("{number} {name}");
        let asked = GetDossierRequest { dossier_code };
        told.failed(dossiers.get_dossier(asked).await);
        let asked = ListDossiersRequest {
            page_token: format!("{name}{number}"),
            ..ListDossiersRequest::default()
        };
        told.failed(dossiers.list_dossiers(asked).await);
    }
}

/// The event, moved to another province, under the key it had.
fn event_of_province(event: &StatusEvent, province: &str) -> StatusEvent {
    let (_, rest) = event.dossier_code.split_once('.').unwrap();
    StatusEvent {
        dossier_code: format!("{province}.{rest}"),
        ..event.clone()
    }
}

/// The database fails in every way, some of which speak of the person.
pub(super) async fn disturb_the_database(stage: &mut Stage) {
    let people = stage.canaries.people();
    let speaks = |person: &Citizen| Fault::SoapFault {
        message: format!(
            "Không tìm thấy {} {} {}",
            person.number,
            person.name.upper(),
            born(person)
        ),
    };
    let faults = [
        speaks(&people[0]),
        speaks(&people[1]),
        Fault::OtherPerson,
        Fault::Truncated,
        Fault::Garbage,
        Fault::WrongNamespace,
        Fault::CutMidAnswer,
        Fault::Status { code: 401 },
        Fault::Busy {
            retry_after_s: 1,
            as_soap_fault: true,
        },
        Fault::Down,
    ];
    let mut province = stage.gateway.citizens("H56", "motcua");
    for (index, fault) in faults.into_iter().enumerate() {
        let script = FaultScript::always(fault);
        stage.gateway.population.set_faults(script).unwrap();
        // Those whom the fault speaks of are those who are asked about.
        let person = &people[index];
        let asked = verify(for_dossier(&code(0)), claims(person));
        stage.told.failed(province.verify_citizen(asked).await);
        let asked = look_up(
            for_dossier(&code(0)),
            claims(person),
            &[CitizenField::FullName],
        );
        stage.told.failed(province.get_citizen(asked).await);
    }
}

/// What is parked is told with the portal's words.
pub(super) async fn read_what_operators_read(stage: &mut Stage) {
    let gateway = &stage.gateway;
    gateway
        .until("the portal has refused", async || {
            gateway.count(DeliveryState::Parked).await > 0
        })
        .await;
    let mut operator = gateway.operator().deliveries;
    let listed = operator
        .list_parked_deliveries(lienthong_proto::admin::v1::ListParkedDeliveriesRequest::default())
        .await
        .unwrap();
    for parked in &listed.get_ref().deliveries {
        stage.told.message(parked);
    }
}
