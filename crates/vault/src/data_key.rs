//! The key of one subject, and the values sealed with it.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::VaultError;
use crate::secret::{Cipher, NONCE_BYTES, Secret, TAG_BYTES};

/// The form of a sealed value: version, nonce (12 bytes), ciphertext, tag (16 bytes).
const VERSION: u8 = 1;

/// Bytes that a sealed value has more than the value.
pub const SEALED_BYTES_MORE: usize = 1 + NONCE_BYTES + TAG_BYTES;

/// The place of a sealed value; opened at another place it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aad {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's number.
    pub row: i64,
}

impl Aad {
    /// Different places give different bytes: names hold no zero byte.
    fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.table.len() + self.column.len() + 11);
        bytes.push(VERSION);
        for name in [self.table, self.column] {
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(0);
        }
        bytes.extend_from_slice(&self.row.to_be_bytes());
        bytes
    }
}

/// A random key for the values of one subject; overwritten when dropped.
pub struct DataKey {
    secret: Secret,
    cipher: Cipher,
}

impl DataKey {
    /// A new key, from the system's randomness.
    pub fn generate() -> Self {
        Self::of(Secret::generate())
    }

    pub(crate) fn of(secret: Secret) -> Self {
        Self {
            cipher: secret.cipher(),
            secret,
        }
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// `plaintext`, sealed for its place: [`SEALED_BYTES_MORE`] bytes longer.
    pub fn seal(&self, aad: Aad, plaintext: &[u8]) -> Vec<u8> {
        self.cipher.seal(&[VERSION], &aad.bytes(), plaintext)
    }

    /// What was sealed at this place.
    ///
    /// # Errors
    /// [`VaultError::Tampered`] for anything else.
    pub fn open(&self, aad: Aad, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        match sealed.split_first() {
            Some((&VERSION, rest)) => self.cipher.open(&aad.bytes(), rest),
            _ => Err(VaultError::Tampered),
        }
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(***)")
    }
}
