//! What stands for a value where the value must be found again but not read.

use std::fmt;

/// A keyed hash of a value in one domain. It may be printed: without the index key nothing follows from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(pub [u8; Self::BYTES]);

impl Pseudonym {
    /// Bytes of a pseudonym: among 10^9 subjects two share one with a chance of 10^-21.
    pub const BYTES: usize = 16;

    /// The bytes to store and to look up by.
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pseudonym({self})")
    }
}
