//! The lists in the details: papers, fees, supplements, results, numbers of identity.

use lienthong_domain::channel::IdentityDocumentKind;
use lienthong_domain::details::{
    DossierDetails, Fee, Identity, LIST_ENTRIES_MAX, OtherPaper, PrivateText, ResultPaper,
    SubmittedDocument, Supplement,
};
use lienthong_domain::money::Vnd;
use lienthong_domain::{Faults, Private, Reason, Text};
use lienthong_proto::dossier::v1 as proto;

use crate::convert::{instant, instant_to_proto, items, listed, private, private_lines, text, url};

/// Most copies of one paper.
const PAPER_COUNT_MAX: u16 = 9_999;

/// Reads one list of at most [`LIST_ENTRIES_MAX`] items whose fields may all be absent.
fn list<P, D>(
    faults: &mut Faults,
    field: &'static str,
    found: &[P],
    read: impl Fn(&P, &mut Faults) -> D,
) -> Vec<D> {
    items(faults, field, found, LIST_ENTRIES_MAX, |item, own| {
        Some(read(item, own))
    })
}

/// Reads all lists but the applicant's.
pub(super) fn read(
    details: &mut DossierDetails,
    found: &proto::DossierDetails,
    faults: &mut Faults,
) {
    details.database_links = found.database_links.as_ref().map(|links| {
        items(
            faults,
            "database_links",
            &links.items,
            LIST_ENTRIES_MAX,
            |link, own| own.check("code", Text::parse(&link.code)),
        )
    });
    details.submitted_documents = found
        .submitted_documents
        .as_ref()
        .map(|papers| list(faults, "submitted_documents", &papers.items, document));
    details.fees = found
        .fees
        .as_ref()
        .map(|fees| list(faults, "fees", &fees.items, fee));
    details.other_papers = found
        .other_papers
        .as_ref()
        .map(|papers| list(faults, "other_papers", &papers.items, other_paper));
    details.supplements = found
        .supplements
        .as_ref()
        .map(|requests| list(faults, "supplements", &requests.items, supplement));
    details.results = found
        .results
        .as_ref()
        .map(|papers| list(faults, "results", &papers.items, result));
}

/// Reads the applicant's numbers of identity.
pub(super) fn identities(found: &proto::Applicant, faults: &mut Faults) -> Option<Vec<Identity>> {
    let numbers = found.identities.as_ref()?;
    Some(items(
        faults,
        "identities",
        &numbers.items,
        LIST_ENTRIES_MAX,
        identity,
    ))
}

fn identity(found: &proto::Identity, faults: &mut Faults) -> Option<Identity> {
    let kind = match found.kind {
        0 => faults.check("kind", Err(Reason::Missing)),
        number => listed(faults, "kind", number, 0),
    };
    let number: Option<PrivateText<12>> =
        faults.check("number", Text::parse(&found.number).map(Private::new));
    let (kind, number) = (kind?, number?);
    let digits = number.expose().as_str();
    let expected = match kind {
        IdentityDocumentKind::CitizenNumber => "012345678901",
        IdentityDocumentKind::OldIdentityCard => "012345678",
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        faults.push("number", Reason::NotDigits);
    } else if digits.len() != expected.len() {
        faults.push("number", Reason::BadForm { expected });
    }
    Some(Identity { kind, number })
}

fn document(found: &proto::SubmittedDocument, faults: &mut Faults) -> SubmittedDocument {
    let reuse = found
        .reuse_code
        .map(|code| i32::try_from(code).unwrap_or(-1).try_into());
    SubmittedDocument {
        id: text(faults, "attachment_id", &found.attachment_id),
        name: private(faults, "file_name", &found.file_name),
        deleted: Some(found.deleted),
        component_code: text(faults, "component_code", &found.component_code),
        url: url(faults, "file_url", &found.file_url),
        digitised: Some(found.digitised),
        reuse: reuse.and_then(|reuse| faults.check("reuse_code", reuse)),
        from_national_store: Some(found.from_national_store),
        replacing_result_code: text(
            faults,
            "replacing_result_code",
            &found.replacing_result_code,
        ),
    }
}

