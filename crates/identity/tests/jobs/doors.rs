//! Who may do what with a job, and what pauses one.

use std::time::Duration;

use lienthong_domain::ErrorCode;
use lienthong_domain::identity::{Claims, JobState, UsageOutcome};
use lienthong_identity::{Config, JobName};
use lienthong_ports::identity::{JobCommand, JobRow};
use lienthong_services::Registry;

use crate::database::{Weather, known, wrong};
use crate::world::{Gateway, REGISTRY, World, inquiry, open};

fn people(count: u32) -> Vec<Claims> {
    (0..count).map(known).collect()
}

fn paused(code: ErrorCode) -> impl Fn(&JobRow) -> bool {
    move |row| row.state == JobState::Paused && row.state_reason == Some(code)
}

fn code<T: std::fmt::Debug>(result: Result<T, lienthong_services::Error>) -> ErrorCode {
    result.expect_err("it is refused").code
}

async fn command(
    gateway: &Gateway,
    by: &str,
    job: &JobRow,
    command: JobCommand,
) -> Result<JobRow, ErrorCode> {
    let caller = match by {
        "operator" => gateway.operator(),
        _ => gateway.ministry(),
    };
    let done = gateway.identity.command_job(&caller, job.id, command).await;
    done.map_err(|error| error.code)
}

