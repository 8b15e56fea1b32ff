//! A data key as it is stored: sealed under a key-encryption key.

use std::fmt;

use crate::error::VaultError;
use crate::key_ring::KeyId;
use crate::secret::{NONCE_BYTES, SECRET_BYTES, TAG_BYTES};

/// The form of a wrapped key: version, key id (4 bytes, big-endian), nonce (12), ciphertext (32), tag (16).
const VERSION: u8 = 1;
/// Bytes before the nonce.
pub(crate) const HEADER_BYTES: usize = 5;

/// A data key sealed under a key-encryption key; safe to store beside the data, worthless without the ring.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey([u8; Self::BYTES]);

impl WrappedKey {
    /// Bytes of a wrapped key.
    pub const BYTES: usize = HEADER_BYTES + NONCE_BYTES + SECRET_BYTES + TAG_BYTES;

    /// Reads a stored key.
    ///
    /// # Errors
    /// [`VaultError::Tampered`] for another length or version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, VaultError> {
        let bytes: [u8; Self::BYTES] = bytes.try_into().map_err(|_| VaultError::Tampered)?;
        if bytes[0] == VERSION {
            Ok(Self(bytes))
        } else {
            Err(VaultError::Tampered)
        }
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// The key it is wrapped under.
    pub fn key_id(&self) -> KeyId {
        let [_, first, second, third, fourth, ..] = self.0;
        KeyId(u32::from_be_bytes([first, second, third, fourth]))
    }

    /// The bytes that go before the nonce of a key wrapped under `id`.
    pub(crate) fn header(id: KeyId) -> [u8; HEADER_BYTES] {
        let [first, second, third, fourth] = id.0.to_be_bytes();
        [VERSION, first, second, third, fourth]
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey(under {}, ***)", self.key_id())
    }
}
