//! Reading threads: a bounded queue of queries, each answered from one snapshot.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use lienthong_ports::StoreError;
use lienthong_vault::Vault;

use crate::config::QUERIES_WAITING_MAX;
use crate::connection::open_reader;
use crate::destinations::Destinations;
use crate::error::{Failure, OpenError};
use crate::queries::Queries;

/// A query that answers its caller itself.
pub(crate) type Query = Box<dyn FnOnce(Result<Queries<'_>, Failure>) + Send>;

/// The reading threads.
#[derive(Debug)]
pub(crate) struct Readers {
    queue: SyncSender<Query>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts `count` threads.
    pub(crate) fn start(
        path: &Path,
        count: usize,
        destinations: &Arc<Destinations>,
        vault: &Arc<Vault>,
    ) -> Result<Self, OpenError> {
        let (queue, inbox) = sync_channel::<Query>(QUERIES_WAITING_MAX);
        let inbox = Arc::new(Mutex::new(inbox));
        let mut threads = Vec::with_capacity(count);
        for number in 0..count {
            let connection = open_reader(path)?;
            let (inbox, destinations) = (Arc::clone(&inbox), Arc::clone(destinations));
            let vault = Arc::clone(vault);
            let thread = std::thread::Builder::new()
                .name(format!("store-reader-{number}"))
                .spawn(move || {
                    let queries = Queries {
                        connection: &connection,
                        destinations: &destinations,
                        vault: &vault,
                    };
                    serve(queries, &inbox);
                })
                .map_err(OpenError::Thread)?;
            threads.push(thread);
        }
        Ok(Self { queue, threads })
    }

    /// Puts a query into the queue.
    pub(crate) fn enter(&self, query: Query) -> Result<(), StoreError> {
        self.queue.try_send(query).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => Failure::ThreadEnded.into(),
        })
    }

    /// Ends the threads once they have answered what waits.
    pub(crate) fn stop(self) -> Vec<JoinHandle<()>> {
        drop(self.queue);
        self.threads
    }
}

fn serve(queries: Queries<'_>, inbox: &Mutex<Receiver<Query>>) {
    let connection = queries.connection;
    loop {
        // One reader waits at the queue, the others wait for its place; a panic cannot happen inside.
        let next = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(query) = next else { return };
        // A panic drops the query, which tells its caller; the transaction is ended below.
        let ended = catch_unwind(AssertUnwindSafe(|| answer(queries, query)));
        if ended.is_err() {
            tracing::error!("a query of the store panicked");
        }
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("COMMIT")
        {
            tracing::error!(error = %error, "a reader of the store cannot end its snapshot and stops");
            return;
        }
    }
}

/// Several statements of one query must see the same state.
fn answer(queries: Queries<'_>, query: Query) {
    let begun = queries
        .connection
        .prepare_cached("BEGIN")
        .and_then(|mut begin| begin.execute([]));
    query(begun.map(|_| queries).map_err(Failure::from));
}
