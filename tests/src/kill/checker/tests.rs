use super::*;

const DOSSIER: &str = "H21.17-260801-0001";

fn offer(place: usize) -> Offer {
    let status = u8::try_from(place).unwrap();
    Offer {
        status,
        occurred: format!("2026080110{place:02}00").parse().unwrap(),
    }
}

fn receipt(place: usize) -> Receipt {
    Receipt {
        event_id: format!("event-{place}"),
        dossier: DOSSIER.to_owned(),
        sequence: i64::try_from(place).unwrap(),
        accepted_at: (1_790_000_000, 0),
        late: false,
    }
}

fn entry(place: usize, service: Service) -> Entry {
    let part = u8::from(service == Service::UpdateProgress);
    Entry {
        at_ms: 0,
        call: 1,
        service,
        dossier: DOSSIER.into(),
        status: offer(place).status,
        occurred: (part == 1).then(|| offer(place).occurred),
        key: Some(receipt(place).event_id.into()),
        sequence: Some(place as u64),
        body_hash: BodyHash([u8::try_from(place).unwrap() * 2 + part; 32]),
        applied: true,
        refusal: None,
        trace: None,
    }
}

/// Three events, offered and acknowledged.
fn three() -> Checker {
    let mut checker = Checker::default();
    for place in 1..=3 {
        checker.offered(DOSSIER, offer(place));
        checker.acknowledged(DOSSIER, place, &receipt(place));
    }
    checker
}

/// Both calls of three events in their order.
fn six_calls() -> Vec<Entry> {
    let calls = |place| {
        [
            entry(place, Service::SyncDossier),
            entry(place, Service::UpdateProgress),
        ]
    };
    (1..=3).flat_map(calls).collect()
}

fn check(calls: &[Entry]) -> Checker {
    let mut checker = three();
    for call in calls {
        checker.recorded(call);
    }
    checker
}

#[test]
fn a_good_record_has_no_fault() {
    let checker = check(&six_calls());
    let expected = Tally {
        acknowledged: 3,
        delivered: 3,
        applied: 6,
        ..Tally::default()
    };
    assert_eq!(checker.tally(), expected);
    assert_eq!(checker.missing().count(), 0);
    assert!(checker.faults().is_empty());
}

#[test]
fn each_lost_call_is_a_lost_event() {
    for lost in 4..6 {
        let mut calls = six_calls();
        calls.remove(lost);
        let checker = check(&calls);
        assert_eq!(
            checker.missing().collect::<Vec<_>>(),
            [(DOSSIER, 3)],
            "call {lost}"
        );
        assert_eq!(checker.tally().delivered, 2);
    }
}

#[test]
fn a_gap_is_out_of_order_even_when_it_is_filled_later() {
    let mut calls = six_calls();
    let skipped = calls.remove(2);
    calls.push(skipped);
    let checker = check(&calls);
    assert_eq!(checker.missing().count(), 0);
    assert_eq!(checker.tally().out_of_order, 2, "{:?}", checker.faults());
}

#[test]
fn every_swap_of_two_calls_is_out_of_order() {
    for first in 0..5 {
        for second in first + 1..6 {
            let mut calls = six_calls();
            calls.swap(first, second);
            assert!(
                check(&calls).tally().out_of_order > 0,
                "{first} and {second}"
            );
        }
    }
}

#[test]
fn equal_repetitions_are_counted_and_unequal_ones_are_faults() {
    let mut calls = six_calls();
    calls.insert(1, calls[0].clone());
    calls.push(calls[0].clone());
    let tally = check(&calls).tally();
    assert_eq!(
        (tally.duplicates, tally.stale_duplicates, tally.unequal),
        (2, 1, 0)
    );
    assert_eq!((tally.out_of_order, tally.delivered), (0, 3));

    let mut other = entry(2, Service::SyncDossier);
    other.body_hash = BodyHash([99; 32]);
    calls.push(other);
    let tally = check(&calls).tally();
    assert_eq!((tally.duplicates, tally.unequal), (2, 1));
}

