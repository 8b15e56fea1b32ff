//! One status is one trace, from the caller's span through store, broker and every attempt to the portal's calls; and
//! nobody waits for a collector.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lienthong_domain::TraceContext;
use lienthong_gateway::config::{BrokerKind, Config};
use lienthong_proto::dossier::v1::{
    BatchPushStatusRequest, DossierStatus, PushStatusRequest, StatusEvent,
};
use lienthong_simulators::portal::{Fault, FaultRule, Service, When};
use lienthong_telemetry::log::{self, Format};
use lienthong_testkit::rabbitmq;
use lienthong_tests::harness::acts::script;
use lienthong_tests::harness::citizens::{DOSSIER, citizen, claims, for_dossier, verify};
use lienthong_tests::harness::collector::{Collector, SeenSpan};
use lienthong_tests::harness::{TestGateway, events};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::Value;
use tokio::task::block_in_place;
use tokio::time::Instant;
use tonic::Request;

const CODE: &str = "H21.17-240823-0001";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// A request within a span of the caller's.
fn within<T>(message: T, sampled: bool) -> Request<T> {
    let mut request = Request::new(message);
    let header = format!("00-{TRACE}-{CALLER}-0{}", u8::from(sampled));
    request
        .metadata_mut()
        .insert("traceparent", header.parse().unwrap());
    request
}

fn pushed(event: StatusEvent) -> PushStatusRequest {
    PushStatusRequest { event: Some(event) }
}

/// A gateway that records every trace, or, of traces that begin here, the share `ratio`.
async fn watched(
    collector: &Collector,
    ratio: f64,
    change: impl FnOnce(&mut Config),
) -> TestGateway {
    TestGateway::start_with(|config| {
        config.traces.endpoint = collector.endpoint();
        config.traces.sample_ratio = ratio;
        change(config);
    })
    .await
}

/// The portal fails at the first two dossiers that it is sent.
fn fail_twice(gateway: &TestGateway) {
    let rule = FaultRule {
        when: When::Calls { from: 1, to: 2 },
        services: vec![Service::SyncDossier],
        ..FaultRule::always(Fault::Status { code: 503 })
    };
    gateway.portal.set_faults(script(rule)).unwrap();
}

fn named<'a>(spans: &'a [SeenSpan], name: &str) -> Vec<&'a SeenSpan> {
    spans.iter().filter(|span| span.name == name).collect()
}

/// The log of this process, line by line.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Follows the log from now on. Each test is a process of its own.
    fn follow() -> Self {
        let lines = Self::default();
        let writer = lines.clone();
        let (log, _) = log::subscriber("info", Format::Json, move || writer.clone()).unwrap();
        tracing::subscriber::set_global_default(log).expect("nobody else follows the log");
        lines
    }

    fn read(&self) -> Vec<Value> {
        let written = self.0.lock().unwrap();
        let lines = written.split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_slice(line).expect("each line is JSON"))
            .collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One push that is delivered at the third attempt, and everything that tells of it.
async fn one_push_is_one_trace(change: impl FnOnce(&mut Config)) {
    let lines = Lines::follow();
    let collector = Collector::start().await;
    // The caller decides for its own trace.
    let gateway = watched(&collector, 0.0, change).await;
    fail_twice(&gateway);
    gateway
        .province("H21")
        .push_status(within(pushed(events::first(CODE)), true))
        .await
        .unwrap();
    gateway.drained().await;
    let record = gateway.portal.record();
    gateway.stop().await;
    let spans = collector.spans();

    for span in &spans {
        assert_eq!(span.trace, TRACE, "{span:#?}");
        assert_eq!(span.service["service.name"], "lienthong");
        assert_eq!(span.service["service.instance.id"].len(), 36);
        assert!(span.began <= span.ended);
    }
    let accepts = named(&spans, "accept");
    assert_eq!(accepts.len(), 1, "{spans:#?}");
    let accept = accepts[0];
    assert_eq!((accept.kind, &*accept.parent), (SpanKind::Server, CALLER));
    assert_eq!(accept.told("dossier.code"), CODE);
    assert_eq!(accept.told("participant.id"), "H21");

    let publishes = named(&spans, "publish");
    assert_eq!(publishes.len(), 3);
    for publish in publishes {
        assert_eq!(publish.kind, SpanKind::Producer);
        assert_eq!(publish.parent, accept.id);
    }
    attempts_follow_each_other(&spans, accept);
    calls_belong_to_attempts(&spans);
    portal_was_told(&spans, &record.entries);
    log_has_the_same_ids(&spans, &lines.read());
}

