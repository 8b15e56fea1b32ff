use super::*;

const CODE: &str = "H21.17-250701-0001";
const ACCEPTED_MS: i64 = 1_000;
const TOOK_MS: i64 = 250_000;

fn id(number: u8) -> EventId {
    EventId::from_bytes([number; 16])
}

fn receipt(number: u8, late: bool) -> Acknowledged<'static> {
    Acknowledged {
        dossier: CODE,
        event: id(number),
        sequence: number.into(),
        accepted_at_ms: ACCEPTED_MS,
        late,
    }
}

fn call(service: Service, number: u8) -> Entry {
    Entry {
        at_ms: ACCEPTED_MS + TOOK_MS,
        call: 1,
        service,
        dossier: CODE.into(),
        status: 2,
        occurred: None,
        key: Some(id(number).to_string().into()),
        sequence: Some(number.into()),
        body_hash: BodyHash([number; 32]),
        applied: true,
        refusal: None,
        trace: None,
    }
}

fn sync(number: u8) -> Entry {
    call(Service::SyncDossier, number)
}

fn line(number: u8) -> Entry {
    call(Service::UpdateProgress, number)
}

/// A ledger with these events acknowledged and these calls recorded.
fn ledger(receipts: &[Acknowledged<'_>], calls: &[Entry]) -> Ledger {
    let mut ledger = Ledger::new();
    ledger.offered(CODE);
    for receipt in receipts {
        ledger.acknowledged(*receipt);
    }
    for call in calls {
        ledger.recorded(call);
    }
    ledger
}

fn lost(ledger: &Ledger) -> u64 {
    ledger.rest(&HashMap::new()).lost
}

#[test]
fn an_event_has_arrived_with_its_dossier_and_its_line() {
    let both = ledger(&[receipt(1, false)], &[sync(1), line(1)]);
    let expected = Tally {
        accepted: 1,
        delivered: 1,
        ..Tally::default()
    };
    assert_eq!(both.tally(), expected);
    assert_eq!(lost(&both), 0);
    let took_ms = both.end_to_end_ms().max();
    assert!((249_000..=251_000).contains(&took_ms), "{took_ms}");
    assert_eq!(both.open_dossiers().count(), 0);

    let half = ledger(&[receipt(1, false)], &[sync(1)]);
    assert_eq!((half.tally().delivered, lost(&half)), (0, 1));
    assert_eq!(half.open_dossiers().collect::<Vec<_>>(), [CODE]);
}

#[test]
fn a_loss_is_found_and_parked_or_waiting_is_none() {
    let ledger = ledger(
        &[receipt(1, false), receipt(2, false), receipt(3, false)],
        &[],
    );
    let standings = HashMap::from([(id(1), Standing::Parked), (id(2), Standing::Waiting)]);
    let expected = Rest {
        parked: 1,
        waiting: 1,
        lost: 1,
        unacknowledged: 0,
    };
    assert_eq!(ledger.rest(&standings), expected);
}

#[test]
fn a_reversed_order_is_found() {
    let receipts = [receipt(1, false), receipt(2, false)];
    let right = ledger(&receipts, &[sync(1), line(1), sync(2), line(2)]);
    assert_eq!(right.tally().out_of_order, 0);
    let swapped = ledger(&receipts, &[sync(2), line(2), sync(1), line(1)]);
    assert_eq!(swapped.tally().out_of_order, 2);
    let interleaved = ledger(&receipts, &[sync(1), sync(2), line(1), line(2)]);
    assert_eq!(interleaved.tally().out_of_order, 1);
    let line_first = ledger(&receipts, &[line(1), sync(1), sync(2), line(2)]);
    assert_eq!(line_first.tally().out_of_order, 1);
}

#[test]
fn a_repetition_after_a_later_event_is_both_a_duplicate_and_out_of_order() {
    let receipts = [receipt(1, false), receipt(2, false)];
    let ledger = ledger(&receipts, &[sync(1), line(1), sync(2), line(2), sync(1)]);
    let tally = ledger.tally();
    assert_eq!(
        (tally.duplicates, tally.out_of_order, tally.delivered),
        (1, 1, 2)
    );
}

#[test]
fn repetitions_are_found_and_compared() {
    let other = Entry {
        body_hash: BodyHash([9; 32]),
        ..line(1)
    };
    let ledger = ledger(&[receipt(1, false)], &[sync(1), sync(1), line(1), other]);
    let tally = ledger.tally();
    assert_eq!((tally.duplicates, tally.conflicting_duplicates), (2, 1));
    assert_eq!((tally.delivered, tally.out_of_order), (1, 0));
}

#[test]
fn a_late_event_needs_its_line_only_and_must_not_move_the_dossier() {
    let good = ledger(&[receipt(1, true)], &[line(1)]);
    assert_eq!(
        (good.tally().delivered, good.tally().late, lost(&good)),
        (1, 1, 0)
    );
    let moved = ledger(&[receipt(1, true)], &[sync(1), line(1)]);
    assert_eq!(moved.tally().out_of_order, 1);
    let mut known_later = ledger(&[], &[sync(1), line(1)]);
    known_later.acknowledged(receipt(1, true));
    assert_eq!(known_later.tally().out_of_order, 1);
}

#[test]
fn refused_calls_are_no_arrival() {
    let refused = Entry {
        applied: false,
        ..sync(1)
    };
    let ledger = ledger(&[receipt(1, false)], &[refused, line(1)]);
    assert_eq!((ledger.tally().delivered, lost(&ledger)), (0, 1));
}

#[test]
fn calls_that_name_no_event_or_another_place_are_told() {
    let nameless = Entry {
        key: None,
        ..sync(1)
    };
    let misplaced = Entry {
        sequence: Some(7),
        ..sync(1)
    };
    assert_eq!(
        ledger(&[receipt(1, false)], &[nameless]).tally().unmatched,
        1
    );
    assert_eq!(
        ledger(&[receipt(1, false)], std::slice::from_ref(&misplaced))
            .tally()
            .unmatched,
        1
    );
    let mut receipt_last = ledger(&[], &[misplaced]);
    receipt_last.acknowledged(receipt(1, false));
    assert_eq!(receipt_last.tally().unmatched, 1);
}

#[test]
fn an_arrival_without_an_answer_is_told_and_a_second_receipt_changes_nothing() {
    let mut ledger = ledger(&[], &[sync(1), line(1)]);
    assert_eq!(ledger.rest(&HashMap::new()).unacknowledged, 1);
    ledger.acknowledged(receipt(1, false));
    ledger.acknowledged(receipt(1, false));
    assert_eq!((ledger.tally().accepted, ledger.tally().delivered), (1, 1));
    assert_eq!(ledger.rest(&HashMap::new()), Rest::default());
}

#[test]
fn memory_is_bounded_and_a_call_for_a_forgotten_dossier_is_a_repetition() {
    let mut ledger = Ledger::keeping(10);
    for number in 0..1_000 {
        let code = format!("H21.17-250701-{number:04}");
        ledger.offered(&code);
        ledger.acknowledged(Acknowledged {
            dossier: &code,
            ..receipt(1, false)
        });
        for call in [sync(1), line(1)] {
            ledger.recorded(&Entry {
                dossier: code.as_str().into(),
                ..call
            });
        }
        ledger.closed(&code);
    }
    assert_eq!(ledger.dossiers.len(), 10);
    assert_eq!(ledger.tally().delivered, 1_000);
    ledger.recorded(&Entry {
        dossier: "H21.17-250701-0000".into(),
        ..sync(1)
    });
    assert_eq!(ledger.tally().duplicates, 1);
}

/// Receipts may come before, between or after the calls: the sums are the same. Every placing of three
/// receipts among six calls, with every call missing once.
#[test]
fn the_order_of_news_about_an_event_does_not_matter() {
    const EVENTS: usize = 3;
    let calls: Vec<_> = (1..)
        .take(EVENTS)
        .flat_map(|number| [sync(number), line(number)])
        .collect();
    let places = calls.len() + 1;
    for placing in 0..places.pow(3) {
        let place_of = [
            placing % places,
            placing / places % places,
            placing / places / places,
        ];
        for dropped in 0..places {
            let mut ledger = Ledger::new();
            ledger.offered(CODE);
            for index in 0..places {
                for (number, _) in (1..).zip(place_of).filter(|(_, place)| *place == index) {
                    ledger.acknowledged(receipt(number, false));
                }
                if let Some(call) = calls.get(index).filter(|_| index != dropped) {
                    ledger.recorded(call);
                }
            }
            let lost_count = u64::from(dropped < calls.len());
            let found = (
                lost(&ledger),
                ledger.tally().delivered,
                ledger.tally().out_of_order,
            );
            assert_eq!(
                found,
                (lost_count, 3 - lost_count, 0),
                "{place_of:?}, without {dropped}"
            );
        }
    }
}
