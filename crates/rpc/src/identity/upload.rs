//! `CreateVerificationJob`: the upload of a job's items, read no faster than they are stored.

use std::fmt::Write as _;

use lienthong_domain::identity::job::ITEMS_MAX;
use lienthong_domain::identity::{Claims, IdNumber, Inquiry};
use lienthong_domain::{ErrorCode, Faults, Reason};
use lienthong_identity::OpenJob;
use lienthong_ports::identity::JobRow;
use lienthong_proto::identity::v1 as proto;
use lienthong_proto::identity::v1::create_verification_job_request::Part;
use lienthong_services::Error;
use tonic::{Status, Streaming};

use super::Citizens;
use crate::caller::Context;
use crate::convert::identity as convert;
use crate::convert::under;
use crate::dossier::invalid;
use crate::status;

/// Most items of one message.
const MESSAGE_ITEMS_MAX: usize = 500;
/// Most faulty items named in the answer.
const REFUSED_SHOWN_MAX: usize = 1_000;
/// Longest key, in characters.
const KEY_CHARS_MAX: usize = 100;

/// Receives a job and its items to the end of the stream.
///
/// # Errors
/// The status of the first message that cannot be taken; what came before it is stored.
pub(super) async fn receive(
    citizens: &Citizens,
    context: &Context,
    mut messages: Streaming<proto::CreateVerificationJobRequest>,
) -> Result<proto::CreateVerificationJobResponse, Status> {
    let told = |error: Error| citizens.status(context, &error);
    let opening = match next(citizens, context, &mut messages).await? {
        Some(Part::Opening(opening)) => opening,
        Some(Part::Items(_)) | None => {
            return Err(told(invalid(Faults::one("opening", Reason::Missing))));
        }
    };
    let mut job = open(citizens, context, &opening).await.map_err(told)?;
    let mut refused = Vec::new();
    while let Some(part) = next(citizens, context, &mut messages).await? {
        let Part::Items(items) = part else {
            let reason = Reason::Conflict { with: "items" };
            return Err(told(invalid(Faults::one("opening", reason))));
        };
        job = add(citizens, context, &job, &items, &mut refused)
            .await
            .map_err(told)?;
    }
    Ok(proto::CreateVerificationJobResponse {
        job: Some(convert::job_to_proto(&job)),
        refused_items: refused,
    })
}

/// The next part of the upload; the end of the stream, of the deadline and of the gateway are told apart.
async fn next(
    citizens: &Citizens,
    context: &Context,
    messages: &mut Streaming<proto::CreateVerificationJobRequest>,
) -> Result<Option<Part>, Status> {
    let message = tokio::select! {
        biased;
        () = citizens.stop.cancelled() => return Err(status::draining(context.request)),
        () = context.deadline_passed() => {
            return Err(context.status(&Error::new(ErrorCode::DeadlineTooShort)));
        }
        message = messages.message() => message?,
    };
    match message {
        None => Ok(None),
        Some(message) => match message.part {
            Some(part) => Ok(Some(part)),
            None => Err(status::from_faults(
                Faults::one("part", Reason::Missing),
                context.request,
            )),
        },
    }
}

async fn open(
    citizens: &Citizens,
    context: &Context,
    raw: &proto::JobOpening,
) -> Result<JobRow, Error> {
    let (key, inquiry) = opening_from_proto(raw).map_err(invalid)?;
    let open = OpenJob {
        key,
        inquiry,
        items_total: raw.items_total,
        request_id: context.request.to_string(),
    };
    citizens.identity.open_job(&context.caller, open).await
}

