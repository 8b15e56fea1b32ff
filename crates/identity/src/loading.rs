//! Rebuilds the guard at a start: who has two numbers, then usage records of the last 24 hours and all guard actions,
//! in the order of time.

use std::time::Duration;

use lienthong_domain::Timestamp;
use lienthong_domain::identity::UsageId;
use lienthong_ports::identity::GuardAction;
use lienthong_ports::store::ITEMS_MAX;
use lienthong_ports::{IdentityStore, StoreError};

use crate::config::GuardConfig;
use crate::guard::Guard;

/// How long a usage record matters to a guard.
const MATTERS: Duration = Duration::from_hours(24);

/// The guard as it stands, and holds that a sudden end left undone.
///
/// Actions are read from the beginning, not of 30 days only: a hold ends by being lifted, not by age. The store
/// bounds them at the newest 10,000. Pages of usage records end where the records do.
///
/// # Errors
/// Those of the store.
pub(crate) async fn load(
    store: &dyn IdentityStore,
    config: &GuardConfig,
    now: Timestamp,
) -> Result<(Guard, Vec<GuardAction>), StoreError> {
    let mut guard = Guard::new(config.clone());
    let actions = store.guard_actions(Timestamp::UNIX_EPOCH).await?;
    let mut actions = actions.into_iter().peekable();
    let since = now.checked_sub(MATTERS).unwrap_or(Timestamp::UNIX_EPOCH);
    // Before the records, which are then counted under one number from the first on.
    for link in store.subject_links().await? {
        guard.link(link.one, link.other, since);
    }
    let mut after = UsageId(0);
    loop {
        let rows = store.usage_since(since, after, ITEMS_MAX).await?;
        for row in &rows {
            while let Some(action) = actions.next_if(|action| action.at <= row.record.at) {
                guard.follow(&action);
            }
            guard.fold(&row.record);
        }
        match rows.last() {
            Some(last) if rows.len() == ITEMS_MAX => after = last.id,
            _ => break,
        }
    }
    for action in actions {
        guard.follow(&action);
    }
    let undone = guard.settle(now);
    Ok((guard, undone))
}
