//! Builds the inner parts: store, broker, destination, use cases. Nothing here runs yet.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lienthong_broker_embedded::EmbeddedBroker;
use lienthong_broker_rabbitmq::RabbitBroker;
use lienthong_delivery::Delivery;
use lienthong_domain::{Clock, Random};
use lienthong_identity::Identity;
use lienthong_identity::jobs::JobWorkers;
use lienthong_portal::Portal;
use lienthong_ports::store::DestinationSpec;
use lienthong_ports::{Broker, Destination, Store};
use lienthong_services::{Seams, Services};
use lienthong_store_sqlite::SqliteStore;
use lienthong_telemetry::Tracer;
use lienthong_telemetry::log::Control;
use lienthong_telemetry::metrics::{Metrics, StoreMetrics};
use lienthong_transport::{
    HttpClientConfig, IdentityPolicy, Limits, OldestTls, ServerTls, ServerTlsConfig, TlsClock,
    http_client,
};
use lienthong_vault::{KeyRing, Vault};

use super::read_registry;
use super::{identity, metrics};
use crate::config::{BrokerKind, Config, Tls};

/// The inner parts, built and not running yet.
pub(super) struct Parts {
    pub(super) store: Arc<dyn Store>,
    pub(super) sqlite: Arc<SqliteStore>,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) delivery: Delivery,
    pub(super) metrics: Arc<Metrics>,
    pub(super) services: Arc<Services>,
    pub(super) identity: Option<(Arc<Identity>, JobWorkers)>,
}

impl Parts {
    pub(super) async fn build(
        config: &Config,
        clock: &Clock,
        random: Random,
        tracer: Tracer,
        log: Option<Control>,
    ) -> anyhow::Result<Self> {
        let registry = read_registry(&config.participants.file)?;
        let vault = open_vault(config)?;
        let metrics = metrics::of(config);
        let sqlite = open_store_with(config, vault.clone(), metrics.store.clone())?;
        let sqlite = Arc::new(sqlite);
        let store: Arc<dyn Store> = sqlite.clone();
        let recovered = store
            .recover(clock.now())
            .await
            .context("failed to recover the store")?;
        if recovered > 0 {
            tracing::info!(count = recovered, "claims of the last run are ready again");
        }
        let broker = broker(config, clock)?;
        let portal = portal(config, clock)?
            .with_tracer(tracer.clone())
            .with_metrics(metrics.delivery.clone());
        let portal: Arc<dyn Destination> = Arc::new(portal);
        let delivery = Delivery::new(
            store.clone(),
            broker.clone(),
            vec![portal],
            config.delivery.workers.clone(),
            clock.clone(),
            random.clone(),
        )
        .await
        .context("failed to read the destinations")?
        .with_tracer(tracer.clone())
        .with_metrics(metrics.delivery.clone());
        let seams = Seams {
            store: store.clone(),
            operators: sqlite.clone(),
            broker: broker.clone(),
        };
        let services = Services::new(
            seams,
            delivery.gauges(),
            registry,
            clock.clone(),
            random.clone(),
        );
        let services = services.with_operators(config.operators.clone());
        let services = with_log(services.with_tracer(tracer), log);
        let services = Arc::new(services.with_metrics(metrics.clone()));
        let around = identity::Around {
            store: sqlite.clone(),
            broker: broker.clone(),
            services: services.clone(),
            vault,
            clock: clock.clone(),
            random,
        };
        let identity = identity::build(config, around).await?;
        Ok(Self {
            store,
            sqlite,
            broker,
            delivery,
            metrics,
            services,
            identity,
        })
    }
}

/// Lets operators change the log's filter.
fn with_log(services: Services, log: Option<Control>) -> Services {
    let Some(log) = log else { return services };
    services.with_log_control(Arc::new(move |filter, time| {
        log.set(filter, time)
            .map_err(|error| format!("failed to {error}"))
    }))
}

/// Opens the store.
pub(crate) fn open_store(config: &Config) -> anyhow::Result<SqliteStore> {
    let vault = open_vault(config)?;
    open_store_with(config, vault, StoreMetrics::default())
}

fn open_store_with(
    config: &Config,
    vault: Arc<Vault>,
    metrics: StoreMetrics,
) -> anyhow::Result<SqliteStore> {
    private_files(&config.store.path)
        .with_context(|| format!("failed to create {}", config.store.path.display()))?;
    let destination = DestinationSpec {
        name: config.portal.name.clone(),
        lane: config.delivery.lane,
    };
    let store = lienthong_store_sqlite::Config {
        queue_items_max: config.store.queue_items_max,
        group_items_max: config.store.group_items_max,
        readers: config.store.readers,
        reserve_bytes: config.store.reserve_mib << 20,
        metrics,
        ..lienthong_store_sqlite::Config::new(&config.store.path, vec![destination], vault)
    };
    SqliteStore::open(&store)
        .with_context(|| format!("failed to open the store {}", config.store.path.display()))
}