fn fee(found: &proto::Fee, faults: &mut Faults) -> Fee {
    Fee {
        name: text(faults, "name", &found.name),
        code: text(faults, "code", &found.code),
        collection_code: text(faults, "collection_code", &found.collection_code),
        amount: faults.check("amount_vnd", Vnd::new(found.amount_vnd)),
        kind_code: fee_kind(found.kind, faults),
    }
}

/// The portal's code of a kind of fee is the contract's number, as text.
fn fee_kind(number: i32, faults: &mut Faults) -> Option<Text<10>> {
    let code = match proto::FeeKind::try_from(number) {
        Ok(proto::FeeKind::Unspecified) => return None,
        Ok(kind) => Text::parse(&(kind as i32).to_string()),
        Err(_) => Err(Reason::UnknownCode {
            what: "LoaiPhiLePhi",
        }),
    };
    faults.check("kind", code)
}

fn other_paper(found: &proto::OtherPaper, faults: &mut Faults) -> OtherPaper {
    let count = u16::try_from(found.quantity).ok();
    let bounded = count.filter(|count| *count <= PAPER_COUNT_MAX);
    let range = Reason::OutOfRange {
        min: 0,
        max: PAPER_COUNT_MAX.into(),
    };
    OtherPaper {
        name: private(faults, "name", &found.name),
        count: faults.check("quantity", bounded.ok_or(range)),
        kind_code: text(faults, "kind_code", &found.kind_code),
    }
}

fn supplement(found: &proto::Supplement, faults: &mut Faults) -> Supplement {
    Supplement {
        id: text(faults, "supplement_id", &found.supplement_id),
        requested_by: private(faults, "requested_by", &found.requested_by),
        content: private_lines(faults, "request", &found.request),
        requested_at: instant(faults, "requested_at", found.requested_at.as_ref()),
        received_by: private(faults, "received_by", &found.received_by),
        receipt_information: private_lines(
            faults,
            "receipt_information",
            &found.receipt_information,
        ),
        received_at: instant(faults, "received_at", found.received_at.as_ref()),
        state_code: text(faults, "state_code", &found.state_code),
        papers: Some(list(faults, "papers", &found.papers, other_paper)),
        fees: Some(list(faults, "fees", &found.fees, fee)),
        due_before: instant(faults, "due_before_at", found.due_before_at.as_ref()),
        due_after: instant(faults, "due_after_at", found.due_after_at.as_ref()),
    }
}

fn result(found: &proto::ResultPaper, faults: &mut Faults) -> ResultPaper {
    ResultPaper {
        name: private(faults, "name", &found.name),
        component_code: text(faults, "component_code", &found.component_code),
        id: text(faults, "paper_id", &found.paper_id),
        url: url(faults, "file_url", &found.file_url),
        result_code: text(faults, "result_code", &found.result_code),
    }
}

/// A message that carries the lists and nothing else.
pub(super) fn to_proto(details: &DossierDetails) -> proto::DossierDetails {
    proto::DossierDetails {
        database_links: details.database_links.as_ref().map(|codes| {
            let link = |code: &Text<50>| proto::DatabaseLink {
                code: code.to_string(),
            };
            proto::DatabaseLinkList {
                items: codes.iter().map(link).collect(),
            }
        }),
        submitted_documents: details.submitted_documents.as_ref().map(|papers| {
            proto::SubmittedDocumentList {
                items: papers.iter().map(document_to_proto).collect(),
            }
        }),
        fees: details.fees.as_ref().map(|fees| proto::FeeList {
            items: fees.iter().map(fee_to_proto).collect(),
        }),
        other_papers: details
            .other_papers
            .as_ref()
            .map(|papers| proto::OtherPaperList {
                items: papers.iter().map(other_paper_to_proto).collect(),
            }),
        supplements: details
            .supplements
            .as_ref()
            .map(|requests| proto::SupplementList {
                items: requests.iter().map(supplement_to_proto).collect(),
            }),
        results: details
            .results
            .as_ref()
            .map(|papers| proto::ResultPaperList {
                items: papers.iter().map(result_to_proto).collect(),
            }),
        ..proto::DossierDetails::default()
    }
}

