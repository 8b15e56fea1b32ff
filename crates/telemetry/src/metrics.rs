//! The gateway's metrics: every family, made once at the start with every value its labels can have.
//!
//! Recording takes no lock. A value that is not in the vocabulary counts as `other`, so nothing that comes from outside
//! can add a series, and no label can ever hold personal data.

mod broker;
mod delivery;
mod distribution;
mod exposition;
mod gateway;
mod identity;
mod intake;
mod process;
mod rpc;
mod store;
mod table;

use std::sync::atomic::{AtomicU64, Ordering};

use lienthong_domain::DestinationName;
use prometheus_client::encoding::EncodeMetric;
use prometheus_client::metrics::counter;
use prometheus_client::metrics::gauge;
use prometheus_client::registry::Registry;

pub use self::broker::BrokerMetrics;
pub use self::delivery::DeliveryMetrics;
pub use self::distribution::{Distribution, Snapshot};
pub use self::exposition::Format;
pub use self::gateway::GatewayMetrics;
pub use self::identity::IdentityMetrics;
pub use self::intake::IntakeMetrics;
use self::process::Process;
pub use self::rpc::RpcMetrics;
pub use self::store::StoreMetrics;
pub use self::table::{Label, OTHER, Table};

/// A count that only grows.
pub type Counter = counter::Counter;
/// Seconds that only grow.
pub type SecondsCounter = counter::Counter<f64, AtomicU64>;
/// A figure that goes up and down.
pub type Gauge = gauge::Gauge<f64, AtomicU64>;

/// What labels may say. Whoever starts the process hands it in, so that this crate knows neither the contract nor the
/// configuration.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// The version of the program.
    pub version: &'static str,
    /// The configured destinations.
    pub destinations: Vec<DestinationName>,
    /// `Service/Method` of every call that can be served.
    pub methods: Vec<String>,
    /// The names of the problems, in `snake_case`.
    pub problems: Vec<&'static str>,
}

/// Everything that is counted, by area.
#[derive(Debug)]
pub struct Metrics {
    /// What comes in.
    pub intake: IntakeMetrics,
    /// What goes out, and what waits.
    pub delivery: DeliveryMetrics,
    /// The broker's connection and queues.
    pub broker: BrokerMetrics,
    /// Commits and disk.
    pub store: StoreMetrics,
    /// Questions about citizens.
    pub identity: IdentityMetrics,
    /// Calls.
    pub rpc: RpcMetrics,
    /// Problems, certificate, build.
    pub gateway: GatewayMetrics,
    process: Process,
    registry: Registry,
}

impl Metrics {
    /// Every family, with all series that are shown from the start at 0.
    pub fn new(words: &Vocabulary) -> Self {
        let mut registry = Registry::default();
        let into = &mut registry;
        Self {
            intake: IntakeMetrics::new(into),
            delivery: DeliveryMetrics::new(words, into),
            broker: BrokerMetrics::new(words, into),
            store: StoreMetrics::new(into),
            identity: IdentityMetrics::new(into),
            rpc: RpcMetrics::new(words, into),
            gateway: GatewayMetrics::new(words, into),
            process: Process::new(into),
            registry,
        }
    }

    /// All figures as text; what the operating system knows of the process is looked up for it.
    pub fn render(&self, format: Format) -> String {
        self.process.look();
        exposition::render(&self.registry, format)
    }
}

impl Default for Metrics {
    /// For tests: without destinations, methods and problems of its own.
    fn default() -> Self {
        Self::new(&Vocabulary::default())
    }
}

/// Sets a count that somebody else keeps; it must not shrink.
pub fn follow(counter: &Counter, total: u64) {
    counter.inner().store(total, Ordering::Relaxed);
}

/// As [`follow`], for seconds.
pub fn follow_seconds(counter: &SecondsCounter, total: f64) {
    counter.inner().store(total.to_bits(), Ordering::Relaxed);
}

/// Adds a family to `registry`.
fn register<M>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M
where
    M: EncodeMetric + Clone + Send + Sync + std::fmt::Debug + 'static,
{
    registry.register(name, help, metric.clone());
    metric
}

/// Whether a combination is shown before it was used: what is `other` appears only when there is such a thing.
fn named(values: &[&str]) -> bool {
    values.first() != Some(&OTHER)
}

/// The label `destination`.
fn destinations(words: &Vocabulary) -> Label {
    let names = words.destinations.iter().map(ToString::to_string);
    Label::open("destination", names)
}

/// The label `province`: the root code of the agency, `H01` to `H63`; ministries count as `other`.
fn provinces() -> Label {
    Label::open("province", province_codes())
}

fn province_codes() -> impl Iterator<Item = String> {
    lienthong_domain::province::Province::all()
        .iter()
        .map(|province| province.code().to_string())
}

#[cfg(test)]
mod tests;
