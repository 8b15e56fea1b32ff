#![doc = include_str!("../README.md")]

mod asking;
mod config;
mod core;
mod deferral;
mod guard;
pub mod jobs;
mod loading;
mod operators;
mod registry;
mod requests;
mod spans;
mod to_its_end;
mod turns;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::{Clock, ErrorCode};
use lienthong_ports::{IdentityStore, PopulationRegistry, Store, StoreError};
use lienthong_services::{Error, Services};
use lienthong_vault::Vault;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::task::TaskTracker;

use crate::core::Core;
pub use config::{Config, GuardConfig};
pub use guard::{GuardLevel, GuardTarget, GuardView};
pub use jobs::{JobName, JobWorkers, OpenJob};
pub use registry::DatabaseView;
use registry::GuardedRegistry;
pub use requests::{
    Checked, Disclosed, GrantCheck, LookUpRequest, UsagePage, UsageRequest, Verified, Verify,
};
use to_its_end::ToItsEnd;
use turns::Turns;

/// Left of a caller's time after a slowed answer, to send it.
const SENDING: Duration = Duration::from_millis(20);

/// What identity is made of.
pub struct Parts {
    /// The participants and their grants.
    pub services: Arc<Services>,
    /// The dossiers that questions are asked for.
    pub dossiers: Arc<dyn Store>,
    /// Usage records and guard actions.
    pub store: Arc<dyn IdentityStore>,
    /// The population database.
    pub population: Arc<dyn PopulationRegistry>,
    /// Makes pseudonyms of citizen numbers.
    pub vault: Arc<Vault>,
    /// Our clock.
    pub clock: Clock,
    /// Limits, without faults: see [`Config::check`].
    pub config: Config,
}

/// The use cases of identity, as the edges hold them. Cheap to share through an `Arc`.
pub struct Identity {
    core: Arc<Core>,
    /// Questions that were permitted. Each ends by its deadline and the time of one write, and there are no more
    /// than [`Config::questions_max`], but for those that pass the check at the same moment.
    tasks: TaskTracker,
}

/// An answer, and whether it is to be given late.
struct Late<T> {
    slow: bool,
    result: Result<T, Error>,
}

impl Identity {
    /// The use cases over these parts. The guards stand where they stood: they follow from the usage records of
    /// the last 24 hours and from the guard actions.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn new(parts: Parts) -> Result<Self, StoreError> {
        let Parts {
            services,
            dossiers,
            store,
            population,
            vault,
            clock,
            config,
        } = parts;
        let (guard, actions) = loading::load(&*store, &config.guard, clock.now()).await?;
        let metrics = services.metrics().identity.clone();
        let tracer = services.tracer().clone();
        let core = Core {
            services,
            dossiers,
            store,
            population: GuardedRegistry::new(
                population,
                &config,
                clock.clone(),
                metrics.clone(),
                tracer,
            ),
            turns: Turns::new(guard, clock.clone()),
            vault,
            clock,
            config,
            metrics,
        };
        core.keep_actions(actions).await;
        Ok(Self {
            core: Arc::new(core),
            tasks: TaskTracker::new(),
        })
    }

    /// How the way to the population database stands.
    pub fn database(&self) -> DatabaseView {
        self.core.population.view()
    }

    /// Takes no more questions and waits for those under way. How many were left when the time was over; they
    /// go on until the runtime ends.
    pub async fn drain(&self, time: Duration) -> usize {
        self.tasks.close();
        // Whether all ended in time is what the count says.
        let _ended = timeout(time, self.tasks.wait()).await.is_ok();
        self.tasks.len()
    }

    /// Refuses new questions once the gateway is stopping.
    fn open(&self) -> Result<(), Error> {
        if self.tasks.is_closed() {
            Err(Error::new(ErrorCode::Draining))
        } else {
            Ok(())
        }
    }

    fn is_full(&self) -> bool {
        self.tasks.len() >= self.core.config.questions_max as usize
    }

    /// Does `work` to its end, whether or not the caller waits for it, and gives its answer when it is time.
    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Late<T>> + Send + 'static,
        deadline: Instant,
    ) -> Result<T, Error> {
        let late = ToItsEnd::new(work, &self.tasks).await?;
        if late.slow {
            let latest = deadline.checked_sub(SENDING).unwrap_or(deadline);
            let then = Instant::now() + self.core.config.guard.slow_delay();
            sleep_until(then.min(latest)).await;
        }
        late.result
    }
}
