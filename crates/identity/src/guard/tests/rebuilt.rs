//! A restart changes nothing, and only an operator ends a hold.

use lienthong_domain::{ErrorCode, Random};

use super::*;

const DAYS_31_MS: i64 = 31 * 24 * HOUR_MS;

/// Misses until the official is held; the instant of the last.
fn guess_until_held(world: &mut World, official: &Asker, mut now: i64, first: u64) -> i64 {
    for number in first.. {
        now += SECOND_MS;
        if is_halted(&world.ask(
            &ask(official, number * 1_000, now),
            UsageOutcome::NotMatched,
        )) {
            return now;
        }
    }
    unreachable!("the numbers do not end");
}

fn lift(world: &mut World, official: &Asker, now: i64) {
    let action = GuardAction {
        at: at(now),
        participant: official.participant.clone(),
        system: official.system.clone(),
        official: Some(official.official.clone()),
        kind: GuardActionKind::Lifted,
        by: "G05/vanhanh".to_owned(),
        reason: "đã trao đổi với đơn vị".to_owned(),
    };
    world.guard.follow(&action);
    world.actions.push(action);
    // The others of the system work on, and what they prove speaks for the system.
    let others = asker("H21", "motcua", "dongnghiep");
    for number in 0..10 {
        let question = ask(&others, 900_000 + number, now + 1);
        assert!(world.ask(&question, UsageOutcome::Matched).is_ok());
    }
}

fn kinds(world: &World) -> Vec<GuardActionKind> {
    world.actions.iter().map(|action| action.kind).collect()
}

#[test]
fn a_second_hold_within_30_days_blocks_and_later_ones_hold_again() {
    use GuardActionKind::{Blocked, Held, Lifted};
    let official = asker("H21", "motcua", "canbo");
    let mut world = World::new();
    let now = guess_until_held(&mut world, &official, MORNING_MS, 0);
    lift(&mut world, &official, now);
    let now = guess_until_held(&mut world, &official, now + DAYS_31_MS, 100);
    lift(&mut world, &official, now);
    let now = guess_until_held(&mut world, &official, now + 24 * HOUR_MS, 200);
    assert_eq!(kinds(&world), [Held, Lifted, Held, Lifted, Blocked]);
    let Err(Stop::Halted { code, who }) = world.begin(&ask(&official, 7, now)) else {
        panic!("blocked");
    };
    assert_eq!((code, who), (ErrorCode::GuardBlocked, Who::Official));
    assert_eq!(world.guard.views(at(now))[0].level, GuardLevel::Blocked);
    // Nobody else of the system is stopped by one official's holds, and time alone lifts nothing.
    let others = asker("H21", "motcua", "dongnghiep");
    assert!(
        world
            .ask(&ask(&others, 1, now), UsageOutcome::Matched)
            .is_ok()
    );
    let much_later = now + 10 * DAYS_31_MS;
    assert!(is_halted(&world.begin(&ask(&official, 7, much_later))));
    assert!(is_halted(&rebuilt_begin(&world, &official, much_later)));
}

fn rebuilt_begin(world: &World, official: &Asker, now: i64) -> Result<Turn, Stop> {
    let (mut guard, _) = world.rebuilt(now);
    guard.begin(&ask(official, 7, now), &quota(), at(now))
}

#[test]
fn a_hold_that_was_never_written_follows_from_the_records() {
    let official = asker("H21", "motcua", "canbo");
    let mut world = World::new();
    let now = guess_until_held(&mut world, &official, MORNING_MS, 0);
    assert!(is_halted(&rebuilt_begin(&world, &official, now)));
    assert_eq!(world.rebuilt(now).1, [], "it was kept");
    world.actions.clear();
    let (_, undone) = world.rebuilt(now);
    assert_eq!(undone.len(), 1);
    assert_eq!(undone[0].kind, GuardActionKind::Held);
    assert!(is_halted(&rebuilt_begin(&world, &official, now)));
}

#[test]
fn a_lift_is_a_clean_slate_after_a_restart_too() {
    let official = asker("H21", "motcua", "canbo");
    let mut world = World::new();
    let now = guess_until_held(&mut world, &official, MORNING_MS, 0);
    lift(&mut world, &official, now);
    assert_eq!(rebuilt_begin(&world, &official, now), Ok(Turn::Begun));
    let (mut guard, undone) = world.rebuilt(now);
    assert_eq!(undone, []);
    let views = guard.views(at(now));
    assert!(
        views.iter().all(|view| view.target.official.is_none()),
        "{views:?}"
    );
}

/// Random questions of a few askers: the living guard and the rebuilt one answer every next question alike.
#[test]
fn the_rebuilt_guard_answers_as_the_living_one() {
    for seed in 0..200 {
        let random = Random::seeded(seed);
        let mut world = World::new();
        let mut now = MORNING_MS;
        for _ in 0..60 {
            now += i64::try_from(random.below(20 * 60)).unwrap() * SECOND_MS;
            let question = any_question(&random, now);
            let outcome = UsageOutcome::ALL[usize::try_from(random.below(4)).unwrap()];
            // A stopped question leaves nothing behind.
            let _stopped = world.ask(&question, outcome).is_err();
        }
        let (mut guard, undone) = world.rebuilt(now);
        assert_eq!(undone, [], "seed {seed}");
        for _ in 0..30 {
            // Ten seconds are enough for every bucket, which a restart fills.
            now += 10 * SECOND_MS;
            let question = any_question(&random, now);
            let living = world.guard.begin(&question, &quota(), question.at);
            let rebuilt = guard.begin(&question, &quota(), question.at);
            assert_eq!(living, rebuilt, "seed {seed}");
        }
        assert_eq!(
            world.guard.views(at(now)),
            guard.views(at(now)),
            "seed {seed}"
        );
    }
}

fn any_question(random: &Random, now: i64) -> UsageDraft {
    let official = format!("canbo{}", random.below(3));
    let participant = ["H21", "H56"][usize::try_from(random.below(2)).unwrap()];
    ask(
        &asker(participant, "motcua", &official),
        random.below(12) * 37,
        now,
    )
}
