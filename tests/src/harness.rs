//! A whole gateway for a test: real TLS on port 0, a store in a temporary folder, the portal simulator.

pub mod acts;
pub mod canaries;
pub mod citizens;
pub mod collector;
pub mod console;
pub mod events;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use lienthong_domain::{Clock, Random};
use lienthong_gateway::config::{Config, PopulationKind};
use lienthong_gateway::wire::Gateway;
use lienthong_proto::admin::v1::audit_service_client::AuditServiceClient;
use lienthong_proto::admin::v1::delivery_service_client::DeliveryServiceClient;
use lienthong_proto::admin::v1::destination_service_client::DestinationServiceClient;
use lienthong_proto::admin::v1::operation_service_client::OperationServiceClient;
use lienthong_proto::admin::v1::overview_service_client::OverviewServiceClient;
use lienthong_proto::admin::v1::participant_service_client::ParticipantServiceClient;
use lienthong_proto::admin::v1::queue_service_client::QueueServiceClient;
use lienthong_proto::admin::v1::report_service_client::ReportServiceClient;
use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_proto::identity::v1::identity_service_client::IdentityServiceClient;
use lienthong_simulators::population::{
    Access, PopulationConfig, PopulationHandle, PopulationSimulator, TimestampUnit,
};
use lienthong_simulators::portal::{PortalConfig, PortalHandle, PortalSimulator};
use lienthong_transport::{
    ChannelTimeouts, ClientTls, ClientTlsFiles, DevelopmentCa, IdentityFiles, IdentityPolicy,
    Overwrite, TlsClock, grpc_channel, install_crypto_provider,
};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

/// The trust domain of every test certificate.
pub const TRUST_DOMAIN: &str = "lienthong.test";
/// How long anything in a test may take before the test says what it waited for. A queue that died without a word is
/// found after twenty seconds, and asked twice more.
const PATIENCE: Duration = Duration::from_secs(90);

/// Who may connect to a test gateway, and what they may ask.
const PARTICIPANTS: &str = include_str!("harness/participants.toml");
/// The user and the password by which the gateway is known to the portal simulator.
const PORTAL_USER: &str = "000.00.00.G22";
const PORTAL_PASSWORD: &str = "mat-khau-thu";
/// The user and the secret by which the gateway is known to the population simulator.
const POPULATION_USER: &str = "truc-lien-thong";
const POPULATION_SECRET: &str = "bi-mat-thu";
/// Decides who lives in the population simulator.
pub const POPULATION_SEED: u64 = 7;

/// A gateway with its portal; both end when it is dropped or stopped.
pub struct TestGateway {
    folder: TempDir,
    config: Config,
    clock: Clock,
    gateway: Option<Gateway>,
    /// What the portal saw, and its faults.
    pub portal: PortalHandle,
    /// What the population database saw, its faults, and who lives there.
    pub population: PopulationHandle,
    simulators_stop: CancellationToken,
    simulators: JoinSet<()>,
}

