use super::*;

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn situation(outcome: Outcome, counted: u32) -> Situation {
    Situation {
        outcome,
        counted,
        breaker_closed: true,
        now: now(),
        chance: 0.5,
    }
}

fn retry(after: Option<u64>) -> Outcome {
    let after = after.map(Duration::from_secs);
    Outcome::Retry {
        cause: RetryCause::Answer,
        after,
    }
}

fn seconds(next: Next) -> (f64, bool) {
    let Next::RetryAt { at, counted } = next else {
        panic!("{next:?}")
    };
    (at.duration_since(now()).as_secs_f64(), counted)
}

fn same(left: f64, right: f64) -> bool {
    (left - right).abs() < 1e-6
}

#[test]
fn the_schedule_runs_for_about_a_week_and_then_parks() {
    let config = Config::default();
    let mut total = 0.0;
    let mut delays = Vec::new();
    for counted in 0..21 {
        let (delay, counts) = seconds(decide(situation(retry(None), counted), &config));
        assert!(counts);
        delays.push(delay);
        total += delay;
    }
    let expected = [
        5., 30., 120., 600., 1_800., 3_600., 7_200., 14_400., 28_800.,
    ];
    assert_eq!(delays[..9], expected);
    assert!(delays[9..].iter().all(|delay| same(*delay, 43_200.)));
    assert!((6.0..8.0).contains(&(total / 86_400.)), "{total}");
    let end = decide(situation(retry(None), 21), &config);
    assert_eq!(end, Next::Park(ParkReason::Exhausted));
}

#[test]
fn every_outcome_against_every_count_and_breaker() {
    let config = Config::default();
    let outcomes = [
        Outcome::Delivered,
        Outcome::Advanced { step: 1 },
        retry(None),
        Outcome::Retry {
            cause: RetryCause::Transport,
            after: None,
        },
        Outcome::Overloaded { after: None },
        Outcome::Rejected,
    ];
    for outcome in outcomes {
        for counted in 0..40 {
            for breaker_closed in [true, false] {
                let next = decide(
                    Situation {
                        breaker_closed,
                        ..situation(outcome, counted)
                    },
                    &config,
                );
                match (outcome, next) {
                    (Outcome::Delivered, Next::Done)
                    | (Outcome::Rejected, Next::Park(ParkReason::Rejected)) => {}
                    (
                        Outcome::Advanced { .. } | Outcome::Overloaded { .. },
                        Next::RetryAt { counted, .. },
                    ) => {
                        assert!(!counted);
                    }
                    (
                        Outcome::Retry { .. },
                        Next::RetryAt {
                            counted: counts,
                            at,
                        },
                    ) => {
                        assert_eq!(counts, breaker_closed, "outages are not counted");
                        assert!(at > now());
                    }
                    (Outcome::Retry { .. }, Next::Park(ParkReason::Exhausted)) => {
                        assert!(breaker_closed && counted >= 21, "an outage parks nothing");
                    }
                    unexpected => panic!("{unexpected:?}"),
                }
            }
        }
    }
}

#[test]
fn jitter_stays_within_a_fifth_and_a_longer_retry_after_wins() {
    let config = Config::default();
    for (chance, expected) in [(0.0, 4.0), (0.5, 5.0), (1.0, 6.0)] {
        let (delay, _) = seconds(decide(
            Situation {
                chance,
                ..situation(retry(None), 0)
            },
            &config,
        ));
        assert!((delay - expected).abs() < 1e-6, "{delay}");
    }
    // No destination may put a dossier off for ever: a day at most.
    for (asked, expected) in [(90, 90.0), (1, 5.0), (u64::MAX, 86_400.0)] {
        let (delay, _) = seconds(decide(situation(retry(Some(asked)), 0), &config));
        assert!(same(delay, expected), "{asked}: {delay}");
    }
}

#[test]
fn a_rejected_dossier_is_no_sign_of_illness() {
    assert_eq!(health(Outcome::Rejected), Health::Good);
    assert_eq!(health(Outcome::Overloaded { after: None }), Health::Failing);
    assert_eq!(health(retry(None)), Health::Failing);
    let silent = Outcome::Retry {
        cause: RetryCause::Transport,
        after: None,
    };
    assert_eq!(health(silent), Health::Unanswered);
}
