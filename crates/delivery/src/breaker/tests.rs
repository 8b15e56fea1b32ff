use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn breaker() -> Breaker {
    Breaker::new(Config::default(), BreakerRecord::default())
}

fn opened() -> Breaker {
    let mut breaker = breaker();
    for _ in 0..10 {
        breaker.record_call(Health::Unanswered, at(0));
    }
    breaker
}

#[test]
fn ten_calls_without_answer_in_a_row_open_it() {
    let mut breaker = breaker();
    for _ in 0..9 {
        assert!(!breaker.record_call(Health::Unanswered, at(0)));
    }
    // One answer in between starts the count again.
    assert!(!breaker.record_call(Health::Good, at(0)));
    for _ in 0..8 {
        breaker.record_call(Health::Unanswered, at(1));
    }
    assert!(breaker.is_closed());
    assert!(opened().permit(at(1)) == Permit::Wait(at(30)));
}

#[test]
fn half_of_twenty_calls_failed_opens_it_but_nineteen_calls_say_nothing() {
    let mut breaker = breaker();
    for call in 0..19 {
        breaker.record_call(
            if call < 10 {
                Health::Failing
            } else {
                Health::Good
            },
            at(0),
        );
        assert!(breaker.is_closed());
    }
    assert!(breaker.record_call(Health::Good, at(0)), "10 of 20 failed");
    assert_eq!(breaker.name(), "open");
}

#[test]
fn failures_older_than_the_window_are_forgotten() {
    let mut breaker = breaker();
    for _ in 0..19 {
        breaker.record_call(Health::Failing, at(0));
    }
    assert!(!breaker.record_call(Health::Failing, at(61)));
    assert!(breaker.is_closed());
}

#[test]
fn it_probes_with_1_then_5_then_25_and_closes() {
    let mut breaker = opened();
    assert_eq!(breaker.permit(at(29)), Permit::Wait(at(30)));
    for stage in [1, 5, 25] {
        assert_eq!(breaker.permit(at(30)), Permit::Probe(stage));
        assert!(
            !breaker.is_closed(),
            "attempts do not count while it probes"
        );
        for _ in 0..stage {
            breaker.record_call(Health::Good, at(31));
        }
    }
    assert_eq!(breaker.permit(at(32)), Permit::Free);
    assert_eq!(breaker.record(at(32)), BreakerRecord::default());
}

#[test]
fn each_failed_probe_doubles_the_wait_up_to_ten_minutes() {
    let mut breaker = opened();
    let mut now = at(0);
    for expected in [30, 60, 120, 240, 480, 600, 600] {
        let Permit::Wait(until) = breaker.permit(now) else {
            panic!("open")
        };
        assert_eq!(until, now + Duration::from_secs(expected));
        now = until;
        assert_eq!(breaker.permit(now), Permit::Probe(1));
        assert!(breaker.record_call(Health::Failing, now));
    }
}

#[test]
fn calls_that_end_after_it_opened_change_nothing() {
    let mut breaker = opened();
    let before = breaker.record(at(1));
    assert!(!breaker.record_call(Health::Good, at(1)));
    assert!(!breaker.record_call(Health::Unanswered, at(1)));
    assert_eq!(breaker.record(at(1)), before);
}

#[test]
fn a_restart_keeps_it_open_and_probing_starts_over() {
    let mut open = opened();
    let mut restarted = Breaker::new(Config::default(), open.record(at(5)));
    assert_eq!(restarted.permit(at(5)), Permit::Wait(at(30)));
    open.permit(at(40));
    let mut probing = Breaker::new(Config::default(), open.record(at(41)));
    assert_eq!(probing.permit(at(41)), Permit::Probe(1));
    // The memory of earlier openings survives too.
    probing.record_call(Health::Failing, at(41));
    assert_eq!(probing.permit(at(41)), Permit::Wait(at(41 + 60)));
}
