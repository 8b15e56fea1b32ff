//! Whether an asker's jobs look like guessing: too many of the last answers are no match.
//!
//! Counted per system of a participant and not per job, because a guesser would else open many small jobs. It holds
//! until an operator lets it go on, with a clean slate.

use std::collections::VecDeque;

/// Answers remembered; the newest.
pub(super) const REMEMBERED_MAX: usize = 200;
/// Answers below which a share means nothing.
pub(super) const ANSWERS_MIN: usize = 100;

/// The newest answers of one asker; `true` is a miss.
#[derive(Clone, Debug, Default)]
pub(super) struct Misses(VecDeque<bool>);

impl Misses {
    /// Takes note of an answer.
    pub(super) fn note(&mut self, missed: bool) {
        if self.0.len() == REMEMBERED_MAX {
            self.0.pop_front();
        }
        self.0.push_back(missed);
    }

    /// Whether more than `percent_max` of the answers are misses.
    pub(super) fn too_many(&self, percent_max: u32) -> bool {
        let misses = self.0.iter().filter(|missed| **missed).count();
        self.0.len() >= ANSWERS_MIN && misses * 100 > self.0.len() * percent_max as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: impl IntoIterator<Item = bool>) -> Misses {
        let mut misses = Misses::default();
        pattern.into_iter().for_each(|missed| misses.note(missed));
        misses
    }

    #[test]
    fn a_share_counts_from_a_hundred_answers_on() {
        assert!(!of([true; 99]).too_many(30));
        assert!(of([true; 100]).too_many(30));
        assert!(
            !of([true; 1_000]).too_many(100),
            "a hundred percent never pauses"
        );
    }

    #[test]
    fn thirty_of_a_hundred_are_permitted_and_one_more_is_not() {
        let with = |count| of((0..100).map(move |index| index < count));
        assert!(!with(30).too_many(30));
        assert!(with(31).too_many(30));
    }

    #[test]
    fn only_the_newest_two_hundred_count() {
        let long_ago = std::iter::repeat_n(true, 100).chain(std::iter::repeat_n(false, 200));
        assert!(!of(long_ago).too_many(1));
        let late = std::iter::repeat_n(false, 100_000).chain(std::iter::repeat_n(true, 61));
        assert!(of(late).too_many(30), "a long clean past hides nothing");
    }
}
