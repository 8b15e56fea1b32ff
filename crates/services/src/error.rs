//! Why a use case refused: one public code, all faults, and the cause for the log.

use std::fmt;
use std::time::Duration;

use lienthong_domain::{DossierStatus, ErrorCode, Faults};
use lienthong_ports::StoreError;
use lienthong_ports::store::Refusal;

/// The wait suggested when the intake queue or the store cannot take more.
const BUSY_RETRY: Duration = Duration::from_millis(500);
/// The wait suggested when the disk is full.
const DISK_RETRY: Duration = Duration::from_secs(30);

/// A refusal, for the edge to translate.
#[derive(Debug)]
pub struct Error {
    /// What callers may program against.
    pub code: ErrorCode,
    /// Every fault, by field.
    pub faults: Faults,
    /// Facts beside the code, such as `from` and `to` of a refused transition.
    pub metadata: Vec<(&'static str, String)>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// What went wrong inside; for the log, never for the caller.
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A refusal without more.
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            faults: Faults::default(),
            metadata: Vec::new(),
            retry_after: None,
            cause: None,
        }
    }

    /// A refusal that names faults.
    pub fn with_faults(code: ErrorCode, faults: Faults) -> Self {
        Self {
            faults,
            ..Self::new(code)
        }
    }

    /// With one more fact.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.metadata.push((key, value.to_string()));
        self
    }

    /// With the time after which to try again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.code.en())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause
            .as_ref()
            .map(|cause| &**cause as &(dyn std::error::Error + 'static))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let (code, wait) = match &error {
            StoreError::Busy => (ErrorCode::IntakeFull, Some(BUSY_RETRY)),
            StoreError::DiskFull => (ErrorCode::StoreFull, Some(DISK_RETRY)),
            StoreError::Unavailable(_) | StoreError::Closed => {
                (ErrorCode::StoreUnavailable, Some(BUSY_RETRY))
            }
            StoreError::Corrupt { .. } => (ErrorCode::Internal, None),
        };
        Self {
            retry_after: wait,
            cause: Some(Box::new(error)),
            ..Self::new(code)
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::KeyReused => Self::new(ErrorCode::IdempotencyKeyReused),
            Refusal::Details(faults) => {
                Self::with_faults(ErrorCode::DossierDetailsIncomplete, faults)
            }
            Refusal::Transition { from, to } => Self::new(ErrorCode::DossierTransitionRefused)
                .with("from", from.code())
                .with("to", to.code())
                .with("allowed", allowed_after(from)),
        }
    }
}

/// The statuses that may follow `from`, as numbers; the same status again always may.
fn allowed_after(from: DossierStatus) -> String {
    let next = from.allowed_next().iter().map(|status| status.code());
    let all = std::iter::once(from.code())
        .chain(next)
        .map(|code| code.to_string());
    all.collect::<Vec<_>>().join(",")
}
