//! What the dispatcher and the worker of one destination share: breaker, limit, halt.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lienthong_domain::{Outcome, Timestamp};
use lienthong_ports::Gauge;
use lienthong_ports::store::BreakerRecord;
use tokio::sync::Notify;

use crate::aimd::Aimd;
use crate::breaker::{Breaker, Permit};
use crate::config::Config;
use crate::decide;

/// One destination's shared state. Its lock is held for a few instructions, never over an await.
pub(crate) struct Control {
    moving: Mutex<Moving>,
    paused: AtomicBool,
    /// Wakes the dispatcher: a call ended, or the breaker or the halt changed.
    pub(crate) changed: Notify,
    pub(crate) gauge: Arc<Gauge>,
}

struct Moving {
    breaker: Breaker,
    aimd: Aimd,
}

/// What a finished call did to the breaker.
pub(crate) struct Noted {
    /// Closed before and after: the attempt counts.
    pub(crate) counts: bool,
    /// The state to keep, if it changed.
    pub(crate) changed: Option<(BreakerRecord, &'static str)>,
}

impl Control {
    pub(crate) fn new(config: &Config, breaker: BreakerRecord, paused: bool) -> Self {
        let moving = Moving {
            breaker: Breaker::new(config.breaker.clone(), breaker),
            aimd: Aimd::new(config.concurrency_start, config.concurrency_max),
        };
        let control = Self {
            moving: Mutex::new(moving),
            paused: AtomicBool::new(paused),
            changed: Notify::new(),
            gauge: Arc::default(),
        };
        control.gauge.show(control.limit(), 0);
        control
    }

    /// Calls that may be under way now.
    pub(crate) fn limit(&self) -> u32 {
        self.with(|moving| moving.aimd.limit())
    }

    /// What the breaker permits now.
    pub(crate) fn permit(&self, now: Timestamp) -> Permit {
        self.with(|moving| moving.breaker.permit(now))
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    pub(crate) fn set_paused(&self, paused: bool) {
        if self.paused.swap(paused, Ordering::Relaxed) != paused {
            self.changed.notify_one();
        }
    }

    /// Takes note of a call's outcome.
    pub(crate) fn note(&self, outcome: Outcome, now: Timestamp) -> Noted {
        let noted = self.with(|moving| {
            match outcome {
                Outcome::Overloaded { .. } => moving.aimd.shrank_by_overload(),
                Outcome::Delivered | Outcome::Advanced { .. } => moving.aimd.grew_by_success(),
                Outcome::Retry { .. } | Outcome::Rejected => {}
            }
            let was_closed = moving.breaker.is_closed();
            let changed = moving.breaker.record_call(decide::health(outcome), now);
            let counts = was_closed && moving.breaker.is_closed();
            let changed = changed.then(|| (moving.breaker.record(now), moving.breaker.name()));
            Noted { counts, changed }
        });
        if noted.changed.is_some() {
            self.changed.notify_one();
        }
        noted
    }

    fn with<T>(&self, act: impl FnOnce(&mut Moving) -> T) -> T {
        // Each change is a few plain assignments; a panic cannot leave them half done.
        act(&mut self.moving.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
