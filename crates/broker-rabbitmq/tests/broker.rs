//! RabbitMQ itself: the shared promises, and what happens when the broker misbehaves.
//!
//! Each test says SKIPPED where RabbitMQ is not installed; `LIENTHONG_REQUIRE_RABBITMQ=1` makes that a failure.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on ends"
)]

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lienthong_broker_rabbitmq::{Config, RabbitBroker, Tls};
use lienthong_domain::{Clock, DeliveryId, DestinationName, Fence};
use lienthong_ports::conformance::broker as suite;
use lienthong_ports::{Broker, BrokerError, Message, Published, Queue, Received};
use lienthong_testkit::rabbitmq::{self, Node, PrivateRabbit, TlsListener};
use tokio::sync::mpsc;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep, timeout};

const RECOVER_MAX: Duration = Duration::from_mins(1);

fn config(url: &str) -> Config {
    Config::new(url.parse().unwrap())
}

fn connect(config: Config) -> Arc<RabbitBroker> {
    RabbitBroker::connect(config, suite::destinations(), Clock::system())
}

async fn ready(node: &Node, vhost: &str) -> Arc<RabbitBroker> {
    let broker = connect(config(&node.amqp_url(vhost)));
    broker.ready(RECOVER_MAX).await.unwrap();
    broker
}

fn portal() -> DestinationName {
    suite::destinations().remove(0)
}

fn message(id: i64) -> Message {
    Message {
        delivery: DeliveryId(id),
        fence: Fence(1),
        trace: None,
    }
}

async fn publish_one(broker: &RabbitBroker, id: i64) -> Published {
    broker.publish(&portal(), &[message(id)]).await[0]
}

async fn receive(broker: &RabbitBroker) -> mpsc::Receiver<Received> {
    broker.consume(Queue::Work(portal()), 16).await.unwrap()
}

