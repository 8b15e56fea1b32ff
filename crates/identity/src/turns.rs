//! The guard as questions under way use it: one lock, waiting for one's turn, and an end for each beginning.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lienthong_domain::Clock;
use lienthong_domain::identity::UsageOutcome;
use lienthong_domain::identity::grant::QuotaClass;
use lienthong_ports::identity::{Asker, UsageDraft};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::guard::{Ended, Guard, Stop, Turn as Begun, Who};

/// Questions that may wait for their turn at once.
const WAITING_MAX: usize = 1_024;
/// Places to wait at: all askers of one system wait at the same.
const PLACES: usize = 64;
/// Somebody of another system may have freed a citizen, so those who wait look again after this.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// The wait suggested to those whose turn did not come.
const TURN_RETRY: Duration = Duration::from_secs(1);

/// The guard, shared. Its lock is held for a few microseconds, never over an await.
pub(crate) struct Turns {
    guard: Mutex<Guard>,
    ended: [Notify; PLACES],
    hasher: RandomState,
    waiting: AtomicUsize,
    clock: Clock,
}

/// A question that has begun. It ends once: by [`Turn::end`], or as failed when it is dropped.
pub(crate) struct Turn {
    turns: Arc<Turns>,
    ask: Option<UsageDraft>,
}

impl Turns {
    pub(crate) fn new(guard: Guard, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            guard: Mutex::new(guard),
            ended: std::array::from_fn(|_| Notify::new()),
            hasher: RandomState::new(),
            waiting: AtomicUsize::new(0),
            clock,
        })
    }

    /// Begins a question, when it is its turn and before `deadline`. Gives the draft back with a stop.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        ask: UsageDraft,
        quota: &QuotaClass,
        deadline: Instant,
    ) -> Result<Turn, (UsageDraft, Stop)> {
        let mut place = None;
        loop {
            let ended = self.place(&ask.asker).notified();
            match self.with(|guard| guard.begin(&ask, quota, self.clock.now())) {
                Err(stop) => return Err((ask, stop)),
                Ok(Begun::Begun) => {
                    return Ok(Turn {
                        turns: self.clone(),
                        ask: Some(ask),
                    });
                }
                Ok(Begun::Wait) => {}
            }
            let now = Instant::now();
            let waits = place.is_some() || {
                place = Waiting::enter(&self.waiting);
                place.is_some()
            };
            if !waits || now >= deadline {
                let max = quota.official_concurrent_max;
                let stop = Stop::quota("questions_under_way", max, Who::Official, TURN_RETRY);
                return Err((ask, stop));
            }
            // Whether it was woken or looks again by itself makes no difference.
            let _woken = timeout_at(deadline.min(now + LOOK_AGAIN), ended)
                .await
                .is_ok();
        }
    }

    /// Does something to the guard.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Guard) -> T) -> T {
        // A panic inside would be a defect of pure code; the counts it leaves are still numbers.
        act(&mut self.guard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn place(&self, asker: &Asker) -> &Notify {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(asker.participant.as_str().as_bytes());
        hasher.write(asker.system.as_bytes());
        let places = u64::try_from(PLACES).expect("a small number");
        let index = usize::try_from(hasher.finish() % places).expect("less than PLACES");
        &self.ended[index]
    }

    fn end(&self, ask: &UsageDraft, outcome: UsageOutcome) -> Ended {
        let ended = self.with(|guard| guard.end(ask, outcome, self.clock.now()));
        self.place(&ask.asker).notify_waiters();
        ended
    }
}

impl Turn {
    /// What is asked.
    pub(crate) fn ask(&self) -> &UsageDraft {
        self.ask.as_ref().expect("it is taken out at the end only")
    }

    /// Ends the question; its draft, with the outcome, and what follows.
    pub(crate) fn end(mut self, outcome: UsageOutcome) -> (UsageDraft, Ended) {
        let mut ask = self.ask.take().expect("it is taken out at the end only");
        let ended = self.turns.end(&ask, outcome);
        ask.outcome = outcome;
        (ask, ended)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(ask) = self.ask.take() {
            self.turns.end(&ask, UsageOutcome::Failed);
        }
    }
}

/// One of those who wait.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(waiting: &'a AtomicUsize) -> Option<Self> {
        if waiting.fetch_add(1, Ordering::Relaxed) < WAITING_MAX {
            Some(Self(waiting))
        } else {
            waiting.fetch_sub(1, Ordering::Relaxed);
            None
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
