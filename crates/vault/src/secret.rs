//! Thirty-two secret bytes, and the cipher made of them.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::error::VaultError;

/// Bytes of a key of AES-256, and of the index key.
pub(crate) const SECRET_BYTES: usize = 32;
/// Bytes of the tag at the end of what AES-256-GCM has sealed.
pub(crate) const TAG_BYTES: usize = 16;
/// Bytes of a nonce, drawn at random.
pub(crate) const NONCE_BYTES: usize = NONCE_LEN;

/// A secret; overwritten when dropped, never printed.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<[u8; SECRET_BYTES]>);

impl Secret {
    pub(crate) fn generate() -> Self {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        fill_randomly(bytes.as_mut());
        Self(bytes)
    }

    pub(crate) fn from_bytes(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The secret with these bytes; `None` unless there are 32 of them.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_bytes(bytes.try_into().ok()?))
    }

    pub(crate) fn expose(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }

    pub(crate) fn cipher(&self) -> Cipher {
        let key = UnboundKey::new(&AES_256_GCM, self.expose()).expect("a secret has 32 bytes");
        Cipher(LessSafeKey::new(key))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// AES-256-GCM under one secret. Nonces are random: 96 bits serve 2^32 sealings of a key, and no key
/// here comes near that.
pub(crate) struct Cipher(LessSafeKey);

impl Cipher {
    /// `header`, a nonce, then `plaintext` encrypted, then the tag over it and `aad`.
    pub(crate) fn seal(&self, header: &[u8], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let text_at = header.len() + NONCE_BYTES;
        let mut sealed = Vec::with_capacity(text_at + plaintext.len() + TAG_BYTES);
        sealed.extend_from_slice(header);
        let mut nonce = [0; NONCE_BYTES];
        fill_randomly(&mut nonce);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let tag = self
            .0
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(aad),
                &mut sealed[text_at..],
            )
            .expect("AES-GCM refuses only texts of more than 64 GiB");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// The plaintext of what [`Cipher::seal`] made, its header left out.
    pub(crate) fn open(
        &self,
        aad: &[u8],
        after_header: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (nonce, text) = after_header
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(VaultError::Tampered)?;
        let mut opened = Zeroizing::new(text.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let bytes = self
            .0
            .open_in_place(nonce, Aad::from(aad), &mut opened)
            .map_err(|_| VaultError::Tampered)?
            .len();
        opened.truncate(bytes);
        Ok(opened)
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(***)")
    }
}

fn fill_randomly(bytes: &mut [u8]) {
    rand::fill(bytes).expect("aws-lc ends the process rather than go on without randomness");
}
