//! Bulk verification: every person is asked about once, answered once, and erased when the answer was fetched.

use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_population::config::VerifyBy;
use lienthong_proto::identity::v1::create_verification_job_request::Part;
use lienthong_proto::identity::v1::identity_service_client::IdentityServiceClient;
use lienthong_proto::identity::v1::list_verification_results_response::Result as Answer;
use lienthong_proto::identity::v1::{
    CancelVerificationJobRequest, Claims, CreateVerificationJobRequest,
    CreateVerificationJobResponse, GetVerificationJobRequest, JobItems, JobOpening, JobState,
    ListVerificationResultsRequest, ListVerificationResultsResponse, PauseVerificationJobRequest,
    ResumeVerificationJobRequest, Verdict, VerificationJob,
};
use lienthong_tests::harness::TestGateway;
use lienthong_tests::harness::citizens::{claims, for_ministry, reason};
use tonic::Status;
use tonic::transport::Channel;

type Client = IdentityServiceClient<Channel>;

/// Persons of a job.
const ITEMS: u32 = 600;
/// How long the next answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Persons of one message of an upload.
const CHUNK: usize = 250;

/// A gateway that asks one question for one person: a comparison by the database itself asks again when a name
/// could be spelt otherwise.
async fn gateway(per_second_max: u32) -> TestGateway {
    TestGateway::start_with(|config| {
        config.identity.jobs.per_second_max = per_second_max;
        config.population.soap.verify_by = VerifyBy::LookUp;
    })
    .await
}

/// The first citizens of the register; every tenth has a wrong date.
fn persons(gateway: &TestGateway, count: u32) -> Vec<Claims> {
    let register = gateway.population.population();
    let person = |index| {
        let mut person = claims(&register.citizen(index));
        if index % 10 == 9 {
            "1901-01-01".clone_into(&mut person.birth_date);
        }
        person
    };
    (0..count).map(person).collect()
}

async fn upload(
    client: &mut Client,
    key: &str,
    persons: &[Claims],
    announced: usize,
) -> Result<CreateVerificationJobResponse, Status> {
    let opening = JobOpening {
        idempotency_key: key.to_owned(),
        inquiry: Some(for_ministry("DATA_CLEANING")),
        items_total: u32::try_from(announced).unwrap(),
    };
    let mut parts = vec![Part::Opening(opening)];
    let mut position = 1;
    for chunk in persons.chunks(CHUNK) {
        parts.push(Part::Items(JobItems {
            first_position: position,
            claims: chunk.to_vec(),
        }));
        position += u32::try_from(chunk.len()).unwrap();
    }
    let messages = parts
        .into_iter()
        .map(|part| CreateVerificationJobRequest { part: Some(part) });
    let messages = tokio_stream::iter(messages.collect::<Vec<_>>());
    let created = client.create_verification_job(messages).await?;
    Ok(created.into_inner())
}

async fn job(client: &mut Client, job_id: &str) -> VerificationJob {
    let request = GetVerificationJobRequest {
        job_id: job_id.to_owned(),
        ..GetVerificationJobRequest::default()
    };
    let found = client
        .get_verification_job(request)
        .await
        .expect("our own job");
    found.into_inner().job.expect("a job")
}

/// All answers of a job, as they come, to its end.
async fn answers(
    client: &mut Client,
    job_id: &str,
    after: u32,
) -> Vec<ListVerificationResultsResponse> {
    let request = ListVerificationResultsRequest {
        job_id: job_id.to_owned(),
        after_position: after,
    };
    let mut stream = client
        .list_verification_results(request)
        .await
        .unwrap()
        .into_inner();
    let mut found = Vec::new();
    loop {
        // A stream that stands still is told with how far the job has come.
        match tokio::time::timeout(PATIENCE, stream.message()).await {
            Ok(answer) => match answer.unwrap() {
                Some(answer) => found.push(answer),
                None => return found,
            },
            Err(_elapsed) => {
                let stands = job(client, job_id).await;
                unreachable!("{} answers came, then none: {stands:#?}", found.len());
            }
        }
    }
}

fn verdict(answer: &ListVerificationResultsResponse) -> Verdict {
    match &answer.result {
        Some(Answer::Verification(verification)) => verification.verdict(),
        other => unreachable!("no verdict: {other:?}"),
    }
}

