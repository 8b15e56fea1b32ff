//! Who calls: from what the connection proved, never from what the request says.

use lienthong_domain::participant::Caller;
use lienthong_domain::{ErrorCode, Operator, TraceContext};
use lienthong_services::{Error, Services, operators};
use lienthong_transport::{PeerIdentity, PeerInfo};
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use crate::request_id::RequestId;
use crate::status;

/// When a stream has to end, if its caller set a deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamDeadline(pub(crate) Option<Instant>);

/// When the answer of a unary request must have left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnaryDeadline(pub(crate) Instant);

/// The span of the caller, if it told one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallerSpan(pub(crate) TraceContext);

/// What a handler knows about its request beside the message.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// Who asks.
    pub(crate) caller: Caller,
    /// The request's id.
    pub(crate) request: RequestId,
    /// When to end a stream.
    pub(crate) deadline: Option<Instant>,
    /// When a unary request must be answered.
    pub(crate) answer_by: Instant,
    /// The span of the caller.
    pub(crate) trace: Option<TraceContext>,
}

impl Context {
    /// Reads the extensions that the connection and the layer have put into a request.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` without a proven peer or for an unregistered one, `PERMISSION_DENIED` for a suspended one.
    pub(crate) fn of<T>(request: &Request<T>, services: &Services) -> Result<Self, Status> {
        let extensions = request.extensions();
        let id = extensions.get::<RequestId>().copied();
        let id = id.unwrap_or_else(|| RequestId::new(services));
        let caller = extensions
            .get::<PeerInfo>()
            .ok_or_else(|| Error::new(ErrorCode::ParticipantUnknown))
            .and_then(|peer| known(services, &peer.identity))
            .map_err(|error| status::from_error(&error, id))?;
        Ok(Self {
            caller,
            request: id,
            deadline: extensions
                .get::<StreamDeadline>()
                .and_then(|deadline| deadline.0),
            answer_by: extensions
                .get::<UnaryDeadline>()
                .map_or_else(Instant::now, |deadline| deadline.0),
            trace: extensions.get::<CallerSpan>().map(|span| span.0),
        })
    }

    /// Who asks, as somebody with a role over the gateway.
    ///
    /// # Errors
    /// `NOT_OPERATOR`.
    pub(crate) fn operator(&self) -> Result<Operator, Error> {
        operators::of_caller(&self.caller)
    }

    /// The answer, or the status of the error.
    pub(crate) fn answer<T>(&self, answer: Result<T, Error>) -> Result<Response<T>, Status> {
        answer
            .map(Response::new)
            .map_err(|error| self.status(&error))
    }

    /// The status of an error of this request.
    pub(crate) fn status(&self, error: &Error) -> Status {
        status::from_error(error, self.request)
    }

    /// Waits for the stream's deadline; for ever where there is none.
    pub(crate) async fn deadline_passed(&self) {
        match self.deadline {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}

/// The caller behind a certificate, which is taken note of.
fn known(services: &Services, identity: &PeerIdentity) -> Result<Caller, Error> {
    let caller = services.caller(
        &identity.participant,
        &identity.system,
        &identity.spki_sha256,
    )?;
    services.note_seen(&caller, identity.not_after);
    Ok(caller)
}