#[test]
fn what_nobody_offered_is_invented() {
    let good = entry(3, Service::UpdateProgress);
    let time = |text: &str| Some(text.parse().unwrap());
    let invented = [
        Entry {
            dossier: "H21.17-260801-0002".into(),
            ..good.clone()
        },
        Entry {
            sequence: Some(4),
            ..good.clone()
        },
        Entry {
            sequence: Some(0),
            ..good.clone()
        },
        Entry {
            sequence: None,
            ..good.clone()
        },
        Entry {
            sequence: Some(2),
            ..good.clone()
        },
        Entry {
            key: None,
            ..good.clone()
        },
        Entry {
            key: Some("event-1".into()),
            ..good.clone()
        },
        Entry {
            status: 9,
            ..good.clone()
        },
        Entry {
            occurred: time("20260801100301"),
            ..good.clone()
        },
        Entry {
            occurred: None,
            ..good.clone()
        },
        Entry {
            service: Service::FindDossier,
            ..good
        },
    ];
    for call in invented {
        let mut calls = six_calls();
        calls.push(call.clone());
        assert_eq!(check(&calls).tally().invented, 1, "{call:?}");
    }
}

#[test]
fn a_delivery_before_the_receipt_counts_and_binds_the_receipt() {
    let mut checker = Checker::default();
    checker.offered(DOSSIER, offer(1));
    checker.recorded(&entry(1, Service::SyncDossier));
    checker.recorded(&entry(1, Service::UpdateProgress));
    assert_eq!(checker.tally().delivered, 0);
    let other = Receipt {
        event_id: "event-9".to_owned(),
        ..receipt(1)
    };
    checker.acknowledged(DOSSIER, 1, &other);
    assert_eq!(checker.tally().delivered, 1);
    assert_eq!(checker.tally().contradictory_receipts, 1);
}

#[test]
fn receipts_of_one_key_are_equal() {
    let mut checker = three();
    checker.acknowledged(DOSSIER, 2, &receipt(2));
    assert_eq!(checker.tally().contradictory_receipts, 0);
    let wrong = [
        Receipt {
            event_id: "event-9".to_owned(),
            ..receipt(2)
        },
        Receipt {
            sequence: 3,
            ..receipt(2)
        },
        Receipt {
            accepted_at: (1_790_000_000, 1),
            ..receipt(2)
        },
        Receipt {
            late: true,
            ..receipt(2)
        },
        Receipt {
            dossier: "H21.17-260801-0009".to_owned(),
            ..receipt(2)
        },
    ];
    for (count, receipt) in (1..).zip(wrong) {
        checker.acknowledged(DOSSIER, 2, &receipt);
        assert_eq!(checker.tally().contradictory_receipts, count, "{receipt:?}");
    }
    assert_eq!(checker.tally().acknowledged, 3);
}

#[test]
fn a_refused_event_must_not_be_delivered() {
    let mut checker = three();
    checker.offered(DOSSIER, offer(4));
    checker.refused(DOSSIER, 4, "STORE_FULL");
    let mut late = entry(3, Service::SyncDossier);
    late.sequence = Some(4);
    late.status = 4;
    checker.recorded(&late);
    assert_eq!((checker.tally().refused, checker.tally().invented), (1, 1));
}

#[test]
fn an_epoch_counts_what_was_acknowledged_in_it() {
    let mut checker = three();
    checker.begin_epoch();
    for call in six_calls() {
        checker.recorded(&call);
    }
    assert_eq!(
        checker.delivered_of_epoch(),
        0,
        "these were acknowledged before"
    );
    checker.offered(DOSSIER, offer(4));
    checker.acknowledged(DOSSIER, 4, &receipt(4));
    checker.recorded(&entry(4, Service::SyncDossier));
    checker.recorded(&entry(4, Service::UpdateProgress));
    assert_eq!(checker.delivered_of_epoch(), 1);
}
