//! The broker as the gateway sees it: connection, blocks, confirms that did not come, queues.

use prometheus_client::registry::Registry;

use super::{Counter, Gauge, Label, SecondsCounter, Table, Vocabulary, named, register};

/// The queue of verification jobs, and that of what the broker gave up.
const QUEUES: [&str; 2] = ["identity", "dead"];

/// The broker.
#[derive(Clone, Debug)]
pub struct BrokerMetrics {
    /// 1 while the broker is connected, also when it blocks.
    pub connected: Gauge,
    /// 1 while the broker blocks publishers.
    pub blocked: Gauge,
    /// Seconds that publishers were blocked.
    pub blocked_seconds: SecondsCounter,
    /// Connections made again.
    pub reconnects: Counter,
    /// Publishes whose confirm did not come.
    pub unknown_confirms: Counter,
    /// Messages of a queue, ready or in hand.
    pub queue_messages: Table<Gauge>,
    /// Messages of a queue in the hands of this process.
    pub queue_unacknowledged: Table<Gauge>,
    /// Consumers of a queue.
    pub queue_consumers: Table<Gauge>,
    /// Messages of a queue received again.
    pub queue_redeliveries: Table<Counter>,
}

impl BrokerMetrics {
    pub(super) fn new(words: &Vocabulary, registry: &mut Registry) -> Self {
        let names = words.destinations.iter().map(ToString::to_string);
        let names = names.chain(QUEUES.map(str::to_owned)).collect::<Vec<_>>();
        let queue = || vec![Label::open("queue", names.iter().cloned())];
        let gauges = || Table::new(queue(), Gauge::default, |_| false);
        Self {
            connected: register(
                registry,
                "lienthong_broker_connected",
                "1 while the broker is connected, also when it blocks publishers",
                Gauge::default(),
            ),
            blocked: register(
                registry,
                "lienthong_broker_blocked",
                "1 while the broker blocks publishers for want of memory or disk",
                Gauge::default(),
            ),
            blocked_seconds: register(
                registry,
                "lienthong_broker_blocked_seconds",
                "Time that the broker has blocked publishers",
                SecondsCounter::default(),
            ),
            reconnects: register(
                registry,
                "lienthong_broker_reconnects",
                "Connections to the broker made again after the first",
                Counter::default(),
            ),
            unknown_confirms: register(
                registry,
                "lienthong_broker_unknown_confirms",
                "Messages of which the broker did not say whether it has them; their leases tell",
                Counter::default(),
            ),
            queue_messages: register(
                registry,
                "lienthong_broker_queue_messages",
                "Messages in a queue of the broker, ready or in the hands of workers",
                gauges(),
            ),
            queue_unacknowledged: register(
                registry,
                "lienthong_broker_queue_unacknowledged",
                "Messages of a queue in the hands of the workers of this process",
                gauges(),
            ),
            queue_consumers: register(
                registry,
                "lienthong_broker_queue_consumers",
                "Consumers of a queue; without one nothing of it is delivered",
                gauges(),
            ),
            queue_redeliveries: register(
                registry,
                "lienthong_broker_redeliveries",
                "Messages that this process received a second time",
                Table::new(queue(), Counter::default, named),
            ),
        }
    }

    /// The value of the label `queue` for a queue by its name at the broker, such as `work.dvcqg` or `lienthong.dead`.
    pub fn queue(name: &str) -> &str {
        name.rsplit('.').next().unwrap_or(name)
    }
}
