//! The way to the population database: as many at once as its answers permit, nobody while it is down.

mod outlook;

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lienthong_delivery::aimd::Aimd;
use lienthong_delivery::breaker::{Breaker, Health, Permit};
use lienthong_domain::{Clock, Timestamp};
use lienthong_ports::RegistryError;
use lienthong_ports::store::BreakerRecord;
use lienthong_telemetry::metrics::IdentityMetrics;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};

use super::{DatabaseView, Failure};
use crate::config::Config;

/// Kept of the caller's time for writing the usage record and sending the answer.
const RESERVE: Duration = Duration::from_millis(20);
/// With less time than this the database is not asked.
const CALL_TIME_MIN: Duration = Duration::from_millis(30);
/// A call that had so much time and got no answer speaks against the database; one that had less was in a
/// hurry, and impatient callers must not take the database away from the others.
const PATIENCE: Duration = Duration::from_secs(2);
/// An answer that comes so shortly before the time is over says that it was over.
const NEARLY: Duration = Duration::from_millis(10);
/// The wait suggested to those for whom there was no room.
const BUSY_RETRY: Duration = Duration::from_secs(1);

/// Bounded concurrency and breaker. Its lock is held for a few instructions, never over an await.
pub(super) struct Gate {
    moving: Mutex<Moving>,
    /// Wakes one that waits: a call ended, or the limit rose.
    freed: Notify,
    call_timeout: Duration,
    clock: Clock,
    metrics: IdentityMetrics,
}

struct Moving {
    breaker: Breaker,
    aimd: Aimd,
    under_way: u32,
    /// Since when the breaker is not closed.
    down_since: Option<Timestamp>,
}

/// A place at the database; free again when dropped.
struct Place<'a>(&'a Gate);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0
            .with(|moving| moving.under_way = moving.under_way.saturating_sub(1));
        self.0.freed.notify_one();
    }
}

impl Gate {
    pub(super) fn new(config: &Config, clock: Clock, metrics: IdentityMetrics) -> Self {
        let moving = Moving {
            breaker: Breaker::new(config.breaker.clone(), BreakerRecord::default()),
            aimd: Aimd::new(config.concurrency_start, config.concurrency_max),
            under_way: 0,
            down_since: None,
        };
        Self {
            moving: Mutex::new(moving),
            freed: Notify::new(),
            call_timeout: config.call_timeout(),
            clock,
            metrics,
        }
    }

    pub(super) fn view(&self) -> DatabaseView {
        self.with(|moving| DatabaseView {
            breaker: moving.breaker.name(),
            down_since: moving.down_since,
            concurrency_limit: moving.aimd.limit(),
            in_flight: moving.under_way,
        })
    }

    /// Waits for a place and calls, with the time that is left until `deadline`.
    ///
    /// # Errors
    /// [`Failure`].
    pub(super) async fn call<T, F>(
        &self,
        deadline: Instant,
        call: impl FnOnce(Duration) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, RegistryError>>,
    {
        let place = self.enter(deadline).await?;
        let time = time_for_a_call(deadline)?.min(self.call_timeout);
        let started = Instant::now();
        let answered = timeout(time, call(time)).await.unwrap_or_else(|_| {
            let text = "no answer in time".to_owned();
            Err(RegistryError::Unavailable(text))
        });
        // Adapters keep the time themselves, so what they say just before it is over means the same.
        let took = started.elapsed();
        self.metrics.called(answer_name(&answered), took);
        let out_of_time = took + NEARLY >= time;
        self.note(&answered, out_of_time && time < PATIENCE);
        drop(place);
        answered.map_err(|error| {
            tracing::warn!(%error, "a question to the population database failed");
            Failure::of(&error, out_of_time && time < self.call_timeout)
        })
    }

    /// Waits for a place, not longer than leaves time for a call.
    async fn enter(&self, deadline: Instant) -> Result<Place<'_>, Failure> {
        time_for_a_call(deadline)?;
        let until = deadline
            .checked_sub(RESERVE + CALL_TIME_MIN)
            .unwrap_or(deadline);
        loop {
            let freed = self.freed.notified();
            if let Some(more) = self.try_enter()? {
                if more {
                    // Several places may have come free with one wake-up.
                    self.freed.notify_one();
                }
                return Ok(Place(self));
            }
            if timeout_at(until, freed).await.is_err() {
                return Err(Failure::Busy {
                    retry_after: Some(BUSY_RETRY),
                });
            }
        }
    }

    /// Takes a place if there is one; says whether there are more.
    fn try_enter(&self) -> Result<Option<bool>, Failure> {
        let now = self.clock.now();
        self.with(|moving| {
            let limit = match moving.breaker.permit(now) {
                Permit::Free => moving.aimd.limit(),
                Permit::Probe(probes) => moving.aimd.limit().min(probes),
                Permit::Wait(until) => {
                    let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                    return Err(Failure::Unavailable {
                        retry_after: Some(wait),
                    });
                }
            };
            if moving.under_way >= limit {
                return Ok(None);
            }
            moving.under_way += 1;
            Ok(Some(moving.under_way < limit))
        })
    }

    /// Takes note of an answer.
    fn note<T>(&self, answered: &Result<T, RegistryError>, in_a_hurry: bool) {
        let health = match answered {
            // A refusal is an answer, and the operators need to see that one and not "unavailable".
            Ok(_) | Err(RegistryError::Refused(_)) => Health::Good,
            // It may be about one person only: whoever asks for a broken record again and again must not take
            // the database away from the others. Nor does it prove that the database is well.
            Err(RegistryError::BadAnswer(_)) => return,
            Err(RegistryError::Busy { .. }) => Health::Failing,
            Err(RegistryError::Unavailable(_)) => Health::Unanswered,
        };
        if in_a_hurry && health == Health::Unanswered {
            return;
        }
        let now = self.clock.now();
        let changed = self.with(|moving| {
            match answered {
                Ok(_) => moving.aimd.grew_by_success(),
                Err(RegistryError::Busy { .. }) => moving.aimd.shrank_by_overload(),
                Err(_) => {}
            }
            let changed = moving.breaker.record_call(health, now);
            moving.down_since = if moving.breaker.is_closed() {
                None
            } else {
                moving.down_since.or(Some(now))
            };
            changed.then(|| moving.breaker.name())
        });
        if let Some(breaker) = changed {
            tracing::warn!(
                breaker.state = breaker,
                "the breaker to the population database changed"
            );
            // Those who wait learn of it at once.
            self.freed.notify_waiters();
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Moving) -> T) -> T {
        // Each change is a few plain assignments; a panic cannot leave them half done.
        act(&mut self.moving.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the database made of a call, as it is counted.
fn answer_name<T>(answered: &Result<T, RegistryError>) -> &'static str {
    match answered {
        Ok(_) => "answered",
        Err(RegistryError::Busy { .. }) => "busy",
        Err(RegistryError::Unavailable(_)) => "unavailable",
        Err(RegistryError::BadAnswer(_)) => "bad_answer",
        Err(RegistryError::Refused(_)) => "refused",
    }
}

/// What a call may take, if that is enough.
fn time_for_a_call(deadline: Instant) -> Result<Duration, Failure> {
    let left = deadline.saturating_duration_since(Instant::now());
    let time = left.saturating_sub(RESERVE);
    if time < CALL_TIME_MIN {
        Err(Failure::DeadlineTooShort)
    } else {
        Ok(time)
    }
}
