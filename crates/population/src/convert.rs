//! The question of the adapter's contract; what it shares with the gateway's own contract is in `lienthong-convert`.

use lienthong_convert::given;
use lienthong_domain::identity::OfficialId;
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{Faults, ProcedureCode, Reason};
use lienthong_ports::Question;
use lienthong_proto::population::v1 as proto;

/// Longest request id, in characters.
const REQUEST_ID_CHARS_MAX: usize = 64;

/// The question in the contract's form.
pub fn question_to_proto(question: &Question) -> proto::Question {
    let procedure = question.procedure.as_ref().map(ToString::to_string);
    proto::Question {
        request_id: question.request_id.clone(),
        participant_id: question.participant.to_string(),
        official_id: question.official.to_string(),
        procedure_code: procedure.unwrap_or_default(),
    }
}

/// The question of a request, without the trace, which is metadata.
///
/// # Errors
/// Every fault, by the contract's names of the fields.
pub fn question_from_proto(message: &proto::Question) -> Result<Question, Faults> {
    let mut faults = Faults::new();
    let request_id = faults.check("request_id", request_id(&message.request_id));
    let participant = ParticipantId::parse(&message.participant_id);
    let participant = faults.check("participant_id", participant);
    let official = faults.check("official_id", OfficialId::parse(&message.official_id));
    let procedure = given(&message.procedure_code).map(ProcedureCode::parse);
    let procedure = faults.check("procedure_code", procedure.transpose());
    let (Some(request_id), Some(participant), Some(official)) = (request_id, participant, official)
    else {
        return Err(faults);
    };
    faults.into_result(Question {
        request_id,
        participant,
        official,
        procedure: procedure.flatten(),
        trace: None,
    })
}

fn request_id(text: &str) -> Result<String, Reason> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if text.is_empty() {
        return Err(Reason::Missing);
    }
    if text.len() > REQUEST_ID_CHARS_MAX || !text.bytes().all(allowed) {
        return Err(Reason::BadForm {
            expected: "A-Z a-z 0-9 -, 1..64",
        });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
