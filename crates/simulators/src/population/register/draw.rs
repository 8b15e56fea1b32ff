//! Seeded draws that are the same on every machine and in every version: `SplitMix64`.

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// What a draw is for, so that one property of a citizen never moves another.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(crate) enum Purpose {
    Bucket = 1,
    Suffix,
    Shuffle,
    OldNumbers,
    HasOldNumber,
    Lineage,
    Name,
    ParentName,
    Birthday,
    Father,
    Couple,
    Alone,
    Death,
    Details,
    Layout,
}

impl Purpose {
    const fn number(self) -> u64 {
        self as u64
    }
}

/// A stream of draws for one purpose about one subject.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64, purpose: Purpose, subject: u64) -> Self {
        Self(key(seed, purpose, subject))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number from 0 to `bound` - 1; 0 for the bound 0.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let product = (self.next() >> 32) * u64::from(bound);
        u32::try_from(product >> 32).expect("a 32-bit fraction of a 32-bit number fits")
    }

    /// True with a chance of `share` in a thousand.
    pub(crate) fn permille(&mut self, share: u32) -> bool {
        self.below(1_000) < share
    }

    /// One of `items`, which are not empty.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        let count = u32::try_from(items.len()).expect("the tables are short");
        items[self.below(count) as usize]
    }

    /// One of `items`, which are not empty, as often as its weight says.
    pub(crate) fn weighted<T: Copy>(&mut self, items: &[(T, u32)]) -> T {
        let mut left = self.below(items.iter().map(|(_, weight)| weight).sum());
        for (item, weight) in items {
            if left < *weight {
                return *item;
            }
            left -= weight;
        }
        items[0].0
    }
}

/// The start of the stream for one purpose about one subject.
pub(crate) fn key(seed: u64, purpose: Purpose, subject: u64) -> u64 {
    mix(mix(mix(seed).wrapping_add(purpose.number().wrapping_mul(GOLDEN))) ^ subject)
}

/// The finaliser of `SplitMix64`: each bit of the input moves about half the bits of the output.
pub(crate) const fn mix(number: u64) -> u64 {
    let mut z = number;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
