//! What `push` reads: one line of text to the items in it, and items joined to events.
//!
//! The portal's own JSON is read here, not in the crate `portal`, which only writes it. Nothing is
//! guessed: what is absent stays absent, and a wrong value refuses its whole line with every fault.

mod dossier;
mod fields;
pub(crate) mod join;
pub(crate) mod line;
mod own;
mod progress;

use lienthong_domain::fault::{self, Faults};
use lienthong_proto::dossier::v1::{FieldFault, StatusEvent};
use serde::{Deserialize, Serialize};

/// One fault of one line, in both languages, never with the refused value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fault {
    /// Path as the sender wrote it: `data[0].NgayTiepNhan`; empty for the whole line.
    pub(crate) field: String,
    /// Stable name, `UPPER_SNAKE`.
    pub(crate) reason: String,
    /// Vietnamese sentence.
    pub(crate) vi: String,
    /// English sentence.
    pub(crate) en: String,
}

impl Fault {
    /// A fault of the whole line.
    pub(crate) fn of_line(reason: &str, vi: &str, en: &str) -> Self {
        Self {
            field: String::new(),
            reason: reason.to_owned(),
            vi: vi.to_owned(),
            en: en.to_owned(),
        }
    }
}

impl From<&fault::Fault> for Fault {
    fn from(found: &fault::Fault) -> Self {
        Self {
            field: found.field.clone(),
            reason: found.reason.name().to_owned(),
            vi: found.reason.vi(),
            en: found.reason.en(),
        }
    }
}

impl From<FieldFault> for Fault {
    fn from(found: FieldFault) -> Self {
        Self {
            field: found.field,
            reason: found.reason,
            vi: found.message_vi,
            en: found.message_en,
        }
    }
}

/// All of `faults` that were kept.
fn faults_of(faults: &Faults) -> Vec<Fault> {
    faults.iter().map(Fault::from).collect()
}

/// One dossier, progress line or event of ours.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    /// A whole dossier of `DongBoHoSoMC`. `event.occurred_at` is what the dossier's own dates say.
    Dossier {
        /// Details and status, without a progress line and without a key.
        event: StatusEvent,
        /// Where the status wants its time written: `NgayTra`; none for a status without a date.
        time_field: Option<&'static str>,
        /// Place in the line: `data[0]`, or empty.
        path: String,
    },
    /// A line of `CapNhatTienDoHoSoMC`: complete but for details and key.
    Progress(StatusEvent),
    /// An event in our own form, with its own key.
    Own(StatusEvent),
}

/// Keys of the portal's JSON that we do not know: what was left out, to warn about.
pub(crate) type UnknownKeys = Vec<String>;
