//! Questions about citizens and their answers.

use lienthong_domain::identity::{
    BirthDate, Citizen, Claims, Field, FieldSet, FullName, IdNumber, Inquiry, NameLevel,
    OfficialId, OldNumber, Place, PurposeCode, Relative, Sex, Verdict, Verification,
};
use lienthong_domain::time::local_date;
use lienthong_domain::{DossierCode, Faults, Private, Reason, Text, Timestamp};
use lienthong_ports::identity::{ItemAnswer, JobRow, UsageRow};
use lienthong_proto::identity::v1 as proto;

use super::{instant_to_proto, private, text, under};

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

/// What is claimed of a person.
pub(crate) fn claims_from_proto(
    raw: &proto::Claims,
    now: Timestamp,
    faults: &mut Faults,
) -> Option<Claims> {
    let number = faults.check("number", IdNumber::parse(&raw.number));
    let name = faults.check("full_name", FullName::parse(&raw.full_name));
    let birth = BirthDate::parse(&raw.birth_date)
        .and_then(|birth| birth.not_after(local_date(now)).map(|()| birth));
    let birth = faults.check("birth_date", birth);
    let sex = match proto::Sex::try_from(raw.sex) {
        Ok(proto::Sex::Unspecified) => None,
        Ok(proto::Sex::Male) => Some(Sex::Male),
        Ok(proto::Sex::Female) => Some(Sex::Female),
        Err(_) => faults.check("sex", Err(Reason::UnknownCode { what: "Sex" })),
    };
    let ethnicity = text(faults, "ethnicity_code", &raw.ethnicity_code);
    let claimed = !raw.old_number.trim().is_empty();
    let old = claimed.then(|| faults.check("old_number", OldNumber::parse(&raw.old_number)));
    if let (Some(Some(_)), Some(IdNumber::Old(_))) = (&old, &number) {
        faults.push("old_number", Reason::Conflict { with: "number" });
    }
    let home_town = private(faults, "home_town", &raw.home_town);
    let permanent_residence = private(faults, "permanent_residence", &raw.permanent_residence);
    Some(Claims {
        sex,
        ethnicity,
        old_number: old.flatten(),
        home_town,
        permanent_residence,
        ..Claims::key(number?, name?, birth?)
    })
}

/// The fields wanted of a record.
///
/// # Errors
/// None named, too many, or one that the contract does not have.
pub(crate) fn fields_from_proto(raw: &[i32]) -> Result<FieldSet, Faults> {
    let max = Field::ALL.len();
    match raw.len() {
        0 => return Err(Faults::one("fields", Reason::Missing)),
        actual if actual > max => {
            return Err(Faults::one("fields", Reason::TooMany { max, actual }));
        }
        _ => {}
    }
    let mut faults = Faults::new();
    let mut fields = FieldSet::EMPTY;
    for (index, code) in raw.iter().enumerate() {
        match Field::from_code(*code) {
            Some(field) => fields.insert(field),
            None => faults.push(
                format!("fields[{index}]"),
                Reason::UnknownCode {
                    what: "CitizenField",
                },
            ),
        }
    }
    if faults.is_empty() {
        Ok(fields)
    } else {
        Err(faults)
    }
}

pub(crate) fn fields_to_proto(fields: FieldSet) -> Vec<i32> {
    fields.iter().map(|field| i32::from(field.code())).collect()
}

pub(crate) fn verification_to_proto(verification: &Verification) -> proto::Verification {
    let level = match verification.name_level {
        Some(NameLevel::Exact) => proto::NameLevel::Exact,
        Some(NameLevel::ToneStyle) => proto::NameLevel::ToneStyle,
        Some(NameLevel::NoDiacritics) => proto::NameLevel::NoDiacritics,
        Some(NameLevel::Different) | None => proto::NameLevel::Unspecified,
    };
    let fields = verification.fields.iter();
    proto::Verification {
        verdict: verdict_to_proto(verification.verdict).into(),
        fields: fields
            .map(|(field, verdict)| proto::FieldVerdict {
                field: field.code().into(),
                verdict: verdict_to_proto(*verdict).into(),
            })
            .collect(),
        name_level: level.into(),
    }
}