/// How often each citizen was asked about, as the database remembers it.
fn calls(gateway: &TestGateway) -> BTreeMap<u64, usize> {
    let mut histogram = BTreeMap::new();
    for calls in gateway.population.record().by_citizen().values() {
        *histogram.entry(calls.asked).or_insert(0) += 1;
    }
    histogram
}

#[tokio::test(flavor = "multi_thread")]
async fn every_person_is_asked_about_once_and_answered_in_order() {
    let gateway = gateway(1_000).await;
    let mut ministry = gateway.citizens("G15", "hotich");
    let persons = persons(&gateway, ITEMS);
    let created = upload(&mut ministry, "lam-sach-1", &persons, persons.len())
        .await
        .unwrap();
    assert!(created.refused_items.is_empty());
    let job_id = created.job.unwrap().job_id;
    let found = answers(&mut ministry, &job_id, 0).await;
    assert_eq!(found.len(), persons.len());
    for (index, answer) in found.iter().enumerate() {
        assert_eq!(answer.position as usize, index + 1);
        let expected = if index % 10 == 9 {
            Verdict::NoMatch
        } else {
            Verdict::Match
        };
        assert_eq!(verdict(answer), expected, "position {}", answer.position);
        assert!(!answer.usage_id.is_empty());
    }
    let done = job(&mut ministry, &job_id).await;
    assert_eq!(done.state(), JobState::Done);
    assert_eq!(
        (done.items_matched, done.items_not_matched),
        (ITEMS - ITEMS / 10, ITEMS / 10)
    );
    assert_eq!(calls(&gateway), BTreeMap::from([(1, persons.len())]));

    // Coming back for what follows the last answer erases everything.
    assert!(answers(&mut ministry, &job_id, ITEMS).await.is_empty());
    assert_eq!(job(&mut ministry, &job_id).await.state(), JobState::Erased);
    // The same key is the same job, which takes nothing more, and nothing is asked again.
    let again = upload(&mut ministry, "lam-sach-1", &persons, persons.len()).await;
    assert_eq!(reason(&again.unwrap_err()), "JOB_STATE_REFUSED");
    assert_eq!(calls(&gateway), BTreeMap::from([(1, persons.len())]));
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_the_middle_asks_nobody_twice_without_need() {
    let mut gateway = gateway(300).await;
    let mut ministry = gateway.citizens("G15", "hotich");
    let persons = persons(&gateway, ITEMS);
    let created = upload(&mut ministry, "lam-sach-2", &persons, persons.len())
        .await
        .unwrap();
    let job_id = created.job.unwrap().job_id;
    gateway
        .until("a part of the job is answered", async || {
            job(&mut ministry, &job_id).await.items_answered > 100
        })
        .await;
    gateway
        .restart_with(|config| config.identity.jobs.per_second_max = 1_000)
        .await;
    let mut ministry = gateway.citizens("G15", "hotich");
    let found = answers(&mut ministry, &job_id, 0).await;
    assert_eq!(found.len(), persons.len());
    // An orderly stop lets the questions under way end.
    assert_eq!(calls(&gateway), BTreeMap::from([(1, persons.len())]));
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_upload_goes_on_where_it_was_and_starts_when_it_is_whole() {
    let gateway = gateway(1_000).await;
    let mut ministry = gateway.citizens("G15", "hotich");
    let persons = persons(&gateway, ITEMS);
    let half = upload(&mut ministry, "lam-sach-3", &persons[..300], persons.len())
        .await
        .unwrap();
    let half = half.job.unwrap();
    assert_eq!(
        (half.state(), half.items_received),
        (JobState::Uploading, 300)
    );
    let whole = upload(&mut ministry, "lam-sach-3", &persons, persons.len())
        .await
        .unwrap();
    let whole = whole.job.unwrap();
    assert_eq!(whole.job_id, half.job_id);
    assert_eq!(
        answers(&mut ministry, &whole.job_id, 0).await.len(),
        persons.len()
    );
    let other = upload(&mut ministry, "lam-sach-3", &persons[..1], 1)
        .await
        .unwrap_err();
    assert_eq!(reason(&other), "IDEMPOTENCY_KEY_REUSED");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_paused_resumed_and_cancelled_by_its_owner_only() {
    let gateway = gateway(100).await;
    let mut ministry = gateway.citizens("G15", "hotich");
    let persons = persons(&gateway, ITEMS);
    let created = upload(&mut ministry, "lam-sach-4", &persons, persons.len())
        .await
        .unwrap();
    let job_id = created.job.unwrap().job_id;

    let pause = PauseVerificationJobRequest {
        job_id: job_id.clone(),
    };
    let paused = ministry
        .pause_verification_job(pause.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(paused.job.unwrap().state(), JobState::Paused);
    let mut neighbour = gateway.citizens("G15", "nho");
    let refused = neighbour.pause_verification_job(pause).await.unwrap_err();
    assert_eq!(reason(&refused), "JOB_NOT_FOUND");

    let resume = ResumeVerificationJobRequest {
        job_id: job_id.clone(),
    };
    let resumed = ministry
        .resume_verification_job(resume)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(resumed.job.unwrap().state(), JobState::Running);
    let cancel = CancelVerificationJobRequest {
        job_id: job_id.clone(),
    };
    ministry.cancel_verification_job(cancel).await.unwrap();
    let left = answers(&mut ministry, &job_id, 0).await;
    assert!(left.len() < persons.len());
    let cancelled = job(&mut ministry, &job_id).await;
    assert!(matches!(
        cancelled.state(),
        JobState::Cancelled | JobState::Erased
    ));
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_misses_too_often_stands_still_until_an_operator_has_looked() {
    let gateway = gateway(1_000).await;
    let mut ministry = gateway.citizens("G15", "hotich");
    let wrong = persons(&gateway, ITEMS).into_iter().map(|person| Claims {
        birth_date: "1901-01-01".to_owned(),
        ..person
    });
    let wrong = wrong.collect::<Vec<_>>();
    let created = upload(&mut ministry, "lam-sach-5", &wrong, wrong.len())
        .await
        .unwrap();
    let job_id = created.job.unwrap().job_id;
    gateway
        .until("the job pauses", async || {
            job(&mut ministry, &job_id).await.state() == JobState::Paused
        })
        .await;
    let paused = job(&mut ministry, &job_id).await;
    assert_eq!(paused.state_reason, "JOB_MISSES_TOO_MANY");
    assert!(
        paused.items_answered < 300,
        "{} were asked first",
        paused.items_answered
    );
    let resume = ResumeVerificationJobRequest {
        job_id: job_id.clone(),
    };
    assert!(
        ministry
            .resume_verification_job(resume.clone())
            .await
            .is_err()
    );
    let mut operator = gateway.citizens("G22", "vanhanh");
    let resumed = operator
        .resume_verification_job(resume)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(resumed.job.unwrap().state(), JobState::Running);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faulty_persons_are_named_and_the_others_are_asked() {
    let gateway = gateway(1_000).await;
    let mut ministry = gateway.citizens("G15", "hotich");
    let mut persons = persons(&gateway, 5);
    "12345".clone_into(&mut persons[1].number);
    "Lê Thị 2".clone_into(&mut persons[3].full_name);
    let created = upload(&mut ministry, "lam-sach-6", &persons, persons.len())
        .await
        .unwrap();
    let positions = created.refused_items.iter().map(|item| item.position);
    assert!(positions.eq([2, 4]), "{:?}", created.refused_items);
    let told = format!("{:?}", created.refused_items);
    assert!(
        told.contains("number") && !told.contains("Lê Thị 2"),
        "{told}"
    );
    let found = answers(&mut ministry, &created.job.unwrap().job_id, 0).await;
    let failed = found.iter().filter(
        |answer| matches!(&answer.result, Some(Answer::Failure(code)) if code == "JOB_ITEM_FAULTY"),
    );
    assert_eq!((found.len(), failed.count()), (5, 2));
    let too_many = upload(&mut ministry, "lam-sach-7", &[], 20_001)
        .await
        .unwrap_err();
    assert_eq!(reason(&too_many), "JOB_TOO_LARGE");
    let mut province = gateway.citizens("H56", "motcua");
    let refused = upload(&mut province, "lam-sach-8", &[], 1)
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "GRANT_MISSING");
    gateway.stop().await;
}
