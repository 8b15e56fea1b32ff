#![doc = include_str!("../README.md")]

pub mod aimd;
pub mod breaker;
pub mod config;
mod control;
pub mod decide;
mod dispatcher;
pub mod operations;
mod spans;
mod sweeper;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::{Clock, DestinationName, Random};
use lienthong_ports::{Broker, Destination, Gauge, Store, StoreError};
use lienthong_telemetry::Tracer;
use lienthong_telemetry::metrics::DeliveryMetrics;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use config::Config;
use control::Control;

/// The wait after a store or broker failure, so that neither is asked in a hot loop.
const FAILURE_PAUSE: Duration = Duration::from_millis(500);

/// What every part of delivery works with.
#[derive(Clone)]
struct Tools {
    store: Arc<dyn Store>,
    broker: Arc<dyn Broker>,
    clock: Clock,
    random: Random,
    config: Arc<Config>,
    metrics: DeliveryMetrics,
    tracer: Tracer,
}

/// The workers of all destinations, ready to run.
pub struct Delivery {
    tools: Tools,
    lanes: Vec<(Arc<dyn Destination>, Arc<Control>)>,
}

impl Delivery {
    /// Prepares workers; breakers continue where the store says they stood.
    ///
    /// # Errors
    /// Those of [`Store::destinations`].
    pub async fn new(
        store: Arc<dyn Store>,
        broker: Arc<dyn Broker>,
        destinations: Vec<Arc<dyn Destination>>,
        config: Config,
        clock: Clock,
        random: Random,
    ) -> Result<Self, StoreError> {
        let rows = store.destinations().await?;
        let lanes = destinations
            .into_iter()
            .map(|destination| {
                let row = rows.iter().find(|row| row.name == *destination.name());
                let breaker = row.map(|row| row.breaker).unwrap_or_default();
                let paused = row.is_some_and(|row| row.paused.is_some());
                let control = Arc::new(Control::new(&config, breaker, paused));
                (destination, control)
            })
            .collect();
        let tools = Tools {
            store,
            broker,
            clock,
            random,
            config: Arc::new(config),
            tracer: Tracer::off(),
            metrics: DeliveryMetrics::default(),
        };
        Ok(Self { tools, lanes })
    }

    /// Counts into `metrics` instead of into figures that nobody reads.
    #[must_use]
    pub fn with_metrics(mut self, metrics: DeliveryMetrics) -> Self {
        self.tools.metrics = metrics;
        self
    }

    /// Tells `tracer` of what is published and of each attempt.
    #[must_use]
    pub fn with_tracer(mut self, tracer: Tracer) -> Self {
        self.tools.tracer = tracer;
        self
    }

    /// The live figures of each destination.
    pub fn gauges(&self) -> Vec<(DestinationName, Arc<Gauge>)> {
        self.lanes
            .iter()
            .map(|(destination, control)| (destination.name().clone(), control.gauge.clone()))
            .collect()
    }

    /// Delivers until `stop`; then claims nothing more, lets the calls under way end (each is bounded
    /// by the call time-out) and returns. Returns earlier only when a part ended by itself: then all of it
    /// stops, so that whoever runs the process starts it anew instead of leaving one destination still.
    pub async fn run(self, stop: CancellationToken) {
        let stop = stop.child_token();
        let mut parts = JoinSet::new();
        for (destination, control) in &self.lanes {
            let name = destination.name().clone();
            parts.spawn(dispatcher::run(
                self.tools.clone(),
                name,
                control.clone(),
                stop.clone(),
            ));
            let (destination, control) = (destination.clone(), control.clone());
            parts.spawn(worker::run(
                self.tools.clone(),
                destination,
                control,
                stop.clone(),
            ));
        }
        let controls = self
            .lanes
            .iter()
            .map(|(destination, control)| (destination.name().clone(), control.clone()))
            .collect();
        parts.spawn(sweeper::run(self.tools.clone(), controls, stop.clone()));
        parts.spawn(sweeper::reap(self.tools, stop.clone()));
        while let Some(ended) = parts.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a part of delivery ended by a panic");
            }
            if !stop.is_cancelled() {
                tracing::error!("a part of delivery ended by itself; delivery stops");
                stop.cancel();
            }
        }
    }
}
