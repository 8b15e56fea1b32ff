//! Identical verifications under way: the first asks, the others share its answer.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, PoisonError};

use lienthong_domain::identity::{Claims, Verification};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::Failure;

/// The answer, once there.
type Answer = Option<Result<Verification, Failure>>;

/// Verifications under way, no more than there are questions under way. Claims are here only so long.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Claims, watch::Receiver<Answer>>>);

/// What somebody who wants to know has to do.
pub(super) enum Role<'a> {
    /// Ask, and tell.
    Lead(Lead<'a>),
    /// Wait for the one who asks.
    Follow(Follow),
}

/// The one who asks. Dropped without an answer, it leaves those who follow to ask themselves.
pub(super) struct Lead<'a> {
    flights: &'a Flights,
    claims: &'a Claims,
    answer: watch::Sender<Answer>,
}

/// One who waits.
pub(super) struct Follow(watch::Receiver<Answer>);

impl Flights {
    /// Joins those who ask the same, or is the first.
    pub(super) fn join<'a>(&'a self, claims: &'a Claims) -> Role<'a> {
        self.with(|under_way| match under_way.entry(claims.clone()) {
            Entry::Occupied(led) => Role::Follow(Follow(led.get().clone())),
            Entry::Vacant(free) => {
                let (answer, receiver) = watch::channel(None);
                free.insert(receiver);
                Role::Lead(Lead {
                    flights: self,
                    claims,
                    answer,
                })
            }
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<Claims, watch::Receiver<Answer>>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Lead<'_> {
    /// Tells those who follow.
    pub(super) fn tell(self, answer: &Result<Verification, Failure>) {
        let tell = self.answer.clone();
        // First out of the list: who comes later asks anew, so that a failure is never remembered.
        drop(self);
        tell.send_replace(Some(answer.clone()));
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        // Nobody else can lead while this is in the list.
        self.flights.with(|under_way| under_way.remove(self.claims));
    }
}

impl Follow {
    /// The answer; `None` when it is no use to this caller and it should ask itself.
    pub(super) async fn answer(
        mut self,
        deadline: Instant,
    ) -> Option<Result<Verification, Failure>> {
        let told = timeout_at(deadline, self.0.wait_for(Option::is_some)).await;
        match told {
            Err(_) => Some(Err(Failure::OutOfTime)),
            // The one who asked was cut off.
            Ok(Err(_)) => None,
            Ok(Ok(answer)) => match answer.as_ref() {
                // It had less time than this caller may have.
                Some(Err(Failure::OutOfTime | Failure::DeadlineTooShort)) => None,
                answer => answer.cloned(),
            },
        }
    }
}
