//! Questions about citizens and their answers.

use lienthong_convert::{fields_to_proto, verification_to_proto};
use lienthong_domain::identity::{BirthDate, Claims, FieldSet, Inquiry, OfficialId, PurposeCode};
use lienthong_domain::time::local_date;
use lienthong_domain::{DossierCode, Faults, Reason, Timestamp};
use lienthong_ports::identity::{ItemAnswer, JobRow, UsageRow};
use lienthong_proto::identity::v1 as proto;

use super::{instant_to_proto, under};

/// Why and about whom: what every question begins with.
///
/// # Errors
/// Every fault, with paths within the request.
pub(crate) fn question(
    inquiry: Option<&proto::Inquiry>,
    claims: Option<&proto::Claims>,
    now: Timestamp,
) -> Result<(Inquiry, Claims), Faults> {
    let mut faults = Faults::new();
    let inquiry = under(
        &mut faults,
        || "inquiry".to_owned(),
        |own| inquiry_from_proto(inquiry, own),
    );
    let claims = under(
        &mut faults,
        || "claims".to_owned(),
        |own| match claims {
            Some(claims) => claims_from_proto(claims, now, own),
            None => own.check("", Err(Reason::Missing)),
        },
    );
    match (inquiry, claims) {
        (Some(inquiry), Some(claims)) if faults.is_empty() => Ok((inquiry, claims)),
        _ => Err(faults),
    }
}

/// Why somebody asks.
pub(crate) fn inquiry_from_proto(
    raw: Option<&proto::Inquiry>,
    faults: &mut Faults,
) -> Option<Inquiry> {
    let Some(raw) = raw else {
        return faults.check("", Err(Reason::Missing));
    };
    let purpose = faults.check("purpose_code", PurposeCode::parse(&raw.purpose_code));
    let official = faults.check("official_id", OfficialId::parse(&raw.official_id));
    let named = !raw.dossier_code.trim().is_empty();
    let dossier =
        named.then(|| faults.check("dossier_code", DossierCode::parse(&raw.dossier_code)));
    Some(Inquiry {
        purpose: purpose?,
        official: official?,
        dossier: dossier.flatten(),
    })
}

/// What is claimed of a person, whose birth must not lie ahead of us.
pub(crate) fn claims_from_proto(
    raw: &proto::Claims,
    now: Timestamp,
    faults: &mut Faults,
) -> Option<Claims> {
    if let Ok(birth) = BirthDate::parse(&raw.birth_date) {
        faults.check("birth_date", birth.not_after(local_date(now)));
    }
    let claims = lienthong_convert::claims_from_proto(raw);
    claims.map_err(|more| faults.extend(more)).ok()
}

/// The fields wanted of a record.
///
/// # Errors
/// None named, too many, or one that the contract does not have.
pub(crate) fn fields_from_proto(raw: &[i32]) -> Result<FieldSet, Faults> {
    if raw.is_empty() {
        return Err(Faults::one("fields", Reason::Missing));
    }
    lienthong_convert::fields_from_proto(raw).map_err(|own| {
        let mut faults = Faults::new();
        faults.extend_under("fields", own);
        faults
    })
}

pub(crate) fn usage_to_proto(row: &UsageRow) -> proto::UsageRecord {
    let record = &row.record;
    let dossier = record.dossier.as_ref();
    let number = |code: i64| i32::try_from(code).unwrap_or_default();
    proto::UsageRecord {
        usage_id: row.id.0.to_string(),
        at: Some(instant_to_proto(record.at)),
        participant_id: record.asker.participant.to_string(),
        system: record.asker.system.to_string(),
        official_id: record.asker.official.to_string(),
        purpose_code: record.purpose.to_string(),
        dossier_code: dossier.map(ToString::to_string).unwrap_or_default(),
        kind: number(record.kind.code()),
        outcome: number(record.outcome.code()),
        reason: record.reason.map_or("", |code| code.name()).to_owned(),
        asked_fields: fields_to_proto(record.asked),
        shown_fields: fields_to_proto(record.shown),
        as_relative: record.as_relative,
        subject_ref: record
            .subject
            .map(|subject| subject.to_string())
            .unwrap_or_default(),
    }
}

pub(crate) fn job_to_proto(job: &JobRow) -> proto::VerificationJob {
    let dossier = job.inquiry.dossier.as_ref();
    proto::VerificationJob {
        job_id: job.id.to_string(),
        idempotency_key: job.key.clone(),
        inquiry: Some(proto::Inquiry {
            purpose_code: job.inquiry.purpose.to_string(),
            official_id: job.inquiry.official.to_string(),
            dossier_code: dossier.map(ToString::to_string).unwrap_or_default(),
        }),
        state: i32::try_from(job.state.code()).unwrap_or_default(),
        state_reason: job.state_reason.map_or("", |code| code.name()).to_owned(),
        items_total: job.items_total,
        items_received: job.items_received,
        items_answered: job.items_answered(),
        items_matched: job.items_matched,
        items_not_matched: job.items_not_matched,
        items_undecided: job.items_undecided,
        items_failed: job.items_failed,
        created_at: Some(instant_to_proto(job.created_at)),
        finished_at: job.finished_at.map(instant_to_proto),
        erase_at: job.erase_at.map(instant_to_proto),
    }
}

pub(crate) fn answer_to_proto(answer: &ItemAnswer) -> proto::ListVerificationResultsResponse {
    use proto::list_verification_results_response::Result as Found;
    proto::ListVerificationResultsResponse {
        position: answer.position,
        result: Some(match &answer.result {
            Ok(verification) => Found::Verification(verification_to_proto(verification)),
            Err(code) => Found::Failure(code.name().to_owned()),
        }),
        usage_id: answer
            .usage
            .map(|usage| usage.0.to_string())
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
