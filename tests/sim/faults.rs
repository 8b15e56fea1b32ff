//! What happens around the calls of the simulated store: waits, failures, death, and a second look.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lienthong_domain::{DeliveryState, DestinationName};
use lienthong_ports::store::Finish;
use lienthong_ports::{Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::draw::Draw;
use crate::ledger::Finished;
use crate::script::{Call, Crash, DeathAt};
use crate::store::SimStore;

/// What decides when a store fails; shared by all gateways of a run.
pub(crate) struct Faults {
    pub draw: Draw,
    pub fault_permille: u64,
    pub freeze_permille: u64,
    pub lease: Duration,
    pub deaths: Vec<DeathAt>,
    pub healed: CancellationToken,
}

/// The end of one gateway.
#[derive(Clone, Default)]
pub(crate) struct Life {
    pub dead: CancellationToken,
    /// How it comes back, when a write killed it.
    pub killed: Arc<Mutex<Option<Crash>>>,
}

impl Life {
    /// A dead process never goes on.
    pub(crate) async fn alive(&self) {
        if self.dead.is_cancelled() {
            std::future::pending::<()>().await;
        }
    }

    async fn die(&self, crash: Crash) {
        *self.killed.lock().expect("nothing panics with it in hand") = Some(crash);
        self.dead.cancel();
        self.alive().await;
    }
}

impl SimStore {
    /// What may happen before a call: a wait, death, a failure.
    pub(crate) async fn before(&self, call: Call) -> Result<u64, StoreError> {
        self.life.alive().await;
        let count = self.ledger.count(call);
        if self.faults.healed.is_cancelled() {
            return Ok(count);
        }
        self.perhaps_die(call, count, false).await;
        self.wait().await;
        let draw = &self.faults.draw;
        if draw.chance(self.faults.fault_permille / 2) {
            return Err(if draw.chance(300) {
                StoreError::Busy
            } else {
                unavailable()
            });
        }
        Ok(count)
    }

    /// What may happen after its commit: death, a wait, an answer that is lost.
    pub(crate) async fn after<T>(&self, call: Call, count: u64, value: T) -> Result<T, StoreError> {
        self.wake();
        if self.faults.healed.is_cancelled() {
            return Ok(value);
        }
        self.perhaps_die(call, count, true).await;
        self.wait().await;
        if self.faults.draw.chance(self.faults.fault_permille / 2) {
            return Err(unavailable());
        }
        Ok(value)
    }

    fn wake(&self) {
        let number = *self.inner.wakeups().borrow();
        for watcher in self
            .watchers
            .lock()
            .expect("nothing panics with it in hand")
            .iter()
        {
            watcher.send_if_modified(|seen| std::mem::replace(seen, number) != number);
        }
    }

    async fn perhaps_die(&self, call: Call, count: u64, committed: bool) {
        let fits = |death: &&DeathAt| {
            death.call == call && death.count == count && death.committed == committed
        };
        if let Some(death) = self.faults.deaths.iter().find(fits) {
            self.ledger
                .tell(|| format!("gateway dies at {call:?} {count}, committed: {committed}"));
            self.life.die(death.crash).await;
        }
    }

    async fn wait(&self) {
        let draw = &self.faults.draw;
        if draw.chance(150) {
            tokio::time::sleep(Duration::from_millis(draw.between(1, 60))).await;
            self.life.alive().await;
        }
    }

    /// I8: what is claimed fits into the window.
    pub(crate) async fn check_window(&self, destination: &DestinationName, window: u32) {
        let counts = self.inner.counts().await.expect("an open store counts");
        let count = counts
            .iter()
            .find(|count| count.destination == *destination);
        let in_flight = count.map_or(0, |count| {
            count.of(DeliveryState::Sent) + count.of(DeliveryState::Calling)
        });
        if in_flight > u64::from(window) {
            self.ledger.violated(
                "I8",
                &format!("{in_flight} in flight in a window of {window}"),
            );
        }
    }

    pub(crate) fn note_finishes(&self, finishes: &[Finish], done: &[bool]) {
        for (finish, _) in finishes.iter().zip(done).filter(|(_, done)| **done) {
            let Finish {
                message,
                started_at,
                took,
                answer,
                next,
                ..
            } = finish;
            self.ledger
                .tell(|| format!("finish {message:?} {} {next:?}", answer.outcome.name()));
            self.ledger.open().finishes.push(Finished {
                delivery: message.delivery,
                fence: message.fence,
                outcome: answer.outcome,
                ended: *started_at + *took,
                next: *next,
            });
        }
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable("the disk did not answer".into())
}
