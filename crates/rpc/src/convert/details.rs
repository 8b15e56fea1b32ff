//! The details of a dossier. Bounds are the domain's; the contract's comments repeat them.

mod lists;

use lienthong_domain::channel::{ApplicantKind, Channel};
use lienthong_domain::details::{DossierDetails, PrivateText};
use lienthong_domain::{Faults, ProcedureCode, Text};
use lienthong_proto::dossier::v1 as proto;

use super::{instant, instant_to_proto, listed, private, private_lines, text, under};

/// What the contract's number of an enumeration has above the portal's where the portal's numbers start at 0.
const SHIFTED: i32 = 1;

/// Reads details; faults are noted against paths within them.
pub(crate) fn from_proto(found: &proto::DossierDetails, faults: &mut Faults) -> DossierDetails {
    let mut details = DossierDetails {
        channel: listed(faults, "channel", found.channel, 0),
        return_method: listed(faults, "return_method", found.return_method, SHIFTED),
        has_digitised_components: found.has_digitised_components,
        identified_by_vneid: found.identified_by_vneid,
        online_payment: listed(faults, "online_payment", found.online_payment, SHIFTED),
        ..DossierDetails::default()
    };
    read_texts(&mut details, found, faults);
    if let Some(applicant) = &found.applicant {
        under(
            faults,
            || "applicant".into(),
            |own| read_applicant(&mut details, applicant, own),
        );
    }
    read_dates(&mut details, found, faults);
    lists::read(&mut details, found, faults);
    details
}

/// An absent text reads as an empty one: both leave the earlier value.
fn given(text: Option<&String>) -> &str {
    text.map_or("", String::as_str)
}

fn read_texts(details: &mut DossierDetails, found: &proto::DossierDetails, faults: &mut Faults) {
    let procedure = given(found.procedure_code.as_ref());
    if !procedure.is_empty() {
        details.procedure_code = faults.check("procedure_code", ProcedureCode::parse(procedure));
    }
    details.procedure_name = text(
        faults,
        "procedure_name",
        given(found.procedure_name.as_ref()),
    );
    details.field_code = text(faults, "field_code", given(found.field_code.as_ref()));
    details.field_name = text(faults, "field_name", given(found.field_name.as_ref()));
    details.receipt_number = text(
        faults,
        "receipt_number",
        given(found.receipt_number.as_ref()),
    );
    details.handling_unit = text(faults, "handling_unit", given(found.handling_unit.as_ref()));
    details.filed_at_code = text(faults, "filed_at_code", given(found.filed_at_code.as_ref()));
    details.summary = private_lines(faults, "summary", given(found.summary.as_ref()));
    details.other_information = private_lines(
        faults,
        "other_information",
        given(found.other_information.as_ref()),
    );
    details.remark = private_lines(faults, "remark", given(found.remark.as_ref()));
    details.return_information = private_lines(
        faults,
        "return_information",
        given(found.return_information.as_ref()),
    );
}

fn read_applicant(details: &mut DossierDetails, found: &proto::Applicant, faults: &mut Faults) {
    details.applicant_name = private(faults, "name", given(found.name.as_ref()));
    details.applicant_document = private(
        faults,
        "identity_document",
        given(found.identity_document.as_ref()),
    );
    details.applicant_kind = listed(faults, "kind", found.kind, 0);
    details.applicant_technical_id =
        private(faults, "technical_id", given(found.technical_id.as_ref()));
    details.identities = lists::identities(found, faults);
    details.email = private(faults, "email", given(found.email.as_ref()));
    details.fax = private(faults, "fax", given(found.fax.as_ref()));
    details.phone = private(faults, "phone", given(found.phone.as_ref()));
}

fn read_dates(details: &mut DossierDetails, found: &proto::DossierDetails, faults: &mut Faults) {
    details.submitted_at = instant(faults, "submitted_at", found.submitted_at.as_ref());
    details.received_at = instant(faults, "received_at", found.received_at.as_ref());
    details.due_at = instant(faults, "due_at", found.due_at.as_ref());
    details.finished_at = instant(faults, "finished_at", found.finished_at.as_ref());
    details.returned_at = instant(faults, "returned_at", found.returned_at.as_ref());
    details.refused_at = instant(faults, "refused_at", found.refused_at.as_ref());
}

/// The contract's form of details.
pub(crate) fn to_proto(details: &DossierDetails) -> proto::DossierDetails {
    let list = lists::to_proto(details);
    proto::DossierDetails {
        procedure_code: details.procedure_code.as_ref().map(ToString::to_string),
        procedure_name: shown(details.procedure_name.as_ref()),
        field_code: shown(details.field_code.as_ref()),
        field_name: shown(details.field_name.as_ref()),
        channel: details.channel.map_or(0, Channel::code),
        applicant: applicant_to_proto(details),
        summary: exposed(details.summary.as_ref()),
        other_information: exposed(details.other_information.as_ref()),
        remark: exposed(details.remark.as_ref()),
        receipt_number: shown(details.receipt_number.as_ref()),
        return_information: exposed(details.return_information.as_ref()),
        submitted_at: details.submitted_at.map(instant_to_proto),
        received_at: details.received_at.map(instant_to_proto),
        due_at: details.due_at.map(instant_to_proto),
        finished_at: details.finished_at.map(instant_to_proto),
        returned_at: details.returned_at.map(instant_to_proto),
        refused_at: details.refused_at.map(instant_to_proto),
        return_method: details
            .return_method
            .map_or(0, |method| method.code() + SHIFTED),
        handling_unit: shown(details.handling_unit.as_ref()),
        filed_at_code: shown(details.filed_at_code.as_ref()),
        has_digitised_components: details.has_digitised_components,
        identified_by_vneid: details.identified_by_vneid,
        online_payment: details
            .online_payment
            .map_or(0, |paid| paid.code() + SHIFTED),
        ..list
    }
}

fn applicant_to_proto(details: &DossierDetails) -> Option<proto::Applicant> {
    let applicant = proto::Applicant {
        name: exposed(details.applicant_name.as_ref()),
        identity_document: exposed(details.applicant_document.as_ref()),
        kind: details.applicant_kind.map_or(0, ApplicantKind::code),
        technical_id: exposed(details.applicant_technical_id.as_ref()),
        identities: lists::identities_to_proto(details),
        email: exposed(details.email.as_ref()),
        fax: exposed(details.fax.as_ref()),
        phone: exposed(details.phone.as_ref()),
    };
    (applicant != proto::Applicant::default()).then_some(applicant)
}

fn shown<const MAX: usize>(text: Option<&Text<MAX>>) -> Option<String> {
    text.map(Text::to_string)
}

fn exposed<const MAX: usize>(text: Option<&PrivateText<MAX>>) -> Option<String> {
    text.map(|text| text.expose().to_string())
}
