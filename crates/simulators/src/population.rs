//! The simulated National Population Database: bind, run, and a handle to watch and disturb it.
//!
//! Source: wire format collected from public client code of provincial systems, 2020-2025.

mod access;
mod admin;
mod citizen;
mod config;
mod desk;
mod faults;
mod gate;
mod http;
mod record;
mod register;
mod reply;
mod request;
mod strike;
mod used_ids;
mod xml;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use crate::error::SimulatorError;
pub use access::LgspKeys;
pub use citizen::{Birth, Citizen, HouseholdHead, MaritalStatus, Name, Place, Relative, Sex};
pub use config::{Access, Gate, PopulationConfig, TimestampUnit};
pub use faults::{Fault, FaultRule, FaultScript, Latency, When};
pub use record::{CitizenCalls, Entry, NumberHash, Outcome, Record, Stats};
pub use register::Population;
pub use reply::{Completeness, Layout, LayoutChoice, Namespaces};
pub use request::Service;

use crate::error::check_prefix;
use crate::listener;
use desk::Desk;

/// The simulator before it has an address; see [`PopulationSimulator::bind`].
#[derive(Debug)]
pub struct PopulationSimulator;

impl PopulationSimulator {
    /// Listens on `addr`; port 0 takes any free port, told in [`Bound::addr`].
    ///
    /// # Errors
    /// The address, the path, the number of citizens or the first fault script cannot be used.
    pub async fn bind(config: PopulationConfig, addr: SocketAddr) -> Result<Bound, SimulatorError> {
        check_path(&config.path)?;
        let (listener, addr) = listener::bind(addr).await?;
        let url = format!("http://{addr}{}", config.path);
        let desk = Arc::new(Desk::open(config, url)?);
        Ok(Bound {
            addr,
            listener,
            desk,
        })
    }
}

/// A path of our own, or the router would have two handlers for one address.
fn check_path(path: &str) -> Result<(), SimulatorError> {
    let is_taken = path.is_empty() || path == http::TOKEN_PATH || path.starts_with("/simulator");
    if is_taken {
        return Err(SimulatorError::Prefix(path.to_owned()));
    }
    check_prefix(path)
}

/// A simulator that listens but does not answer until [`Bound::run`].
#[derive(Debug)]
pub struct Bound {
    /// Where it listens.
    pub addr: SocketAddr,
    listener: TcpListener,
    desk: Arc<Desk>,
}

impl Bound {
    /// A handle that stays valid while and after the simulator runs.
    pub fn handle(&self) -> PopulationHandle {
        PopulationHandle {
            desk: Arc::clone(&self.desk),
        }
    }

    /// Where requests are posted.
    pub fn endpoint(&self) -> String {
        format!("http://{}{}", self.addr, self.desk.config.path)
    }

    /// The URL that callers of C06 hash: the configured one, else [`Bound::endpoint`].
    pub fn service_url(&self) -> &str {
        self.desk.service_url()
    }

    /// Where tokens are given out.
    pub fn token_url(&self) -> String {
        format!("http://{}{}", self.addr, http::TOKEN_PATH)
    }

    /// Answers until `stop`; then delayed calls are cut and open ones get two seconds.
    ///
    /// # Errors
    /// The listener fails for good.
    pub async fn run(self, stop: CancellationToken) -> Result<(), SimulatorError> {
        let closing = self.desk.closing.clone();
        let path = self.desk.config.path.clone();
        let router = http::router(&path, self.desk);
        listener::serve(self.listener, router, stop, move || closing.cancel()).await
    }
}

/// Watches and disturbs a simulator from the same process; clones are cheap.
#[derive(Clone, Debug)]
pub struct PopulationHandle {
    desk: Arc<Desk>,
}

impl PopulationHandle {
    /// The citizens about whom the simulator answers.
    pub fn population(&self) -> &Population {
        &self.desk.population
    }

    /// A copy of everything recorded so far.
    pub fn record(&self) -> Record {
        self.desk.record()
    }

    /// The name under which the record keeps a number.
    pub fn number_hash(&self, number: &str) -> NumberHash {
        NumberHash::of(self.desk.config.seed, number)
    }

    /// Replaces the fault script; its counters start anew.
    ///
    /// # Errors
    /// A rule is out of bounds; the script in force stays.
    pub fn set_faults(&self, script: FaultScript) -> Result<(), SimulatorError> {
        self.desk.set_faults(script)
    }

    /// The fault script in force.
    pub fn faults(&self) -> FaultScript {
        self.desk.faults()
    }

    /// Counters since the start.
    pub fn stats(&self) -> Stats {
        self.desk.stats()
    }
}
