//! What every broker promises, one function per promise.
//!
//! An implementation calls [`run`] with a way to make a fresh, empty broker for each promise.
//! Nothing here needs a timer of its own to pass; the deadlines only end a broken broker.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::{DeliveryId, DestinationName, Fence, TraceContext};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::broker::{Broker, BrokerError, Message, PUBLISH_MAX, Published, Queue, Received};

/// How long any single step may take before the broker counts as broken.
const STEP_MAX: Duration = Duration::from_secs(30);
/// How long nothing may arrive before "nothing arrives" is believed.
const QUIET: Duration = Duration::from_millis(300);
/// The room of a work queue for most promises, in messages.
pub const CAPACITY: usize = 20_000;
/// The room of a work queue for the promise about full queues.
pub const SMALL_CAPACITY: usize = 100;
/// How many brokers [`run`] asks for.
pub const BROKERS: usize = 12;

/// The destinations the suite publishes to.
pub fn destinations() -> Vec<DestinationName> {
    ["dvcqg", "bo-xay-dung"]
        .map(|name| DestinationName::parse(name).expect("both have the form of a name"))
        .into()
}

/// Runs every promise, each on a broker of its own: `make` gives an empty one that knows
/// [`destinations`] and has room for that many messages per work queue.
///
/// # Panics
/// A promise is not kept.
pub async fn run<F: Future<Output = Arc<dyn Broker>>>(make: impl Fn(usize) -> F) {
    every_message_published_is_received_once_acknowledged(&*make(CAPACITY).await).await;
    acknowledged_messages_do_not_come_back(&*make(CAPACITY).await).await;
    dropped_messages_come_back(&*make(CAPACITY).await).await;
    a_dropped_receiver_gives_its_messages_back(&*make(CAPACITY).await).await;
    a_message_dropped_for_ever_ends_as_a_dead_letter(&*make(CAPACITY).await).await;
    prefetch_bounds_what_is_in_hand(&*make(CAPACITY).await).await;
    two_receivers_share_a_queue(&*make(CAPACITY).await).await;
    destinations_do_not_mix(&*make(CAPACITY).await).await;
    many_messages_all_arrive(&*make(CAPACITY).await).await;
    depths_count_messages_and_receivers(&*make(CAPACITY).await).await;
    a_stopped_broker_says_so(&*make(CAPACITY).await).await;
    a_full_queue_refuses_and_loses_nothing(&*make(SMALL_CAPACITY).await).await;
}

/// A few messages, published at once, arrive with exactly what they said.
pub async fn every_message_published_is_received_once_acknowledged(broker: &dyn Broker) {
    let sent = messages(0..25);
    publish_all(broker, &first(), &sent).await;
    let mut receiver = receive(broker, 5).await;
    let mut seen = HashSet::new();
    while seen.len() < sent.len() {
        let received = next(&mut receiver).await;
        assert!(
            seen.insert(received.message),
            "received twice: {:?}",
            received.message
        );
        received.acknowledge();
    }
    assert_eq!(seen, sent.into_iter().collect());
}

/// After an acknowledgement, the message is gone, for later receivers too.
pub async fn acknowledged_messages_do_not_come_back(broker: &dyn Broker) {
    publish_all(broker, &first(), &messages(0..10)).await;
    let mut receiver = receive(broker, 10).await;
    for _ in 0..10 {
        next(&mut receiver).await.acknowledge();
    }
    nothing(&mut receiver).await;
    drop(receiver);
    nothing(&mut receive(broker, 10).await).await;
}

/// A message that is dropped is received again, with the same content.
pub async fn dropped_messages_come_back(broker: &dyn Broker) {
    let sent = messages(0..3);
    publish_all(broker, &first(), &sent).await;
    let mut receiver = receive(broker, 3).await;
    let mut times = HashMap::<Message, u32>::new();
    while times.len() < 3 || times.values().any(|&count| count < 2) {
        let received = next(&mut receiver).await;
        let count = times.entry(received.message).or_default();
        *count += 1;
        // Whoever has come twice has proved it; fewer drops than any broker's limit.
        if *count == 2 {
            received.acknowledge();
        }
    }
    nothing(&mut receiver).await;
    let depths = broker.depths(&destinations()).await;
    let depths = depths.expect("a running broker has depths");
    let found = (depths[0].redelivered, depths[0].unacknowledged);
    assert_eq!(found, (3, 0), "each came a second time: {depths:?}");
}

