//! Usage records: who looked at whom and why, and what they tell about citizens with two numbers.

use std::sync::Arc;

use lienthong_domain::identity::{
    FieldSet, OfficialId, Pseudonym, PurposeCode, UsageId, UsageKind, UsageOutcome,
};
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{DossierCode, ErrorCode, Timestamp};

/// Other numbers of one citizen that are told at most: citizens have one number and seldom more than one old one.
pub const OTHER_NUMBERS_MAX: usize = 4;

/// Pseudonyms of one citizen that a filter may name: one, and its others.
pub const SUBJECTS_MAX: usize = 1 + OTHER_NUMBERS_MAX;

/// Citizens with two numbers whom a start reads, and a guard remembers, at most.
pub const LINKS_MAX: usize = 100_000;

/// Who asks: everything that a usage record and a guard know of an asker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asker {
    /// The participant, from the certificate.
    pub participant: ParticipantId,
    /// Its system, from the certificate.
    pub system: Arc<str>,
    /// The official, as the participant names them.
    pub official: OfficialId,
}

/// A usage record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageDraft {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub asker: Asker,
    /// Whom; `None` where the question named no readable number.
    pub subject: Option<Pseudonym>,
    /// Number without its last six digits, under a key: neighbours in one block have the same.
    pub block: Option<Pseudonym>,
    /// Why.
    pub purpose: PurposeCode,
    /// For which dossier.
    pub dossier: Option<DossierCode>,
    /// What was asked.
    pub kind: UsageKind,
    /// What came of it.
    pub outcome: UsageOutcome,
    /// Why not, when refused or failed.
    pub reason: Option<ErrorCode>,
    /// Fields asked for.
    pub asked: FieldSet,
    /// Fields shown.
    pub shown: FieldSet,
    /// The subject was not asked about but appears in another's record.
    pub as_relative: bool,
    /// The request's id, as in the log and the answer.
    pub request_id: String,
}

/// A usage record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// Its number.
    pub id: UsageId,
    /// What it says.
    pub record: UsageDraft,
}

/// Which usage records are meant. Empty means all.
#[derive(Clone, Debug, Default)]
pub struct UsageFilter {
    /// About the citizen with these pseudonyms, of which [`SUBJECTS_MAX`] are read.
    pub subjects: Vec<Pseudonym>,
    /// By this participant.
    pub participant: Option<ParticipantId>,
    /// At or after.
    pub since: Option<Timestamp>,
}

impl UsageDraft {
    /// Whether this is the record of a look for a second time, under the citizen's other number. It has the block of
    /// the number that was asked, which records of relatives have not, and follows the record of the look itself.
    pub const fn is_under_other_number(&self) -> bool {
        self.as_relative && self.block.is_some()
    }
}

/// Two pseudonyms of one citizen: an answer of the population database told both numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubjectLink {
    /// One.
    pub one: Pseudonym,
    /// The other, which is never the same.
    pub other: Pseudonym,
}

impl SubjectLink {
    /// What records that are written together tell: a look that showed somebody, and right behind it the same look
    /// under the other number, as an answer told it. A claim tells nothing, whatever became of it.
    pub fn told_by(drafts: &[UsageDraft]) -> impl Iterator<Item = Self> {
        drafts.windows(2).filter_map(|pair| match pair {
            [look, again] => Self::of(look, again),
            _ => None,
        })
    }

    fn of(look: &UsageDraft, again: &UsageDraft) -> Option<Self> {
        let is_look = look.kind == UsageKind::Disclose
            && look.outcome == UsageOutcome::Disclosed
            && !look.as_relative;
        let is_same = again.is_under_other_number()
            && (again.kind, again.outcome) == (look.kind, look.outcome)
            && again.request_id == look.request_id;
        let (one, other) = (look.subject?, again.subject?);
        (is_look && is_same && one != other).then_some(Self { one, other })
    }
}
