//! The sequential test that tells a guesser of numbers from a clerk with a document.
//!
//! A clerk misses once in 20, a guesser hits once in 20 at most. Each miss multiplies the odds of guessing by
//! 19, each hit divides them; the score is their logarithm and never falls below 0.
//! Source: A. Wald's sequential probability ratio test; security.md §3.4.

/// ln(0.95 / 0.05).
pub(super) const STEP: f64 = 2.944_438_979_166_440_3;
/// Answers of neither kind that weigh as much as a miss.
const UNDECIDED_PER_MISS: u32 = 3;
/// Hits that earn one more call under way.
const HITS_PER_CALL: u32 = 10;
/// Trust that a miss costs.
const TRUST_PER_MISS: u32 = 10;
/// More trust than this is not remembered.
const TRUST_MAX: u32 = 10_000;

/// What speaks against an asker.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Evidence {
    score: f64,
    undecided: u32,
    trust: u32,
    /// Calls under way.
    pending: u32,
}

impl Evidence {
    pub(super) fn miss(&mut self) {
        self.score += STEP;
        self.trust = self.trust.saturating_sub(TRUST_PER_MISS);
    }

    pub(super) fn hit(&mut self) {
        self.score = (self.score - STEP).max(0.0);
        self.trust = (self.trust + 1).min(TRUST_MAX);
    }

    pub(super) fn undecided(&mut self) {
        self.undecided += 1;
        if self.undecided == UNDECIDED_PER_MISS {
            self.undecided = 0;
            self.miss();
        }
    }

    pub(super) fn begin(&mut self) {
        self.pending += 1;
    }

    pub(super) fn end(&mut self) {
        self.pending = self.pending.saturating_sub(1);
    }

    pub(super) fn pending(self) -> u32 {
        self.pending
    }

    /// A clean slate; calls under way stay under way.
    pub(super) fn clear(&mut self) {
        *self = Self {
            pending: self.pending,
            ..Self::default()
        };
    }

    pub(super) fn is_clear(self) -> bool {
        self.score <= 0.0 && self.undecided == 0
    }

    pub(super) fn score(self) -> f64 {
        self.score
    }

    /// Misses that are not made up for by hits.
    pub(super) fn misses_net(self) -> f64 {
        self.score / STEP
    }

    /// Whether one more call may be under way. Each may be a miss, so without trust there are no more than it
    /// takes to reach `threshold`. Ten right claims about ten different people pay for one call more, up to
    /// `trusted_max`; a fresh suspicion takes the trust away.
    pub(super) fn has_room(self, threshold: f64, trusted_max: u32, slow_misses: u32) -> bool {
        let with_all_missed = self.score + f64::from(self.pending) * STEP;
        let suspected = self.misses_net() >= f64::from(slow_misses);
        let trusted = (self.trust / HITS_PER_CALL).min(trusted_max);
        with_all_missed < threshold || (!suspected && self.pending < trusted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_misses_reach_the_threshold_and_a_hit_takes_one_back() {
        let mut evidence = Evidence::default();
        for _ in 0..4 {
            evidence.miss();
        }
        assert!(evidence.score() < 13.8);
        evidence.hit();
        evidence.miss();
        evidence.miss();
        assert!(evidence.score() >= 13.8);
        for _ in 0..9 {
            evidence.hit();
        }
        assert!(evidence.is_clear());
    }

    #[test]
    fn three_undecided_answers_are_a_miss() {
        let mut evidence = Evidence::default();
        evidence.undecided();
        evidence.undecided();
        assert!(evidence.misses_net() < 0.5);
        evidence.undecided();
        assert!((evidence.misses_net() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn calls_under_way_are_bounded_by_what_would_be_borne_and_by_trust() {
        let room = |evidence: Evidence| evidence.has_room(13.8, 64, 2);
        let fill = |mut evidence: Evidence| {
            while room(evidence) {
                evidence.begin();
            }
            evidence.pending()
        };
        let mut evidence = Evidence::default();
        assert_eq!(fill(evidence), 5);
        for _ in 0..300 {
            evidence.hit();
        }
        assert_eq!(fill(evidence), 30);
        evidence.miss();
        assert_eq!(fill(evidence), 29);
        evidence.miss();
        assert_eq!(fill(evidence), 3, "a suspicion takes the trust away");
        evidence.clear();
        assert_eq!(fill(evidence), 5);
    }
}
