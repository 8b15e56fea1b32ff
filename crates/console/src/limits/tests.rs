use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn address(number: u32) -> IpAddr {
    IpAddr::V4((0x0a00_0000 + number).into())
}

fn use_up(limits: &Limits, keys: &[Key]) {
    let tried = (0..100).filter(|_| limits.take(keys, at(0)).is_ok());
    assert_eq!(tried.count(), 5);
}

#[test]
fn the_sixth_try_waits_and_says_how_long() {
    let limits = Limits::default();
    let lan = limits.at_the_door("lan", address(1));
    for _ in 0..5 {
        assert_eq!(limits.take(&lan, at(0)), Ok(()));
    }
    let refused = limits.take(&lan, at(2)).unwrap_err();
    assert_eq!(refused.wait, Duration::from_secs(10));
    assert!(refused.is_first);
    assert!(!limits.take(&lan, at(2)).unwrap_err().is_first);
    let hoa = limits.at_the_door("hoa", address(1));
    assert_eq!(limits.take(&hoa, at(2)), Ok(()));
    assert_eq!(limits.take(&lan, at(12)), Ok(()));
    assert!(limits.take(&lan, at(12)).is_err());
}

#[test]
fn right_passwords_use_nothing_up() {
    let limits = Limits::default();
    let lan = limits.at_the_door("lan", address(1));
    for _ in 0..100 {
        assert_eq!(limits.take(&lan, at(0)), Ok(()));
        limits.give_back(&lan);
    }
}

#[test]
fn one_guesser_keeps_nobody_outside_elsewhere_and_thirty_a_minute_is_all_of_them_together() {
    let limits = Limits::default();
    let from = |number| limits.at_the_door("lan", address(number));
    use_up(&limits, &from(1));
    assert_eq!(
        limits.take(&from(2), at(0)),
        Ok(()),
        "the person whose name it is"
    );
    let tries = (3..100).filter(|number| limits.take(&from(*number), at(0)).is_ok());
    assert_eq!(tries.count(), 30 - 5 - 1);
    assert_eq!(limits.take(&from(100), at(2)), Ok(()));
    assert!(limits.take(&from(101), at(2)).is_err());
}

#[test]
fn one_address_tries_twenty_names_a_minute() {
    let limits = Limits::default();
    let tried = (0..100).filter(|number| {
        let keys = limits.at_the_door(&format!("nguoi-{number}"), address(1));
        limits.take(&keys, at(0)).is_ok()
    });
    assert_eq!(tried.count(), 20);
}

#[test]
fn a_session_is_unlocked_whoever_else_guesses() {
    let limits = Limits::default();
    let session = [Key::session(&Secret::draw())];
    let tried = (0..100).filter(|number| {
        let keys = limits.at_the_door("lan", address(*number));
        limits.take(&keys, at(0)).is_ok()
    });
    assert_eq!(tried.count(), 30);
    for _ in 0..5 {
        assert_eq!(limits.take(&session, at(0)), Ok(()));
    }
    assert!(limits.take(&session, at(0)).is_err());
    assert_eq!(limits.take(&[Key::session(&Secret::draw())], at(0)), Ok(()));
}

#[test]
fn a_refusal_for_one_key_takes_nothing_of_the_others() {
    let limits = Limits::default();
    let lan = limits.at_the_door("lan", address(1));
    use_up(&limits, &lan);
    for number in 0..15 {
        let other = limits.at_the_door(&format!("nguoi-{number}"), address(1));
        assert_eq!(limits.take(&other, at(0)), Ok(()), "{number}");
    }
}

#[test]
fn neighbours_in_one_ipv6_network_are_one() {
    let key = |text: &str| Key::callback(text.parse().unwrap());
    assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
    assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
    assert_eq!(key("::ffff:10.0.0.5"), key("10.0.0.5"));
    assert_ne!(key("10.0.0.5"), key("10.0.0.6"));
}

#[test]
fn names_are_hashed_with_a_secret_of_this_process() {
    let (one, other) = (Limits::default(), Limits::default());
    let keys = |limits: &Limits| limits.at_the_door("lan", address(1));
    assert_eq!(keys(&one), keys(&one));
    assert_ne!(keys(&one)[1], keys(&other)[1]);
    assert_eq!(keys(&one)[2], keys(&other)[2]);
}

#[test]
fn memory_has_a_bound_and_old_names_make_room() {
    let limits = Limits::default();
    let new = [Key::session(&Secret::draw())];
    for _ in 0..KEYS_MAX {
        let key = [Key::session(&Secret::draw())];
        limits.take(&key, at(0)).unwrap();
    }
    assert!(limits.take(&new, at(0)).is_err());
    assert_eq!(limits.take(&new, at(13)), Ok(()));
    assert!(limits.buckets.lock().unwrap().len() < 10);
}
