use std::time::Duration;

use super::*;
use crate::code::DossierCode;
use crate::event::IdempotencyKey;
use crate::text::{Private, Text};

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

const NOW: i64 = 1_760_000_000;

fn complete() -> DossierDetails {
    DossierDetails {
        procedure_code: Some(ProcedureCode::parse("1.001193").unwrap()),
        procedure_name: Some(Text::parse("Đăng ký khai sinh").unwrap()),
        field_code: Some(Text::parse("HT").unwrap()),
        field_name: Some(Text::parse("Hộ tịch").unwrap()),
        applicant_kind: crate::channel::ApplicantKind::from_code(1),
        summary: Some(Private::new(
            Text::parse("Đăng ký khai sinh cho con").unwrap(),
        )),
        return_method: crate::channel::ReturnMethod::from_code(0),
        handling_unit: Some(Text::parse("UBND xã Ia Grai").unwrap()),
        received_at: Some(second(NOW - 1_000)),
        finished_at: Some(second(NOW - 500)),
        returned_at: Some(second(NOW - 400)),
        refused_at: Some(second(NOW - 900)),
        ..DossierDetails::default()
    }
}

fn event(status: DossierStatus) -> StatusEvent {
    StatusEvent {
        key: IdempotencyKey::parse("k").unwrap(),
        dossier: DossierCode::parse("H21.17-251009-0001").unwrap(),
        status,
        occurred_at: second(NOW),
        source_sequence: None,
        progress: None,
        details: None,
    }
}

fn head(status: DossierStatus) -> Head {
    Head {
        status,
        occurred_at: second(NOW - 10),
        source_sequence: None,
    }
}

fn every_status() -> impl Iterator<Item = DossierStatus> {
    (1..=10).filter_map(DossierStatus::from_code)
}

#[test]
fn the_whole_transition_table_is_judged_under_both_policies() {
    let details = complete();
    for from in every_status() {
        for to in every_status() {
            let head = head(from);
            let event = event(to);
            let judge = |policy| judge(Some(&head), Some(&details), &event, policy, second(NOW));
            let allowed = to.may_follow(from);
            match judge(TransitionPolicy::Refuse) {
                Verdict::Accept { late: false, .. } => assert!(allowed, "{from:?} -> {to:?}"),
                Verdict::TransitionRefused {
                    from: seen,
                    to: asked,
                } => {
                    assert!(!allowed);
                    assert_eq!((seen, asked), (from, to));
                }
                other => panic!("{from:?} -> {to:?}: {other:?}"),
            }
            let Verdict::Accept {
                late: false,
                warnings,
                ..
            } = judge(TransitionPolicy::Warn)
            else {
                panic!("{from:?} -> {to:?} under warn")
            };
            assert_eq!(
                warnings.contains(&Warning::TransitionOutsideTable),
                !allowed
            );
        }
    }
}

#[test]
fn the_first_status_may_be_any_if_its_details_are_there() {
    for status in every_status() {
        let full = StatusEvent {
            details: Some(complete()),
            ..event(status)
        };
        let verdict = judge(None, None, &full, TransitionPolicy::Refuse, second(NOW));
        assert!(
            matches!(
                verdict,
                Verdict::Accept {
                    late: false,
                    details: Some(_),
                    ..
                }
            ),
            "{status:?}"
        );
        let bare = judge(
            None,
            None,
            &event(status),
            TransitionPolicy::Refuse,
            second(NOW),
        );
        assert!(matches!(bare, Verdict::DetailsRefused(_)), "{status:?}");
    }
}

#[test]
fn late_is_decided_by_sequence_else_by_time_and_changes_nothing() {
    let table = [
        (None, None, 0, false),
        (None, None, -11, true),
        (None, None, -10, false),
        (Some(5), Some(4), 100, true),
        (Some(5), Some(5), -100, false),
        (Some(5), Some(6), -100, false),
        (Some(5), None, -100, true),
        (None, Some(1), -100, true),
    ];
    for (seen, offered, shift, expected) in table {
        let head = Head {
            source_sequence: seen,
            ..head(DossierStatus::Processed)
        };
        let event = StatusEvent {
            source_sequence: offered,
            occurred_at: second(NOW + shift),
            details: Some(complete()),
            ..event(DossierStatus::Processed)
        };
        let verdict = judge(
            Some(&head),
            Some(&complete()),
            &event,
            TransitionPolicy::Refuse,
            second(NOW),
        );
        let Verdict::Accept {
            late,
            details,
            warnings,
        } = verdict
        else {
            panic!("{verdict:?}")
        };
        assert_eq!(late, expected, "{seen:?} {offered:?} {shift}");
        assert_eq!(warnings.contains(&Warning::Late), expected);
        assert!(
            details.is_none(),
            "neither late nor equal details change anything"
        );
    }
}

#[test]
fn processed_needs_the_end_of_processing_which_an_earlier_event_may_have_brought() {
    let lacking = DossierDetails {
        finished_at: None,
        ..complete()
    };
    let head = head(DossierStatus::Processing);
    let event = event(DossierStatus::Processed);
    assert!(needs_details(Some(&head), &event));
    let verdict = judge(
        Some(&head),
        Some(&lacking),
        &event,
        TransitionPolicy::Refuse,
        second(NOW),
    );
    let Verdict::DetailsRefused(faults) = verdict else {
        panic!("{verdict:?}")
    };
    assert_eq!(faults.len(), 1);
    let later = second(NOW) + Duration::from_mins(1);
    let verdict = judge(
        Some(&head),
        Some(&complete()),
        &event,
        TransitionPolicy::Refuse,
        later,
    );
    assert!(matches!(verdict, Verdict::Accept { details: None, .. }));
}

#[test]
fn details_are_needed_exactly_when_the_new_status_asks_for_more() {
    for from in every_status() {
        let full = StatusEvent {
            details: Some(complete()),
            ..event(from)
        };
        assert!(needs_details(Some(&head(from)), &full));
        assert!(
            !needs_details(Some(&head(from)), &event(from)),
            "a repeated status asks for nothing new"
        );
        for to in every_status().filter(|to| *to != from) {
            // An oracle in another form: a dossier complete for `from` may lack something for `to`.
            let enough_for_from = [
                complete(),
                DossierDetails {
                    received_at: None,
                    ..complete()
                },
            ]
            .into_iter()
            .flat_map(|details| {
                [
                    DossierDetails {
                        finished_at: None,
                        ..details.clone()
                    },
                    DossierDetails {
                        returned_at: None,
                        ..details.clone()
                    },
                    DossierDetails {
                        refused_at: None,
                        ..details.clone()
                    },
                    details,
                ]
            })
            .filter(|details| details.lacks_for(from).is_empty());
            let may_lack = enough_for_from
                .into_iter()
                .any(|details| !details.lacks_for(to).is_empty());
            assert!(
                !may_lack || needs_details(Some(&head(from)), &event(to)),
                "{from:?} -> {to:?}"
            );
        }
    }
}
