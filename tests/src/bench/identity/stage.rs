//! Everything that takes part, each in a process of its own: back end, adapter, nginx, gateway.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use lienthong_domain::Clock;
use lienthong_proto::identity::v1::Claims;
use lienthong_proto::identity::v1::identity_service_client::IdentityServiceClient;
use lienthong_proto::population::v1::population_registry_service_client::PopulationRegistryServiceClient;
use lienthong_simulators::population::PopulationConfig;
use lienthong_transport::{DevelopmentCa, IdentityPolicy, Overwrite};
use tokio::time::Instant;

use super::nginx;
use super::questions::{CITIZENS, Door, SEED};
use crate::bench::gateway::{CERTIFICATE_DAYS, Site, TRUST_DOMAIN, free_address};
use crate::bench::process::{Process, beside_us};

/// Who asks.
pub(super) const MINISTRY: (&str, &str) = ("G15", "hotich");
/// How the adapter knows the gateway.
pub(super) const GATEWAY: (&str, &str) = ("G22", "truc");
/// How the adapter knows nginx.
pub(super) const NGINX: (&str, &str) = ("G22", "nginx");
/// Who may ask the adapter; the ministry itself only here, to be measured without anything between.
pub(super) const PEERS: [(&str, &str); 3] = [MINISTRY, GATEWAY, NGINX];
/// Why the ministry asks. It needs no dossier.
pub(super) const PURPOSE: &str = "DATA_CLEANING";
/// nginx opens a connection per question under way, all from one address.
pub(super) const HANDSHAKES_MAX: usize = 256;
/// Connections to a door.
pub(super) const CONNECTIONS: usize = 8;
const START_PATIENCE: Duration = Duration::from_secs(20);

/// A ministry whose quotas nobody reaches.
const PARTICIPANTS: &str = r#"
[[purpose]]
code = "DATA_CLEANING"
name = "Làm sạch dữ liệu hộ tịch"
legal_basis = "Quyết định 06/QĐ-TTg"
dossier = "not_needed"

[[quota_class]]
name = "ministry"
participant = { per_second_max = 1000000, subjects_per_hour_max = 1000000, subjects_per_day_max = 1000000 }
system = { per_second_max = 1000000, subjects_per_hour_max = 1000000, subjects_per_day_max = 1000000 }
official = { per_second_max = 1000000, subjects_per_hour_max = 1000000, subjects_per_day_max = 1000000 }
official_concurrent_max = 64
dossier_subjects_max = 1000000

[[participant]]
id = "G15"
name = "Bộ Tư pháp"
rate_per_second_max = 1000000
[[participant.system]]
name = "hotich"
role = "identity"
[[participant.system.grant]]
purpose = "DATA_CLEANING"
mode = "verify"
quota = "ministry"
valid_from = "2020-01-01"
"#;

/// What answers behind the adapter's contract.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BackEnd {
    /// An adapter that knows the answer at once.
    Fixed,
    /// The product's adapter before the simulated database, over SOAP.
    Simulated,
    /// The same; the gateway has the adapter in its own process, as it comes by default.
    Inside,
}

/// The running programs.
pub(super) struct Stage {
    pub(super) site: Site,
    pub(super) gateway: Process,
    pub(super) nginx: Option<Process>,
    pub(super) adapter: Process,
    adapter_address: SocketAddr,
    nginx_address: SocketAddr,
    /// Ends with the stage.
    _simulator: Option<Process>,
}

impl Stage {
    /// Starts everything, and asks one question of the adapter and of nginx to see that they answer.
    pub(super) async fn start(back_end: BackEnd, first: &Claims) -> anyhow::Result<Self> {
        let site = Site::new(None, None)?;
        let (adapter_address, nginx_address) = (free_address()?, free_address()?);
        let database = free_address()?;
        let population = match back_end {
            BackEnd::Fixed | BackEnd::Simulated => remote(&site, adapter_address)?,
            BackEnd::Inside => format!("[population]\nkind = \"soap\"\n{}", soap(database)),
        };
        write_files(&site, &population)?;
        let (adapter, simulator) = match back_end {
            BackEnd::Fixed => (fixed_adapter(&site, adapter_address)?, None),
            BackEnd::Simulated | BackEnd::Inside => {
                let simulator = simulator(&site, database)?;
                let adapter = soap_adapter(&site, adapter_address, database)?;
                (adapter, Some(simulator))
            }
        };
        let nginx = nginx::start(&site, nginx_address, adapter_address)?;
        let mut stage = Self {
            gateway: site.start()?,
            site,
            nginx,
            adapter,
            adapter_address,
            nginx_address,
            _simulator: simulator,
        };
        stage.answers(&stage.adapter()?, first).await?;
        if let Some(nginx) = stage.nginx_door()? {
            stage.answers(&nginx, first).await?;
        }
        stage.site.ready(&mut stage.gateway, false).await?;
        Ok(stage)
    }

    /// Questions asked by [`Stage::start`].
    pub(super) fn asked_at_start(&self) -> u64 {
        1 + u64::from(self.nginx.is_some())
    }

    /// The adapter with nothing between.
    pub(super) fn adapter(&self) -> anyhow::Result<Door> {
        self.adapter_door(self.adapter_address)
    }

    /// nginx before the adapter, where it is installed.
    pub(super) fn nginx_door(&self) -> anyhow::Result<Option<Door>> {
        let nginx = self.nginx.as_ref();
        nginx
            .map(|_| self.adapter_door(self.nginx_address))
            .transpose()
    }

