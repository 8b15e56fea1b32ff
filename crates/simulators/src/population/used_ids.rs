//! Which request ids were used: `MaYeuCau` is good once.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The newest request ids, as hashes: two ids of half a million clash once in a hundred million runs.
#[derive(Debug)]
pub(crate) struct UsedIds {
    known: HashSet<u64>,
    by_age: VecDeque<u64>,
    count_max: usize,
}

impl UsedIds {
    pub(crate) fn new(count_max: usize) -> Self {
        Self {
            known: HashSet::new(),
            by_age: VecDeque::new(),
            count_max,
        }
    }

    /// Whether the id was not used lately; from now on it was.
    pub(crate) fn is_new(&mut self, id: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let hash = hasher.finish();
        if self.known.contains(&hash) {
            return false;
        }
        if self.by_age.len() >= self.count_max
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.known.remove(&oldest);
        }
        if self.count_max > 0 {
            self.known.insert(hash);
            self.by_age.push_back(hash);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_new_until_it_is_used_and_after_it_is_forgotten() {
        let mut ids = UsedIds::new(2);
        for (id, is_new) in [
            ("a", true),
            ("a", false),
            ("b", true),
            ("c", true),
            ("b", false),
        ] {
            assert_eq!(ids.is_new(id), is_new, "{id}");
        }
        assert!(ids.is_new("a"), "two newer ones made it go");
        assert_eq!((ids.known.len(), ids.by_age.len()), (2, 2));
    }
}
