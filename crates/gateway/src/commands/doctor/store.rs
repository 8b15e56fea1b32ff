//! The store and its disk: does it open, is it whole, how long does a write take, how much is free.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lienthong_ports::Store;
use lienthong_store_sqlite::{Integrity, OpenError};
use nix::sys::statvfs::statvfs;

use super::Finding;
use crate::config::Config;
use crate::wire;

/// How long the integrity check may take; a large store is checked in part then.
const INTEGRITY_PATIENCE: Duration = Duration::from_mins(1);
/// Writes to the disk that are timed, each as large as a page of the store.
const WRITES: usize = 5;
const WRITE_BYTES: usize = 4_096;
/// A disk that needs longer for a durable write makes senders wait.
const WRITE_WARN: Duration = Duration::from_millis(50);

pub(super) async fn all(config: &Config) -> Vec<Finding> {
    let path = config.store.path.clone();
    let folder = folder_of(&path);
    let mut findings = vec![disk(&folder, config), write_time(&folder)];
    if !path.exists() {
        let found = format!("{} is made at the first start", path.display());
        findings.push(Finding::ok("store", found));
        return findings;
    }
    let opened = open(config).await;
    let is_open = opened.grade != super::Grade::Fault;
    findings.push(opened);
    if is_open {
        findings.push(integrity(&path).await);
    }
    findings
}

/// Opens the store as the gateway would.
async fn open(config: &Config) -> Finding {
    const FIX: &str =
        "look at the path, its rights, and the key file; restore the last backup if it is damaged";
    let error = match wire::open_store(config) {
        Ok(store) => {
            store.close().await;
            return Finding::ok("store", "opens, its keys fit and its schema is current");
        }
        Err(error) => error,
    };
    match error.downcast_ref::<OpenError>() {
        Some(OpenError::InUse { .. }) => Finding::ok("store", "a running gateway has it open"),
        _ => Finding::fault("store", format!("{error:#}"), FIX),
    }
}

/// Reads the whole file, so it has an end.
async fn integrity(path: &Path) -> Finding {
    const FIX: &str = "stop the gateway, keep a copy of the files, and restore the last backup; look at the disk (smartctl)";
    const PART: &str =
        "fine so far; check a copy of the file at leisure: sqlite3 COPY 'PRAGMA quick_check'";
    match lienthong_store_sqlite::integrity(path, INTEGRITY_PATIENCE).await {
        Integrity::Whole { schema } => {
            Finding::ok("integrity", format!("no fault; schema version {schema}"))
        }
        Integrity::Unfinished => {
            let found = format!(
                "no fault in {} s; not finished",
                INTEGRITY_PATIENCE.as_secs()
            );
            Finding::warn("integrity", found, PART)
        }
        Integrity::Damaged(fault) => Finding::fault("integrity", fault, FIX),
    }
}

/// The store's folder, or the nearest one above it that exists.
fn folder_of(path: &Path) -> PathBuf {
    let mut folders = path.ancestors().skip(1);
    let folder = folders.find(|folder| folder.is_dir());
    folder.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn disk(folder: &Path, config: &Config) -> Finding {
    const FULL: &str = "intake is stopped below store.reserve_mib: free space or move the store";
    const NEARLY: &str = "add disk space before intake stops at store.reserve_mib";
    let space = match statvfs(folder) {
        Ok(space) => space,
        Err(error) => {
            let found = format!("{}: {error}", folder.display());
            return Finding::fault("disk", found, "make the folder of store.path accessible");
        }
    };
    let free_mib = (space.blocks_available() * space.fragment_size()) >> 20;
    let reserve_mib = config.store.reserve_mib;
    let found = format!("{free_mib} MiB free in {}", folder.display());
    if free_mib < reserve_mib {
        Finding::fault("disk", found, FULL)
    } else if free_mib < reserve_mib.saturating_mul(4) {
        Finding::warn("disk", found, NEARLY)
    } else {
        Finding::ok("disk", found)
    }
}

/// How long a durable write takes: every receipt waits for one.
fn write_time(folder: &Path) -> Finding {
    const SLOW: &str = "receipts wait for each durable write: use a local SSD, not a network share, for store.path";
    const FIX: &str = "make the folder of store.path writable for the gateway's user";
    match median_write(folder) {
        Err(error) => {
            let found = format!("{}: {error}", folder.display());
            Finding::fault("durable write", found, FIX)
        }
        Ok(took) => {
            let found = format!(
                "{:.1} ms (median of {WRITES})",
                took.as_secs_f64() * 1_000.0
            );
            if took > WRITE_WARN {
                Finding::warn("durable write", found, SLOW)
            } else {
                Finding::ok("durable write", found)
            }
        }
    }
}

fn median_write(folder: &Path) -> std::io::Result<Duration> {
    let mut file: File = tempfile::tempfile_in(folder)?;
    let mut took = [Duration::ZERO; WRITES];
    for slot in &mut took {
        let begun = Instant::now();
        file.write_all(&[0; WRITE_BYTES])?;
        file.sync_all()?;
        *slot = begun.elapsed();
    }
    took.sort();
    Ok(took[WRITES / 2])
}

#[cfg(test)]
mod tests {
    use super::super::Grade;
    use super::*;

    #[test]
    fn the_disk_is_judged_by_the_reserve() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        let mut graded = |reserve_mib| {
            config.store.reserve_mib = reserve_mib;
            disk(folder.path(), &config).grade
        };
        assert_eq!(graded(0), Grade::Ok);
        assert_eq!(graded(u64::MAX), Grade::Fault);
        assert_eq!(disk(Path::new("/none"), &config).grade, Grade::Fault);
        assert_eq!(write_time(Path::new("/none")).grade, Grade::Fault);
        assert!(median_write(folder.path()).unwrap() > Duration::ZERO);
        assert_eq!(folder_of(&folder.path().join("a/b/c.db")), folder.path());
    }
}
