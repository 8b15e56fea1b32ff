//! What came of a verification.

use lienthong_domain::identity::{Claims, Field, NameLevel, Verdict, Verification};
use lienthong_proto::identity::v1 as proto;

/// The verification in the contract's form.
pub fn verification_to_proto(verification: &Verification) -> proto::Verification {
    let level = match verification.name_level {
        None | Some(NameLevel::Different) => proto::NameLevel::Unspecified,
        Some(NameLevel::Exact) => proto::NameLevel::Exact,
        Some(NameLevel::ToneStyle) => proto::NameLevel::ToneStyle,
        Some(NameLevel::NoDiacritics) => proto::NameLevel::NoDiacritics,
    };
    let fields = verification.fields.iter();
    proto::Verification {
        verdict: verdict_to_proto(verification.verdict),
        fields: fields
            .map(|(field, verdict)| proto::FieldVerdict {
                field: i32::from(field.code()),
                verdict: verdict_to_proto(*verdict),
            })
            .collect(),
        name_level: level.into(),
    }
}

/// The answer to `claims` that an adapter gave; one verdict for each claimed field, in their order, and none that
/// says more than the verdict on the person allows.
///
/// # Errors
/// What is wrong with it.
pub fn verification_from_proto(
    message: &proto::Verification,
    claims: &Claims,
) -> Result<Verification, &'static str> {
    let verdict = verdict_from_proto(message.verdict).ok_or("verdict is missing")?;
    if verdict == Verdict::NoMatch {
        // Whatever it says beside, an unknown person and a wrong claim must look alike.
        return Ok(Verification::no_match(claims));
    }
    let name_level = match proto::NameLevel::try_from(message.name_level) {
        Ok(proto::NameLevel::Unspecified) => None,
        Ok(proto::NameLevel::Exact) => Some(NameLevel::Exact),
        Ok(proto::NameLevel::ToneStyle) => Some(NameLevel::ToneStyle),
        Ok(proto::NameLevel::NoDiacritics) => Some(NameLevel::NoDiacritics),
        Err(_) => return Err("name_level is unknown"),
    };
    let mut fields = Vec::with_capacity(message.fields.len());
    for told in &message.fields {
        let field = Field::from_code(told.field).ok_or("a field is unknown")?;
        let told = verdict_from_proto(told.verdict).ok_or("a field has no verdict")?;
        if verdict != Verdict::Match && told == Verdict::Match {
            return Err("a field matches where the person does not");
        }
        fields.push((field, told));
    }
    let claimed = claims.fields().iter();
    if !fields.iter().map(|(field, _)| *field).eq(claimed) {
        return Err("its fields are not those that were claimed");
    }
    Ok(Verification {
        verdict,
        name_level,
        fields,
    })
}

fn verdict_to_proto(verdict: Verdict) -> i32 {
    let verdict = match verdict {
        Verdict::Match => proto::Verdict::Match,
        Verdict::NoMatch => proto::Verdict::NoMatch,
        Verdict::Undecided => proto::Verdict::Undecided,
    };
    verdict.into()
}

fn verdict_from_proto(number: i32) -> Option<Verdict> {
    match proto::Verdict::try_from(number).ok()? {
        proto::Verdict::Unspecified => None,
        proto::Verdict::Match => Some(Verdict::Match),
        proto::Verdict::NoMatch => Some(Verdict::NoMatch),
        proto::Verdict::Undecided => Some(Verdict::Undecided),
    }
}
