//! Pushing a group of events: what is malformed is refused here, the rest goes to the use case in one call.

use lienthong_domain::{ErrorCode, Faults, StatusEvent};
use lienthong_proto::dossier::v1 as proto;
use lienthong_services::{Error, Services};

use crate::caller::Context;
use crate::convert::views::receipt_to_proto;
use crate::status;

/// An event as it was read, or what is wrong with it.
pub(crate) type Offered = Result<StatusEvent, Faults>;

/// What the sender gets for one event of a group.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Stored.
    Receipt(proto::Receipt),
    /// Not stored.
    Refusal(proto::Refusal),
}

/// Pushes what was read well. One answer per event, same order.
pub(crate) async fn push_all(
    services: &Services,
    context: &Context,
    offered: Vec<Offered>,
) -> Vec<Answer> {
    let mut events = Vec::with_capacity(offered.len());
    let refusals = offered
        .into_iter()
        .map(|offered| match offered {
            Ok(event) => {
                events.push(event);
                None
            }
            Err(faults) => Some(refusal_of_faults(services, context, faults)),
        })
        .collect::<Vec<_>>();
    let answers = services.push(&context.caller, events, context.trace).await;
    let mut answers = answers.into_iter();
    let mut next = || match answers.next() {
        Some(Ok(receipt)) => Answer::Receipt(receipt_to_proto(&receipt)),
        Some(Err(error)) => Answer::Refusal(status::to_refusal(&error, context.request)),
        None => unanswered(context),
    };
    refusals
        .into_iter()
        .map(|refusal| refusal.unwrap_or_else(&mut next))
        .collect()
}

/// The use case owes one answer per event.
fn unanswered(context: &Context) -> Answer {
    let error = Error::new(ErrorCode::Internal);
    Answer::Refusal(status::to_refusal(&error, context.request))
}

/// Refuses a whole group for one reason, malformed events for their own.
pub(crate) fn refuse_all(
    services: &Services,
    context: &Context,
    offered: Vec<Offered>,
    error: &Error,
) -> Vec<Answer> {
    let refusal = status::to_refusal(error, context.request);
    offered
        .into_iter()
        .map(|offered| match offered {
            Ok(_) => {
                refused(services, context, error.code, 1);
                Answer::Refusal(refusal.clone())
            }
            Err(faults) => refusal_of_faults(services, context, faults),
        })
        .collect()
}

/// Counts statuses that are refused before the use case sees them.
pub(crate) fn refused(services: &Services, context: &Context, code: ErrorCode, count: u32) {
    services.metrics().intake.refuse(code, count.into());
    services.note_refused(&context.caller, count.into());
}

fn refusal_of_faults(services: &Services, context: &Context, faults: Faults) -> Answer {
    refused(services, context, ErrorCode::InvalidFields, 1);
    let error = Error::with_faults(ErrorCode::InvalidFields, faults);
    Answer::Refusal(status::to_refusal(&error, context.request))
}
