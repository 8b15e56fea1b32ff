//! From push to the portal, beside a bare broker: over RabbitMQ, over the embedded broker, and without a portal.

use std::sync::Arc;
use std::time::Duration;

use lienthong_simulators::portal::{PortalConfig, PortalHandle, PortalSimulator};
use lienthong_testkit::rabbitmq::{self, PrivateRabbit};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::gateway::Site;
use super::load::{self, MIX, Watch};
use super::null_destination::{self, Carrier};
use super::report::{Aim, Row, Section};
use super::{bare_broker, figure, median, progress};

const STREAMS: usize = 4;
/// Events pushed and not yet applied at the portal: enough lanes for full concurrency, and no pile.
const UNDER_WAY: usize = 2_000;
/// How often the portal's count is looked at.
const POLL: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_mins(5);

/// What the gateway did from push to portal.
struct EndToEnd {
    events_per_second: f64,
    gateway_us: f64,
    /// Transactions of the store: acceptance, claim, begin, advance and finish together.
    commits: f64,
}

/// One repetition over one broker.
struct Round {
    through: EndToEnd,
    /// Events a second to a null destination.
    null: f64,
    /// Messages a second of the bare broker; none for the embedded one.
    bare: f64,
}

pub(super) async fn measure(quick: bool) -> anyhow::Result<Section> {
    let (rounds, events) = if quick { (1, 8_000) } else { (3, 16_000) };
    let rabbit = tokio::task::block_in_place(rabbitmq::own)?;
    let mut over_rabbit: Vec<Round> = Vec::new();
    let mut over_embedded: Vec<Round> = Vec::new();
    for number in 1..=rounds {
        progress(&format!("delivery, repetition {number} of {rounds}"));
        let through = end_to_end(None, events).await?;
        let null = null_destination::events_per_second(Carrier::Embedded, events).await?;
        over_embedded.push(Round {
            through,
            null,
            bare: f64::NAN,
        });
        if let Some(rabbit) = &rabbit {
            over_rabbit.push(with_rabbit(rabbit, events).await?);
        }
    }
    tokio::task::block_in_place(|| drop(rabbit));

    let mut rows = embedded_rows(&over_embedded);
    rows.splice(0..0, rabbit_rows(&over_rabbit));
    let mut notes = vec![
        format!(
            "{events} events, at most {UNDER_WAY} pushed and not applied, counted between the first fifth and the last \
             tenth; each event is two HTTP calls to the simulator, which shares the cores; {MIX}"
        ),
        "null destination: store, broker and delivery with default settings on a backlog, no gRPC, no HTTP".to_owned(),
    ];
    if over_rabbit.is_empty() {
        notes.push("RabbitMQ is not installed, so nothing was measured over it".to_owned());
    }
    Ok(Section {
        name: "delivery",
        title: format!("From push to applied at the portal, median of {rounds}"),
        grid: None,
        rows,
        notes,
    })
}

async fn with_rabbit(rabbit: &PrivateRabbit, events: u64) -> anyhow::Result<Round> {
    let vhosts = tokio::task::block_in_place(|| rabbit.node().fresh_vhosts(3))?;
    let [bare, whole, null] = [0, 1, 2].map(|index| rabbit.node().amqp_url(&vhosts[index]));
    let bare = bare_broker::messages_per_second(&bare, events).await?;
    let through = end_to_end(Some(&whole), events).await?;
    let null = null_destination::events_per_second(Carrier::Rabbit(&null), events).await?;
    Ok(Round {
        through,
        null,
        bare,
    })
}

fn rabbit_rows(taken: &[Round]) -> Vec<Row> {
    if taken.is_empty() {
        return Vec::new();
    }
    let middle = |read: fn(&Round) -> f64| median(taken.iter().map(read));
    let ratio = middle(|round| round.through.events_per_second / round.bare);
    let mut rows = rows_of(
        taken,
        [
            "rabbitmq",
            "rabbitmq_us",
            "rabbitmq_commits",
            "rabbitmq_null",
        ],
        "RabbitMQ",
    );
    rows.extend([
        Row::new(
            "rabbitmq_bare",
            "bare publish + confirm + consume + acknowledge",
            middle(|round| round.bare),
            "/s",
        ),
        Row::new("rabbitmq_ratio", "gateway / bare", ratio, "").aim(Aim::AtLeast(0.4)),
        Row::new(
            "rabbitmq_null_ratio",
            "null destination / bare",
            middle(|round| round.null / round.bare),
            "",
        ),
    ]);
    rows
}

