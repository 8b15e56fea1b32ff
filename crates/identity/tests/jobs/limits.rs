//! What stops jobs that guess, items that have no end, and answers that nobody may read any more.

use std::time::Duration;

use lienthong_domain::ErrorCode;
use lienthong_domain::identity::{JobState, UsageOutcome};
use lienthong_domain::participant::Caller;
use lienthong_identity::{Config, GuardTarget, Verify};
use lienthong_ports::identity::{ATTEMPTS_MAX, JobCommand, JobRow, OPEN_JOBS_MAX};
use lienthong_services::{Error, Registry};
use tokio::time::Instant;

use crate::database::{Weather, known, wrong};
use crate::world::{Gateway, REGISTRY, World, inquiry, open};

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    result.expect_err("it is refused").code
}

async fn resume(gateway: &Gateway, caller: &Caller, job: &JobRow) -> Result<JobRow, Error> {
    let resume = JobCommand::Resume;
    gateway.identity.command_job(caller, job.id, resume).await
}

/// A hundred jobs of one wrong person each, each done before the next; the last job.
async fn guess(gateway: &Gateway, caller: &Caller) -> JobRow {
    let mut last = None;
    for number in 0..100 {
        let key = format!("đoán {number}");
        let job = gateway.upload(caller, &key, vec![wrong(number)]).await;
        last = Some(gateway.done(caller, &job).await);
    }
    last.expect("a hundred")
}

