//! Which of its calls a rule of a fault script strikes: a pure function of the seed and the calls before.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::error::SimulatorError;

/// Most rules of a script.
const RULES_MAX: usize = 64;

/// Which of the calls that a rule concerns are struck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum When {
    /// All of them.
    #[default]
    Always,
    /// Each with this probability, 0 to 1.
    Probability(f64),
    /// The first so many since the script was set.
    First(u64),
    /// The calls numbered `from` to `to`, both included, counted from 1 since the script was set.
    Calls {
        /// First call struck.
        from: u64,
        /// Last call struck.
        to: u64,
    },
}

impl When {
    pub(crate) fn check(self) -> Result<(), &'static str> {
        match self {
            Self::Probability(chance) if !(0.0..=1.0).contains(&chance) => {
                Err("a probability lies between 0 and 1")
            }
            _ => Ok(()),
        }
    }
}

/// The luck of one rule, and the calls it has seen.
#[derive(Debug)]
pub(crate) struct Dice {
    calls: u64,
    pub(crate) random: ChaCha8Rng,
}

impl Dice {
    /// One for each of `rules`, once each is found good. Every rule has a stream of its own: its luck does not
    /// depend on what its neighbours roll.
    pub(crate) fn of_rules<R>(
        seed: u64,
        rules: &[R],
        check: impl Fn(&R) -> Result<(), &'static str>,
    ) -> Result<Vec<Self>, SimulatorError> {
        let refuse = |rule, reason| Err(SimulatorError::FaultRule { rule, reason });
        if rules.len() > RULES_MAX {
            return refuse(RULES_MAX + 1, "at most 64 rules");
        }
        for (index, rule) in rules.iter().enumerate() {
            if let Err(reason) = check(rule) {
                return refuse(index + 1, reason);
            }
        }
        let dice = (0u64..).zip(rules).map(|(stream, _)| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(stream);
            Self { calls: 0, random }
        });
        Ok(dice.collect())
    }

    /// Counts a call, and says whether it is struck.
    pub(crate) fn strikes(&mut self, when: When) -> bool {
        self.calls += 1;
        match when {
            When::Always => true,
            When::Probability(chance) => self.random.random_bool(chance),
            When::First(count) => self.calls <= count,
            When::Calls { from, to } => (from..=to).contains(&self.calls),
        }
    }
}