    /// The gateway before the adapter.
    pub(super) fn gateway(&self) -> anyhow::Result<Door> {
        let (address, (participant, system)) = (self.site.address, MINISTRY);
        let connect = |_| self.site.channel_to(address, participant, system);
        let clients = (0..CONNECTIONS).map(connect);
        let clients = clients.map(|channel| channel.map(IdentityServiceClient::new));
        Ok(Door::Gateway(clients.collect::<anyhow::Result<_>>()?))
    }

    /// Stops everything in order; how many questions the adapter has seen, if it counts.
    pub(super) fn stop(self) -> anyhow::Result<Option<u64>> {
        self.gateway.stop()?;
        if let Some(nginx) = self.nginx {
            nginx.stop()?;
        }
        self.adapter.stop()?;
        match std::fs::read_to_string(seen_file(&self.site)) {
            Ok(count) => Ok(Some(count.parse()?)),
            Err(_) => Ok(None),
        }
    }

    fn adapter_door(&self, address: SocketAddr) -> anyhow::Result<Door> {
        let (participant, system) = MINISTRY;
        let connect = |_| self.site.channel_to(address, participant, system);
        let clients = (0..CONNECTIONS).map(connect);
        let clients = clients.map(|channel| channel.map(PopulationRegistryServiceClient::new));
        Ok(Door::Adapter(clients.collect::<anyhow::Result<_>>()?))
    }

    /// A program that was just started does not listen at once.
    async fn answers(&self, door: &Door, claims: &Claims) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_PATIENCE;
        while let Err(error) = door.ask(0, claims).await {
            if Instant::now() > deadline {
                let log = std::fs::read_to_string(self.site.log()).unwrap_or_default();
                return Err(error.context(format!("a program does not answer\n{log}")));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}

/// Adds what identity needs to the files of a gateway.
fn write_files(site: &Site, population: &str) -> anyhow::Result<()> {
    let folder = site.folder();
    let ca = DevelopmentCa::load(folder).context("the site's authority")?;
    let policy = IdentityPolicy::new(TRUST_DOMAIN, IdentityPolicy::VALIDITY_DAYS_MAX_DEFAULT)?;
    for name in PEERS {
        ca.issue_participant(&policy, name, Clock::system().now(), CERTIFICATE_DAYS)?
            .save(folder, Overwrite::No)?;
    }
    add(site, "participants.toml", PARTICIPANTS)?;
    add(site, "lienthong.toml", population)
}

/// Where the gateway finds the adapter that runs by itself.
fn remote(site: &Site, adapter: SocketAddr) -> anyhow::Result<String> {
    let folder = site.folder();
    let file = |name: &str| folder.join(name).display().to_string();
    let (participant, system) = GATEWAY;
    let mut remote = String::from("[population]\nkind = \"remote\"\n[population.remote]\n");
    write!(
        remote,
        "endpoints = [\"https://{adapter}\"]\nca = '{}'\ncertificate = '{}'\nkey = '{}'\n",
        file("ca.pem"),
        file(&format!("{participant}-{system}.pem")),
        file(&format!("{participant}-{system}-key.pem")),
    )?;
    Ok(remote)
}

/// Where an adapter finds the database.
fn soap(database: SocketAddr) -> String {
    format!(
        "[population.soap]\nurl = \"http://{database}{path}\"\nallow_plaintext = true\n\
         default_procedure = \"1.001193\"\n",
        path = PopulationConfig::default().path,
    )
}

fn add(site: &Site, name: &str, text: &str) -> anyhow::Result<()> {
    let file = site.folder().join(name);
    let whole = std::fs::read_to_string(&file)? + text;
    Ok(std::fs::write(file, whole)?)
}

fn seen_file(site: &Site) -> PathBuf {
    site.folder().join("questions-seen")
}

fn fixed_adapter(site: &Site, address: SocketAddr) -> anyhow::Result<Process> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("fixed-adapter").arg(address.to_string());
    command.arg(site.folder()).arg(seen_file(site));
    site.spawn(command)
}

fn simulator(site: &Site, address: SocketAddr) -> anyhow::Result<Process> {
    let mut command = Command::new(beside_us("lienthong")?);
    command.args(["simulate", "population", "--listen", &address.to_string()]);
    command.args(["--seed", &SEED.to_string()]);
    command.args(["--citizens", &CITIZENS.to_string()]);
    site.spawn(command)
}

fn soap_adapter(site: &Site, address: SocketAddr, database: SocketAddr) -> anyhow::Result<Process> {
    let file = |name: &str| site.folder().join(name);
    let peers = PEERS
        .map(|(participant, system)| {
            format!("{{ participant = \"{participant}\", system = \"{system}\" }}")
        })
        .join(", ");
    let configuration = format!(
        "[tls]\ncertificate = '{}'\nkey = '{}'\nclient_ca = '{}'\ntrust_domain = \"{TRUST_DOMAIN}\"\n\
         handshakes_per_address_max = {HANDSHAKES_MAX}\n\
         [population.server]\nlisten = \"{address}\"\npeers = [{peers}]\n\
         {soap}[log]\nfilter = \"warn\"\n",
        file("server.pem").display(),
        file("server-key.pem").display(),
        file("ca.pem").display(),
        soap = soap(database),
    );
    std::fs::write(file("adapter.toml"), configuration)?;
    let mut command = Command::new(beside_us("lienthong")?);
    command.arg("population-adapter").arg("--config");
    command.arg(file("adapter.toml"));
    site.spawn(command)
}