impl TestGateway {
    /// Starts with quick retries and the default portal.
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// Starts with a changed configuration.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_at(Clock::system(), change)
            .await
            .expect("a gateway starts in a test")
    }

    /// Starts with a clock of the test's.
    ///
    /// # Errors
    /// What [`Gateway::start`] says.
    pub async fn start_at(clock: Clock, change: impl FnOnce(&mut Config)) -> anyhow::Result<Self> {
        install_crypto_provider();
        let folder = tempfile::tempdir()?;
        certificates(folder.path(), &clock)?;
        std::fs::write(folder.path().join("participants.toml"), PARTICIPANTS)?;
        let settings = PortalConfig {
            started_at_ms: clock.now().as_millisecond(),
            accounts: [(PORTAL_USER.to_owned(), PORTAL_PASSWORD.to_owned())].into(),
            ..PortalConfig::default()
        };
        let (stop, mut simulators) = (CancellationToken::new(), JoinSet::new());
        let bound = PortalSimulator::bind(settings, "127.0.0.1:0".parse()?).await?;
        let (portal, base) = (bound.handle(), bound.base_url());
        let running = bound.run(stop.clone());
        simulators.spawn(async move {
            running
                .await
                .expect("the simulator serves until it is stopped");
        });
        let bound =
            PopulationSimulator::bind(population_settings(&clock), "127.0.0.1:0".parse()?).await?;
        let (population, database) = (bound.handle(), bound.endpoint());
        let running = bound.run(stop.clone());
        simulators.spawn(async move {
            running
                .await
                .expect("the simulator serves until it is stopped");
        });
        let mut config = quick_config(folder.path(), &base, &database);
        change(&mut config);
        let starting = Gateway::start(config.clone(), clock.clone(), Random::system(), None);
        let gateway = Box::pin(starting).await?;
        Ok(Self {
            folder,
            config,
            clock,
            gateway: Some(gateway),
            portal,
            population,
            simulators_stop: stop,
            simulators,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running().address
    }

    /// The gateway in this process.
    pub fn running(&self) -> &Gateway {
        self.gateway.as_ref().expect("the gateway runs")
    }

    /// Its configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The folder with certificates, configuration and store.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Drains the gateway and starts it again on the same files, with a changed configuration.
    pub async fn restart_with(&mut self, change: impl FnOnce(&mut Config)) {
        if let Some(gateway) = self.gateway.take() {
            gateway.stop().await;
        }
        change(&mut self.config);
        let (config, clock) = (self.config.clone(), self.clock.clone());
        let started = Gateway::start(config, clock, Random::system(), None).await;
        self.gateway = Some(started.expect("a gateway starts again"));
    }

    /// Stops everything in order.
    pub async fn stop(mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.stop().await;
        }
        self.simulators_stop.cancel();
        while self.simulators.join_next().await.is_some() {}
    }

    /// A channel with the certificate of a participant's system.
    pub fn channel(&self, participant: &str, system: &str) -> Channel {
        self.channel_with(Some(self.identity(participant, system)))
    }

    /// A channel with these identity files, or none.
    pub fn channel_with(&self, identity: Option<IdentityFiles>) -> Channel {
        let files = ClientTlsFiles {
            roots: self.folder.path().join("ca.pem"),
            identity,
            server_name: Some("localhost".to_owned()),
        };
        let clock = self.clock.clone();
        let tls = ClientTls::load(&files, TlsClock::new(move || clock.now()))
            .expect("test certificates load");
        let endpoint = format!("https://{}", self.address());
        grpc_channel(&endpoint, tls, &ChannelTimeouts::default())
            .expect("a loopback address is a good endpoint")
    }

    /// The files of a participant's certificate, issued when first asked for.
    pub fn identity(&self, participant: &str, system: &str) -> IdentityFiles {
        let folder = self.folder.path();
        let file = |end: &str| folder.join(format!("{participant}-{system}{end}.pem"));
        let files = IdentityFiles {
            certificate_chain: file(""),
            private_key: file("-key"),
        };
        if !files.certificate_chain.exists() {
            issue(folder, participant, system, &self.clock).expect("a certificate is issued");
        }
        files
    }

    /// How the client commands reach this gateway as a participant's system.
    pub fn connection(&self, participant: &str, system: &str) -> lienthong_cli::Connection {
        let identity = self.identity(participant, system);
        lienthong_cli::Connection {
            endpoint: format!("https://{}", self.address()),
            ca: Some(self.folder.path().join("ca.pem")),
            cert: Some(identity.certificate_chain),
            key: Some(identity.private_key),
            server_name: Some("localhost".to_owned()),
        }
    }

    /// The dossier service as a province's system sees it.
    pub fn province(&self, participant: &str) -> DossierServiceClient<Channel> {
        DossierServiceClient::new(self.channel(participant, "motcua"))
    }

    /// The identity service as a participant's system sees it.
    pub fn citizens(&self, participant: &str, system: &str) -> IdentityServiceClient<Channel> {
        IdentityServiceClient::new(self.channel(participant, system))
    }

    /// The services of operators.
    pub fn operator(&self) -> Operator {
        self.on_duty("vanhanh")
    }

    /// The services of operators as a system of their own sees them: `vanhanh` acts, `xem` looks, `duyet` approves.
    pub fn on_duty(&self, system: &str) -> Operator {
        let channel = self.channel("G22", system);
        Operator {
            queues: QueueServiceClient::new(channel.clone()),
            destinations: DestinationServiceClient::new(channel.clone()),
            deliveries: DeliveryServiceClient::new(channel.clone()),
            participants: ParticipantServiceClient::new(channel.clone()),
            operations: OperationServiceClient::new(channel.clone()),
            overview: OverviewServiceClient::new(channel.clone()),
            reports: ReportServiceClient::new(channel.clone()),
            audit: AuditServiceClient::new(channel.clone()),
            dossiers: DossierServiceClient::new(channel),
        }
    }

    /// Waits until nothing waits for delivery.
    pub async fn drained(&self) {
        self.until("nothing waits for delivery", async || {
            let counts = self.running().store.counts().await;
            let counts = counts.expect("the store counts");
            counts.iter().all(|count| count.waiting() == 0)
        })
        .await;
    }

    /// Waits until `true`; fails the test with `what` when it does not come.
    pub async fn until(&self, what: &str, mut reached: impl AsyncFnMut() -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !reached().await {
            assert!(
                tokio::time::Instant::now() < deadline,
                "waited in vain: {what}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The services of operators.
pub struct Operator {
    /// Queues.
    pub queues: QueueServiceClient<Channel>,
    /// Destinations.
    pub destinations: DestinationServiceClient<Channel>,
    /// Parked deliveries.
    pub deliveries: DeliveryServiceClient<Channel>,
    /// Participants, grants and guards.
    pub participants: ParticipantServiceClient<Channel>,
    /// Replays and discards under way.
    pub operations: OperationServiceClient<Channel>,
    /// The gateway at a glance.
    pub overview: OverviewServiceClient<Channel>,
    /// Reports by day.
    pub reports: ReportServiceClient<Channel>,
    /// What operators did.
    pub audit: AuditServiceClient<Channel>,
    /// Dossiers.
    pub dossiers: DossierServiceClient<Channel>,
}

/// A configuration whose retries take milliseconds to seconds instead of hours.
fn quick_config(folder: &Path, portal: &str, database: &str) -> Config {
    let file = |name: &str| -> PathBuf { folder.join(name) };
    let mut config = Config::default();
    config.listen.address = SocketAddr::from(([127, 0, 0, 1], 0));
    config.metrics.address = Some(config.listen.address);
    config.console.address = Some(config.listen.address);
    config.console.accounts_file = Some(file("accounts.toml"));
    config.listen.drain_seconds = 5;
    config.listen.reflection = true;
    config.tls.certificate = file("server.pem");
    config.tls.key = file("server-key.pem");
    config.tls.client_ca = file("ca.pem");
    TRUST_DOMAIN.clone_into(&mut config.tls.trust_domain);
    config.tls.handshakes_per_address_max = 256;
    config.participants.file = file("participants.toml");
    config.store.path = file("data/lienthong.db");
    config.store.reserve_mib = 1;
    config.delivery.workers.retry_delays_seconds = vec![1];
    config.delivery.workers.retry_last_times = 8;
    config.delivery.workers.overload_delay_seconds = 1;
    config.delivery.workers.sweep_ms = 50;
    config.delivery.workers.idle_ms = 50;
    config.portal.login_url = format!("{portal}/mapi/login");
    config.portal.data_url = format!("{portal}/mapi/g");
    config.portal.allow_plaintext = true;
    PORTAL_USER.clone_into(&mut config.portal.username);
    config.portal.password = lienthong_domain::Private::new(PORTAL_PASSWORD.to_owned());
    config.vault.keys_file = file("keys.toml");
    ask_the_simulator(&mut config.population, database);
    config.identity.breaker.open_seconds = 1;
    config.identity.guard.slow_delay_ms = 10;
    config.identity.jobs.per_second_max = 1_000;
    config.identity.jobs.concurrency_max = 16;
    config.identity.jobs.retry_delays_seconds = vec![1, 1, 1, 1];
    config.identity.jobs.busy_delay_seconds = 1;
    config.identity.jobs.sweep_ms = 50;
    config.identity.jobs.idle_ms = 50;
    config
}

/// Asks the simulator as C06 is asked.
fn ask_the_simulator(population: &mut lienthong_gateway::config::Population, database: &str) {
    population.kind = PopulationKind::Soap;
    let soap = &mut population.soap;
    database.clone_into(&mut soap.url);
    soap.allow_plaintext = true;
    "1.001193".clone_into(&mut soap.default_procedure);
    soap.access = lienthong_population::config::Access::C06 {
        user: POPULATION_USER.to_owned(),
        secret: lienthong_domain::Private::new(POPULATION_SECRET.to_owned()),
        service_url: String::new(),
        timestamp: lienthong_population::config::TimestampUnit::Milliseconds,
    };
}

fn population_settings(clock: &Clock) -> PopulationConfig {
    PopulationConfig {
        seed: POPULATION_SEED,
        started_at_ms: clock.now().as_millisecond(),
        access: Access::C06 {
            users: [(POPULATION_USER.to_owned(), POPULATION_SECRET.to_owned())].into(),
            service_url: None,
            unit: TimestampUnit::Milliseconds,
            skew_max: Duration::from_mins(5),
        },
        ..PopulationConfig::default()
    }
}

fn certificates(folder: &Path, clock: &Clock) -> anyhow::Result<()> {
    let now = clock.now();
    let ca = DevelopmentCa::create(now)?;
    ca.save(folder, Overwrite::No)?;
    ca.issue_server(&["localhost", "127.0.0.1"], now, 30)?
        .save(folder, Overwrite::No)?;
    Ok(())
}

fn issue(folder: &Path, participant: &str, system: &str, clock: &Clock) -> anyhow::Result<()> {
    let ca = DevelopmentCa::load(folder).context("the test authority")?;
    let policy = IdentityPolicy::new(TRUST_DOMAIN, 399)?;
    let issued = ca.issue_participant(&policy, (participant, system), clock.now(), 30)?;
    issued.save(folder, Overwrite::No)?;
    Ok(())
}
