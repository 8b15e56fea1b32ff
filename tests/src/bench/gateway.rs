//! The gateway as a process of its own, as a province meets it: binary, configuration file, certificates.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use lienthong_domain::Clock;
use lienthong_proto::admin::v1 as admin;
use lienthong_proto::admin::v1::destination_service_client::DestinationServiceClient;
use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_testkit::ports::free_ports;
use lienthong_transport::{
    ChannelTimeouts, ClientTls, ClientTlsFiles, DevelopmentCa, IdentityFiles, IdentityPolicy,
    Overwrite, TlsClock, grpc_channel,
};
use tempfile::TempDir;
use tokio::time::Instant;
use tonic::transport::Channel;

use super::process::{Process, beside_us};

/// The trust domain of the benchmark's certificates.
pub(super) const TRUST_DOMAIN: &str = "lienthong.bench";
/// How long they are valid.
pub(super) const CERTIFICATE_DAYS: u16 = 30;
const READY_SECONDS_MAX: u64 = 60;
const POLL: Duration = Duration::from_millis(2);
const DESTINATION: &str = "dvcqg";
const CONSOLE_SHUT: &str = "[console]\naddress = \"\"\n";

/// One province that may push as fast as it can, and the operators.
const PARTICIPANTS: &str = r#"
[[participant]]
id = "H21"
name = "Tỉnh Gia Lai"
rate_per_second_max = 1000000
[[participant.system]]
name = "motcua"
role = "push"

[[participant]]
id = "G22"
name = "Văn phòng Chính phủ"
[[participant.system]]
name = "vanhanh"
role = "operator"
"#;

/// The files of one gateway; it may be started on them again and again.
pub(super) struct Site {
    folder: TempDir,
    pub(super) address: SocketAddr,
}

impl Site {
    /// Files for a gateway that delivers to `portal` over `broker`: an AMQP URL, or none for the embedded one.
    pub(super) fn new(portal: Option<&str>, broker: Option<&str>) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("lienthong-bench-")
            .tempdir()?;
        let path = folder.path();
        let now = Clock::system().now();
        let ca = DevelopmentCa::create(now)?;
        ca.save(path, Overwrite::No)?;
        ca.issue_server(&["localhost", "127.0.0.1"], now, CERTIFICATE_DAYS)?
            .save(path, Overwrite::No)?;
        let policy = IdentityPolicy::new(TRUST_DOMAIN, IdentityPolicy::VALIDITY_DAYS_MAX_DEFAULT)?;
        for name in [("H21", "motcua"), ("G22", "vanhanh")] {
            ca.issue_participant(&policy, name, now, CERTIFICATE_DAYS)?
                .save(path, Overwrite::No)?;
        }
        let address = free_address()?;
        std::fs::write(path.join("participants.toml"), PARTICIPANTS)?;
        std::fs::write(
            path.join("lienthong.toml"),
            configuration(path, address, portal, broker),
        )?;
        Ok(Self { folder, address })
    }

    /// Gives the gateway a console, which the other measurements do without; before the start.
    pub(super) fn open_console(&self, address: SocketAddr, accounts: &Path) -> anyhow::Result<()> {
        let path = self.folder().join("lienthong.toml");
        let accounts = toml_text(&accounts.display().to_string());
        let open = format!("[console]\naddress = \"{address}\"\naccounts_file = {accounts}\n");
        let text = std::fs::read_to_string(&path)?;
        Ok(std::fs::write(path, text.replace(CONSOLE_SHUT, &open))?)
    }

    /// A new connection of the operators' system.
    pub(super) fn operator(&self) -> anyhow::Result<Channel> {
        self.channel("G22", "vanhanh")
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn store(&self) -> PathBuf {
        self.folder().join("lienthong.db")
    }

    /// Starts `lienthong serve`; see [`Self::ready`].
    pub(super) fn start(&self) -> anyhow::Result<Process> {
        let program = beside_us("lienthong")?;
        let mut command = Command::new(&program);
        command
            .arg("serve")
            .arg("--config")
            .arg(self.folder().join("lienthong.toml"));
        self.spawn(command)
    }

    /// Starts the empty server that the gateway is compared with, on the same files.
    pub(super) fn start_empty(&self) -> anyhow::Result<Process> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("empty-server")
            .arg(self.address.to_string())
            .arg(self.folder());
        self.spawn(command)
    }

    /// Starts a program whose talk goes to the log.
    pub(super) fn spawn(&self, command: Command) -> anyhow::Result<Process> {
        Process::start(command, &self.log())
    }

    /// What the programs said.
    pub(super) fn log(&self) -> PathBuf {
        self.folder().join("log")
    }

    /// Waits until the gateway answers operators, then halts deliveries or lets them run.
    pub(super) async fn ready(
        &self,
        process: &mut Process,
        deliveries: bool,
    ) -> anyhow::Result<()> {
        let mut operator = DestinationServiceClient::new(self.channel("G22", "vanhanh")?);
        let deadline = Instant::now() + Duration::from_secs(READY_SECONDS_MAX);
        while let Err(error) = operator
            .list_destinations(admin::ListDestinationsRequest {})
            .await
        {
            if process.has_ended()? || Instant::now() > deadline {
                let log = std::fs::read_to_string(self.log()).unwrap_or_default();
                bail!("the gateway does not answer: {error}\n{log}");
            }
            tokio::time::sleep(POLL).await;
        }
        if !deliveries {
            let request = admin::PauseDestinationRequest {
                destination: DESTINATION.to_owned(),
                reason: "only intake is measured".to_owned(),
            };
            operator
                .pause_destination(request)
                .await
                .context("pause the destination")?;
        }
        Ok(())
    }

    /// A new connection of the province's system.
    pub(super) fn province(&self) -> anyhow::Result<DossierServiceClient<Channel>> {
        self.channel("H21", "motcua").map(DossierServiceClient::new)
    }

    /// Connections of the province's system.
    pub(super) fn provinces(
        &self,
        count: usize,
    ) -> anyhow::Result<Vec<DossierServiceClient<Channel>>> {
        (0..count).map(|_| self.province()).collect()
    }

    fn channel(&self, participant: &str, system: &str) -> anyhow::Result<Channel> {
        self.channel_to(self.address, participant, system)
    }

    /// A new connection of a participant's system to a server with the site's certificate.
    pub(super) fn channel_to(
        &self,
        address: SocketAddr,
        participant: &str,
        system: &str,
    ) -> anyhow::Result<Channel> {
        let file = |end: &str| {
            self.folder()
                .join(format!("{participant}-{system}{end}.pem"))
        };
        let files = ClientTlsFiles {
            roots: self.folder().join("ca.pem"),
            identity: Some(IdentityFiles {
                certificate_chain: file(""),
                private_key: file("-key"),
            }),
            server_name: None,
        };
        let clock = Clock::system();
        let tls = ClientTls::load(&files, TlsClock::new(move || clock.now()))?;
        let timeouts = ChannelTimeouts {
            request: None,
            ..ChannelTimeouts::default()
        };
        Ok(grpc_channel(&format!("https://{address}"), tls, &timeouts)?)
    }

    /// How many transactions the store has committed since its file was opened.
    ///
    /// Source: the 32-bit counter `iChange` at offset 8 of the wal-index header, which SQLite raises with every
    /// commit (<https://sqlite.org/walformat.html>, "The WAL-Index Header"). Reading it disturbs nobody.
    pub(super) fn commits(&self) -> anyhow::Result<u32> {
        let path = self.folder().join("lienthong.db-shm");
        let header = std::fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        let counter = header.get(8..12).and_then(|bytes| bytes.try_into().ok());
        counter
            .map(u32::from_ne_bytes)
            .context("read the wal-index header")
    }
}

