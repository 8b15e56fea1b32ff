//! Counts every call at its end: by method and code, and how long it took. A stream ends with its trailers.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Response, Uri};
use http_body::{Body as HttpBody, Frame, SizeHint};
use lienthong_proto::FILE_DESCRIPTOR_SET;
use lienthong_telemetry::metrics::Metrics;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};

/// What is served beside our own contract.
const FOREIGN: [&str; 3] = [
    "Health/Check",
    "Health/Watch",
    "ServerReflection/ServerReflectionInfo",
];
/// A contract of ours that another program serves.
const ELSEWHERE: &str = "lienthong.population.v1";

/// `Service/Method` of every call that can be served: the values of the label `method`.
pub fn methods() -> Vec<String> {
    let contract = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET);
    let contract = contract.expect("the contract is compiled in, and a test decodes it");
    let served = contract
        .file
        .iter()
        .filter(|file| file.package() != ELSEWHERE);
    let services = served.flat_map(|file| &file.service);
    let ours = services.flat_map(|service| {
        let methods = service.method.iter();
        methods.map(|method| format!("{}/{}", service.name(), method.name()))
    });
    ours.chain(FOREIGN.map(str::to_owned)).collect()
}

/// A call under way, counted when it is dropped.
pub(crate) struct Measure {
    metrics: Arc<Metrics>,
    uri: Uri,
    started: Instant,
    streams: bool,
    /// How it ended; a call that is dropped before that was given up by its caller.
    code: Code,
}

impl Measure {
    pub(crate) fn begin(metrics: Arc<Metrics>, uri: Uri, streams: bool) -> Self {
        metrics.rpc.in_flight.inc();
        Self {
            metrics,
            uri,
            started: Instant::now(),
            streams,
            code: Code::Cancelled,
        }
    }

    /// Counts the call when its code is known: now, or for a stream with its trailers.
    pub(crate) fn follow(self, response: Response<Body>) -> Response<Body> {
        match Status::from_header_map(response.headers()) {
            Some(status) => {
                self.end(status.code());
                response
            }
            // A unary answer is complete in memory: nothing can go wrong any more on our side.
            None if !self.streams => {
                self.end(Code::Ok);
                response
            }
            None => response.map(|body| {
                Body::new(Measured {
                    body,
                    measure: Some(self),
                })
            }),
        }
    }

    fn end(mut self, code: Code) {
        self.code = code;
    }
}

impl Drop for Measure {
    fn drop(&mut self) {
        let rpc = &self.metrics.rpc;
        rpc.in_flight.dec();
        let took = (!self.streams).then(|| self.started.elapsed());
        rpc.ended(method(self.uri.path()), self.code.into(), took);
    }
}

/// `/package.Service/Method` without its package.
fn method(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, method)| method)
}

/// The body of a stream.
struct Measured {
    body: Body,
    measure: Option<Measure>,
}

impl HttpBody for Measured {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(trailers) = frame.trailers_ref()
            && let Some(measure) = self.measure.take()
        {
            let status = Status::from_header_map(trailers);
            measure.end(status.map_or(Code::Unknown, |status| status.code()));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use lienthong_telemetry::metrics::{Format, Vocabulary};

    use super::*;

    fn metrics() -> Arc<Metrics> {
        let words = Vocabulary {
            methods: methods(),
            ..Vocabulary::default()
        };
        Arc::new(Metrics::new(&words))
    }

    fn begin(metrics: &Arc<Metrics>, streams: bool) -> Measure {
        let uri = Uri::from_static("/lienthong.dossier.v1.DossierService/StreamStatus");
        Measure::begin(metrics.clone(), uri, streams)
    }

    fn count(metrics: &Metrics, code: &str) -> bool {
        let start = "lienthong_rpc_requests_total{method=\"DossierService/StreamStatus\"";
        let line = format!("{start},code=\"{code}\"}} 1");
        metrics
            .render(Format::Text)
            .lines()
            .any(|found| found == line)
    }

    #[test]
    fn the_contract_names_its_methods() {
        let methods = methods();
        for name in [
            "DossierService/PushStatus",
            "IdentityService/VerifyCitizen",
            "QueueService/ListQueues",
            "Health/Check",
        ] {
            assert!(
                methods.iter().any(|found| found == name),
                "{name} {methods:?}"
            );
        }
        assert!(!methods.iter().any(|name| name.contains("Registry")));
    }

    #[test]
    fn a_call_is_counted_by_what_its_headers_say() {
        let metrics = metrics();
        let refused = Status::not_found("").into_http();
        drop(begin(&metrics, false).follow(refused));
        drop(begin(&metrics, false).follow(Response::new(Body::empty())));
        assert!(count(&metrics, "NOT_FOUND") && count(&metrics, "OK"));
        drop(begin(&metrics, false));
        assert!(count(&metrics, "CANCELLED"));
        assert!(metrics.rpc.in_flight.get().abs() < f64::EPSILON);
    }

    #[tokio::test]
    async fn a_stream_is_counted_by_its_trailers_or_when_its_caller_leaves() {
        let metrics = metrics();
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-status", "14".parse().unwrap());
        let stream = Trailers(Some(trailers));
        let response = begin(&metrics, true).follow(Response::new(Body::new(stream)));
        assert!(metrics.rpc.in_flight.get() > 0.0, "it has not ended");
        let mut body = response.into_body();
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        assert!(frame.await.unwrap().unwrap().is_trailers());
        assert!(count(&metrics, "UNAVAILABLE"));

        drop(begin(&metrics, true).follow(Response::new(Body::empty())));
        assert!(count(&metrics, "CANCELLED"));
        assert!(metrics.rpc.in_flight.get().abs() < f64::EPSILON);
    }

    struct Trailers(Option<http::HeaderMap>);

    impl HttpBody for Trailers {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            Poll::Ready(self.0.take().map(|trailers| Ok(Frame::trailers(trailers))))
        }
    }
}
