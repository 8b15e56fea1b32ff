//! A private RabbitMQ node for tests: own folder, own ports, own epmd, gone when dropped.
//!
//! Every method blocks, some for seconds: inside a runtime call it through `block_in_place`.
//! One process starts the node ([`PrivateRabbit::start`]); others reach it through its [`Node`],
//! which is written to a descriptor file (`private-rabbit` does both for a whole test run).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use self::launch::{
    MEMORY_WATERMARK, PROGRAMS, command, connects, end_group, environment, give_to_rabbitmq,
    has_management, program, start_server, wait_for_port, write_files,
};
use crate::ports::free_ports;
use crate::steered::{self, variable};

mod launch;

/// Names the descriptor file of a broker that was started for the whole test run.
pub const DESCRIPTOR_VARIABLE: &str = "LIENTHONG_TEST_RABBITMQ";
/// Set to `1`, it turns a missing RabbitMQ from "skipped" into a failure.
pub const REQUIRE_VARIABLE: &str = "LIENTHONG_REQUIRE_RABBITMQ";

const END_SECONDS_MAX: u64 = 10;

/// How to reach a running node: enough for `rabbitmqctl` in any process of this machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Node {
    /// The environment that makes the command-line tools speak to this node.
    pub environment: BTreeMap<String, String>,
    /// The port of plain AMQP on 127.0.0.1.
    pub amqp_port: u16,
    /// The port of AMQP over TLS, if the node was started with it.
    pub amqps_port: Option<u16>,
    /// The port of the management plugin (HTTP on 127.0.0.1), if the node was started with it.
    pub management_port: Option<u16>,
}

/// PEM texts of a TLS listener that demands a client certificate of the same authority.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_field_names,
    reason = "the format of all three is PEM, the name says so"
)]
pub struct TlsListener {
    /// The authority of both sides.
    pub ca_pem: String,
    /// The server's certificate; it must name `localhost`.
    pub certificate_pem: String,
    /// The server's key, PKCS#8.
    pub key_pem: String,
}

/// A RabbitMQ node. If this value started it, dropping the value ends it and removes its folder.
#[derive(Debug)]
pub struct PrivateRabbit {
    node: Node,
    owner: Option<Owner>,
}

#[derive(Debug)]
struct Owner {
    folder: tempfile::TempDir,
    epmd: Child,
    server: Option<Child>,
}

/// Whether a broker can be used by tests, or the reason why not.
///
/// # Errors
/// The sentence to print when tests are skipped.
pub fn available() -> Result<(), String> {
    let server = Path::new(PROGRAMS).join("rabbitmq-server");
    if variable(DESCRIPTOR_VARIABLE).is_some() || server.exists() {
        return Ok(());
    }
    Err(format!(
        "RabbitMQ is not installed: {} does not exist",
        server.display()
    ))
}

/// The broker of this test run, or `None` (said on stderr) where RabbitMQ is not installed.
///
/// It is the one named by [`DESCRIPTOR_VARIABLE`], else a new one that ends with the value.
///
/// # Errors
/// It cannot be started, or is missing although [`REQUIRE_VARIABLE`] demands it.
pub fn shared() -> anyhow::Result<Option<PrivateRabbit>> {
    usable(|| match variable(DESCRIPTOR_VARIABLE) {
        Some(file) => PrivateRabbit::from_descriptor(Path::new(&file)),
        None => PrivateRabbit::start(),
    })
}

/// A broker that the test may kill, or `None` (said on stderr) where RabbitMQ is not installed.
///
/// # Errors
/// It cannot be started, or is missing although [`REQUIRE_VARIABLE`] demands it.
pub fn own() -> anyhow::Result<Option<PrivateRabbit>> {
    usable(PrivateRabbit::start)
}

/// A broker of the test's own whose management plugin answers, or `None` (said on stderr) where either is not installed.
///
/// # Errors
/// It cannot be started, or is missing although [`REQUIRE_VARIABLE`] demands it.
pub fn own_with_management() -> anyhow::Result<Option<PrivateRabbit>> {
    if available().is_ok() && !has_management() {
        let reason = "RabbitMQ's management plugin is not installed (Debian: rabbitmq-server)";
        return steered::left_out(reason, REQUIRE_VARIABLE).map(|()| None);
    }
    usable(PrivateRabbit::start_with_management)
}

fn usable(
    start: impl FnOnce() -> anyhow::Result<PrivateRabbit>,
) -> anyhow::Result<Option<PrivateRabbit>> {
    match available() {
        Ok(()) => start().map(Some),
        Err(reason) => steered::left_out(&reason, REQUIRE_VARIABLE).map(|()| None),
    }
}

