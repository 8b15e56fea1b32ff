//! The contract over any registry: who asks, what is asked, how long it may take, what may leave.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use lienthong_convert::{
    citizen_to_proto, claims_from_proto, fields_from_proto, verification_to_proto,
};
use lienthong_domain::identity::Claims;
use lienthong_domain::{ErrorCode, Faults, Reason, TraceContext};
use lienthong_ports::{LookUp, PopulationRegistry, Question, RegistryError};
use lienthong_proto::identity::v1 as identity;
use lienthong_proto::population::v1 as proto;
use lienthong_proto::population::v1::look_up_citizen_response::Result as Looked;
use lienthong_proto::population::v1::population_registry_service_server::PopulationRegistryService;
use lienthong_transport::{GRPC_TIMEOUT_HEADER, PeerInfo, parse_grpc_timeout};
use tokio::sync::{Semaphore, SemaphorePermit};
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use crate::config::ServerConfig;
use crate::convert::question_from_proto;
use crate::status;

/// What is kept of the caller's time, so that our answer comes before its end.
const ANSWER_TIME: Duration = Duration::from_millis(10);
/// The pause suggested when too many questions are under way.
const BUSY_RETRY: Duration = Duration::from_millis(200);

/// The service.
pub(super) struct PopulationService {
    registry: Arc<dyn PopulationRegistry>,
    /// Participant and system of those who may ask.
    peers: HashSet<(String, String)>,
    slots: Semaphore,
    deadline_default: Duration,
    deadline_max: Duration,
}

/// A question that was let in.
struct Admitted<'a> {
    timeout: Duration,
    _slot: SemaphorePermit<'a>,
}

impl PopulationService {
    pub(super) fn new(registry: Arc<dyn PopulationRegistry>, config: &ServerConfig) -> Self {
        let peers = config.peers.iter();
        Self {
            registry,
            peers: peers
                .map(|peer| (peer.participant.clone(), peer.system.clone()))
                .collect(),
            slots: Semaphore::new(config.calls_max),
            deadline_default: Duration::from_millis(config.deadline_ms_default),
            deadline_max: Duration::from_millis(config.deadline_ms_max),
        }
    }

    /// Lets a question of an allowed peer in, with the time that it has.
    fn admit<T>(&self, request: &Request<T>) -> Result<Admitted<'_>, Status> {
        let peer = request.extensions().get::<PeerInfo>();
        let peer = peer.ok_or_else(|| status::refusal(ErrorCode::ParticipantUnknown))?;
        let name = (
            peer.identity.participant.clone(),
            peer.identity.system.clone(),
        );
        if !self.peers.contains(&name) {
            tracing::warn!(
                participant.id = name.0,
                system.name = name.1,
                "a system that is not on the list was refused",
            );
            return Err(status::refusal(ErrorCode::GrantMissing));
        }
        let asked = timeout(request.metadata())
            .map_err(|reason| status::from_faults(&Faults::one(GRPC_TIMEOUT_HEADER, reason)))?;
        let allowed = asked
            .unwrap_or(self.deadline_default)
            .min(self.deadline_max);
        let timeout = allowed.saturating_sub(ANSWER_TIME);
        if timeout.is_zero() {
            return Err(status::refusal(ErrorCode::DeadlineTooShort));
        }
        let full = RegistryError::Busy {
            retry_after: Some(BUSY_RETRY),
        };
        let slot = self.slots.try_acquire();
        Ok(Admitted {
            timeout,
            _slot: slot.map_err(|_full| status::from_registry(&full))?,
        })
    }
}

/// Question and claims, with the faults of both.
fn read_asked(
    question: Option<&proto::Question>,
    claims: Option<&identity::Claims>,
    faults: &mut Faults,
) -> Option<(Question, Claims)> {
    let question = question.map_or_else(|| Err(missing()), question_from_proto);
    let claims = claims.map_or_else(|| Err(missing()), claims_from_proto);
    let question = question.map_err(|found| faults.extend_under("question", found));
    let claims = claims.map_err(|found| faults.extend_under("claims", found));
    question.ok().zip(claims.ok())
}

