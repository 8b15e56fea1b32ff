//! How fast items are asked, and who goes first.

use std::time::Duration;

use lienthong_domain::identity::JobState;
use lienthong_identity::{Config, Verify};
use tokio::time::Instant;

use crate::database::{Weather, known};
use crate::world::{World, inquiry};

const SECOND: Duration = Duration::from_secs(1);

/// The most questions that began within one second.
fn rate_max(began: &[Instant]) -> usize {
    let within = |from: &Instant| {
        began
            .iter()
            .filter(|at| (*from..*from + SECOND).contains(at))
            .count()
    };
    began.iter().map(within).max().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn items_are_asked_at_the_permitted_rate_each_once() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    let began = Instant::now();
    let job = gateway
        .upload(&caller, "dữ liệu hộ tịch", (0..500).map(known).collect())
        .await;
    let done = gateway.done(&caller, &job).await;
    let took = began.elapsed();
    assert_eq!((done.items_matched, done.items_failed), (500, 0));
    let asked = world
        .database
        .calls()
        .iter()
        .map(|call| call.began)
        .collect::<Vec<_>>();
    assert_eq!(asked.len(), 500, "each once");
    assert!(rate_max(&asked) <= 52, "{} in a second", rate_max(&asked));
    assert!(
        (9 * SECOND..15 * SECOND).contains(&took),
        "50 a second: {took:?}"
    );
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_deferred_question_does_not_wait_for_a_large_job() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    world.database.set_weather(Weather::Down);
    let large = gateway
        .upload(&caller, "lô lớn", (0..5_000).map(known).collect())
        .await;
    let verify = Verify {
        inquiry: inquiry("DATA_CLEANING"),
        claims: known(9_000),
        defer_if_unavailable: true,
        request_id: "0199-deferred".to_owned(),
        trace: None,
    };
    let verified = gateway
        .identity
        .verify(&caller, verify, Instant::now() + 5 * SECOND)
        .await;
    let deferred = verified
        .expect("deferred")
        .deferred
        .expect("a job of one item");
    world.database.set_weather(Weather::Fine(20));
    let single = lienthong_identity::JobName::Id(deferred);
    let single = gateway
        .identity
        .job(&caller, single)
        .await
        .expect("its own job");
    assert_eq!(single.items_total, 1);
    let single = gateway.done(&caller, &single).await;
    assert_eq!(single.items_matched, 1);
    let row = gateway.wait(&caller, &large, |_| true).await;
    assert_eq!(
        row.state,
        JobState::Running,
        "the large one is far from done"
    );
    assert!(row.items_answered() < 1_000, "{}", row.items_answered());
    let done = gateway.done(&caller, &large).await;
    assert_eq!(done.items_matched, 5_000);
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_busy_database_is_left_alone_by_the_whole_queue() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    let job = gateway
        .upload(&caller, "lô", (0..300).map(known).collect())
        .await;
    gateway
        .wait(&caller, &job, |row| row.items_answered() >= 50)
        .await;
    world.database.set_weather(Weather::Busy(30));
    gateway
        .wait(&caller, &job, |_| {
            world
                .database
                .calls()
                .iter()
                .any(|call| call.answered == Some(false))
        })
        .await;
    // Those under way when the first was told may still come; after that nobody for half a minute.
    tokio::time::sleep(SECOND).await;
    let before = world.database.calls().len();
    world.database.set_weather(Weather::Fine(20));
    tokio::time::sleep(27 * SECOND).await;
    assert_eq!(world.database.calls().len(), before);
    let done = gateway.done(&caller, &job).await;
    assert_eq!((done.items_matched, done.items_failed), (300, 0));
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn jobs_leave_half_of_the_database_to_people_who_wait() {
    let config = Config {
        concurrency_max: 6,
        concurrency_start: 6,
        ..Config::default()
    };
    let world = World::good(config);
    let gateway = world.start().await;
    let caller = gateway.ministry();
    world.database.set_weather(Weather::Fine(2_000));
    let job = gateway
        .upload(&caller, "lô", (0..60).map(known).collect())
        .await;
    gateway.done(&caller, &job).await;
    assert_eq!(world.database.under_way_max(), 3);
    gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_fails_nothing() {
    let world = World::good(Config::default());
    let gateway = world.start().await;
    let caller = gateway.ministry();
    world.database.set_weather(Weather::Down);
    let job = gateway
        .upload(&caller, "lô", (0..200).map(known).collect())
        .await;
    tokio::time::sleep(Duration::from_hours(12)).await;
    let asked = world.database.calls().len();
    assert!(
        asked < 1_000,
        "{asked} questions to a database that is down"
    );
    world.database.set_weather(Weather::Fine(20));
    let done = gateway.done(&caller, &job).await;
    assert_eq!((done.items_matched, done.items_failed), (200, 0));
    gateway.stop().await;
}
