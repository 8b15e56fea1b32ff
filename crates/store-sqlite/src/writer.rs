//! The writing thread: takes what waits, commits it as one group, answers, tidies the log.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lienthong_ports::StoreError;
use lienthong_telemetry::metrics::StoreMetrics;
use tokio::sync::watch;

use crate::core::Core;
use crate::error::{Failure, OpenError, SharedFailure};
use crate::job::Job;

/// How long a group of more than one job stays open for further ones. A commit costs more than this, so callers
/// who come together are answered sooner together than one commit after the other.
const COMPANY_WAIT: Duration = Duration::from_micros(150);

/// What the writer is told. The channel itself has no bound; every job in it holds room in a budget.
pub(crate) enum Letter {
    /// Work to commit.
    Job(Box<dyn Job>),
    /// Work that came before is finished, then the thread ends.
    Stop,
}

/// What the writer goes by.
pub(crate) struct Terms {
    /// Items after which a group is committed although more wait.
    pub(crate) group_items_max: usize,
    /// Where commits are counted.
    pub(crate) metrics: StoreMetrics,
}

/// Starts the thread; it ends with [`Letter::Stop`] or when every sender is gone.
pub(crate) fn start(
    core: Core,
    terms: Terms,
    wakeups: Arc<watch::Sender<u64>>,
    kept_while_open: impl Send + 'static,
) -> Result<(Sender<Letter>, JoinHandle<()>), OpenError> {
    let (sender, inbox) = channel();
    let mut writer = Writer {
        core,
        inbox,
        terms,
        wakeups,
    };
    let thread = std::thread::Builder::new()
        .name("store-writer".into())
        .spawn(move || {
            writer.run();
            drop(writer);
            drop(kept_while_open);
        })
        .map_err(OpenError::Thread)?;
    Ok((sender, thread))
}

struct Writer {
    core: Core,
    inbox: Receiver<Letter>,
    terms: Terms,
    wakeups: Arc<watch::Sender<u64>>,
}

/// Jobs to commit together.
struct Group {
    jobs: Vec<Box<dyn Job>>,
    items: usize,
    /// The writer was told to end after them.
    stop: bool,
}

/// How a group ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// Committed; how long the transaction took.
    Committed(Duration),
    /// Every job met a bad row of its own, which is no failure of the store.
    NothingToCommit,
    /// The store failed all of them.
    Failed,
}

impl Writer {
    fn run(&mut self) {
        while let Ok(Letter::Job(first)) = self.inbox.recv() {
            let Group { jobs, items, stop } = self.gather(first);
            let ended = commit_group(&mut self.core, jobs);
            self.count(items, ended);
            if self.core.take_woken() {
                wake(&self.wakeups);
            }
            self.core.checkpoint_if_due();
            if stop {
                return;
            }
        }
    }

    fn count(&self, items: usize, ended: Ended) {
        let metrics = &self.terms.metrics;
        match ended {
            Ended::Committed(took) => {
                metrics.commit_seconds.observe_time(took);
                let items = u32::try_from(items).unwrap_or(u32::MAX);
                metrics.commit_items.observe(items.into());
            }
            Ended::NothingToCommit => {}
            Ended::Failed => {
                metrics.commit_failures.inc();
            }
        }
    }

    /// The group that begins with `first`: everything that waits already, up to the bound, and, where there is
    /// company, what comes within [`COMPANY_WAIT`]. A job alone waits for nobody, so an idle store answers at once.
    fn gather(&self, first: Box<dyn Job>) -> Group {
        let mut group = Group {
            items: first.items(),
            jobs: vec![first],
            stop: false,
        };
        self.take_waiting(&mut group);
        if group.jobs.len() > 1 && self.has_room(&group) {
            // Asleep: waiting at the channel, the thread would be woken by every single job.
            std::thread::sleep(COMPANY_WAIT);
            self.take_waiting(&mut group);
        }
        group
    }

    fn take_waiting(&self, group: &mut Group) {
        while self.has_room(group) {
            match self.inbox.try_recv() {
                Ok(Letter::Job(job)) => {
                    group.items += job.items();
                    group.jobs.push(job);
                }
                Ok(Letter::Stop) => group.stop = true,
                Err(_) => return,
            }
        }
    }

    fn has_room(&self, group: &Group) -> bool {
        group.items < self.terms.group_items_max && !group.stop
    }
}

/// Tells whoever waits for changes.
pub(crate) fn wake(wakeups: &watch::Sender<u64>) {
    wakeups.send_modify(|count| *count = count.wrapping_add(1));
}

/// Runs every job in one transaction and answers all after its commit. A job that meets a bad row is
/// answered alone and the others are run again without it; anything else fails the whole group.
fn commit_group(core: &mut Core, mut group: Vec<Box<dyn Job>>) -> Ended {
    while !group.is_empty() {
        let started = Instant::now();
        match run_group(core, &mut group) {
            Ok(()) => {
                let took = started.elapsed();
                for job in group {
                    job.answer(Ok(()));
                }
                return Ended::Committed(took);
            }
            Err((Some(index), failure)) if failure.is_callers_own() => {
                core.roll_back();
                group.remove(index).answer(Err(failure.into()));
            }
            Err((_, failure)) => {
                core.roll_back();
                core.note(&failure);
                tracing::warn!(error = %failure, store.jobs = group.len(), "a group of writes failed");
                let shared = SharedFailure(Arc::new(failure));
                for job in group {
                    job.answer(Err(StoreError::from(shared.clone())));
                }
                return Ended::Failed;
            }
        }
    }
    Ended::NothingToCommit
}

/// One try; on failure the index of the job that met it, if a job did.
fn run_group(core: &mut Core, group: &mut [Box<dyn Job>]) -> Result<(), (Option<usize>, Failure)> {
    core.begin().map_err(|failure| (None, failure))?;
    for (index, job) in group.iter_mut().enumerate() {
        // A panic leaves nothing behind: the transaction and the counts are rolled back.
        catch_unwind(AssertUnwindSafe(|| job.run(core)))
            .unwrap_or(Err(Failure::Panicked))
            .map_err(|failure| (Some(index), failure))?;
    }
    core.commit().map_err(|failure| (None, failure))
}

#[cfg(test)]
mod tests;
