//! The keys of a gateway, as a file holds them.

mod file;
mod form;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use lienthong_domain::{Clock, Timestamp};
use zeroize::Zeroizing;

use crate::error::{KeyFileFaults, VaultError};
use crate::secret::Secret;

pub use self::file::KEY_FILE_BYTES_MAX;

/// Most key-encryption keys of a ring: the current one and those that only open.
pub const KEYS_MAX: usize = 64;

/// Names a key-encryption key, from 1; never used twice in a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u32);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Key-encryption keys, of which the one with the highest id is current and the others only open, and the
/// index key.
///
/// The file is TOML: `index_key = "<base64 of 32 bytes>"`, then for each key `[[key]]` with `id = 1`,
/// `created = 2026-11-22T08:00:00Z` and `secret = "<base64 of 32 bytes>"`.
#[derive(Clone, Debug)]
pub struct KeyRing {
    /// Never empty.
    keys: BTreeMap<KeyId, Key>,
    index_key: Secret,
}

#[derive(Clone, Debug)]
struct Key {
    created: Timestamp,
    secret: Secret,
}

impl KeyRing {
    /// A ring with one new key and a new index key.
    pub fn generate(clock: &Clock) -> Self {
        Self {
            keys: BTreeMap::from([(KeyId(1), Key::generate(clock))]),
            index_key: Secret::generate(),
        }
    }

    /// Reads a key file of at most [`KEY_FILE_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// [`VaultError::Read`], [`VaultError::Exposed`] when others than its owner have rights to it, and
    /// [`VaultError::Faulty`] with everything that is wrong in it.
    pub fn read(path: &Path) -> Result<Self, VaultError> {
        let text = file::read(path)?;
        Self::parse(&text).map_err(|faults| VaultError::Faulty {
            path: path.into(),
            faults,
        })
    }

    /// Reads the text of a key file.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn parse(text: &str) -> Result<Self, KeyFileFaults> {
        form::parse(text)
    }

    /// Writes a new key file, for its owner only.
    ///
    /// # Errors
    /// [`VaultError::Exists`]: a key file is never overwritten by a new ring. [`VaultError::Write`].
    pub fn create(&self, path: &Path) -> Result<(), VaultError> {
        file::create(path, &self.text())
    }

    /// Replaces the key file after [`KeyRing::rotate`] or [`KeyRing::retire`]. A crash leaves the old
    /// file or the new one, never a part.
    ///
    /// # Errors
    /// [`VaultError::Write`].
    pub fn replace(&self, path: &Path) -> Result<(), VaultError> {
        file::replace(path, &self.text())
    }

    /// Adds a key, which is the current one from now on; its id.
    ///
    /// # Errors
    /// [`VaultError::TooManyKeys`].
    pub fn rotate(&mut self, clock: &Clock) -> Result<KeyId, VaultError> {
        let next = self.current().0.checked_add(1);
        let next = next.filter(|_| self.keys.len() < KEYS_MAX);
        let id = KeyId(next.ok_or(VaultError::TooManyKeys)?);
        self.keys.insert(id, Key::generate(clock));
        Ok(id)
    }

    /// Removes a key. What is still wrapped under it can never be opened again: look that nothing is.
    ///
    /// # Errors
    /// [`VaultError::UnknownKey`], and [`VaultError::CurrentKey`] for the current one.
    pub fn retire(&mut self, id: KeyId) -> Result<(), VaultError> {
        if id == self.current() {
            return Err(VaultError::CurrentKey(id));
        }
        match self.keys.remove(&id) {
            Some(_) => Ok(()),
            None => Err(VaultError::UnknownKey(id)),
        }
    }

    /// The key that new data keys are wrapped under.
    pub fn current(&self) -> KeyId {
        let newest = self.keys.last_key_value();
        *newest.expect("a ring is never empty").0
    }

    /// The keys with the instants of their making, oldest first.
    pub fn keys(&self) -> impl Iterator<Item = (KeyId, Timestamp)> {
        self.keys.iter().map(|(id, key)| (*id, key.created))
    }

    pub(crate) fn secrets(&self) -> impl Iterator<Item = (KeyId, &Secret)> {
        self.keys.iter().map(|(id, key)| (*id, &key.secret))
    }

    pub(crate) fn index_key(&self) -> &Secret {
        &self.index_key
    }

    fn text(&self) -> Zeroizing<String> {
        form::write(self)
    }
}

impl Key {
    fn generate(clock: &Clock) -> Self {
        Self {
            created: clock.now(),
            secret: Secret::generate(),
        }
    }
}
