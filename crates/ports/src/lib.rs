#![doc = include_str!("../README.md")]

pub mod broker;
pub mod destination;
pub mod gauge;
pub mod identity;
pub mod operators;
pub mod population;
pub mod store;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use broker::{Broker, BrokerError, BrokerState, Message, Published, Queue, Received};
pub use destination::Destination;
pub use gauge::Gauge;
pub use identity::IdentityStore;
pub use operators::OperatorStore;
pub use population::{LookUp, PopulationRegistry, Question, RegistryError};
pub use store::{Store, StoreError};
