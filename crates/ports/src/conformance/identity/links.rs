//! Promises about citizens with two numbers: linked by what an answer told and by nothing else, each look told once.

use lienthong_domain::identity::{FieldSet, Pseudonym, UsageId, UsageKind, UsageOutcome};

use super::Subject;
use super::fixture::{Desk, asker, usage_draft};
use crate::identity::usage::OTHER_NUMBERS_MAX;
use crate::identity::{SubjectLink, UsageDraft, UsageFilter};

/// The citizen of the promises: a number, and the old number that the population database knows.
const NEW: u8 = 7;
const OLD: u8 = 3;
/// Somebody else.
const STRANGER: u8 = 9;

fn pseudonym(subject: u8) -> Pseudonym {
    Pseudonym([subject; 16])
}

/// A look that showed `asked`, and the same look under the number that the answer told.
fn look(asked: u8, told: u8, seconds: i64) -> Vec<UsageDraft> {
    let look = UsageDraft {
        kind: UsageKind::Disclose,
        outcome: UsageOutcome::Disclosed,
        ..usage_draft(asked, seconds)
    };
    let again = UsageDraft {
        subject: Some(pseudonym(told)),
        as_relative: true,
        ..look.clone()
    };
    vec![look, again]
}

/// Writes records in one call.
async fn record(desk: &Desk, drafts: Vec<UsageDraft>) -> Vec<UsageId> {
    desk.identity.record_usage(drafts).await.expect("record")
}

/// The other numbers of a citizen.
async fn others(desk: &Desk, subject: u8) -> Vec<Pseudonym> {
    let others = desk.identity.other_numbers(pseudonym(subject)).await;
    others.expect("other numbers")
}

async fn links(desk: &Desk) -> Vec<(Pseudonym, Pseudonym)> {
    let links = desk.identity.subject_links().await.expect("links");
    let ends = |SubjectLink { one, other }| (one.min(other), one.max(other));
    links.into_iter().map(ends).collect()
}

/// Both ways, whichever number was asked by, and still so when it is opened again.
pub async fn a_told_number_links_a_citizen_for_good(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    record(&desk, look(NEW, OLD, 1)).await;
    record(&desk, look(1, STRANGER, 2)).await;
    // Told again, the other way round too, they are linked as they were.
    record(&desk, look(NEW, OLD, 3)).await;
    record(&desk, look(OLD, NEW, 4)).await;
    let desk = Desk::open(subject).await;
    assert_eq!(others(&desk, NEW).await, [pseudonym(OLD)]);
    assert_eq!(others(&desk, OLD).await, [pseudonym(NEW)]);
    assert_eq!(others(&desk, 2).await, []);
    let expected =
        [(OLD, NEW), (1, STRANGER)].map(|(one, other)| (pseudonym(one), pseudonym(other)));
    assert_eq!(links(&desk).await, expected);
}

/// A citizen's relatives, other looks, and whatever was claimed and not shown link nobody.
pub async fn nothing_but_a_told_number_links(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let changed = |change: &dyn Fn(&mut UsageDraft, &mut UsageDraft)| {
        let [mut first, mut second] = look(NEW, OLD, 1).try_into().expect("two records");
        change(&mut first, &mut second);
        vec![first, second]
    };
    let calls = [
        changed(&|_, relative| relative.block = None),
        changed(&|_, asked| asked.as_relative = false),
        changed(&|_, other| other.request_id = "yeu-cau-khac".into()),
        changed(&|relative, _| relative.as_relative = true),
        changed(&|_, same| same.subject = Some(pseudonym(NEW))),
        changed(&|nobody, _| nobody.subject = None),
        changed(&|_, nobody| nobody.subject = None),
    ];
    for drafts in calls {
        record(&desk, drafts).await;
    }
    for kind in [UsageKind::Verify, UsageKind::Job, UsageKind::ListUsage] {
        let both = |one: &mut UsageDraft, two: &mut UsageDraft| (one.kind, two.kind) = (kind, kind);
        record(&desk, changed(&both)).await;
    }
    for outcome in UsageOutcome::ALL {
        if *outcome != UsageOutcome::Disclosed {
            let both = |one: &mut UsageDraft, two: &mut UsageDraft| {
                (one.outcome, two.outcome) = (*outcome, *outcome);
            };
            record(&desk, changed(&both)).await;
        }
    }
    // Not written together, or something between them.
    let [first, second] = look(NEW, OLD, 2).try_into().expect("two records");
    record(&desk, vec![first.clone()]).await;
    record(&desk, vec![second.clone()]).await;
    record(&desk, vec![first, usage_draft(STRANGER, 2), second]).await;
    assert_eq!(links(&desk).await, []);
    for subject in [NEW, OLD, STRANGER] {
        assert_eq!(others(&desk, subject).await, [], "{subject}");
    }
}

