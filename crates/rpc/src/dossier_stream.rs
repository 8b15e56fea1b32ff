//! `StreamStatus`: a bounded window over one stream.
//!
//! One group of events is being committed while the next is gathered; the next message is read only while
//! there is room in that next group, so HTTP/2 flow control slows the sender down. Everything runs inside the
//! answer stream: a sender that does not read its answers is not read either.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use futures_util::future::BoxFuture;
use lienthong_domain::ErrorCode;
use lienthong_proto::dossier::v1 as proto;
use lienthong_services::{Error, Services};
use prost::Message as _;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::caller::Context;
use crate::convert::event;
use crate::push::{self, Answer, Offered};
use crate::status;

/// Most events of one group.
const GROUP_EVENTS_MAX: usize = 256;
/// A group with this many bytes takes no further message.
const GROUP_BYTES_MAX: usize = 1024 * 1024;
/// Longest single pause of a stream that is over its rate, before it asks again.
const RATE_PAUSE_MAX: Duration = Duration::from_secs(1);

/// The answers to a stream of events, in order of commit.
pub(crate) fn answers(
    services: Arc<Services>,
    context: Context,
    messages: Streaming<proto::StreamStatusRequest>,
    stop: CancellationToken,
) -> impl Stream<Item = Result<proto::StreamStatusResponse, Status>> + Send {
    let window = Window {
        services,
        context,
        messages,
        stop,
        gathered: Group::default(),
        committing: None,
        answers: VecDeque::new(),
        ended: None,
    };
    futures_util::stream::unfold(Some(window), |window| async move {
        let mut window = window?;
        match window.next().await {
            Ok(answer) => Some((Ok(answer), Some(window))),
            Err(End::Sender) => None,
            Err(End::Refused(status)) => Some((Err(*status), None)),
        }
    })
}

struct Window {
    services: Arc<Services>,
    context: Context,
    messages: Streaming<proto::StreamStatusRequest>,
    stop: CancellationToken,
    gathered: Group,
    committing: Option<BoxFuture<'static, Vec<proto::StreamStatusResponse>>>,
    answers: VecDeque<proto::StreamStatusResponse>,
    /// Set once no more messages are read.
    ended: Option<End>,
}

/// Events taken and not yet being committed, with the sender's numbers.
#[derive(Default)]
struct Group {
    client_refs: Vec<u64>,
    offered: Vec<Offered>,
    bytes: usize,
}

/// Why a stream ends once everything taken is answered.
#[derive(Clone)]
enum End {
    /// The sender has finished.
    Sender,
    /// It cannot go on.
    Refused(Box<Status>),
}

impl Window {
    /// The next answer; the end only when nothing taken is left without one.
    async fn next(&mut self) -> Result<proto::StreamStatusResponse, End> {
        loop {
            if let Some(answer) = self.answers.pop_front() {
                return Ok(answer);
            }
            let idle = self.committing.is_none();
            if let (true, true, Some(end)) = (idle, self.gathered.is_empty(), &self.ended) {
                return Err(end.clone());
            }
            let open = self.ended.is_none();
            // In this order: what is available without waiting joins the group before the group goes.
            tokio::select! {
                biased;
                () = self.stop.cancelled(), if open => {
                    self.ended = Some(refused(status::draining(self.context.request)));
                }
                () = self.context.deadline_passed(), if open => {
                    let error = Error::new(ErrorCode::DeadlineTooShort);
                    self.ended = Some(refused(self.context.status(&error)));
                }
                answers = committed(&mut self.committing), if !idle => {
                    self.committing = None;
                    self.answers.extend(answers);
                }
                message = self.messages.message(), if open && self.gathered.has_room() => {
                    self.take(message);
                }
                () = std::future::ready(()), if idle && !self.gathered.is_empty() => self.commit(),
            }
        }
    }

    fn take(&mut self, message: Result<Option<proto::StreamStatusRequest>, Status>) {
        match message {
            Ok(Some(message)) => self.gathered.push(&message),
            Ok(None) => self.ended = Some(End::Sender),
            Err(fault) => {
                self.ended = Some(refused(status::from_tonic(fault, self.context.request)));
            }
        }
    }

    fn commit(&mut self) {
        let group = std::mem::take(&mut self.gathered);
        let (services, context) = (self.services.clone(), self.context.clone());
        let stop = self.stop.clone();
        self.committing = Some(Box::pin(async move {
            let answers = match admitted(&services, &context, &group, &stop).await {
                Ok(()) => push::push_all(&services, &context, group.offered).await,
                Err(error) => push::refuse_all(&services, &context, group.offered, &error),
            };
            let named = group.client_refs.into_iter().zip(answers);
            named
                .map(|(client_ref, answer)| response(client_ref, answer))
                .collect()
        }));
    }
}

/// Waits until the participant's rate admits the group; a stream is slowed down, not refused. While the
/// gateway stops there is no time to wait for the rate, and the refusal says when to come again.
async fn admitted(
    services: &Services,
    context: &Context,
    group: &Group,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let good = group
        .offered
        .iter()
        .filter(|offered| offered.is_ok())
        .count();
    let good = u32::try_from(good).unwrap_or(u32::MAX);
    loop {
        let error = match services.admit(&context.caller, good) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let Some(wait) = error.retry_after else {
            return Err(error);
        };
        tokio::select! {
            () = tokio::time::sleep(wait.min(RATE_PAUSE_MAX)) => {}
            () = stop.cancelled() => return Err(error),
        }
    }
}

async fn committed(
    committing: &mut Option<BoxFuture<'static, Vec<proto::StreamStatusResponse>>>,
) -> Vec<proto::StreamStatusResponse> {
    match committing {
        Some(commit) => commit.await,
        None => std::future::pending().await,
    }
}

fn refused(status: Status) -> End {
    End::Refused(Box::new(status))
}

fn response(client_ref: u64, answer: Answer) -> proto::StreamStatusResponse {
    use proto::stream_status_response::Result as Item;
    proto::StreamStatusResponse {
        client_ref,
        result: Some(match answer {
            Answer::Receipt(receipt) => Item::Receipt(receipt),
            Answer::Refusal(refusal) => Item::Refusal(refusal),
        }),
    }
}

impl Group {
    fn is_empty(&self) -> bool {
        self.offered.is_empty()
    }

    fn has_room(&self) -> bool {
        self.offered.len() < GROUP_EVENTS_MAX && self.bytes < GROUP_BYTES_MAX
    }

    fn push(&mut self, message: &proto::StreamStatusRequest) {
        self.bytes += message.encoded_len();
        self.client_refs.push(message.client_ref);
        self.offered
            .push(event::from_request(message.event.as_ref()));
    }
}