pub(super) fn identities_to_proto(details: &DossierDetails) -> Option<proto::IdentityList> {
    let number = |identity: &Identity| proto::Identity {
        kind: identity.kind.code(),
        number: identity.number.expose().to_string(),
    };
    let items = details.identities.as_ref()?.iter().map(number).collect();
    Some(proto::IdentityList { items })
}

fn document_to_proto(paper: &SubmittedDocument) -> proto::SubmittedDocument {
    proto::SubmittedDocument {
        attachment_id: shown(paper.id.as_ref()),
        file_name: exposed(paper.name.as_ref()),
        deleted: paper.deleted.unwrap_or(false),
        component_code: shown(paper.component_code.as_ref()),
        file_url: exposed(paper.url.as_ref()),
        digitised: paper.digitised.unwrap_or(false),
        reuse_code: paper
            .reuse
            .and_then(|reuse| u32::try_from(reuse.code()).ok()),
        from_national_store: paper.from_national_store.unwrap_or(false),
        replacing_result_code: shown(paper.replacing_result_code.as_ref()),
    }
}

fn fee_to_proto(fee: &Fee) -> proto::Fee {
    let kind = fee
        .kind_code
        .as_ref()
        .and_then(|code| code.as_str().parse::<i32>().ok());
    let known = kind.and_then(|number| proto::FeeKind::try_from(number).ok());
    proto::Fee {
        name: shown(fee.name.as_ref()),
        code: shown(fee.code.as_ref()),
        collection_code: shown(fee.collection_code.as_ref()),
        amount_vnd: fee.amount.map_or(0, Vnd::dong),
        kind: known.unwrap_or_default().into(),
    }
}

fn other_paper_to_proto(paper: &OtherPaper) -> proto::OtherPaper {
    proto::OtherPaper {
        name: exposed(paper.name.as_ref()),
        quantity: paper.count.unwrap_or(0).into(),
        kind_code: shown(paper.kind_code.as_ref()),
    }
}

fn supplement_to_proto(found: &Supplement) -> proto::Supplement {
    let papers = found.papers.iter().flatten().map(other_paper_to_proto);
    let fees = found.fees.iter().flatten().map(fee_to_proto);
    proto::Supplement {
        supplement_id: shown(found.id.as_ref()),
        requested_by: exposed(found.requested_by.as_ref()),
        request: exposed(found.content.as_ref()),
        requested_at: found.requested_at.map(instant_to_proto),
        received_by: exposed(found.received_by.as_ref()),
        receipt_information: exposed(found.receipt_information.as_ref()),
        received_at: found.received_at.map(instant_to_proto),
        state_code: shown(found.state_code.as_ref()),
        papers: papers.collect(),
        fees: fees.collect(),
        due_before_at: found.due_before.map(instant_to_proto),
        due_after_at: found.due_after.map(instant_to_proto),
    }
}

fn result_to_proto(paper: &ResultPaper) -> proto::ResultPaper {
    proto::ResultPaper {
        name: exposed(paper.name.as_ref()),
        component_code: shown(paper.component_code.as_ref()),
        paper_id: shown(paper.id.as_ref()),
        file_url: exposed(paper.url.as_ref()),
        result_code: shown(paper.result_code.as_ref()),
    }
}

fn shown<const MAX: usize>(text: Option<&Text<MAX>>) -> String {
    text.map(Text::to_string).unwrap_or_default()
}

fn exposed<const MAX: usize>(text: Option<&PrivateText<MAX>>) -> String {
    text.map(|text| text.expose().to_string())
        .unwrap_or_default()
}
