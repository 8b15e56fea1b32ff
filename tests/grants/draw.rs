//! Random grants, and questions near enough to them that both answers are frequent.

use std::sync::Arc;

use lienthong_domain::Timestamp;
use lienthong_domain::code::ProcedureCode;
use lienthong_domain::identity::grant::{AskLimits, Asked, DossierFacts, QuotaClass};
use lienthong_domain::identity::{Binding, Field, FieldSet, Grant, Mode, Purpose, PurposeCode};
use rand::{Rng, RngExt};

const SYSTEMS: [&str; 5] = [
    "G15/hotich",
    "G17/xaydung",
    "H56/motcua",
    "H21/motcua",
    "H21/hotich",
];
const PURPOSES: [&str; 4] = ["CIVIL_STATUS", "LAND", "DATA_CLEANING", "CITIZEN_ACCESS"];
const PROCEDURES: [&str; 4] = ["1.001193", "1.000894", "2.000815", "1.004222"];
/// Seconds between which grants begin and end and questions are asked.
const SECONDS: std::ops::Range<i64> = 1_767_225_600..1_767_225_600 + 1_000;

/// Purposes and the grants of every system.
pub(crate) struct World {
    pub(crate) purposes: Vec<Purpose>,
    /// `participant/system` and its grant.
    pub(crate) grants: Vec<(&'static str, Grant)>,
}

/// A question and what is known of its dossier.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) system: &'static str,
    pub(crate) purpose: PurposeCode,
    pub(crate) asked: Asked,
    pub(crate) dossier: DossierFacts,
}

impl World {
    pub(crate) fn draw(random: &mut impl Rng) -> Self {
        let purposes = PURPOSES.map(|code| Purpose {
            code: PurposeCode::parse(code).expect("a good code"),
            name: "Mục đích".to_owned(),
            legal_basis: "Luật".to_owned(),
            binding: pick(
                random,
                &[
                    Binding::Required,
                    Binding::Required,
                    Binding::Recorded,
                    Binding::NotNeeded,
                ],
            ),
            procedures: procedures(random),
        });
        let mut grants = Vec::new();
        for system in SYSTEMS {
            for purpose in &purposes {
                if random.random_bool(0.8) {
                    grants.push((system, grant(random, purpose)));
                }
            }
        }
        Self {
            purposes: purposes.into(),
            grants,
        }
    }

    pub(crate) fn purpose(&self, code: &PurposeCode) -> Option<&Purpose> {
        self.purposes.iter().find(|purpose| purpose.code == *code)
    }

    pub(crate) fn grant(&self, question: &Question) -> Option<&Grant> {
        let mut grants = self.grants.iter();
        let found = grants.find(|(system, grant)| {
            *system == question.system && grant.purpose == question.purpose
        });
        found.map(|(_, grant)| grant)
    }
}

impl Question {
    pub(crate) fn draw(random: &mut impl Rng, world: &World) -> Self {
        let purpose = &world.purposes[random.random_range(0..world.purposes.len())];
        let mode = pick(
            random,
            &[Mode::Verify, Mode::Verify, Mode::Disclose, Mode::Usage],
        );
        let mut question = Self {
            system: pick(random, &SYSTEMS),
            purpose: purpose.code.clone(),
            asked: Asked {
                mode,
                fields: FieldSet::EMPTY,
                now: second(random),
            },
            dossier: dossier(random),
        };
        // Mostly what is granted, sometimes more.
        let granted = world
            .grant(&question)
            .map_or(FieldSet::EMPTY, |grant| grant.fields);
        let wanted = Field::ALL.into_iter().filter(|field| {
            let chance = if granted.contains(*field) { 0.4 } else { 0.02 };
            random.random_bool(chance)
        });
        question.asked.fields = wanted.collect();
        question
    }
}

fn grant(random: &mut impl Rng, purpose: &Purpose) -> Grant {
    let limits = AskLimits {
        per_second_max: 1,
        subjects_per_hour_max: 1,
        subjects_per_day_max: 1,
    };
    Grant {
        purpose: purpose.code.clone(),
        mode: pick(
            random,
            &[Mode::Verify, Mode::Disclose, Mode::Disclose, Mode::Usage],
        ),
        fields: Field::ALL
            .into_iter()
            .filter(|_| random.random_bool(0.5))
            .collect(),
        procedures: procedures(random),
        quota: Arc::new(QuotaClass {
            name: "q".to_owned(),
            participant: limits,
            system: limits,
            official: limits,
            official_concurrent_max: 1,
            dossier_subjects_max: 1,
        }),
        job_items_max: 0,
        valid_from: Timestamp::from_second(random.random_range(SECONDS.start..SECONDS.start + 200))
            .expect("in range"),
        valid_until: random.random_bool(0.7).then(|| {
            Timestamp::from_second(random.random_range(SECONDS.start + 300..SECONDS.end))
                .expect("in range")
        }),
    }
}

fn dossier(random: &mut impl Rng) -> DossierFacts {
    match random.random_range(0..10) {
        0 => DossierFacts::NotNamed,
        1 => DossierFacts::Named,
        2 => DossierFacts::NotHeld,
        _ => DossierFacts::Held {
            open: random.random_bool(0.85),
            procedure: random
                .random_bool(0.9)
                .then(|| procedure(pick(random, &PROCEDURES))),
        },
    }
}

fn procedures(random: &mut impl Rng) -> Vec<ProcedureCode> {
    if random.random_bool(0.4) {
        return Vec::new();
    }
    let some = PROCEDURES.into_iter().filter(|_| random.random_bool(0.7));
    some.map(procedure).collect()
}

fn procedure(code: &str) -> ProcedureCode {
    ProcedureCode::parse(code).expect("a good code")
}

fn second(random: &mut impl Rng) -> Timestamp {
    Timestamp::from_second(random.random_range(SECONDS)).expect("in range")
}

fn pick<T: Copy>(random: &mut impl Rng, from: &[T]) -> T {
    from[random.random_range(0..from.len())]
}