fn opening_from_proto(raw: &proto::JobOpening) -> Result<(String, Inquiry), Faults> {
    let mut faults = Faults::new();
    let key = raw.idempotency_key.trim();
    let printable = key
        .chars()
        .all(|found| found.is_ascii_graphic() || found == ' ');
    match key.chars().count() {
        0 => faults.push("opening.idempotency_key", Reason::Missing),
        actual if actual > KEY_CHARS_MAX => {
            let max = KEY_CHARS_MAX;
            faults.push("opening.idempotency_key", Reason::TooLong { max, actual });
        }
        // A key is kept in the clear, so no citizen number may hide in it.
        _ if !printable || IdNumber::stands_in(key) => {
            let expected = "G15/2026-11/cleaning-1";
            faults.push("opening.idempotency_key", Reason::BadForm { expected });
        }
        _ => {}
    }
    if !(1..=ITEMS_MAX).contains(&raw.items_total) {
        let (min, max) = (1, ITEMS_MAX.into());
        faults.push("opening.items_total", Reason::OutOfRange { min, max });
    }
    let inquiry = under(
        &mut faults,
        || "opening.inquiry".to_owned(),
        |own| convert::inquiry_from_proto(raw.inquiry.as_ref(), own),
    );
    match inquiry {
        Some(inquiry) if faults.is_empty() => Ok((key.to_owned(), inquiry)),
        _ => Err(faults),
    }
}

/// Stores the items of one message; faulty ones are stored as answered and named.
async fn add(
    citizens: &Citizens,
    context: &Context,
    job: &JobRow,
    items: &proto::JobItems,
    refused: &mut Vec<proto::RefusedItem>,
) -> Result<JobRow, Error> {
    let (first, count) = (items.first_position, items.claims.len());
    let mut faults = Faults::new();
    match count {
        0 => faults.push("items.claims", Reason::Missing),
        1..=MESSAGE_ITEMS_MAX => {}
        actual => {
            let max = MESSAGE_ITEMS_MAX;
            faults.push("items.claims", Reason::TooMany { max, actual });
        }
    }
    if !(1..=job.items_total).contains(&first) {
        let (min, max) = (1, job.items_total.into());
        faults.push("items.first_position", Reason::OutOfRange { min, max });
    }
    if !faults.is_empty() {
        return Err(invalid(faults));
    }
    let positions = first..;
    let read = positions.zip(&items.claims).map(|(position, raw)| {
        item(citizens, raw).map_err(|faults| {
            if refused.len() < REFUSED_SHOWN_MAX {
                refused.push(refused_item(position, &faults));
            }
            ErrorCode::JobItemFaulty
        })
    });
    let items = read.collect();
    citizens
        .identity
        .add_items(&context.caller, job.id, first, items)
        .await
}

fn item(citizens: &Citizens, raw: &proto::Claims) -> Result<Claims, Faults> {
    let mut faults = Faults::new();
    let claims = convert::claims_from_proto(raw, citizens.services.clock().now(), &mut faults);
    match claims {
        Some(claims) if faults.is_empty() => Ok(claims),
        _ => Err(faults),
    }
}

fn refused_item(position: u32, faults: &Faults) -> proto::RefusedItem {
    let told = faults.iter().map(|fault| {
        let mut text = String::new();
        let (en, vi) = (fault.reason.en(), fault.reason.vi());
        // Writing to a string cannot fail.
        write!(text, "{}: {en} / {vi}", fault.field).ok();
        text
    });
    proto::RefusedItem {
        position,
        faults: told.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of_key(key: &str) -> Vec<String> {
        let opening = proto::JobOpening {
            idempotency_key: key.to_owned(),
            items_total: 1,
            ..proto::JobOpening::default()
        };
        let faults = opening_from_proto(&opening).expect_err("there is no inquiry");
        let named = faults.iter().map(|fault| fault.field.clone());
        named.filter(|field| field.ends_with("key")).collect()
    }

    #[test]
    fn no_citizen_number_hides_in_a_key() {
        for key in [
            "G15/2026-11/cleaning-1",
            "0199a2b3-1234-7abc-8def-123456789012",
        ] {
            assert!(faults_of_key(key).is_empty(), "{key}");
        }
        for key in ["052185012345", "lo-052185012345/2", "G15/211234567"] {
            assert_eq!(faults_of_key(key), ["opening.idempotency_key"], "{key}");
        }
    }
}
