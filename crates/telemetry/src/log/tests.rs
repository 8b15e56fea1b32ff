use std::io::{self, Write};

use serde_json::Value;
use tracing::subscriber::with_default;

use super::*;

/// What was logged.
#[derive(Clone, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    pub(crate) fn lines(&self) -> Vec<Value> {
        let written = self.0.lock().unwrap();
        let lines = written.split(|byte| *byte == b'\n');
        lines
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).expect("each line is one object"))
            .collect()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn json(filter: &str) -> (impl Subscriber + Send + Sync + 'static, Control, Written) {
    let written = Written::default();
    let writer = written.clone();
    let (subscriber, control) = subscriber(filter, Format::Json, move || writer.clone()).unwrap();
    (subscriber, control, written)
}

/// A JSON log in memory.
pub(crate) fn captured(filter: &str) -> (impl Subscriber + Send + Sync + 'static, Written) {
    let (subscriber, _, written) = json(filter);
    (subscriber, written)
}

#[test]
fn a_line_is_flat_and_carries_the_ids_of_its_trace() {
    let (log, _, written) = json("info");
    let context = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    with_default(log, || {
        let _outer = tracing::info_span!("rpc", request.id = "r1", delivery.attempt = 1).entered();
        let _inner = in_trace(context).entered();
        tracing::warn!(
            delivery.attempt = 2, dossier.code = %"H21.17-240823-0001", level = "mine", yes = true,
            "hồ sơ \"chờ\" vì cổng\nkhông trả lời"
        );
    });
    let mut lines = written.lines();
    assert_eq!(lines.len(), 1);
    let line = lines[0].as_object_mut().unwrap();
    let time = line.remove("timestamp").unwrap();
    assert!(time.as_str().unwrap().ends_with('Z'));
    let expected = serde_json::json!({
        "level": "WARN",
        "target": "lienthong_telemetry::log::tests",
        "message": "hồ sơ \"chờ\" vì cổng\nkhông trả lời",
        "request.id": "r1",
        // The innermost one.
        "delivery.attempt": 2,
        "dossier.code": "H21.17-240823-0001",
        "yes": true,
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "span_id": "00f067aa0ba902b7",
    });
    assert_eq!(Value::Object(line.clone()), expected);
}

#[test]
fn an_error_is_told_with_its_causes() {
    let (log, _, written) = json("info");
    with_default(log, || {
        let error = TelemetryError::Exporter(Box::new(io::Error::other("no route")));
        tracing::error!(error = &error as &dyn std::error::Error, "it failed");
    });
    let told = written.lines()[0]["error"].clone();
    assert_eq!(told, "prepare to send spans: no route: no route");
}

#[tokio::test(start_paused = true)]
async fn a_changed_filter_holds_for_its_time() {
    let (log, control, written) = json("warn");
    let _log = tracing::subscriber::set_default(log);
    let stop = CancellationToken::new();
    let running = control.clone().run(stop.clone());
    let work = async {
        tracing::debug!("before");
        let former = control.set("debug", Some(Duration::from_mins(10))).unwrap();
        assert_eq!(former, "warn");
        tracing::debug!("during");
        tokio::time::sleep(Duration::from_mins(9)).await;
        tracing::debug!("still");
        tokio::time::sleep(Duration::from_mins(2)).await;
        tracing::debug!("after");
        assert_eq!(control.filter(), "warn");
        stop.cancel();
    };
    tokio::join!(running, work);
    let lines = written.lines();
    let told = lines.iter().filter(|line| line["level"] == "DEBUG");
    let told = told
        .map(|line| line["message"].as_str().unwrap())
        .collect::<Vec<_>>();
    assert_eq!(told, ["during", "still"]);
}

#[test]
fn an_unreadable_filter_changes_nothing() {
    let (log, control, _) = json("warn");
    with_default(log, || {
        for filter in ["lienthong=loud", &"a".repeat(FILTER_CHARS_MAX + 1)] {
            control.set(filter, None).unwrap_err();
        }
        assert_eq!(control.filter(), "warn");
        assert_eq!(control.set("info", None).unwrap(), "warn");
        assert_eq!(control.set("", None).unwrap(), "info");
        assert_eq!(control.filter(), "warn");
    });
}
