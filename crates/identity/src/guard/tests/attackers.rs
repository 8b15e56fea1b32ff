//! Who guesses is stopped within ten questions and one hit; who copies from documents is never stopped.

use lienthong_domain::Random;

use super::*;

/// Guesses a number of each kind of attacker tries in one campaign; nobody gets that far.
const GUESSES: usize = 100;
/// Most questions an attacker may get answered.
const ANSWERED_MAX: usize = 10;

#[derive(Default)]
struct Loot {
    answered: usize,
    hits: usize,
    halted: bool,
}

impl Loot {
    fn check(&self, who: &str) {
        assert!(self.halted, "{who} was never stopped");
        assert!(
            self.answered <= ANSWERED_MAX,
            "{who}: {} answers",
            self.answered
        );
        assert!(self.hits <= 1, "{who}: {} hits", self.hits);
    }

    /// Takes note; `true` when it is over.
    fn note(&mut self, world: &mut World, question: &UsageDraft, hit: bool) -> bool {
        let outcome = if hit {
            UsageOutcome::Matched
        } else {
            UsageOutcome::NotMatched
        };
        let result = world.ask(question, outcome);
        self.halted = is_halted(&result);
        if result.is_ok() {
            self.answered += 1;
            self.hits += usize::from(hit);
        }
        self.halted
    }
}

/// One after the other, `apart_ms` between them; `citizen` names whom the n-th guess is about.
fn campaign(
    world: &mut World,
    asker: &Asker,
    apart_ms: i64,
    hit_chance: f64,
    (random, citizen): (&Random, impl Fn(usize) -> u64),
) -> Loot {
    let mut loot = Loot::default();
    let mut now = MORNING_MS;
    for guess in 0..GUESSES {
        now += apart_ms;
        let hit = random.unit() < hit_chance;
        if loot.note(world, &ask(asker, citizen(guess), now), hit) {
            break;
        }
    }
    loot
}

#[test]
fn each_kind_of_guesser_is_stopped() {
    let random = Random::seeded(20_260_302);
    for seed in 0..2_000_u64 {
        let base = seed * 1_000_000;
        let official = asker("H21", "motcua", &format!("canbo{seed}"));
        let any = |_| base + random.below(1_000_000);
        let next = |guess| base + u64::try_from(guess).unwrap();
        let each = |guess| base + u64::try_from(guess).unwrap() * 1_000;
        // Random numbers; neighbours; a list of real numbers with guessed names; one an hour, half a day later
        // than the last by chance. Chances of a hit are far above those of a real guess.
        let loot = match seed % 4 {
            0 => campaign(&mut World::new(), &official, 300, 0.001, (&random, any)),
            1 => campaign(
                &mut World::new(),
                &official,
                SECOND_MS,
                0.001,
                (&random, next),
            ),
            2 => campaign(
                &mut World::new(),
                &official,
                5 * SECOND_MS,
                0.003,
                (&random, each),
            ),
            _ => campaign(
                &mut World::new(),
                &official,
                HOUR_MS,
                0.001,
                (&random, each),
            ),
        };
        loot.check(&format!("attacker {seed}"));
    }
}

#[test]
fn several_participants_together_gain_nothing() {
    let random = Random::seeded(7);
    let mut world = World::new();
    for participant in ["H21", "H56", "G15", "H26"] {
        let official = asker(participant, "motcua", "canbo");
        // All work through the same list.
        let loot = campaign(
            &mut world,
            &official,
            MINUTE_MS,
            0.001,
            (&random, |guess| u64::try_from(guess).unwrap() * 1_000),
        );
        loot.check(participant);
    }
}

#[test]
fn one_citizen_is_locked_after_five_misses_of_one_and_twenty_of_all() {
    let mut world = World::new();
    let (mut answered, mut locked) = (0, 0);
    for participant in 10..40 {
        for official in 0..10 {
            let name = format!("canbo{official}");
            let asker = asker(&format!("G{participant}"), "tracuu", &name);
            match world.ask(&ask(&asker, 42, MORNING_MS), UsageOutcome::NotMatched) {
                Ok(_) => answered += 1,
                Err(stop) => {
                    assert!(matches!(stop, Stop::SubjectLocked { .. }), "{stop:?}");
                    locked += 1;
                }
            }
        }
    }
    assert_eq!((answered, locked), (20, 280));
}

#[test]
fn a_burst_gets_no_more_than_one_after_the_other() {
    let mut world = World::new();
    let official = asker("H21", "motcua", "canbo");
    let burst = (0..100_u64).map(|number| ask(&official, number * 1_000, MORNING_MS));
    let begun = burst.filter(|question| world.begin(question) == Ok(Turn::Begun));
    let begun = begun.collect::<Vec<_>>();
    assert_eq!(begun.len(), 5);
    for question in &begun {
        world.end(question, UsageOutcome::NotMatched);
    }
    assert!(is_halted(&world.begin(&ask(&official, 7, MORNING_MS))));
}

