//! Where a new status belongs in a dossier's timeline: the one decision about order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::code::ProcedureCode;
use crate::details::DossierDetails;
use crate::event::StatusEvent;
use crate::fault::Faults;
use crate::procedure::Catalogue;
use crate::status::DossierStatus;

/// The newest accepted, not late status of a dossier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The status.
    pub status: DossierStatus,
    /// When it came about.
    pub occurred_at: Timestamp,
    /// The highest sequence of the sender seen so far, if it sends any.
    pub source_sequence: Option<i64>,
}

/// What to do about a transition outside the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransitionPolicy {
    /// Refuse it, naming what is allowed.
    #[default]
    Refuse,
    /// Keep and deliver it, with a warning: for legacy systems.
    Warn,
}

/// Something unusual about an accepted event, told to the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Warning {
    /// Older than a status already accepted; it is kept at its place and moves nothing back.
    Late,
    /// Outside the transition table, accepted by the participant's policy.
    TransitionOutsideTable,
    /// The procedure is not in the catalogue known here.
    ProcedureUnknown,
}

impl Warning {
    /// The sentence for Vietnamese readers.
    pub fn vi(self) -> &'static str {
        match self {
            Self::Late => {
                "Trạng thái cũ hơn trạng thái đã nhận; được lưu đúng vị trí, không làm lùi hồ sơ."
            }
            Self::TransitionOutsideTable => {
                "Chuyển trạng thái ngoài bảng quy định; được nhận theo cấu hình của đơn vị."
            }
            Self::ProcedureUnknown => "Mã thủ tục chưa có trong danh mục của trục liên thông.",
        }
    }

    /// The sentence for English readers.
    pub fn en(self) -> &'static str {
        match self {
            Self::Late => {
                "Older than a status already accepted; kept at its place, moves nothing back."
            }
            Self::TransitionOutsideTable => {
                "Transition outside the table; accepted by the participant's policy."
            }
            Self::ProcedureUnknown => "The procedure code is not in the gateway's catalogue.",
        }
    }
}

/// The verdict on a new event of a known or unknown dossier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Keep it.
    Accept {
        /// Kept in the timeline only; the head stays.
        late: bool,
        /// The details that hold from now on; `None` leaves the present ones.
        details: Option<Box<DossierDetails>>,
        /// What to tell the sender.
        warnings: Vec<Warning>,
    },
    /// The transition is not allowed.
    TransitionRefused {
        /// The dossier's present status.
        from: DossierStatus,
        /// The status asked for.
        to: DossierStatus,
    },
    /// The dossier would lack details that its status needs, or hold incoherent ones.
    DetailsRefused(Faults),
}

/// Judges `event` against the dossier's head and its present details.
///
/// `details` may be empty when the event neither brings details nor needs any (see [`needs_details`]).
pub fn judge(
    head: Option<&Head>,
    details: Option<&DossierDetails>,
    event: &StatusEvent,
    policy: TransitionPolicy,
    now: Timestamp,
) -> Verdict {
    let mut warnings = Vec::new();
    if let Some(code) = event
        .details
        .as_ref()
        .and_then(|details| details.procedure_code.as_ref())
        && !procedure_known(code)
    {
        warnings.push(Warning::ProcedureUnknown);
    }
    if head.is_some_and(|head| is_late(head, event)) {
        warnings.push(Warning::Late);
        return Verdict::Accept {
            late: true,
            details: None,
            warnings,
        };
    }
    if let Some(head) = head
        && !event.status.may_follow(head.status)
    {
        match policy {
            TransitionPolicy::Refuse => {
                return Verdict::TransitionRefused {
                    from: head.status,
                    to: event.status,
                };
            }
            TransitionPolicy::Warn => warnings.push(Warning::TransitionOutsideTable),
        }
    }
    if !needs_details(head, event) {
        return Verdict::Accept {
            late: false,
            details: None,
            warnings,
        };
    }
    let none = DossierDetails::default();
    let merged = details
        .unwrap_or(&none)
        .merged_with(event.details.as_ref().unwrap_or(&none));
    let mut faults = merged.lacks_for(event.status);
    faults.extend(merged.date_faults(now + crate::event::CLOCK_SKEW_MAX));
    if !faults.is_empty() {
        return Verdict::DetailsRefused(faults);
    }
    let changed = details != Some(&merged);
    Verdict::Accept {
        late: false,
        details: changed.then(|| Box::new(merged)),
        warnings,
    }
}

/// Whether [`judge`] must see the dossier's present details: the event brings some, is the dossier's
/// first, or moves to a status that needs more than the one before it (see
/// [`DossierDetails::lacks_for`]).
pub fn needs_details(head: Option<&Head>, event: &StatusEvent) -> bool {
    use DossierStatus as S;
    let Some(head) = head else { return true };
    let first_receipt = matches!(head.status, S::Registered | S::Rejected);
    let asks_for_dates = matches!(event.status, S::Rejected | S::Processed | S::ResultReturned);
    event.details.is_some() || (event.status != head.status && (first_receipt || asks_for_dates))
}

/// By the sender's sequence where both have one, else by time. Equal is not late.
fn is_late(head: &Head, event: &StatusEvent) -> bool {
    match (head.source_sequence, event.source_sequence) {
        (Some(seen), Some(offered)) => offered < seen,
        _ => event.occurred_at < head.occurred_at,
    }
}

fn procedure_known(code: &ProcedureCode) -> bool {
    Catalogue::builtin().get(code).is_some()
}

#[cfg(test)]
mod tests;
