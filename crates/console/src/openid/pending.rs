//! Sign-ins that went to the provider and have not come back. In memory, bounded, each good once and for ten minutes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::secret::{Secret, SecretHash};

/// A sign-in at the provider must end within.
pub(crate) const PENDING_LIFE: Duration = Duration::from_mins(10);
/// Sign-ins under way at once; above it the oldest is forgotten.
const PENDINGS_MAX: usize = 1_000;

/// What is known of a sign-in under way.
pub(super) struct Begun {
    pub(super) next: String,
    pub(super) nonce: Secret,
    pub(super) verifier: Secret,
    pub(super) browser: Secret,
    pub(super) anew: bool,
    pub(super) at: Timestamp,
}

#[derive(Default)]
pub(super) struct Pendings(Mutex<HashMap<SecretHash, Begun>>);

impl Pendings {
    /// Keeps a sign-in; the state that finds it again.
    pub(super) fn add(&self, begun: Begun) -> Secret {
        let state = Secret::draw();
        let mut pendings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pendings.retain(|_, other| !is_over(other, begun.at));
        if pendings.len() >= PENDINGS_MAX {
            let oldest = pendings.iter().min_by_key(|(_, other)| other.at);
            if let Some(oldest) = oldest.map(|(state, _)| *state) {
                pendings.remove(&oldest);
            }
        }
        pendings.insert(state.hash(), begun);
        state
    }

    /// The sign-in of that state, once.
    pub(super) fn take(&self, state: &Secret, now: Timestamp) -> Option<Begun> {
        let mut pendings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = pendings.remove(&state.hash())?;
        (!is_over(&begun, now)).then_some(begun)
    }
}

fn is_over(begun: &Begun, now: Timestamp) -> bool {
    Duration::try_from(now.duration_since(begun.at)).is_ok_and(|passed| passed >= PENDING_LIFE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(second: i64) -> Begun {
        Begun {
            next: "/".to_owned(),
            nonce: Secret::draw(),
            verifier: Secret::draw(),
            browser: Secret::draw(),
            anew: false,
            at: at(second),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_state_is_good_once_and_for_ten_minutes() {
        let pendings = Pendings::default();
        let state = pendings.add(begun(0));
        assert!(pendings.take(&Secret::draw(), at(1)).is_none());
        assert!(pendings.take(&state, at(599)).is_some());
        assert!(pendings.take(&state, at(599)).is_none());
        let state = pendings.add(begun(0));
        assert!(pendings.take(&state, at(600)).is_none());
    }

    #[test]
    fn the_oldest_makes_room() {
        let pendings = Pendings::default();
        let first = pendings.add(begun(0));
        let second = pendings.add(begun(1));
        for _ in 0..PENDINGS_MAX - 1 {
            pendings.add(begun(2));
        }
        assert!(pendings.take(&first, at(3)).is_none());
        assert!(pendings.take(&second, at(3)).is_some());
    }
}
