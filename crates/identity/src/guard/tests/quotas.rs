//! How much may be asked, at each level.

use std::time::Duration;

use lienthong_domain::ErrorCode;
use lienthong_services::Error;

use super::*;

/// Asks about new citizens until it is stopped: how many were answered, and by what it was stopped.
fn until_stopped(
    quota: &QuotaClass,
    asker_of: impl Fn(u64) -> Asker,
    apart_ms: i64,
) -> (u64, Stop) {
    let mut guard = Guard::new(GuardConfig::default());
    for number in 0..10_000 {
        let ms = MORNING_MS + i64::try_from(number).unwrap() * apart_ms;
        let question = ask(&asker_of(number), number * 1_000, ms);
        let begun = guard
            .consider(&question, quota, question.at)
            .and_then(|()| guard.begin(&question, quota, question.at));
        match begun {
            Ok(turn) => assert_eq!(turn, Turn::Begun),
            Err(stop) => return (number, stop),
        }
        guard.end(&question, UsageOutcome::Matched, question.at);
    }
    panic!("never stopped");
}

fn one(_: u64) -> Asker {
    asker("H21", "motcua", "canbo")
}

fn many(number: u64) -> Asker {
    asker("H21", "motcua", &format!("canbo{number}"))
}

fn systems(number: u64) -> Asker {
    let system = format!("hethong{}", number % 7);
    asker("H21", &system, &format!("canbo{number}"))
}

/// One quota that is used up first.
struct Case {
    /// What makes it the first.
    change: fn(&mut QuotaClass),
    asker_of: fn(u64) -> Asker,
    apart_ms: i64,
    /// How many are answered.
    answered: u64,
    /// Its name, and whose it is.
    told: (&'static str, &'static str),
}

fn case(
    told: (&'static str, &'static str),
    answered: u64,
    (asker_of, apart_ms): (fn(u64) -> Asker, i64),
    change: fn(&mut QuotaClass),
) -> Case {
    Case {
        change,
        asker_of,
        apart_ms,
        answered,
        told,
    }
}

fn cases() -> Vec<Case> {
    let (hour, day) = ("subjects_per_hour", "subjects_per_day");
    let rate = "questions_per_second";
    vec![
        case((hour, "official"), 200, (one, SECOND_MS), |_| {}),
        case((day, "official"), 1_000, (one, 30 * SECOND_MS), |_| {}),
        case((hour, "system"), 50, (many, SECOND_MS), |quota| {
            quota.system.subjects_per_hour_max = 50;
        }),
        case((day, "participant"), 60, (systems, SECOND_MS), |quota| {
            quota.participant.subjects_per_day_max = 60;
        }),
        case(
            ("subjects_per_dossier", "dossier"),
            4,
            (many, SECOND_MS),
            |quota| {
                quota.dossier_subjects_max = 4;
            },
        ),
        case((rate, "official"), 6, (one, 1), |quota| {
            quota.official.per_second_max = 3;
        }),
        case((rate, "participant"), 10, (systems, 1), |quota| {
            quota.participant.per_second_max = 5;
        }),
    ]
}

#[test]
fn each_quota_stops_at_its_figure_and_says_whose_it_is() {
    for case in cases() {
        let mut quota = quota();
        quota.dossier_subjects_max = 10_000;
        (case.change)(&mut quota);
        let (answered, stop) = until_stopped(&quota, case.asker_of, case.apart_ms);
        let (error, told) = (Error::from(stop), case.told);
        assert_eq!(error.code, ErrorCode::QuotaExceeded, "{told:?}");
        assert_eq!(answered, case.answered, "{told:?}");
        let fact = |key| {
            let mut facts = error.metadata.iter();
            facts.find(|(known, _)| *known == key).unwrap().1.as_str()
        };
        assert_eq!((fact("quota"), fact("asker")), told);
        assert!(error.retry_after.is_some_and(|wait| wait > Duration::ZERO));
    }
}

