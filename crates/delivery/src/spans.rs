//! The spans of delivery: one per message published and one per attempt, all in the trace of their event.

use lienthong_domain::{DestinationName, Outcome, TraceContext};
use lienthong_ports::store::{Finish, Work};
use lienthong_ports::{Message, Published};
use lienthong_telemetry::{Fact, Span, SpanKind, Tracer};

/// Starts the span of each message's publishing. Messages without a trace (items of jobs, events of untraced callers)
/// have none: a publishing alone explains nothing.
pub(crate) fn publishing(
    tracer: &Tracer,
    destination: &DestinationName,
    messages: &[Message],
) -> Vec<Option<Span>> {
    let begin = |message: &Message| {
        let trace = message.trace?;
        let mut span = tracer.span("publish", SpanKind::Producer, Some(trace));
        span.set_all([
            Fact::Destination(destination),
            Fact::Delivery(message.delivery),
            Fact::Fence(message.fence),
        ]);
        Some(span)
    };
    messages.iter().map(begin).collect()
}

/// Ends them with what the broker said.
pub(crate) fn published(spans: Vec<Option<Span>>, fates: &[Published]) {
    for (span, fate) in spans.into_iter().zip(fates) {
        let Some(mut span) = span else { continue };
        match fate {
            Published::Confirmed => {}
            Published::Refused => span.fail("the broker refused the message"),
            Published::Unknown => span.fail("the broker did not confirm the message"),
        }
    }
}

/// Starts the span of an attempt, which follows the one before it.
pub(crate) fn attempt(tracer: &Tracer, work: &Work) -> Span {
    let mut span = tracer.span("deliver", SpanKind::Consumer, work.trace);
    if let (Some(trace), Some(span_id)) = (work.trace, work.last_span_id) {
        span.link(TraceContext { span_id, ..trace });
    }
    span.set_all([
        Fact::Destination(&work.destination),
        Fact::Delivery(work.message.delivery),
        Fact::Fence(work.message.fence),
        Fact::Attempt(work.attempt),
        Fact::Dossier(&work.dossier),
        Fact::Sequence(work.sequence),
        Fact::Status(work.status),
    ]);
    span
}

/// Says what came of an attempt.
pub(crate) fn ended(span: &mut Span, finish: &Finish) {
    let answer = &finish.answer;
    span.set(Fact::Outcome(answer.outcome.name()));
    span.set(Fact::ForeignCode(&answer.code));
    if let Some(status) = answer.http_status {
        span.set(Fact::HttpStatus(status));
    }
    if answer.outcome != Outcome::Delivered {
        span.fail("the delivery did not go through");
    }
}
