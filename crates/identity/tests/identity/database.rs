//! The population database: down, slow, busy, talking nonsense; asked once where once is enough.

use std::time::Duration;

use lienthong_domain::ErrorCode;
use lienthong_domain::identity::matching::Verdict;
use lienthong_domain::identity::{Citizen, CitizenNumber, Field, UsageOutcome};
use lienthong_identity::Config;
use lienthong_ports::LookUp;

use crate::world::{Reply, World, look_up, verify};

const MATCH: Reply = Reply::Verdict(Verdict::Match);

#[tokio::test(start_paused = true)]
async fn each_failure_has_its_code_is_recorded_and_is_not_remembered() {
    let world = World::new().await;
    let cases = [
        (Reply::Unavailable, ErrorCode::PopulationUnavailable),
        (Reply::Busy, ErrorCode::PopulationBusy),
        (Reply::BadAnswer, ErrorCode::PopulationBadAnswer),
        (Reply::Refused, ErrorCode::PopulationRefused),
        (Reply::Hang, ErrorCode::PopulationUnavailable),
    ];
    for (reply, code) in cases {
        world.population.then([reply]);
        let request = || verify("DATA_CLEANING", None, 1);
        let error = world.verify(&world.counter(), request()).await.unwrap_err();
        assert_eq!(error.code, code);
        let record = world.last_row().await.record;
        assert_eq!(
            (record.outcome, record.reason),
            (UsageOutcome::Failed, Some(code))
        );
        if code == ErrorCode::PopulationBusy {
            assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
        }
        // The same question again gets a true answer.
        world.verify(&world.counter(), request()).await.unwrap();
    }
    assert_eq!(world.population.calls(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_another_person_is_never_shown() {
    let world = World::new().await;
    let other = Citizen {
        citizen_number: CitizenNumber::parse("079199000001").ok(),
        ..Citizen::default()
    };
    world
        .population
        .then([Reply::Record(LookUp::Found(Box::new(other)))]);
    let fields = [Field::CitizenNumber].into_iter().collect();
    let error = world
        .look_up(&world.counter(), look_up(1, fields))
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::PopulationBadAnswer);
    let rows = world.rows().await;
    assert_eq!(
        (rows.len(), rows[0].record.outcome),
        (1, UsageOutcome::Failed)
    );
}

#[tokio::test(start_paused = true)]
async fn the_remaining_time_is_passed_on_and_too_little_is_not_tried() {
    let world = World::new().await;
    let ask = async |millis| {
        let deadline = tokio::time::Instant::now() + Duration::from_millis(millis);
        let request = verify("DATA_CLEANING", None, 1);
        world
            .identity
            .verify(&world.counter(), request, deadline)
            .await
    };
    ask(1_000).await.unwrap();
    ask(60_000).await.unwrap();
    let timeouts = world.population.timeouts.lock().unwrap().clone();
    assert_eq!(
        timeouts,
        [Duration::from_millis(980), Duration::from_secs(10)]
    );
    assert_eq!(ask(40).await.unwrap_err().code, ErrorCode::DeadlineTooShort);
    assert_eq!(
        world.last_row().await.record.reason,
        Some(ErrorCode::DeadlineTooShort)
    );
    assert_eq!(world.population.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn identical_verifications_under_way_are_asked_once_and_recorded_each() {
    let world = World::new().await;
    for reply in [MATCH, Reply::BadAnswer] {
        let (calls, rows) = (world.population.calls(), world.rows().await.len());
        world.population.then([reply.clone()]);
        world.population.hold();
        let (here, there) = (world.counter(), world.caller("H56", "motcua"));
        let ask = |caller| world.verify(caller, verify("DATA_CLEANING", None, 1));
        let release = async {
            // Everybody who is going to ask has asked when nothing else is left to be done.
            tokio::time::sleep(Duration::from_millis(50)).await;
            world.population.release();
        };
        let (one, two, three, four, ()) =
            tokio::join!(ask(&here), ask(&here), ask(&there), ask(&there), release);
        let answers = [one, two, three, four];
        assert_eq!(world.population.calls(), calls + 1);
        assert_eq!(world.rows().await.len(), rows + 4);
        match reply {
            Reply::BadAnswer => {
                let codes = answers.map(|answer| answer.unwrap_err().code);
                assert_eq!(codes, [ErrorCode::PopulationBadAnswer; 4]);
            }
            _ => assert!(answers.iter().all(Result::is_ok)),
        }
    }
    // Other claims about the same number are another question.
    world
        .verify(&world.counter(), verify("DATA_CLEANING", None, 2))
        .await
        .unwrap();
    assert_eq!(world.population.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn one_who_follows_a_hurried_caller_asks_again() {
    let world = World::new().await;
    world.population.then([Reply::Hang]);
    let (here, there) = (world.counter(), world.caller("H56", "motcua"));
    let hurried = world.identity.verify(
        &here,
        verify("DATA_CLEANING", None, 1),
        tokio::time::Instant::now() + Duration::from_millis(500),
    );
    let patient = world.verify(&there, verify("DATA_CLEANING", None, 1));
    let (hurried, patient) = tokio::join!(hurried, patient);
    assert_eq!(hurried.unwrap_err().code, ErrorCode::PopulationUnavailable);
    assert!(patient.is_ok());
    assert_eq!(world.population.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn matches_are_remembered_for_seconds_only_where_configured() {
    let config = Config {
        cache_seconds: 30,
        ..Config::default()
    };
    for (config, calls) in [(Config::default(), [1, 2, 3]), (config, [1, 1, 2])] {
        let world = World::with(config).await;
        for (wait, calls) in [0, 10, 31].into_iter().zip(calls) {
            tokio::time::sleep(Duration::from_secs(wait)).await;
            world
                .verify(&world.counter(), verify("DATA_CLEANING", None, 1))
                .await
                .unwrap();
            assert_eq!(world.population.calls(), calls);
        }
        assert_eq!(
            world.rows().await.len(),
            3,
            "a remembered answer is recorded too"
        );
        // What does not match is never remembered.
        world.population.always(Reply::Verdict(Verdict::Undecided));
        for more in 1..=2 {
            world
                .verify(&world.counter(), verify("DATA_CLEANING", None, 2))
                .await
                .unwrap();
            assert_eq!(world.population.calls(), calls[2] + more);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_opens_the_breaker_and_ends_without_a_restart() {
    let world = World::new().await;
    world.population.always(Reply::Unavailable);
    let ask = async |number| {
        let answer = world
            .verify(&world.counter(), verify("DATA_CLEANING", None, number))
            .await;
        answer.map_err(|error| (error.code, error.retry_after))
    };
    for number in 0..20 {
        assert_eq!(
            ask(number).await.unwrap_err().0,
            ErrorCode::PopulationUnavailable
        );
    }
    assert_eq!(world.population.calls(), 10, "then nobody is asked");
    let (_, wait) = ask(1).await.unwrap_err();
    world.population.always(MATCH);
    tokio::time::sleep(wait.expect("the breaker knows when")).await;
    for number in 0..40 {
        ask(number).await.unwrap();
    }
    assert_eq!(world.population.calls(), 50);
}

#[tokio::test(start_paused = true)]
async fn callers_in_a_hurry_do_not_open_the_breaker() {
    let world = World::new().await;
    world.population.then(std::iter::repeat_n(Reply::Hang, 15));
    for number in 0..15 {
        let deadline = tokio::time::Instant::now() + Duration::from_millis(200);
        let request = verify("DATA_CLEANING", None, number);
        let answer = world
            .identity
            .verify(&world.counter(), request, deadline)
            .await;
        assert_eq!(answer.unwrap_err().code, ErrorCode::PopulationUnavailable);
    }
    world
        .verify(&world.counter(), verify("DATA_CLEANING", None, 1))
        .await
        .unwrap();
    assert_eq!(world.population.calls(), 16);
}

#[tokio::test(start_paused = true)]
async fn bad_answers_about_one_citizen_take_the_database_from_nobody() {
    let world = World::new().await;
    world
        .population
        .then(std::iter::repeat_n(Reply::BadAnswer, 60));
    for _ in 0..60 {
        let request = verify("DATA_CLEANING", None, 1);
        let answer = world.verify(&world.counter(), request).await;
        assert_eq!(answer.unwrap_err().code, ErrorCode::PopulationBadAnswer);
    }
    let others = world.caller("H56", "motcua");
    let answer = world
        .verify(&others, verify("DATA_CLEANING", None, 2))
        .await;
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(world.population.calls(), 61);
}

#[tokio::test(start_paused = true)]
async fn a_question_is_put_off_for_the_database_and_never_for_a_short_deadline() {
    let world = World::new().await;
    let ask = async |reply: Reply, number, millis| {
        world.population.then([reply]);
        let mut request = verify("DATA_CLEANING", None, number);
        request.defer_if_unavailable = true;
        let deadline = tokio::time::Instant::now() + Duration::from_millis(millis);
        let caller = world.counter();
        let answer = world.identity.verify(&caller, request, deadline).await;
        let record = world.last_row().await.record;
        let answer = answer.map(|verified| verified.deferred.is_some());
        (answer.map_err(|error| error.code), record.outcome)
    };
    let (down, busy) = (ErrorCode::PopulationUnavailable, ErrorCode::PopulationBusy);
    let cases = [
        (Reply::Hang, 200, Err(down)),
        (Reply::Hang, 5_000, Err(down)),
        (Reply::Busy, 900, Err(busy)),
        (Reply::Unavailable, 900, Err(down)),
        (Reply::Busy, 1_000, Ok(true)),
        (Reply::Unavailable, 1_000, Ok(true)),
        (Reply::Hang, 20_000, Ok(true)),
    ];
    for (number, (reply, millis, expected)) in (0..).zip(cases) {
        let said = format!("{reply:?} within {millis} ms");
        let outcome = match expected {
            Ok(_) => UsageOutcome::Deferred,
            Err(_) => UsageOutcome::Failed,
        };
        assert_eq!(
            ask(reply, number, millis).await,
            (expected, outcome),
            "{said}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_are_under_way_than_permitted_and_the_others_wait_within_their_deadline() {
    let config = Config {
        concurrency_max: 2,
        concurrency_start: 2,
        ..Config::default()
    };
    let world = World::with(config).await;
    let caller = world.counter();
    let started = async |number| {
        let answer = world
            .verify(&caller, verify("DATA_CLEANING", None, number))
            .await;
        answer.map_err(|error| error.code)
    };
    world.population.hold();
    let look = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let under_way = world.population.calls();
        tokio::time::sleep(Duration::from_secs(10)).await;
        world.population.release();
        under_way
    };
    let (one, two, three, under_way) = tokio::join!(started(1), started(2), started(3), look);
    assert_eq!(under_way, 2);
    let codes = [one, two, three].map(Result::err);
    assert!(
        codes.contains(&Some(ErrorCode::PopulationBusy)),
        "{codes:?}"
    );
    // The places of those who hung are free again.
    started(4).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_leaves_a_record_and_a_stop_waits_for_it() {
    let world = World::new().await;
    world.population.hold();
    let caller = world.counter();
    let asking = world.verify(&caller, verify("DATA_CLEANING", None, 1));
    let gave_up = tokio::time::timeout(Duration::from_secs(1), asking).await;
    assert!(gave_up.is_err() && world.population.calls() == 1);
    assert!(world.rows().await.is_empty());
    assert_eq!(world.identity.drain(Duration::from_millis(100)).await, 1);
    let refused = world
        .verify(&world.counter(), verify("DATA_CLEANING", None, 2))
        .await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::Draining);
    world.population.release();
    assert_eq!(world.identity.drain(Duration::from_secs(1)).await, 0);
    let rows = world.rows().await;
    assert_eq!(
        (rows.len(), rows[0].record.outcome),
        (1, UsageOutcome::Matched)
    );
}
