//! Our events as messages of the contract: what a province's own software would fill in.

use lienthong_domain::channel::Channel;
use lienthong_domain::details::{Fee, Identity, PrivateText, ResultPaper, Supplement};
use lienthong_domain::event::Progress;
use lienthong_domain::money::Vnd;
use lienthong_domain::{DossierDetails, StatusEvent, Text, Timestamp};
use lienthong_proto::dossier::v1 as proto;

/// The event as a message. Fields that the demo never fills are left out.
pub(super) fn of(event: &StatusEvent) -> proto::StatusEvent {
    proto::StatusEvent {
        idempotency_key: event.key.as_str().to_owned(),
        dossier_code: event.dossier.as_str().to_owned(),
        status: event.status.code(),
        occurred_at: Some(instant(event.occurred_at)),
        source_sequence: event.source_sequence,
        progress: event.progress.as_ref().map(progress),
        details: event.details.as_ref().map(details),
    }
}

fn progress(line: &Progress) -> proto::ProgressLine {
    proto::ProgressLine {
        officer_name: private(&line.officer_name),
        officer_title: text(line.officer_title.as_ref()),
        unit_name: text(line.unit_name.as_ref()),
        note: private(&line.note),
        started_at: line.started_at.map(instant),
        due_at: line.due_at.map(instant),
    }
}

fn details(from: &DossierDetails) -> proto::DossierDetails {
    proto::DossierDetails {
        procedure_code: from.procedure_code.as_ref().map(ToString::to_string),
        procedure_name: from.procedure_name.as_ref().map(ToString::to_string),
        field_code: from.field_code.as_ref().map(ToString::to_string),
        field_name: from.field_name.as_ref().map(ToString::to_string),
        channel: from.channel.map_or(0, Channel::code),
        applicant: applicant(from),
        summary: from.summary.as_ref().map(private),
        submitted_at: from.submitted_at.map(instant),
        received_at: from.received_at.map(instant),
        due_at: from.due_at.map(instant),
        finished_at: from.finished_at.map(instant),
        returned_at: from.returned_at.map(instant),
        refused_at: from.refused_at.map(instant),
        // These two lists of the portal begin with 0, the contract's with 1.
        return_method: from.return_method.map_or(0, |method| method.code() + 1),
        online_payment: from.online_payment.map_or(0, |payment| payment.code() + 1),
        handling_unit: from.handling_unit.as_ref().map(ToString::to_string),
        filed_at_code: from.filed_at_code.as_ref().map(ToString::to_string),
        has_digitised_components: from.has_digitised_components,
        identified_by_vneid: from.identified_by_vneid,
        fees: from.fees.as_ref().map(|items| proto::FeeList {
            items: each(items, fee),
        }),
        supplements: from
            .supplements
            .as_ref()
            .map(|items| proto::SupplementList {
                items: each(items, supplement),
            }),
        results: from.results.as_ref().map(|items| proto::ResultPaperList {
            items: each(items, result),
        }),
        ..proto::DossierDetails::default()
    }
}

fn applicant(from: &DossierDetails) -> Option<proto::Applicant> {
    let kind = from.applicant_kind?;
    let identities = |items: &Vec<Identity>| proto::IdentityList {
        items: each(items, identity),
    };
    Some(proto::Applicant {
        name: from.applicant_name.as_ref().map(private),
        identity_document: from.applicant_document.as_ref().map(private),
        kind: kind.code(),
        identities: from.identities.as_ref().map(identities),
        phone: from.phone.as_ref().map(private),
        ..proto::Applicant::default()
    })
}

fn identity(from: &Identity) -> proto::Identity {
    proto::Identity {
        kind: from.kind.code(),
        number: private(&from.number),
    }
}

fn fee(from: &Fee) -> proto::Fee {
    let kind = from
        .kind_code
        .as_ref()
        .and_then(|code| code.as_str().parse().ok());
    proto::Fee {
        name: text(from.name.as_ref()),
        code: text(from.code.as_ref()),
        collection_code: text(from.collection_code.as_ref()),
        amount_vnd: from.amount.map_or(0, Vnd::dong),
        kind: kind.unwrap_or(0),
    }
}

fn supplement(from: &Supplement) -> proto::Supplement {
    proto::Supplement {
        supplement_id: text(from.id.as_ref()),
        requested_by: from.requested_by.as_ref().map(private).unwrap_or_default(),
        request: from.content.as_ref().map(private).unwrap_or_default(),
        requested_at: from.requested_at.map(instant),
        received_by: from.received_by.as_ref().map(private).unwrap_or_default(),
        received_at: from.received_at.map(instant),
        state_code: text(from.state_code.as_ref()),
        ..proto::Supplement::default()
    }
}

fn result(from: &ResultPaper) -> proto::ResultPaper {
    proto::ResultPaper {
        name: from.name.as_ref().map(private).unwrap_or_default(),
        result_code: text(from.result_code.as_ref()),
        ..proto::ResultPaper::default()
    }
}

fn each<T, P>(items: &[T], of: impl Fn(&T) -> P) -> Vec<P> {
    items.iter().map(of).collect()
}

fn text<const MAX: usize>(from: Option<&Text<MAX>>) -> String {
    from.map(ToString::to_string).unwrap_or_default()
}

fn private<const MAX: usize>(from: &PrivateText<MAX>) -> String {
    from.expose().as_str().to_owned()
}

fn instant(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.as_second(),
        nanos: at.subsec_nanosecond(),
    }
}