/// The programs need addresses that stay the same over their restarts.
pub(super) fn free_address() -> anyhow::Result<SocketAddr> {
    let [port] = free_ports()?;
    Ok((Ipv4Addr::LOCALHOST, port).into())
}

fn configuration(
    folder: &Path,
    address: SocketAddr,
    portal: Option<&str>,
    broker: Option<&str>,
) -> String {
    let file = |name: &str| toml_text(&folder.join(name).display().to_string());
    // Without a portal its destination is halted, so that nobody calls this address.
    let portal = portal.unwrap_or("http://127.0.0.1:9");
    let kind = if broker.is_some() {
        "rabbitmq"
    } else {
        "embedded"
    };
    format!(
        "[listen]\naddress = \"{address}\"\ndrain_seconds = 5\n[metrics]\naddress = \"\"\n{CONSOLE_SHUT}\
         [tls]\ncertificate = {}\nkey = {}\nclient_ca = {}\ntrust_domain = \"{TRUST_DOMAIN}\"\n\
         [participants]\nfile = {}\n\
         [store]\npath = {}\n[vault]\nkeys_file = {}\n\
         [broker]\nkind = \"{kind}\"\n[broker.rabbitmq]\nurl = {}\n\
         [portal]\nname = \"{DESTINATION}\"\nlogin_url = \"{portal}/mapi/login\"\ndata_url = \"{portal}/mapi/g\"\n\
         allow_plaintext = true\nusername = \"000.00.00.G22\"\npassword = \"mat-khau-thu\"\n\
         [log]\nfilter = \"warn\"\n",
        file("server.pem"),
        file("server-key.pem"),
        file("ca.pem"),
        file("participants.toml"),
        file("lienthong.db"),
        file("keys.toml"),
        toml_text(broker.unwrap_or_default()),
    )
}

/// A TOML literal string: nothing in it is special.
fn toml_text(text: &str) -> String {
    format!("'{text}'")
}
