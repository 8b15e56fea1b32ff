//! Latency of one push, beside an empty handler behind the same TLS.

use std::time::Duration;

use anyhow::Context as _;
use hdrhistogram::Histogram;
use lienthong_proto::dossier::v1::PushStatusRequest;
use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::transport::Channel;

use super::gateway::Site;
use super::latency::{Latency, histogram, record};
use super::load::{self, MIX};
use super::report::{Row, Section};
use super::{median, progress};

/// Connections that many callers share.
const CONNECTIONS: usize = 4;
const CALLERS_MANY: usize = 64;
/// Calls of each caller that are not counted.
const WARM_UP: u64 = 20;
const START_PATIENCE: Duration = Duration::from_secs(10);

/// One and many callers, gateway and empty handler.
struct Round {
    gateway: [Latency; 2],
    empty: [Latency; 2],
}

pub(super) async fn measure(quick: bool) -> anyhow::Result<Section> {
    let (rounds, calls) = if quick {
        (1, [1_000, 8_000])
    } else {
        (5, [4_000, 40_000])
    };
    let mut taken = Vec::new();
    for number in 1..=rounds {
        progress(&format!("unary, repetition {number} of {rounds}"));
        taken.push(round(calls).await?);
    }
    let mut rows = Vec::new();
    for (index, callers) in [1, CALLERS_MANY].into_iter().enumerate() {
        rows.extend(rows_of(&taken, index, callers));
    }
    Ok(Section {
        name: "unary",
        title: format!(
            "One push by PushStatus: {} and {} calls, median of {rounds}",
            calls[0], calls[1]
        ),
        grid: None,
        rows,
        notes: vec![format!(
            "{CALLERS_MANY} callers share {CONNECTIONS} connections; the empty handler has the same acceptor, HTTP/2 \
             settings and request, and answers nothing; the destination is paused; {MIX}"
        )],
    })
}

fn rows_of(taken: &[Round], index: usize, callers: usize) -> Vec<Row> {
    let middle = |read: &dyn Fn(&Round) -> f64| median(taken.iter().map(read));
    let row = |name, label: &str, value, unit| {
        Row::new(name, format!("{callers:>2} callers: {label}"), value, unit)
    };
    let [p50, p99, p50_ratio, p99_ratio, rate] = if index == 0 {
        ["p50_1", "p99_1", "p50_ratio_1", "p99_ratio_1", "rate_1"]
    } else {
        [
            "p50_64",
            "p99_64",
            "p50_ratio_64",
            "p99_ratio_64",
            "rate_64",
        ]
    };
    let [empty_p50, empty_p99, empty_rate] = if index == 0 {
        ["empty_p50_1", "empty_p99_1", "empty_rate_1"]
    } else {
        ["empty_p50_64", "empty_p99_64", "empty_rate_64"]
    };
    vec![
        row(
            p50,
            "gateway p50",
            middle(&|round| round.gateway[index].p50_ms),
            "ms",
        ),
        row(
            p99,
            "gateway p99",
            middle(&|round| round.gateway[index].p99_ms),
            "ms",
        ),
        row(
            empty_p50,
            "empty handler p50",
            middle(&|round| round.empty[index].p50_ms),
            "ms",
        ),
        row(
            empty_p99,
            "empty handler p99",
            middle(&|round| round.empty[index].p99_ms),
            "ms",
        ),
        row(
            p50_ratio,
            "p50, gateway / empty",
            middle(&|round| round.gateway[index].p50_ms / round.empty[index].p50_ms),
            "",
        ),
        row(
            p99_ratio,
            "p99, gateway / empty",
            middle(&|round| round.gateway[index].p99_ms / round.empty[index].p99_ms),
            "",
        ),
        row(
            rate,
            "gateway",
            middle(&|round| round.gateway[index].calls_per_second),
            "/s",
        ),
        row(
            empty_rate,
            "empty handler",
            middle(&|round| round.empty[index].calls_per_second),
            "/s",
        ),
    ]
}

async fn round(calls: [u64; 2]) -> anyhow::Result<Round> {
    let site = Site::new(None, None)?;
    let mut gateway = site.start()?;
    site.ready(&mut gateway, false).await?;
    let of_gateway = both(&site, calls).await?;
    gateway.stop()?;
    let empty = site.start_empty()?;
    let of_empty = both(&site, calls).await?;
    empty.kill()?;
    Ok(Round {
        gateway: of_gateway,
        empty: of_empty,
    })
}

async fn both(site: &Site, calls: [u64; 2]) -> anyhow::Result<[Latency; 2]> {
    reachable(site).await?;
    // Streams of the load keep the callers' dossiers apart; the first 64 belong to the many.
    let one = callers(&[site.province()?], CALLERS_MANY, 1, calls[0]).await?;
    let many = callers(&site.provinces(CONNECTIONS)?, 0, CALLERS_MANY, calls[1]).await?;
    Ok([one, many])
}

/// A server that was just started does not listen at once.
async fn reachable(site: &Site) -> anyhow::Result<()> {
    let deadline = Instant::now() + START_PATIENCE;
    // An event of a stream that nobody else uses.
    let request = PushStatusRequest {
        event: Some(load::event(CALLERS_MANY + 1, 0)),
    };
    while let Err(status) = site.province()?.push_status(request.clone()).await {
        anyhow::ensure!(
            Instant::now() < deadline,
            "the server does not answer: {status}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// `count` callers, each with one call at a time, `calls` in all.
async fn callers(
    clients: &[DossierServiceClient<Channel>],
    stream_first: usize,
    count: usize,
    calls: u64,
) -> anyhow::Result<Latency> {
    let each = calls / count as u64;
    let mut running = JoinSet::new();
    let began = Instant::now();
    for number in 0..count {
        let client = clients[number % clients.len()].clone();
        running.spawn(caller(client, stream_first + number, each));
    }
    let mut all = histogram()?;
    while let Some(ended) = running.join_next().await {
        all.add(ended??)?;
    }
    let calls = count as u64 * (each + WARM_UP);
    Ok(Latency::of(&all, calls, began))
}

async fn caller(
    mut client: DossierServiceClient<Channel>,
    stream: usize,
    calls: u64,
) -> anyhow::Result<Histogram<u64>> {
    let mut latencies = histogram()?;
    for index in 0..WARM_UP + calls {
        let request = PushStatusRequest {
            event: Some(load::event(stream, index)),
        };
        let began = Instant::now();
        client.push_status(request).await.context("push")?;
        if index >= WARM_UP {
            record(&mut latencies, began)?;
        }
    }
    Ok(latencies)
}
