//! Whether the jobs of a system look like guessing: too many of their newest answers are misses.
//!
//! Counted per system of a participant and not per job, because a guesser would else open many small jobs. A
//! store keeps the slate with the answers, in their transaction, so neither a restart nor a last item gets by.

use std::collections::VecDeque;

use lienthong_domain::identity::{Verdict, Verification};

/// Answers remembered; the newest.
pub const REMEMBERED_MAX: usize = 200;
/// Answers below which a share means nothing.
pub const ANSWERS_MIN: usize = 100;

/// The newest answers to one system's jobs; `true` is a miss.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Misses(VecDeque<bool>);

impl Misses {
    /// Takes note of an answer.
    pub fn note(&mut self, missed: bool) {
        if self.0.len() == REMEMBERED_MAX {
            self.0.pop_front();
        }
        self.0.push_back(missed);
    }

    /// Whether more than `percent_max` of at least [`ANSWERS_MIN`] answers are misses.
    pub fn too_many(&self, percent_max: u32) -> bool {
        let misses = self.0.iter().filter(|missed| **missed).count();
        self.0.len() >= ANSWERS_MIN && misses * 100 > self.0.len() * percent_max as usize
    }

    /// As it is stored: a byte for each answer, the newest last.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().map(|missed| u8::from(*missed)).collect()
    }

    /// Reads what [`Misses::to_bytes`] wrote; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bit = |byte: &u8| match byte {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        };
        let answers = bytes.iter().map(bit).collect::<Option<VecDeque<_>>>()?;
        (answers.len() <= REMEMBERED_MAX).then_some(Self(answers))
    }
}

/// Whether an answer says that something claimed is wrong: the person, or an optional claim about them.
pub fn is_miss(found: &Verification) -> bool {
    found.claims_verdict() == Verdict::NoMatch
}

#[cfg(test)]
mod tests {
    use lienthong_domain::identity::{Field, NameLevel};

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
            "a hundred percent never holds"
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

    #[test]
    fn a_slate_is_read_as_it_was_written_and_nothing_else_is() {
        let slate = of([true, false, false, true]);
        assert_eq!(Misses::from_bytes(&slate.to_bytes()), Some(slate));
        assert_eq!(Misses::from_bytes(&[]), Some(Misses::default()));
        assert_eq!(Misses::from_bytes(&[0, 2]), None);
        assert_eq!(Misses::from_bytes(&[0; REMEMBERED_MAX + 1]), None);
    }

    #[test]
    fn a_wrong_optional_claim_is_a_miss_though_the_person_matches() {
        use Verdict::{Match, NoMatch, Undecided};
        let found = |verdict, sex| Verification {
            verdict,
            name_level: Some(NameLevel::Exact),
            fields: vec![(Field::CitizenNumber, verdict), (Field::Sex, sex)],
        };
        for (verdict, sex, missed) in [
            (Match, Match, false),
            (Match, Undecided, false),
            (Match, NoMatch, true),
            (Undecided, Undecided, false),
            (Undecided, NoMatch, true),
            (NoMatch, NoMatch, true),
        ] {
            assert_eq!(is_miss(&found(verdict, sex)), missed, "{verdict:?} {sex:?}");
        }
    }
}
