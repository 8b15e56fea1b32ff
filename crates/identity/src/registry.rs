//! The guarded registry: the population database behind bounded concurrency and a breaker, with identical
//! verifications asked once.

mod cache;
mod flights;
mod gate;

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::identity::{Claims, FieldSet, Verification};
use lienthong_domain::{Clock, ErrorCode, Timestamp};
use lienthong_ports::{LookUp, PopulationRegistry, Question, RegistryError};
use lienthong_services::Error;
use lienthong_telemetry::Tracer;
use lienthong_telemetry::metrics::IdentityMetrics;
use tokio::time::Instant;

use crate::config::Config;
use crate::spans;
use cache::Cache;
use flights::{Flights, Role};
use gate::Gate;

/// How often a caller waits for another's answer before it asks itself.
const FOLLOWS_MAX: usize = 2;

/// Questions that left less time to the database are not put off.
const PUT_OFF_TIME_MIN: Duration = Duration::from_secs(1);

/// Why there is no answer; none of these says anything about a person. The cause is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The database is down, or the breaker says so.
    Unavailable { retry_after: Option<Duration> },
    /// The caller's time was over before the database answered.
    OutOfTime,
    /// The database, or the gateway before it, has enough to do.
    Busy { retry_after: Option<Duration> },
    /// The answer cannot be used.
    BadAnswer,
    /// The database does not accept us.
    Refused,
    /// The caller left too little time.
    DeadlineTooShort,
}

impl Failure {
    fn of(error: &RegistryError, caller_in_a_hurry: bool) -> Self {
        match error {
            RegistryError::Unavailable(_) if caller_in_a_hurry => Self::OutOfTime,
            RegistryError::Unavailable(_) => Self::Unavailable { retry_after: None },
            RegistryError::Busy { retry_after } => Self::Busy {
                retry_after: *retry_after,
            },
            RegistryError::BadAnswer(_) => Self::BadAnswer,
            RegistryError::Refused(_) => Self::Refused,
        }
    }

    /// The public code.
    pub(crate) const fn code(self) -> ErrorCode {
        match self {
            Self::Unavailable { .. } | Self::OutOfTime => ErrorCode::PopulationUnavailable,
            Self::Busy { .. } => ErrorCode::PopulationBusy,
            Self::BadAnswer => ErrorCode::PopulationBadAnswer,
            Self::Refused => ErrorCode::PopulationRefused,
            Self::DeadlineTooShort => ErrorCode::DeadlineTooShort,
        }
    }

    /// Whether a question that had so much `time` may be put off: the database could not answer, and not the
    /// caller was in a hurry. Else a short deadline would be a way to have every question put off.
    pub(crate) fn may_be_put_off(self, time: Duration) -> bool {
        let passes = matches!(self, Self::Unavailable { .. } | Self::Busy { .. });
        passes && time >= PUT_OFF_TIME_MIN
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let error = Self::new(failure.code());
        match failure {
            Failure::Unavailable {
                retry_after: Some(wait),
            }
            | Failure::Busy {
                retry_after: Some(wait),
            } => error.retry_after(wait),
            _ => error,
        }
    }
}

/// How the way to the population database stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseView {
    /// `closed`, `open` or `probing`.
    pub breaker: &'static str,
    /// Since when the breaker is not closed.
    pub down_since: Option<Timestamp>,
    /// Questions that may be under way at once.
    pub concurrency_limit: u32,
    /// Questions under way.
    pub in_flight: u32,
}

/// The population database, as the use cases ask it.
pub(crate) struct GuardedRegistry {
    inner: Arc<dyn PopulationRegistry>,
    gate: Gate,
    flights: Flights,
    cache: Option<Cache>,
    tracer: Tracer,
}

impl GuardedRegistry {
    pub(crate) fn new(
        inner: Arc<dyn PopulationRegistry>,
        config: &Config,
        clock: Clock,
        metrics: IdentityMetrics,
        tracer: Tracer,
    ) -> Self {
        Self {
            inner,
            gate: Gate::new(config, clock, metrics),
            flights: Flights::default(),
            cache: Cache::new(config),
            tracer,
        }
    }

    pub(crate) fn view(&self) -> DatabaseView {
        self.gate.view()
    }

    /// Compares claims with the record. The same claims under way are asked once, whoever asks: the answer is
    /// about the person. The database's own log then names the first asker; the usage records name each.
    ///
    /// # Errors
    /// [`Failure`]; it is shared like an answer, and never remembered.
    pub(crate) async fn verify(
        &self,
        question: &Question,
        claims: &Claims,
        deadline: Instant,
    ) -> Result<Verification, Failure> {
        if let Some(found) = self.cache.as_ref().and_then(|cache| cache.get(claims)) {
            return Ok(found);
        }
        for _ in 0..FOLLOWS_MAX {
            match self.flights.join(claims) {
                Role::Lead(lead) => {
                    let answer = self.ask(question, claims, deadline).await;
                    lead.tell(&answer);
                    return answer;
                }
                Role::Follow(follow) => {
                    if let Some(answer) = follow.answer(deadline).await {
                        return answer;
                    }
                }
            }
        }
        self.ask(question, claims, deadline).await
    }

    async fn ask(
        &self,
        question: &Question,
        claims: &Claims,
        deadline: Instant,
    ) -> Result<Verification, Failure> {
        let (mut span, question) = spans::asking(&self.tracer, "verify", question);
        let call = |time| self.inner.verify(&question, claims, time);
        let answer = self.gate.call(deadline, call).await;
        spans::asked(&mut span, &answer);
        let answer = answer?;
        if let Some(cache) = &self.cache {
            cache.put(claims, &answer);
        }
        Ok(answer)
    }

    /// Looks a record up. A record of another number is [`Failure::BadAnswer`], whatever the adapter thinks.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn look_up(
        &self,
        question: &Question,
        claims: &Claims,
        fields: FieldSet,
        deadline: Instant,
    ) -> Result<LookUp, Failure> {
        let (mut span, question) = spans::asking(&self.tracer, "look_up", question);
        let question = &question;
        let call = |time| async move {
            let found = self.inner.look_up(question, claims, fields, time).await?;
            match &found {
                LookUp::Found(citizen)
                    if claims.number.citizen().is_some()
                        && citizen.citizen_number.is_some()
                        && citizen.citizen_number.as_ref() != claims.number.citizen() =>
                {
                    Err(RegistryError::BadAnswer(
                        "it is about another person".to_owned(),
                    ))
                }
                _ => Ok(found),
            }
        };
        let found = self.gate.call(deadline, call).await;
        spans::asked(&mut span, &found);
        found
    }
}
