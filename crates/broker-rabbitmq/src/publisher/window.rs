//! Messages published and not yet confirmed, and what becomes of each.
//!
//! lapin attaches a returned (unroutable) message to whichever confirm completes next, not to the message's
//! own. So returns are matched by message id over the whole window: a confirm is believed one look
//! later than it is seen, when everything that completed before it has been seen too; and after a return
//! nothing new is published until the window is empty, when every return has surfaced.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use lapin::Confirmation;
use lapin::types::ShortString;
use lienthong_ports::{Message, Published};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::message_id;

/// The future of one published message.
pub(super) type Confirm = BoxFuture<'static, lapin::Result<Confirmation>>;

/// Where the answer for one message goes: which call, which place in its answer.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    call: u64,
    index: usize,
}

struct Flight {
    message: Message,
    /// Emptied once answered; the flight still takes its place until the broker confirms.
    slot: Option<Slot>,
    deadline: Instant,
    state: State,
}

enum State {
    Waiting(Confirm),
    /// Seen in this look.
    Settled {
        look: u64,
        acknowledged: bool,
    },
}

/// One call of `publish` with the answers it has so far.
struct Call {
    answers: Vec<Published>,
    open: usize,
    reply: oneshot::Sender<Vec<Published>>,
}

#[derive(Default)]
pub(super) struct Window {
    flights: Vec<Flight>,
    calls: HashMap<u64, Call>,
    calls_begun: u64,
    looks: u64,
    /// Returns seen since the window was last empty.
    returned: HashSet<Message>,
    /// The queues for which they were meant, until somebody asks.
    missing: BTreeSet<ShortString>,
}

impl Window {
    /// Begins a call with `count` messages; its slots in order.
    pub(super) fn begin(
        &mut self,
        count: usize,
        reply: oneshot::Sender<Vec<Published>>,
    ) -> impl Iterator<Item = Slot> + use<> {
        self.calls_begun += 1;
        let call = self.calls_begun;
        let answers = vec![Published::Unknown; count];
        self.calls.insert(
            call,
            Call {
                answers,
                open: count,
                reply,
            },
        );
        (0..count).map(move |index| Slot { call, index })
    }

    pub(super) fn len(&self) -> usize {
        self.flights.len()
    }

    /// Whether unroutable messages are being sorted out; nothing may be published meanwhile.
    pub(super) fn is_draining(&self) -> bool {
        !self.returned.is_empty()
    }

    /// The queues for which messages came back unroutable since this was asked last.
    pub(super) fn take_missing(&mut self) -> BTreeSet<ShortString> {
        std::mem::take(&mut self.missing)
    }

    pub(super) fn launch(&mut self, message: Message, slot: Slot, until: Instant, wait: Confirm) {
        let state = State::Waiting(wait);
        self.flights.push(Flight {
            message,
            slot: Some(slot),
            deadline: until,
            state,
        });
    }

    /// Gives the answer for one message; the call is answered with its last one.
    pub(super) fn answer(&mut self, slot: Slot, published: Published) {
        answer(&mut self.calls, slot, published);
    }