/// Receives and acknowledges until every message of `wanted` has come.
async fn take(receiver: &mut mpsc::Receiver<Received>, mut wanted: HashSet<Message>) {
    while !wanted.is_empty() {
        let next = timeout(RECOVER_MAX, receiver.recv()).await;
        let received = next
            .unwrap_or_else(|_| panic!("confirmed and lost: {wanted:?}"))
            .unwrap();
        wanted.remove(&received.message);
        received.acknowledge();
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + RECOVER_MAX;
    while !holds() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Publishes until the broker takes the message.
async fn publish_until_confirmed(broker: &RabbitBroker, id: i64) {
    let deadline = Instant::now() + RECOVER_MAX;
    while publish_one(broker, id).await != Published::Confirmed {
        assert!(
            Instant::now() < deadline,
            "nothing can be published: {:?}",
            broker.state()
        );
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_every_promise_of_a_broker() {
    let Some(rabbit) = block_in_place(rabbitmq::shared).unwrap() else {
        return;
    };
    let vhosts = block_in_place(|| rabbit.node().fresh_vhosts(suite::BROKERS)).unwrap();
    let used = AtomicUsize::new(0);
    suite::run(async |room| {
        let vhost = &vhosts[used.fetch_add(1, Ordering::Relaxed)];
        let mut config = config(&rabbit.node().amqp_url(vhost));
        config.queue_messages_max = u32::try_from(room).unwrap();
        let broker = connect(config);
        broker.ready(RECOVER_MAX).await.unwrap();
        broker as Arc<dyn Broker>
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_broker_loses_nothing_it_confirmed_and_everybody_recovers() {
    let Some(mut rabbit) = block_in_place(rabbitmq::own).unwrap() else {
        return;
    };
    let vhost = block_in_place(|| rabbit.node().fresh_vhost()).unwrap();
    let broker = ready(rabbit.node(), &vhost).await;
    let mut receiver = receive(&broker).await;
    let mut confirmed = HashSet::new();
    for round in 0..2 {
        // The kill comes in the middle of a stream of calls.
        let publishing = async {
            let mut confirmed = HashSet::new();
            for call in 0..200 {
                let sent: Vec<_> = (0..50)
                    .map(|id| message(round * 100_000 + call * 50 + id))
                    .collect();
                let answers = broker.publish(&portal(), &sent).await;
                let pairs = sent.into_iter().zip(answers);
                let taken = pairs.filter(|(_, answer)| *answer == Published::Confirmed);
                confirmed.extend(taken.map(|(message, _)| message));
                if !broker.state().connected {
                    break;
                }
            }
            confirmed
        };
        let killing = async {
            sleep(Duration::from_millis(150)).await;
            block_in_place(|| rabbit.kill()).unwrap();
        };
        confirmed.extend(tokio::join!(publishing, killing).0);
        until("the loss is noticed", || !broker.state().connected).await;
        assert_eq!(publish_one(&broker, -1).await, Published::Refused);
        block_in_place(|| rabbit.start_again()).unwrap();
        publish_until_confirmed(&broker, round - 10).await;
        confirmed.insert(message(round - 10));
    }
    assert!(confirmed.len() > 10, "the kills left too little to check");
    take(&mut receiver, confirmed).await;
    assert!(broker.state().reconnects >= 2);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_its_data_is_wiped_the_topology_is_declared_again() {
    let Some(mut rabbit) = block_in_place(rabbitmq::own).unwrap() else {
        return;
    };
    let vhost = block_in_place(|| rabbit.node().fresh_vhost()).unwrap();
    let broker = ready(rabbit.node(), &vhost).await;
    let mut receiver = receive(&broker).await;
    block_in_place(|| rabbit.wipe()).unwrap();
    block_in_place(|| rabbit.node().create_vhosts(std::slice::from_ref(&vhost))).unwrap();
    publish_until_confirmed(&broker, 1).await;
    take(&mut receiver, HashSet::from([message(1)])).await;
    let queues = block_in_place(|| rabbit.node().ctl(&["list_queues", "-p", &vhost])).unwrap();
    assert!(
        queues.contains("lienthong.dead") && queues.contains("work.bo-xay-dung"),
        "{queues}"
    );
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_deleted_under_its_receiver_is_made_again_and_received_from() {
    let Some(rabbit) = block_in_place(rabbitmq::shared).unwrap() else {
        return;
    };
    let vhost = block_in_place(|| rabbit.node().fresh_vhost()).unwrap();
    let broker = ready(rabbit.node(), &vhost).await;
    let mut receiver = receive(&broker).await;
    // Whether the broker tells the receiver depends on who is quicker, so it is tried several times.
    for round in 0..4 {
        publish_until_confirmed(&broker, round).await;
        take(&mut receiver, HashSet::from([message(round)])).await;
        let delete = ["delete_queue", "-p", &vhost, "work.dvcqg"];
        block_in_place(|| rabbit.node().ctl(&delete)).unwrap();
    }
    publish_until_confirmed(&broker, 100).await;
    take(&mut receiver, HashSet::from([message(100)])).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_dies_without_a_word_is_made_again_and_received_from() {
    let Some(rabbit) = block_in_place(rabbitmq::own).unwrap() else {
        return;
    };
    let vhost = block_in_place(|| rabbit.node().fresh_vhost()).unwrap();
    let mut config = config(&rabbit.node().amqp_url(&vhost));
    (config.step_timeout, config.confirm_timeout) =
        (Duration::from_secs(2), Duration::from_secs(3));
    let broker = connect(config);
    broker.ready(RECOVER_MAX).await.unwrap();
    let mut receiver = receive(&broker).await;
    publish_until_confirmed(&broker, 1).await;
    take(&mut receiver, HashSet::from([message(1)])).await;
    // Its log and its process go, its name stays: nobody is told.
    let kill = format!("ra:force_delete_server(quorum_queues, {{'{vhost}_work.dvcqg', node()}}).");
    block_in_place(|| rabbit.node().ctl(&["eval", &kill])).unwrap();
    publish_until_confirmed(&broker, 2).await;
    take(&mut receiver, HashSet::from([message(2)])).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unroutable_messages_are_refused_and_the_queue_is_made_again() {
    let Some(rabbit) = block_in_place(rabbitmq::shared).unwrap() else {
        return;
    };
    let vhost = block_in_place(|| rabbit.node().fresh_vhost()).unwrap();
    let broker = ready(rabbit.node(), &vhost).await;
    let delete = ["delete_queue", "-p", &vhost, "work.dvcqg"];
    block_in_place(|| rabbit.node().ctl(&delete)).unwrap();
    let other = suite::destinations().remove(1);
    let (sent, good) = (
        (0..400).map(message).collect::<Vec<_>>(),
        (400..800).map(message),
    );
    let good: Vec<_> = good.collect();
    // Both at once, so that confirms of good messages complete among the returns.
    let portal = portal();
    let publishes = (
        broker.publish(&portal, &sent),
        broker.publish(&other, &good),
    );
    let (answers, good_answers) = tokio::join!(publishes.0, publishes.1);
    assert_eq!(answers[0], Published::Refused);
    assert!(
        good_answers
            .iter()
            .all(|&answer| answer == Published::Confirmed)
    );

    // It has mended the topology by itself; what was refused fits now and only that arrives.
    let mut confirmed: HashSet<_> = sent
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| **answer == Published::Confirmed)
        .map(|(message, _)| *message)
        .collect();
    publish_until_confirmed(&broker, 1_000).await;
    confirmed.insert(message(1_000));
    assert!(broker.state().last_error.unwrap().contains("work.dvcqg"));
    let count = confirmed.len();
    let mut receiver = receive(&broker).await;
    take(&mut receiver, confirmed).await;
    let more = timeout(Duration::from_millis(300), receiver.recv()).await;
    assert!(
        more.is_err(),
        "more than the {count} confirmed messages arrived: {more:?}"
    );
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_broker_is_seen_and_answers_still_come_in_time() {
    let Some(rabbit) = block_in_place(rabbitmq::own).unwrap() else {
        return;
    };
    let vhost = block_in_place(|| rabbit.node().fresh_vhost()).unwrap();
    let mut config = config(&rabbit.node().amqp_url(&vhost));
    config.confirm_timeout = Duration::from_secs(2);
    let broker = connect(config);
    broker.ready(RECOVER_MAX).await.unwrap();
    let mut receiver = receive(&broker).await;
    publish_until_confirmed(&broker, 1).await;
    let held = receiver.recv().await.unwrap();
    block_in_place(|| rabbit.node().memory_alarm(true)).unwrap();

    // The broker says so when something is published: it may still take the first message, and
    // what follows it in the window is answered in time.
    let began = Instant::now();
    let answers = broker
        .publish(&portal(), &(2..100).map(message).collect::<Vec<_>>())
        .await;
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "a blocked publish took {:?}",
        began.elapsed()
    );
    assert_ne!(
        answers[97],
        Published::Confirmed,
        "the broker never blocked"
    );
    until("the alarm is seen", || {
        broker.state().blocked_since.is_some()
    })
    .await;
    assert!(!broker.state().connected);
    let began = Instant::now();
    assert_eq!(publish_one(&broker, 1_000).await, Published::Refused);
    assert!(began.elapsed() < Duration::from_secs(1));
    // Acknowledgements travel on the other connection.
    held.acknowledge();

    block_in_place(|| rabbit.node().memory_alarm(false)).unwrap();
    publish_until_confirmed(&broker, 1_001).await;
    assert_eq!(broker.state().blocked_since, None);
    assert_eq!(broker.state().reconnects, 0, "a blocked connection is kept");
    take(&mut receiver, HashSet::from([message(1_001)])).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_closed_ten_times_are_rebuilt_with_their_prefetch() {
    let Some(rabbit) = block_in_place(rabbitmq::own).unwrap() else {
        return;
    };
    let vhost = block_in_place(|| rabbit.node().fresh_vhost()).unwrap();
    let broker = ready(rabbit.node(), &vhost).await;
    let mut receiver = broker.consume(Queue::Work(portal()), 3).await.unwrap();
    for round in 0..10 {
        let before = broker.state().reconnects;
        block_in_place(|| rabbit.node().close_all_connections()).unwrap();
        // The broker may list a connection a moment after it took it, so one side may be spared.
        until("what was closed is back", || {
            broker.state().reconnects > before
        })
        .await;
        publish_until_confirmed(&broker, round).await;
        take(&mut receiver, HashSet::from([message(round)])).await;
    }
    for id in 100..120 {
        publish_until_confirmed(&broker, id).await;
    }
    let mut hand = Vec::new();
    while let Ok(Some(received)) = timeout(Duration::from_millis(500), receiver.recv()).await {
        hand.push(received);
    }
    assert_eq!(hand.len(), 3, "the prefetch is what it was");
    // Messages of a connection that is gone: acknowledging them late harms nothing.
    block_in_place(|| rabbit.node().close_all_connections()).unwrap();
    hand.into_iter().for_each(Received::acknowledge);
    take(&mut receiver, (100..120).map(message).collect()).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_reported_and_tried_slowly() {
    let Some(rabbit) = block_in_place(rabbitmq::shared).unwrap() else {
        return;
    };
    let url = format!(
        "amqp://guest:sai-mat-khau@127.0.0.1:{}/x",
        rabbit.node().amqp_port
    );
    let broker = connect(config(&url));
    let error = broker.ready(Duration::from_secs(3)).await.unwrap_err();
    assert!(matches!(error, BrokerError::NotConnected(_)), "{error:?}");
    let state = broker.state();
    let text = state.last_error.clone().unwrap();
    assert!(
        text.contains("ACCESS_REFUSED") || text.contains("ACCESS-REFUSED"),
        "{text}"
    );
    assert!(!format!("{state:?} {error:?}").contains("sai-mat-khau"));
    assert!(!state.connected && state.reconnects == 0);
    assert_eq!(publish_one(&broker, 1).await, Published::Refused);
    let began = Instant::now();
    broker.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_with_other_arguments_is_named_with_what_to_do() {
    let Some(rabbit) = block_in_place(rabbitmq::shared).unwrap() else {
        return;
    };
    let vhost = block_in_place(|| rabbit.node().fresh_vhost()).unwrap();
    ready(rabbit.node(), &vhost).await.stop().await;
    let mut other = config(&rabbit.node().amqp_url(&vhost));
    other.queue_messages_max += 1;
    let broker = connect(other);
    match broker.ready(Duration::from_secs(3)).await {
        Err(BrokerError::Topology(text)) => {
            assert!(
                text.contains("work.dvcqg") && text.contains("delete"),
                "{text}"
            );
        }
        other => panic!("expected a topology error, got {other:?}"),
    }
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_with_a_client_certificate_and_only_with_one() {
    let authority = Authority::new();
    let (certificate_pem, key_pem) = authority.issue("localhost");
    let listener = TlsListener {
        ca_pem: authority.pem(),
        certificate_pem,
        key_pem,
    };
    if let Err(reason) = rabbitmq::available() {
        assert!(rabbitmq::own().unwrap().is_none(), "{reason}");
        return;
    }
    let rabbit = block_in_place(|| PrivateRabbit::start_with_tls(&listener)).unwrap();
    let vhost = block_in_place(|| rabbit.node().fresh_vhost()).unwrap();
    let mut config = config(&rabbit.node().amqps_url(&vhost).unwrap());
    config.tls = Some(Tls {
        ca_pem: authority.pem(),
        client: Some(authority.issue("gateway")),
    });
    let broker = connect(config.clone());
    broker.ready(RECOVER_MAX).await.unwrap();
    assert_eq!(publish_one(&broker, 1).await, Published::Confirmed);
    take(&mut receive(&broker).await, HashSet::from([message(1)])).await;
    broker.stop().await;

    let nobody = Tls {
        ca_pem: authority.pem(),
        client: None,
    };
    let stranger = Authority::new();
    let foreign = Tls {
        ca_pem: stranger.pem(),
        client: Some(authority.issue("gateway")),
    };
    for (tls, why) in [
        (nobody, "no client certificate"),
        (foreign, "an unknown server"),
    ] {
        config.tls = Some(tls);
        let broker = connect(config.clone());
        assert!(
            broker.ready(Duration::from_secs(3)).await.is_err(),
            "connected with {why}"
        );
        broker.stop().await;
    }
}

struct Authority {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        // Names must differ from those below: Erlang takes "issuer equals subject" for self-signed.
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, "authority");
        let certificate = parameters.self_signed(&key).unwrap();
        Self {
            certificate,
            issuer: rcgen::Issuer::new(parameters, key),
        }
    }

    fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A certificate for `name` and its key, both PEM.
    fn issue(&self, name: &str) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}
