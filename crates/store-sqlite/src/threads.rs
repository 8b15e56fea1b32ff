//! The ordinary store: one writing thread, a few reading ones, and the way to each.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use lienthong_ports::StoreError;
use tokio::sync::{oneshot, watch};

use crate::config::Config;
use crate::connection::FileLock;
use crate::core::Core;
use crate::error::{Failure, OpenError};
use crate::job::{Budget, Write};
use crate::queries::Queries;
use crate::readers::Readers;
use crate::writer::{self, Letter};

/// Which bound a write falls under: neither intake, nor questions about citizens, nor deliveries must
/// crowd out the others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Acceptance.
    Intake,
    /// Usage records: callers of another service wait for each.
    Usage,
    /// Everything else.
    Work,
}

/// The threads of a store.
pub(crate) struct Threads {
    open: Mutex<Option<OpenThreads>>,
    intake: Budget,
    usage: Budget,
    work: Budget,
    /// Set when the writer has ended in order, so that a job left over was certainly not run.
    drained: Arc<AtomicBool>,
}

struct OpenThreads {
    letters: Sender<Letter>,
    writer: JoinHandle<()>,
    readers: Option<Readers>,
}

/// Set at an orderly end of the writer, whatever it keeps alive until then.
struct Drained(
    Arc<AtomicBool>,
    #[expect(dead_code, reason = "held until the writer ends")] Option<FileLock>,
);

impl Drop for Drained {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.0.store(true, Ordering::Release);
        }
    }
}

impl Threads {
    pub(crate) fn start(
        core: Core,
        lock: Option<FileLock>,
        config: &Config,
        wakeups: Arc<watch::Sender<u64>>,
    ) -> Result<Self, OpenError> {
        // A database in memory has one connection, so its writer answers queries too.
        let readers = (!config.in_memory() && config.readers > 0)
            .then(|| {
                Readers::start(
                    &config.path,
                    config.readers,
                    &core.destinations(),
                    &config.vault,
                )
            })
            .transpose()?;
        let drained = Arc::new(AtomicBool::new(false));
        let kept = Drained(Arc::clone(&drained), lock);
        let terms = writer::Terms {
            group_items_max: config.group_items_max.max(1),
            metrics: config.metrics.clone(),
        };
        let (letters, writer) = writer::start(core, terms, wakeups, kept)?;
        Ok(Self {
            open: Mutex::new(Some(OpenThreads {
                letters,
                writer,
                readers,
            })),
            intake: Budget::new(config.queue_items_max),
            usage: Budget::new(config.queue_items_max),
            work: Budget::new(config.queue_items_max),
            drained,
        })
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        kind: Kind,
        items: usize,
        work: impl FnMut(&mut Core) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let budget = match kind {
            Kind::Intake => &self.intake,
            Kind::Usage => &self.usage,
            Kind::Work => &self.work,
        };
        let room = budget.take(items)?;
        let (reply, answer) = oneshot::channel();
        let job = Write {
            work,
            room,
            result: None,
            reply,
        };
        self.with_open(|open| {
            open.letters
                .send(Letter::Job(Box::new(job)))
                .map_err(|_| Failure::ThreadEnded.into())
        })?;
        answer.await.unwrap_or_else(|_| Err(self.unanswered()))
    }

    pub(crate) async fn query<T: Send + 'static>(
        &self,
        read: impl FnOnce(Queries<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let mut read = Some(read);
        let entered = self.with_open(|open| {
            let Some(readers) = &open.readers else {
                return Ok(false);
            };
            let Some(read) = read.take() else {
                return Ok(false);
            };
            readers
                .enter(Box::new(move |queries| {
                    let result = queries.and_then(read);
                    // A caller that has stopped waiting does not need the answer.
                    drop(reply.send(result.map_err(StoreError::from)));
                }))
                .map(|()| true)
        })?;
        if entered {
            return answer
                .await
                .unwrap_or_else(|_| Err(Failure::ThreadEnded.into()));
        }
        self.write(Kind::Work, 1, move |core| match read.take() {
            Some(read) => read(core.queries()),
            // A query runs once: if its group is repeated, its caller asks again.
            None => Err(Failure::ThreadEnded),
        })
        .await
    }

    fn with_open<T>(
        &self,
        act: impl FnOnce(&OpenThreads) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        act(open.as_ref().ok_or(StoreError::Closed)?)
    }

    fn unanswered(&self) -> StoreError {
        if self.drained.load(Ordering::Acquire) {
            StoreError::Closed
        } else {
            Failure::ThreadEnded.into()
        }
    }

    /// Finishes what is queued and ends the threads; blocks until they have ended.
    pub(crate) fn close(&self) {
        let open = self
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(OpenThreads {
            letters,
            writer,
            readers,
        }) = open
        else {
            return;
        };
        // Readers first: the last connection to close empties the write-ahead log.
        let mut threads = readers.map(Readers::stop).unwrap_or_default();
        for reader in threads.drain(..) {
            join(reader);
        }
        // A writer that has ended already needs no telling.
        drop(letters.send(Letter::Stop));
        join(writer);
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.close();
    }
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a thread of the store panicked");
    }
}
