//! An OpenTelemetry collector for tests: OTLP over gRPC on port 0, and everything it was sent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use lienthong_transport::{Http2Limits, tonic_server};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

/// A collector; it ends when it is dropped.
pub struct Collector {
    address: SocketAddr,
    requests: Requests,
    _serving: JoinSet<()>,
}

type Requests = Arc<Mutex<Vec<ExportTraceServiceRequest>>>;

/// A span as it was sent; ids in hexadecimal.
#[derive(Clone, Debug)]
pub struct SeenSpan {
    /// `accept`, `publish`, `deliver`, ...
    pub name: String,
    /// What it is to the process.
    pub kind: SpanKind,
    /// Its trace.
    pub trace: String,
    /// Its own id.
    pub id: String,
    /// The span above it; empty for the first of a trace.
    pub parent: String,
    /// Spans it points at, as trace and id.
    pub links: Vec<(String, String)>,
    /// What it says, as text.
    pub attributes: BTreeMap<String, String>,
    /// Whether it says that something failed.
    pub failed: bool,
    /// What its process says of itself, as text.
    pub service: BTreeMap<String, String>,
    /// When it began, in nanoseconds of Unix time.
    pub began: u64,
    /// When it ended.
    pub ended: u64,
}

impl SeenSpan {
    /// What it says under this name; empty for nothing.
    pub fn told(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

impl Collector {
    /// Starts on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a loopback port is free");
        let address = listener.local_addr().expect("it is bound");
        let requests = Requests::default();
        let service = TraceServiceServer::new(Desk(requests.clone()));
        let stop = CancellationToken::new();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let served = tonic_server(&Http2Limits::default())
                .add_service(service)
                .serve_with_incoming_shutdown(
                    TcpListenerStream::new(listener),
                    stop.cancelled_owned(),
                );
            served.await.expect("the collector serves");
        });
        Self {
            address,
            requests,
            _serving: serving,
        }
    }

    /// For `[traces] endpoint`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every span that came, by the time it began. Stop the gateway first: it sends in batches.
    pub fn spans(&self) -> Vec<SeenSpan> {
        let requests = self.requests.lock().expect("nobody panics with it in hand");
        let mut spans = Vec::new();
        for group in requests.iter().flat_map(|request| &request.resource_spans) {
            let service = group.resource.as_ref();
            let service = service.map(|service| texts(&service.attributes));
            let service = service.unwrap_or_default();
            let of_group = group.scope_spans.iter().flat_map(|scope| &scope.spans);
            spans.extend(of_group.map(|span| seen(span, &service)));
        }
        spans.sort_by_key(|span| (span.began, span.ended));
        spans
    }

    /// Sends a span of this name, as a process would that knows no better.
    pub async fn send(&self, name: &str) {
        let span = Span {
            name: name.to_owned(),
            ..Span::default()
        };
        let scope = ScopeSpans {
            spans: vec![span],
            ..ScopeSpans::default()
        };
        let group = ResourceSpans {
            scope_spans: vec![scope],
            ..ResourceSpans::default()
        };
        let request = ExportTraceServiceRequest {
            resource_spans: vec![group],
        };
        let client = TraceServiceClient::connect(self.endpoint()).await;
        let mut client = client.expect("the collector answers");
        let sent = client.export(request).await;
        sent.expect("the collector takes what it is sent");
    }

    /// Everything that came, as protobuf, whose texts stand in it as they are: for a search.
    pub fn written(&self) -> Vec<u8> {
        let requests = self.requests.lock().expect("nobody panics with it in hand");
        let written = requests.iter().flat_map(prost::Message::encode_to_vec);
        written.collect()
    }
}

struct Desk(Requests);

#[tonic::async_trait]
impl TraceService for Desk {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut requests = self.0.lock().expect("nobody panics with it in hand");
        requests.push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn seen(span: &Span, service: &BTreeMap<String, String>) -> SeenSpan {
    let links = span.links.iter();
    let status = span.status.as_ref();
    SeenSpan {
        name: span.name.clone(),
        kind: span.kind(),
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        links: links
            .map(|link| (hex(&link.trace_id), hex(&link.span_id)))
            .collect(),
        attributes: texts(&span.attributes),
        failed: status.is_some_and(|status| status.code() == StatusCode::Error),
        service: service.clone(),
        began: span.start_time_unix_nano,
        ended: span.end_time_unix_nano,
    }
}

fn hex(id: &[u8]) -> String {
    id.iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &AnyValue| match &value.value {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(any_value::Value::BoolValue(yes)) => yes.to_string(),
        other => format!("{other:?}"),
    };
    let attributes = attributes.iter();
    attributes
        .map(|attribute| {
            let value = attribute.value.as_ref().map(text);
            (attribute.key.clone(), value.unwrap_or_default())
        })
        .collect()
}
