//! A seeded permutation of `0..size`, both ways without a table: a Feistel network over the next
//! even number of bits, walked until it lands inside.

use super::draw::mix;

const ROUNDS: u64 = 4;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Permutation {
    size: u64,
    half_bits: u32,
    key: u64,
}

impl Permutation {
    /// A permutation of `0..size`, where `size` is between 1 and 2^32.
    pub(crate) fn new(size: u64, key: u64) -> Self {
        let bits = u64::BITS - size.saturating_sub(1).leading_zeros();
        Self {
            size,
            half_bits: bits.div_ceil(2).max(1),
            key,
        }
    }

    /// Where `number` goes. The walk ends: it follows a cycle on which `number` itself lies inside,
    /// and takes less than four steps on average.
    pub(crate) fn forward(&self, number: u64) -> u64 {
        let mut at = number;
        loop {
            at = self.step(at);
            if at < self.size {
                return at;
            }
        }
    }

    /// What goes to `number`.
    pub(crate) fn backward(&self, number: u64) -> u64 {
        let mut at = number;
        loop {
            at = self.step_back(at);
            if at < self.size {
                return at;
            }
        }
    }

    fn step(&self, number: u64) -> u64 {
        let (mut left, mut right) = (number >> self.half_bits, number & self.mask());
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.scramble(round, right));
        }
        (left << self.half_bits) | right
    }

    fn step_back(&self, number: u64) -> u64 {
        let (mut left, mut right) = (number >> self.half_bits, number & self.mask());
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.scramble(round, left), left);
        }
        (left << self.half_bits) | right
    }

    fn scramble(&self, round: u64, half: u64) -> u64 {
        mix(self.key ^ (round << 60) ^ half) & self.mask()
    }

    fn mask(&self) -> u64 {
        (1 << self.half_bits) - 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_number_is_reached_once() {
        for size in [1, 2, 3, 63, 64, 65, 1_000, 12_345] {
            let permutation = Permutation::new(size, 7);
            let mut reached: Vec<_> = (0..size).map(|n| permutation.forward(n)).collect();
            assert!(size < 63 || !reached.is_sorted(), "{size} is shuffled");
            reached.sort_unstable();
            assert!(reached.into_iter().eq(0..size), "{size}");
        }
    }

    proptest! {
        #[test]
        fn backward_undoes_forward(
            key in any::<u64>(),
            (size, number) in (1u64..=1 << 32).prop_flat_map(|size| (Just(size), 0..size)),
        ) {
            let permutation = Permutation::new(size, key);
            let there = permutation.forward(number);
            prop_assert!(there < size);
            prop_assert_eq!(permutation.backward(there), number);
        }
    }
}
