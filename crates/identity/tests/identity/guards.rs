//! Who guesses is stopped, stays stopped, and only an operator lets go.

use std::time::Duration;

use lienthong_domain::identity::matching::Verdict;
use lienthong_domain::identity::{OfficialId, Sex, UsageOutcome};
use lienthong_domain::{ErrorCode, OperatorRole};
use lienthong_identity::{GuardLevel, GuardTarget};
use lienthong_ports::IdentityStore;
use lienthong_ports::identity::GuardActionKind;

use crate::world::{Reply, World, fact, on_duty, verify};

const NO_MATCH: Reply = Reply::Verdict(Verdict::NoMatch);

/// Asks about citizens from `first` on until it is refused: the code, and how many were answered.
async fn until_refused(world: &World, first: u32) -> (ErrorCode, u32) {
    for number in first..first + 100 {
        let request = verify("DATA_CLEANING", None, number);
        if let Err(error) = world.verify(&world.counter(), request).await {
            return (error.code, number - first);
        }
    }
    panic!("never refused");
}

fn official(world: &World) -> GuardTarget {
    GuardTarget {
        participant: world.counter().participant.id.clone(),
        system: world.counter().system,
        official: OfficialId::parse("nguyenthihoa.tuphap").ok(),
    }
}

const REASON: &str = "đã gọi Sở Tư pháp, nhập nhầm danh sách cũ";

