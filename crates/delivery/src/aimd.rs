//! How many calls to a destination may be under way: one more after a round of good answers, half as
//! many after an answer that asks for less.

/// The moving limit. Additive increase, multiplicative decrease.
#[derive(Clone, Debug)]
pub struct Aimd {
    limit: f64,
    max: f64,
}

impl Aimd {
    /// A limit that starts at `start` and stays within `1 ..= max`.
    pub fn new(start: u32, max: u32) -> Self {
        let max = f64::from(max.max(1));
        Self {
            limit: f64::from(start.max(1)).min(max),
            max,
        }
    }

    /// The calls that may be under way now; at least 1.
    pub fn limit(&self) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the limit lies between 1 and the configured maximum, which came from a u32"
        )]
        let whole = self.limit as u32;
        whole.max(1)
    }

    /// A good answer: a whole round of them raises the limit by one.
    pub fn grew_by_success(&mut self) {
        self.limit = (self.limit + 1.0 / self.limit).min(self.max);
    }

    /// An answer that asks for less: the limit is halved.
    pub fn shrank_by_overload(&mut self) {
        self.limit = (self.limit / 2.0).max(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_of_successes_adds_one_and_an_overload_halves() {
        let mut aimd = Aimd::new(4, 10);
        for _ in 0..5 {
            aimd.grew_by_success();
        }
        assert_eq!(aimd.limit(), 5);
        aimd.shrank_by_overload();
        assert_eq!(aimd.limit(), 2);
        for _ in 0..20 {
            aimd.shrank_by_overload();
        }
        assert_eq!(aimd.limit(), 1);
        for _ in 0..1_000 {
            aimd.grew_by_success();
        }
        assert_eq!(aimd.limit(), 10);
    }
}