/// In the order it was told, and of the others of one citizen the newest.
pub async fn links_are_told_in_order_and_bounded(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let told = (10..20).collect::<Vec<u8>>();
    for old in &told {
        record(&desk, look(NEW, *old, i64::from(*old))).await;
    }
    let expected = told.iter().map(|old| (pseudonym(NEW), pseudonym(*old)));
    assert!(links(&desk).await.into_iter().eq(expected));
    let newest = told.iter().rev().take(OTHER_NUMBERS_MAX).copied();
    let newest = newest.map(pseudonym).collect::<Vec<_>>();
    assert_eq!(others(&desk, NEW).await, newest);
}

/// Records under all numbers of a citizen, each look once, newest first, whatever the page and the rest of the filter.
pub async fn usage_of_a_citizen_is_told_once_under_all_numbers(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let mut expected = Vec::new();
    for second in 0..12 {
        let verified = |number| UsageDraft {
            asker: asker(if second % 2 == 0 { "H21" } else { "H57" }),
            ..usage_draft(number, second)
        };
        let drafts = match second % 4 {
            0 => vec![verified(OLD)],
            1 => vec![verified(NEW)],
            2 => look(NEW, OLD, second),
            _ => look(OLD, NEW, second),
        };
        expected.push(record(&desk, drafts).await[0]);
        record(&desk, vec![verified(STRANGER)]).await;
    }
    // In another's record, where there is no look of their own to be told instead.
    let relative = UsageDraft {
        as_relative: true,
        block: None,
        shown: FieldSet::EMPTY,
        ..usage_draft(OLD, 12)
    };
    let drafts = vec![usage_draft(STRANGER, 12), relative];
    expected.push(record(&desk, drafts).await[1]);
    expected.reverse();
    let subjects = vec![pseudonym(NEW), pseudonym(OLD)];
    let filter = UsageFilter {
        subjects: subjects.clone(),
        ..UsageFilter::default()
    };
    for limit in [1, 2, 3, 5, 100] {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = desk.identity.usage(filter.clone(), before, limit).await;
            let page = page.expect("usage");
            let Some(last) = page.last() else { break };
            assert!(
                page.len() == limit || last.id == expected[12],
                "a page is full"
            );
            before = Some(last.id);
            seen.extend(page.iter().map(|row| row.id));
        }
        assert_eq!(seen, expected, "in pages of {limit}");
    }
    let of_one = UsageFilter {
        subjects: [subjects, vec![pseudonym(OLD)]].concat(),
        participant: Some(asker("H57").participant),
        since: None,
    };
    let found = desk.identity.usage(of_one, None, 100).await.expect("usage");
    let found: Vec<_> = found.iter().map(|row| row.record.at).collect();
    let at = crate::conformance::store::at;
    assert_eq!(found, [9, 5, 1].map(at), "named twice, told once");
    // Under one number alone, a look by the other is told by its second record.
    let alone = UsageFilter {
        subjects: vec![pseudonym(OLD)],
        ..UsageFilter::default()
    };
    let found = desk.identity.usage(alone, None, 100).await.expect("usage");
    let found: Vec<_> = found.iter().map(|row| row.record.at).collect();
    assert_eq!(found, [12, 11, 10, 8, 7, 6, 4, 3, 2, 0].map(at));
}
