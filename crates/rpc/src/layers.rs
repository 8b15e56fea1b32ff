//! Around every request: its id, its span, its deadline, and our words for what tonic refuses by itself.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use lienthong_domain::{ErrorCode, Faults, Reason, TraceContext};
use lienthong_services::{Error, Services};
use lienthong_transport::{GRPC_TIMEOUT_HEADER, PeerInfo, parse_grpc_timeout};
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::Instrument as _;

use crate::caller::{CallerSpan, StreamDeadline, UnaryDeadline};
use crate::measure::Measure;
use crate::request_id::{HEADER, RequestId};
use crate::status;

/// How long a unary request may take when its caller sets no deadline.
pub(crate) const UNARY_DEADLINE_DEFAULT: Duration = Duration::from_secs(5);
/// How long a unary request may take at most.
pub(crate) const UNARY_DEADLINE_MAX: Duration = Duration::from_secs(30);

/// Methods whose request or answer is a stream. Reflection's is one too, by its prefix.
const STREAMS: [&str; 5] = [
    "/lienthong.dossier.v1.DossierService/StreamStatus",
    "/lienthong.dossier.v1.DossierService/WatchStatus",
    // An upload takes as long as its file.
    "/lienthong.identity.v1.IdentityService/CreateVerificationJob",
    "/lienthong.identity.v1.IdentityService/ListVerificationResults",
    "/grpc.health.v1.Health/Watch",
];
const REFLECTION: &str = "/grpc.reflection.";

/// Wraps the whole router.
#[derive(Clone)]
pub(crate) struct EdgeLayer(pub(crate) Arc<Services>);

impl<S> Layer<S> for EdgeLayer {
    type Service = Edge<S>;

    fn layer(&self, inner: S) -> Edge<S> {
        Edge {
            inner,
            services: self.0.clone(),
        }
    }
}

/// The router with what surrounds every request.
#[derive(Clone)]
pub(crate) struct Edge<S> {
    inner: S,
    services: Arc<Services>,
}

impl<S> Service<Request<Body>> for Edge<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let id = RequestId::new(&self.services);
        let path = request.uri().path();
        let streams = STREAMS.contains(&path) || path.starts_with(REFLECTION);
        let metrics = self.services.metrics().clone();
        let measure = Measure::begin(metrics, request.uri().clone(), streams);
        let asked = match timeout(request.headers()) {
            Ok(asked) => asked,
            Err(reason) => {
                let status = status::from_faults(Faults::one(GRPC_TIMEOUT_HEADER, reason), id);
                let response = measure.follow(answer(status, id));
                return Box::pin(std::future::ready(Ok(response)));
            }
        };
        let trace = caller_span(request.headers());
        let span = span(&request, id, trace);
        let now = Instant::now();
        let stream_end = asked.and_then(|asked| now.checked_add(asked));
        request.extensions_mut().insert(id);
        if let Some(trace) = trace {
            request.extensions_mut().insert(CallerSpan(trace));
        }
        request.extensions_mut().insert(StreamDeadline(stream_end));
        let allowed = asked
            .unwrap_or(UNARY_DEADLINE_DEFAULT)
            .min(UNARY_DEADLINE_MAX);
        request
            .extensions_mut()
            .insert(UnaryDeadline(now + allowed));
        let handled = self.inner.call(request);
        if streams {
            let answered = async move { Ok(measure.follow(finish(handled.await, id))) };
            return Box::pin(answered.instrument(span));
        }
        // Started before tonic starts its own timer for the same header, so that ours answers first.
        let handled = tokio::time::timeout_at(now + allowed, handled);
        Box::pin(
            async move {
                Ok(measure.follow(match handled.await {
                    Ok(response) => finish(response, id),
                    Err(_elapsed) => {
                        let error = Error::new(ErrorCode::DeadlineTooShort);
                        answer(status::from_error(&error, id), id)
                    }
                }))
            }
            .instrument(span),
        )
    }
}

/// The caller's span; a malformed header is no fault of the request.
fn caller_span(headers: &HeaderMap) -> Option<TraceContext> {
    let header = headers.get(TraceContext::HEADER)?;
    TraceContext::parse(header.to_str().ok()?)
}

fn span(request: &Request<Body>, id: RequestId, trace: Option<TraceContext>) -> tracing::Span {
    let peer = request.extensions().get::<PeerInfo>();
    let participant = peer.map_or("", |peer| peer.identity.participant.as_str());
    tracing::info_span!(
        "rpc",
        rpc.method = request.uri().path(),
        participant.id = participant,
        request.id = %id,
        trace_id = trace.map(|trace| trace.trace_hex()),
        span_id = trace.map(|trace| trace.span_hex()),
    )
}

/// Names the request in the answer, and puts a refusal of tonic's into our words.
fn finish(response: Result<Response<Body>, Infallible>, id: RequestId) -> Response<Body> {
    let Ok(mut response) = response;
    match Status::from_header_map(response.headers()) {
        Some(status) if status.code() != tonic::Code::Ok && status.details().is_empty() => {
            answer(status::from_tonic(status, id), id)
        }
        _ => {
            response.headers_mut().insert(HEADER, id.header());
            response
        }
    }
}

fn answer(status: Status, id: RequestId) -> Response<Body> {
    let mut response = status.into_http();
    response.headers_mut().insert(HEADER, id.header());
    response
}

/// The time that the caller gives, if it names one.
fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Reason> {
    let Some(value) = headers.get(GRPC_TIMEOUT_HEADER) else {
        return Ok(None);
    };
    let read = parse_grpc_timeout(value.as_bytes());
    read.map(Some).ok_or(Reason::BadForm {
        expected: "5S, 500m",
    })
}