/// Lifts a guard as an operator; whether there was one.
async fn lift(world: &World, target: &GuardTarget) -> bool {
    let operator = on_duty(OperatorRole::Operator);
    let lifted = world.identity.lift(&operator, target, REASON).await;
    lifted.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_guesser_is_held_after_five_over_restarts() {
    let mut world = World::new().await;
    world.population.always(NO_MATCH);
    for number in 0..3 {
        let request = verify("DATA_CLEANING", None, number);
        world.verify(&world.counter(), request).await.unwrap();
    }
    world.restart().await;
    let held = ErrorCode::GuardApprovalNeeded;
    assert_eq!(until_refused(&world, 3).await, (held, 2));
    assert_eq!(world.last_row().await.record.outcome, UsageOutcome::Refused);
    world.restart().await;
    assert_eq!(until_refused(&world, 10).await, (held, 0));
    let guards = world.identity.guards();
    assert_eq!(guards[0].level, GuardLevel::Approval);
    assert_eq!(guards[0].target, official(&world));
    let subjects = (guards[0].subjects_last_hour, guards[0].subjects_last_day);
    assert_eq!(subjects, (5, 5));
    assert_eq!(world.population.calls(), 5);
}

#[tokio::test(start_paused = true)]
async fn only_an_operator_with_a_reason_lets_go_and_the_second_time_blocks() {
    let mut world = World::new().await;
    world.population.always(NO_MATCH);
    let (held, target) = (ErrorCode::GuardApprovalNeeded, official(&world));
    assert_eq!(until_refused(&world, 0).await, (held, 5));
    let viewer = on_duty(OperatorRole::Viewer);
    let by_a_viewer = world.identity.lift(&viewer, &target, REASON).await;
    assert_eq!(by_a_viewer.unwrap_err().code, ErrorCode::NotOperator);
    let operator = on_duty(OperatorRole::Operator);
    let silent = world.identity.lift(&operator, &target, " ").await;
    assert_eq!(silent.unwrap_err().code, ErrorCode::InvalidFields);
    let lines = world
        .identity
        .lift(&operator, &target, "nhầm\nlần sau")
        .await;
    assert_eq!(lines.unwrap_err().code, ErrorCode::InvalidFields);
    let unknown = GuardTarget {
        system: "không-đăng-ký".into(),
        ..target.clone()
    };
    assert!(!lift(&world, &unknown).await, "there is no such system");
    assert!(lift(&world, &target).await);
    world.restart().await;
    // A clean slate; but the system's misses are counted on, and three more hold it as a whole.
    assert_eq!(until_refused(&world, 20).await, (held, 3));
    let whole = GuardTarget {
        official: None,
        ..official(&world)
    };
    assert!(lift(&world, &whole).await);
    let blocked = ErrorCode::GuardBlocked;
    assert_eq!(until_refused(&world, 30).await, (blocked, 2));
    assert!(lift(&world, &target).await);
    assert!(!lift(&world, &target).await, "nothing is left");

    every_action_is_kept(&world).await;
}

/// Each hold, block and lift was kept, with who did it and why.
async fn every_action_is_kept(world: &World) {
    use GuardActionKind::{Blocked, Held, Lifted};
    let since = lienthong_domain::Timestamp::UNIX_EPOCH;
    let actions = world.store.guard_actions(since).await.unwrap();
    let seen = actions
        .iter()
        .map(|action| (action.kind, action.official.is_some()));
    let expected = [
        (Held, true),
        (Lifted, true),
        (Held, false),
        (Lifted, false),
        (Blocked, true),
        (Lifted, true),
    ];
    assert_eq!(seen.collect::<Vec<_>>(), expected);
    let lifted = (actions[1].by.as_str(), actions[1].reason.as_str());
    assert_eq!(lifted, ("G05/vanhanh", REASON));
}

#[tokio::test(start_paused = true)]
async fn a_parallel_burst_waits_its_turn_and_is_stopped_all_the_same() {
    let world = World::new().await;
    world.population.always(NO_MATCH);
    let mut asking = tokio::task::JoinSet::new();
    for number in 0..50 {
        let (identity, caller) = (world.identity.clone(), world.counter());
        let deadline = crate::world::in_seconds(30);
        asking.spawn(async move {
            identity
                .verify(&caller, verify("DATA_CLEANING", None, number), deadline)
                .await
        });
    }
    let answers = asking.join_all().await;
    let answered = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!((answered, world.population.calls()), (5, 5));
    let held = answers.iter().filter_map(|answer| answer.as_ref().err());
    assert!(held.clone().count() == 45);
    assert!(
        held.into_iter()
            .all(|error| error.code == ErrorCode::GuardApprovalNeeded)
    );
    assert_eq!(world.rows().await.len(), 50, "each refusal has its record");
}

#[tokio::test(start_paused = true)]
async fn quotas_name_themselves_and_survive_a_restart() {
    let mut world = World::new().await;
    let ask = |number| verify("SOCIAL_INSURANCE", Some(1), number);
    for number in 0..2 {
        world.verify(&world.counter(), ask(number)).await.unwrap();
    }
    world.restart().await;
    let error = world.verify(&world.counter(), ask(2)).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::QuotaExceeded);
    let facts = ["quota", "limit", "asker"].map(|key| fact(&error, key));
    assert_eq!(facts, ["subjects_per_hour", "2", "official"]);
    let wait = error.retry_after.unwrap();
    assert!(
        wait > Duration::from_mins(59) && wait <= Duration::from_hours(1),
        "{wait:?}"
    );
    tokio::time::sleep(wait).await;
    world.verify(&world.counter(), ask(2)).await.unwrap();
    assert_eq!(world.rows().await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_citizen_is_locked_after_five_wrong_claims_whoever_the_official_is() {
    let world = World::new().await;
    world.population.always(NO_MATCH);
    let mut codes = Vec::new();
    for number in 0..7 {
        let mut request = verify("DATA_CLEANING", None, 1);
        request.inquiry.official = OfficialId::parse(&format!("canbo{number}")).unwrap();
        let answer = world.verify(&world.counter(), request).await;
        codes.push(answer.err().map(|error| error.code));
    }
    let locked = Some(ErrorCode::SubjectLocked);
    assert_eq!(codes, [None, None, None, None, None, locked, locked]);
    assert_eq!(world.population.calls(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_claim_beyond_a_right_key_is_no_free_guess() {
    let mut world = World::new().await;
    world.population.always(Reply::WrongBeyondKey);
    let ask = async |world: &World, official: &str| {
        let mut request = verify("SOCIAL_INSURANCE", Some(1), 1);
        request.claims.sex = Some(Sex::Male);
        request.inquiry.official = OfficialId::parse(official).unwrap();
        let answer = world.verify(&world.counter(), request).await;
        answer.map_err(|error| error.code)
    };
    for number in 0..5 {
        let answer = ask(&world, "canbo1").await.unwrap().verification.unwrap();
        assert_eq!(answer.verdict, Verdict::Match, "it is the person");
        let outcome = world.last_row().await.record.outcome;
        assert_eq!(outcome, UsageOutcome::NotMatched, "{number}");
    }
    for _ in 0..2 {
        let held = ask(&world, "canbo1").await.unwrap_err();
        assert_eq!(held, ErrorCode::GuardApprovalNeeded);
        let locked = ask(&world, "canbo2").await.unwrap_err();
        assert_eq!(locked, ErrorCode::SubjectLocked);
        world.restart().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_case_of_a_letter_makes_no_other_official() {
    let mut world = World::new().await;
    world.population.always(NO_MATCH);
    let spellings = ["canbo.a", "CanBo.A", "CANBO.A", "canbO.a", "cAnbo.a"];
    let ask = async |world: &World, number, official: &str| {
        let mut request = verify("DATA_CLEANING", None, number);
        request.inquiry.official = OfficialId::parse(official).unwrap();
        world.verify(&world.counter(), request).await
    };
    for (number, spelling) in (0..).zip(spellings) {
        ask(&world, number, spelling).await.unwrap();
        let written = world.last_row().await.record.asker.official;
        assert_eq!(written.as_str(), spelling, "rows keep what was written");
    }
    for _ in 0..2 {
        let held = ask(&world, 9, "Canbo.A").await.unwrap_err();
        assert_eq!(held.code, ErrorCode::GuardApprovalNeeded);
        world.restart().await;
    }
    let target = GuardTarget {
        official: OfficialId::parse("CANBO.a").ok(),
        ..official(&world)
    };
    assert!(lift(&world, &target).await);
    ask(&world, 9, "canbo.a").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn slowed_answers_come_late_but_within_the_deadline() {
    let world = World::new().await;
    world.population.always(NO_MATCH);
    let time = async |number, seconds| {
        let start = tokio::time::Instant::now();
        let deadline = crate::world::in_seconds(seconds);
        let request = verify("DATA_CLEANING", None, number);
        world
            .identity
            .verify(&world.counter(), request, deadline)
            .await
            .unwrap();
        start.elapsed()
    };
    assert!(time(1, 5).await < Duration::from_millis(100));
    let late = time(2, 5).await;
    assert!(
        late >= Duration::from_secs(1) && late < Duration::from_secs(2),
        "{late:?}"
    );
    let deadline = tokio::time::Instant::now() + Duration::from_millis(300);
    let request = verify("DATA_CLEANING", None, 3);
    world
        .identity
        .verify(&world.counter(), request, deadline)
        .await
        .unwrap();
    assert!(tokio::time::Instant::now() < deadline);
    assert_eq!(world.identity.guards()[0].level, GuardLevel::Slow);
}

#[tokio::test(start_paused = true)]
async fn one_under_way_at_a_time_means_one() {
    let world = World::new().await;
    world.population.hold();
    let ask = |number, seconds| {
        let (identity, caller) = (world.identity.clone(), world.counter());
        let request = verify("SOCIAL_INSURANCE", Some(1), number);
        async move {
            identity
                .verify(&caller, request, crate::world::in_seconds(seconds))
                .await
        }
    };
    let look = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let under_way = world.population.calls();
        world.population.release();
        under_way
    };
    let (first, impatient, patient, under_way) =
        tokio::join!(ask(1, 8), ask(2, 2), ask(2, 8), look);
    assert_eq!(under_way, 1);
    assert!(first.is_ok() && patient.is_ok());
    let error = impatient.unwrap_err();
    assert_eq!(error.code, ErrorCode::QuotaExceeded);
    assert_eq!(fact(&error, "quota"), "questions_under_way");
    assert_eq!(world.rows().await.len(), 3);
}
