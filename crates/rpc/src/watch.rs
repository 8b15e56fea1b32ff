//! `WatchStatus`: what happened after a cursor, at least once, until the caller leaves.
//!
//! The store's wake-up only says that there may be something; the store's rows say what. A heartbeat carries
//! the cursor over changes that the caller may not see.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use lienthong_domain::{AgencyCode, ErrorCode};
use lienthong_ports::store::{Change, ChangeCursor};
use lienthong_proto::dossier::v1 as proto;
use lienthong_proto::dossier::v1::watch_status_response::Change as Shown;
use lienthong_services::{Error, Services};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::caller::Context;
use crate::convert::{self, instant_to_proto, views};
use crate::dossier::invalid;
use crate::{pages, status};

/// Longest silence of a watch.
pub(crate) const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);
/// Most changes read at once.
const CHANGES_MAX: usize = 200;

/// The changes from the request's cursor on.
///
/// # Errors
/// `PAGE_TOKEN_INVALID`, the fault of the agency code, or those of the store.
pub(crate) async fn changes(
    services: Arc<Services>,
    context: Context,
    request: &proto::WatchStatusRequest,
    stop: CancellationToken,
) -> Result<impl Stream<Item = Result<proto::WatchStatusResponse, Status>> + Send + use<>, Error> {
    let agency = convert::watched_agency(request.agency_code.as_deref()).map_err(invalid)?;
    let cursor = match pages::cursor_from_text(&request.cursor)? {
        Some(cursor) => cursor,
        None => services.newest_cursor().await?,
    };
    let watcher = Watcher {
        wakeups: services.wakeups(),
        services,
        context,
        agency,
        cursor,
        shown: VecDeque::new(),
        heartbeat_at: Instant::now() + HEARTBEAT_INTERVAL,
        stop,
    };
    Ok(futures_util::stream::unfold(
        Some(watcher),
        |watcher| async move {
            let mut watcher = watcher?;
            match watcher.next().await {
                Ok(message) => {
                    watcher.heartbeat_at = Instant::now() + HEARTBEAT_INTERVAL;
                    Some((Ok(message), Some(watcher)))
                }
                Err(status) => Some((Err(status), None)),
            }
        },
    ))
}

struct Watcher {
    services: Arc<Services>,
    context: Context,
    agency: Option<AgencyCode>,
    /// After everything read; what is in `shown` lies before it.
    cursor: ChangeCursor,
    shown: VecDeque<proto::WatchStatusResponse>,
    wakeups: watch::Receiver<u64>,
    heartbeat_at: Instant,
    stop: CancellationToken,
}

impl Watcher {
    async fn next(&mut self) -> Result<proto::WatchStatusResponse, Status> {
        loop {
            if let Some(message) = self.shown.pop_front() {
                return Ok(message);
            }
            if self.stop.is_cancelled() {
                return Err(status::draining(self.context.request));
            }
            // Marked as seen before reading, so that a commit during the read wakes the next wait.
            self.wakeups.mark_unchanged();
            if self
                .read()
                .await
                .map_err(|error| self.context.status(&error))?
            {
                continue;
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {}
                () = self.context.deadline_passed() => {
                    return Err(self.context.status(&Error::new(ErrorCode::DeadlineTooShort)));
                }
                woken = self.wakeups.changed() => {
                    // The store is gone, and with it everything there is to watch.
                    woken.map_err(|_| status::draining(self.context.request))?;
                }
                () = tokio::time::sleep_until(self.heartbeat_at) => return Ok(self.heartbeat()),
            }
        }
    }

    /// Reads what comes after the cursor; whether the cursor has moved.
    ///
    /// The store tells only where a whole read ends. So every message but the last of a read carries the
    /// cursor from before it: who resumes there gets some messages again and misses none.
    async fn read(&mut self) -> Result<bool, Error> {
        let (caller, agency) = (&self.context.caller, self.agency.as_ref());
        let before = self.cursor;
        let (found, after) = self
            .services
            .changes(caller, before, agency, CHANGES_MAX)
            .await?;
        let last = found.len().saturating_sub(1);
        let message = |(index, change): (usize, &Change)| {
            let cursor = if index == last { after } else { before };
            message(cursor, views::change_to_proto(change))
        };
        self.shown.extend(found.iter().enumerate().map(message));
        self.cursor = after;
        Ok(after != before)
    }

    fn heartbeat(&self) -> proto::WatchStatusResponse {
        let sent_at = Some(instant_to_proto(self.services.clock().now()));
        message(self.cursor, Shown::Heartbeat(proto::Heartbeat { sent_at }))
    }
}

fn message(cursor: ChangeCursor, change: Shown) -> proto::WatchStatusResponse {
    proto::WatchStatusResponse {
        cursor: pages::cursor_to_text(cursor),
        change: Some(change),
    }
}
