//! Why a guard stops a question.

use std::time::Duration;

use lienthong_domain::ErrorCode;
use lienthong_services::Error;

/// Whose quota or guard it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The official.
    Official,
    /// The system.
    System,
    /// The participant.
    Participant,
    /// The dossier.
    Dossier,
}

impl Who {
    const fn name(self) -> &'static str {
        match self {
            Self::Official => "official",
            Self::System => "system",
            Self::Participant => "participant",
            Self::Dossier => "dossier",
        }
    }
}

/// A question is not to be asked, or not now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The asker is held or blocked.
    Halted {
        /// `GUARD_APPROVAL_NEEDED` or `GUARD_BLOCKED`.
        code: ErrorCode,
        /// The official or its whole system.
        who: Who,
    },
    /// Too many wrong claims about the citizen.
    SubjectLocked {
        /// Until the first of them is a day old.
        wait: Duration,
    },
    /// A quota is used up.
    Quota {
        /// Which.
        quota: &'static str,
        /// How much it is.
        limit: u32,
        /// Whose.
        who: Who,
        /// Until some of it is free again.
        wait: Duration,
    },
}

impl Stop {
    pub(crate) const fn quota(quota: &'static str, limit: u32, who: Who, wait: Duration) -> Self {
        Self::Quota {
            quota,
            limit,
            who,
            wait,
        }
    }
}

impl From<Stop> for Error {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Halted { code, who } => Self::new(code).with("asker", who.name()),
            Stop::SubjectLocked { wait } => Self::new(ErrorCode::SubjectLocked).retry_after(wait),
            Stop::Quota {
                quota,
                limit,
                who,
                wait,
            } => Self::new(ErrorCode::QuotaExceeded)
                .with("quota", quota)
                .with("limit", limit)
                .with("asker", who.name())
                .retry_after(wait),
        }
    }
}
