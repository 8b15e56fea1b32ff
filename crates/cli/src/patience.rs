//! How long a command tries again when the gateway cannot be reached or is busy.

use std::time::Duration;

use lienthong_domain::ErrorCode;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::errors::CliError;

/// Pause after the first failure; doubles each time.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// Longest pause of our own choosing.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Whether a repetition may succeed. Source: `Refusal.code` of the contract; CANCELLED and UNKNOWN
/// are what a broken connection looks like.
pub(crate) fn may_pass(code: Code) -> bool {
    matches!(
        code,
        Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::Internal
            | Code::Unavailable
            | Code::Cancelled
            | Code::Unknown
    )
}

/// What is left of the time in which something has to go forward.
#[derive(Debug)]
pub(crate) struct Patience {
    bound: Duration,
    forward_at: Instant,
    pause: Duration,
}

impl Patience {
    /// Patience for at most `bound` without any step forward.
    pub(crate) fn new(bound: Duration) -> Self {
        Self {
            bound,
            forward_at: Instant::now(),
            pause: PAUSE_FIRST,
        }
    }

    /// Something went forward: patience is whole again.
    pub(crate) fn forward(&mut self) {
        self.forward_at = Instant::now();
        self.pause = PAUSE_FIRST;
    }

    /// Rests before the next try; `false` when `stop` came first.
    ///
    /// # Errors
    /// [`CliError::Gateway`] for a refusal that time does not heal or that asks for more time than
    /// is left, [`CliError::Patience`] at the end of patience.
    pub(crate) async fn rest(
        &mut self,
        status: Status,
        stop: &CancellationToken,
    ) -> Result<bool, CliError> {
        let asked = status
            .get_details_retry_info()
            .and_then(|info| info.retry_delay);
        let pause = self.pause.max(asked.unwrap_or_default());
        let left = self.bound.saturating_sub(self.forward_at.elapsed());
        if is_final(&status, asked) || asked.is_some_and(|asked| asked > left) {
            return Err(status.into());
        }
        if pause > left {
            return Err(CliError::Patience {
                seconds: self.bound.as_secs(),
                source: Box::new(status),
            });
        }
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        tokio::select! {
            () = stop.cancelled() => Ok(false),
            () = sleep(pause) => Ok(true),
        }
    }
}

/// A gateway that has a reason of ours for its `RESOURCE_EXHAUSTED` and names no delay means it for good.
fn is_final(status: &Status, asked: Option<Duration>) -> bool {
    let reason = status.get_details_error_info().map(|info| info.reason);
    let is_ours = reason.is_some_and(|reason| reason.parse::<ErrorCode>().is_ok());
    let exhausted = status.code() == Code::ResourceExhausted;
    !may_pass(status.code()) || (exhausted && is_ours && asked.is_none())
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    fn refusal(reason: &str, delay: Option<Duration>) -> Status {
        let mut details = ErrorDetails::with_error_info(reason, "lienthong", []);
        details.set_retry_info(delay);
        Status::with_error_details(Code::ResourceExhausted, "", details)
    }

    async fn ends(status: Status) -> bool {
        let mut patience = Patience::new(Duration::from_mins(1));
        let stop = CancellationToken::new();
        patience.rest(status, &stop).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_time_heals_is_tried_again() {
        let second = Some(Duration::from_secs(1));
        assert!(!ends(Status::unavailable("")).await);
        assert!(!ends(Status::resource_exhausted("too large a queue")).await);
        assert!(!ends(refusal("QUOTA_EXCEEDED", second)).await);
        assert!(ends(refusal("QUOTA_EXCEEDED", Some(Duration::from_hours(1)))).await);
        assert!(ends(refusal("JOB_TOO_LARGE", None)).await);
        assert!(ends(Status::permission_denied("")).await);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_unless_something_goes_forward() {
        let mut patience = Patience::new(Duration::from_secs(10));
        let stop = CancellationToken::new();
        let mut rests = 0;
        let ended = loop {
            match patience.rest(Status::unavailable(""), &stop).await {
                Ok(go_on) => assert!(go_on),
                Err(error) => break error,
            }
            rests += 1;
            if rests == 5 {
                patience.forward();
            }
        };
        assert!(matches!(ended, CliError::Patience { seconds: 10, .. }));
        assert!((9..30).contains(&rests), "{rests}");
        stop.cancel();
        patience.forward();
        assert!(!patience.rest(Status::unavailable(""), &stop).await.unwrap());
    }
}