#[test]
fn the_wait_is_until_the_oldest_leaves_and_then_one_more_is_let_in() {
    let mut world = World::new();
    let official = asker("H21", "motcua", "canbo");
    for number in 0..200_u64 {
        let ms = MORNING_MS + i64::try_from(number).unwrap() * SECOND_MS;
        world
            .ask(&ask(&official, number * 1_000, ms), UsageOutcome::Matched)
            .unwrap();
    }
    let now = MORNING_MS + 200 * SECOND_MS;
    let Err(Stop::Quota { wait, .. }) = world.begin(&ask(&official, 7, now)) else {
        panic!("the hour is full");
    };
    assert_eq!(wait, Duration::from_secs(3_400));
    let again = ask(&official, 3_000, now);
    assert!(
        world.ask(&again, UsageOutcome::Matched).is_ok(),
        "a citizen of today costs nothing"
    );
    let later = ask(&official, 7, now + 3_400 * SECOND_MS);
    assert!(world.ask(&later, UsageOutcome::Matched).is_ok());
}

#[test]
fn an_official_has_so_many_under_way_and_the_next_waits() {
    let mut quota = quota();
    quota.official_concurrent_max = 2;
    let mut guard = Guard::new(GuardConfig::default());
    let official = asker("H21", "motcua", "canbo");
    let question = |number: u64| ask(&official, number * 1_000, MORNING_MS);
    let begin = |guard: &mut Guard, number| guard.begin(&question(number), &quota, at(MORNING_MS));
    assert_eq!(begin(&mut guard, 1), Ok(Turn::Begun));
    assert_eq!(begin(&mut guard, 2), Ok(Turn::Begun));
    assert_eq!(begin(&mut guard, 3), Ok(Turn::Wait));
    guard.end(&question(1), UsageOutcome::Failed, at(MORNING_MS));
    assert_eq!(begin(&mut guard, 3), Ok(Turn::Begun));
}

#[test]
fn idle_askers_are_forgotten_and_officials_are_bounded() {
    let config = GuardConfig {
        officials_per_system_max: 50,
        ..GuardConfig::default()
    };
    let mut guard = Guard::new(config);
    let consider = |guard: &mut Guard, number: u64, ms: i64| {
        let asker = asker("H21", "motcua", &format!("canbo{number}"));
        let question = ask(&asker, number, ms);
        guard.consider(&question, &quota(), question.at)?;
        guard.begin(&question, &quota(), question.at)?;
        guard.end(&question, UsageOutcome::Matched, question.at);
        Ok::<_, Stop>(())
    };
    for number in 0..50 {
        consider(&mut guard, number, MORNING_MS).unwrap();
    }
    let stop = consider(&mut guard, 50, MORNING_MS).unwrap_err();
    assert!(
        matches!(
            stop,
            Stop::Quota {
                quota: "officials_per_day",
                ..
            }
        ),
        "{stop:?}"
    );
    assert!(consider(&mut guard, 49, MORNING_MS).is_ok());
    assert!(consider(&mut guard, 50, MORNING_MS + 25 * HOUR_MS).is_ok());
    let mut known = 0;
    guard.askers.visit(|_, _, _| known += 1);
    assert_eq!(known, 2, "the system and its one official");
}

#[test]
fn jobs_and_usage_lists_count_where_they_should() {
    let mut world = World::new();
    let official = asker("H21", "motcua", "canbo");
    for number in 0..2_000_u64 {
        let mut item = ask(&official, number, MORNING_MS);
        item.kind = UsageKind::Job;
        world
            .ask(&item, UsageOutcome::NotMatched)
            .expect("jobs have bounds of their own");
    }
    for _ in 0..4 {
        let mut item = ask(&official, 1, MORNING_MS);
        item.kind = UsageKind::Job;
        world.ask(&item, UsageOutcome::NotMatched).unwrap();
    }
    let locked = world.begin(&ask(&official, 1, MORNING_MS));
    assert!(
        matches!(locked, Err(Stop::SubjectLocked { .. })),
        "a job is no way around a lock"
    );
    for number in 0..1_000_u64 {
        let mut list = ask(
            &official,
            number,
            MORNING_MS + 30 * SECOND_MS * i64::try_from(number).unwrap(),
        );
        list.kind = UsageKind::ListUsage;
        world.ask(&list, UsageOutcome::Disclosed).unwrap();
    }
    let mut list = ask(&official, 5_000, MORNING_MS + 30_000 * SECOND_MS);
    list.kind = UsageKind::ListUsage;
    assert!(matches!(world.begin(&list), Err(Stop::Quota { .. })));
}
