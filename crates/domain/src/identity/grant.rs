//! Grants: what a system of a participant may ask about citizens for one purpose. A closed world: what no
//! grant permits is refused.
//!
//! [`decide`] is the only judge. It is a pure function over small facts, so its whole table is tested and
//! a second, independent engine is asked the same questions.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::code::ProcedureCode;
use crate::error_code::ErrorCode;
use crate::identity::field::FieldSet;
use crate::identity::purpose::{Binding, Purpose, PurposeCode};

/// What may be asked, from the least to the most telling; [`Mode::Usage`] stands apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Whether claims are right.
    Verify,
    /// Fields of the record; includes verifying.
    Disclose,
    /// Who looked at a citizen.
    Usage,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Verify, Self::Disclose, Self::Usage];

    /// Its name in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Disclose => "disclose",
            Self::Usage => "usage",
        }
    }

    /// The mode of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// Whether a grant of this mode permits `asked`.
    pub const fn permits(self, asked: Self) -> bool {
        matches!(
            (self, asked),
            (Self::Verify | Self::Disclose, Self::Verify)
                | (Self::Disclose, Self::Disclose)
                | (Self::Usage, Self::Usage)
        )
    }
}

/// How much one asker may ask: a participant, a system or an official.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_field_names,
    reason = "a bound says so at its end, and these are the keys of the participants file"
)]
pub struct AskLimits {
    /// Questions a second, sustained.
    pub per_second_max: u32,
    /// Different citizens in any 60 minutes.
    pub subjects_per_hour_max: u32,
    /// Different citizens in any 24 hours.
    pub subjects_per_day_max: u32,
}

/// How much may be asked under a grant, at three levels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaClass {
    /// Its name in the participants file.
    pub name: String,
    /// All systems of the participant together.
    pub participant: AskLimits,
    /// One system.
    pub system: AskLimits,
    /// One official of one system.
    pub official: AskLimits,
    /// Questions of one official under way at once.
    pub official_concurrent_max: u32,
    /// Different citizens asked about for one dossier in any 24 hours.
    pub dossier_subjects_max: u32,
}

/// What one system of one participant may ask for one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The purpose.
    pub purpose: PurposeCode,
    /// What may be asked.
    pub mode: Mode,
    /// Fields that may be claimed or shown; the key may always be claimed.
    pub fields: FieldSet,
    /// The procedures of the dossiers it may serve; empty means those of the purpose.
    pub procedures: Vec<ProcedureCode>,
    /// How much may be asked.
    pub quota: Arc<QuotaClass>,
    /// Items of its largest verification job; 0 means no jobs.
    pub job_items_max: u32,
    /// From when.
    pub valid_from: Timestamp,
    /// Until when, that instant not included.
    pub valid_until: Option<Timestamp>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Verify, disclose or usage.
    pub mode: Mode,
    /// Verify: the claimed fields beyond the key. Disclose: the fields wanted. Usage: none.
    pub fields: FieldSet,
    /// Our clock.
    pub now: Timestamp,
}

/// What is known of the dossier a question names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DossierFacts {
    /// The question names none.
    NotNamed,
    /// It names one, and the purpose does not want to know more.
    Named,
    /// It names one that the participant does not hold here.
    NotHeld,
    /// The participant holds it.
    Held {
        /// Whether its status is not final.
        open: bool,
        /// Its procedure, if known.
        procedure: Option<ProcedureCode>,
    },
}

/// Why a question is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No grant for this purpose.
    NoGrant,
    /// A grant that begins later.
    NotYetValid,
    /// A grant that has ended.
    Expired,
    /// A grant of another mode.
    ModeNotGranted,
    /// These fields are not granted.
    FieldsNotGranted(FieldSet),
    /// The purpose needs a dossier, and none is named.
    DossierMissing,
    /// The participant holds no such dossier here.
    DossierNotHeld,
    /// The dossier is closed.
    DossierClosed,
    /// The dossier's procedure is not among those permitted, or not known.
    ProcedureNotGranted,
}

impl Refusal {
    /// The public code.
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::NoGrant => ErrorCode::GrantMissing,
            Self::NotYetValid | Self::Expired => ErrorCode::GrantNotValid,
            Self::ModeNotGranted => ErrorCode::ModeNotGranted,
            Self::FieldsNotGranted(_) => ErrorCode::FieldsNotGranted,
            Self::DossierMissing | Self::DossierNotHeld => ErrorCode::DossierNotHeld,
            Self::DossierClosed => ErrorCode::DossierClosed,
            Self::ProcedureNotGranted => ErrorCode::ProcedureNotGranted,
        }
    }
}

/// Whether `grant` permits what is `asked` for `purpose`, and which fields may be claimed or shown.
/// The first obstacle in the order of [`Refusal`] is the answer.
///
/// # Errors
/// [`Refusal`].
pub fn decide(
    grant: Option<&Grant>,
    purpose: &Purpose,
    asked: &Asked,
    dossier: &DossierFacts,
) -> Result<FieldSet, Refusal> {
    let fields = decide_grant(grant, asked)?;
    // `decide_grant` has refused where there is none.
    let procedures = grant.map_or(&[][..], |grant| &grant.procedures);
    bind(purpose, procedures, dossier)?;
    Ok(fields)
}

/// The part of [`decide`] that needs no dossier, so that a question without a grant reads nothing.
///
/// # Errors
/// [`Refusal`].
pub fn decide_grant(grant: Option<&Grant>, asked: &Asked) -> Result<FieldSet, Refusal> {
    let grant = grant.ok_or(Refusal::NoGrant)?;
    if asked.now < grant.valid_from {
        return Err(Refusal::NotYetValid);
    }
    if grant.valid_until.is_some_and(|until| asked.now >= until) {
        return Err(Refusal::Expired);
    }
    if !grant.mode.permits(asked.mode) {
        return Err(Refusal::ModeNotGranted);
    }
    let granted = asked.fields.intersection(grant.fields);
    match asked.mode {
        // A claim that is left out silently would look like a claim that was checked.
        Mode::Verify if granted != asked.fields => {
            Err(Refusal::FieldsNotGranted(asked.fields.without(granted)))
        }
        Mode::Disclose if granted.is_empty() => Err(Refusal::FieldsNotGranted(asked.fields)),
        Mode::Verify | Mode::Disclose => Ok(granted),
        Mode::Usage => Ok(FieldSet::EMPTY),
    }
}

/// Whether the dossier permits the purpose.
fn bind(
    purpose: &Purpose,
    procedures: &[ProcedureCode],
    dossier: &DossierFacts,
) -> Result<(), Refusal> {
    if purpose.binding == Binding::NotNeeded {
        return Ok(());
    }
    if *dossier == DossierFacts::NotNamed {
        return Err(Refusal::DossierMissing);
    }
    if purpose.binding == Binding::Recorded {
        return Ok(());
    }
    let (open, procedure) = match dossier {
        DossierFacts::NotNamed | DossierFacts::Named | DossierFacts::NotHeld => {
            return Err(Refusal::DossierNotHeld);
        }
        DossierFacts::Held { open, procedure } => (*open, procedure.as_ref()),
    };
    if !open {
        return Err(Refusal::DossierClosed);
    }
    let permitted = |list: &[ProcedureCode]| {
        list.is_empty() || procedure.is_some_and(|procedure| list.contains(procedure))
    };
    if permitted(&purpose.procedures) && permitted(procedures) {
        Ok(())
    } else {
        Err(Refusal::ProcedureNotGranted)
    }
}

#[cfg(test)]
mod tests;
