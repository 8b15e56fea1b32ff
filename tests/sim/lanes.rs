//! The checker over one lane: I1 (each delivery accounted for), I2, I4 and I6 at the destination.

use std::collections::BTreeSet;

use lienthong_domain::DeliveryState;
use lienthong_domain::delivery::LanePolicy;
use lienthong_ports::store::{DeliveryView, TimelineEntry};

use crate::invariants::Broken;
use crate::ledger::{Effect, Ledger};
use crate::model::Model;
use crate::script::LaneScript;

/// One dossier at one destination.
pub(crate) struct Told<'a> {
    pub lane: &'a LaneScript,
    pub dossier: &'a str,
    pub entries: &'a [TimelineEntry],
    pub ledger: &'a Ledger,
    pub model: &'a Model,
}

impl Told<'_> {
    pub(crate) fn check(&self, broken: &mut Broken) {
        for entry in self.entries {
            match self.delivery(entry) {
                Some(delivery) => self.accounted(delivery, broken),
                None => broken.push(("I1", format!("{}: no delivery of {entry:?}", self.dossier))),
            }
        }
        for effect in self.effects() {
            let told = self.model.told(self.dossier, effect.sequence);
            if told.as_ref() != Some(&effect.content) {
                broken.push((
                    "I2",
                    format!("the destination holds {effect:?}, accepted was {told:?}"),
                ));
            }
        }
        self.order(broken);
        self.receiver(broken);
    }

    fn delivery<'e>(&self, entry: &'e TimelineEntry) -> Option<&'e DeliveryView> {
        entry
            .deliveries
            .iter()
            .find(|delivery| delivery.destination == self.lane.name)
    }

    fn effects(&self) -> impl Iterator<Item = &Effect> {
        let here =
            |effect: &&Effect| effect.lane == self.lane.name && effect.dossier == self.dossier;
        self.ledger.effects.iter().filter(here)
    }

    /// I1: the end of each delivery has its reason.
    fn accounted(&self, delivery: &DeliveryView, broken: &mut Broken) {
        let last_step = self.lane.steps - 1;
        let accounted = match delivery.state {
            DeliveryState::Done => self.effects().any(|effect| {
                effect.delivery == delivery.id && effect.step == last_step && !effect.ghost
            }),
            DeliveryState::Discarded => self.ledger.discards.contains(&delivery.id),
            DeliveryState::Superseded => {
                self.lane.policy == LanePolicy::Latest
                    && delivery.sequence < i64::try_from(self.entries.len()).unwrap_or(0)
            }
            _ => false,
        };
        if !accounted {
            broken.push((
                "I1",
                format!("{}: {delivery:?} has no reason for its state", self.dossier),
            ));
        }
    }

    /// I4: what comes after a higher sequence was replayed by an operator, or is a ghost.
    fn order(&self, broken: &mut Broken) {
        let mut highest = 0;
        for effect in self.effects().filter(|effect| !effect.ghost) {
            let replayed = self.lane.policy != LanePolicy::Hold
                && self
                    .ledger
                    .replays
                    .iter()
                    .any(|(id, at)| *id == effect.delivery && *at <= effect.at);
            if effect.sequence < highest && !replayed {
                broken.push(("I4", format!("{effect:?} came after sequence {highest}")));
            }
            highest = highest.max(effect.sequence);
        }
    }

    /// I6: a receiver that takes each step once, and the next sequence only, ends where the model does.
    fn receiver(&self, broken: &mut Broken) {
        let due = self.entries.iter().filter_map(|entry| self.delivery(entry));
        let due = due.filter(|delivery| delivery.state == DeliveryState::Done);
        let due = due
            .map(|delivery| delivery.sequence)
            .collect::<BTreeSet<_>>();
        let (mut last, mut taken) = (0, BTreeSet::new());
        for effect in self
            .effects()
            .filter(|effect| effect.step + 1 == self.lane.steps)
        {
            let next = match self.lane.policy {
                LanePolicy::Hold => due.range(last + 1..).next().copied(),
                LanePolicy::Skip | LanePolicy::Latest => Some(effect.sequence),
            };
            if next == Some(effect.sequence) {
                last = last.max(effect.sequence);
                taken.insert(effect.sequence);
            }
        }
        let complete = due.iter().all(|sequence| taken.contains(sequence));
        if !complete || due.last().is_some_and(|newest| *newest > last) {
            let text = format!("{}: the receiver took {taken:?} of {due:?}", self.dossier);
            broken.push(("I6", text));
        }
    }
}
