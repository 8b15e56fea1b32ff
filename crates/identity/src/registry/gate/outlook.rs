//! How the database is doing, for those who are not in a hurry: jobs look before they ask.

use lienthong_delivery::breaker::Permit;
use lienthong_domain::Timestamp;

use super::Gate;
use crate::registry::GuardedRegistry;

/// What may be asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outlook {
    /// Questions that may be under way at once, over all askers.
    pub(crate) limit: u32,
    /// The database is taken for down until then.
    pub(crate) down_until: Option<Timestamp>,
    /// The breaker is closed: nothing speaks against the database.
    pub(crate) closed: bool,
}

impl GuardedRegistry {
    /// How the database is doing at `now`.
    pub(crate) fn outlook(&self, now: Timestamp) -> Outlook {
        self.gate.outlook(now)
    }
}

impl Gate {
    fn outlook(&self, now: Timestamp) -> Outlook {
        self.with(|moving| {
            let (limit, down_until) = match moving.breaker.permit(now) {
                Permit::Free => (moving.aimd.limit(), None),
                Permit::Probe(probes) => (moving.aimd.limit().min(probes), None),
                Permit::Wait(until) => (0, Some(until)),
            };
            Outlook {
                limit,
                down_until,
                closed: moving.breaker.is_closed(),
            }
        })
    }
}
