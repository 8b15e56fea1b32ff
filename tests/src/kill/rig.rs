//! The product as it is run: gateway and portal simulator as processes of their own, in a private folder.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use lienthong_domain::Clock;
use lienthong_simulators::portal::FaultScript;
use lienthong_testkit::ports::free_ports;
use lienthong_transport::{
    ChannelTimeouts, ClientTls, ClientTlsFiles, DevelopmentCa, HttpClientConfig, IdentityFiles,
    IdentityPolicy, Overwrite, TlsClock, grpc_channel, http_client, install_crypto_provider,
};
use tempfile::TempDir;
use tonic::transport::Channel;

use super::case::PROVINCES;
use super::process::Process;

/// How long a claim of a delivery holds: short, so that a round takes seconds.
pub const LEASE: Duration = Duration::from_secs(3);
/// The waits of the retry schedule: with the last one used twice, it is over after [`SCHEDULE`].
const RETRY_DELAYS_SECONDS: &str = "[1, 1]";
/// Times the last wait of the schedule is used where attempts must never run out.
const LAST_TIMES_LONG: u32 = 100_000;
/// The same where they would run out fast.
const LAST_TIMES_SHORT: u32 = 2;
/// How long the short schedule lasts at most: three waits of a second, with jitter, and four calls of 1.5 s.
pub const SCHEDULE: Duration = Duration::from_millis(9_600);

/// Deliveries of one claim, at most as many as the window has.
const CLAIM_BATCH: u32 = 128;

const TRUST_DOMAIN: &str = "lienthong.local";
const SYSTEM: &str = "motcua";
/// The participant whose system operates the gateway.
const OPERATOR: (&str, &str) = ("G22", "van-hanh");
/// The second person.
const APPROVER: (&str, &str) = ("G22", "phe-duyet");
const CERTIFICATE_DAYS: u16 = 2;
const POLICY_DAYS_MAX: u16 = 399;
/// Longest wait for the simulator's address.
const START_MAX: Duration = Duration::from_secs(20);
/// Longest wait for an orderly end.
const STOP_MAX: Duration = Duration::from_mins(1);

/// What differs between scenarios.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The binary `lienthong`.
    pub program: PathBuf,
    /// A RabbitMQ instead of the embedded broker.
    pub rabbitmq_url: Option<String>,
    /// The retry schedule is over after [`SCHEDULE`].
    pub short_schedule: bool,
    /// Most deliveries claimed and not finished.
    pub window: u32,
    /// Keeps the folder, for whoever looks for a cause.
    pub keep: bool,
}

/// [`Setup::window`] where nothing depends on it: the product's default.
pub const WINDOW: u32 = 256;

/// The processes and their folder.
#[derive(Debug)]
pub struct Rig {
    // Dropped in this order: the processes before their folder.
    gateway: Option<Process>,
    portal: Process,
    portal_door: String,
    port: u16,
    program: PathBuf,
    folder: TempDir,
}

impl Rig {
    /// Makes the folder with certificates and configuration, and starts the simulator; not yet the gateway.
    ///
    /// # Errors
    /// Whatever of it failed.
    pub async fn start(setup: &Setup) -> anyhow::Result<Self> {
        install_crypto_provider();
        let mut folder = tempfile::Builder::new()
            .prefix("lienthong-kill-")
            .tempdir()?;
        folder.disable_cleanup(setup.keep);
        make_certificates(folder.path())?;
        let record = folder.path().join("record.ndjson");
        let arguments = [
            "simulate",
            "portal",
            "--listen",
            "127.0.0.1:0",
            "--record",
            path_text(&record)?,
        ];
        let mut portal = Process::start(
            &setup.program,
            &arguments,
            &folder.path().join("portal.log"),
        )?;
        let base = first_line(&mut portal)
            .await
            .context("read the address of the simulator")?;
        let [port] = free_ports()?;
        let texts = [
            ("participants.toml", participants()),
            (
                "lienthong.toml",
                configuration(setup, path_text(folder.path())?, port, &base)?,
            ),
        ];
        for (name, text) in texts {
            std::fs::write(folder.path().join(name), text)?;
        }
        let (scheme_and_host, _) =
            base.split_at(base.find("/VXP").context("the simulator's prefix")?);
        let portal_door = format!("{scheme_and_host}/simulator");
        Ok(Self {
            gateway: None,
            portal,
            portal_door,
            port,
            program: setup.program.clone(),
            folder,
        })
    }

