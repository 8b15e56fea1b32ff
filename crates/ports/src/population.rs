//! The population registry: the national database of citizens, behind whatever protocol leads to it.

use std::time::Duration;

use async_trait::async_trait;
use lienthong_domain::TraceContext;
use lienthong_domain::code::ProcedureCode;
use lienthong_domain::identity::{Citizen, Claims, FieldSet, OfficialId, Verification};
use lienthong_domain::participant::ParticipantId;

/// On whose behalf the database is asked; it keeps this in its own log.
#[derive(Clone, Debug)]
pub struct Question {
    /// Unique per question and attempt, 1..=64 of `A-Z a-z 0-9 -`; an adapter that asks twice adds to it.
    pub request_id: String,
    /// The participant.
    pub participant: ParticipantId,
    /// The official.
    pub official: OfficialId,
    /// The procedure it is for, if known.
    pub procedure: Option<ProcedureCode>,
    /// The span that asks; it goes with the question as a `traceparent` header, and says nothing about a person.
    pub trace: Option<TraceContext>,
}

/// What a look-up found. Only these three are answers; everything else is a [`RegistryError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookUp {
    /// The record, with the wanted fields at most.
    Found(Box<Citizen>),
    /// No record under this number, name and birth date.
    NotFound,
    /// A record under this number, which does not fit name or birth date.
    Mismatch,
}

/// Why there is no answer. None of these says anything about a person.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Nobody answered: not connected, cut off, out of time, or an error of a proxy on the way.
    #[error("reach the population database: {0}")]
    Unavailable(String),
    /// It asks for fewer questions.
    #[error("ask a busy population database")]
    Busy {
        /// When to try again, if it said so.
        retry_after: Option<Duration>,
    },
    /// The answer cannot be read, or is about another person.
    #[error("read the population database's answer: {0}")]
    BadAnswer(String),
    /// It does not accept our credentials or our question.
    #[error("be accepted by the population database: {0}")]
    Refused(String),
}

/// Asks one population database. It never retries an answer, and an error's text holds nothing of a person.
#[async_trait]
pub trait PopulationRegistry: Send + Sync {
    /// Compares claims with the record. An unknown person and a wrong claim give the same answer,
    /// [`Verification::no_match`]. Ends within `timeout`.
    ///
    /// # Errors
    /// [`RegistryError`].
    async fn verify(
        &self,
        question: &Question,
        claims: &Claims,
        timeout: Duration,
    ) -> Result<Verification, RegistryError>;

    /// Returns the `fields` of the record of number, name and birth date; nothing else leaves it.
    /// A record of another number is [`RegistryError::BadAnswer`]. Ends within `timeout`.
    ///
    /// # Errors
    /// [`RegistryError`].
    async fn look_up(
        &self,
        question: &Question,
        claims: &Claims,
        fields: FieldSet,
        timeout: Duration,
    ) -> Result<LookUp, RegistryError>;

    /// Asks whether the database can be reached and accepts us, without asking about anybody; for `doctor`.
    ///
    /// # Errors
    /// One sentence that says what an operator should look at.
    async fn check(&self, timeout: Duration) -> Result<(), String>;
}
