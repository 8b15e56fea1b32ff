//! The spans of a question: that of the caller's request, and that of the call to the population database.
//!
//! Nothing in them says who was asked about, nor what was answered.

use lienthong_domain::TraceContext;
use lienthong_domain::participant::Caller;
use lienthong_ports::Question;
use lienthong_services::Error;
use lienthong_telemetry::{Fact, Span, SpanKind, Tracer};

use crate::registry::Failure;

/// Starts the span of a caller's request.
pub(crate) fn request(
    tracer: &Tracer,
    name: &'static str,
    caller: &Caller,
    trace: Option<TraceContext>,
) -> Span {
    let mut span = tracer.span(name, SpanKind::Server, trace);
    span.set(Fact::Participant(&caller.participant.id));
    span
}

/// Says whether a request was answered.
pub(crate) fn answered<T>(span: &mut Span, answer: &Result<T, Error>) {
    if let Err(error) = answer {
        span.set(Fact::Error(error.code));
        span.fail("the question was not answered");
    }
}

/// Starts the span of a call to the population database, and the question that tells it.
pub(crate) fn asking(
    tracer: &Tracer,
    service: &'static str,
    question: &Question,
) -> (Span, Question) {
    let mut span = tracer.span("ask", SpanKind::Client, question.trace);
    span.set(Fact::Service(service));
    let question = Question {
        trace: span.context(),
        ..question.clone()
    };
    (span, question)
}

/// Says whether the population database answered.
pub(crate) fn asked<T>(span: &mut Span, answer: &Result<T, Failure>) {
    if let Err(failure) = answer {
        span.set(Fact::Error(failure.code()));
        span.fail("the population database did not answer");
    }
}