/// The keys of the store. They are made with the store and never again: a store whose keys are missing is not
/// given new ones, under which nothing in it could be read.
fn open_vault(config: &Config) -> anyhow::Result<Arc<Vault>> {
    let (keys, store) = (&config.vault.keys_file, &config.store.path);
    if !keys.exists() {
        anyhow::ensure!(
            !store.exists(),
            "the key file {} is missing, and {} was written with it: put it back. For a store of a version that did not \
             encrypt yet, make one with `lienthong keys init`",
            keys.display(),
            store.display()
        );
        if let Some(folder) = keys.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        KeyRing::generate(&Clock::system()).create(keys)?;
    }
    Ok(Arc::new(Vault::new(&KeyRing::read(keys)?)))
}

/// Makes the store's folder and file, if they are missing, for this user only: they hold personal data.
/// SQLite gives its other files the rights of the first.
fn private_files(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    Ok(())
}

fn broker(config: &Config, clock: &Clock) -> anyhow::Result<Arc<dyn Broker>> {
    Ok(match config.broker.kind {
        BrokerKind::Embedded => Arc::new(EmbeddedBroker::new(
            lienthong_broker_embedded::Config::default(),
        )),
        BrokerKind::Rabbitmq => connect_rabbitmq(config, clock)?,
    })
}

/// Starts to connect to RabbitMQ; the connection is made, and made again, in the background.
pub(crate) fn connect_rabbitmq(
    config: &Config,
    clock: &Clock,
) -> anyhow::Result<Arc<RabbitBroker>> {
    let given = &config.broker.rabbitmq;
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))
    };
    let client = match (&given.client_certificate, &given.client_key) {
        (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
        (None, None) => None,
        _ => anyhow::bail!(
            "broker.rabbitmq needs both client_certificate and client_key, or neither"
        ),
    };
    let tls = match &given.ca {
        Some(ca) => Some(lienthong_broker_rabbitmq::Tls {
            ca_pem: read(ca)?,
            client,
        }),
        None => None,
    };
    let settings = lienthong_broker_rabbitmq::Config {
        tls,
        window: given.window,
        confirm_timeout: Duration::from_millis(given.confirm_timeout_ms),
        queue_messages_max: given.queue_messages_max,
        ..lienthong_broker_rabbitmq::Config::new(given.url.parse()?)
    };
    Ok(RabbitBroker::connect(
        settings,
        vec![
            config.portal.name.clone(),
            lienthong_ports::identity::queue(),
        ],
        clock.clone(),
    ))
}

/// Builds the portal's adapter with its HTTP client.
pub(crate) fn portal(config: &Config, clock: &Clock) -> anyhow::Result<Portal> {
    let settings = config.portal.clone();
    let http = HttpClientConfig {
        roots: settings.ca_file.clone(),
        identity: None,
        // Adapters of the exchange platform in the field still speak TLS 1.2.
        oldest_tls: OldestTls::V1_2,
        connect_timeout: Duration::from_millis(settings.connect_timeout_ms),
        request_timeout: Duration::from_millis(settings.request_timeout_ms_max),
        idle_connections_max: config.delivery.workers.concurrency_max as usize,
        allow_plaintext: settings.allow_plaintext,
        ..HttpClientConfig::default()
    };
    let http =
        http_client(&http, tls_clock(clock)).context("failed to build the portal's HTTP client")?;
    Ok(Portal::new(settings, http, clock.clone())?)
}

/// Loads the gateway's TLS files.
pub(crate) fn server_tls(tls: &Tls, clock: &Clock) -> anyhow::Result<ServerTls> {
    let settings = ServerTlsConfig {
        certificate_chain: tls.certificate.clone(),
        private_key: tls.key.clone(),
        client_ca: tls.client_ca.clone(),
        client_crls: tls.client_crls.clone(),
        identity: IdentityPolicy::new(&tls.trust_domain, tls.client_days_max)?,
    };
    ServerTls::load(settings, tls_clock(clock)).context("failed to load the gateway's certificate")
}

pub(crate) fn tls_clock(clock: &Clock) -> TlsClock {
    let clock = clock.clone();
    TlsClock::new(move || clock.now())
}

pub(crate) fn limits(tls: &Tls) -> Limits {
    Limits {
        handshakes_per_address_max: tls.handshakes_per_address_max,
        connections_max: tls.connections_max,
        connections_per_participant_max: tls.connections_per_participant_max,
        ..Limits::default()
    }
}
