//! The span of one HTTP call, which the portal is told in a header.

use lienthong_domain::TraceContext;
use lienthong_telemetry::{Fact, Span, SpanKind};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::adapter::Portal;
use crate::answer::{Meaning, Reply, Verdict};

/// A call under way.
pub(crate) struct Call<'a> {
    portal: &'a Portal,
    span: Span,
}

impl<'a> Call<'a> {
    /// A call of `service` within the span `trace`.
    pub(crate) fn begin(
        portal: &'a Portal,
        service: &'static str,
        trace: Option<TraceContext>,
    ) -> Self {
        let mut span = portal.tracer.span("call", SpanKind::Client, trace);
        span.set(Fact::Destination(&portal.config.name));
        span.set(Fact::Service(service));
        Self { portal, span }
    }

    /// Posts, with the span in a header. A call without an answer ends here.
    ///
    /// # Errors
    /// As [`crate::link::Link::post`].
    pub(crate) async fn post(
        &mut self,
        url: &Url,
        body: Vec<u8>,
        mut headers: HeaderMap,
    ) -> Result<Reply, Verdict> {
        if let Some(trace) = self.span.context() {
            let value = HeaderValue::try_from(trace.to_string());
            let value = value.expect("hexadecimal digits and hyphens");
            headers.insert(HeaderName::from_static(TraceContext::HEADER), value);
        }
        let reply = self.portal.link.post(url, body, headers).await;
        match &reply {
            Ok(reply) => self.span.set(Fact::HttpStatus(reply.status)),
            Err(verdict) => self.end(verdict),
        }
        reply
    }

    /// Says what the answer means.
    pub(crate) fn end(&mut self, verdict: &Verdict) {
        self.span.set(Fact::ForeignCode(&verdict.code));
        if verdict.meaning != Meaning::Done {
            self.span.fail("the portal did not do what was asked");
        }
    }
}