    /// Where the simulator records.
    pub fn record(&self) -> PathBuf {
        self.folder.path().join("record.ndjson")
    }

    /// The private folder, with the logs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the gateway; it may take a moment to accept.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_gateway(&mut self) -> anyhow::Result<()> {
        let config = self.folder.path().join("lienthong.toml");
        let log = self.folder.path().join("gateway.log");
        let arguments = ["serve", "-c", path_text(&config)?];
        self.gateway = Some(Process::start(&self.program, &arguments, &log)?);
        Ok(())
    }

    /// SIGKILL for the gateway.
    pub fn kill_gateway(&mut self) {
        self.gateway = None;
    }

    /// The gateway, to stop and to wake.
    ///
    /// # Errors
    /// It is not running, or has ended by itself; the error holds the end of its log.
    pub fn gateway(&mut self) -> anyhow::Result<&mut Process> {
        let log = self.folder.path().join("gateway.log");
        let gateway = self
            .gateway
            .as_mut()
            .context("the gateway was not started")?;
        if gateway.is_running()? {
            return Ok(gateway);
        }
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let from = text.lines().count().saturating_sub(20);
        let end = text.lines().skip(from).collect::<Vec<_>>().join("\n");
        anyhow::bail!("the gateway ended by itself:\n{end}")
    }

    /// Ends the gateway in good order.
    ///
    /// # Errors
    /// It does not end in time, or not with success.
    pub async fn stop_gateway(&mut self) -> anyhow::Result<()> {
        let gateway = self.gateway.take().context("the gateway was not started")?;
        let status = gateway.stop(STOP_MAX).await?;
        anyhow::ensure!(
            status.success(),
            "the gateway ended with {status} when asked to stop"
        );
        Ok(())
    }

    /// The simulator, to stop and to wake.
    pub fn portal(&self) -> &Process {
        &self.portal
    }

    /// Replaces the faults that the simulator plays.
    ///
    /// # Errors
    /// It did not take them.
    pub async fn set_faults(&self, script: &FaultScript) -> anyhow::Result<()> {
        let config = HttpClientConfig {
            allow_plaintext: true,
            ..HttpClientConfig::default()
        };
        let client = http_client(&config, tls_clock())?;
        let body = serde_json::to_vec(script)?;
        let answer = client
            .put(format!("{}/faults", self.portal_door))
            .body(body)
            .send()
            .await?;
        anyhow::ensure!(
            answer.status().is_success(),
            "the simulator refused a fault script"
        );
        Ok(())
    }

    /// A channel to the gateway as a system of `participant`; it connects when used, and again when needed.
    ///
    /// # Errors
    /// The certificate cannot be read.
    pub fn channel(&self, participant: &str) -> anyhow::Result<Channel> {
        self.channel_of(participant, SYSTEM)
    }

    /// A channel to the gateway as its operator.
    ///
    /// # Errors
    /// The certificate cannot be read.
    pub fn operator(&self) -> anyhow::Result<Channel> {
        self.channel_of(OPERATOR.0, OPERATOR.1)
    }

    /// A channel to the gateway as the second person.
    ///
    /// # Errors
    /// The certificate cannot be read.
    pub fn approver(&self) -> anyhow::Result<Channel> {
        self.channel_of(APPROVER.0, APPROVER.1)
    }

    fn channel_of(&self, participant: &str, system: &str) -> anyhow::Result<Channel> {
        let file = |name: String| self.folder.path().join(name);
        let files = ClientTlsFiles {
            roots: file("ca.pem".to_owned()),
            identity: Some(IdentityFiles {
                certificate_chain: file(format!("{participant}-{system}.pem")),
                private_key: file(format!("{participant}-{system}-key.pem")),
            }),
            server_name: None,
        };
        let tls = ClientTls::load(&files, tls_clock())?;
        let endpoint = format!("https://127.0.0.1:{}", self.port);
        Ok(grpc_channel(
            &endpoint,
            tls,
            &ChannelTimeouts {
                request: None,
                ..ChannelTimeouts::default()
            },
        )?)
    }
}

fn tls_clock() -> TlsClock {
    let clock = Clock::system();
    TlsClock::new(move || clock.now())
}

