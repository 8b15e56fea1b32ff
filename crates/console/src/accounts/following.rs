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
    stamp: Option<Stamp>,
    accounts: Arc<Accounts>,
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
        let seen = ArcSwap::from_pointee(Seen { stamp, accounts });
        Ok(Self { path, seen })
    }

    /// The accounts as the file has them now. A file with faults changes nothing and is told once.
    pub(crate) fn now(&self) -> Arc<Accounts> {
        let seen = self.seen.load();
        let stamp = Stamp::of(&self.path);
        if seen.stamp == stamp {
            return seen.accounts.clone();
        }
        let accounts = match Accounts::read(&self.path) {
            Ok(accounts) => {
                tracing::info!(count = accounts.len(), "the accounts file was read again");
                Arc::new(accounts)
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the changed accounts file is not taken; the former one stays in force"
                );
                seen.accounts.clone()
            }
        };
        self.seen.store(Arc::new(Seen {
            stamp,
            accounts: accounts.clone(),
        }));
        accounts
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
