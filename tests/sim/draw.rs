//! The one source of chance: every part of a run draws from a stream that the seed decides.

use lienthong_domain::Random;

/// Draws of a script and of everything that follows it.
#[derive(Clone)]
pub(crate) struct Draw(Random);

impl Draw {
    /// A stream of its own for every part (`salt`), so that one part's draws do not move another's.
    pub(crate) fn new(seed: u64, salt: u64) -> Self {
        Self(Random::seeded(
            seed.wrapping_mul(1_000_003).wrapping_add(salt),
        ))
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&self, low: u64, high: u64) -> u64 {
        low + self.0.below(high - low + 1)
    }

    /// True in `permille` of a thousand draws.
    pub(crate) fn chance(&self, permille: u64) -> bool {
        self.0.below(1_000) < permille
    }

    pub(crate) fn pick<'a, T>(&self, items: &'a [T]) -> &'a T {
        let index = self.0.below(items.len() as u64);
        &items[usize::try_from(index).expect("an index fits")]
    }

    pub(crate) fn random(&self) -> Random {
        self.0.clone()
    }
}
