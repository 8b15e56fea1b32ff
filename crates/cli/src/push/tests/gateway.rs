//! A gateway over plaintext that stores keys in memory and behaves as its mood is.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures_util::{Stream, StreamExt as _, stream};
use lienthong_proto::dossier::v1::dossier_service_server::{DossierService, DossierServiceServer};
use lienthong_proto::dossier::v1::stream_status_response::Result as Answer;
use lienthong_proto::dossier::v1::*;
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};

use super::super::Target;
use super::super::reader::MESSAGE_BYTES_MAX;
use super::super::state::Route;

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// How the gateway behaves.
#[derive(Clone)]
pub(super) enum Mood {
    /// Accepts everything.
    Kind,
    /// Breaks off with and without storing, and asks for patience, as the seed decides.
    Flaky { seed: u64 },
    /// Asks the client to stop after so many events.
    StopsAfter {
        events: u64,
        stop: CancellationToken,
    },
    /// Refuses a status for good.
    Refuses { status: i32 },
}

#[derive(Default)]
struct Record {
    keys: HashSet<String>,
    stored: Vec<(String, String)>,
    received: u64,
    breaks: u64,
    patience_asked: u64,
    random: u64,
}

impl Record {
    /// Numbers that repeat for a seed; the high bits of a linear congruence are good enough here.
    fn below(&mut self, bound: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % bound
    }

    fn store(&mut self, event: &StatusEvent) -> Answer {
        let is_new = self.keys.insert(event.idempotency_key.clone());
        if is_new {
            self.stored
                .push((event.dossier_code.clone(), event.idempotency_key.clone()));
        }
        Answer::Receipt(Receipt {
            duplicate: !is_new,
            ..Receipt::default()
        })
    }
}

/// The gateway; it ends with this value.
pub(super) struct FakeGateway {
    address: SocketAddr,
    record: Arc<Mutex<Record>>,
    _tasks: JoinSet<()>,
}

impl FakeGateway {
    pub(super) async fn start(mood: Mood) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let random = if let Mood::Flaky { seed } = &mood {
            *seed
        } else {
            0
        };
        let record = Arc::new(Mutex::new(Record {
            random,
            ..Record::default()
        }));
        let service = DossierServiceServer::new(Service {
            mood,
            record: record.clone(),
        })
        .max_decoding_message_size(MESSAGE_BYTES_MAX);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let incoming = TcpListenerStream::new(listener);
            Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming)
                .await
                .unwrap();
        });
        Self {
            address,
            record,
            _tasks: tasks,
        }
    }

    pub(super) fn target(&self) -> Target {
        target_at(self.address)
    }

    /// Dossier and key of each event, in the order in which they were first accepted.
    pub(super) fn stored(&self) -> Vec<(String, String)> {
        self.record.lock().unwrap().stored.clone()
    }

    pub(super) fn received(&self) -> u64 {
        self.record.lock().unwrap().received
    }

    pub(super) fn breaks(&self) -> u64 {
        self.record.lock().unwrap().breaks
    }

    pub(super) fn patience_asked(&self) -> u64 {
        self.record.lock().unwrap().patience_asked
    }
}

pub(super) fn target_at(address: SocketAddr) -> Target {
    let endpoint = format!("http://{address}");
    Target {
        route: Route::new(&endpoint, None),
        channel: Endpoint::from_shared(endpoint).unwrap().connect_lazy(),
    }
}

/// An address where nobody listens any more.
pub(super) fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

struct Service {
    mood: Mood,
    record: Arc<Mutex<Record>>,
}

fn refusal(code: i32, reason: &str) -> Answer {
    let retry_after = (code == 8).then_some(prost_types::Duration {
        seconds: 0,
        nanos: 1_000_000,
    });
    Answer::Refusal(Refusal {
        code,
        reason: reason.into(),
        retry_after,
        ..Refusal::default()
    })
}

/// What happens to one event; an error breaks the stream off.
fn decide(mood: &Mood, record: &mut Record, event: &StatusEvent) -> Result<Answer, Status> {
    record.received += 1;
    match mood {
        Mood::Flaky { .. } => match record.below(100) {
            0 => {
                record.breaks += 1;
                Err(Status::unavailable("broke off before storing"))
            }
            1 => {
                record.breaks += 1;
                record.store(event);
                Err(Status::unavailable("broke off after storing"))
            }
            2 | 3 => {
                record.patience_asked += 1;
                Ok(refusal(8, "INTAKE_FULL"))
            }
            _ => Ok(record.store(event)),
        },
        Mood::StopsAfter { events, stop } => {
            if record.received == *events {
                stop.cancel();
            }
            Ok(record.store(event))
        }
        Mood::Refuses { status } if event.status == *status => {
            Ok(refusal(9, "DOSSIER_TRANSITION_REFUSED"))
        }
        Mood::Kind | Mood::Refuses { .. } => Ok(record.store(event)),
    }
}

#[tonic::async_trait]
impl DossierService for Service {
    type StreamStatusStream = Responses<StreamStatusResponse>;
    type WatchStatusStream = Responses<WatchStatusResponse>;

    async fn stream_status(
        &self,
        request: Request<Streaming<StreamStatusRequest>>,
    ) -> Result<Response<Self::StreamStatusStream>, Status> {
        let (mood, record) = (self.mood.clone(), self.record.clone());
        let answers = stream::unfold(Some(request.into_inner()), move |requests| {
            let (mood, record) = (mood.clone(), record.clone());
            async move {
                let mut requests = requests?;
                let message = requests.message().await.ok()??;
                let event = message.event.unwrap_or_default();
                let decided = decide(&mood, &mut record.lock().unwrap(), &event);
                let next = decided.is_ok().then_some(requests);
                let client_ref = message.client_ref;
                let result = |answer| StreamStatusResponse {
                    client_ref,
                    result: Some(answer),
                };
                Some((decided.map(result), next))
            }
        });
        Ok(Response::new(answers.boxed()))
    }

    async fn push_status(
        &self,
        _: Request<PushStatusRequest>,
    ) -> Result<Response<PushStatusResponse>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn batch_push_status(
        &self,
        _: Request<BatchPushStatusRequest>,
    ) -> Result<Response<BatchPushStatusResponse>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn get_dossier(
        &self,
        _: Request<GetDossierRequest>,
    ) -> Result<Response<GetDossierResponse>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn list_status_events(
        &self,
        _: Request<ListStatusEventsRequest>,
    ) -> Result<Response<ListStatusEventsResponse>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn list_dossiers(
        &self,
        _: Request<ListDossiersRequest>,
    ) -> Result<Response<ListDossiersResponse>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn watch_status(
        &self,
        _: Request<WatchStatusRequest>,
    ) -> Result<Response<Self::WatchStatusStream>, Status> {
        Err(Status::unimplemented(""))
    }
}