impl Node {
    /// Runs `rabbitmqctl` with `arguments` and gives its output.
    ///
    /// # Errors
    /// It did not succeed; the error holds what it wrote.
    pub fn ctl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = program("rabbitmqctl", &self.environment);
        let output = command
            .arg("--quiet")
            .args(arguments)
            .output()
            .context("run rabbitmqctl")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "rabbitmqctl {arguments:?} ended with {}: {text}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr),
        );
        Ok(text)
    }

    /// The URL of `vhost`, user guest.
    pub fn amqp_url(&self, vhost: &str) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/{vhost}", self.amqp_port)
    }

    /// The URL of `vhost` over TLS, user guest, if there is a TLS listener.
    pub fn amqps_url(&self, vhost: &str) -> Option<String> {
        self.amqps_port
            .map(|port| format!("amqps://guest:guest@localhost:{port}/{vhost}"))
    }

    /// Makes vhosts that `guest` may use, all in one call because each `rabbitmqctl` costs a second.
    ///
    /// # Errors
    /// `rabbitmqctl` failed.
    pub fn create_vhosts(&self, names: &[String]) -> anyhow::Result<()> {
        let list = names
            .iter()
            .map(|name| format!("<<\"{name}\">>"))
            .collect::<Vec<_>>()
            .join(",");
        let program = format!(
            "[begin rabbit_vhost:add(Name, <<\"test\">>), \
             rabbit_auth_backend_internal:set_permissions(<<\"guest\">>, Name, <<\".*\">>, \
             <<\".*\">>, <<\".*\">>, <<\"test\">>) end || Name <- [{list}]]."
        );
        self.ctl(&["eval", &program]).map(drop)
    }

    /// Makes `count` vhosts with names that no other test of this machine uses.
    ///
    /// # Errors
    /// `rabbitmqctl` failed.
    pub fn fresh_vhosts(&self, count: usize) -> anyhow::Result<Vec<String>> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = || {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            format!("test-{}-{number}", std::process::id())
        };
        let names: Vec<_> = std::iter::repeat_with(name).take(count).collect();
        self.create_vhosts(&names).map(|()| names)
    }

    /// Makes one vhost with a name that no other test of this machine uses.
    ///
    /// # Errors
    /// `rabbitmqctl` failed.
    pub fn fresh_vhost(&self) -> anyhow::Result<String> {
        self.fresh_vhosts(1).map(|mut names| names.remove(0))
    }

    /// The address of the management plugin, if there is one; user guest.
    pub fn management_url(&self) -> Option<String> {
        self.management_port
            .map(|port| format!("http://127.0.0.1:{port}"))
    }

    /// Applies `definition` (JSON) to the queues and exchanges of `vhost` whose names match `pattern`, as policy `test`.
    ///
    /// # Errors
    /// `rabbitmqctl` failed.
    pub fn set_policy(&self, vhost: &str, pattern: &str, definition: &str) -> anyhow::Result<()> {
        self.ctl(&["set_policy", "-p", vhost, "test", pattern, definition])
            .map(drop)
    }

    /// Ends what [`Self::set_policy`] began.
    ///
    /// # Errors
    /// `rabbitmqctl` failed.
    pub fn clear_policy(&self, vhost: &str) -> anyhow::Result<()> {
        self.ctl(&["clear_policy", "-p", vhost, "test"]).map(drop)
    }

    /// Raises (`true`) or clears the memory alarm, which blocks every connection that publishes.
    ///
    /// # Errors
    /// `rabbitmqctl` failed.
    pub fn memory_alarm(&self, raised: bool) -> anyhow::Result<()> {
        if raised {
            self.ctl(&["set_vm_memory_high_watermark", "0"]).map(drop)
        } else {
            self.ctl(&["set_vm_memory_high_watermark", "absolute", MEMORY_WATERMARK])
                .map(drop)
        }
    }

    /// Closes every client connection from the broker's side.
    ///
    /// # Errors
    /// `rabbitmqctl` failed.
    pub fn close_all_connections(&self) -> anyhow::Result<()> {
        self.ctl(&["close_all_connections", "--global", "test"])
            .map(drop)
    }
}

