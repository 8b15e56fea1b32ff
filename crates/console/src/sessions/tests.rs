use super::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
}

fn lan() -> Who {
    Who::Account {
        name: "lan".to_owned(),
        stamp: SecretHash::of(b"hash"),
    }
}

fn is_open(sessions: &Sessions, id: &Secret, minute: i64) -> bool {
    matches!(sessions.see(id, false, at(minute)), Standing::Open(_))
}

#[test]
fn a_session_is_locked_when_nothing_is_done_and_stays_locked() {
    let sessions = Sessions::default();
    let id = sessions.open(lan(), None, at(0));
    assert!(is_open(&sessions, &id, 14));
    assert!(is_open(&sessions, &id, 28));
    assert!(matches!(
        sessions.see(&id, false, at(43)),
        Standing::Locked(_)
    ));
    assert!(matches!(
        sessions.see(&id, false, at(43)),
        Standing::Locked(_)
    ));
}

#[test]
fn live_figures_keep_nobody_signed_in() {
    let sessions = Sessions::default();
    let id = sessions.open(lan(), None, at(0));
    for minute in 1..15 {
        assert!(matches!(
            sessions.see(&id, true, at(minute)),
            Standing::Open(_)
        ));
    }
    assert!(matches!(
        sessions.see(&id, true, at(15)),
        Standing::Locked(_)
    ));
}

#[test]
fn a_session_ends_after_its_life_whatever_is_done() {
    let sessions = Sessions::default();
    let id = sessions.open(lan(), None, at(0));
    for minute in (0..480).step_by(10) {
        assert!(is_open(&sessions, &id, minute), "{minute}");
    }
    assert!(matches!(sessions.see(&id, false, at(480)), Standing::None));
    assert!(matches!(sessions.see(&id, false, at(0)), Standing::None));
}

#[test]
fn a_sign_in_ends_the_session_that_the_browser_had() {
    let sessions = Sessions::default();
    let former = sessions.open(lan(), None, at(0));
    let id = sessions.open(lan(), Some(&former), at(1));
    assert!(!is_open(&sessions, &former, 1));
    assert!(is_open(&sessions, &id, 1));
    assert!(sessions.end(&id).is_some());
    assert!(!is_open(&sessions, &id, 1));
}

#[test]
fn the_session_idle_longest_makes_room() {
    let sessions = Sessions::default();
    let first = sessions.open(lan(), None, at(0));
    let second = sessions.open(lan(), None, at(0));
    for _ in 2..SESSIONS_MAX {
        sessions.open(lan(), None, at(0));
    }
    assert!(is_open(&sessions, &first, 1));
    assert!(is_open(&sessions, &second, 2));
    for _ in 0..SESSIONS_MAX - 2 {
        sessions.open(lan(), None, at(3));
    }
    assert!(is_open(&sessions, &first, 4) && is_open(&sessions, &second, 4));
    sessions.open(lan(), None, at(5));
    assert_eq!(sessions.lock().len(), SESSIONS_MAX);
}
