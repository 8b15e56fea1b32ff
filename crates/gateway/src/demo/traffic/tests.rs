use std::collections::{BTreeSet, HashMap};

use lienthong_domain::participant::ParticipantId;
use lienthong_domain::timeline::{Head, TransitionPolicy, Verdict, judge};
use lienthong_domain::{DossierDetails, DossierStatus};

use super::*;

fn now() -> Timestamp {
    "2025-11-03T02:00:00Z".parse().unwrap()
}

fn province(code: &str) -> &'static Province {
    Province::by_code(code).unwrap()
}

#[derive(Default)]
struct Seen {
    head: Option<Head>,
    details: Option<DossierDetails>,
}

/// Judges an event as the gateway would; whether it was late.
fn accept(seen: &mut Seen, event: &StatusEvent) -> bool {
    assert!(event.faults(now()).is_empty(), "{:?}", event.faults(now()));
    let verdict = judge(
        seen.head.as_ref(),
        seen.details.as_ref(),
        event,
        TransitionPolicy::Refuse,
        now(),
    );
    let Verdict::Accept { late, details, .. } = verdict else {
        panic!("{event:?}: {verdict:?}");
    };
    if let Some(details) = details {
        seen.details = Some(*details);
    }
    if !late {
        seen.head = Some(Head {
            status: event.status,
            occurred_at: event.occurred_at,
            source_sequence: event.source_sequence,
        });
    }
    late
}

#[test]
fn every_event_is_accepted_by_the_rules_and_everything_occurs() {
    for code in ["H21", "H56", "H29"] {
        let mut traffic = Traffic::new(province(code), 42, 50);
        let participant = ParticipantId::parse(code).unwrap();
        let mut dossiers: HashMap<DossierCode, Seen> = HashMap::new();
        let mut statuses = BTreeSet::new();
        let mut roots = BTreeSet::new();
        let (mut late, mut ended) = (0, 0);
        for _ in 0..4_000 {
            let Move { slot, event } = traffic.next(now()).unwrap();
            assert!(
                participant.covers(event.dossier.agency()),
                "{:?}",
                event.dossier
            );
            assert!(
                event.progress.is_some(),
                "the ledger waits for a progress line"
            );
            let seen = dossiers.entry(event.dossier.clone()).or_default();
            late += u32::from(accept(seen, &event));
            statuses.insert(event.status);
            roots.insert(event.dossier.agency().root());
            if traffic.taken(slot) {
                ended += 1;
                assert!(
                    seen.head
                        .as_ref()
                        .is_some_and(|head| head.status.is_terminal())
                );
            }
        }
        assert_eq!(statuses.len(), DossierStatus::ALL.len(), "{code}");
        assert_eq!(roots.len(), 1 + province(code).absorbed().count(), "{code}");
        assert!(
            late > 5 && ended > 500,
            "{code}: {late} late, {ended} ended"
        );
    }
}

#[test]
fn open_dossiers_are_bounded_and_an_unanswered_event_blocks_its_dossier() {
    let mut traffic = Traffic::new(province("H56"), 7, 3);
    let mut codes = BTreeSet::new();
    let moves: Vec<_> = (0..3).map(|_| traffic.next(now()).unwrap()).collect();
    codes.extend(moves.iter().map(|next| next.event.dossier.clone()));
    assert_eq!(codes.len(), 3);
    assert!(traffic.next(now()).is_none());
    traffic.taken(moves[1].slot);
    assert!(traffic.next(now()).is_some());
    assert!(traffic.next(now()).is_none());
    traffic.given_up(moves[0].slot);
    assert!(!codes.contains(&traffic.next(now()).unwrap().event.dossier));
}

#[test]
fn a_seed_decides_everything_and_provinces_differ() {
    let draw = |code, seed| {
        let mut traffic = Traffic::new(province(code), seed, 20);
        let draws = (0..100).map(|_| {
            let next = traffic.next(now()).unwrap();
            traffic.taken(next.slot);
            next.event
        });
        draws.collect::<Vec<_>>()
    };
    assert_eq!(draw("H21", 5), draw("H21", 5));
    assert_ne!(draw("H21", 5), draw("H21", 6));
    let dossiers = |events: Vec<StatusEvent>| {
        events
            .into_iter()
            .map(|event| event.dossier)
            .collect::<BTreeSet<_>>()
    };
    assert!(dossiers(draw("H21", 5)).is_disjoint(&dossiers(draw("H56", 5))));
}

#[test]
fn a_dossier_gets_a_code_of_its_own_day() {
    let mut traffic = Traffic::new(province("H21"), 5, 2_000);
    let mut codes = BTreeSet::new();
    for _ in 0..2_000 {
        let event = traffic.next(now()).unwrap().event;
        let zone = TimeZone::fixed(lienthong_domain::time::OFFSET);
        assert_eq!(
            event.dossier.intake_date(),
            event.occurred_at.to_zoned(zone).date()
        );
        assert!(codes.insert(event.dossier));
    }
}
