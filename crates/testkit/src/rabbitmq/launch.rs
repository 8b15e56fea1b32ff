//! How the processes of a private node are started, fed with files, and ended.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, User, chown};

use super::{Node, TlsListener};

const START_SECONDS_MAX: u64 = 90;
pub(super) const MEMORY_WATERMARK: &str = "900MB";
pub(super) const PROGRAMS: &str = "/usr/lib/rabbitmq/bin";
/// Holds a folder for each installed version, with its plugins.
const VERSIONS: &str = "/usr/lib/rabbitmq/lib";
const MANAGEMENT: &str = "rabbitmq_management";

/// Whether a node can be started with the management plugin.
pub(super) fn has_management() -> bool {
    let entries = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten();
    let versions = entries(PathBuf::from(VERSIONS));
    let mut plugins = versions.flat_map(|version| entries(version.path().join("plugins")));
    let name = format!("{MANAGEMENT}-");
    plugins.any(|plugin| plugin.file_name().to_string_lossy().starts_with(&name))
}

/// Kills the process group of `child` and waits for its leader.
pub(super) fn end_group(child: &mut Child) {
    if let Ok(id) = i32::try_from(child.id()) {
        // A group that is gone already is what we want.
        killpg(Pid::from_raw(id), Signal::SIGKILL).ok();
    }
    child.wait().ok();
}

pub(super) fn start_server(node: &Node, folder: &Path) -> anyhow::Result<Child> {
    let output = fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("output"))?;
    program("rabbitmq-server", &node.environment)
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0)
        .spawn()
        .context("start rabbitmq-server")
}

pub(super) fn wait_for_port(port: u16, server: &mut Child, folder: &Path) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
    while !connects(port) {
        let ended = server.try_wait()?;
        if ended.is_some() || Instant::now() > deadline {
            let output = fs::read_to_string(folder.join("output")).unwrap_or_default();
            bail!("the private RabbitMQ did not come up ({ended:?}): {output}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

pub(super) fn connects(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
}

pub(super) fn environment(
    folder: &Path,
    amqp: u16,
    epmd: u16,
    dist: u16,
) -> BTreeMap<String, String> {
    let file = |name: &str| folder.join(name).display().to_string();
    // No busy waiting in the scheduler threads: the tests share the cores.
    let erlang = "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none";
    let pairs = [
        ("HOME", file("")),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
        ("LANG", "C.UTF-8".into()),
        ("ERL_EPMD_PORT", epmd.to_string()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".into()),
        ("RABBITMQ_NODENAME", format!("lienthong{amqp}@localhost")),
        ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1".into()),
        ("RABBITMQ_NODE_PORT", amqp.to_string()),
        ("RABBITMQ_DIST_PORT", dist.to_string()),
        ("RABBITMQ_MNESIA_BASE", file("mnesia")),
        ("RABBITMQ_LOG_BASE", file("log")),
        ("RABBITMQ_PID_FILE", file("pid")),
        ("RABBITMQ_CONF_ENV_FILE", file("none")),
        ("RABBITMQ_CONFIG_FILE", file("rabbitmq.conf")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", file("none")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", file("enabled_plugins")),
        ("RABBITMQ_GENERATED_CONFIG_DIR", file("generated")),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", erlang.into()),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

pub(super) fn write_files(
    folder: &Path,
    tls: Option<(&TlsListener, u16)>,
    management_port: Option<u16>,
) -> anyhow::Result<()> {
    let mut settings = format!(
        "vm_memory_high_watermark.absolute = {MEMORY_WATERMARK}\n\
         disk_free_limit.absolute = 50MB\n\
         log.file.level = warning\n"
    );
    if let Some((listener, port)) = tls {
        let file = |name: &str| folder.join(name).display().to_string();
        fs::write(file("ca.pem"), &listener.ca_pem)?;
        fs::write(file("server.pem"), &listener.certificate_pem)?;
        fs::write(file("server.key"), &listener.key_pem)?;
        write!(
            settings,
            "listeners.ssl.1 = 127.0.0.1:{port}\n\
             ssl_options.cacertfile = {}\n\
             ssl_options.certfile = {}\n\
             ssl_options.keyfile = {}\n\
             ssl_options.verify = verify_peer\n\
             ssl_options.fail_if_no_peer_cert = true\n\
             ssl_options.versions.1 = tlsv1.3\n",
            file("ca.pem"),
            file("server.pem"),
            file("server.key"),
        )?;
    }
    let mut plugins = "";
    if let Some(port) = management_port {
        plugins = MANAGEMENT;
        write!(
            settings,
            "management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {port}\n"
        )?;
    }
    fs::write(folder.join("rabbitmq.conf"), settings)?;
    fs::write(folder.join("enabled_plugins"), format!("[{plugins}].\n"))?;
    let cookie = folder.join(".erlang.cookie");
    fs::write(&cookie, format!("LIENTHONG{}", std::process::id()))?;
    fs::set_permissions(cookie, fs::Permissions::from_mode(0o400))?;
    Ok(())
}

/// As root the node runs as user rabbitmq, who must own its folder.
pub(super) fn give_to_rabbitmq(folder: &Path) -> anyhow::Result<()> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    let user = User::from_name("rabbitmq")?.context("there is no user rabbitmq")?;
    let own = |path: &Path| chown(path, Some(user.uid), Some(user.gid));
    for entry in fs::read_dir(folder)? {
        own(&entry?.path())?;
    }
    own(folder).context("give the folder to user rabbitmq")
}

pub(super) fn program(name: &str, environment: &BTreeMap<String, String>) -> Command {
    command(
        &PathBuf::from(PROGRAMS).join(name).display().to_string(),
        environment,
    )
}

/// A command with exactly this environment, as user rabbitmq when we are root.
pub(super) fn command(program: &str, environment: &BTreeMap<String, String>) -> Command {
    let mut command = if nix::unistd::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid",
            "rabbitmq",
            "--regid",
            "rabbitmq",
            "--clear-groups",
            program,
        ]);
        command
    } else {
        Command::new(program)
    };
    command
        .env_clear()
        .envs(environment)
        .current_dir("/")
        .stdin(Stdio::null());
    command
}
