//! Spans of what the gateway does, sent to an OpenTelemetry collector.
//!
//! Handles are explicit: a [`Tracer`] is handed to who makes spans, a [`Span`] ends when it is dropped, and what goes
//! on elsewhere (in the store, over the broker, at a destination) is handed a [`TraceContext`]. So nothing is global,
//! and several gateways in one process do not meet.

mod fact;
mod sending;

use std::fmt;
use std::time::Duration;

use lienthong_domain::TraceContext;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{
    SpanExporter as OtlpExporter, WithExportConfig as _, WithTonicConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    Sampler, SdkTracer, SdkTracerProvider, Span as SdkSpan, SpanExporter,
};
use tonic::transport::Channel;

pub use fact::Fact;
pub use opentelemetry::trace::SpanKind;
pub use sending::{BATCH_SPANS_MAX, QUEUE_SPANS_MAX, Sender};

use crate::error::TelemetryError;

/// How long the collector may take to answer for one batch.
pub const EXPORT_TIME_MAX: Duration = Duration::from_secs(5);

/// What tells this process's spans from those of others.
#[derive(Clone, Debug)]
pub struct Service {
    /// `lienthong`, or `lienthong-population-adapter`.
    pub name: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// Another one for each start.
    pub instance: String,
}

/// Makes spans. Clones are the same.
#[derive(Clone)]
pub struct Tracer(Option<SdkTracer>);

impl Tracer {
    /// Records nothing; a caller's trace still goes through.
    pub const fn off() -> Self {
        Self(None)
    }

    /// Sends spans over `channel`, once the returned sender runs. Of traces that begin here the share
    /// `sample_ratio`, from 0 to 1, is recorded; of those that a caller began, what the caller asks for.
    ///
    /// # Errors
    /// The exporter cannot be built.
    pub fn to_collector(
        channel: Channel,
        service: &Service,
        sample_ratio: f64,
    ) -> Result<(Self, Sender<OtlpExporter>), TelemetryError> {
        let exporter = OtlpExporter::builder()
            .with_tonic()
            .with_channel(channel)
            .with_timeout(EXPORT_TIME_MAX)
            .build()
            .map_err(|error| TelemetryError::Exporter(Box::new(error)))?;
        Ok(Self::new(exporter, service, sample_ratio))
    }

    /// As [`Self::to_collector`], with an exporter of one's own.
    pub fn new<E: SpanExporter>(
        mut exporter: E,
        service: &Service,
        sample_ratio: f64,
    ) -> (Self, Sender<E>) {
        let resource = Resource::builder_empty()
            .with_service_name(service.name)
            .with_attributes([
                KeyValue::new("service.version", service.version),
                KeyValue::new("service.instance.id", service.instance.clone()),
            ])
            .build();
        exporter.set_resource(&resource);
        let (queue, sender) = sending::queue(exporter);
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(sample_ratio)));
        let provider = SdkTracerProvider::builder()
            .with_span_processor(queue)
            .with_sampler(sampler)
            .with_resource(resource)
            .build();
        (Self(Some(provider.tracer("lienthong"))), sender)
    }

    /// Starts a span below `parent`, or a trace of its own.
    pub fn span(&self, name: &'static str, kind: SpanKind, parent: Option<TraceContext>) -> Span {
        let Some(tracer) = &self.0 else {
            return Span {
                recorded: None,
                context: parent,
            };
        };
        // Never the context of the thread: several tasks share it.
        let mut around = Context::new();
        if let Some(parent) = parent {
            around = around.with_remote_span_context(to_sdk(parent));
        }
        let builder = tracer.span_builder(name).with_kind(kind);
        let span = tracer.build_with_context(builder, &around);
        Span {
            context: from_sdk(span.span_context()),
            recorded: span.is_recording().then_some(span),
        }
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.0.is_some() { "on" } else { "off" };
        f.debug_tuple("Tracer").field(&state).finish()
    }
}

/// A span under way; it ends when it is dropped.
#[derive(Debug)]
#[must_use = "a span ends when it is dropped"]
pub struct Span {
    recorded: Option<SdkSpan>,
    context: Option<TraceContext>,
}

impl Span {
    /// What its children, and whoever is called in it, are told. Of a tracer that is off: what it was given.
    pub fn context(&self) -> Option<TraceContext> {
        self.context
    }

    /// Its id, if it is recorded.
    pub fn id(&self) -> Option<[u8; 8]> {
        let recorded = self.recorded.as_ref().and(self.context);
        recorded.map(|context| context.span_id)
    }

    /// Adds what is known by now.
    pub fn set(&mut self, fact: Fact<'_>) {
        if let Some(span) = &mut self.recorded {
            span.set_attribute(fact.into_attribute());
        }
    }

    /// Adds several facts.
    pub fn set_all<'a>(&mut self, facts: impl IntoIterator<Item = Fact<'a>>) {
        if self.recorded.is_some() {
            facts.into_iter().for_each(|fact| self.set(fact));
        }
    }

    /// Points at a span that this one follows.
    pub fn link(&mut self, to: TraceContext) {
        if let Some(span) = &mut self.recorded {
            span.add_link(to_sdk(to), Vec::new());
        }
    }

    /// Says that what it stands for failed, in our own words.
    pub fn fail(&mut self, why: &'static str) {
        if let Some(span) = &mut self.recorded {
            span.set_status(Status::error(why));
        }
    }
}

fn to_sdk(context: TraceContext) -> SpanContext {
    let flags = if context.sampled {
        TraceFlags::SAMPLED
    } else {
        TraceFlags::NOT_SAMPLED
    };
    SpanContext::new(
        TraceId::from_bytes(context.trace_id),
        SpanId::from_bytes(context.span_id),
        flags,
        true,
        TraceState::NONE,
    )
}

fn from_sdk(context: &SpanContext) -> Option<TraceContext> {
    context.is_valid().then(|| TraceContext {
        trace_id: context.trace_id().to_bytes(),
        span_id: context.span_id().to_bytes(),
        sampled: context.is_sampled(),
    })
}

#[cfg(test)]
mod tests;