    /// Ready once at least one message was judged, or with the error that ended the channel.
    pub(super) fn poll_judged(&mut self, context: &mut Context<'_>) -> Poll<lapin::Result<()>> {
        let before = self.flights.len();
        loop {
            self.looks += 1;
            let settled = self.look(context)?;
            self.judge();
            if settled == 0 {
                break;
            }
        }
        if self.flights.len() < before {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    /// Polls every waiting flight once, in the order of publishing.
    fn look(&mut self, context: &mut Context<'_>) -> lapin::Result<usize> {
        let mut settled = 0;
        for flight in &mut self.flights {
            let State::Waiting(wait) = &mut flight.state else {
                continue;
            };
            let Poll::Ready(confirmation) = Pin::new(wait).poll(context) else {
                continue;
            };
            let confirmation = confirmation?;
            let acknowledged = confirmation.is_ack();
            if let Some(returned) = confirmation.take_message() {
                let delivery = returned.delivery;
                self.returned
                    .extend(message_id::message(&delivery.properties));
                self.missing.insert(delivery.routing_key);
            }
            flight.state = State::Settled {
                look: self.looks,
                acknowledged,
            };
            settled += 1;
        }
        Ok(settled)
    }

    fn judge(&mut self) {
        let draining = self.is_draining();
        if draining
            && self
                .flights
                .iter()
                .any(|flight| matches!(flight.state, State::Waiting(_)))
        {
            return;
        }
        let (looks, returned, calls) = (self.looks, &self.returned, &mut self.calls);
        self.flights.retain(|flight| {
            let State::Settled { look, acknowledged } = flight.state else {
                return true;
            };
            if look == looks {
                return true;
            }
            if let Some(slot) = flight.slot {
                let held = acknowledged && !returned.contains(&flight.message);
                answer(
                    calls,
                    slot,
                    if held {
                        Published::Confirmed
                    } else {
                        Published::Refused
                    },
                );
            }
            false
        });
        if self.flights.is_empty() {
            self.returned.clear();
        }
    }

    /// When the first unanswered message is due; with `all`, the first of any.
    pub(super) fn deadline(&self, all: bool) -> Option<Instant> {
        let counts = |flight: &&Flight| all || flight.slot.is_some();
        self.flights
            .iter()
            .filter(counts)
            .map(|flight| flight.deadline)
            .min()
    }

    /// Answers `Unknown` for what is due at `now`; the flights keep their places.
    pub(super) fn expire(&mut self, now: Instant) {
        for flight in self
            .flights
            .iter_mut()
            .filter(|flight| flight.deadline <= now)
        {
            if let Some(slot) = flight.slot.take() {
                answer(&mut self.calls, slot, Published::Unknown);
            }
        }
    }

    /// Gives every flight until `deadline`, because the broker did not read before.
    pub(super) fn extend(&mut self, deadline: Instant) {
        self.flights
            .iter_mut()
            .for_each(|flight| flight.deadline = deadline);
    }

    /// The channel is gone: nobody knows what became of the messages.
    pub(super) fn abandon(mut self) {
        for slot in self
            .flights
            .iter_mut()
            .filter_map(|flight| flight.slot.take())
        {
            answer(&mut self.calls, slot, Published::Unknown);
        }
    }
}

fn answer(calls: &mut HashMap<u64, Call>, slot: Slot, published: Published) {
    let Some(call) = calls.get_mut(&slot.call) else {
        return;
    };
    call.answers[slot.index] = published;
    call.open -= 1;
    if call.open == 0
        && let Some(call) = calls.remove(&slot.call)
    {
        // A caller that gave up waiting has had its answer.
        call.reply.send(call.answers).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use lapin::message::{BasicReturnMessage, Delivery};
    use lienthong_domain::{DeliveryId, Fence};

    use super::*;

    const QUEUE: &str = "work.dvcqg";

    fn message(id: usize) -> Message {
        Message {
            delivery: DeliveryId(i64::try_from(id).unwrap()),
            fence: Fence(1),
            trace: None,
        }
    }

    fn returned(id: usize) -> BasicReturnMessage {
        let mut delivery = Delivery::mock(0, "".into(), QUEUE.into(), false, Vec::new());
        delivery.properties = message_id::properties(message(id));
        BasicReturnMessage {
            delivery,
            reply_code: 312,
            reply_text: "NO_ROUTE".into(),
        }
    }

    /// A window with `count` messages; the senders complete their confirms.
    fn window(
        count: usize,
    ) -> (
        Window,
        Vec<oneshot::Sender<Confirmation>>,
        oneshot::Receiver<Vec<Published>>,
    ) {
        let (reply, answers) = oneshot::channel();
        let mut window = Window::default();
        let mut confirms = Vec::new();
        let until = Instant::now() + Duration::from_secs(15);
        for (id, slot) in window.begin(count, reply).enumerate() {
            let (confirm, confirmed) = oneshot::channel();
            confirms.push(confirm);
            let wait = confirmed.map(|confirmed| Ok(confirmed.unwrap())).boxed();
            window.launch(message(id), slot, until, wait);
        }
        (window, confirms, answers)
    }

    fn poll(window: &mut Window) -> Poll<lapin::Result<()>> {
        window.poll_judged(&mut Context::from_waker(Waker::noop()))
    }

    /// Every order in which `count` confirms can complete.
    fn orders(count: usize) -> Vec<Vec<usize>> {
        let Some(last) = count.checked_sub(1) else {
            return vec![Vec::new()];
        };
        let insert = |order: Vec<usize>| {
            (0..count).map(move |place| {
                let mut order = order.clone();
                order.insert(place, last);
                order
            })
        };
        orders(last).into_iter().flat_map(insert).collect()
    }

    /// What lapin does: returns queue up, and each confirm that completes takes the oldest along.
    /// Whatever the order and whenever we look, each message gets its own answer.
    #[test]
    fn returns_find_their_message_whichever_confirm_carries_them() {
        const COUNT: usize = 4;
        for unroutable in 0..1_u32 << COUNT {
            for order in orders(COUNT) {
                for looks in 0..1_u32 << COUNT {
                    let (mut window, confirms, mut answers) = window(COUNT);
                    let mut confirms: Vec<_> = confirms.into_iter().map(Some).collect();
                    let lost = |id: usize| unroutable & (1 << id) != 0;
                    // The broker returns in the order of publishing, before any confirm here.
                    let mut waiting = (0..COUNT).filter(|&id| lost(id)).map(returned);
                    for (step, &id) in order.iter().enumerate() {
                        let confirm = confirms[id].take().unwrap();
                        confirm.send(Confirmation::Ack(waiting.next())).unwrap();
                        if looks & (1 << step) != 0 {
                            assert!(!matches!(poll(&mut window), Poll::Ready(Err(_))));
                        }
                    }
                    drop(poll(&mut window));
                    let expected = (0..COUNT).map(|id| {
                        if lost(id) {
                            Published::Refused
                        } else {
                            Published::Confirmed
                        }
                    });
                    let answers = answers.try_recv().expect("all confirms are in");
                    assert_eq!(
                        answers,
                        expected.collect::<Vec<_>>(),
                        "order {order:?} looks {looks:b}"
                    );
                    assert!(!window.is_draining() && window.len() == 0);
                    let missing = window.take_missing();
                    let missing: Vec<_> = missing.iter().map(ShortString::as_str).collect();
                    let expected: &[&str] = if unroutable == 0 { &[] } else { &[QUEUE] };
                    assert_eq!(missing, expected);
                }
            }
        }
    }

    #[test]
    fn an_abandoned_window_answers_unknown_and_keeps_what_was_judged() {
        let (mut window, mut confirms, mut answers) = window(3);
        confirms.remove(1).send(Confirmation::Nack(None)).unwrap();
        assert!(poll(&mut window).is_ready());
        window.abandon();
        let expected = [Published::Unknown, Published::Refused, Published::Unknown];
        assert_eq!(answers.try_recv().unwrap(), expected);
    }

    #[test]
    fn an_expired_message_is_answered_and_still_takes_its_place() {
        let (mut window, _confirms, mut answers) = window(1);
        let due = window.deadline(false).unwrap();
        window.expire(due - Duration::from_nanos(1));
        assert!(answers.try_recv().is_err());
        window.expire(due);
        assert_eq!(answers.try_recv().unwrap(), [Published::Unknown]);
        assert_eq!((window.len(), window.deadline(false)), (1, None));
    }
}
