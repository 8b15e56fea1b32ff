//! The keys at work: wrapping data keys, making pseudonyms.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::hmac;

use crate::data_key::DataKey;
use crate::error::VaultError;
use crate::key_ring::{KeyId, KeyRing};
use crate::pseudonym::Pseudonym;
use crate::secret::{Cipher, Secret};
use crate::wrapped::{HEADER_BYTES, WrappedKey};

/// What the index key is used for: the first byte of everything it signs.
#[derive(Clone, Copy)]
enum Use {
    Pseudonym = 1,
    Blinding = 2,
}

/// The keys of a ring, ready for use. Shared as `Arc<Vault>`.
pub struct Vault {
    ciphers: BTreeMap<KeyId, Cipher>,
    current: KeyId,
    index: hmac::Key,
}

impl Vault {
    /// A vault with the keys of `ring`.
    pub fn new(ring: &KeyRing) -> Self {
        Self {
            ciphers: ring
                .secrets()
                .map(|(id, secret)| (id, secret.cipher()))
                .collect(),
            current: ring.current(),
            index: hmac::Key::new(hmac::HMAC_SHA256, ring.index_key().expose()),
        }
    }

    /// A vault whose keys follow from `seed`, so that a test can open a database twice. Never for data
    /// that matters: anybody can make it.
    pub fn for_tests(seed: u64) -> Self {
        let secret = |number: u8| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes());
            let tag = hmac::sign(&key, &[number]);
            Secret::from_slice(tag.as_ref()).expect("HMAC-SHA-256 gives 32 bytes")
        };
        let current = KeyId(1);
        Self {
            ciphers: BTreeMap::from([(current, secret(1).cipher())]),
            current,
            index: hmac::Key::new(hmac::HMAC_SHA256, secret(2).expose()),
        }
    }

    /// The key that new data keys are wrapped under.
    pub fn current_key(&self) -> KeyId {
        self.current
    }

    /// Whether what is wrapped under `id` can be unwrapped.
    pub fn knows(&self, id: KeyId) -> bool {
        self.ciphers.contains_key(&id)
    }

    /// Whether `wrapped` needs no new wrapping.
    pub fn wraps_under_current(&self, wrapped: &WrappedKey) -> bool {
        wrapped.key_id() == self.current
    }

    /// Wraps `key` under the current key for `owner`, which names what the key is for: `dossier/<code>`.
    pub fn wrap(&self, key: &DataKey, owner: &str) -> WrappedKey {
        let cipher = self
            .ciphers
            .get(&self.current)
            .expect("the current key is one of the ring");
        let header = WrappedKey::header(self.current);
        let bytes = cipher.seal(&header, &wrap_aad(header, owner), key.secret().expose());
        WrappedKey::from_bytes(&bytes).expect("a header, a nonce, 32 bytes and a tag")
    }

    /// The key that was wrapped for `owner`.
    ///
    /// # Errors
    /// [`VaultError::UnknownKey`] when it is under a key that the ring does not have, and
    /// [`VaultError::Tampered`] when it was changed or wrapped for another owner.
    pub fn unwrap(&self, wrapped: &WrappedKey, owner: &str) -> Result<DataKey, VaultError> {
        let id = wrapped.key_id();
        let cipher = self.ciphers.get(&id).ok_or(VaultError::UnknownKey(id))?;
        let aad = wrap_aad(WrappedKey::header(id), owner);
        let secret = cipher.open(&aad, &wrapped.as_bytes()[HEADER_BYTES..])?;
        let secret = Secret::from_slice(&secret).ok_or(VaultError::Tampered)?;
        Ok(DataKey::of(secret))
    }

    /// What stands for `value` in `domain` (`citizen number`, say): the same for the same value, and nothing
    /// that could be compared between domains. Bring the value into one form before.
    pub fn pseudonym(&self, domain: &str, value: &str) -> Pseudonym {
        let mut signing = self.signing(Use::Pseudonym);
        // The length keeps a domain and a value apart, whatever they hold.
        signing.update(&(domain.len() as u64).to_be_bytes());
        signing.update(domain.as_bytes());
        signing.update(value.as_bytes());
        let tag = signing.sign();
        let half = tag.as_ref().first_chunk().expect("a tag has 32 bytes");
        Pseudonym(*half)
    }

    /// A hash of content in the form to store: without the index key nobody can try contents against it.
    pub fn blind(&self, hash: &[u8; 32]) -> [u8; 32] {
        let mut signing = self.signing(Use::Blinding);
        signing.update(hash);
        let tag = signing.sign();
        tag.as_ref().try_into().expect("a tag has 32 bytes")
    }

    fn signing(&self, purpose: Use) -> hmac::Context {
        let mut signing = hmac::Context::with_key(&self.index);
        signing.update(&[purpose as u8]);
        signing
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("keys", &self.ciphers.keys())
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}

/// Ties a wrapped key to its header and its owner.
fn wrap_aad(header: [u8; HEADER_BYTES], owner: &str) -> Vec<u8> {
    [&header[..], owner.as_bytes()].concat()
}
