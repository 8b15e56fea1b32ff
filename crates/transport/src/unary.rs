//! A channel for unary gRPC calls on a hot path: one connection, and nothing between a call and its frames.
//!
//! tonic's own channel hands each request through two queues and a task of its own. Here the caller writes the frames
//! and reads the answer itself; only the connection has a task.

mod line;

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use crate::client::{ChannelTimeouts, ClientTls, Connector};
use crate::error::TransportError;
use line::Lines;

/// Connects at its first call and again when needed; clones share the connection. A request is sent whole before its
/// answer is read, so its stream must end by itself.
#[derive(Clone)]
pub struct UnaryChannel(Arc<Lines>);

impl UnaryChannel {
    /// A channel to `https://host:port`. Callers bound their calls themselves: [`ChannelTimeouts::request`] is not
    /// kept here.
    ///
    /// # Errors
    /// [`TransportError::BadEndpoint`] when the endpoint has another form.
    pub fn new(
        endpoint: &str,
        tls: ClientTls,
        timeouts: &ChannelTimeouts,
    ) -> Result<Self, TransportError> {
        let connector = Connector::new(endpoint, tls)?;
        Ok(Self(Arc::new(Lines::new(connector, timeouts.clone()))))
    }
}

impl fmt::Debug for UnaryChannel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("UnaryChannel")
            .finish_non_exhaustive()
    }
}

impl Service<Request<Body>> for UnaryChannel {
    type Response = Response<Answer>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answer>, Status>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        // A call waits for the connection itself.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(exchange(self.0.clone(), request))
    }
}

async fn exchange(lines: Arc<Lines>, request: Request<Body>) -> Result<Response<Answer>, Status> {
    let mut sender = lines.sender().await?;
    let (mut head, body) = request.into_parts();
    head.uri = lines.uri_of(&head.uri);
    let head = Request::from_parts(head, ());
    let (answer, mut sending) = sender.send_request(head, false).map_err(broken)?;
    let mut body = pin!(body);
    // The last frame says that it is the last, so one is always held back.
    let mut last = Bytes::new();
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        let before = std::mem::replace(&mut last, data);
        if !before.is_empty() {
            sending.send_data(before, false).map_err(broken)?;
        }
    }
    sending.send_data(last, true).map_err(broken)?;
    let answer = answer.await.map_err(broken)?;
    Ok(answer.map(|stream| Answer {
        stream,
        data_read: false,
    }))
}

/// The connection did not bring the answer. What h2 says of that holds no content.
#[expect(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn broken(error: h2::Error) -> Status {
    Status::unavailable(format!("the connection broke: {error}"))
}

/// The body of an answer. Dropped before its end, it cancels the call.
pub struct Answer {
    stream: RecvStream,
    data_read: bool,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if !self.data_read {
            if let Some(data) = ready!(self.stream.poll_data(context)) {
                let read = data.and_then(|data| {
                    let window = self.stream.flow_control();
                    window.release_capacity(data.len())?;
                    Ok(Frame::data(data))
                });
                return Poll::Ready(Some(read.map_err(broken)));
            }
            self.data_read = true;
        }
        let trailers = ready!(self.stream.poll_trailers(context)).map_err(broken);
        Poll::Ready(trailers.map(|read| read.map(Frame::trailers)).transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }
}
