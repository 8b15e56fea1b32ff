//! A store without threads: each call runs in its caller, under a mutex. For seeded simulations.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lienthong_ports::StoreError;
use tokio::sync::watch;

use crate::connection::FileLock;
use crate::core::Core;
use crate::error::{Failure, SharedFailure};
use crate::queries::Queries;
use crate::writer::wake;

/// The one connection, until the store is closed or another store takes the database over.
pub(crate) struct Inline {
    state: Mutex<State>,
    wakeups: Arc<watch::Sender<u64>>,
}

struct State {
    open: Option<Open>,
    closed: bool,
}

impl State {
    fn core(&mut self) -> Result<&mut Core, StoreError> {
        match &mut self.open {
            Some(open) if !self.closed => Ok(&mut open.core),
            _ => Err(StoreError::Closed),
        }
    }
}

/// What an open inline store holds.
pub(crate) struct Open {
    pub(crate) core: Core,
    pub(crate) lock: Option<FileLock>,
}

impl Inline {
    pub(crate) fn new(open: Open, wakeups: Arc<watch::Sender<u64>>) -> Self {
        Self {
            state: Mutex::new(State {
                open: Some(open),
                closed: false,
            }),
            wakeups,
        }
    }

    pub(crate) fn write<T>(
        &self,
        mut work: impl FnMut(&mut Core) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut guard = self.guard();
        let core = guard.core()?;
        let result = core.begin().and_then(|()| work(core)).and_then(|result| {
            core.commit()?;
            Ok(result)
        });
        match result {
            Ok(result) => {
                if core.take_woken() {
                    wake(&self.wakeups);
                }
                core.checkpoint_if_due();
                Ok(result)
            }
            Err(failure) => {
                core.roll_back();
                core.note(&failure);
                Err(if failure.is_callers_own() {
                    failure.into()
                } else {
                    SharedFailure(Arc::new(failure)).into()
                })
            }
        }
    }

    pub(crate) fn query<T>(
        &self,
        read: impl FnOnce(Queries<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        read(self.guard().core()?.queries()).map_err(StoreError::from)
    }

    /// Takes the database away: this store is closed from now on.
    pub(crate) fn take(&self) -> Option<Open> {
        self.guard().open.take()
    }

    /// Closes the store. A database in memory is kept for [`Inline::take`], a file is let go.
    pub(crate) fn close(&self, in_memory: bool) {
        let mut state = self.guard();
        state.closed = true;
        if !in_memory {
            state.open = None;
        }
    }

    fn guard(&self) -> MutexGuard<'_, State> {
        // The next transaction rolls back what a panicking one left, so poison is no reason to stop.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
