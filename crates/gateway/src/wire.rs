//! Wires the crates together: the only place that names concrete stores, brokers and destinations.

mod console;
mod files;
mod health;
mod identity;
mod metrics;
mod observer;
mod parts;
mod traces;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lienthong_domain::{Clock, Random};
use lienthong_identity::Identity;
use lienthong_ports::operators::OperatorStore;
use lienthong_ports::{Broker, Store};
use lienthong_rpc::{Health, RpcConfig, RpcServer};
use lienthong_services::Services;
use lienthong_store_sqlite::SqliteStore;
use lienthong_telemetry::log::Control;
use lienthong_telemetry::metrics::Metrics;
use lienthong_transport::{Acceptor, Connections, Reloader, ServerTls, install_crypto_provider};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
pub(crate) use files::read_registry;
pub(crate) use identity::{registry, soap_registry};
use parts::Parts;
pub(crate) use parts::{connect_rabbitmq, limits, open_store, portal, server_tls, tls_clock};

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

impl Gateway {
    /// Builds and starts everything. When it returns, statuses are accepted. With the control of the process's log,
    /// operators may change its filter.
    ///
    /// # Errors
    /// The first part that cannot be built, with what it needed.
    pub async fn start(
        config: Config,
        clock: Clock,
        random: Random,
        log: Option<Control>,
    ) -> anyhow::Result<Self> {
        install_crypto_provider();
        let instance = random.event_id(clock.now()).to_string();
        let (tracer, spans) = traces::start(&config.traces, instance, &clock)?;
        // On the heap: the future is large, and so would be that of everybody who starts a gateway.
        let parts = Box::pin(Parts::build(&config, &clock, random, tracer, log.clone())).await?;
        let tls = Arc::new(server_tls(&config.tls, &clock)?);
        let acceptor = Acceptor::bind(config.listen.address, tls.clone(), limits(&config.tls))
            .await
            .context("failed to open the gateway's port")?;
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