impl PrivateRabbit {
    /// Starts a node and waits until it takes connections (5 to 9 s).
    ///
    /// # Errors
    /// It is not installed, or did not come up in time; the error holds the end of its log.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_node(None, false)
    }

    /// The same with a second listener that speaks TLS 1.3 and demands a client certificate.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with_tls(tls: &TlsListener) -> anyhow::Result<Self> {
        Self::start_node(Some(tls), false)
    }

    /// The same with the management plugin, which answers HTTP on 127.0.0.1.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with_management() -> anyhow::Result<Self> {
        Self::start_node(None, true)
    }

    /// A node that another process started and described in `file`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn from_descriptor(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        let node = serde_json::from_str(&text).context("read the descriptor of a broker")?;
        Ok(Self { node, owner: None })
    }

    /// How to reach it.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Writes the descriptor file for other processes, complete from its first byte on.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_descriptor(&self, file: &Path) -> anyhow::Result<()> {
        let partial = file.with_extension("partial");
        fs::write(&partial, serde_json::to_vec_pretty(&self.node)?)?;
        fs::rename(&partial, file).context("write the descriptor of a broker")
    }

    /// SIGKILL for the node and everything it started; its data stays.
    ///
    /// # Errors
    /// Another process owns the node.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let owner = self
            .owner
            .as_mut()
            .context("this broker belongs to another process")?;
        if let Some(server) = owner.server.as_mut() {
            end_group(server);
            owner.server = None;
        }
        // The leader is gone; the virtual machine below it may hold the port a moment longer.
        let deadline = Instant::now() + Duration::from_secs(END_SECONDS_MAX);
        while connects(self.node.amqp_port) {
            ensure!(
                Instant::now() < deadline,
                "the killed broker still takes connections"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Ends the node in good order; its data stays.
    ///
    /// # Errors
    /// Another process owns the node, or `rabbitmqctl` failed.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        ensure!(
            self.owner.is_some(),
            "this broker belongs to another process"
        );
        self.node.ctl(&["shutdown"])?;
        self.kill()
    }

    /// Starts the node again on the same ports and data.
    ///
    /// # Errors
    /// Another process owns the node, it runs already, or it did not come up in time.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        let owner = self
            .owner
            .as_mut()
            .context("this broker belongs to another process")?;
        ensure!(owner.server.is_none(), "the broker is running");
        let folder = owner.folder.path();
        let server = owner.server.insert(start_server(&self.node, folder)?);
        let ports = [Some(self.node.amqp_port), self.node.management_port];
        let mut ports = ports.into_iter().flatten();
        ports.try_for_each(|port| wait_for_port(port, server, folder))
    }

    /// Kills the node, deletes all its data (vhosts too) and starts it again.
    ///
    /// # Errors
    /// As [`Self::start_again`].
    pub fn wipe(&mut self) -> anyhow::Result<()> {
        self.kill()?;
        let data = &self.node.environment["RABBITMQ_MNESIA_BASE"];
        fs::remove_dir_all(data).context("delete the data of the broker")?;
        self.start_again()
    }

    fn start_node(tls: Option<&TlsListener>, management: bool) -> anyhow::Result<Self> {
        available().map_err(anyhow::Error::msg)?;
        let folder = tempfile::Builder::new()
            .prefix("lienthong-rabbitmq-")
            .tempdir()?;
        // In a range that the command-line tools do not use for themselves.
        let [amqp_port, epmd_port, dist_port, tls_port, http_port] = free_ports()?;
        let environment = environment(folder.path(), amqp_port, epmd_port, dist_port);
        let amqps_port = tls.map(|_| tls_port);
        let management_port = management.then_some(http_port);
        let tls = tls.map(|listener| (listener, tls_port));
        write_files(folder.path(), tls, management_port)?;
        give_to_rabbitmq(folder.path())?;

        let mut epmd = command("epmd", &environment);
        epmd.args(["-port", &epmd_port.to_string(), "-address", "127.0.0.1"]);
        let epmd = epmd
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("start epmd")?;
        let owner = Some(Owner {
            folder,
            epmd,
            server: None,
        });
        let mut rabbit = Self {
            node: Node {
                environment,
                amqp_port,
                amqps_port,
                management_port,
            },
            owner,
        };
        rabbit.start_again()?;
        Ok(rabbit)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Some(server) = self.server.as_mut() {
            end_group(server);
        }
        end_group(&mut self.epmd);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    #[test]
    fn a_node_starts_answers_comes_back_and_leaves_nothing() {
        let Some(mut rabbit) = own().unwrap() else {
            return;
        };
        let folder = rabbit.owner.as_ref().unwrap().folder.path().to_owned();
        let vhost = rabbit.node().fresh_vhost().unwrap();
        rabbit.kill().unwrap();
        assert!(rabbit.node().ctl(&["list_vhosts"]).is_err());
        rabbit.start_again().unwrap();
        let vhosts = rabbit.node().ctl(&["list_vhosts"]).unwrap();
        assert!(
            vhosts.contains(&vhost),
            "the data must survive a kill: {vhosts}"
        );

        let file = folder.with_extension("json");
        rabbit.write_descriptor(&file).unwrap();
        let other = PrivateRabbit::from_descriptor(&file).unwrap();
        fs::remove_file(file).unwrap();
        assert_eq!(other.node().ctl(&["list_vhosts"]).unwrap(), vhosts);

        rabbit.wipe().unwrap();
        assert!(
            !rabbit
                .node()
                .ctl(&["list_vhosts"])
                .unwrap()
                .contains(&vhost)
        );
        let epmd = rabbit.node().environment["ERL_EPMD_PORT"]
            .parse::<u16>()
            .unwrap();
        drop(rabbit);
        assert!(!folder.exists());
        assert!(
            TcpStream::connect((Ipv4Addr::LOCALHOST, epmd)).is_err(),
            "epmd is still there"
        );
    }
}
