//! Delivery to a destination that does nothing: what claims, messages and outcomes cost without calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use lienthong_broker_embedded::EmbeddedBroker;
use lienthong_broker_rabbitmq::RabbitBroker;
use lienthong_delivery::Delivery;
use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::{Answer, Clock, DestinationName, Outcome, Random};
use lienthong_ports::conformance::store::{destination, offer, status};
use lienthong_ports::store::{DestinationSpec, Offer, Work};
use lienthong_ports::{Broker, Destination, Store};
use lienthong_store_sqlite::SqliteStore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::figure;

/// Events of one dossier.
const STEPS: u64 = 4;
const GROUP: usize = 512;
const POLL: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_mins(5);

/// What carries the attempts.
pub(super) enum Carrier<'a> {
    Embedded,
    /// At this URL.
    Rabbit(&'a str),
}

/// Takes everything at once and counts it.
struct Null {
    name: DestinationName,
    delivered: Arc<AtomicU64>,
}

#[async_trait]
impl Destination for Null {
    fn name(&self) -> &DestinationName {
        &self.name
    }

    async fn deliver(&self, _work: &Work, _timeout: Duration) -> Answer {
        self.delivered.fetch_add(1, Ordering::Relaxed);
        Answer::new(Outcome::Delivered, "0", None, "")
    }

    async fn check(&self, _timeout: Duration) -> Result<(), String> {
        Ok(())
    }
}

/// Events a second from a store that holds `events` of them, between the first fifth and the last tenth.
pub(super) async fn events_per_second(carrier: Carrier<'_>, events: u64) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let name = destination("null");
    let spec = DestinationSpec {
        name: name.clone(),
        lane: LanePolicy::Hold,
    };
    let path = folder.path().join("null.db");
    let store = Arc::new(SqliteStore::open(&lienthong_store_sqlite::Config::new(
        path,
        vec![spec],
        Arc::new(lienthong_vault::Vault::for_tests(1)),
    ))?);
    fill(&store, events).await?;

    let clock = Clock::system();
    let broker: Arc<dyn Broker> = match carrier {
        Carrier::Embedded => Arc::new(EmbeddedBroker::new(
            lienthong_broker_embedded::Config::default(),
        )),
        Carrier::Rabbit(url) => {
            let config = lienthong_broker_rabbitmq::Config::new(url.parse()?);
            RabbitBroker::connect(config, vec![name.clone()], clock.clone())
        }
    };
    let delivered = Arc::new(AtomicU64::new(0));
    let null = Arc::new(Null {
        name,
        delivered: delivered.clone(),
    });
    let settings = lienthong_delivery::Config::default();
    let delivery = Delivery::new(
        store.clone(),
        broker.clone(),
        vec![null],
        settings,
        clock,
        Random::system(),
    )
    .await?;
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(delivery.run(stop.clone()));

    let first = reach(&delivered, events / 5).await?;
    let began = Instant::now();
    let last = reach(&delivered, events - events / 10).await?;
    let seconds = began.elapsed().as_secs_f64();
    reach(&delivered, events).await?;
    stop.cancel();
    while running.join_next().await.is_some() {}
    broker.stop().await;
    store.close().await;
    Ok(figure(last - first) / seconds)
}

/// The first event of every dossier, then the second of every dossier, and so on.
async fn fill(store: &SqliteStore, events: u64) -> anyhow::Result<()> {
    let dossiers = events / STEPS;
    let offers = (0..events)
        .map(|index| made(index % dossiers, index / dossiers))
        .collect::<Result<Vec<_>, _>>()?;
    for group in offers.chunks(GROUP) {
        for answer in store.accept(group.to_vec()).await? {
            anyhow::ensure!(answer.is_ok(), "the store refused an event: {answer:?}");
        }
    }
    Ok(())
}

fn made(dossier: u64, step: u64) -> anyhow::Result<Offer> {
    let text = format!(
        "H21.{}-250701-{:04}",
        dossier / 10_000 % 1_000,
        dossier % 10_000
    );
    let code = lienthong_domain::DossierCode::parse(&text)
        .map_err(|reason| anyhow::anyhow!("{text}: {reason:?}"))?;
    let mut made = offer(
        &format!("{text}/{step}"),
        &code,
        status(4),
        i64::try_from(step)?,
    );
    if step > 0 {
        made.event.details = None;
    }
    Ok(made)
}

async fn reach(delivered: &AtomicU64, wanted: u64) -> anyhow::Result<u64> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let count = delivered.load(Ordering::Relaxed);
        if count >= wanted {
            return Ok(count);
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "only {count} of {wanted} events were delivered"
        );
        tokio::time::sleep(POLL).await;
    }
}
