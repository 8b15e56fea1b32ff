//! A million events that wait: does intake slow down, does memory grow, does a restart take long?

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use lienthong_proto::dossier::v1::PushStatusRequest;
use tokio::task::JoinSet;

use super::gateway::Site;
use super::load::{self, MIX, Watch};
use super::process::{Process, Usage};
use super::report::{Aim, Row, Section};
use super::{figure, median, progress};

const STREAMS: usize = 4;
/// Parts of the load whose rates are compared.
const PARTS: usize = 50;
/// Parts at each end of which the median is taken.
const PARTS_OF_AN_END: usize = 10;
const POLL: Duration = Duration::from_millis(2);
const RESTART_PATIENCE: Duration = Duration::from_mins(2);

pub(super) async fn measure(quick: bool) -> anyhow::Result<Section> {
    let events: u64 = if quick { 100_000 } else { 1_000_000 };
    progress(&format!("waiting, {events} events"));
    let site = Site::new(None, None)?;
    let mut gateway = site.start()?;
    site.ready(&mut gateway, false).await?;
    let rates = fill(&site, events).await?;
    let full = gateway.usage()?;
    let (early, late) = (
        ends(&rates[..PARTS_OF_AN_END]),
        ends(&rates[PARTS - PARTS_OF_AN_END..]),
    );

    progress("waiting, restarts on the full store");
    gateway.kill()?;
    let (gateway, after_kill) = restart(&site, 0).await?;
    gateway.stop()?;
    let (gateway, after_stop) = restart(&site, 1).await?;
    let restarted = gateway.usage()?;
    gateway.stop()?;
    let store = std::fs::metadata(site.store())?.len();
    let found = Found {
        early,
        late,
        full,
        restarted,
        after_kill,
        after_stop,
        store,
    };
    Ok(Section {
        name: "waiting",
        title: format!("{events} events that wait, {STREAMS} streams"),
        grid: None,
        rows: rows_of(&found),
        notes: vec![format!("the destination is paused; {MIX}")],
    })
}

/// What was seen.
struct Found {
    early: f64,
    late: f64,
    full: Usage,
    restarted: Usage,
    after_kill: f64,
    after_stop: f64,
    store: u64,
}

fn rows_of(found: &Found) -> Vec<Row> {
    vec![
        Row::new(
            "early",
            "intake on the empty found.store (median of the first fifth)",
            found.early,
            "/s",
        ),
        Row::new(
            "late",
            "intake at the end (median of the last fifth)",
            found.late,
            "/s",
        ),
        Row::new(
            "ratio",
            "at the end / on the empty store",
            found.late / found.early,
            "",
        )
        .aim(Aim::AtLeast(0.8)),
        Row::new(
            "resident",
            "resident memory of the gateway at the end",
            found.full.resident_mib,
            "MiB",
        ),
        Row::new(
            "resident_max",
            "  the most it has been",
            found.full.resident_mib_max,
            "MiB",
        )
        .aim(Aim::Below(200.0)),
        Row::new(
            "restart_kill",
            "start to first receipt after kill -9",
            found.after_kill,
            "s",
        )
        .aim(Aim::Below(3.0)),
        Row::new(
            "restart_stop",
            "start to first receipt after an orderly stop",
            found.after_stop,
            "s",
        )
        .aim(Aim::Below(3.0)),
        Row::new(
            "resident_restarted",
            "  resident memory after it, at most",
            found.restarted.resident_mib_max,
            "MiB",
        ),
        Row::new(
            "store",
            "size of the store",
            figure(found.store) / 1_048_576.0,
            "MiB",
        ),
    ]
}

fn ends(rates: &[f64]) -> f64 {
    median(rates.iter().copied())
}

/// Pushes everything; events a second of each of [`PARTS`] equal parts.
async fn fill(site: &Site, events: u64) -> anyhow::Result<Vec<f64>> {
    let watch = Watch::default();
    let accepted = watch.accepted.clone();
    let clients = site.provinces(STREAMS)?;
    let mut pushing = JoinSet::new();
    let count = events / STREAMS as u64;
    pushing.spawn(async move { load::push(clients, 0, count, &watch).await });
    let (mut rates, mut since, mut before) = (Vec::new(), Instant::now(), 0);
    while rates.len() < PARTS {
        if let Some(ended) = pushing.try_join_next() {
            ended??;
        }
        let now = accepted.load(Ordering::Relaxed);
        // The end of each part is fixed, so that what one runs over does not shorten the last ones.
        if now >= count * STREAMS as u64 * (rates.len() as u64 + 1) / PARTS as u64 {
            rates.push(figure(now - before) / since.elapsed().as_secs_f64());
            (since, before) = (Instant::now(), now);
            if rates.len().is_multiple_of(PARTS_OF_AN_END) {
                progress(&format!("waiting, {now} accepted"));
            }
        }
        tokio::time::sleep(POLL).await;
    }
    while let Some(ended) = pushing.join_next().await {
        ended??;
    }
    Ok(rates)
}

/// Starts the gateway; seconds until it has accepted a new event, the one at `index` of a stream of its own.
async fn restart(site: &Site, index: u64) -> anyhow::Result<(Process, f64)> {
    let request = PushStatusRequest {
        event: Some(load::event(STREAMS, index)),
    };
    let began = Instant::now();
    let gateway = site.start()?;
    while let Err(status) = site.province()?.push_status(request.clone()).await {
        anyhow::ensure!(
            began.elapsed() < RESTART_PATIENCE,
            "the gateway does not accept: {status}"
        );
        tokio::time::sleep(POLL).await;
    }
    Ok((gateway, began.elapsed().as_secs_f64()))
}
