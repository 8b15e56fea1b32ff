//! A child in a process group of its own, which ends with the value whatever happens here.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How often an ending process is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// A running program.
#[derive(Debug)]
pub struct Process {
    child: Child,
    group: Pid,
}

impl Process {
    /// Starts `program`; what it says on stderr is appended to `log`.
    ///
    /// # Errors
    /// It cannot be started, or the log cannot be opened.
    pub fn start(program: &Path, arguments: &[&str], log: &Path) -> anyhow::Result<Self> {
        let stderr = File::options().create(true).append(true).open(log)?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let group = Pid::from_raw(i32::try_from(child.id()).context("a process id is an i32")?);
        Ok(Self { child, group })
    }

    /// Its stdout, once.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Sends a signal to the group.
    ///
    /// # Errors
    /// The group is gone.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        killpg(self.group, signal).with_context(|| format!("send {signal} to {}", self.group))
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// It cannot be asked.
    pub fn is_running(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Asks it to end in good order, and waits.
    ///
    /// # Errors
    /// It does not end in time.
    pub async fn stop(mut self, patience: Duration) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::SIGTERM)?;
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            anyhow::ensure!(
                Instant::now() < deadline,
                "{} did not end within {patience:?}",
                self.group
            );
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// SIGKILL ends a stopped process, too.
impl Drop for Process {
    fn drop(&mut self) {
        // A group that is gone already is what we want.
        killpg(self.group, Signal::SIGKILL).ok();
        self.child.wait().ok();
    }
}
