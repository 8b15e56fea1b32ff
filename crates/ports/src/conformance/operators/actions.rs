//! Promises about the record of actions.

use lienthong_domain::delivery::LanePolicy;

use super::Subject;
use super::fixture::{Desk, operator};
use crate::conformance::store::at;
use crate::operators::ActionFilter;

/// Newest first, page by page; each field of a filter alone and together.
pub async fn actions_are_found_by_each_filter(subject: &dyn Subject) {
    let desk = Desk::open(subject, LanePolicy::Hold).await;
    let noted = [
        ("sign_in", "account:hanh", "account:hanh", 10),
        ("set_log_level", "gateway", "account:minh", 20),
        ("sign_in", "account:minh", "account:minh", 30),
        // The clock was set back.
        ("sign_in", "account:hanh", "account:hanh", 25),
    ];
    for (kind, subject, by, seconds) in noted {
        let note = desk
            .operators
            .note_action(kind, subject.into(), operator(by, seconds));
        note.await.expect("note");
    }
    let all = desk.lane.store.actions(0, 10).await.expect("actions");
    let ids: Vec<_> = all.iter().map(|action| action.id).collect();
    let find = async |filter, before, limit| {
        let found = desk.operators.actions_matching(filter, before, limit).await;
        let found = found.expect("actions");
        assert!(found.iter().all(|action| all.contains(action)));
        let places = found
            .iter()
            .map(|one| ids.iter().position(|id| *id == one.id));
        places.flatten().collect::<Vec<_>>()
    };
    let any = ActionFilter::default;
    assert_eq!(find(any(), None, 3).await, [3, 2, 1]);
    assert_eq!(find(any(), Some(ids[1]), 3).await, [0]);
    for (filter, expected) in cases() {
        assert_eq!(find(filter.clone(), None, 10).await, expected, "{filter:?}");
    }
    assert_eq!(find(kind("sign_in"), Some(ids[3]), 1).await, [2]);
}

fn kind(kind: &str) -> ActionFilter {
    ActionFilter {
        kind: Some(kind.into()),
        ..ActionFilter::default()
    }
}

#[rustfmt::skip]
fn cases() -> Vec<(ActionFilter, Vec<usize>)> {
    let any = ActionFilter::default;
    let by = |by: &str| Some(by.to_owned());
    vec![
        (ActionFilter { by: by("account:hanh"), ..any() }, vec![3, 0]),
        (ActionFilter { by: by("account:nobody"), ..any() }, vec![]),
        (kind("sign_in"), vec![3, 2, 0]),
        (ActionFilter { subject: by("gateway"), ..any() }, vec![1]),
        (ActionFilter { since: Some(at(20)), ..any() }, vec![3, 2, 1]),
        (ActionFilter { until: Some(at(30)), ..any() }, vec![3, 1, 0]),
        (ActionFilter { since: Some(at(20)), until: Some(at(26)), ..kind("sign_in") }, vec![3]),
        (ActionFilter { by: by("account:hanh"), ..kind("set_log_level") }, vec![]),
    ]
}
