use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_760_000_000 + second).unwrap()
}

fn flow(day: Date, root: &str, accepted: u64, delivered: u64) -> DayFlow {
    let mut delays = DelayHistogram::default();
    delays.add(10, delivered);
    DayFlow {
        day,
        destination: DestinationName::parse("dvcqg").unwrap(),
        root: root.to_owned(),
        accepted,
        delivered,
        parked: 0,
        retried: 0,
        given_up: 0,
        delays,
    }
}

fn look(second: i64, flows: Vec<DayFlow>) -> Look {
    Look {
        at: at(second),
        totals: totals(flows),
    }
}

const TODAY: Date = date(2026, 11, 22);
const TOMORROW: Date = date(2026, 11, 23);

#[test]
fn rates_are_differences_over_the_time_between() {
    let earlier = look(
        0,
        vec![flow(TODAY, "H21", 100, 90), flow(TODAY, "H56", 5, 5)],
    );
    let now = totals(vec![
        flow(TODAY, "H21", 130, 150),
        flow(TODAY, "H56", 5, 5),
        // The first of its province today.
        flow(TODAY, "H01", 2, 0),
    ]);
    let found = growths(&now, &earlier, Duration::from_secs(30));
    let portal = DestinationName::parse("dvcqg").unwrap();
    let whole = &found.destinations[&portal];
    assert_eq!((whole.accepted, whole.delivered), (32, 60));
    assert!((whole.per_minute(whole.accepted) - 64.0).abs() < 1e-9);
    assert_eq!(whole.delays.total(), 60);
    let province = &found.provinces[&(portal, "H01".to_owned())];
    assert!((province.per_minute(province.accepted) - 4.0).abs() < 1e-9);
}

#[test]
fn a_day_that_begins_between_two_looks_starts_from_nothing() {
    let earlier = look(0, vec![flow(TODAY, "H21", 100, 100)]);
    // A minute later it is past midnight; the day before is still looked at.
    let now = totals(vec![
        flow(TODAY, "H21", 104, 103),
        flow(TOMORROW, "H21", 6, 2),
    ]);
    let found = growths(&now, &earlier, Duration::from_mins(1));
    let whole = found.destinations.values().next().unwrap();
    assert_eq!((whole.accepted, whole.delivered), (10, 5));
}

#[test]
fn the_time_to_drain_needs_a_queue_that_shrinks() {
    assert_eq!(drained_in(600, 60.0), Some(Duration::from_mins(10)));
    assert_eq!(drained_in(0, 60.0), None);
    assert_eq!(drained_in(600, 0.0), None);
    assert_eq!(drained_in(600, -3.0), None);
    assert_eq!(drained_in(u64::MAX, 0.000_001), None);
}

#[test]
fn provinces_are_those_with_traffic_today_or_something_waiting() {
    let waiting = |root: &str| OldestWaiting {
        destination: DestinationName::parse("dvcqg").unwrap(),
        root: root.to_owned(),
        dossier: lienthong_domain::DossierCode::parse("H21.17-240823-0001").unwrap(),
        accepted_at: at(0),
    };
    let totals = totals(vec![
        flow(TODAY, "H21", 3, 2),
        flow(TODAY.yesterday().unwrap(), "H56", 9, 9),
    ]);
    let oldest = vec![waiting("H21"), waiting("H01")];
    let found = province_flows(TODAY, &totals, oldest, &Growths::default());
    let told = found.iter().map(|flow| {
        (
            flow.root.as_str(),
            flow.accepted_today,
            flow.oldest.is_some(),
        )
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [("H01", 0, true), ("H21", 3, true)]
    );
}

#[test]
fn parked_deliveries_are_those_of_their_state() {
    let mut by_state = [1; 8];
    by_state[usize::from(DeliveryState::Parked.code())] = 5;
    let counts = Counts {
        destination: DestinationName::parse("dvcqg").unwrap(),
        by_state,
        oldest_waiting_since: None,
        oldest_waiting: None,
    };
    assert_eq!(parked_of(&counts), 5);
}

/// As many are parked as before, but others: only their age says that the groups are stale.
#[test]
fn groups_are_kept_while_they_are_young() {
    let group = ParkedGroup {
        destination: DestinationName::parse("dvcqg").unwrap(),
        root: "H21".into(),
        reason: lienthong_domain::delivery::ParkReason::Exhausted,
        code: "-1".into(),
        deliveries: 3,
        oldest_parked_at: at(0),
        newest_parked_at: at(0),
    };
    let seconds = i64::try_from(GROUPS_INTERVAL.as_secs()).unwrap();
    let mut looks = Looks::default();
    assert_eq!(looks.groups_kept(3, at(0)), None, "none were asked for yet");
    looks.groups = Some(Groups {
        at: at(0),
        found: vec![group.clone()],
    });
    for parked in [3, 4] {
        let kept = looks.groups_kept(parked, at(seconds - 1));
        assert_eq!(kept, Some(vec![group.clone()]));
        assert_eq!(looks.groups_kept(parked, at(seconds)), None);
        assert_eq!(looks.groups_kept(parked, at(-1)), None, "the clock jumped");
    }
    assert_eq!(looks.groups_kept(0, at(1)), Some(Vec::new()));
    assert_eq!(
        looks.groups_kept(3, at(2)),
        None,
        "those of before are gone"
    );
}

proptest! {
    /// However counts moved, a rate is never negative nor absurd.
    #[test]
    fn growth_is_never_negative(before in 0_u64..1_000, after in 0_u64..1_000, seconds in 1_u64..120) {
        let earlier = look(0, vec![flow(TODAY, "H21", before, 0)]);
        let now = totals(vec![flow(TODAY, "H21", after, 0)]);
        let found = growths(&now, &earlier, Duration::from_secs(seconds));
        let whole = found.destinations.values().next().unwrap();
        prop_assert_eq!(whole.accepted, after.saturating_sub(before));
        let rate = whole.per_minute(whole.accepted);
        prop_assert!((0.0..=60_000.0).contains(&rate));
    }
}
