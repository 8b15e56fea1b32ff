#![doc = include_str!("../README.md")]

mod data_key;
mod error;
mod key_ring;
mod pseudonym;
mod secret;
mod vault;
mod wrapped;

pub use data_key::{Aad, DataKey, SEALED_BYTES_MORE};
pub use error::{KeyFileFaults, VaultError};
pub use key_ring::{KEY_FILE_BYTES_MAX, KEYS_MAX, KeyId, KeyRing};
pub use pseudonym::Pseudonym;
pub use vault::Vault;
pub use wrapped::WrappedKey;
