//! Deliberately broken gateways: each must be caught, or the invariants prove nothing.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lienthong_domain::delivery::{LanePolicy, ParkReason};
use lienthong_domain::event::IdempotencyKey;
use lienthong_domain::{DeliveryId, Timestamp};
use lienthong_ports::Message;
use lienthong_ports::store::{Finish, Next, Offer, Receipt, Refusal, Work};

/// One way to be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Mutation {
    /// Not at all.
    #[default]
    None,
    /// Now and then an event is acknowledged and not kept.
    LosesAccepted,
    /// A repeated key is taken for a new one.
    ForgetsKeys,
    /// Receipts skip a sequence.
    SkipsSequences,
    /// What a worker is given is not what was accepted.
    TampersWithDetails,
    /// A failed delivery lets the next of its lane go first.
    ReleasesEarly,
    /// Stale messages are worked on.
    DropsFences,
    /// A failed delivery counts as done.
    TakesFailureForSuccess,
    /// More is claimed than the window has room for.
    IgnoresTheWindow,
    /// Failed deliveries are due at once.
    RetriesAtOnce,
    /// Attempts during an outage count.
    CountsOutages,
    /// A refused event is kept under another key.
    KeepsRefused,
    /// The broker confirms what it throws away, and leases never end.
    LiesAndLeasesNeverEnd,
    /// Packets overtake each other on the way to the destination.
    DestinationReorders,
}

/// A mutation with what it must remember.
#[derive(Default)]
pub(crate) struct Mutant {
    pub mutation: Mutation,
    turns: AtomicU64,
    works: Mutex<HashMap<DeliveryId, Work>>,
}

impl Mutant {
    pub(crate) fn new(mutation: Mutation) -> Self {
        Self {
            mutation,
            ..Self::default()
        }
    }

    pub(crate) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == mutation
    }

    fn turn(&self, every: u64) -> bool {
        self.turns.fetch_add(1, Ordering::Relaxed) % every == every - 1
    }

    /// The policy under which the broken store keeps its lanes.
    pub(crate) fn policy(&self, policy: LanePolicy) -> LanePolicy {
        if self.is(Mutation::ReleasesEarly) {
            LanePolicy::Skip
        } else {
            policy
        }
    }

    /// The offers as the broken store takes them.
    pub(crate) fn offers(&self, offers: &[Offer]) -> Vec<Offer> {
        let mut offers = offers.to_vec();
        if self.is(Mutation::ForgetsKeys) {
            for offer in &mut offers {
                let turn = self.turns.fetch_add(1, Ordering::Relaxed);
                let key = format!("{}#{turn}", offer.event.key.as_str());
                offer.event.key = IdempotencyKey::parse(&key).expect("a longer key is a key");
            }
        }
        offers
    }

    /// The answer to all offers without any of them being kept, now and then.
    pub(crate) fn pretended(&self, offers: &[Offer]) -> Option<Vec<Result<Receipt, Refusal>>> {
        let pretend = |offer: &Offer| Receipt {
            event_id: offer.event_id,
            dossier: offer.event.dossier.clone(),
            sequence: 1,
            accepted_at: offer.now,
            duplicate: false,
            late: false,
            warnings: Vec::new(),
        };
        (self.is(Mutation::LosesAccepted) && self.turn(8))
            .then(|| offers.iter().map(|offer| Ok(pretend(offer))).collect())
    }

    /// The answers as the broken store gives them.
    pub(crate) fn answers(&self, answers: &mut [Result<Receipt, Refusal>]) {
        if self.is(Mutation::SkipsSequences) {
            for receipt in answers
                .iter_mut()
                .flatten()
                .filter(|receipt| receipt.sequence > 2)
            {
                receipt.sequence += 1;
            }
        }
    }

    /// What a refused offer is turned into, to be kept behind the sender's back.
    pub(crate) fn smuggled(
        &self,
        offers: &[Offer],
        answers: &[Result<Receipt, Refusal>],
    ) -> Vec<Offer> {
        if !self.is(Mutation::KeepsRefused) {
            return Vec::new();
        }
        let refused = offers
            .iter()
            .zip(answers)
            .filter(|(_, answer)| answer.is_err());
        let smuggle = |offer: &Offer| {
            let mut offer = offer.clone();
            let turn = self.turns.fetch_add(1, Ordering::Relaxed);
            offer.event.key = IdempotencyKey::parse(&format!("smuggled-{turn}")).expect("a key");
            offer.policy = lienthong_domain::timeline::TransitionPolicy::Warn;
            offer
        };
        refused.map(|(offer, _)| smuggle(offer)).collect()
    }

    pub(crate) fn window(&self, window: u32) -> u32 {
        if self.is(Mutation::IgnoresTheWindow) {
            window + 50
        } else {
            window
        }
    }

    /// The attempts as the broken store begins them.
    pub(crate) fn begun(&self, messages: &[Message], begun: &mut [Option<Work>]) {
        if self.is(Mutation::TampersWithDetails) {
            for work in begun
                .iter_mut()
                .flatten()
                .filter(|work| work.sequence % 3 == 0)
            {
                work.details = std::sync::Arc::default();
            }
        }
        if self.is(Mutation::DropsFences) {
            let mut works = self.works.lock().expect("nothing panics with it in hand");
            for (message, work) in messages.iter().zip(begun) {
                match work {
                    Some(work) => drop(works.insert(message.delivery, work.clone())),
                    None => *work = works.get(&message.delivery).cloned(),
                }
            }
        }
    }

    /// The end of an attempt as the broken store records it.
    pub(crate) fn finish(&self, finish: &mut Finish, now: Timestamp) {
        match (self.mutation, &mut finish.next) {
            (Mutation::TakesFailureForSuccess, next @ Next::RetryAt { .. }) => *next = Next::Done,
            (Mutation::RetriesAtOnce, Next::RetryAt { at, .. }) => *at = now,
            (Mutation::CountsOutages, Next::RetryAt { counted, .. }) => *counted = true,
            (Mutation::ReleasesEarly, next @ Next::RetryAt { .. }) => {
                *next = Next::Park(ParkReason::CrashSuspect);
            }
            _ => {}
        }
    }

    /// How much later than its answer an effect comes about.
    pub(crate) fn overtaken(&self) -> Option<Duration> {
        (self.is(Mutation::DestinationReorders) && self.turn(5)).then_some(Duration::from_secs(200))
    }
}
