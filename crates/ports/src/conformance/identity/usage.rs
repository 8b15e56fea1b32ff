//! Promises about usage records and guard actions: kept as written, found again, in order.

use std::collections::BTreeSet;

use lienthong_domain::ErrorCode;
use lienthong_domain::identity::{
    Field, FieldSet, OfficialId, Pseudonym, UsageId, UsageKind, UsageOutcome,
};

use super::Subject;
use super::fixture::{Desk, asker, usage_draft};
use crate::conformance::store::at;
use crate::identity::{GuardAction, GuardActionKind, UsageDraft, UsageFilter};

/// Every kind, outcome and field, with everything given and with everything left out.
pub async fn usage_is_read_as_it_was_written(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let mut drafts = Vec::new();
    for kind in UsageKind::ALL {
        for outcome in UsageOutcome::ALL {
            drafts.push(UsageDraft {
                kind: *kind,
                outcome: *outcome,
                shown: [Field::FullName, Field::HouseholdNumber]
                    .into_iter()
                    .collect(),
                ..usage_draft(3, 10)
            });
        }
    }
    drafts.push(UsageDraft {
        subject: None,
        block: None,
        dossier: None,
        reason: Some(ErrorCode::GrantMissing),
        asked: FieldSet::all(),
        as_relative: true,
        request_id: String::new(),
        ..usage_draft(3, 11)
    });
    let ids = desk
        .identity
        .record_usage(drafts.clone())
        .await
        .expect("record");
    assert!(
        ids.is_sorted_by(|one, other| one < other),
        "ids rise in the order of the drafts"
    );
    let read = desk
        .identity
        .usage_since(at(0), UsageId(0), 1_000)
        .await
        .expect("usage");
    assert_eq!(read.iter().map(|row| row.id).collect::<Vec<_>>(), ids);
    let records: Vec<_> = read.into_iter().map(|row| row.record).collect();
    assert_eq!(records, drafts);
}

/// Each part of a filter, and parts together.
pub async fn usage_is_found_by_citizen_participant_and_time(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let drafts = (0..12_u8)
        .map(|number| UsageDraft {
            asker: asker(if number % 2 == 0 { "H21" } else { "H57" }),
            subject: (number != 5).then_some(Pseudonym([number % 3; 16])),
            ..usage_draft(0, i64::from(number))
        })
        .collect::<Vec<_>>();
    desk.identity
        .record_usage(drafts.clone())
        .await
        .expect("record");
    for citizen in [None, Some(Pseudonym([1; 16])), Some(Pseudonym([9; 16]))] {
        for participant in [None, Some("H21"), Some("H57"), Some("H44")] {
            for since in [None, Some(at(4)), Some(at(99))] {
                let participant = participant.map(|code| asker(code).participant);
                let mut expected: Vec<_> = drafts
                    .iter()
                    .filter(|draft| citizen.is_none() || draft.subject == citizen)
                    .filter(|draft| {
                        participant
                            .as_ref()
                            .is_none_or(|code| draft.asker.participant == *code)
                    })
                    .filter(|draft| since.is_none_or(|since| draft.at >= since))
                    .cloned()
                    .collect();
                expected.reverse();
                let filter = UsageFilter {
                    subjects: citizen.into_iter().collect(),
                    participant,
                    since,
                };
                let said = format!("{filter:?}");
                let found = desk.identity.usage(filter, None, 100).await.expect("usage");
                let found: Vec<_> = found.into_iter().map(|row| row.record).collect();
                assert_eq!(found, expected, "{said}");
            }
        }
    }
}