fn verdict_to_proto(verdict: Verdict) -> proto::Verdict {
    match verdict {
        Verdict::Match => proto::Verdict::Match,
        Verdict::NoMatch => proto::Verdict::NoMatch,
        Verdict::Undecided => proto::Verdict::Undecided,
    }
}

/// The record; absent fields stay empty.
pub(crate) fn citizen_to_proto(citizen: &Citizen) -> proto::Citizen {
    let sex = match citizen.sex {
        Some(Sex::Male) => proto::Sex::Male,
        Some(Sex::Female) => proto::Sex::Female,
        None => proto::Sex::Unspecified,
    };
    let number = citizen.citizen_number.as_ref();
    let old_number = citizen.old_number.as_ref();
    proto::Citizen {
        citizen_number: number.map_or_else(String::new, |number| number.as_str().to_owned()),
        old_number: old_number.map_or_else(String::new, |number| number.as_str().to_owned()),
        full_name: private_to_proto(citizen.full_name.as_ref()),
        birth_date: citizen.birth_date.map(BirthDate::iso).unwrap_or_default(),
        sex: sex.into(),
        ethnicity_code: text_to_proto(citizen.ethnicity.as_ref()),
        religion_code: text_to_proto(citizen.religion.as_ref()),
        marital_status_code: text_to_proto(citizen.marital_status.as_ref()),
        blood_group_code: text_to_proto(citizen.blood_group.as_ref()),
        nationality_code: text_to_proto(citizen.nationality.as_ref()),
        birth_registration: citizen.birth_registration.as_ref().map(place_to_proto),
        home_town: citizen.home_town.as_ref().map(place_to_proto),
        permanent_residence: citizen.permanent_residence.as_ref().map(place_to_proto),
        current_residence: citizen.current_residence.as_ref().map(place_to_proto),
        father: citizen.father.as_ref().map(relative_to_proto),
        mother: citizen.mother.as_ref().map(relative_to_proto),
        spouse: citizen.spouse.as_ref().map(relative_to_proto),
        representative: citizen.representative.as_ref().map(relative_to_proto),
        household_head: citizen.household_head.as_ref().map(relative_to_proto),
        household_number: private_to_proto(citizen.household_number.as_ref()),
    }
}

fn place_to_proto(place: &Place) -> proto::Place {
    proto::Place {
        province_code: text_to_proto(place.province.as_ref()),
        district_code: text_to_proto(place.district.as_ref()),
        commune_code: text_to_proto(place.commune.as_ref()),
        detail: private_to_proto(place.detail.as_ref()),
        country_code: text_to_proto(place.country.as_ref()),
    }
}

fn relative_to_proto(relative: &Relative) -> proto::Relative {
    let number = relative.citizen_number.as_ref();
    let old_number = relative.old_number.as_ref();
    proto::Relative {
        full_name: private_to_proto(relative.full_name.as_ref()),
        citizen_number: number.map_or_else(String::new, |number| number.as_str().to_owned()),
        old_number: old_number.map_or_else(String::new, |number| number.as_str().to_owned()),
        nationality_code: text_to_proto(relative.nationality.as_ref()),
        relation_code: text_to_proto(relative.relation.as_ref()),
    }
}

fn text_to_proto<const MAX: usize>(text: Option<&Text<MAX>>) -> String {
    text.map_or_else(String::new, |text| text.as_str().to_owned())
}

fn private_to_proto<const MAX: usize>(text: Option<&Private<Text<MAX>>>) -> String {
    text.map_or_else(String::new, |text| text.expose().as_str().to_owned())
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
