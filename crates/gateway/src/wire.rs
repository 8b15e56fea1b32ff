//! Wires the crates together: the only place that names concrete stores, brokers and destinations.

mod console;
mod files;
mod health;
mod identity;
mod metrics;
mod observer;
mod traces;

use std::fs::{DirBuilder, OpenOptions};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lienthong_broker_embedded::EmbeddedBroker;
use lienthong_broker_rabbitmq::RabbitBroker;
use lienthong_delivery::Delivery;
use lienthong_domain::{Clock, DestinationName, Random};
use lienthong_identity::Identity;
use lienthong_identity::jobs::JobWorkers;
use lienthong_portal::Portal;
use lienthong_ports::operators::OperatorStore;
use lienthong_ports::store::DestinationSpec;
use lienthong_ports::{Broker, Destination, Store};
use lienthong_rpc::{Health, RpcConfig, RpcServer};
use lienthong_services::{Seams, Services};
use lienthong_store_sqlite::SqliteStore;
use lienthong_telemetry::Tracer;
use lienthong_telemetry::log::Control;
use lienthong_telemetry::metrics::{Metrics, StoreMetrics};
use lienthong_transport::{
    Acceptor, Connections, HttpClientConfig, IdentityPolicy, Limits, OldestTls, Reloader,
    ServerTls, ServerTlsConfig, TlsClock, http_client, install_crypto_provider,
};
use lienthong_vault::{KeyRing, Vault};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{BrokerKind, Config, Tls};
pub(crate) use files::read_registry;
pub(crate) use identity::{registry, soap_registry};

/// How long parts may take to end after they were told to, beside the configured drain.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// A running gateway.
pub struct Gateway {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its metrics are, if anywhere.
    pub metrics_address: Option<SocketAddr>,
    /// What to open in a browser, if there is a console.
    pub console_url: Option<String>,
    /// Its figures.
    pub metrics: Arc<Metrics>,
    /// Its use cases, for edges in this process.
    pub services: Arc<Services>,
    /// Its store, for those who count.
    pub store: Arc<dyn Store>,
    /// Who asks about citizens; `None` where no population database is configured.
    pub identity: Option<Arc<Identity>>,
    broker: Arc<dyn Broker>,
    health: Health,
    ready: metrics::Ready,
    edge_stop: CancellationToken,
    delivery_stop: CancellationToken,
    edge: JoinSet<()>,
    workers: JoinSet<()>,
    drain: Duration,
    call_timeout: Duration,
    spans: traces::Sending,
}

/// The inner parts, built and not running yet.
struct Parts {
    store: Arc<dyn Store>,
    sqlite: Arc<SqliteStore>,
    broker: Arc<dyn Broker>,
    delivery: Delivery,
    metrics: Arc<Metrics>,
    services: Arc<Services>,
    identity: Option<(Arc<Identity>, JobWorkers)>,
}

