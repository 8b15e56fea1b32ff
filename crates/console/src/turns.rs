//! How many requests are answered at once, and for how long each.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::Semaphore;

use crate::Shared;
use crate::fault::PageError;
use crate::frame::Manners;
use crate::guard::{BODY_BYTES_MAX, with_page};
use crate::layout;

/// Requests to pages behind the door answered at once.
const REQUESTS_MAX: usize = 64;
/// Requests at the door answered at once.
const DOOR_REQUESTS_MAX: usize = 32;
/// Requests that may wait for the identity provider at once.
const PROVIDER_REQUESTS_MAX: usize = 16;
/// Longest wait for the body of a request.
const BODY_WAIT_MAX: Duration = Duration::from_secs(5);
/// Longest wait for one's turn.
const TURN_WAIT_MAX: Duration = Duration::from_secs(5);
/// Longest time to answer a request that has its turn.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// Where a request is answered. Each place has turns of its own, so that those who stand outside never take the turns
/// of those who are signed in, and a provider that hangs takes those of nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Pages behind the door.
    Inside,
    /// The door itself, which anybody can reach.
    Door,
    /// The way to the identity provider and back.
    Provider,
}

/// The turns of each place.
pub(crate) struct Turns {
    inside: Semaphore,
    door: Semaphore,
    provider: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            inside: Semaphore::new(REQUESTS_MAX),
            door: Semaphore::new(DOOR_REQUESTS_MAX),
            provider: Semaphore::new(PROVIDER_REQUESTS_MAX),
        }
    }
}

impl Turns {
    fn of(&self, place: Place) -> &Semaphore {
        match place {
            Place::Inside => &self.inside,
            Place::Door => &self.door,
            Place::Provider => &self.provider,
        }
    }
}

/// A turn and a time limit for every request, and a page for every error that has none yet.
pub(crate) async fn take_turns(
    State((console, place)): State<(Shared, Place)>,
    request: Request,
    next: Next,
) -> Response {
    let manners = Manners::of(request.headers());
    let request = match with_body(request).await {
        Ok(request) => request,
        Err(error) => return layout::error_page(None, &manners, &error),
    };
    let turn = tokio::time::timeout(TURN_WAIT_MAX, console.turns.of(place).acquire()).await;
    let answer = match turn {
        Ok(Ok(_turn)) => tokio::time::timeout(ANSWER_TIME_MAX, next.run(request)).await,
        _ => return layout::error_page(None, &manners, &PageError::Busy),
    };
    if let Ok(response) = answer {
        return with_page(response, None, &manners);
    }
    tracing::warn!("a page took longer than the console gives it");
    layout::error_page(None, &manners, &PageError::Busy)
}

/// The request with its whole body, so that no turn is held while one trickles in.
async fn with_body(request: Request) -> Result<Request, PageError> {
    let (parts, body) = request.into_parts();
    let read = tokio::time::timeout(BODY_WAIT_MAX, to_bytes(body, BODY_BYTES_MAX)).await;
    match read {
        Ok(Ok(bytes)) => Ok(Request::from_parts(parts, Body::from(bytes))),
        Ok(Err(_)) => Err(PageError::faulty(
            "Biểu mẫu lớn hơn 64 KiB.",
            "The form is larger than 64 KiB.",
        )),
        Err(_) => Err(PageError::faulty(
            "Biểu mẫu đến quá chậm nên không được nhận. Hãy gửi lại.",
            "The form came too slowly and was not taken. Send it again.",
        )),
    }
}
