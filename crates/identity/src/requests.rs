//! What is asked of identity, and what it answers.

use std::sync::Arc;

use lienthong_domain::identity::{
    Citizen, Claims, FieldSet, IdNumber, Inquiry, JobId, Mode, OfficialId, Pseudonym, PurposeCode,
    UsageId, Verification,
};
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{DossierCode, ErrorCode, Timestamp, TraceContext};
use lienthong_ports::identity::UsageRow;

/// Are these claims right?
#[derive(Debug)]
pub struct Verify {
    /// Why.
    pub inquiry: Inquiry,
    /// What is claimed.
    pub claims: Claims,
    /// Make a job of it when the database cannot be asked; not when the caller left it too little time.
    pub defer_if_unavailable: bool,
    /// Names the request in logs and records, 1..=64 of `A-Z a-z 0-9 -`.
    pub request_id: String,
    /// The caller's span, if it told one.
    pub trace: Option<TraceContext>,
}

/// The answer to [`Verify`].
#[derive(Debug)]
pub struct Verified {
    /// The answer; none when deferred.
    pub verification: Option<Verification>,
    /// The record of this look.
    pub usage: UsageId,
    /// The citizen, as this participant knows them: another pseudonym for each participant.
    pub subject_ref: Pseudonym,
    /// The job that asks later, when deferred.
    pub deferred: Option<JobId>,
}

/// What does the record say?
#[derive(Debug)]
pub struct LookUpRequest {
    /// Why.
    pub inquiry: Inquiry,
    /// Number, name and birth date; other claims are not compared.
    pub claims: Claims,
    /// The fields wanted.
    pub fields: FieldSet,
    /// As in [`Verify`].
    pub request_id: String,
    /// The caller's span, if it told one.
    pub trace: Option<TraceContext>,
}

/// The answer to [`LookUpRequest`].
#[derive(Debug)]
pub struct Disclosed {
    /// The record, with the fields of `shown`.
    pub citizen: Citizen,
    /// Fields wanted, granted and recorded.
    pub shown: FieldSet,
    /// Fields wanted and not granted.
    pub withheld: FieldSet,
    /// The record of this look.
    pub usage: UsageId,
    /// As in [`Verified`].
    pub subject_ref: Pseudonym,
}

/// Who looked at a citizen?
#[derive(Debug)]
pub struct UsageRequest {
    /// Why.
    pub inquiry: Inquiry,
    /// The citizen; only operators may leave it out.
    pub number: Option<IdNumber>,
    /// By this participant; operators only.
    pub participant: Option<ParticipantId>,
    /// At or after.
    pub since: Option<Timestamp>,
    /// Below this record: where the last page ended.
    pub before: Option<UsageId>,
    /// At most so many records; no more than `ports::store::ITEMS_MAX` come.
    pub limit: usize,
    /// As in [`Verify`].
    pub request_id: String,
}

/// The answer to [`UsageRequest`].
#[derive(Debug)]
pub struct UsagePage {
    /// The records, newest first. Their subjects are pseudonyms of the gateway for operators, and for anybody else
    /// the one by which the participant knows the citizen.
    pub rows: Vec<UsageRow>,
    /// The record of this look.
    pub usage: UsageId,
}

/// Would this be allowed, and why not?
#[derive(Debug)]
pub struct GrantCheck {
    /// Who would ask.
    pub participant: ParticipantId,
    /// With which system.
    pub system: Arc<str>,
    /// Which official; `None` looks at the system only.
    pub official: Option<OfficialId>,
    /// Why.
    pub purpose: PurposeCode,
    /// What.
    pub mode: Mode,
    /// Which fields: claimed beyond the key, or wanted.
    pub fields: FieldSet,
    /// For which dossier.
    pub dossier: Option<DossierCode>,
}

/// The answer to [`GrantCheck`].
#[derive(Debug)]
pub struct Checked {
    /// The fields that may be claimed or shown, or the code of the refusal.
    pub result: Result<FieldSet, ErrorCode>,
    /// Fields asked for that are not granted.
    pub withheld: FieldSet,
    /// What was looked at, with its result, one sentence each.
    pub steps: Vec<String>,
}
