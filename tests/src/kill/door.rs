//! The two ways a province pushes: unary calls, and one stream for many dossiers at once.
//!
//! Neither repeats anything: an answer is a receipt, a definite refusal, or unknown.

use std::collections::HashMap;
use std::time::Duration;

use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_proto::dossier::v1::stream_status_response::Result as Answer;
use lienthong_proto::dossier::v1::{self as proto, PushStatusRequest, StreamStatusRequest};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

use super::checker::Receipt;

/// Longest wait for an answer; then the outcome is unknown.
pub const ANSWER_MAX: Duration = Duration::from_secs(5);
/// The wait before a broken stream is opened again.
const REOPEN_PAUSE: Duration = Duration::from_millis(50);
/// Events that wait for the stream, and that are under way on it.
const STREAM_ITEMS_MAX: usize = 64;

/// Why there is no receipt.
#[derive(Debug)]
pub enum NoReceipt {
    /// The gateway may have stored it: offer it again under its key.
    Unknown,
    /// A definite answer, with its reason.
    Refused(String),
}

/// What came of one push.
pub type Pushed = Result<Receipt, NoReceipt>;

/// An event on its way to the stream.
type Item = (proto::StatusEvent, oneshot::Sender<Pushed>);

/// One of the two ways.
#[derive(Clone, Debug)]
pub enum Door {
    /// One call per event.
    Unary(DossierServiceClient<Channel>),
    /// The queue of a [`StreamLink`].
    Stream(mpsc::Sender<(proto::StatusEvent, oneshot::Sender<Pushed>)>),
}

impl Door {
    /// Pushes once.
    ///
    /// # Errors
    /// There is no receipt; [`NoReceipt`] says whether the event may be stored all the same.
    pub async fn push(&mut self, event: proto::StatusEvent) -> Pushed {
        let pushed = async {
            match self {
                Self::Unary(client) => push_unary(client, event).await,
                Self::Stream(queue) => {
                    let (answer, answered) = oneshot::channel();
                    queue
                        .send((event, answer))
                        .await
                        .map_err(|_| NoReceipt::Unknown)?;
                    answered.await.unwrap_or(Err(NoReceipt::Unknown))
                }
            }
        };
        tokio::time::timeout(ANSWER_MAX, pushed)
            .await
            .unwrap_or(Err(NoReceipt::Unknown))
    }
}

async fn push_unary(
    client: &mut DossierServiceClient<Channel>,
    event: proto::StatusEvent,
) -> Pushed {
    let answer = client
        .push_status(PushStatusRequest { event: Some(event) })
        .await;
    let receipt = answer
        .map_err(|status| no_receipt(status.code(), || reason(&status)))?
        .into_inner()
        .receipt;
    receipt
        .map(receipt_of)
        .ok_or_else(|| NoReceipt::Refused("an answer without a receipt".to_owned()))
}

/// Whether a code says for certain that nothing was stored and never will be.
fn no_receipt(code: Code, reason: impl FnOnce() -> String) -> NoReceipt {
    match code {
        Code::InvalidArgument
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::NotFound
        | Code::OutOfRange
        | Code::Unimplemented => NoReceipt::Refused(reason()),
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => NoReceipt::Unknown,
    }
}

fn reason(status: &Status) -> String {
    use tonic_types::StatusExt as _;
    let details = status.get_error_details();
    let reason = details
        .error_info()
        .map(|info| info.reason.clone())
        .unwrap_or_default();
    format!(
        "{:?} {reason} {} {:?}",
        status.code(),
        status.message(),
        details.bad_request()
    )
}

/// The part of a receipt that must be the same for every repetition.
pub fn receipt_of(receipt: proto::Receipt) -> Receipt {
    let at = receipt.accepted_at.unwrap_or_default();
    Receipt {
        event_id: receipt.event_id,
        dossier: receipt.dossier_code,
        sequence: receipt.dossier_sequence,
        accepted_at: (at.seconds, at.nanos),
        late: receipt.late,
    }
}

/// What a refusal inside a stream or a batch means.
pub fn refusal_of(refusal: &proto::Refusal) -> NoReceipt {
    no_receipt(Code::from_i32(refusal.code), || format!("{refusal:?}"))
}

/// Carries events over one stream, and opens it again whenever it breaks.
#[derive(Debug)]
pub struct StreamLink {
    client: DossierServiceClient<Channel>,
    items: mpsc::Receiver<Item>,
    waiting: HashMap<u64, oneshot::Sender<Pushed>>,
    next_ref: u64,
}

impl StreamLink {
    /// A link and the door to it.
    pub fn new(client: DossierServiceClient<Channel>) -> (Self, Door) {
        let (queue, items) = mpsc::channel(STREAM_ITEMS_MAX);
        (
            Self {
                client,
                items,
                waiting: HashMap::new(),
                next_ref: 0,
            },
            Door::Stream(queue),
        )
    }

    /// Works until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.one_stream() => {}
            }
            // What was under way may or may not be stored: dropping its sender says "unknown".
            self.waiting.clear();
            tokio::time::sleep(REOPEN_PAUSE).await;
        }
    }

    /// One stream, from its opening to its end. It is opened for the first event, because the gateway may
    /// answer the opening only together with that.
    async fn one_stream(&mut self) {
        let Some(first) = self.items.recv().await else {
            return;
        };
        let (requests, outgoing) = mpsc::channel(STREAM_ITEMS_MAX);
        if !self.send(first, &requests).await {
            return;
        }
        let opened = self.client.stream_status(ReceiverStream::new(outgoing));
        let Ok(Ok(answers)) = tokio::time::timeout(ANSWER_MAX, opened).await else {
            return;
        };
        let mut answers: Streaming<proto::StreamStatusResponse> = answers.into_inner();
        loop {
            let room = self.waiting.len() < STREAM_ITEMS_MAX;
            tokio::select! {
                answer = tokio::time::timeout(ANSWER_MAX, answers.message()), if !self.waiting.is_empty() => {
                    let Ok(Ok(Some(answer))) = answer else { return };
                    self.answer(answer);
                }
                item = self.items.recv(), if room => {
                    let Some(item) = item else { return };
                    if !self.send(item, &requests).await {
                        return;
                    }
                }
            }
        }
    }

    /// Writes an event; false when the stream is gone.
    async fn send(
        &mut self,
        (event, sender): Item,
        requests: &mpsc::Sender<StreamStatusRequest>,
    ) -> bool {
        self.next_ref += 1;
        let client_ref = self.next_ref;
        self.waiting.insert(client_ref, sender);
        requests
            .send(StreamStatusRequest {
                client_ref,
                event: Some(event),
            })
            .await
            .is_ok()
    }

    fn answer(&mut self, answer: proto::StreamStatusResponse) {
        let Some(sender) = self.waiting.remove(&answer.client_ref) else {
            return;
        };
        let pushed = match answer.result {
            Some(Answer::Receipt(receipt)) => Ok(receipt_of(receipt)),
            Some(Answer::Refusal(refusal)) => Err(refusal_of(&refusal)),
            None => Err(NoReceipt::Refused("an answer without a result".to_owned())),
        };
        // Whoever waited may have given up.
        drop(sender.send(pushed));
    }
}