#[tokio::test(start_paused = true)]
async fn an_opening_is_judged_as_a_verification_is_and_its_refusal_recorded() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    let identity = &gateway.identity;

    let mut without = open("lô", 1);
    without.inquiry = inquiry("TAX");
    assert_eq!(
        code(identity.open_job(&caller, without).await),
        ErrorCode::GrantMissing
    );
    let mut unbound = open("lô", 1);
    unbound.inquiry = inquiry("CIVIL_STATUS");
    assert_eq!(
        code(identity.open_job(&caller, unbound).await),
        ErrorCode::DossierNotHeld
    );
    let large = identity
        .open_job(&caller, open("lô", 5_001))
        .await
        .expect_err("too large");
    assert_eq!(large.code, ErrorCode::JobTooLarge);
    assert_eq!(large.metadata, [("items_max", "5000".to_owned())]);
    let stolen = identity.open_job(&caller, open("defer/0199", 1)).await;
    assert_eq!(code(stolen), ErrorCode::InvalidFields);

    let rows = world.job_usage().await;
    let reasons = rows.iter().map(|row| row.record.reason).collect::<Vec<_>>();
    let expected = [
        ErrorCode::GrantMissing,
        ErrorCode::DossierNotHeld,
        ErrorCode::JobTooLarge,
    ];
    assert_eq!(reasons, expected.map(Some));
    let refused = |row: &lienthong_ports::identity::UsageRow| {
        row.record.outcome == UsageOutcome::Refused && row.record.subject.is_none()
    };
    assert!(rows.iter().all(refused));
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_upload_goes_on_where_it_was_cut_off() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    let identity = &gateway.identity;
    let job = identity.open_job(&caller, open("lô", 4)).await.unwrap();
    let items = people(4).into_iter().map(Ok).collect::<Vec<_>>();
    let two = items[..2].to_vec();
    let half = identity.add_items(&caller, job.id, 1, two).await.unwrap();
    assert_eq!((half.state, half.items_received), (JobState::Uploading, 2));

    let gap = identity
        .add_items(&caller, job.id, 4, items[3..].to_vec())
        .await;
    let gap = gap.expect_err("item 3 is missing");
    assert_eq!(gap.code, ErrorCode::InvalidFields);
    assert_eq!(gap.metadata, [("next_position", "3".to_owned())]);

    let again = identity.open_job(&caller, open("lô", 4)).await.unwrap();
    assert_eq!(
        (again.id, again.items_received),
        (job.id, 2),
        "the same job"
    );
    assert_eq!(
        code(identity.open_job(&caller, open("lô", 5)).await),
        ErrorCode::IdempotencyKeyReused
    );
    identity.add_items(&caller, job.id, 1, items).await.unwrap();
    let done = gateway.done(&caller, &job).await;
    assert_eq!(done.items_matched, 4);
    assert_eq!(world.database.calls().len(), 4);
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_faulty_item_and_one_beyond_the_grant_are_answered_without_asking() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    let job = gateway
        .identity
        .open_job(&caller, open("lô", 3))
        .await
        .unwrap();
    let beyond = Claims {
        sex: Some(lienthong_domain::identity::Sex::Female),
        ..known(1)
    };
    let items = vec![Ok(known(0)), Ok(beyond), Err(ErrorCode::JobItemFaulty)];
    gateway
        .identity
        .add_items(&caller, job.id, 1, items)
        .await
        .unwrap();
    let done = gateway.done(&caller, &job).await;
    assert_eq!((done.items_matched, done.items_failed), (1, 2));
    let answers = gateway.answers(&caller, &job).await;
    let failures = answers
        .iter()
        .filter_map(|answer| answer.result.clone().err());
    let expected = [ErrorCode::FieldsNotGranted, ErrorCode::JobItemFaulty];
    assert_eq!(failures.collect::<Vec<_>>(), expected);
    assert_eq!(world.database.calls().len(), 1);
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_job_is_seen_by_its_system_and_its_counts_by_operators() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let (owner, operator) = (gateway.ministry(), gateway.operator());
    let neighbour = gateway.caller("G15", "khaisinh");
    let job = gateway.upload(&owner, "lô", people(3)).await;
    gateway.done(&owner, &job).await;
    let identity = &gateway.identity;

    let by_key = identity
        .job(&owner, JobName::Key("lô".to_owned()))
        .await
        .unwrap();
    assert_eq!(by_key.id, job.id);
    assert_eq!(identity.jobs(&owner, None, 10).await.unwrap().len(), 1);
    assert_eq!(identity.jobs(&neighbour, None, 10).await.unwrap().len(), 0);
    assert_eq!(identity.jobs(&operator, None, 10).await.unwrap().len(), 1);
    identity
        .job(&operator, JobName::Id(job.id))
        .await
        .expect("operators see counts");

    let key = JobName::Key("lô".to_owned());
    let refusals = [
        code(identity.job(&neighbour, JobName::Id(job.id)).await),
        code(identity.job(&neighbour, key).await),
        code(identity.answers(&neighbour, job.id, 0, 10).await),
        code(identity.answers(&operator, job.id, 0, 10).await),
        code(identity.erase_answers(&operator, job.id, 1).await),
        code(identity.add_items(&neighbour, job.id, 1, vec![]).await),
        code(
            identity
                .command_job(&neighbour, job.id, JobCommand::Cancel)
                .await,
        ),
    ];
    assert_eq!(refusals, [ErrorCode::JobNotFound; 7]);
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_job_of_misses_pauses_until_an_operator_has_looked_at_it() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    // Two small jobs first: they count together with the third.
    for key in ["lô 1", "lô 2"] {
        let first = if key == "lô 1" { 0 } else { 45 };
        let small = (first..first + 45).map(wrong).collect();
        let small = gateway.upload(&caller, key, small).await;
        gateway.done(&caller, &small).await;
    }
    let job = gateway
        .upload(&caller, "lô 3", (100..400).map(wrong).collect())
        .await;
    let row = gateway
        .wait(&caller, &job, paused(ErrorCode::JobMissesTooMany))
        .await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let asked = world.database.calls().len();
    assert!(
        (100..=110).contains(&asked),
        "{asked}: a hundred, and those under way"
    );

    let resume = JobCommand::Resume;
    assert_eq!(
        command(&gateway, "owner", &row, resume).await,
        Err(ErrorCode::NotOperator)
    );
    // Pausing it again must not wipe out why it stands still.
    let again = command(&gateway, "owner", &row, JobCommand::Pause(None))
        .await
        .unwrap();
    assert_eq!(again.state_reason, Some(ErrorCode::JobMissesTooMany));
    assert_eq!(
        command(&gateway, "owner", &row, resume).await,
        Err(ErrorCode::NotOperator)
    );

    let resumed = command(&gateway, "operator", &row, resume).await.unwrap();
    assert_eq!(resumed.state, JobState::Running);
    gateway
        .wait(&caller, &job, paused(ErrorCode::JobMissesTooMany))
        .await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let more = world.database.calls().len() - asked;
    assert!(
        (95..=110).contains(&more),
        "{more}: a clean slate, and no more than that"
    );
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_is_taken_back_pauses_its_jobs() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    let job = gateway.upload(&caller, "lô", people(300)).await;
    let cases = [
        (
            REGISTRY.replace(
                r#"valid_from = "2026-01-01""#,
                r#"valid_from = "2027-01-01""#,
            ),
            ErrorCode::GrantNotValid,
        ),
        (
            REGISTRY.replace(
                r#"name = "Bộ Tư pháp""#,
                "name = \"Bộ Tư pháp\"\nactive = false",
            ),
            ErrorCode::ParticipantSuspended,
        ),
    ];
    for (changed, reason) in cases {
        gateway
            .services
            .set_registry(Registry::parse(&changed).expect("a good file"));
        gateway.wait(&caller, &job, paused(reason)).await;
        tokio::time::sleep(Duration::from_secs(15)).await;
        let asked = world.database.calls().len();
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!(world.database.calls().len(), asked, "nobody is asked about");
        gateway
            .services
            .set_registry(Registry::parse(REGISTRY).expect("a good file"));
        command(&gateway, "owner", &job, JobCommand::Resume)
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let done = gateway.done(&caller, &job).await;
    assert_eq!(done.items_matched, 300);
    assert_eq!(world.database.calls().len(), 300, "each once");
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_database_that_refuses_us_pauses_the_job_and_fails_nothing() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    world.database.set_weather(Weather::Refusing);
    let job = gateway.upload(&caller, "lô", people(50)).await;
    let row = gateway
        .wait(&caller, &job, paused(ErrorCode::PopulationRefused))
        .await;
    assert_eq!(row.items_failed, 0);
    world.database.set_weather(Weather::Fine(20));
    command(&gateway, "owner", &row, JobCommand::Resume)
        .await
        .unwrap();
    let done = gateway.done(&caller, &job).await;
    assert_eq!((done.items_matched, done.items_failed), (50, 0));
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_citizen_is_locked_after_wrong_claims_of_jobs_too() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    let same = std::iter::repeat_n(wrong(7), 12).collect();
    let job = gateway.upload(&caller, "lô", same).await;
    let done = gateway.done(&caller, &job).await;
    assert_eq!((done.items_not_matched, done.items_failed), (5, 7));
    assert_eq!(world.database.calls().len(), 5);
    let answers = gateway.answers(&caller, &job).await;
    let locked = answers
        .iter()
        .filter(|answer| answer.result == Err(ErrorCode::SubjectLocked));
    assert_eq!(locked.count(), 7);
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn no_more_is_erased_than_was_answered() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    world.database.set_weather(Weather::Down);
    let job = gateway.upload(&caller, "lô", people(5)).await;
    let early = gateway.identity.erase_answers(&caller, job.id, 1).await;
    assert_eq!(code(early), ErrorCode::InvalidFields);
    world.database.set_weather(Weather::Fine(20));
    gateway.done(&caller, &job).await;
    gateway
        .identity
        .erase_answers(&caller, job.id, 5)
        .await
        .unwrap();
    gateway.stop().await;
}
