//! What became of the steps: results, counters, and the refused lines with their reasons.

use lienthong_domain::ErrorCode;
use lienthong_proto::dossier::v1::Refusal;
use serde::{Deserialize, Serialize};

use crate::input::Fault;

/// Rows of refused lines of one input kept in memory and in the state file; those beyond are counted.
/// The CSV file gets all rows of its own run. A run that goes on after an interruption can write
/// only the kept ones of the run before, and says how many are lacking.
pub(crate) const REFUSED_LINES_MAX: usize = 10_000;

/// The final answer to one step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StepResult {
    /// Stored by the gateway.
    Accepted {
        /// It had been stored before.
        duplicate: bool,
        /// It is older than what the gateway has.
        late: bool,
        /// Number of warnings in the receipt.
        warnings: usize,
    },
    /// Not stored; sending it again would not help.
    Refused(Vec<Fault>),
}

/// One fault of one refused line, as tables, CSV and JSON show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RefusedLine {
    /// The file as it was named on the command line, `-` for stdin.
    pub(crate) file: String,
    /// Line, from 1.
    pub(crate) line: u64,
    /// Earlier line that was joined with it.
    pub(crate) joined_line: Option<u64>,
    /// Path of the field.
    pub(crate) field: String,
    /// Stable name of the reason.
    pub(crate) reason: String,
    /// Vietnamese sentence.
    pub(crate) message_vi: String,
    /// English sentence.
    pub(crate) message_en: String,
}

/// Counters of one file or of all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counters {
    /// Events and refused lines with a final answer.
    pub(crate) steps: u64,
    /// Events answered by the gateway, or checked in a dry run.
    pub(crate) events: u64,
    /// Stored, for the first time or before.
    pub(crate) accepted: u64,
    /// Of those, stored before.
    pub(crate) duplicates: u64,
    /// Of those, older than what the gateway had.
    pub(crate) late: u64,
    /// Lines and events refused.
    pub(crate) refused: u64,
    /// Warnings of the gateway about accepted events.
    pub(crate) gateway_warnings: u64,
}

impl Counters {
    pub(crate) fn add(&mut self, result: &StepResult, is_event: bool) {
        self.steps += 1;
        self.events += u64::from(is_event);
        match result {
            StepResult::Accepted {
                duplicate,
                late,
                warnings,
            } => {
                self.accepted += 1;
                self.duplicates += u64::from(*duplicate);
                self.late += u64::from(*late);
                self.gateway_warnings += *warnings as u64;
            }
            StepResult::Refused(_) => self.refused += 1,
        }
    }

    pub(crate) fn add_all(&mut self, other: &Self) {
        self.steps += other.steps;
        self.events += other.events;
        self.accepted += other.accepted;
        self.duplicates += other.duplicates;
        self.late += other.late;
        self.refused += other.refused;
        self.gateway_warnings += other.gateway_warnings;
    }
}

/// Every fault that a final refusal names; at least one.
pub(crate) fn faults_of(refusal: Refusal) -> Vec<Fault> {
    if !refusal.faults.is_empty() {
        return refusal.faults.into_iter().map(Fault::from).collect();
    }
    let known = refusal.reason.parse::<ErrorCode>().ok();
    let mut metadata: Vec<_> = refusal
        .metadata
        .iter()
        .map(|(key, value)| format!("{key} {value}"))
        .collect();
    metadata.sort();
    let evidence = match metadata.as_slice() {
        [] => String::new(),
        found => format!(" ({})", found.join(", ")),
    };
    let vi = known.map_or(refusal.message.as_str(), |code| code.vi());
    let en = known.map_or(refusal.message.as_str(), |code| code.en());
    vec![Fault {
        field: String::new(),
        vi: format!("{vi}{evidence}"),
        en: format!("{en}{evidence}"),
        reason: refusal.reason,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_without_faults_still_has_a_reason_with_its_evidence() {
        let refusal = Refusal {
            code: 9,
            reason: "DOSSIER_TRANSITION_REFUSED".into(),
            metadata: [("from".into(), "3".into()), ("to".into(), "4".into())].into(),
            ..Refusal::default()
        };
        let faults = faults_of(refusal);
        assert_eq!(faults.len(), 1);
        assert_eq!(
            faults[0].vi,
            "Không được chuyển trạng thái hồ sơ như vậy. (from 3, to 4)"
        );
    }
}
