//! What goes wrong with keys and sealed values. No text here holds a secret or a value.

use std::fmt;
use std::path::PathBuf;

use crate::key_ring::{KEYS_MAX, KeyId};

/// Why the vault could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file cannot be read.
    #[error("read the key file {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others than its owner have rights to the key file.
    #[error("use the key file {path}: its mode {mode:04o} gives rights to others; run chmod 600 {path}", path = .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its rights.
        mode: u32,
    },
    /// The key file does not hold what it should.
    #[error("use the key file {}: {faults}", .path.display())]
    Faulty {
        /// The file.
        path: PathBuf,
        /// All that is wrong with it.
        faults: KeyFileFaults,
    },
    /// A key file would have been overwritten, and with it every value sealed under its keys.
    #[error("make the key file {}: it exists already", .0.display())]
    Exists(PathBuf),
    /// The key file cannot be written.
    #[error("write the key file {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The ring is full.
    #[error("add a key: the ring has {KEYS_MAX} already; retire those not in use")]
    TooManyKeys,
    /// The current key is still used for new data.
    #[error("retire key {0}: it is the current one; rotate first")]
    CurrentKey(KeyId),
    /// The ring has no such key.
    #[error("find key {0} in the key file")]
    UnknownKey(KeyId),
    /// The bytes are not what was sealed, or not for this place, or not under this key.
    #[error("open sealed bytes: they were changed, or belong to another key or place")]
    Tampered,
}

/// Everything wrong with a key file; places only, never values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFileFaults(pub(crate) Vec<String>);

impl KeyFileFaults {
    /// One sentence per fault.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for KeyFileFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}
