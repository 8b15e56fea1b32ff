//! Questions about citizens: how many, what came of them, how long they took; guards and jobs. Nobody is named.

use std::time::Duration;

use lienthong_domain::identity::{UsageKind, UsageOutcome};
use prometheus_client::registry::Registry;

use super::delivery::BREAKER_STATES;
use super::{Counter, Distribution, Gauge, Label, Table, register};

/// Up to the longest call to the database, and a little more.
const QUESTION_SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// What the population database made of a call.
const ANSWERS: [&str; 5] = ["answered", "busy", "unavailable", "bad_answer", "refused"];
/// What a guard does to an asker.
const LEVELS: [&str; 3] = ["slow", "approval", "blocked"];

/// Questions about citizens.
#[derive(Clone, Debug)]
pub struct IdentityMetrics {
    questions: Table<Counter>,
    question_seconds: Table<Distribution>,
    calls: Table<Counter>,
    call_seconds: Distribution,
    guard_actions: Table<Counter>,
    /// Officials and systems that a guard slows, holds or blocks now, by level.
    pub guards: Table<Gauge>,
    /// Jobs that are not finished.
    pub jobs_open: Gauge,
    /// Items of jobs that wait for an answer.
    pub job_items_waiting: Gauge,
    /// 1 for the state of the breaker to the population database.
    pub breaker_state: Table<Gauge>,
}

impl IdentityMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let kinds = || Label::closed("kind", UsageKind::ALL.iter().map(|kind| kind.name()));
        let outcomes = UsageOutcome::ALL.iter().map(|outcome| outcome.name());
        let by_kind = vec![kinds(), Label::closed("outcome", outcomes)];
        let times = || Distribution::new(QUESTION_SECONDS);
        let answers = vec![Label::closed("outcome", ANSWERS)];
        let actions = vec![Label::closed("action", ["held", "blocked", "lifted"])];
        let levels = vec![Label::closed("level", LEVELS)];
        let states = vec![Label::closed("state", BREAKER_STATES)];
        let questions = Table::shown(by_kind, Counter::default);
        let guard_actions = Table::shown(actions, Counter::default);
        let asked = |values: &[&str]| matches!(values, ["verify" | "disclose"]);
        Self {
            questions: register(
                registry,
                "lienthong_identity_questions",
                "Questions about citizens by kind and outcome, as their usage records say",
                questions,
            ),
            question_seconds: register(
                registry,
                "lienthong_identity_question_duration_seconds",
                "Time from a question about a citizen to its answer, the usage record included",
                Table::new(vec![kinds()], times, asked),
            ),
            calls: register(
                registry,
                "lienthong_population_calls",
                "Calls to the population database by what came of them",
                Table::shown(answers, Counter::default),
            ),
            call_seconds: register(
                registry,
                "lienthong_population_call_duration_seconds",
                "Time of one call to the population database",
                times(),
            ),
            guard_actions: register(
                registry,
                "lienthong_identity_guard_actions",
                "What the guard did to askers, and operators to guards",
                guard_actions,
            ),
            guards: register(
                registry,
                "lienthong_identity_guards",
                "Officials and systems that the guard slows, holds or blocks now",
                Table::shown(levels, Gauge::default),
            ),
            jobs_open: register(
                registry,
                "lienthong_identity_jobs_open",
                "Verification jobs that are not finished",
                Gauge::default(),
            ),
            job_items_waiting: register(
                registry,
                "lienthong_identity_job_items_waiting",
                "Persons of unfinished verification jobs that have no answer yet",
                Gauge::default(),
            ),
            breaker_state: register(
                registry,
                "lienthong_population_breaker_state",
                "1 for the state that the breaker to the population database is in, 0 for the others",
                Table::shown(states, Gauge::default),
            ),
        }
    }

    /// Counts a question by what its usage record says.
    pub fn recorded(&self, kind: UsageKind, outcome: UsageOutcome) {
        self.questions.at(&[kind.name(), outcome.name()]).inc();
    }

    /// Counts the time of a question.
    pub fn answered(&self, kind: UsageKind, took: Duration) {
        self.question_seconds.at(&[kind.name()]).observe_time(took);
    }

    /// Counts a call to the population database: one of `answered`, `busy`, `unavailable`, `bad_answer`, `refused`.
    pub fn called(&self, answer: &'static str, took: Duration) {
        self.calls.at(&[answer]).inc();
        self.call_seconds.observe_time(took);
    }

    /// Counts what a guard did: `held`, `blocked` or `lifted`.
    pub fn guarded(&self, action: &'static str) {
        self.guard_actions.at(&[action]).inc();
    }

    /// Questions so far: answered, refused, and not answered because of the database.
    pub fn totals(&self) -> (u64, u64, u64) {
        let mut totals = (0, 0, 0);
        for (names, count) in self.questions.each() {
            match names.last().copied() {
                Some("refused") => totals.1 += count.get(),
                Some("failed" | "deferred") => totals.2 += count.get(),
                _ => totals.0 += count.get(),
            }
        }
        totals
    }
}
