//! Which events are with the gateway, which may go next: decisions without any input or output.
//!
//! The window holds steps in the order of the input, from the first one without a final answer.
//! Of one dossier only one event is under way at a time: then neither a lost connection nor a
//! refusal that asks for a retry can let a later event overtake an earlier one.

use std::collections::{BTreeSet, HashMap, VecDeque};

use lienthong_proto::dossier::v1::StatusEvent;

use super::result::StepResult;
use crate::input::join::Step;

/// Steps held at a time, answered ones included whose predecessors are not.
pub(crate) const STEPS_MAX: usize = 1_024;

struct Slot {
    step: Step,
    /// Tries that ended with a refusal that a retry may heal.
    retries: u32,
    result: Option<StepResult>,
}

/// The window. Steps are numbered from 0 through the whole input.
pub(crate) struct Window {
    slots: VecDeque<Slot>,
    first: u64,
    /// Unanswered events per dossier, in order; only the head is ready or under way.
    lanes: HashMap<String, VecDeque<u64>>,
    ready: BTreeSet<u64>,
    under_way: BTreeSet<u64>,
}

impl Window {
    /// An empty window whose next step is number `first`.
    pub(crate) fn new(first: u64) -> Self {
        Self {
            slots: VecDeque::new(),
            first,
            lanes: HashMap::new(),
            ready: BTreeSet::new(),
            under_way: BTreeSet::new(),
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.slots.len() < STEPS_MAX
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(crate) fn waits_for_answers(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Adds the next step of the input. One that was refused while reading is answered already.
    pub(crate) fn push(&mut self, step: Step) {
        let number = self.first + self.slots.len() as u64;
        let result = match &step.event {
            Ok(event) => {
                let lane = self.lanes.entry(event.dossier_code.clone()).or_default();
                lane.push_back(number);
                if lane.len() == 1 {
                    self.ready.insert(number);
                }
                None
            }
            Err(faults) => Some(StepResult::Refused(faults.clone())),
        };
        self.slots.push_back(Slot {
            step,
            retries: 0,
            result,
        });
    }

    /// The next event to send, which is under way from now on.
    pub(crate) fn send_next(&mut self) -> Option<(u64, &StatusEvent)> {
        let number = self.ready.pop_first()?;
        self.under_way.insert(number);
        let slot = self.slots.get(self.index(number)?)?;
        slot.step.event.as_ref().ok().map(|event| (number, event))
    }

    /// Notes the final answer to `number`. An answer nobody waits for changes nothing.
    pub(crate) fn settle(&mut self, number: u64, result: StepResult) {
        if !self.under_way.remove(&number) {
            return;
        }
        let Some(index) = self.index(number) else {
            return;
        };
        let slot = &mut self.slots[index];
        slot.result = Some(result);
        let Ok(event) = &slot.step.event else { return };
        if let Some(lane) = self.lanes.get_mut(&event.dossier_code) {
            lane.pop_front();
            match lane.front() {
                Some(&next) => {
                    self.ready.insert(next);
                }
                None => {
                    self.lanes.remove(&event.dossier_code);
                }
            }
        }
    }

    /// Puts `number` back for another try.
    pub(crate) fn retry(&mut self, number: u64) {
        if self.under_way.remove(&number) {
            self.ready.insert(number);
            let index = self.index(number);
            if let Some(slot) = index.and_then(|index| self.slots.get_mut(index)) {
                slot.retries += 1;
            }
        }
    }

    /// How often `number` was put back.
    pub(crate) fn retries(&self, number: u64) -> u32 {
        let index = self.index(number);
        index
            .and_then(|index| self.slots.get(index))
            .map_or(0, |slot| slot.retries)
    }

    /// Whether `number` is with the gateway.
    pub(crate) fn is_under_way(&self, number: u64) -> bool {
        self.under_way.contains(&number)
    }

    /// Everything under way has to be sent again.
    pub(crate) fn connection_lost(&mut self) {
        self.ready.append(&mut self.under_way);
    }

    /// Takes out the first step if its answer is final.
    pub(crate) fn pop_settled(&mut self) -> Option<(Step, StepResult)> {
        self.slots.front()?.result.as_ref()?;
        let slot = self.slots.pop_front()?;
        self.first += 1;
        slot.result.map(|result| (slot.step, result))
    }

    fn index(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(dossier: &str) -> Step {
        Step {
            line: 1,
            joined_line: None,
            event: Ok(StatusEvent {
                dossier_code: dossier.into(),
                ..StatusEvent::default()
            }),
        }
    }

    fn sent(window: &mut Window) -> Vec<u64> {
        std::iter::from_fn(|| window.send_next().map(|(number, _)| number)).collect()
    }

    fn accepted() -> StepResult {
        StepResult::Accepted {
            duplicate: false,
            late: false,
            warnings: 0,
        }
    }

    #[test]
    fn one_event_of_a_dossier_is_under_way_at_a_time() {
        let mut window = Window::new(0);
        for dossier in ["a", "a", "b", "a"] {
            window.push(step(dossier));
        }
        assert_eq!(sent(&mut window), [0, 2]);
        window.settle(2, accepted());
        assert!(window.pop_settled().is_none() && !window.has_ready());
        window.settle(0, accepted());
        assert_eq!(sent(&mut window), [1]);
        assert_eq!(std::iter::from_fn(|| window.pop_settled()).count(), 1);
        assert_eq!(window.first, 1);
    }

    #[test]
    fn what_was_under_way_is_sent_again_in_order_of_the_input() {
        let mut window = Window::new(10);
        for dossier in ["a", "b", "a", "c"] {
            window.push(step(dossier));
        }
        assert_eq!(sent(&mut window), [10, 11, 13]);
        window.settle(11, accepted());
        window.connection_lost();
        assert_eq!(sent(&mut window), [10, 13]);
        window.retry(10);
        assert_eq!((window.retries(10), sent(&mut window)), (1, vec![10]));
        window.settle(10, accepted());
        assert_eq!(sent(&mut window), [12]);
    }

    #[test]
    fn stray_answers_change_nothing() {
        let mut window = Window::new(0);
        window.push(step("a"));
        window.settle(0, accepted());
        window.settle(7, accepted());
        window.retry(0);
        assert_eq!(window.retries(0), 0);
        assert!(window.pop_settled().is_none() && window.has_ready());
    }

    #[test]
    fn a_line_refused_while_reading_waits_only_for_its_place() {
        let mut window = Window::new(0);
        window.push(step("a"));
        window.push(Step {
            line: 2,
            joined_line: None,
            event: Err(Vec::new()),
        });
        assert_eq!(sent(&mut window), [0]);
        assert!(window.pop_settled().is_none());
        window.settle(0, accepted());
        assert_eq!(std::iter::from_fn(|| window.pop_settled()).count(), 2);
        assert!(window.is_empty());
    }
}
