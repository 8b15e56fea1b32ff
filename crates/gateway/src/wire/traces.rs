//! Spans to a collector: the channel, the tracer, and the task that sends.

use std::time::Duration;

use anyhow::Context;
use lienthong_domain::Clock;
use lienthong_telemetry::Tracer;
use lienthong_telemetry::traces::{EXPORT_TIME_MAX, Service};
use lienthong_transport::{ChannelTimeouts, ClientTls, ClientTlsFiles, grpc_channel};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use super::tls_clock;
use crate::config::Traces;

/// How long a connection to the collector may take.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);

/// The sending of spans; nothing where nobody collects.
#[derive(Default)]
pub(super) struct Sending {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Sending {
    /// Sends what is left and ends, within a few seconds. Call it when nothing makes spans any more.
    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Starts to send spans, if a collector is named. Connects when the first are sent, and a collector that is down
/// stops nobody.
pub(super) fn start(
    traces: &Traces,
    instance: String,
    clock: &Clock,
) -> anyhow::Result<(Tracer, Sending)> {
    let mut sending = Sending::default();
    if traces.endpoint.is_empty() {
        return Ok((Tracer::off(), sending));
    }
    let service = Service {
        name: "lienthong",
        version: env!("CARGO_PKG_VERSION"),
        instance,
    };
    let channel = channel(traces, clock)
        .with_context(|| format!("failed to use the collector {}", traces.endpoint))?;
    let (tracer, sender) = Tracer::to_collector(channel, &service, traces.sample_ratio)
        .map_err(|error| anyhow::anyhow!("failed to {error}"))?;
    sending.tasks.spawn(sender.run(sending.stop.clone()));
    Ok((tracer, sending))
}

fn channel(traces: &Traces, clock: &Clock) -> anyhow::Result<Channel> {
    let Some(roots) = &traces.ca else {
        let endpoint = Endpoint::from_shared(traces.endpoint.clone())?;
        let endpoint = endpoint.connect_timeout(CONNECT_TIME_MAX);
        return Ok(endpoint.timeout(EXPORT_TIME_MAX).connect_lazy());
    };
    let files = ClientTlsFiles {
        roots: roots.clone(),
        identity: None,
        server_name: None,
    };
    let tls = ClientTls::load(&files, tls_clock(clock))?;
    let timeouts = ChannelTimeouts {
        connect: CONNECT_TIME_MAX,
        request: Some(EXPORT_TIME_MAX),
        ..ChannelTimeouts::default()
    };
    Ok(grpc_channel(&traces.endpoint, tls, &timeouts)?)
}
