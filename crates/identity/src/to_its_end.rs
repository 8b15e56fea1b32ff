//! Work that is done to its end although the caller may go away: by the caller while it waits, else by a task.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use lienthong_domain::ErrorCode;
use lienthong_services::Error;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Work under way, counted by a tracker. Polled by its caller, so that the ordinary question costs no task;
/// dropped before it has ended, it goes on in a task of the tracker.
pub(crate) struct ToItsEnd<T: Send + 'static> {
    /// Taken out while it is polled, so that work that panicked is not polled again.
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    tracked: TaskTrackerToken,
    runtime: Handle,
}

impl<T: Send + 'static> ToItsEnd<T> {
    /// Begins with the first poll. A panic is answered as `INTERNAL`.
    pub(crate) fn new(
        work: impl Future<Output = T> + Send + 'static,
        tracker: &TaskTracker,
    ) -> Self {
        Self {
            work: Some(Box::pin(work)),
            tracked: tracker.token(),
            runtime: Handle::current(),
        }
    }
}

impl<T: Send + 'static> Future for ToItsEnd<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut work = self.work.take().expect("polled after its end");
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Ready(ended)) => Poll::Ready(Ok(ended)),
            Ok(Poll::Pending) => {
                self.work = Some(work);
                Poll::Pending
            }
            // It was told where it happened, and what the work held is dropped.
            Err(_panic) => Poll::Ready(Err(Error::new(ErrorCode::Internal))),
        }
    }
}

impl<T: Send + 'static> Drop for ToItsEnd<T> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            let tracker = self.tracked.task_tracker();
            // Nobody wants the answer any more; the record is written.
            tracker.spawn_on(async { drop(work.await) }, &self.runtime);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_that_is_waited_for_costs_no_task() {
        let tracker = TaskTracker::new();
        let work = async {
            tokio::task::yield_now().await;
            tokio::task::try_id()
        };
        let working = ToItsEnd::new(work, &tracker);
        assert_eq!(tracker.len(), 1);
        assert_eq!(working.await.unwrap(), tokio::task::try_id());
        assert_eq!(tracker.len(), 0);
    }

    #[tokio::test]
    async fn work_whose_caller_goes_away_is_done_all_the_same() {
        let tracker = TaskTracker::new();
        let (go_on, wait) = oneshot::channel();
        let (done, told) = oneshot::channel();
        let work = async {
            wait.await.unwrap();
            done.send("đã ghi").unwrap();
        };
        let mut working = Box::pin(ToItsEnd::new(work, &tracker));
        assert!(poll_once(&mut working).is_pending());
        drop(working);
        assert_eq!(tracker.len(), 1);
        go_on.send(()).unwrap();
        assert_eq!(told.await.unwrap(), "đã ghi");
        tracker.close();
        tracker.wait().await;
    }

    #[tokio::test]
    async fn a_panic_is_internal_and_is_not_polled_again() {
        let tracker = TaskTracker::new();
        let working = ToItsEnd::new(async { panic!("a defect") }, &tracker);
        let ended: Result<(), Error> = working.await;
        assert_eq!(ended.unwrap_err().code, ErrorCode::Internal);
        assert_eq!(tracker.len(), 0);
    }

    fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(std::task::Waker::noop()))
    }
}
