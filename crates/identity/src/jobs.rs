//! Verification jobs: many persons, asked when the database has time.
//!
//! ```text
//!  open_job, add_items            claim, publish                receive, begin, ask, finish
//!  ──────────────────> store ───> dispatcher ───> broker ───> worker ───> population database
//!                        ^                                      │
//!                        └──── sweeper: leases that ran out ────┘
//! ```
//!
//! - **Asked once.** An item is asked after the compare-and-set of its begin, and an answer is written until the store takes
//!   it or the lease is over. Only a crash or an attempt without an answer makes a person be asked about again.
//! - **Pace.** Items are evenly spaced, at most `per_second_max`; an answer "busy" halves the rate and holds the whole
//!   queue for as long as it says. At least half of the questions that the database bears at once are left to people who wait.
//! - **Outages fail nothing.** While the breaker is not closed attempts do not count. Otherwise an item fails after
//!   its schedule of retries.
//! - **Refusals.** One item that the database refuses is at fault itself, and fails when it is asked for the third time.
//!   Several different ones in a row mean that the database refuses us: then their jobs pause.
//! - **Poison.** An item whose workers keep vanishing, by a panic or with their process, is given up as `INTERNAL`.
//! - **The grant is looked at again** for every item; one that ended, or a suspended participant, pauses the job.
//! - **Guessing.** Items feed neither the quotas nor the search for guessers, which are made for people; wrong claims
//!   about one citizen do count (`SUBJECT_LOCKED`). Instead all jobs of a system are held (`JOB_MISSES_TOO_MANY`) when at
//!   least 100 items were answered and more than `misses_percent_max` of the last 200 have a wrong claim, be it an optional
//!   one. They are counted over all jobs of the system, since many small jobs would else be a way around. The store
//!   does it with the answer, in one transaction; a hold outlives restarts and ends when an operator resumes one of the
//!   system's jobs, or lifts the system's guard. A question that was put off is weighed as a verification is, too.
//! - **Reading** answers needs what asking needs: a grant that holds, and no guard. Else they stay until they are erased.

mod asking;
mod config;
mod control;
mod decide;
mod dispatcher;
mod opening;
mod orders;
mod pace;
mod sweeper;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::{Clock, Random};
use lienthong_ports::{Broker, IdentityStore, StoreError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Identity;
use crate::core::Core;
pub use config::Config;
use control::Control;
pub use opening::OpenJob;
pub(crate) use opening::{DEFERRED, refused};
pub use orders::JobName;

/// The wait before the recovery at the start is tried again.
const RECOVERY_PAUSE: Duration = Duration::from_millis(500);

/// What every part of the job workers works with.
#[derive(Clone)]
struct Tools {
    core: Arc<Core>,
    store: Arc<dyn IdentityStore>,
    wakeups: watch::Receiver<u64>,
    broker: Arc<dyn Broker>,
    clock: Clock,
    random: Random,
    config: Arc<Config>,
    control: Arc<Control>,
}

impl Tools {
    /// How long the database is still taken for down.
    fn down(&self) -> Option<Duration> {
        let now = self.clock.now();
        let until = self.core.population.outlook(now).down_until?;
        Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
    }

    /// Items that may be asked at once: half of what the database bears, the other half being for people who wait.
    fn concurrency(&self) -> usize {
        let now = self.clock.now();
        let half = (self.core.population.outlook(now).limit / 2).max(1);
        half.min(self.config.concurrency_max) as usize
    }
}

/// The workers of verification jobs, ready to run.
pub struct JobWorkers {
    tools: Tools,
}

impl JobWorkers {
    /// Prepares the workers of the jobs of `identity`.
    pub fn new(identity: &Identity, broker: Arc<dyn Broker>, random: Random) -> Self {
        let core = identity.core.clone();
        let config = Arc::new(core.config.jobs.clone());
        let tools = Tools {
            store: core.store.clone(),
            wakeups: core.dossiers.wakeups(),
            clock: core.clock.clone(),
            control: Arc::new(Control::new(config.clone())),
            core,
            broker,
            random,
            config,
        };
        Self { tools }
    }

    /// Asks until `stop`; then begins nothing more, lets the questions under way end (each is bounded by
    /// `ask_timeout_ms`) and returns. Returns earlier only when a part ended by itself: then all of it stops.
    ///
    /// It takes itself for the only process that works on this store: items that were published before are
    /// published anew.
    pub async fn run(self, stop: CancellationToken) {
        let stop = stop.child_token();
        if !self.recover(&stop).await {
            return;
        }
        let queue = lienthong_ports::identity::queue();
        let tools = self.tools;
        let mut parts = JoinSet::new();
        parts.spawn(dispatcher::run(tools.clone(), queue.clone(), stop.clone()));
        parts.spawn(worker::run(tools.clone(), queue, stop.clone()));
        parts.spawn(sweeper::run(tools, stop.clone()));
        while let Some(ended) = parts.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a part of the job workers ended by a panic");
            }
            if !stop.is_cancelled() {
                tracing::error!("a part of the job workers ended by itself; they stop");
                stop.cancel();
            }
        }
    }

    /// Makes what an earlier process published ready again. `false`: the store is closed, or it is time to stop.
    async fn recover(&self, stop: &CancellationToken) -> bool {
        while !stop.is_cancelled() {
            match self.tools.store.recover_items(self.tools.clock.now()).await {
                Ok(_) => return true,
                Err(StoreError::Closed) => return false,
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "items of an earlier run could not be made ready; trying again"
                ),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(RECOVERY_PAUSE) => {}
            }
        }
        false
    }
}