#[tokio::test(start_paused = true)]
async fn jobs_of_one_item_do_not_get_by_and_a_restart_forgets_nothing() {
    let world = World::good(Config::default());
    let mut gateway = world.start().await;
    let caller = gateway.ministry();
    let last = guess(&gateway, &caller).await;
    for _ in 0..2 {
        let refused = gateway.identity.open_job(&caller, open("nữa", 1)).await;
        assert_eq!(code(refused), ErrorCode::JobMissesTooMany);
        gateway.stop().await;
        gateway = world.start().await;
    }
    let neighbour = gateway.caller("G15", "khaisinh");
    let theirs = gateway.upload(&neighbour, "lô", vec![known(1)]).await;
    gateway.done(&neighbour, &theirs).await;
    let refusals = world.job_usage().await;
    let refusals = refusals.iter().filter(|row| {
        row.record.outcome == UsageOutcome::Refused
            && row.record.reason == Some(ErrorCode::JobMissesTooMany)
    });
    assert_eq!(refusals.count(), 2, "each is recorded");

    assert!(resume(&gateway, &caller, &last).await.is_err());
    let refused = gateway.identity.open_job(&caller, open("nữa", 1)).await;
    assert_eq!(code(refused), ErrorCode::JobMissesTooMany);
    let operator = gateway.operator();
    resume(&gateway, &operator, &last)
        .await
        .expect("it lifts the hold");
    let job = gateway.upload(&caller, "nữa", vec![known(1)]).await;
    gateway.done(&caller, &job).await;
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn misses_override_another_reason_and_lifting_the_guard_lets_jobs_go_on() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    world.database.set_weather(Weather::Refusing);
    let paused = gateway.upload(&caller, "lô", (500..510).map(known).collect());
    let paused = paused.await;
    let row = gateway
        .wait(&caller, &paused, |row| row.state == JobState::Paused)
        .await;
    assert_eq!(row.state_reason, Some(ErrorCode::PopulationRefused));
    world.database.set_weather(Weather::Fine(20));
    guess(&gateway, &caller).await;
    let row = gateway.wait(&caller, &paused, |_| true).await;
    assert_eq!(row.state_reason, Some(ErrorCode::JobMissesTooMany));
    let refused = resume(&gateway, &caller, &paused).await;
    assert_eq!(code(refused), ErrorCode::NotOperator);

    let target = GuardTarget {
        participant: caller.participant.id.clone(),
        system: caller.system.clone(),
        official: None,
    };
    let lift = async || {
        let operator = gateway.on_duty();
        let reason = "đã làm việc với Bộ Tư pháp";
        gateway.identity.lift(&operator, &target, reason).await
    };
    assert!(lift().await.expect("an operator"));
    assert!(!lift().await.expect("an operator"), "nothing is held");
    resume(&gateway, &caller, &paused).await.expect("lifted");
    let done = gateway.done(&caller, &paused).await;
    assert_eq!(done.items_matched, 10);
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_number_of_open_jobs_is_bounded() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    for number in 0..OPEN_JOBS_MAX {
        let opened = gateway
            .identity
            .open_job(&caller, open(&format!("lô {number}"), 1));
        opened.await.expect("there is room");
    }
    let refused = gateway.identity.open_job(&caller, open("nữa", 1)).await;
    let refused = refused.expect_err("no room");
    assert_eq!(refused.code, ErrorCode::QuotaExceeded);
    let expected = [
        ("quota", "open_jobs"),
        ("limit", "100"),
        ("asker", "system"),
    ];
    assert_eq!(
        refused.metadata,
        expected.map(|(key, value)| (key, value.to_owned()))
    );
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_item_that_the_database_refuses_fails_and_stops_nobody() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    world.database.set_spot(&known(3), Weather::Refusing);
    let job = gateway
        .upload(&caller, "lô", (0..200).map(known).collect())
        .await;
    let row = gateway
        .wait(&caller, &job, |row| row.state != JobState::Running)
        .await;
    assert_eq!(row.state, JobState::Done, "it never paused");
    assert_eq!((row.items_matched, row.items_failed), (199, 1));
    assert_eq!(world.database.asked_about(&known(3)), 3);
    let answers = gateway.answers(&caller, &job).await;
    assert_eq!(answers[3].result, Err(ErrorCode::PopulationRefused));
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_job_of_which_only_refused_items_are_left_comes_to_an_end() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    for number in 0..6 {
        world.database.set_spot(&known(number), Weather::Refusing);
    }
    let job = gateway
        .upload(&caller, "lô", (0..8).map(known).collect())
        .await;
    let mut resumed = 0;
    let row = loop {
        let row = gateway
            .wait(&caller, &job, |row| row.state != JobState::Running)
            .await;
        if row.state == JobState::Done {
            break row;
        }
        assert_eq!(row.state_reason, Some(ErrorCode::PopulationRefused));
        assert!(resumed < 18, "each resumption comes nearer to the end");
        resume(&gateway, &caller, &row).await.expect("resumed");
        resumed += 1;
    };
    assert!(resumed > 0, "so many in a row look like bad credentials");
    assert_eq!((row.items_matched, row.items_failed), (2, 6));
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_item_that_kills_its_workers_is_given_up() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    world.database.set_spot(&known(1), Weather::Poisonous);
    let job = gateway
        .upload(&caller, "lô", (0..3).map(known).collect())
        .await;
    let done = gateway.done(&caller, &job).await;
    assert_eq!((done.items_matched, done.items_failed), (2, 1));
    let asked = world.database.asked_about(&known(1));
    assert_eq!(asked, ATTEMPTS_MAX as usize + 1);
    let answers = gateway.answers(&caller, &job).await;
    assert_eq!(answers[1].result, Err(ErrorCode::Internal));
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn answers_are_read_only_while_asking_is_permitted() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    let job = gateway.upload(&caller, "lô", vec![known(1)]).await;
    gateway.done(&caller, &job).await;
    let refused = async |expected| {
        let read = gateway.identity.answers(&caller, job.id, 0, 10).await;
        assert_eq!(code(read), expected);
        let erased = gateway.identity.erase_answers(&caller, job.id, 1).await;
        assert_eq!(code(erased), expected);
    };
    let ended = REGISTRY.replace(
        r#"valid_from = "2026-01-01""#,
        "valid_from = \"2026-01-01\"\n    valid_until = \"2026-02-01\"",
    );
    let withdrawn = REGISTRY.replacen(
        "purpose = \"DATA_CLEANING\"",
        "purpose = \"CIVIL_STATUS_OLD\"",
        1,
    );
    let withdrawn = withdrawn.replacen(
        "[[purpose]]",
        "[[purpose]]\n    code = \"CIVIL_STATUS_OLD\"\n    name = \"Cũ\"\n    legal_basis = \"Luật Hộ tịch\"\n    [[purpose]]",
        1,
    );
    for (file, expected) in [
        (ended, ErrorCode::GrantNotValid),
        (withdrawn, ErrorCode::GrantMissing),
    ] {
        let registry = Registry::parse(&file).expect("a good file");
        gateway.services.set_registry(registry);
        refused(expected).await;
    }
    let registry = Registry::parse(REGISTRY).expect("a good file");
    gateway.services.set_registry(registry);

    // Somebody who guesses is held, and may not read what was asked before either.
    for number in 0..5 {
        let verify = Verify {
            inquiry: inquiry("DATA_CLEANING"),
            claims: wrong(number),
            defer_if_unavailable: false,
            request_id: format!("0199-{number}"),
            trace: None,
        };
        let until = Instant::now() + Duration::from_secs(5);
        let verified = gateway.identity.verify(&caller, verify, until).await;
        verified.expect("an answer");
    }
    refused(ErrorCode::GuardApprovalNeeded).await;
    let target = GuardTarget {
        participant: caller.participant.id.clone(),
        system: caller.system.clone(),
        official: Some(inquiry("DATA_CLEANING").official),
    };
    let operator = gateway.on_duty();
    let lifted = gateway
        .identity
        .lift(&operator, &target, "đã giải trình")
        .await;
    assert!(lifted.expect("an operator"));
    let answers = gateway.answers(&caller, &job).await;
    assert_eq!(answers.len(), 1, "the answers stayed");
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_question_put_off_is_weighed_as_a_verification_is() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    world.database.set_weather(Weather::Down);
    let verify = async |number, defer| {
        let verify = Verify {
            inquiry: inquiry("DATA_CLEANING"),
            claims: wrong(number),
            defer_if_unavailable: defer,
            request_id: format!("0199-{number}"),
            trace: None,
        };
        let until = Instant::now() + Duration::from_secs(5);
        gateway.identity.verify(&caller, verify, until).await
    };
    let mut jobs = Vec::new();
    for number in 0..5 {
        let verified = verify(number, true).await.expect("it is put off");
        jobs.push(verified.deferred.expect("a job"));
    }
    world.database.set_weather(Weather::Fine(20));
    for job in jobs {
        let name = lienthong_identity::JobName::Id(job);
        let row = gateway.identity.job(&caller, name).await.expect("its own");
        gateway.done(&caller, &row).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let held = verify(9, false).await;
    assert_eq!(code(held), ErrorCode::GuardApprovalNeeded);
    gateway.stop().await;
}
