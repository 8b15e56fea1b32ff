//! Which instance is asked next: pure, the time is handed in.

use std::time::Duration;

use tokio::time::Instant;

/// How long a failed instance is avoided.
#[derive(Clone, Copy, Debug)]
pub(super) struct AvoidTimes {
    /// After the first failure; doubled with each further one.
    pub(super) first: Duration,
    /// At most.
    pub(super) max: Duration,
}

/// Whether an instance failed lately.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Avoidance {
    failures: u32,
    until: Option<Instant>,
}

impl Avoidance {
    /// Notes a failure. Those of questions that were under way together count as one.
    pub(super) fn failed(&mut self, now: Instant, times: AvoidTimes) {
        if self.is_avoided(now) {
            return;
        }
        let grown = times.first.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now + grown.min(times.max));
    }

    /// Notes an answer, whatever it said.
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_avoided(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

/// What is known of one instance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Questions under way.
    pub(super) outstanding: usize,
    /// Whether it failed lately.
    pub(super) avoided: bool,
    /// Whether this question was put to it already.
    pub(super) tried: bool,
}

/// The next instance for a question: one that did not fail lately, among them the least busy, among them the next in
/// turn. One that failed lately is better than none. `None` when all were tried.
pub(super) fn choose(standings: &[Standing], turn: usize) -> Option<usize> {
    let count = standings.len();
    let in_turn = (0..count).map(|step| turn.wrapping_add(step) % count);
    in_turn
        .filter(|index| !standings[*index].tried)
        .min_by_key(|index| (standings[*index].avoided, standings[*index].outstanding))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIMES: AvoidTimes = AvoidTimes {
        first: Duration::from_millis(500),
        max: Duration::from_secs(3),
    };

    fn standing(outstanding: usize, avoided: bool, tried: bool) -> Standing {
        Standing {
            outstanding,
            avoided,
            tried,
        }
    }

    #[test]
    fn the_least_busy_is_asked_and_equals_take_turns() {
        let idle = standing(0, false, false);
        let turns: Vec<_> = (0..4).map(|turn| choose(&[idle; 3], turn)).collect();
        assert_eq!(turns, [Some(0), Some(1), Some(2), Some(0)]);
        let busy = standing(2, false, false);
        assert_eq!(choose(&[busy, idle, busy], 2), Some(1));
        let failed = standing(0, true, false);
        assert_eq!(choose(&[failed, busy], 0), Some(1));
        assert_eq!(choose(&[failed, standing(2, false, true)], 0), Some(0));
        assert_eq!(choose(&[standing(0, false, true)], 0), None);
        assert_eq!(choose(&[], 5), None);
    }

    #[test]
    fn an_instance_is_avoided_longer_and_longer_until_it_answers() {
        let mut now = Instant::now();
        let mut avoidance = Avoidance::default();
        assert!(!avoidance.is_avoided(now));
        for millis in [500, 1_000, 2_000, 3_000, 3_000] {
            avoidance.failed(now, TIMES);
            avoidance.failed(now, TIMES);
            let almost = now + Duration::from_millis(millis - 1);
            now += Duration::from_millis(millis);
            assert!(
                avoidance.is_avoided(almost) && !avoidance.is_avoided(now),
                "{millis}"
            );
        }
        avoidance.answered();
        avoidance.failed(now, TIMES);
        assert!(!avoidance.is_avoided(now + Duration::from_millis(500)));
    }

    proptest! {
        #[test]
        fn every_instance_is_tried_once_and_the_good_ones_first(
            known in prop::collection::vec((0_usize..4, any::<bool>()), 0..8),
            turn in any::<usize>(),
        ) {
            let mut standings: Vec<_> = known
                .iter()
                .map(|(outstanding, avoided)| standing(*outstanding, *avoided, false))
                .collect();
            let mut order = Vec::new();
            while let Some(index) = choose(&standings, turn) {
                standings[index].tried = true;
                order.push(known[index]);
            }
            prop_assert_eq!(order.len(), known.len());
            let ranks: Vec<_> = order.iter().map(|(outstanding, avoided)| (*avoided, *outstanding)).collect();
            prop_assert!(ranks.is_sorted());
        }
    }
}
