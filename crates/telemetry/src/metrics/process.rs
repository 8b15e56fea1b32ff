//! What the operating system knows of the process, under the names that every dashboard expects.
//!
//! Source: proc(5); the names are those of Prometheus' client libraries.

use std::fs;

use prometheus_client::registry::Registry;

use super::{Gauge, SecondsCounter, follow_seconds, register};

/// Ticks of a second in `/proc`: the same on every Linux, whatever its kernel counts with.
const TICKS_PER_SECOND: f64 = 100.0;

/// The process.
#[derive(Clone, Debug)]
pub(super) struct Process {
    start_time_seconds: Gauge,
    cpu_seconds: SecondsCounter,
    resident_memory_bytes: Gauge,
    open_fds: Gauge,
    max_fds: Gauge,
}

impl Process {
    pub(super) fn new(registry: &mut Registry) -> Self {
        Self {
            start_time_seconds: register(
                registry,
                "process_start_time_seconds",
                "When the process started, as Unix time",
                Gauge::default(),
            ),
            cpu_seconds: register(
                registry,
                "process_cpu_seconds",
                "Processor time of the process",
                SecondsCounter::default(),
            ),
            resident_memory_bytes: register(
                registry,
                "process_resident_memory_bytes",
                "Memory of the process that is in RAM",
                Gauge::default(),
            ),
            open_fds: register(
                registry,
                "process_open_fds",
                "Open file descriptors",
                Gauge::default(),
            ),
            max_fds: register(
                registry,
                "process_max_fds",
                "File descriptors that may be open",
                Gauge::default(),
            ),
        }
    }

    /// Looks again. What cannot be read keeps its figure.
    pub(super) fn look(&self) {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        if let Some(ticks) = Ticks::read(&read("/proc/self/stat")) {
            follow_seconds(&self.cpu_seconds, ticks.processor / TICKS_PER_SECOND);
            if let Some(booted) = number_after(&read("/proc/stat"), "btime ") {
                let started = ticks.started / TICKS_PER_SECOND;
                self.start_time_seconds.set(booted + started);
            }
        }
        if let Some(kib) = number_after(&read("/proc/self/status"), "VmRSS:") {
            self.resident_memory_bytes.set(kib * 1_024.0);
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            let open = u32::try_from(open.count()).unwrap_or(u32::MAX);
            self.open_fds.set(f64::from(open));
        }
        if let Some(max) = number_after(&read("/proc/self/limits"), "Max open files") {
            self.max_fds.set(max);
        }
    }
}

/// Times of `/proc/self/stat`, in ticks.
#[derive(Debug, PartialEq)]
struct Ticks {
    processor: f64,
    started: f64,
}

impl Ticks {
    /// Fields 14, 15 and 22; the name before them may hold blanks and parentheses.
    fn read(stat: &str) -> Option<Self> {
        let (_, rest) = stat.rsplit_once(") ")?;
        let fields = rest.split(' ').collect::<Vec<_>>();
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        Some(Self {
            processor: field(14)? + field(15)?,
            started: field(22)?,
        })
    }
}

/// The first number of the line that begins with `start`.
fn number_after(text: &str, start: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(start))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_proc_are_read() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 5 0 123400 1 2 3";
        let ticks = Ticks {
            processor: 300.0,
            started: 123_400.0,
        };
        assert_eq!(Ticks::read(stat), Some(ticks));
        assert_eq!(Ticks::read("7 (a"), None);
        assert_eq!(
            number_after("a 1\nVmRSS:\t  2048 kB\n", "VmRSS:"),
            Some(2_048.0)
        );
        let limits = "Max open files            1024                 524288               files\n";
        assert_eq!(number_after(limits, "Max open files"), Some(1_024.0));
    }

    #[test]
    fn this_process_is_seen() {
        let process = Process::new(&mut Registry::default());
        process.look();
        assert!(process.resident_memory_bytes.get() > 1_000_000.0);
        assert!(process.open_fds.get() >= 3.0);
        assert!(process.max_fds.get() >= process.open_fds.get());
        assert!(process.start_time_seconds.get() > 1_600_000_000.0);
    }
}
