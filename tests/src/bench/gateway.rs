//! The gateway as a process of its own, as a province meets it: binary, configuration file, certificates.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use lienthong_domain::Clock;
use lienthong_proto::admin::v1 as admin;
use lienthong_proto::admin::v1::destination_service_client::DestinationServiceClient;
use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_transport::{
    ChannelTimeouts, ClientTls, ClientTlsFiles, DevelopmentCa, IdentityFiles, IdentityPolicy,
    Overwrite, TlsClock, grpc_channel,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::time::Instant;
use tonic::transport::Channel;

/// The trust domain of the benchmark's certificates.
pub(super) const TRUST_DOMAIN: &str = "lienthong.bench";
const CERTIFICATE_DAYS: u16 = 30;
const READY_SECONDS_MAX: u64 = 60;
const STOP_SECONDS_MAX: u64 = 60;
const POLL: Duration = Duration::from_millis(2);
const DESTINATION: &str = "dvcqg";

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

/// A running program of ours; killed when dropped.
pub(super) struct Process {
    child: Child,
}

/// What a process has used, as the kernel counts it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    pub(super) resident_mib: f64,
    pub(super) resident_mib_max: f64,
    /// Processor time of all its threads.
    pub(super) busy_seconds: f64,
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
        // Taken and given back: the gateway needs a port that stays the same over its restarts.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        std::fs::write(path.join("participants.toml"), PARTICIPANTS)?;
        std::fs::write(
            path.join("lienthong.toml"),
            configuration(path, address, portal, broker),
        )?;
        Ok(Self { folder, address })
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
            .with_context(|| format!("start {}", program.display()))
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

    fn spawn(&self, mut command: Command) -> anyhow::Result<Process> {
        let log = File::options().create(true).append(true).open(self.log())?;
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        Ok(Process { child })
    }

    fn log(&self) -> PathBuf {
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
            if process.child.try_wait()?.is_some() || Instant::now() > deadline {
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
        Ok(grpc_channel(
            &format!("https://{}", self.address),
            tls,
            &timeouts,
        )?)
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
        "[listen]\naddress = \"{address}\"\ndrain_seconds = 5\n\
         [tls]\ncertificate = {}\nkey = {}\nclient_ca = {}\ntrust_domain = \"{TRUST_DOMAIN}\"\n\
         [participants]\nfile = {}\n\
         [store]\npath = {}\n\
         [broker]\nkind = \"{kind}\"\n[broker.rabbitmq]\nurl = {}\n\
         [portal]\nname = \"{DESTINATION}\"\nlogin_url = \"{portal}/mapi/login\"\ndata_url = \"{portal}/mapi/g\"\n\
         allow_plaintext = true\nusername = \"000.00.00.G22\"\npassword = \"mat-khau-thu\"\n\
         [log]\nfilter = \"warn\"\n",
        file("server.pem"),
        file("server-key.pem"),
        file("ca.pem"),
        file("participants.toml"),
        file("lienthong.db"),
        toml_text(broker.unwrap_or_default()),
    )
}

/// A TOML literal string: nothing in it is special.
fn toml_text(text: &str) -> String {
    format!("'{text}'")
}

/// A program that was built together with this one.
fn beside_us(name: &str) -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name(name);
    ensure!(
        program.exists(),
        "{} is missing: run tests/bench, which builds it",
        program.display()
    );
    Ok(program)
}

impl Process {
    /// What it has used so far.
    pub(super) fn usage(&self) -> anyhow::Result<Usage> {
        let folder = PathBuf::from(format!("/proc/{}", self.child.id()));
        let status = std::fs::read_to_string(folder.join("status"))?;
        let mib = |key: &str| -> anyhow::Result<f64> {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(key))
                .context("read /proc status")?;
            let kib: f64 = line
                .split_whitespace()
                .next()
                .context("read /proc status")?
                .parse()?;
            Ok(kib / 1024.0)
        };
        let stat = std::fs::read_to_string(folder.join("stat"))?;
        // The name in brackets may hold anything; utime and stime are the 12th and 13th field after it.
        let (_, fields) = stat.rsplit_once(')').context("read /proc stat")?;
        let ticks: Vec<f64> = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let hertz = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)?.unwrap_or(100);
        Ok(Usage {
            resident_mib: mib("VmRSS:")?,
            resident_mib_max: mib("VmHWM:")?,
            busy_seconds: ticks.iter().sum::<f64>() / f64::from(i32::try_from(hertz)?),
        })
    }

    /// Ends it as an operator does, and waits until it has.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        kill(
            Pid::from_raw(i32::try_from(self.child.id())?),
            Signal::SIGTERM,
        )?;
        let deadline = std::time::Instant::now() + Duration::from_secs(STOP_SECONDS_MAX);
        while self.child.try_wait()?.is_none() {
            ensure!(
                std::time::Instant::now() < deadline,
                "the gateway does not stop"
            );
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Ends it as a power cut does.
    pub(super) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
