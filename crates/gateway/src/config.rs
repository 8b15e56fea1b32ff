//! The configuration: the compiled-in default file, then a file, then the environment.
//!
//! The default file is also the schema: a key it does not have is unknown, and a value of another
//! type than its is wrong. So every fault of a file is found in one pass, with file and key.

mod layers;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use lienthong_broker_rabbitmq::ManagementUrl;
use lienthong_domain::delivery::LanePolicy;
use serde::Deserialize;

/// The commented default file.
pub const DEFAULT: &str = include_str!("config/default.toml");

/// One fault, for an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// The file, `environment`, or `configuration` for faults between settings.
    pub origin: String,
    /// The dotted key.
    pub key: String,
    /// What is wrong and what would be right; never the value of a secret.
    pub text: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.origin, self.key, self.text)
    }
}

/// All faults of a configuration at once.
#[derive(Debug)]
pub struct ConfigFaults(pub Vec<ConfigFault>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} fault(s)", self.0.len())?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for ConfigFaults {}

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml comments every setting")]
pub struct Config {
    pub listen: Listen,
    pub tls: Tls,
    pub participants: Participants,
    pub store: Store,
    pub broker: Broker,
    pub delivery: Delivery,
    pub operators: lienthong_services::operators::Config,
    pub portal: lienthong_portal::Config,
    pub vault: Vault,
    pub population: Population,
    pub identity: lienthong_identity::Config,
    pub log: Log,
    pub traces: Traces,
    pub metrics: Metrics,
    pub console: lienthong_console::Config,
}

/// `[listen]`
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml comments every setting")]
pub struct Listen {
    pub address: SocketAddr,
    pub reflection: bool,
    pub drain_seconds: u64,
}

/// `[tls]`
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml comments every setting")]
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub client_ca: PathBuf,
    pub client_crls: Vec<PathBuf>,
    pub trust_domain: String,
    pub client_days_max: u16,
    pub handshakes_per_address_max: usize,
    pub connections_max: usize,
    pub connections_per_participant_max: usize,
}

/// `[participants]`
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml comments every setting")]
pub struct Participants {
    pub file: PathBuf,
}

/// `[store]`
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml comments every setting")]
pub struct Store {
    pub path: PathBuf,
    pub reserve_mib: u64,
    pub queue_items_max: usize,
    pub group_items_max: usize,
    pub readers: usize,
}

/// `[vault]`
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml comments every setting")]
pub struct Vault {
    pub keys_file: PathBuf,
}

/// `[population]`
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml comments every setting")]
pub struct Population {
    pub kind: PopulationKind,
    pub soap: lienthong_population::SoapConfig,
    pub remote: lienthong_population::RemoteConfig,
    pub server: lienthong_population::ServerConfig,
}

/// Where citizens are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PopulationKind {
    /// Nowhere: the identity services are not offered.
    None,
    /// The database is reached from here.
    Soap,
    /// Through an adapter in another zone.
    Remote,
}

/// `[broker]`
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml comments every setting")]
pub struct Broker {
    pub kind: BrokerKind,
    pub rabbitmq: Rabbitmq,
}

/// Which broker carries the attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrokerKind {
    /// A bounded queue in this process.
    Embedded,
    /// RabbitMQ.
    Rabbitmq,
}

/// `[broker.rabbitmq]`
#[derive(Clone, Deserialize)]
#[expect(missing_docs, reason = "default.toml comments every setting")]
pub struct Rabbitmq {
    pub url: String,
    pub ca: Option<PathBuf>,
    pub client_certificate: Option<PathBuf>,
    pub client_key: Option<PathBuf>,
    pub management_url: String,
    pub window: usize,
    pub confirm_timeout_ms: u64,
    pub queue_messages_max: u32,
}

/// The URL holds a password.
impl fmt::Debug for Rabbitmq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rabbitmq").finish_non_exhaustive()
    }
}

/// `[delivery]`
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml comments every setting")]
pub struct Delivery {
    pub lane: LanePolicy,
    #[serde(flatten)]
    pub workers: lienthong_delivery::Config,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml comments every setting")]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors.
    Json,
}

/// `[traces]`
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml comments every setting")]
pub struct Traces {
    pub endpoint: String,
    pub ca: Option<PathBuf>,
    pub sample_ratio: f64,
}

/// `[metrics]`
#[derive(Clone, Copy, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml comments every setting")]
pub struct Metrics {
    pub address: Option<SocketAddr>,
}

