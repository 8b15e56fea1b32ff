//! Why there is no answer, in a form that one failed login can give to everybody who waits for it.

use std::time::Duration;

use lienthong_ports::RegistryError;

/// As [`RegistryError`]; the texts hold nothing that came with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Unavailable(String),
    Busy { retry_after: Option<Duration> },
    BadAnswer(String),
    Refused(String),
}

impl Failure {
    pub(crate) fn unavailable(cause: impl Into<String>) -> Self {
        Self::Unavailable(cause.into())
    }

    pub(crate) fn bad_answer(cause: impl Into<String>) -> Self {
        Self::BadAnswer(cause.into())
    }

    pub(crate) fn refused(cause: impl Into<String>) -> Self {
        Self::Refused(cause.into())
    }

    pub(crate) fn out_of_time() -> Self {
        Self::unavailable("it did not answer in time")
    }
}

impl From<Failure> for RegistryError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable(cause) => Self::Unavailable(cause),
            Failure::Busy { retry_after } => Self::Busy { retry_after },
            Failure::BadAnswer(cause) => Self::BadAnswer(cause),
            Failure::Refused(cause) => Self::Refused(cause),
        }
    }
}
