//! The accounts in force: read again whenever the file is another, so that a removed account is out at its next request.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::Accounts;
use crate::error::ConsoleError;

/// See the module. Looking costs one `stat`.
pub(crate) struct Following {
    path: PathBuf,
    seen: ArcSwap<Seen>,
}

struct Seen {
    /// Of the file that was read last.
    stamp: Option<Stamp>,
    /// It is tried again at each look, and told once.
    reading: Reading,
    accounts: Arc<Accounts>,
}

/// How the last reading ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Good,
    /// Of this file; one that cannot even be looked at has no stamp.
    Failed(Option<Stamp>),
}

/// Tells one file from the next: replacing it gives another inode, editing it another time or length.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

impl Following {
    /// Reads the file for the first time.
    pub(crate) fn start(path: PathBuf) -> Result<Self, ConsoleError> {
        let stamp = Stamp::of(&path);
        let accounts = Arc::new(Accounts::read(&path)?);
        let seen = ArcSwap::from_pointee(Seen {
            stamp,
            reading: Reading::Good,
            accounts,
        });
        Ok(Self { path, seen })
    }

    /// The accounts as the file has them now. A file with faults, or that cannot be read, changes nothing and is told
    /// once; what cannot be read now may be readable at the next look, without being another file.
    pub(crate) fn now(&self) -> Arc<Accounts> {
        let seen = self.seen.load();
        let stamp = Stamp::of(&self.path);
        if seen.stamp == stamp {
            return seen.accounts.clone();
        }
        let next = match Accounts::read(&self.path) {
            Ok(accounts) => {
                tracing::info!(count = accounts.len(), "the accounts file was read again");
                Seen {
                    stamp,
                    reading: Reading::Good,
                    accounts: Arc::new(accounts),
                }
            }
            Err(error) => {
                if seen.reading != Reading::Failed(stamp) {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the changed accounts file is not taken; the former one stays in force"
                    );
                }
                let was_read = !matches!(error, ConsoleError::Read { .. });
                Seen {
                    stamp: if was_read { stamp } else { seen.stamp },
                    reading: Reading::Failed(stamp),
                    accounts: seen.accounts.clone(),
                }
            }
        };
        let accounts = next.accounts.clone();
        self.seen.store(Arc::new(next));
        accounts
    }
}

#[cfg(test)]
impl Following {
    /// Whether the next look reads the file.
    pub(super) fn reads_again(&self) -> bool {
        self.seen.load().stamp != Stamp::of(&self.path)
    }
}

impl Stamp {
    fn of(path: &PathBuf) -> Option<Self> {
        let of = |data: Metadata| Self {
            inode: data.ino(),
            length: data.len(),
            changed: (data.ctime(), data.ctime_nsec()),
        };
        std::fs::metadata(path).ok().map(of)
    }
}
