//! The seeded simulation: thousands of small worlds in paused time, each checked against a simple model.
//!
//! `LIENTHONG_SIM_SEEDS=100000` runs more of them; `LIENTHONG_SIM_SEED=42` runs one and prints what happened.

mod attempts;
mod broker;
mod destination;
mod drafts;
mod draw;
mod faults;
mod invariants;
mod lanes;
mod ledger;
mod model;
mod mutants;
mod operators;
mod script;
mod senders;
mod store;
mod story;
mod world;

use mutants::Mutation;
use script::Script;

/// Seeds of an ordinary run.
const SEEDS: u64 = 1_000;
/// Worlds that a mutant may live through before it must have been caught.
const MUTANT_SEEDS: u64 = 60;
/// Threads that share the seeds.
const THREADS: u64 = 2;

/// What a run showed.
struct Shown {
    violations: Vec<String>,
    lines: Vec<String>,
}

/// Runs one seed in a runtime of its own.
fn run(seed: u64, mutation: Mutation, printing: bool) -> Shown {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without threads starts");
    runtime.block_on(async {
        let world = world::run(seed, mutation, printing).await;
        invariants::check(&world).await;
        let mut ledger = world.ledger.open();
        Shown {
            violations: std::mem::take(&mut ledger.violations),
            lines: std::mem::take(&mut ledger.lines),
        }
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the seeds of this test are no configuration of the gateway"
)]
fn asked(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number of seeds, or a seed"))
}

#[test]
fn seeds_hold_every_invariant() {
    if let Some(seed) = asked("LIENTHONG_SIM_SEED") {
        println!("{}", Script::of(seed));
        let shown = run(seed, Mutation::None, true);
        assert!(shown.violations.is_empty(), "{:#?}", shown.violations);
        return;
    }
    let seeds = asked("LIENTHONG_SIM_SEEDS").unwrap_or(SEEDS);
    let share = |first| (first..seeds).step_by(usize::try_from(THREADS).expect("it is small"));
    let failures = std::thread::scope(|scope| {
        let check = |first| {
            share(first)
                .filter_map(|seed| {
                    let shown = run(seed, Mutation::None, false);
                    (!shown.violations.is_empty()).then_some((seed, shown.violations))
                })
                .collect::<Vec<_>>()
        };
        let threads = (0..THREADS)
            .map(|first| scope.spawn(move || check(first)))
            .collect::<Vec<_>>();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("a run ends"))
            .collect::<Vec<_>>()
    });
    assert!(failures.is_empty(), "{}", story::of(&failures));
}

#[test]
fn a_seed_decides_everything() {
    for seed in [3, 14, 159, 265, 358] {
        let (one, two) = (
            run(seed, Mutation::None, false),
            run(seed, Mutation::None, false),
        );
        assert!(one.lines.len() > 20, "something happens in seed {seed}");
        let differs = one
            .lines
            .iter()
            .zip(&two.lines)
            .find(|(one, two)| one != two);
        assert!(
            differs.is_none(),
            "seed {seed} ran differently the second time: {differs:?}"
        );
        assert_eq!(
            one.lines.len(),
            two.lines.len(),
            "seed {seed} ended differently"
        );
    }
}

/// What must happen somewhere in the first seeds, or the invariants are checked over a calm sea.
const SCENES: [&str; 24] = [
    "accepted",
    "refused",
    "KeyReused",
    "Transition",
    "Details(",
    "duplicate: true",
    "late: true",
    "dies at Accept",
    "dies at Finish",
    "dies at Begin",
    "committed: true",
    "Crash {",
    "worker frozen",
    "broker wiped",
    "broker repeats",
    "dead letters",
    "breaker of",
    "Advanced",
    "Park(Rejected)",
    "Park(Exhausted)",
    "ghost: true",
    "lease_expired",
    "superseded",
    "discarded",
];

#[test]
fn the_first_seeds_see_every_scene() {
    let mut missing = SCENES.to_vec();
    for seed in 0..MUTANT_SEEDS {
        let shown = run(seed, Mutation::None, false);
        missing.retain(|scene| !shown.lines.iter().any(|line| line.contains(scene)));
    }
    assert!(
        missing.is_empty(),
        "not seen in {MUTANT_SEEDS} seeds: {missing:?}"
    );
}

/// A broken gateway is caught, by the invariant that is about its fault.
fn is_caught(mutation: Mutation, invariants: &[&str]) {
    let caught = (0..MUTANT_SEEDS).any(|seed| {
        let shown = run(seed, mutation, false);
        let about = |violation: &String| invariants.iter().any(|name| violation.starts_with(name));
        shown.violations.iter().any(about)
    });
    assert!(caught, "{mutation:?} lived through {MUTANT_SEEDS} seeds");
}

#[test]
fn broken_intakes_are_caught() {
    is_caught(Mutation::LosesAccepted, &["I1"]);
    is_caught(Mutation::ForgetsKeys, &["I3"]);
    is_caught(Mutation::SkipsSequences, &["I5"]);
    is_caught(Mutation::KeepsRefused, &["I7"]);
}

#[test]
fn broken_lanes_are_caught() {
    is_caught(Mutation::TampersWithDetails, &["I2"]);
    is_caught(Mutation::ReleasesEarly, &["I4"]);
    is_caught(Mutation::DropsFences, &["I4"]);
    is_caught(Mutation::DestinationReorders, &["I4"]);
    is_caught(Mutation::TakesFailureForSuccess, &["I1"]);
}

#[test]
fn broken_schedules_are_caught() {
    is_caught(Mutation::IgnoresTheWindow, &["I8"]);
    is_caught(Mutation::RetriesAtOnce, &["I9"]);
    is_caught(Mutation::CountsOutages, &["I9"]);
    is_caught(Mutation::LiesAndLeasesNeverEnd, &["I10"]);
}
