//! The database misbehaves: the right error each time, never "not found", and nothing of it stays.

mod faults;

use std::time::{Duration, Instant};

use lienthong_gateway::config::Config;
use lienthong_population::config::VerifyBy;
use lienthong_proto::dossier::v1::PushStatusRequest;
use lienthong_proto::identity::v1::list_verification_results_response::Result as JobAnswer;
use lienthong_proto::identity::v1::{
    CitizenField, Claims, Inquiry, ListVerificationResultsRequest, UsageKind, UsageOutcome,
    UsageRecord, Verdict, VerifyCitizenRequest, VerifyCitizenResponse,
};
use lienthong_simulators::population::{
    Citizen, Fault, FaultScript, Latency, PopulationConfig, PopulationSimulator,
};
use lienthong_tests::harness::citizens::{
    DOSSIER, citizen, claims, for_dossier, for_ministry, look_up, reason, usage_of, verify,
};
use lienthong_tests::harness::{POPULATION_SEED, TestGateway, events};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use faults::{SLOW, Said, faults};

/// How long a question to the database may take in these tests.
const CALL_MS: u64 = 400;

async fn start(change: impl FnOnce(&mut Config)) -> TestGateway {
    let gateway = TestGateway::start_with(change).await;
    let event = Some(events::first(DOSSIER));
    let mut province = gateway.province("H56");
    province
        .push_status(PushStatusRequest { event })
        .await
        .expect("accepted");
    gateway
}

fn strike(gateway: &TestGateway, fault: Fault) {
    let script = FaultScript::always(fault);
    gateway
        .population
        .set_faults(script)
        .expect("a good script");
}

fn heal(gateway: &TestGateway) {
    gateway
        .population
        .set_faults(FaultScript::default())
        .expect("a good script");
}

/// Guards that bear thirty questions under way at once; what they bear by default is tested elsewhere.
fn bear_many(config: &mut Config) {
    let guard = &mut config.identity.guard;
    (guard.hold_score, guard.system_hold_score) = (100.0, 100.0);
    (guard.slow_misses, guard.system_slow_misses) = (100, 100);
    guard.subject_misses_per_participant_max = 100;
    guard.subject_misses_max = 1_000;
}

async fn verified(gateway: &TestGateway, claims: Claims) -> Result<VerifyCitizenResponse, Status> {
    let request = verify(for_dossier(DOSSIER), claims);
    let mut province = gateway.citizens("H56", "motcua");
    province
        .verify_citizen(request)
        .await
        .map(tonic::Response::into_inner)
}

async fn looked_up(gateway: &TestGateway, claims: Claims) -> Result<i32, Status> {
    let request = look_up(for_dossier(DOSSIER), claims, &[CitizenField::Sex]);
    let mut province = gateway.citizens("H56", "motcua");
    let found = province.get_citizen(request).await?.into_inner();
    Ok(found.citizen.expect("found").sex)
}

fn verdict(answer: &VerifyCitizenResponse) -> Verdict {
    answer.verification.as_ref().map_or(
        Verdict::Unspecified,
        lienthong_proto::identity::v1::Verification::verdict,
    )
}

async fn matches(gateway: &TestGateway, person: &Citizen) -> bool {
    let answer = verified(gateway, claims(person)).await;
    answer.is_ok_and(|answer| verdict(&answer) == Verdict::Match)
}

/// Everything that was asked about the citizen, oldest first, but not the question who asked.
async fn usage(gateway: &TestGateway, person: &Citizen) -> Vec<UsageRecord> {
    let mut ministry = gateway.citizens("G15", "hotich");
    let request = usage_of(&person.number);
    let mut records = ministry
        .list_usage(request)
        .await
        .expect("granted")
        .into_inner()
        .records;
    records.retain(|row| row.kind() != UsageKind::ListUsage && !row.as_relative);
    records.reverse();
    records
}

#[track_caller]
fn assert_said(status: &Status, expected: &Said, fault: &Fault) {
    let told = (status.code(), reason(status));
    let wait = status
        .get_details_retry_info()
        .and_then(|info| info.retry_delay);
    assert_eq!(
        told,
        (expected.code, expected.reason.to_owned()),
        "{fault:?}"
    );
    if expected.wait.is_some() {
        assert_eq!(wait, expected.wait, "{fault:?}");
    }
}

