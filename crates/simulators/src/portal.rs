//! The simulated National Public Service Portal: bind, run, and a handle to watch and disturb it.
//!
//! Source: wire format collected from public client code of provincial systems, 2020-2025.

mod answer;
mod call;
mod config;
mod desk;
mod faults;
mod fields;
mod http;
mod judge;
mod record;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use crate::error::SimulatorError;
pub use call::Service;
pub use config::{ErrorCodeStyle, PortalConfig};
pub use desk::Stats;
pub use faults::{Fault, FaultRule, FaultScript, When, WrongBody};
pub use record::{BodyHash, DossierSummary, Entry, OutOfOrder, PortalTime, ProgressSeen, Record};

use crate::error::check_prefix;
use crate::listener;
use desk::Desk;

/// The simulator before it has an address; see [`PortalSimulator::bind`].
#[derive(Debug)]
pub struct PortalSimulator;

impl PortalSimulator {
    /// Listens on `addr`; port 0 takes any free port, told in [`Bound::addr`].
    ///
    /// # Errors
    /// The address, the record file, the prefix or the first fault script cannot be used.
    pub async fn bind(config: PortalConfig, addr: SocketAddr) -> Result<Bound, SimulatorError> {
        check_prefix(&config.prefix)?;
        let prefix = config.prefix.clone();
        let desk = Arc::new(Desk::open(config)?);
        let (listener, addr) = listener::bind(addr).await?;
        Ok(Bound {
            addr,
            prefix,
            listener,
            desk,
        })
    }
}

/// A simulator that listens but does not answer until [`Bound::run`].
#[derive(Debug)]
pub struct Bound {
    /// Where it listens.
    pub addr: SocketAddr,
    prefix: String,
    listener: TcpListener,
    desk: Arc<Desk>,
}

impl Bound {
    /// A handle that stays valid while and after the simulator runs.
    pub fn handle(&self) -> PortalHandle {
        PortalHandle {
            desk: Arc::clone(&self.desk),
        }
    }

    /// The address and prefix that an adapter puts before `/mapi/login` and `/mapi/g`.
    pub fn base_url(&self) -> String {
        format!("http://{}{}", self.addr, self.prefix)
    }

    /// Answers until `stop`; then delayed calls are cut and open ones get two seconds.
    ///
    /// # Errors
    /// The listener fails for good.
    pub async fn run(self, stop: CancellationToken) -> Result<(), SimulatorError> {
        let closing = self.desk.closing.clone();
        let router = http::router(&self.prefix, self.desk);
        listener::serve(self.listener, router, stop, move || closing.cancel()).await
    }
}

/// Watches and disturbs a simulator from the same process; clones are cheap.
#[derive(Clone, Debug)]
pub struct PortalHandle {
    desk: Arc<Desk>,
}

impl PortalHandle {
    /// A copy of everything recorded so far, with one summary per dossier.
    pub fn record(&self) -> Record {
        self.desk.record()
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
