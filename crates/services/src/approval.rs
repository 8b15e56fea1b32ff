//! Whether an operation would await a second person: what a dry run tells before anything is asked for.
//!
//! The store decides when the operation is written down, in the same transaction, since two requests at once must see
//! each other; this asks it for the same sum.

use lienthong_domain::{Operator, OperatorRole};
use lienthong_ports::operators::OperationKind;

use crate::Services;
use crate::error::Error;
use crate::operators::require;

/// Whether an operation would await a second person, as things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval {
    /// So many deliveries need nobody else.
    pub above: u64,
    /// Deliveries that the same person asked for before: see [`asked_alone`](lienthong_ports::OperatorStore::asked_alone).
    /// They count together with the new ones.
    pub asked_before: u64,
    /// Whether a second person would be needed.
    pub needed: bool,
}

impl Services {
    /// Whether an operation over `matches` parked deliveries would await a second person, were this person to ask for
    /// it now.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store.
    pub async fn approval(
        &self,
        operator: &Operator,
        kind: OperationKind,
        matches: u64,
    ) -> Result<Approval, Error> {
        require(operator, OperatorRole::Viewer)?;
        let above = self.config.needs_nobody_up_to(kind);
        let by = operator.by.to_string();
        let asked_before = self.operators.asked_alone(by, kind, self.clock.now());
        let asked_before = asked_before.await?;
        let together = matches.saturating_add(asked_before);
        Ok(Approval {
            above,
            asked_before,
            needed: matches > 0 && together > above,
        })
    }
}