/// Messages in the hands and in the channel of a receiver that goes away are received by another.
pub async fn a_dropped_receiver_gives_its_messages_back(broker: &dyn Broker) {
    let sent = messages(0..8);
    publish_all(broker, &first(), &sent).await;
    let mut leaving = receive(broker, 8).await;
    let held = next(&mut leaving).await;
    drop(leaving);
    drop(held);
    let mut receiver = receive(broker, 8).await;
    let mut seen = HashSet::new();
    while seen.len() < sent.len() {
        let received = next(&mut receiver).await;
        seen.insert(received.message);
        received.acknowledge();
    }
    nothing(&mut receiver).await;
}

/// A message that every worker drops leaves the work queue, and arrives in the dead-letter queue.
pub async fn a_message_dropped_for_ever_ends_as_a_dead_letter(broker: &dyn Broker) {
    const DROPS_MAX: u32 = 100;
    let poison = messages(0..1);
    publish_all(broker, &first(), &poison).await;
    let mut work = receive(broker, 1).await;
    let mut dead = broker
        .consume(Queue::Dead, 4)
        .await
        .expect("a running broker gives receivers");
    let mut drops = 0;
    let letter = loop {
        tokio::select! {
            letter = next(&mut dead) => break letter,
            received = next(&mut work) => drop(received),
        }
        drops += 1;
        assert!(
            drops < DROPS_MAX,
            "dropped {drops} times and still in the work queue"
        );
    };
    assert_eq!(letter.message, poison[0]);
    letter.acknowledge();
    nothing(&mut work).await;
    nothing(&mut dead).await;
}

/// Never more than `prefetch` messages are unacknowledged in one receiver.
pub async fn prefetch_bounds_what_is_in_hand(broker: &dyn Broker) {
    publish_all(broker, &first(), &messages(0..20)).await;
    let mut receiver = receive(broker, 4).await;
    let mut hand = Vec::new();
    for _ in 0..4 {
        hand.push(next(&mut receiver).await);
    }
    nothing(&mut receiver).await;
    hand.pop().expect("there are four").acknowledge();
    hand.push(next(&mut receiver).await);
    nothing(&mut receiver).await;
    for received in hand {
        received.acknowledge();
    }
}

/// Two receivers of one queue both get messages, and no message goes to both.
pub async fn two_receivers_share_a_queue(broker: &dyn Broker) {
    let (mut one, mut two) = (receive(broker, 10).await, receive(broker, 10).await);
    publish_all(broker, &first(), &messages(0..20)).await;
    let mut seen = HashSet::new();
    let mut shares = [0, 0];
    while seen.len() < 20 {
        let (share, received) = tokio::select! {
            received = next(&mut one) => (0, received),
            received = next(&mut two) => (1, received),
        };
        shares[share] += 1;
        assert!(
            seen.insert(received.message),
            "both received {:?}",
            received.message
        );
        received.acknowledge();
    }
    assert!(
        shares.iter().all(|&share| share > 0),
        "one receiver starved: {shares:?}"
    );
}

/// A message for one destination never reaches a receiver of another.
pub async fn destinations_do_not_mix(broker: &dyn Broker) {
    let other = destinations().remove(1);
    publish_all(broker, &other, &messages(0..5)).await;
    nothing(&mut receive(broker, 5).await).await;
    let queue = Queue::Work(other);
    let mut receiver = broker
        .consume(queue, 5)
        .await
        .expect("a running broker gives receivers");
    for _ in 0..5 {
        next(&mut receiver).await.acknowledge();
    }
}

/// Ten thousand messages, published while they are received, all arrive.
pub async fn many_messages_all_arrive(broker: &dyn Broker) {
    const COUNT: i64 = 10_000;
    let mut receiver = receive(broker, 64).await;
    let destination = first();
    let publishing = async {
        for start in (0..COUNT).step_by(PUBLISH_MAX) {
            let end = COUNT.min(start + i64::try_from(PUBLISH_MAX).expect("it is small"));
            publish_all(broker, &destination, &messages(start..end)).await;
        }
    };
    let receiving = async {
        let mut seen = HashSet::new();
        while seen.len() < usize::try_from(COUNT).expect("it is positive") {
            let received = next(&mut receiver).await;
            seen.insert(received.message);
            received.acknowledge();
        }
    };
    tokio::join!(publishing, receiving);
}

