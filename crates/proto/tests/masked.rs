//! Fills every field of a message by its descriptor and looks at what `Debug` lets through, so that a field added later
//! is hidden until somebody decides otherwise here.

use std::collections::BTreeSet;

use lienthong_proto::FILE_DESCRIPTOR_SET;
use lienthong_proto::dossier::v1::{PushStatusRequest, StatusEvent, TimelineEntry};
use lienthong_proto::identity::v1::{
    GetCitizenRequest, GetCitizenResponse, ListUsageRequest, VerifyCitizenRequest,
};
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use prost_types::field_descriptor_proto::Type;
use prost_types::{DescriptorProto, FileDescriptorSet};

/// What every text starts with; the name of its field follows.
const MARK: &str = "Nguyễn-Thị-Hoà/";

/// The texts of a status event that may be printed.
const HARMLESS: [&str; 10] = [
    "StatusEvent.dossier_code",
    "DossierDetails.field_code",
    "DossierDetails.procedure_code",
    "DatabaseLink.code",
    "Fee.code",
    "Fee.collection_code",
    "Fee.name",
    "OtherPaper.kind_code",
    "SubmittedDocument.component_code",
    "Supplement.state_code",
];

/// The same for the papers of the result.
const HARMLESS_RESULT: [&str; 2] = ["ResultPaper.component_code", "ResultPaper.result_code"];

#[test]
fn a_status_event_prints_codes_only() {
    let allowed: BTreeSet<String> = HARMLESS
        .iter()
        .chain(&HARMLESS_RESULT)
        .map(|&name| name.to_owned())
        .collect();
    assert_eq!(shown(&filled::<StatusEvent>("StatusEvent")), allowed);
    assert_eq!(
        shown(&filled::<PushStatusRequest>("PushStatusRequest")),
        allowed
    );
}

#[test]
fn a_timeline_entry_prints_neither_officers_nor_answers() {
    let allowed = ["event_id", "system"].map(|field| format!("TimelineEntry.{field}"));
    let of_delivery = ["destination", "parked_reason"].map(|field| format!("Delivery.{field}"));
    let expected: BTreeSet<String> = allowed
        .into_iter()
        .chain(of_delivery)
        .chain(["Attempt.answer_code".to_owned()])
        .collect();
    assert_eq!(shown(&filled::<TimelineEntry>("TimelineEntry")), expected);
}

#[test]
fn questions_about_citizens_print_why_and_never_whom() {
    let inquiry = [
        "Inquiry.purpose_code",
        "Inquiry.official_id",
        "Inquiry.dossier_code",
    ];
    let of = |more: &[&str]| -> BTreeSet<String> {
        let all = inquiry.iter().chain(more);
        all.map(|&name| name.to_owned()).collect()
    };
    let verify = filled::<VerifyCitizenRequest>("VerifyCitizenRequest");
    assert_eq!(shown(&verify), of(&[]));
    let get = filled::<GetCitizenRequest>("GetCitizenRequest");
    assert_eq!(shown(&get), of(&[]));
    let usage = filled::<ListUsageRequest>("ListUsageRequest");
    assert_eq!(shown(&usage), of(&["ListUsageRequest.participant_id"]));
}

#[test]
fn a_citizen_prints_nothing() {
    let answer = filled::<GetCitizenResponse>("GetCitizenResponse");
    let harmless = ["usage_id", "subject_ref"].map(|field| format!("GetCitizenResponse.{field}"));
    assert_eq!(shown(&answer), harmless.into_iter().collect());
    let citizen = answer.citizen.expect("filled");
    let father = citizen.father.expect("filled");
    assert_eq!(
        father.citizen_number,
        format!("{MARK}Relative.citizen_number;")
    );
}

#[test]
fn the_filled_event_reaches_the_deepest_field() {
    let event = filled::<StatusEvent>("StatusEvent");
    let applicant = event.details.expect("filled").applicant.expect("filled");
    let number = &applicant.identities.expect("filled").items[0].number;
    assert_eq!(number, &format!("{MARK}Identity.number;"));
}

/// The fields whose marked text appears in the debug form.
fn shown(message: &impl std::fmt::Debug) -> BTreeSet<String> {
    let printed = format!("{message:?}");
    let marked = printed.split(MARK).skip(1);
    marked
        .map(|rest| rest.split(';').next().unwrap_or(rest).to_owned())
        .collect()
}

/// A message of the dossier or the identity area with every text set to its own name, and every other message field present.
fn filled<M: Message + Default>(name: &str) -> M {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("build.rs encoded it");
    let messages: Vec<DescriptorProto> = set
        .file
        .into_iter()
        .filter(|file| ["lienthong.dossier.v1", "lienthong.identity.v1"].contains(&file.package()))
        .flat_map(|file| file.message_type)
        .collect();
    M::decode(&*encode_filled(&messages, name)).expect("encoded by the descriptor")
}

/// Recursion ends because no message of the contract contains itself.
fn encode_filled(messages: &[DescriptorProto], name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    let Some(message) = messages.iter().find(|found| found.name() == name) else {
        return wire; // A Timestamp or a Duration.
    };
    for field in &message.field {
        let content = match field.r#type() {
            Type::String => format!("{MARK}{name}.{};", field.name()).into_bytes(),
            Type::Message => {
                let inner = field.type_name().rsplit('.').next().unwrap_or_default();
                encode_filled(messages, inner)
            }
            _ => continue,
        };
        let number = u32::try_from(field.number()).expect("field numbers are positive");
        encode_key(number, WireType::LengthDelimited, &mut wire);
        encode_varint(u64::try_from(content.len()).expect("short"), &mut wire);
        wire.extend(content);
    }
    wire
}
