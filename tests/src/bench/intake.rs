//! Durable stream intake beside bare SQLite that writes the same rows in the same groups.

use std::time::Instant;

use super::bare_sqlite;
use super::gateway::Site;
use super::load::{self, MIX, Watch};
use super::report::{Aim, Row, Section};
use super::{figure, median, progress};

/// Streams, each on a connection of its own.
const STREAMS: usize = 4;
/// The largest group that the gateway's writer forms.
const GROUP_MAX: usize = 1024;
/// Events of each stream that no clock counts: connections, caches and the first pages of the files.
const WARM_UP: u64 = 1_024;

/// One repetition.
struct Round {
    events_per_second: f64,
    group: f64,
    gateway_us: f64,
    bare_same: f64,
    bare_largest: f64,
    store_bytes: f64,
}

pub(super) async fn measure(quick: bool) -> anyhow::Result<Section> {
    let (rounds, per_stream) = if quick { (1, 15_000) } else { (3, 50_000) };
    let mut taken: Vec<Round> = Vec::new();
    for number in 1..=rounds {
        progress(&format!("intake, repetition {number} of {rounds}"));
        taken.push(round(per_stream).await?);
    }
    let middle = |figure: fn(&Round) -> f64| median(taken.iter().map(figure));
    Ok(Section {
        name: "intake",
        title: format!(
            "Durable stream intake: {STREAMS} streams, {} events, median of {rounds}",
            per_stream * STREAMS as u64
        ),
        grid: None,
        rows: rows_of(&taken),
        notes: vec![
            format!(
                "{:.0} bytes an event on the wire; {MIX}",
                load::event_bytes_mean()
            ),
            format!(
                "{:.0} bytes an event in the store's file; the destination is paused; bare SQLite is a process of its own that keeps freed memory",
                middle(|round| round.store_bytes)
            ),
        ],
    })
}

/// The figures and what they are compared with.
fn rows_of(taken: &[Round]) -> Vec<Row> {
    let middle = |figure: fn(&Round) -> f64| median(taken.iter().map(figure));
    let rate = middle(|round| round.events_per_second);
    vec![
        Row::new(
            "gateway",
            "gateway, mutual TLS, load generator on the same cores",
            rate,
            "/s",
        )
        .aim(Aim::AtLeast(20_000.0)),
        Row::new(
            "group",
            "  events per commit, observed",
            middle(|round| round.group),
            "",
        ),
        Row::new(
            "gateway_us",
            "  gateway's processor time per event",
            middle(|round| round.gateway_us),
            "us",
        ),
        Row::new(
            "bare_same",
            "bare SQLite, same rows, same groups",
            middle(|round| round.bare_same),
            "/s",
        ),
        Row::new(
            "bare_largest",
            "bare SQLite, groups of 1,024",
            middle(|round| round.bare_largest),
            "/s",
        ),
        Row::new(
            "ratio",
            "gateway / bare, same groups",
            middle(|round| round.events_per_second / round.bare_same),
            "",
        )
        .aim(Aim::AtLeast(0.5)),
        Row::new(
            "ratio_largest",
            "gateway / bare, groups of 1,024",
            middle(|round| round.events_per_second / round.bare_largest),
            "",
        ),
    ]
}

async fn round(per_stream: u64) -> anyhow::Result<Round> {
    let site = Site::new(None, None)?;
    let mut gateway = site.start()?;
    site.ready(&mut gateway, false).await?;
    let clients = site.provinces(STREAMS)?;
    // Connections and caches first.
    load::push(clients.clone(), 0, WARM_UP, &Watch::default()).await?;
    let (commits, busy) = (site.commits()?, gateway.usage()?.busy_seconds);
    let began = Instant::now();
    load::push(clients, WARM_UP, per_stream, &Watch::default()).await?;
    let seconds = began.elapsed().as_secs_f64();
    let (commits, busy) = (
        site.commits()?.wrapping_sub(commits),
        gateway.usage()?.busy_seconds - busy,
    );
    gateway.stop()?;

    let events = figure(per_stream * STREAMS as u64);
    let group = events / f64::from(commits.max(1));
    let store = site.store();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "1 to the number of events"
    )]
    let same = group.round() as usize;
    let warm_up = usize::try_from(WARM_UP)? * STREAMS;
    Ok(Round {
        events_per_second: events / seconds,
        group,
        gateway_us: busy / events * 1e6,
        bare_same: bare_sqlite::events_per_second(&store, same, warm_up)?,
        bare_largest: bare_sqlite::events_per_second(&store, GROUP_MAX, warm_up)?,
        store_bytes: figure(std::fs::metadata(&store)?.len()) / (events + figure(warm_up as u64)),
    })
}
