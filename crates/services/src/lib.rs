#![doc = include_str!("../README.md")]

mod dossiers;
pub mod error;
pub mod explain;
pub mod operators;
pub mod registry;

use std::sync::Arc;

use arc_swap::ArcSwap;
use lienthong_domain::participant::Caller;
use lienthong_domain::{Clock, DestinationName, Random};
use lienthong_ports::{Broker, Gauge, Store};
use tokio::sync::watch;

pub use error::Error;
pub use operators::{DestinationState, QueueState, ReplayRequest};
pub use registry::Registry;

/// The use cases, as the edges hold them. Cheap to clone through its `Arc`.
pub struct Services {
    store: Arc<dyn Store>,
    broker: Arc<dyn Broker>,
    gauges: Vec<(DestinationName, Arc<Gauge>)>,
    registry: ArcSwap<Registry>,
    clock: Clock,
    random: Random,
}

impl Services {
    /// The use cases over these parts.
    pub fn new(
        store: Arc<dyn Store>,
        broker: Arc<dyn Broker>,
        gauges: Vec<(DestinationName, Arc<Gauge>)>,
        registry: Registry,
        clock: Clock,
        random: Random,
    ) -> Self {
        Self {
            store,
            broker,
            gauges,
            registry: ArcSwap::from_pointee(registry),
            clock,
            random,
        }
    }

    /// Replaces the participants; requests under way keep the ones they began with.
    pub fn set_registry(&self, registry: Registry) {
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

    /// Takes `events` from the participant's rate.
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