fn missing() -> Faults {
    Faults::one("", Reason::Missing)
}

fn failed(request_id: &str, error: &RegistryError) -> Status {
    tracing::warn!(request.id = request_id, %error, "a question was not answered");
    status::from_registry(error)
}

#[tonic::async_trait]
impl PopulationRegistryService for PopulationService {
    async fn verify_citizen(
        &self,
        request: Request<proto::VerifyCitizenRequest>,
    ) -> Result<Response<proto::VerifyCitizenResponse>, Status> {
        let admitted = self.admit(&request)?;
        let trace = trace(request.metadata());
        let message = request.into_inner();
        let mut faults = Faults::new();
        let asked = read_asked(
            message.question.as_ref(),
            message.claims.as_ref(),
            &mut faults,
        );
        let (mut question, claims) = asked.ok_or_else(|| status::from_faults(&faults))?;
        question.trace = trace;
        let verified = self
            .registry
            .verify(&question, &claims, admitted.timeout)
            .await;
        let verification = verified.map_err(|error| failed(&question.request_id, &error))?;
        Ok(Response::new(proto::VerifyCitizenResponse {
            verification: Some(verification_to_proto(&verification)),
        }))
    }

    async fn look_up_citizen(
        &self,
        request: Request<proto::LookUpCitizenRequest>,
    ) -> Result<Response<proto::LookUpCitizenResponse>, Status> {
        let admitted = self.admit(&request)?;
        let trace = trace(request.metadata());
        let message = request.into_inner();
        let mut faults = Faults::new();
        let asked = read_asked(
            message.question.as_ref(),
            message.claims.as_ref(),
            &mut faults,
        );
        let fields = fields_from_proto(&message.fields);
        let fields = fields.map_err(|found| faults.extend_under("fields", found));
        let asked = asked.zip(fields.ok());
        let ((mut question, claims), fields) = asked.ok_or_else(|| status::from_faults(&faults))?;
        question.trace = trace;
        let timeout = admitted.timeout;
        let found = self
            .registry
            .look_up(&question, &claims, fields, timeout)
            .await;
        let found = found.map_err(|error| failed(&question.request_id, &error))?;
        let result = match found {
            // Once more here: what was not wanted must not leave this zone, whatever the registry does.
            LookUp::Found(citizen) => Looked::Citizen(citizen_to_proto(&citizen.masked(fields))),
            LookUp::NotFound => Looked::NotFound(proto::NotFound {}),
            LookUp::Mismatch => Looked::Mismatch(proto::Mismatch {}),
        };
        Ok(Response::new(proto::LookUpCitizenResponse {
            result: Some(result),
        }))
    }

    async fn check_registry(
        &self,
        request: Request<proto::CheckRegistryRequest>,
    ) -> Result<Response<proto::CheckRegistryResponse>, Status> {
        let admitted = self.admit(&request)?;
        let checked = self.registry.check(admitted.timeout).await;
        checked.map_err(|sentence| status::from_registry(&RegistryError::Unavailable(sentence)))?;
        Ok(Response::new(proto::CheckRegistryResponse {}))
    }
}

/// The caller's span, if it tells one that can be read.
fn trace(metadata: &MetadataMap) -> Option<TraceContext> {
    TraceContext::parse(metadata.get(TraceContext::HEADER)?.to_str().ok()?)
}

/// The time that the caller gives, if it names one.
fn timeout(metadata: &MetadataMap) -> Result<Option<Duration>, Reason> {
    let Some(value) = metadata.get(GRPC_TIMEOUT_HEADER) else {
        return Ok(None);
    };
    let read = parse_grpc_timeout(value.as_bytes());
    read.map(Some).ok_or(Reason::BadForm {
        expected: "5S, 500m",
    })
}