/// Depths tell, sooner or later, how many messages and receivers a queue has.
pub async fn depths_count_messages_and_receivers(broker: &dyn Broker) {
    publish_all(broker, &first(), &messages(0..7)).await;
    let receiver = receive(broker, 2).await;
    let settled = async {
        loop {
            let depths = broker
                .depths(&destinations())
                .await
                .expect("a running broker has depths");
            assert!(
                depths.len() >= 3,
                "two destinations and the dead letters: {depths:?}"
            );
            let depth = &depths[0];
            // The prefetch is in the receiver's hands before it has asked for a message.
            if (depth.messages, depth.unacknowledged, depth.consumers) == (7, 2, 1) {
                return depths;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let depths = timeout(STEP_MAX, settled)
        .await
        .expect("depths must settle on 7 messages, 2 of them in hand, and 1 receiver");
    assert!(
        depths[0].queue.contains("dvcqg"),
        "depths come in the order asked: {depths:?}"
    );
    assert_eq!(depths[1].messages, 0);
    drop(receiver);
}

/// A full queue answers [`Published::Refused`], and holds every message it confirmed.
pub async fn a_full_queue_refuses_and_loses_nothing(broker: &dyn Broker) {
    let mut confirmed = HashSet::new();
    let mut refused = 0;
    for start in (0..1_000).step_by(50) {
        let sent = messages(start..start + 50);
        let answers = publish(broker, &first(), &sent).await;
        for (message, answer) in sent.into_iter().zip(answers) {
            match answer {
                Published::Confirmed => drop(confirmed.insert(message)),
                Published::Refused => refused += 1,
                Published::Unknown => {}
            }
        }
    }
    assert!(
        refused > 0,
        "1,000 messages fitted into {SMALL_CAPACITY} places"
    );
    assert!(
        confirmed.len() >= SMALL_CAPACITY / 2,
        "only {} fitted",
        confirmed.len()
    );
    let mut receiver = receive(broker, 50).await;
    while !confirmed.is_empty() {
        let received = next(&mut receiver).await;
        confirmed.remove(&received.message);
        received.acknowledge();
    }
}

/// After a stop nothing is published, receivers end, and new ones are refused.
pub async fn a_stopped_broker_says_so(broker: &dyn Broker) {
    let mut receiver = receive(broker, 1).await;
    broker.stop().await;
    let answers = publish(broker, &first(), &messages(0..3)).await;
    assert_eq!(answers, [Published::Refused; 3]);
    let ended = timeout(STEP_MAX, receiver.recv())
        .await
        .expect("a receiver ends at the stop");
    assert!(ended.is_none(), "nothing was published");
    let refused = broker.consume(Queue::Work(first()), 1).await;
    assert!(matches!(refused, Err(BrokerError::Stopping)), "{refused:?}");
    assert!(!broker.state().connected);
    broker.stop().await;
}

fn first() -> DestinationName {
    destinations().remove(0)
}

fn messages(ids: std::ops::Range<i64>) -> Vec<Message> {
    // Ids far from each other and fences above 1, so that a swap or a truncation shows.
    let trace = TraceContext {
        trace_id: [7; 16],
        span_id: [9; 8],
        sampled: true,
    };
    let message = |id| Message {
        delivery: DeliveryId(id * 1_000_003),
        fence: Fence(id % 7 + 1),
        trace: (id % 2 == 0).then_some(trace),
    };
    ids.map(message).collect()
}

async fn publish(
    broker: &dyn Broker,
    destination: &DestinationName,
    messages: &[Message],
) -> Vec<Published> {
    let answers = timeout(STEP_MAX, broker.publish(destination, messages)).await;
    let answers = answers.expect("publish is bounded in time");
    assert_eq!(answers.len(), messages.len(), "one answer per message");
    answers
}

async fn publish_all(broker: &dyn Broker, destination: &DestinationName, messages: &[Message]) {
    let answers = publish(broker, destination, messages).await;
    assert!(
        answers.iter().all(|&answer| answer == Published::Confirmed),
        "{answers:?}"
    );
}

async fn receive(broker: &dyn Broker, prefetch: u16) -> mpsc::Receiver<Received> {
    let queue = Queue::Work(first());
    broker
        .consume(queue, prefetch)
        .await
        .expect("a running broker gives receivers")
}

async fn next(receiver: &mut mpsc::Receiver<Received>) -> Received {
    let received = timeout(STEP_MAX, receiver.recv())
        .await
        .expect("a message must come");
    received.expect("the receiver lives")
}

async fn nothing(receiver: &mut mpsc::Receiver<Received>) {
    let came = timeout(QUIET, receiver.recv()).await;
    assert!(
        !matches!(came, Ok(Some(_))),
        "nothing should come, but this did: {came:?}"
    );
}