fn path_text(path: &Path) -> anyhow::Result<&str> {
    path.to_str()
        .context("the temporary folder has a name in UTF-8")
}

fn make_certificates(folder: &Path) -> anyhow::Result<()> {
    let now = Clock::system().now();
    let ca = DevelopmentCa::create(now)?;
    ca.save(folder, Overwrite::No)?;
    ca.issue_server(&["127.0.0.1", "localhost"], now, CERTIFICATE_DAYS)?
        .save(folder, Overwrite::No)?;
    let policy = IdentityPolicy::new(TRUST_DOMAIN, POLICY_DAYS_MAX)?;
    let pushers = PROVINCES.map(|province| (province.id, SYSTEM));
    for holder in pushers.into_iter().chain([OPERATOR, APPROVER]) {
        let issued = ca.issue_participant(&policy, holder, now, CERTIFICATE_DAYS)?;
        issued.save(folder, Overwrite::No)?;
    }
    Ok(())
}

fn participants() -> String {
    let mut text = String::new();
    let pushers = PROVINCES.map(|province| (province.id, province.name, SYSTEM, "push"));
    let operator = (OPERATOR.0, "Văn phòng Chính phủ", OPERATOR.1, "operator");
    for (id, name, system, role) in pushers.into_iter().chain([operator]) {
        write!(
            text,
            "[[participant]]\nid = \"{id}\"\nname = \"{name}\"\nrate_per_second_max = 100000\n\
             [[participant.system]]\nname = \"{system}\"\nrole = \"{role}\"\n"
        )
        .expect("a String takes everything");
    }
    // The operator's participant stands last, so this is another system of it.
    let second = APPROVER.1;
    writeln!(
        text,
        "[[participant.system]]\nname = \"{second}\"\nrole = \"approver\""
    )
    .expect("a String takes everything");
    text
}

fn configuration(setup: &Setup, folder: &str, port: u16, portal: &str) -> anyhow::Result<String> {
    let broker = match &setup.rabbitmq_url {
        Some(url) => format!(
            "kind = \"rabbitmq\"\n[broker.rabbitmq]\nurl = \"{url}\"\nconfirm_timeout_ms = 2000"
        ),
        None => "kind = \"embedded\"".to_owned(),
    };
    let last_times = if setup.short_schedule {
        LAST_TIMES_SHORT
    } else {
        LAST_TIMES_LONG
    };
    let lease_ms = u64::try_from(LEASE.as_millis())?;
    let (window, claim_batch) = (setup.window, setup.window.min(CLAIM_BATCH));
    Ok(format!(
        r#"[listen]
address = "127.0.0.1:{port}"
drain_seconds = 10
[metrics]
address = ""
[console]
address = ""
[tls]
certificate = "{folder}/server.pem"
key = "{folder}/server-key.pem"
client_ca = "{folder}/ca.pem"
[participants]
file = "{folder}/participants.toml"
[store]
path = "{folder}/lienthong.db"
reserve_mib = 16
[vault]
keys_file = "{folder}/keys.toml"
[broker]
{broker}
[delivery]
retry_delays_seconds = {RETRY_DELAYS_SECONDS}
retry_last_times = {last_times}
overload_delay_seconds = 1
lease_ms = {lease_ms}
call_timeout_ms = 1500
window = {window}
claim_batch_max = {claim_batch}
sweep_ms = 200
idle_ms = 200
[delivery.breaker]
unanswered_in_a_row = 3
open_seconds = 1
open_seconds_max = 2
[portal]
login_url = "{portal}/mapi/login"
data_url = "{portal}/mapi/g"
allow_plaintext = true
username = "lienthong"
password = "chi-de-thu"
failed_login_pause_ms = 200
connect_timeout_ms = 1000
request_timeout_ms_max = 1500
"#
    ))
}

/// The first line that a process prints.
async fn first_line(process: &mut Process) -> anyhow::Result<String> {
    let stdout = process.take_stdout().context("its stdout is a pipe")?;
    let read = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).map(|_| line)
    });
    let line = tokio::time::timeout(START_MAX, read)
        .await
        .context("it said nothing")???;
    anyhow::ensure!(line.ends_with('\n'), "it ended without a line");
    Ok(line.trim().to_owned())
}