/// One fault, from its beginning to what is left of it.
async fn goes_through(gateway: &TestGateway, person: &Citizen, fault: Fault, expected: &Said) {
    strike(gateway, fault.clone());
    let verification = verified(gateway, claims(person)).await;
    let record = looked_up(gateway, claims(person)).await;
    heal(gateway);
    let again = verified(gateway, claims(person)).await;
    let record_again = looked_up(gateway, claims(person)).await;

    assert_said(
        &verification.expect_err("no answer can be had"),
        expected,
        &fault,
    );
    assert_said(&record.expect_err("no answer can be had"), expected, &fault);
    let again = again.map(|answer| verdict(&answer));
    assert!(
        matches!(again, Ok(Verdict::Match)),
        "after {fault:?}: {again:?}"
    );
    assert!(record_again.is_ok(), "after {fault:?}: {record_again:?}");
    let rows = usage(gateway, person).await;
    let told = rows
        .iter()
        .map(|row| (row.kind(), row.outcome(), row.reason.as_str()))
        .collect::<Vec<_>>();
    let failed = |kind| (kind, UsageOutcome::Failed, expected.reason);
    let expected = [
        failed(UsageKind::Verify),
        failed(UsageKind::Disclose),
        (UsageKind::Verify, UsageOutcome::Matched, ""),
        (UsageKind::Disclose, UsageOutcome::Disclosed, ""),
    ];
    assert_eq!(told, expected, "{fault:?}");
    assert!(rows[..2].iter().all(|row| row.shown_fields.is_empty()));
}