impl Parts {
    async fn build(
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

impl Gateway {
    /// Builds and starts everything. When it returns, statuses are accepted.
    ///
    /// # Errors
    /// The first part that cannot be built, with what it needed.
    pub async fn start(config: Config, clock: Clock, random: Random) -> anyhow::Result<Self> {
        Self::start_with_log(config, clock, random, None).await
    }

    /// As [`Self::start`], with the control of the process's log, so that operators may change its filter.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with_log(
        config: Config,
        clock: Clock,
        random: Random,
        log: Option<Control>,
    ) -> anyhow::Result<Self> {
        install_crypto_provider();
        let instance = random.event_id(clock.now()).to_string();
        let (tracer, spans) = traces::start(&config.traces, instance, &clock)?;
        let parts = Parts::build(&config, &clock, random, tracer, log.clone()).await?;
        let tls = Arc::new(server_tls(&config.tls, &clock)?);
        let acceptor = Acceptor::bind(config.listen.address, tls.clone(), limits(&config.tls))
            .await
            .with_context(|| format!("failed to listen on {}", config.listen.address))?;
        let drain = Duration::from_secs(config.listen.drain_seconds);
        let rpc = RpcConfig {
            reflection: config.listen.reflection,
            drain_max: drain,
            ..RpcConfig::default()
        };
        let (identity, jobs) = parts.identity.unzip();
        let server = RpcServer::new(parts.services.clone(), identity.clone(), rpc).await;
        let listener = metrics::bind(config.metrics.address).await?;
        let mut gateway = Self {
            address: acceptor.local_address(),
            metrics_address: listener.as_ref().map(|(address, _)| *address),
            console_url: None,
            metrics: parts.metrics,
            services: parts.services,
            store: parts.store,
            identity,
            broker: parts.broker,
            health: server.health(),
            ready: metrics::Ready::default(),
            edge_stop: CancellationToken::new(),
            delivery_stop: CancellationToken::new(),
            edge: JoinSet::new(),
            workers: JoinSet::new(),
            drain,
            call_timeout: config.delivery.workers.call_timeout(),
            spans,
        };
        gateway.watch(&config, &clock, (&parts.sqlite, &tls), listener);
        gateway
            .open_console(&config, &clock, parts.sqlite.clone())
            .await?;
        gateway.follow(&config, tls, acceptor.connections());
        let stop = || gateway.delivery_stop.clone();
        gateway.workers.spawn(parts.delivery.run(stop()));
        let wakeups = gateway.store.wakeups();
        gateway.workers.spawn(lienthong_delivery::operations::run(
            parts.sqlite.clone(),
            wakeups,
            clock,
            stop(),
        ));
        gateway
            .workers
            .spawn(identity::rewrap(parts.sqlite, stop()));
        if let Some(jobs) = jobs {
            gateway.workers.spawn(jobs.run(stop()));
        }
        if let Some(log) = log {
            gateway.workers.spawn(log.run(stop()));
        }
        gateway
            .edge
            .spawn(serve(server, acceptor, gateway.edge_stop.clone()));
        Ok(gateway)
    }

    /// Starts what follows the outside: certificates, the participants file, and the health names.
    fn follow(&mut self, config: &Config, tls: Arc<ServerTls>, connections: Connections) {
        let stop = || self.delivery_stop.clone();
        let reloader = Reloader::new(tls, Reloader::POLL_INTERVAL_DEFAULT).run(stop());
        let file = config.participants.file.clone();
        let registry = files::follow_registry(file, self.services.clone(), connections, stop());
        let (broker, store) = (self.broker.clone(), self.store.clone());
        let reserve_mib = config.store.reserve_mib;
        let told = (self.health.clone(), self.ready.clone());
        let health = health::run(broker, store, reserve_mib, told, stop());
        self.workers.spawn(reloader);
        self.workers.spawn(registry);
        self.workers.spawn(health);
    }

    /// Starts the operators' pages, where they are configured.
    async fn open_console(
        &mut self,
        config: &Config,
        clock: &Clock,
        actions: Arc<dyn OperatorStore>,
    ) -> anyhow::Result<()> {
        let around = lienthong_console::Around {
            services: self.services.clone(),
            identity: self.identity.clone(),
            actions,
            clock: clock.clone(),
        };
        if let Some(server) = console::bind(&config.console, around).await? {
            self.console_url = Some(server.url());
            self.edge.spawn(server.run(self.edge_stop.clone()));
        }
        Ok(())
    }

    /// Starts the eye on the gateway itself, and the listener of those who read what it sees.
    fn watch(
        &mut self,
        config: &Config,
        clock: &Clock,
        (sqlite, tls): (&Arc<SqliteStore>, &Arc<ServerTls>),
        listener: Option<(SocketAddr, TcpListener)>,
    ) {
        let observer = observer::Observer {
            services: self.services.clone(),
            store: self.store.clone(),
            operators: sqlite.clone(),
            jobs: sqlite.clone(),
            broker: self.broker.clone(),
            identity: self.identity.clone(),
            tls: tls.clone(),
            metrics: self.metrics.clone(),
            clock: clock.clone(),
            destinations: vec![config.portal.name.clone()],
            reserve_bytes: config.store.reserve_mib << 20,
        };
        let stop = || self.delivery_stop.clone();
        self.workers.spawn(observer.run(stop()));
        if let Some((_, listener)) = listener {
            let scraped = metrics::Scraped {
                metrics: self.metrics.clone(),
                ready: self.ready.clone(),
            };
            self.workers
                .spawn(metrics::serve(listener, scraped, stop()));
        }
    }

    /// Waits until a part ends that should run until [`Gateway::stop`]: the process is better started anew.
    pub async fn broken(&mut self) {
        tokio::select! {
            _ = self.edge.join_next() => {}
            _ = self.workers.join_next() => {}
        }
    }

    /// Stops in order: no new calls, calls under way answered, no new claims, outcomes recorded,
    /// broker and store closed. Each step is bounded.
    pub async fn stop(mut self) {
        self.health.set_accepting(false).await;
        self.ready.set(false);
        self.edge_stop.cancel();
        ended(&mut self.edge, self.drain, "calls of participants").await;
        if let Some(identity) = &self.identity {
            let left = identity.drain(self.drain).await;
            if left > 0 {
                tracing::warn!(count = left, "questions about citizens did not end in time");
            }
        }
        self.health.set_delivering(false).await;
        self.delivery_stop.cancel();
        let calls = self.drain.max(self.call_timeout);
        ended(&mut self.workers, calls, "calls to destinations").await;
        self.broker.stop().await;
        self.store.close().await;
        self.spans.stop().await;
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

/// Serves until `stop`; a server that fails by itself is told, since nobody waits for its answer.
async fn serve(server: RpcServer, acceptor: Acceptor, stop: CancellationToken) {
    if let Err(error) = server.serve_tls(acceptor, stop).await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "the gRPC server ended"
        );
    }
}

/// Waits for tasks to end, and gives those up that do not in time.
async fn ended(tasks: &mut JoinSet<()>, drain: Duration, what: &str) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(drain + STOP_PATIENCE, all)
        .await
        .is_err()
    {
        tracing::warn!("{what} did not end in time and are given up; nothing accepted is lost");
        tasks.shutdown().await;
    }
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
pub(crate) fn open_vault(config: &Config) -> anyhow::Result<Arc<Vault>> {
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
    let jobs = DestinationName::parse(lienthong_ports::identity::QUEUE);
    let jobs = jobs.expect("the queue's name is a destination's");
    Ok(RabbitBroker::connect(
        settings,
        vec![config.portal.name.clone(), jobs],
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
