//! Maps by pseudonym. A pseudonym is a keyed hash already, and nobody outside can choose it, so its own bits
//! serve as the hash.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use lienthong_domain::identity::Pseudonym;

/// A map by pseudonym.
pub(super) type ByPseudonym<V> = HashMap<Pseudonym, V, BuildHasherDefault<Folded>>;

/// An odd number near 2^64 divided by the golden ratio: spreads what differs in few bits.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// The bytes of a pseudonym, eight at a time.
#[derive(Default)]
pub(super) struct Folded(u64);

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0 ^ u64::from_ne_bytes(word))
                .wrapping_mul(SPREAD)
                .rotate_left(23);
        }
    }

    /// The length that precedes an array says nothing here: all are of one length.
    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