fn attempts_follow_each_other(spans: &[SeenSpan], accept: &SeenSpan) {
    let attempts = named(spans, "deliver");
    assert_eq!(attempts.len(), 3);
    let mut before: Option<&SeenSpan> = None;
    for (number, attempt) in (1..).zip(attempts) {
        assert_eq!(attempt.kind, SpanKind::Consumer);
        assert_eq!(attempt.parent, accept.id);
        assert_eq!(attempt.told("delivery.attempt"), number.to_string());
        let link = before.map(|before| (TRACE.to_owned(), before.id.clone()));
        assert_eq!(attempt.links, link.into_iter().collect::<Vec<_>>());
        assert_eq!(attempt.failed, number < 3, "{attempt:#?}");
        let outcome = attempt.told("delivery.outcome");
        assert_eq!(outcome == "delivered", number == 3, "{attempt:#?}");
        before = Some(attempt);
    }
}

fn calls_belong_to_attempts(spans: &[SeenSpan]) {
    let of_attempts = named(spans, "deliver").into_iter().map(|attempt| {
        let calls = named(spans, "call").into_iter();
        let calls = calls.filter(|call| call.parent == attempt.id);
        calls
            .map(|call| {
                assert_eq!(call.kind, SpanKind::Client);
                let status = call.told("http.response.status_code");
                format!("{} {status}", call.told("call.service"))
            })
            .collect::<Vec<_>>()
    });
    let expected = [
        vec!["login 200", "find 200", "sync 503"],
        vec!["find 200", "sync 503"],
        vec!["find 200", "sync 200", "progress 200"],
    ];
    assert_eq!(of_attempts.collect::<Vec<_>>(), expected);
}

/// Each call carried the span that stands for it.
fn portal_was_told(spans: &[SeenSpan], entries: &[lienthong_simulators::portal::Entry]) {
    let told = entries.iter().map(|entry| {
        let header = entry.trace.as_deref().expect("the header came");
        let trace = TraceContext::parse(header).expect("it is well formed");
        assert!(trace.sampled);
        let call = spans.iter().find(|span| span.id == trace.span_hex());
        let call = call.expect("it is the span of a call");
        assert_eq!((trace.trace_hex(), &*call.name), (TRACE.to_owned(), "call"));
        call.told("call.service").to_owned()
    });
    let told = told.collect::<Vec<_>>();
    assert_eq!(told, ["sync", "progress"]);
}

