//! Answers that come later, and citizens with two numbers.

use super::*;

/// The record of the answer to `question` by a job.
fn by_job(question: &UsageDraft, outcome: UsageOutcome) -> UsageDraft {
    UsageDraft {
        kind: UsageKind::Job,
        outcome,
        ..question.clone()
    }
}

/// Asks, is put off, and gets the answer by a job.
fn put_off_and_answered(
    world: &mut World,
    question: &UsageDraft,
    outcome: UsageOutcome,
) -> Result<Ended, Stop> {
    world.ask(question, UsageOutcome::Deferred)?;
    let item = by_job(question, outcome);
    assert_eq!(world.begin(&item)?, Turn::Begun);
    world.end(&item, outcome);
    let subject = question.subject.unwrap();
    let ended = world
        .guard
        .weigh_deferred(&question.asker, subject, outcome, question.at);
    world.actions.extend(ended.actions.iter().cloned());
    Ok(ended)
}

#[test]
fn who_has_guesses_put_off_is_held_by_their_answers_over_restarts() {
    let official = asker("H21", "motcua", "canbo");
    let mut world = World::new();
    for number in 0..5 {
        let question = ask(&official, number * 1_000, MORNING_MS);
        put_off_and_answered(&mut world, &question, UsageOutcome::NotMatched).unwrap();
    }
    let kinds = world.actions.iter().map(|action| action.kind);
    assert_eq!(kinds.collect::<Vec<_>>(), [GuardActionKind::Held]);
    let next = ask(&official, 9_000, MORNING_MS);
    assert!(is_halted(&world.begin(&next)));
    // Also where the process ended before the action was kept.
    world.actions.clear();
    let (mut guard, undone) = world.rebuilt(MORNING_MS);
    assert_eq!(undone.len(), 1);
    assert!(is_halted(&guard.begin(&next, &quota(), next.at)));
}

#[test]
fn right_answers_that_came_later_speak_for_the_asker_once() {
    let official = asker("H21", "motcua", "canbo");
    let mut world = World::new();
    for number in 0..4 {
        let question = ask(&official, number * 1_000, MORNING_MS);
        world.ask(&question, UsageOutcome::NotMatched).unwrap();
    }
    for number in 10..13 {
        let question = ask(&official, number * 1_000, MORNING_MS);
        put_off_and_answered(&mut world, &question, UsageOutcome::Matched).unwrap();
        put_off_and_answered(&mut world, &question, UsageOutcome::Matched).unwrap();
    }
    let (mut rebuilt, undone) = world.rebuilt(MORNING_MS);
    assert_eq!(undone, []);
    let now = at(MORNING_MS);
    assert_eq!(world.guard.views(now), rebuilt.views(now));
    for number in 20..24 {
        let question = ask(&official, number * 1_000, MORNING_MS);
        assert!(world.ask(&question, UsageOutcome::NotMatched).is_ok());
    }
    let question = ask(&official, 30_000, MORNING_MS);
    assert!(is_halted(&world.ask(&question, UsageOutcome::NotMatched)));
}

#[test]
fn an_ordinary_job_holds_nobody_whatever_was_put_off_before() {
    let official = asker("H21", "motcua", "canbo");
    let mut world = World::new();
    let question = ask(&official, 1_000, MORNING_MS);
    put_off_and_answered(&mut world, &question, UsageOutcome::Failed).unwrap();
    for number in 2..100 {
        let item = by_job(
            &ask(&official, number * 1_000, MORNING_MS),
            UsageOutcome::NotMatched,
        );
        world.ask(&item, UsageOutcome::NotMatched).unwrap();
    }
    let (mut guard, undone) = world.rebuilt(MORNING_MS);
    assert_eq!((undone, guard.views(at(MORNING_MS))), (vec![], vec![]));
}

/// The second record of a look that told the other number of its citizen.
fn told_other(look: &UsageDraft, other: Pseudonym) -> UsageDraft {
    UsageDraft {
        subject: Some(other),
        as_relative: true,
        outcome: UsageOutcome::Disclosed,
        ..look.clone()
    }
}

#[test]
fn wrong_claims_about_either_number_lock_the_one_citizen() {
    let (new, old) = (1_000, 2_000);
    let question = |official: u64, number, ms| {
        let by = asker("H21", "motcua", &format!("canbo{official}"));
        ask(&by, number, ms)
    };
    let mut world = World::new();
    for official in 0..2 {
        let guess = question(official, old, MORNING_MS);
        world.ask(&guess, UsageOutcome::NotMatched).unwrap();
    }
    let mut look = question(7, new, MORNING_MS + 1);
    look.kind = UsageKind::Disclose;
    world.ask(&look, UsageOutcome::Disclosed).unwrap();
    let (other, _) = citizen(old);
    let (main, other) = (look.subject.unwrap(), other.unwrap());
    world.guard.link(main, other, look.at);
    world.rows.push(told_other(&look, other));
    for (official, number) in [(2, new), (3, old), (4, new)] {
        let guess = question(official, number, MORNING_MS + 2);
        world.ask(&guess, UsageOutcome::NotMatched).unwrap();
    }
    let (mut rebuilt, _) = world.rebuilt(MORNING_MS + 3);
    for number in [new, old] {
        let next = question(5, number, MORNING_MS + 3);
        let locked = |result| matches!(result, Err(Stop::SubjectLocked { .. }));
        assert!(locked(world.begin(&next)), "{number}");
        assert!(locked(rebuilt.begin(&next, &quota(), next.at)), "{number}");
    }
    // A day later nothing is left of it.
    let later = MORNING_MS + 25 * HOUR_MS;
    for number in [new, old] {
        let next = question(5, number, later);
        assert!(world.ask(&next, UsageOutcome::Matched).is_ok());
    }
    assert_eq!(world.guard.subjects.len(), 0);
}

#[test]
fn a_citizen_with_two_numbers_is_one_of_the_quota() {
    let official = asker("H21", "motcua", "canbo");
    let mut world = World::new();
    world.quota.official.subjects_per_hour_max = 1;
    let look = ask(&official, 1_000, MORNING_MS);
    world.ask(&look, UsageOutcome::Disclosed).unwrap();
    let old = ask(&official, 2_000, MORNING_MS);
    assert!(matches!(world.begin(&old), Err(Stop::Quota { .. })));
    let (main, other) = (look.subject.unwrap(), old.subject.unwrap());
    world.guard.link(main, other, look.at);
    world.guard.link(other, main, look.at);
    assert!(world.ask(&old, UsageOutcome::Matched).is_ok());
    let stranger = ask(&official, 3_000, MORNING_MS);
    assert!(matches!(world.begin(&stranger), Err(Stop::Quota { .. })));
}