async fn every_fault(verify_by: VerifyBy) {
    let gateway = start(|config| {
        config.identity.call_timeout_ms = CALL_MS;
        config.population.soap.verify_by = verify_by;
        // As many calls fail here as succeed, one after the other; outages are tested below.
        config.identity.breaker.failures_percent = 90;
    })
    .await;
    for (skip, (fault, expected)) in faults().into_iter().enumerate() {
        let person = citizen(&gateway.population, skip);
        goes_through(&gateway, &person, fault, &expected).await;
    }
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_comparing_database_has_its_error_and_leaves_nothing() {
    Box::pin(every_fault(VerifyBy::Match)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_database_of_records_has_its_error_and_leaves_nothing() {
    Box::pin(every_fault(VerifyBy::LookUp)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_is_used_as_soon_as_it_comes() {
    // A port that was free a moment ago; nobody listens there until the database comes.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let gateway = start(|config| {
        let soap = &mut config.population.soap;
        soap.url = format!("http://{address}/dancuquocgia/services");
        soap.access = lienthong_population::config::Access::default();
    })
    .await;
    let person = citizen(&gateway.population, 0);
    let refused = verified(&gateway, claims(&person)).await.unwrap_err();
    assert_eq!(reason(&refused), "POPULATION_UNAVAILABLE");
    let refused = looked_up(&gateway, claims(&person)).await.unwrap_err();
    assert_eq!(reason(&refused), "POPULATION_UNAVAILABLE");

    let settings = PopulationConfig {
        seed: POPULATION_SEED,
        ..PopulationConfig::default()
    };
    let bound = PopulationSimulator::bind(settings, address).await.unwrap();
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(bound.run(stop.clone()));
    assert!(matches(&gateway, &person).await, "without a restart");
    gateway.stop().await;
    stop.cancel();
    running.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hurried_caller_is_told_about_the_time_and_not_about_the_citizen() {
    let gateway = start(|_| ()).await;
    let person = citizen(&gateway.population, 0);
    assert!(matches(&gateway, &person).await, "the connection is there");
    let calls = gateway.population.stats().calls;
    let mut province = gateway.citizens("H56", "motcua");
    let mut hurried = async |time: Duration| {
        let mut request = Request::new(verify(for_dossier(DOSSIER), claims(&person)));
        request.set_timeout(time);
        province.verify_citizen(request).await.unwrap_err()
    };
    // The caller's own timer may be the first to end it; the gateway's words are heard now and then.
    let mut heard = false;
    for _ in 0..20 {
        let status = hurried(Duration::from_millis(45)).await;
        let told = reason(&status);
        assert!(
            told == "DEADLINE_TOO_SHORT" || told.is_empty(),
            "{status:?}"
        );
        heard |= status.code() == Code::DeadlineExceeded && !told.is_empty();
        if heard {
            break;
        }
    }
    assert!(heard, "the gateway never said why");
    assert_eq!(
        gateway.population.stats().calls,
        calls,
        "too little time is not tried"
    );
    let rows = usage(&gateway, &person).await;
    let last = rows.last().unwrap();
    assert_eq!(
        (last.outcome(), last.reason.as_str()),
        (UsageOutcome::Failed, "DEADLINE_TOO_SHORT")
    );

    strike(&gateway, SLOW);
    let status = hurried(Duration::from_millis(800)).await;
    let told = reason(&status);
    assert!(
        ["POPULATION_UNAVAILABLE", "DEADLINE_TOO_SHORT", ""].contains(&told.as_str()),
        "{status:?}"
    );
    heal(&gateway);
    gateway
        .until("the call that was given up is recorded", async || {
            let rows = usage(&gateway, &person).await;
            let last = rows.last().unwrap();
            last.outcome() == UsageOutcome::Failed && last.reason == "POPULATION_UNAVAILABLE"
        })
        .await;
    assert!(matches(&gateway, &person).await);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_put_off_is_answered_when_the_database_is_back() {
    let gateway = start(|_| ()).await;
    let person = citizen(&gateway.population, 0);
    let hash = gateway.population.number_hash(&person.number);
    strike(&gateway, Fault::Down);
    let mut province = gateway.citizens("H56", "motcua");
    let request = VerifyCitizenRequest {
        defer_if_unavailable: true,
        ..verify(for_dossier(DOSSIER), claims(&person))
    };
    let answer = province.verify_citizen(request.clone()).await;
    let answer = answer.expect("put off, not failed").into_inner();
    assert!(answer.verification.is_none());
    assert!(!answer.deferred_job_id.is_empty());
    let calls = gateway.population.stats().calls;
    gateway
        .until("the job has tried in vain", async || {
            gateway.population.stats().calls > calls
        })
        .await;
    heal(&gateway);

    let request_results = ListVerificationResultsRequest {
        job_id: answer.deferred_job_id,
        after_position: 0,
    };
    let results = province.list_verification_results(request_results).await;
    let mut results = results.expect("the asker's own job").into_inner();
    let reading = async {
        let first = results.message().await.unwrap().expect("an answer");
        assert!(results.message().await.unwrap().is_none(), "one question");
        first
    };
    let first = tokio::time::timeout(Duration::from_secs(30), reading).await;
    let first = first.expect("the database is back");
    match first.result {
        Some(JobAnswer::Verification(found)) => assert_eq!(found.verdict(), Verdict::Match),
        other => panic!("no answer: {other:?}"),
    }
    let asked = gateway.population.record().by_citizen()[&hash];
    assert_eq!(asked.answered, 1, "answered once, by one call");
    let rows = usage(&gateway, &person).await;
    let told = rows
        .iter()
        .map(|row| (row.kind(), row.outcome(), row.reason.as_str()))
        .collect::<Vec<_>>();
    let unavailable = "POPULATION_UNAVAILABLE";
    let [put_off, in_vain @ .., answered] = &told[..] else {
        panic!("too few rows: {told:?}");
    };
    let expected = (UsageKind::Verify, UsageOutcome::Deferred, unavailable);
    assert_eq!(*put_off, expected);
    // Each attempt has its record.
    let expected = (UsageKind::Job, UsageOutcome::Failed, unavailable);
    assert!(in_vain.iter().all(|row| *row == expected), "{told:?}");
    assert_eq!(*answered, (UsageKind::Job, UsageOutcome::Matched, ""));

    // Nonsense does not pass by waiting, so it is not put off.
    strike(&gateway, Fault::Garbage);
    let refused = province.verify_citizen(request).await.unwrap_err();
    assert_eq!(reason(&refused), "POPULATION_BAD_ANSWER");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_outage_is_told_at_once_and_ends_by_itself() {
    let gateway = start(|config| {
        bear_many(config);
        config.identity.call_timeout_ms = 2_100;
        config.identity.breaker.open_seconds = 3;
    })
    .await;
    for (skip, fault) in [(0, Fault::Down), (100, Fault::HalfOpen)] {
        strike(&gateway, fault.clone());
        // Enough calls without an answer open the breaker.
        let failed = many(&gateway, skip, 12).await;
        assert!(failed.iter().all(Result::is_err), "{fault:?}");
        let calls = gateway.population.stats().calls;
        let began = Instant::now();
        for count in 0..10 {
            let person = citizen(&gateway.population, skip + 20 + count);
            let status = verified(&gateway, claims(&person)).await.unwrap_err();
            assert_eq!(reason(&status), "POPULATION_UNAVAILABLE", "{fault:?}");
            let wait = status.get_details_retry_info().unwrap().retry_delay;
            assert!(
                wait.is_some_and(|wait| wait <= Duration::from_secs(3)),
                "{fault:?}: {wait:?}"
            );
        }
        let took = began.elapsed();
        assert!(took < Duration::from_secs(2), "{fault:?}: {took:?}");
        assert_eq!(
            gateway.population.stats().calls,
            calls,
            "nobody asks while it is open"
        );
        heal(&gateway);
        let person = citizen(&gateway.population, skip + 40);
        gateway
            .until("the database is asked again", async || {
                matches(&gateway, &person).await
            })
            .await;
        // The stages of probing end after 31 good calls; then it is as before.
        for round in 0..2 {
            let answers = many(&gateway, skip + 50 + 20 * round, 20).await;
            assert!(answers.iter().all(Result::is_ok), "{fault:?}: {answers:?}");
        }
    }
    gateway.stop().await;
}

/// Right claims about so many different citizens, all at once, by officials of the province.
async fn many(gateway: &TestGateway, first: usize, count: usize) -> Vec<Result<(), String>> {
    let mut asking = JoinSet::new();
    let province = gateway.citizens("H56", "motcua");
    for index in 0..count {
        let mut province = province.clone();
        let inquiry = Inquiry {
            official_id: format!("canbo{index}.tuphap"),
            ..for_dossier(DOSSIER)
        };
        let request = verify(
            inquiry,
            claims(&citizen(&gateway.population, first + index)),
        );
        asking.spawn(async move {
            match province.verify_citizen(request).await {
                Ok(answer) if verdict(answer.get_ref()) == Verdict::Match => Ok(()),
                Ok(answer) => Err(format!("{:?}", verdict(answer.get_ref()))),
                Err(status) => Err(reason(&status)),
            }
        });
    }
    asking.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_calls_are_under_way_than_configured() {
    let gateway = start(|config| {
        bear_many(config);
        config.identity.concurrency_max = 4;
        config.identity.concurrency_start = 4;
    })
    .await;
    strike(&gateway, Fault::Latency(Latency::Fixed { ms: 60 }));
    let answers = many(&gateway, 0, 30).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let stats = gateway.population.stats();
    assert!(
        (2..=4).contains(&stats.in_flight_max),
        "{} at once",
        stats.in_flight_max
    );
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_questions_under_way_are_asked_once_and_recorded_each() {
    let gateway = start(bear_many).await;
    let person = citizen(&gateway.population, 0);
    strike(&gateway, Fault::Latency(Latency::Fixed { ms: 2_500 }));
    let askers = [
        ("H56", "motcua", for_dossier(DOSSIER)),
        ("G15", "hotich", for_ministry("DATA_CLEANING")),
    ];
    let mut asking = JoinSet::new();
    for (participant, system, inquiry) in askers {
        let client = gateway.citizens(participant, system);
        for index in 0..10 {
            let mut client = client.clone();
            let inquiry = Inquiry {
                official_id: format!("canbo{index}.tuphap"),
                ..inquiry.clone()
            };
            let request = verify(inquiry, claims(&person));
            asking.spawn(async move { client.verify_citizen(request).await });
        }
    }
    let answers = asking.join_all().await;
    for answer in answers {
        assert_eq!(verdict(answer.unwrap().get_ref()), Verdict::Match);
    }
    assert_eq!(gateway.population.stats().calls, 1);
    let rows = usage(&gateway, &person).await;
    assert_eq!(rows.len(), 20);
    assert!(
        rows.iter()
            .all(|row| row.outcome() == UsageOutcome::Matched)
    );
    for participant in ["H56", "G15"] {
        let theirs = rows.iter().filter(|row| row.participant_id == participant);
        assert_eq!(theirs.count(), 10);
    }
    gateway.stop().await;
}