fn log_has_the_same_ids(spans: &[SeenSpan], lines: &[Value]) {
    let attempts = named(spans, "deliver").into_iter();
    let failed = attempts.filter(|attempt| attempt.failed);
    let expected = failed.map(|attempt| attempt.id.as_str());
    let told = lines
        .iter()
        .filter(|line| line["trace_id"] == TRACE && line["dossier.code"] == CODE);
    let told = told.map(|line| {
        let message = line["message"].as_str().unwrap();
        assert!(
            message.starts_with("a delivery did not go through"),
            "{line}"
        );
        line["span_id"].as_str().unwrap()
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        expected.collect::<Vec<_>>(),
        "{lines:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_and_its_attempts_are_one_trace() {
    one_push_is_one_trace(|_| ()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_one_trace_over_rabbitmq_too() {
    let Some(rabbit) = block_in_place(rabbitmq::shared).unwrap() else {
        return;
    };
    let vhost = block_in_place(|| rabbit.node().fresh_vhost()).unwrap();
    let url = rabbit.node().amqp_url(&vhost);
    one_push_is_one_trace(|config| {
        config.broker.kind = BrokerKind::Rabbitmq;
        config.broker.rabbitmq.url = url;
    })
    .await;
    block_in_place(|| drop(rabbit));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_status_begins_a_trace_unless_its_caller_did() {
    let collector = Collector::start().await;
    let gateway = watched(&collector, 1.0, |_| ()).await;
    let mut province = gateway.province("H21");
    let batch = |numbers: std::ops::Range<u32>| BatchPushStatusRequest {
        events: numbers
            .map(|number| events::first(&format!("H21.17-240823-{number:04}")))
            .collect(),
    };
    province.batch_push_status(batch(1..4)).await.unwrap();
    province
        .batch_push_status(within(batch(4..7), true))
        .await
        .unwrap();
    gateway.drained().await;
    gateway.stop().await;
    let spans = collector.spans();
    let accepts = named(&spans, "accept");
    let (own, callers): (Vec<&SeenSpan>, Vec<&SeenSpan>) =
        accepts.into_iter().partition(|span| span.parent.is_empty());
    let own = own.into_iter().map(|span| &span.trace);
    let own = own.collect::<BTreeSet<_>>();
    assert_eq!(own.len(), 3);
    assert_eq!(callers.len(), 3);
    assert!(callers.iter().all(|span| span.trace == TRACE));
    // Each delivery is in the trace of its status.
    for deliver in named(&spans, "deliver") {
        let accept = spans.iter().find(|span| span.id == deliver.parent).unwrap();
        assert_eq!(accept.trace, deliver.trace);
        assert_eq!(accept.told("dossier.code"), deliver.told("dossier.code"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_its_caller_does_not_record_is_handed_on_only() {
    let collector = Collector::start().await;
    let gateway = watched(&collector, 1.0, |_| ()).await;
    gateway
        .province("H21")
        .push_status(within(pushed(events::first(CODE)), false))
        .await
        .unwrap();
    gateway.drained().await;
    let entries = gateway.portal.record().entries;
    gateway.stop().await;
    assert_eq!(collector.spans().len(), 0);
    assert!(!entries.is_empty());
    for entry in entries {
        let trace = TraceContext::parse(&entry.trace.unwrap()).unwrap();
        assert_eq!(
            (trace.trace_hex(), trace.sampled),
            (TRACE.to_owned(), false)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_collector_the_callers_trace_still_goes_through() {
    let gateway = TestGateway::start().await;
    gateway
        .province("H21")
        .push_status(within(pushed(events::first(CODE)), true))
        .await
        .unwrap();
    gateway.drained().await;
    let entries = gateway.portal.record().entries;
    gateway.stop().await;
    let header = format!("00-{TRACE}-{CALLER}-01");
    assert!(!entries.is_empty());
    for entry in entries {
        assert_eq!(entry.trace.as_deref(), Some(&*header));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_one_trace_and_says_nothing_of_the_person() {
    let collector = Collector::start().await;
    let gateway = watched(&collector, 0.0, |_| ()).await;
    gateway
        .province("H56")
        .push_status(pushed(events::first(DOSSIER)))
        .await
        .unwrap();
    let person = citizen(&gateway.population, 0);
    let question = verify(for_dossier(DOSSIER), claims(&person));
    gateway
        .citizens("H56", "motcua")
        .verify_citizen(within(question, true))
        .await
        .unwrap();
    let record = gateway.population.record();
    gateway.stop().await;

    let spans = collector.spans();
    let names = spans.iter().map(|span| span.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["verify", "ask"]);
    let (verify, ask) = (&spans[0], &spans[1]);
    assert_eq!((verify.kind, &*verify.parent), (SpanKind::Server, CALLER));
    assert_eq!((ask.kind, &ask.parent), (SpanKind::Client, &verify.id));
    for span in &spans {
        assert_eq!(span.trace, TRACE);
        let told = span.attributes.keys().map(String::as_str);
        let told = told.collect::<Vec<_>>();
        assert!(
            told == ["participant.id"] || told == ["call.service"],
            "{span:#?}"
        );
    }
    let header = record.entries[0].trace.as_deref();
    assert_eq!(header, Some(&*format!("00-{TRACE}-{}-01", ask.id)));
    let number = claims(&person).number;
    let written = collector.written();
    let found = written.windows(number.len());
    assert_eq!(found.filter(|bytes| *bytes == number.as_bytes()).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_down_delays_nothing() {
    let gateway = TestGateway::start_with(|config| {
        // Nobody listens there: the port is reserved.
        "http://127.0.0.1:1".clone_into(&mut config.traces.endpoint);
        config.traces.sample_ratio = 1.0;
    })
    .await;
    let mut province = gateway.province("H21");
    for number in 1..=20 {
        let code = format!("H21.17-240823-{number:04}");
        let statuses = [
            events::first(&code),
            events::status(&code, DossierStatus::Processing, 60),
        ];
        for event in statuses {
            province.push_status(pushed(event)).await.unwrap();
        }
    }
    gateway.drained().await;
    assert_eq!(gateway.portal.record().dossiers.len(), 20);
    let began = Instant::now();
    gateway.stop().await;
    assert!(began.elapsed() < Duration::from_secs(10));
}
