#![doc = include_str!("../README.md")]

pub mod approval;
mod counting;
pub mod difference;
mod dossiers;
pub mod error;
pub mod explain;
mod looks;
pub mod operations;
pub mod operators;
pub mod overview;
pub mod problems;
pub mod registry;
pub mod report;
pub mod samples;
pub mod seen;
mod spans;

use std::sync::{Arc, Mutex};

use arc_swap::{ArcSwap, ArcSwapOption};
use lienthong_domain::participant::Caller;
use lienthong_domain::{Clock, DestinationName, Random, Timestamp};
use lienthong_ports::{Broker, Gauge, OperatorStore, Store};
use lienthong_telemetry::Tracer;
use lienthong_telemetry::metrics::Metrics;
use tokio::sync::watch;

use crate::looks::Looks;
use crate::operators::{Config, LogControl};
use crate::overview::Overview;

pub use error::Error;
pub use operations::OperationRequest;
pub use operators::{DestinationState, QueueState};
pub use registry::Registry;

/// What the use cases work with. One database serves as both stores.
#[derive(Clone)]
pub struct Seams {
    /// Events, deliveries and destinations.
    pub store: Arc<dyn Store>,
    /// Operations, figures and actions.
    pub operators: Arc<dyn OperatorStore>,
    /// Carries attempts; asked for its state only.
    pub broker: Arc<dyn Broker>,
}

/// The use cases, as the edges hold them. Cheap to clone through its `Arc`.
pub struct Services {
    store: Arc<dyn Store>,
    operators: Arc<dyn OperatorStore>,
    broker: Arc<dyn Broker>,
    gauges: Vec<(DestinationName, Arc<Gauge>)>,
    registry: ArcSwap<Registry>,
    metrics: Arc<Metrics>,
    clock: Clock,
    random: Random,
    config: Config,
    log_control: Option<LogControl>,
    tracer: Tracer,
    looks: Mutex<Looks>,
    overview: ArcSwapOption<Overview>,
}

impl Services {
    /// The use cases over these parts.
    pub fn new(
        seams: Seams,
        gauges: Vec<(DestinationName, Arc<Gauge>)>,
        registry: Registry,
        clock: Clock,
        random: Random,
    ) -> Self {
        Self {
            store: seams.store,
            operators: seams.operators,
            broker: seams.broker,
            gauges,
            registry: ArcSwap::from_pointee(registry),
            metrics: Arc::default(),
            clock,
            random,
            config: Config::default(),
            log_control: None,
            tracer: Tracer::off(),
            looks: Mutex::default(),
            overview: ArcSwapOption::empty(),
        }
    }

    /// With other rules for operators than the default ones.
    #[must_use]
    pub fn with_operators(self, config: Config) -> Self {
        Self { config, ..self }
    }

    /// With the means to change what is logged.
    #[must_use]
    pub fn with_log_control(self, control: LogControl) -> Self {
        Self {
            log_control: Some(control),
            ..self
        }
    }

    /// Counts into `metrics` instead of into figures that nobody reads.
    #[must_use]
    pub fn with_metrics(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Where everything here is counted; the edges count there too.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// With spans of what is done.
    #[must_use]
    pub fn with_tracer(self, tracer: Tracer) -> Self {
        Self { tracer, ..self }
    }

    /// What spans are made with.
    pub fn tracer(&self) -> &Tracer {
        &self.tracer
    }

    /// Replaces the participants; requests under way keep the ones they began with, and what was seen of those that
    /// stay is kept.
    pub fn set_registry(&self, mut registry: Registry) {
        registry.adopt(&self.registry.load());
        self.registry.store(Arc::new(registry));
    }

    /// The participants as they are now.
    pub fn registry(&self) -> Arc<Registry> {
        self.registry.load_full()
    }

    /// Who a certificate's holder is.
    ///
    /// # Errors
    /// The participant or system is unknown or suspended, or the key is not one of those pinned.
    pub fn caller(
        &self,
        participant: &str,
        system: &str,
        spki_sha256: &[u8; 32],
    ) -> Result<Caller, Error> {
        self.registry
            .load()
            .caller(participant, system, spki_sha256)
    }

    /// Takes note that a caller's system called, with which certificate.
    pub fn note_seen(&self, caller: &Caller, certificate_ends_at: Timestamp) {
        if let Some(tally) = self.registry.load().tally(caller) {
            tally.seen(self.clock.now());
            tally.certificate_ends(certificate_ends_at);
        }
    }

    /// Takes note of what was refused before a use case saw it.
    pub fn note_refused(&self, caller: &Caller, count: u64) {
        if let Some(tally) = self.registry.load().tally(caller) {
            tally.refused(count);
        }
    }

    /// Takes `events` from the participant's rate. Counts nothing: who is not admitted may wait and ask again.
    ///
    /// # Errors
    /// `RATE_EXCEEDED` with the wait after which as many would be admitted.
    pub fn admit(&self, caller: &Caller, events: u32) -> Result<(), Error> {
        self.registry.load().admit(&caller.participant.id, events)
    }

    /// Changes whenever something was committed that a watcher may wait for.
    pub fn wakeups(&self) -> watch::Receiver<u64> {
        self.store.wakeups()
    }

    /// The clock everything here goes by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The source of ids everything here draws from.
    pub fn random(&self) -> &Random {
        &self.random
    }
}