/// Every record once, whatever the page.
pub async fn usage_pages_are_complete_and_newest_first(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let drafts = (0..25)
        .map(|second| usage_draft(1, second))
        .collect::<Vec<_>>();
    let ids = desk.identity.record_usage(drafts).await.expect("record");
    let filters = [
        UsageFilter::default(),
        UsageFilter {
            subjects: vec![Pseudonym([1; 16])],
            ..UsageFilter::default()
        },
        UsageFilter {
            participant: Some(asker("H21").participant),
            ..UsageFilter::default()
        },
    ];
    for filter in filters {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = desk.identity.usage(filter.clone(), before, 10).await;
            let page = page.expect("usage");
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            seen.extend(page.iter().map(|row| row.id));
        }
        seen.reverse();
        assert_eq!(seen, ids);
    }
    let (mut seen, mut after) = (Vec::new(), UsageId(0));
    while seen.len() < ids.len() {
        let page = desk.identity.usage_since(at(0), after, 10).await;
        let page = page.expect("usage");
        after = page.last().expect("more is to come").id;
        seen.extend(page.iter().map(|row| row.id));
    }
    assert_eq!(seen, ids);
}

/// Records are found by their own time, in the order they were written.
pub async fn a_clock_set_back_hides_no_usage(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let seconds = [10, 20, 500, 30, 40, 25, 600, 50];
    for second in seconds {
        let drafts = vec![usage_draft(1, second)];
        desk.identity.record_usage(drafts).await.expect("record");
    }
    for since in [0, 10, 26, 31, 50, 51, 500, 501, 601] {
        let expected: Vec<_> = seconds
            .into_iter()
            .filter(|second| *second >= since)
            .map(at)
            .collect();
        let written = desk.identity.usage_since(at(since), UsageId(0), 100).await;
        let written = written.expect("usage");
        let found: Vec<_> = written.iter().map(|row| row.record.at).collect();
        assert_eq!(found, expected, "since {since}");
        let filter = UsageFilter {
            since: Some(at(since)),
            ..UsageFilter::default()
        };
        let newest = desk.identity.usage(filter, None, 100).await.expect("usage");
        assert!(newest.iter().rev().eq(written.iter()), "since {since}");
    }
}

/// Many callers at once, as on the way of every question.
pub async fn concurrent_usage_is_kept_once_each(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..20_u8 {
        let desk = desk.clone();
        tasks.spawn(async move {
            let mut ids = Vec::new();
            for second in 0..10 {
                let drafts = vec![usage_draft(caller, second)];
                ids.extend(desk.identity.record_usage(drafts).await.expect("record"));
            }
            ids
        });
    }
    let ids: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let distinct: BTreeSet<_> = ids.iter().copied().collect();
    let rows = desk
        .identity
        .usage(UsageFilter::default(), None, 1_000)
        .await;
    let kept: BTreeSet<_> = rows.expect("usage").iter().map(|row| row.id).collect();
    assert_eq!((ids.len(), distinct.len()), (200, 200));
    assert_eq!(kept, distinct);
}

/// Of officials and of whole systems.
pub async fn guard_actions_are_kept_in_order(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let action = |second: i64, kind, official: Option<&str>| GuardAction {
        at: at(second),
        participant: asker("H21").participant,
        system: asker("H21").system,
        official: official.map(|name| OfficialId::parse(name).expect("an official")),
        kind,
        by: "gateway".into(),
        reason: "GUARD_APPROVAL_NEEDED: dò số định danh".into(),
    };
    let actions = vec![
        action(1, GuardActionKind::Held, Some("tranthib")),
        action(3, GuardActionKind::Lifted, Some("tranthib")),
        action(2, GuardActionKind::Blocked, None),
    ];
    desk.identity
        .record_guard_actions(actions.clone())
        .await
        .expect("record");
    assert_eq!(
        desk.identity.guard_actions(at(0)).await.expect("actions"),
        actions
    );
    assert_eq!(
        desk.identity.guard_actions(at(2)).await.expect("actions"),
        actions[1..]
    );
    let later = desk.identity.guard_actions(at(4)).await.expect("actions");
    assert!(later.is_empty());
    // What a person did is among the actions, without the official.
    let told = desk.store.actions(0, 10).await.expect("actions");
    let told: Vec<_> = told
        .iter()
        .map(|action| (action.kind.as_str(), action.subject.as_str(), action.at))
        .collect();
    assert_eq!(told, [("lift_guard", "H21/igate", at(3))]);
}
