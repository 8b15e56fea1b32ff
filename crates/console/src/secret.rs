//! Random secrets of 256 bits: session ids, tokens of forms, states and nonces.

use std::fmt;

use aws_lc_rs::constant_time;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

const BYTES: usize = 32;
/// Characters of a secret as text.
const TEXT_CHARS: usize = 43;

/// A secret. It never prints itself.
#[derive(Clone)]
pub(crate) struct Secret([u8; BYTES]);

/// What is kept of a secret that must only be recognised.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SecretHash([u8; BYTES]);

impl Secret {
    /// A new one, from the operating system: never from the generator that is seeded in demos and tests.
    pub(crate) fn draw() -> Self {
        let mut bytes = [0; BYTES];
        aws_lc_rs::rand::fill(&mut bytes).expect("the operating system has random bytes");
        Self(bytes)
    }

    /// Reads what [`Secret::text`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() != TEXT_CHARS {
            return None;
        }
        let mut bytes = [0; BYTES];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (length == BYTES).then_some(Self(bytes))
    }

    /// 43 characters that need no quoting in cookies, forms and addresses.
    pub(crate) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// For keeping and looking up.
    pub(crate) fn hash(&self) -> SecretHash {
        SecretHash::of(&self.0)
    }

    /// The hash of anything, which nobody without this secret can make or compare.
    pub(crate) fn keyed_hash(&self, bytes: &[u8]) -> SecretHash {
        // The key has one length, so no other key and text read the same; and the hash is never shown.
        SecretHash::of(&[&self.0, bytes].concat())
    }
}

impl SecretHash {
    /// The hash of anything.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_reads_back_and_differs_each_time() {
        let one = Secret::draw();
        let read = Secret::parse(&one.text()).unwrap();
        assert!(read.hash() == one.hash());
        assert!(Secret::draw().hash() != one.hash());
        assert_eq!(one.text().len(), TEXT_CHARS);
        assert_eq!(format!("{one:?}"), "***");
    }

    #[test]
    fn what_is_not_a_secret_is_refused() {
        for text in ["", "abc", &"é".repeat(22), &"!".repeat(43), &"A".repeat(44)] {
            assert!(Secret::parse(text).is_none(), "{text}");
        }
    }
}
