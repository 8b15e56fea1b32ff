//! When the portal took the first event of each dossier: what a replay moved, and how fast.

use std::collections::HashSet;

use lienthong_simulators::portal::{Entry, Service};

/// Milliseconds of a second.
const SECOND_MS: i64 = 1_000;

/// The first events that the portal applied, each counted once.
#[derive(Debug, Default)]
pub(super) struct Heads {
    seen: HashSet<Box<str>>,
    at_ms: Vec<i64>,
}

impl Heads {
    /// The portal judged a call.
    pub(super) fn note(&mut self, entry: &Entry) {
        let is_first = entry.sequence == Some(1) && entry.service == Service::SyncDossier;
        if entry.applied && is_first && self.seen.insert(entry.dossier.clone()) {
            self.at_ms.push(entry.at_ms);
        }
    }

    /// How many.
    pub(super) fn count(&self) -> usize {
        self.at_ms.len()
    }

    /// The most of any second, wherever it begins.
    pub(super) fn busiest_second(&self) -> usize {
        let mut at_ms = self.at_ms.clone();
        at_ms.sort_unstable();
        let mut first = 0;
        let mut most = 0;
        for (last, at) in at_ms.iter().enumerate() {
            while at_ms[first] + SECOND_MS <= *at {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_second_may_begin_anywhere() {
        let heads = |at_ms: &[i64]| Heads {
            at_ms: at_ms.to_vec(),
            ..Heads::default()
        };
        assert_eq!(heads(&[]).busiest_second(), 0);
        assert_eq!(heads(&[0, 999, 1_000]).busiest_second(), 2);
        assert_eq!(heads(&[5_000, 700, 900, 1_100, 1_600]).busiest_second(), 4);
    }
}
