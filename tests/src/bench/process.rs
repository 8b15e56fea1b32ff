//! The programs that a benchmark starts, and what they use.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const STOP_SECONDS_MAX: u64 = 60;
/// How long a program that nobody stopped may take to end.
const DROP_PATIENCE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(2);

/// A running program of ours; ended when dropped.
pub(super) struct Process {
    child: Child,
}

/// What a process has used, as the kernel counts it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    pub(super) resident_mib: f64,
    pub(super) resident_mib_max: f64,
    /// Processor time of all its threads, and of the processes that it started.
    pub(super) busy_seconds: f64,
}

/// A program that was built together with this one.
pub(super) fn beside_us(name: &str) -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name(name);
    ensure!(
        program.exists(),
        "{} is missing: run tests/bench, which builds it",
        program.display()
    );
    Ok(program)
}

impl Process {
    /// Starts a program whose talk goes to the end of a file.
    pub(super) fn start(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .with_context(|| format!("start {}", command.get_program().display()))?;
        Ok(Self { child })
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

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
        Ok(Usage {
            resident_mib: mib("VmRSS:")?,
            resident_mib_max: mib("VmHWM:")?,
            busy_seconds: busy_seconds(&self.child.id().to_string())?,
        })
    }

    /// Ends it as an operator does, and waits until it has.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        kill(
            Pid::from_raw(i32::try_from(self.child.id())?),
            Signal::SIGTERM,
        )?;
        let deadline = Instant::now() + Duration::from_secs(STOP_SECONDS_MAX);
        while self.child.try_wait()?.is_none() {
            ensure!(Instant::now() < deadline, "a program does not stop");
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
    /// After a failure: asked first, because nginx leaves its workers behind when it is killed.
    fn drop(&mut self) {
        let ended = |child: &mut Child| !matches!(child.try_wait(), Ok(None));
        if ended(&mut self.child) {
            return;
        }
        if let Ok(id) = i32::try_from(self.child.id()) {
            kill(Pid::from_raw(id), Signal::SIGTERM).ok();
        }
        let deadline = Instant::now() + DROP_PATIENCE;
        while !ended(&mut self.child) && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
        // It may have ended just now.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Processor time of a process (`self`: of this one) and of those that it started and that still run.
pub(super) fn busy_seconds(process: &str) -> anyhow::Result<f64> {
    let hertz = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)?.unwrap_or(100);
    Ok(busy_ticks(process)? / f64::from(i32::try_from(hertz)?))
}

fn busy_ticks(process: &str) -> anyhow::Result<f64> {
    let folder = PathBuf::from(format!("/proc/{process}"));
    let stat = std::fs::read_to_string(folder.join("stat"))?;
    // The name in brackets may hold anything; utime and stime are the 12th and 13th field after it.
    let (_, fields) = stat.rsplit_once(')').context("read /proc stat")?;
    let own: Vec<f64> = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let mut ticks = own.iter().sum();
    if process != "self" {
        // Of the programs started here only nginx has children, and its first thread starts them.
        let children = folder.join("task").join(process).join("children");
        for child in std::fs::read_to_string(children)?.split_whitespace() {
            ticks += busy_ticks(child)?;
        }
    }
    Ok(ticks)
}