fn embedded_rows(taken: &[Round]) -> Vec<Row> {
    rows_of(
        taken,
        [
            "embedded",
            "embedded_us",
            "embedded_commits",
            "embedded_null",
        ],
        "the embedded broker",
    )
}

fn rows_of(taken: &[Round], names: [&'static str; 4], broker: &str) -> Vec<Row> {
    let middle = |read: fn(&Round) -> f64| median(taken.iter().map(read));
    let [whole, busy, commits, null] = names;
    vec![
        Row::new(
            whole,
            format!("gateway over {broker}"),
            middle(|round| round.through.events_per_second),
            "/s",
        ),
        Row::new(
            busy,
            "  gateway's processor time per event",
            middle(|round| round.through.gateway_us),
            "us",
        ),
        Row::new(
            commits,
            "  commits of the store per event",
            middle(|round| round.through.commits),
            "",
        ),
        Row::new(
            null,
            format!("delivery over {broker} to a null destination"),
            middle(|round| round.null),
            "/s",
        ),
    ]
}

/// Pushes `events` through a gateway to a portal simulator.
async fn end_to_end(broker: Option<&str>, events: u64) -> anyhow::Result<EndToEnd> {
    let settings = PortalConfig {
        record_entries_max: 0,
        ..PortalConfig::default()
    };
    let bound = PortalSimulator::bind(settings, "127.0.0.1:0".parse()?).await?;
    let (portal, base, stop) = (bound.handle(), bound.base_url(), CancellationToken::new());
    let mut tasks = JoinSet::new();
    let running = bound.run(stop.clone());
    tasks.spawn(async move { running.await.map_err(anyhow::Error::from) });

    let site = Site::new(Some(&base), broker)?;
    let mut gateway = site.start()?;
    site.ready(&mut gateway, true).await?;
    let gate = Arc::new(Semaphore::new(UNDER_WAY));
    let watch = Watch {
        gate: Some(gate.clone()),
        ..Watch::default()
    };
    let clients = site.provinces(STREAMS)?;
    tasks.spawn(async move { load::push(clients, 0, events / STREAMS as u64, &watch).await });

    let mut meter = Meter {
        portal,
        gate,
        applied: 0,
    };
    let first = meter.reach(events / 5).await?;
    let (began, busy, commits) = (
        Instant::now(),
        gateway.usage()?.busy_seconds,
        site.commits()?,
    );
    let last = meter.reach(events - events / 10).await?;
    let (seconds, busy, commits) = (
        began.elapsed().as_secs_f64(),
        gateway.usage()?.busy_seconds - busy,
        site.commits()?.wrapping_sub(commits),
    );
    meter.reach(events).await?;
    gateway.stop()?;
    stop.cancel();
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    let counted = figure(last - first);
    Ok(EndToEnd {
        events_per_second: counted / seconds,
        gateway_us: busy / counted * 1e6,
        commits: f64::from(commits) / counted,
    })
}

/// Follows the portal and lets as much be pushed as it has applied.
struct Meter {
    portal: PortalHandle,
    gate: Arc<Semaphore>,
    applied: u64,
}

impl Meter {
    /// Waits until `wanted` events are applied; returns how many are.
    async fn reach(&mut self, wanted: u64) -> anyhow::Result<u64> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let applied = self.portal.stats().progress_lines;
            self.gate
                .add_permits(usize::try_from(applied - self.applied)?);
            self.applied = applied;
            if applied >= wanted {
                return Ok(applied);
            }
            anyhow::ensure!(
                Instant::now() < deadline,
                "the portal has only {applied} of {wanted} events"
            );
            tokio::time::sleep(POLL).await;
        }
    }
}