#[test]
fn a_system_that_rotates_its_officials_is_stopped_as_a_whole() {
    let mut world = World::new();
    let rotated = |number: u64| asker("H21", "motcua", &format!("canbo{number}"));
    let question = |number: u64| ask(&rotated(number), number * 1_000, MORNING_MS);
    // In parallel.
    let begun = (0..100).filter(|number| world.begin(&question(*number)) == Ok(Turn::Begun));
    let begun = begun.collect::<Vec<_>>();
    assert!(begun.len() <= ANSWERED_MAX, "{}", begun.len());
    for number in begun {
        world.end(&question(number), UsageOutcome::NotMatched);
    }
    assert!(is_halted(&world.begin(&question(500))));
    let actions = &world.actions;
    assert!(
        actions.len() == 1 && actions[0].official.is_none(),
        "{actions:?}"
    );
    // One after the other, in another system.
    let mut loot = Loot::default();
    for number in 0..100_u64 {
        let asker = asker("H56", "motcua", &format!("canbo{number}"));
        if loot.note(&mut world, &ask(&asker, number * 1_000, MORNING_MS), false) {
            break;
        }
    }
    loot.check("the rotating system");
}

#[test]
fn naming_a_known_person_again_and_again_does_not_wipe_out_misses() {
    let mut world = World::new();
    let official = asker("H21", "motcua", "canbo");
    let mut loot = Loot::default();
    let mut now = MORNING_MS;
    'guessing: for guess in 1..100_u64 {
        for (number, hit) in [(guess * 1_000, false), (0, true)] {
            now += SECOND_MS;
            if loot.note(&mut world, &ask(&official, number, now), hit) {
                break 'guessing;
            }
        }
    }
    assert!(
        loot.halted && loot.answered - loot.hits <= 6,
        "{}",
        loot.answered
    );
}

#[test]
fn earned_trust_is_worth_no_more_parallel_guesses_than_it_cost_right_claims() {
    let mut world = World::new();
    let official = asker("H21", "motcua", "canbo");
    let mut now = MORNING_MS;
    for number in 0..150_u64 {
        now += MINUTE_MS;
        world
            .ask(&ask(&official, number, now), UsageOutcome::Matched)
            .unwrap();
    }
    let burst = (0..100_u64).map(|number| ask(&official, 1_000_000 + number * 1_000, now));
    let begun = burst.filter(|question| world.begin(question) == Ok(Turn::Begun));
    let begun = begun.collect::<Vec<_>>();
    assert_eq!(begun.len(), 15);
    for question in &begun {
        world.end(question, UsageOutcome::NotMatched);
    }
    assert!(is_halted(&world.begin(&ask(&official, 7, now))));
}

#[test]
fn answers_are_slowed_at_two_misses_and_a_walk_through_neighbours_is_held() {
    let mut world = World::new();
    let official = asker("H21", "motcua", "canbo");
    let (miss, hit) = (UsageOutcome::NotMatched, UsageOutcome::Matched);
    assert!(
        !world
            .ask(&ask(&official, 1, MORNING_MS), miss)
            .unwrap()
            .slow
    );
    assert!(
        world
            .ask(&ask(&official, 1_001, MORNING_MS), miss)
            .unwrap()
            .slow
    );
    assert!(
        !world
            .ask(&ask(&official, 2_001, MORNING_MS), hit)
            .unwrap()
            .slow
    );
    // Half of the neighbours exist: the test of misses alone would never end this.
    let walker = asker("H21", "motcua", "nguoidi");
    let mut stopped_at = None;
    for number in 0..50_u64 {
        let outcome = if number % 2 == 0 { miss } else { hit };
        let now = MORNING_MS + i64::try_from(number).unwrap() * SECOND_MS;
        if is_halted(&world.ask(&ask(&walker, 9_900 + number, now), outcome)) {
            stopped_at = Some(number);
            break;
        }
    }
    assert_eq!(stopped_at, Some(9));
}

#[test]
fn ten_thousand_honest_days_without_a_false_stop() {
    // Two halves at once, since a debug build takes its time.
    std::thread::scope(|both| {
        for seed in [10_000, 20_000] {
            both.spawn(move || five_thousand_honest_days(seed));
        }
    });
}

/// 250 clerks of ten systems on 20 days, 40 questions a day: 5 % misses, most of them slips that are corrected.
fn five_thousand_honest_days(seed: u64) {
    let random = Random::seeded(seed);
    let mut world = World::new();
    let mut questions = 0_u32;
    let mut clerks = (0..250_u64)
        .map(|clerk| {
            let participant = format!("G{}", 10 + clerk % 10);
            let mut question = ask(
                &asker(&participant, "motcua", &format!("canbo{clerk}")),
                0,
                0,
            );
            let dossier = format!("G10.{}-260302-0001", clerk + 1);
            question.dossier = DossierCode::parse(&dossier).ok();
            question
        })
        .collect::<Vec<_>>();
    for slot in 0..20 * 40_i64 {
        let minute = slot / 40 * 24 * 60 + slot % 40 * 12;
        for (clerk, question) in clerks.iter_mut().enumerate() {
            let now = MORNING_MS + minute * MINUTE_MS + i64::try_from(clerk).unwrap() * 200;
            (question.subject, question.block) = citizen(random.below(90_000_000));
            question.at = at(now);
            let missed = random.unit() < 0.05;
            let outcome = if missed {
                UsageOutcome::NotMatched
            } else {
                UsageOutcome::Matched
            };
            world
                .ask(question, outcome)
                .expect("an honest clerk is never stopped");
            questions += 1;
            if missed && random.unit() < 0.8 {
                question.at = at(now + MINUTE_MS);
                world
                    .ask(question, UsageOutcome::Matched)
                    .expect("nor a correction");
            }
            world.rows.clear();
        }
    }
    assert_eq!((questions, world.actions.len()), (200_000, 0));
}
