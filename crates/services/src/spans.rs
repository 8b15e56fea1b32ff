//! The spans of a push: one per event, so that each status has a trace of its own or a place in the caller's.

use lienthong_domain::TraceContext;
use lienthong_ports::store::{Offer, Receipt};
use lienthong_telemetry::{Fact, Span, SpanKind, Tracer};

use crate::error::Error;

/// The spans of offers that are being accepted; they end with it.
pub(crate) struct Accepting(Vec<Span>);

impl Accepting {
    /// Starts a span for each offer, below the caller's if it told one, and lets the offer carry it.
    pub(crate) fn begin(
        tracer: &Tracer,
        offers: &mut [Offer],
        caller: Option<TraceContext>,
    ) -> Self {
        let begin = |offer: &mut Offer| {
            let mut span = tracer.span("accept", SpanKind::Server, caller);
            offer.trace = span.context();
            span.set_all([
                Fact::Participant(&offer.participant),
                Fact::Dossier(&offer.event.dossier),
                Fact::Status(offer.event.status),
            ]);
            span
        };
        Self(offers.iter_mut().map(begin).collect())
    }

    /// Says what became of each.
    pub(crate) fn end(self, answers: &[Result<Receipt, Error>]) {
        for (mut span, answer) in self.0.into_iter().zip(answers) {
            match answer {
                Ok(receipt) => span.set_all([
                    Fact::Sequence(receipt.sequence),
                    Fact::Duplicate(receipt.duplicate),
                ]),
                Err(error) => {
                    span.set(Fact::Error(error.code));
                    span.fail("the status was not accepted");
                }
            }
        }
    }
}
