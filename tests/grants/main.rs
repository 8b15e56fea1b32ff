//! Two judges of the same grants: ours, and Cedar with policies written from the grants. They must agree on
//! every question.
//!
//! `LIENTHONG_GRANT_QUESTIONS` asks more of them than the ordinary run does.

mod draw;
mod policy;

use cedar_policy::{Authorizer, Decision, Entities};
use lienthong_domain::identity::grant::decide;
use lienthong_domain::identity::{FieldSet, Mode};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use draw::{Question, World};

/// Questions of an ordinary run.
const QUESTIONS: u64 = 10_000;
/// Questions asked of one set of grants.
const QUESTIONS_PER_WORLD: u64 = 500;
/// The share of either answer, in percent, below which a run proves little.
const SHARE_MIN: u64 = 10;

#[test]
fn cedar_decides_as_we_do() {
    let asked = std::env::var_os("LIENTHONG_GRANT_QUESTIONS");
    let questions = asked.map_or(QUESTIONS, |text| {
        let text = text.to_str().expect("a number in plain text");
        text.parse().expect("a number")
    });
    let (mut allowed, mut done) = (0, 0);
    for seed in 0..questions.div_ceil(QUESTIONS_PER_WORLD) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let world = World::draw(&mut random);
        let policies = policy::of(&world);
        for _ in 0..QUESTIONS_PER_WORLD {
            let question = Question::draw(&mut random, &world);
            let ours = ours(&world, &question);
            let theirs = theirs(&policies, &question);
            assert_eq!(ours, theirs, "seed {seed}: {question:?}");
            allowed += u64::from(ours.is_some());
            done += 1;
        }
    }
    let share = allowed * 100 / done;
    println!("{done} questions, {share} % allowed, no disagreement");
    assert!(
        (SHARE_MIN..=100 - SHARE_MIN).contains(&share),
        "{share} % allowed"
    );
}

#[test]
fn a_wrong_policy_is_noticed() {
    let mut disagreements = 0;
    for seed in 0..20 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let world = World::draw(&mut random);
        let policies = policy::without_validity(&world);
        disagreements += (0..QUESTIONS_PER_WORLD)
            .map(|_| Question::draw(&mut random, &world))
            .filter(|question| ours(&world, question) != theirs(&policies, question))
            .count();
    }
    assert!(disagreements > 100, "{disagreements}");
}

/// The fields that may be claimed or shown; `None` for a refusal.
fn ours(world: &World, question: &Question) -> Option<FieldSet> {
    let purpose = world.purpose(&question.purpose)?;
    let grant = world.grant(question);
    decide(grant, purpose, &question.asked, &question.dossier).ok()
}

/// The same from Cedar: one question about the whole, and for a look-up one about each field.
fn theirs(policies: &cedar_policy::PolicySet, question: &Question) -> Option<FieldSet> {
    let authorizer = Authorizer::new();
    let allows = |request: &cedar_policy::Request| {
        let response = authorizer.is_authorized(request, policies, &Entities::empty());
        let errors = response.diagnostics().errors().count();
        assert_eq!(errors, 0, "{:?}", response.diagnostics());
        response.decision() == Decision::Allow
    };
    if !allows(&policy::request(question, question.asked.fields)) {
        return None;
    }
    Some(match question.asked.mode {
        Mode::Verify => question.asked.fields,
        Mode::Usage => FieldSet::EMPTY,
        Mode::Disclose => {
            let fields = question.asked.fields.iter();
            let shown = fields
                .filter(|field| allows(&policy::request(question, FieldSet::from_iter([*field]))));
            shown.collect()
        }
    })
}