impl Rabbitmq {
    fn check(&self, push: &mut impl FnMut(String, String)) {
        let mut fault = |key: &str, text: &str| {
            push(format!("broker.rabbitmq.{key}"), text.to_owned());
        };
        if self.url.is_empty() {
            return fault("url", "name the broker: amqp://user:password@host/vhost");
        }
        // Whatever else is wrong with the address, the connection tells.
        if let Ok(broker) = self.url.parse()
            && !self.management_url.is_empty()
            && let Err(reason) = ManagementUrl::parse(&self.management_url, &broker)
        {
            fault("management_url", reason);
        }
    }
}

impl Traces {
    fn check(&self, push: &mut impl FnMut(String, String)) {
        let mut fault = |key: &str, text: &str| push(format!("traces.{key}"), text.to_owned());
        let (plain, tls) = (
            self.endpoint.starts_with("http://"),
            self.endpoint.starts_with("https://"),
        );
        if !self.endpoint.is_empty() && !plain && !tls {
            fault("endpoint", "begins with http:// or https://, or is empty");
        }
        if tls != self.ca.is_some() {
            fault("ca", "is needed for https://, and for nothing else");
        }
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            fault("sample_ratio", "0.0 to 1.0");
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        layers::read(None, std::iter::empty())
            .expect("the compiled-in default has no fault of form")
    }
}

impl Config {
    /// Reads a file, if any, and the environment; only forms and types are judged.
    ///
    /// # Errors
    /// Every fault.
    pub fn read(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigFaults> {
        layers::read(file, environment).map_err(ConfigFaults)
    }

    /// Reads a file, if any, and the environment, for a gateway.
    ///
    /// # Errors
    /// Every fault, also of values and between them.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigFaults> {
        let config = Self::read(file, environment)?;
        let faults = config.faults();
        if faults.is_empty() {
            Ok(config)
        } else {
            Err(ConfigFaults(faults))
        }
    }

    /// Faults of values and between them.
    pub fn faults(&self) -> Vec<ConfigFault> {
        let mut faults = Vec::new();
        let mut push = |key: String, text: String| {
            faults.push(ConfigFault {
                origin: "configuration".to_owned(),
                key,
                text,
            });
        };
        for fault in self.portal.check() {
            push(format!("portal.{}", fault.key), fault.reason.to_owned());
        }
        for (key, text) in self.delivery.workers.faults() {
            push(format!("delivery.{key}"), text);
        }
        self.population_faults(&mut push);
        for (key, text) in self.identity.check() {
            push(format!("identity.{key}"), text);
        }
        if self.portal.name == lienthong_ports::identity::queue() {
            push(
                "portal.name".to_owned(),
                "is the name of the queue of verification jobs; choose another".to_owned(),
            );
        }
        if self.broker.kind == BrokerKind::Rabbitmq {
            self.broker.rabbitmq.check(&mut push);
        }
        self.traces.check(&mut push);
        for (key, text) in self.operators.check() {
            push(format!("operators.{key}"), text.to_owned());
        }
        for (key, text) in self.console.faults() {
            push(format!("console.{key}"), text);
        }
        self.bounds(&mut push);
        if !(1..=3_600).contains(&self.listen.drain_seconds) {
            push("listen.drain_seconds".to_owned(), "1 to 3600".to_owned());
        }
        faults
    }
}

impl Config {
    /// Numbers outside their bounds.
    fn bounds(&self, push: &mut impl FnMut(String, String)) {
        let bounded = [
            (
                "store.queue_items_max",
                self.store.queue_items_max,
                1,
                65_536,
            ),
            (
                "store.group_items_max",
                self.store.group_items_max,
                1,
                16_384,
            ),
            ("store.readers", self.store.readers, 1, 16),
            ("tls.connections_max", self.tls.connections_max, 1, 65_536),
            (
                "tls.connections_per_participant_max",
                self.tls.connections_per_participant_max,
                1,
                4_096,
            ),
            (
                "tls.handshakes_per_address_max",
                self.tls.handshakes_per_address_max,
                1,
                1_024,
            ),
            (
                "broker.rabbitmq.window",
                self.broker.rabbitmq.window,
                1,
                4_096,
            ),
        ];
        for (key, value, min, max) in bounded {
            if !(min..=max).contains(&value) {
                push(key.to_owned(), format!("{min} to {max}"));
            }
        }
    }

    /// Faults of the kind that is chosen; the others need not be filled in.
    fn population_faults(&self, push: &mut impl FnMut(String, String)) {
        let (section, found) = match self.population.kind {
            PopulationKind::None => return,
            PopulationKind::Soap => ("soap", self.population.soap.check()),
            PopulationKind::Remote => ("remote", self.population.remote.check()),
        };
        for fault in found {
            push(
                format!("population.{section}.{}", fault.key),
                fault.reason.to_owned(),
            );
        }
    }
}

#[cfg(test)]
mod tests;
