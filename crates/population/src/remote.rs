//! The population registry behind several instances of an adapter, each its own process in the other zone.
//!
//! Reading twice is safe, so a question goes on to another instance where one cannot be reached; an answer, a refusal
//! included, is never asked for again.

mod balance;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lienthong_convert::{
    citizen_from_proto, claims_to_proto, fields_to_proto, verification_from_proto,
};
use lienthong_domain::identity::{Citizen, Claims, FieldSet, IdNumber, Verification};
use lienthong_domain::{Clock, TraceContext};
use lienthong_ports::{LookUp, PopulationRegistry, Question, RegistryError};
use lienthong_proto::population::v1 as proto;
use lienthong_proto::population::v1::look_up_citizen_response::Result as Looked;
use lienthong_proto::population::v1::population_registry_service_client::PopulationRegistryServiceClient;
use lienthong_transport::{
    ChannelTimeouts, ClientTls, ClientTlsFiles, GRPC_TIMEOUT_HEADER, IdentityFiles, TlsClock,
    UnaryChannel,
};
use tokio::time::Instant;
use tonic::{Code, Request, Response, Status};

use self::balance::{AvoidTimes, Avoidance, Standing, choose};
use crate::config::RemoteConfig;
use crate::convert::question_to_proto;
use crate::error::PopulationError;
use crate::failure::Failure;
use crate::request_id::extended;
use crate::status;

/// Largest answer that is read, in bytes.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// How often a silent connection is asked whether it lives, and how long the answer may take: a half-open one must
/// not hold questions for long.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);

type Client = PopulationRegistryServiceClient<UnaryChannel>;

/// One or more instances of an adapter, as one registry.
pub struct RemoteRegistry {
    instances: Vec<Instance>,
    /// Whose turn it is among equals.
    turns: AtomicUsize,
    times: AvoidTimes,
}

struct Instance {
    endpoint: String,
    client: Client,
    outstanding: AtomicUsize,
    avoidance: Mutex<Avoidance>,
}

/// A question under way; counted as long as it lives, also when its caller gives up.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn new(outstanding: &'a AtomicUsize) -> Self {
        outstanding.fetch_add(1, Ordering::Relaxed);
        Self(outstanding)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Instance {
    fn avoidance(&self) -> MutexGuard<'_, Avoidance> {
        // Nothing can panic while it is held, and a half-written one would do no harm.
        self.avoidance
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl RemoteRegistry {
    /// Connects at the first question. Reads the files: call it at start. `clock` judges certificates.
    ///
    /// # Errors
    /// Every fault of the configuration at once, or a file or an endpoint that cannot be used.
    pub fn new(config: &RemoteConfig, clock: &Clock) -> Result<Self, PopulationError> {
        let faults = config.check();
        if !faults.is_empty() {
            return Err(PopulationError::Config { faults });
        }
        let clock = clock.clone();
        let files = ClientTlsFiles {
            roots: config.ca.clone(),
            identity: Some(IdentityFiles {
                certificate_chain: config.certificate.clone(),
                private_key: config.key.clone(),
            }),
            server_name: config.server_name.clone(),
        };
        let tls = ClientTls::load(&files, TlsClock::new(move || clock.now()));
        let tls = tls.map_err(PopulationError::Transport)?;
        let timeouts = ChannelTimeouts {
            connect: Duration::from_millis(config.connect_timeout_ms),
            request: None,
            keepalive_interval: KEEPALIVE_INTERVAL,
            keepalive_timeout: KEEPALIVE_TIMEOUT,
        };
        let instance = |endpoint: &String| {
            let channel = UnaryChannel::new(endpoint, tls.clone(), &timeouts);
            let channel = channel.map_err(PopulationError::Transport)?;
            Ok(Instance {
                endpoint: endpoint.clone(),
                client: Client::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX),
                outstanding: AtomicUsize::new(0),
                avoidance: Mutex::default(),
            })
        };
        Ok(Self {
            instances: config
                .endpoints
                .iter()
                .map(instance)
                .collect::<Result<_, _>>()?,
            turns: AtomicUsize::new(0),
            times: AvoidTimes {
                first: Duration::from_millis(config.avoid_ms),
                max: Duration::from_millis(config.avoid_ms_max),
            },
        })
    }

    /// Puts a question to one instance after the other until one answers or the time is up. `message` writes the
    /// request around the question, whose id is another one for each instance: the database behind may have seen it.
    async fn ask<M, A, F>(
        &self,
        question: &Question,
        timeout: Duration,
        message: impl Fn(proto::Question) -> M,
        call: impl Fn(Client, Request<M>) -> F,
    ) -> Result<A, RegistryError>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let deadline = Instant::now() + timeout;
        let trace = question.trace;
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        let mut question = question_to_proto(question);
        let first_id = question.request_id.clone();
        let mut tried = vec![false; self.instances.len()];
        let mut last = RegistryError::from(Failure::out_of_time());
        for number in 1.. {
            let Some(index) = self.choose(&tried, turn) else {
                break;
            };
            if Instant::now() >= deadline {
                break;
            }
            tried[index] = true;
            if number > 1 {
                question.request_id = extended(&first_id, &format!("-i{number}"));
            }
            let instance = &self.instances[index];
            let message = message(question.clone());
            let mut request = Request::new(message);
            note_trace(&mut request, trace);
            match attempt(instance, request, deadline, &call).await {
                Ok(answer) => {
                    instance.avoidance().answered();
                    return Ok(answer);
                }
                Err(Stopped { error, is_of_way }) => {
                    if !is_of_way {
                        instance.avoidance().answered();
                        return Err(error);
                    }
                    instance.avoidance().failed(Instant::now(), self.times);
                    tracing::debug!(
                        instance.endpoint = instance.endpoint,
                        %error,
                        "an instance of the population adapter did not answer",
                    );
                    last = error;
                }
            }
        }
        Err(last)
    }

    fn choose(&self, tried: &[bool], turn: usize) -> Option<usize> {
        let now = Instant::now();
        let standings = self.instances.iter().zip(tried);
        let standings: Vec<_> = standings
            .map(|(instance, tried)| Standing {
                outstanding: instance.outstanding.load(Ordering::Relaxed),
                avoided: instance.avoidance().is_avoided(now),
                tried: *tried,
            })
            .collect();
        choose(&standings, turn)
    }
}

/// Tells the adapter in which trace it is asked.
fn note_trace<M>(request: &mut Request<M>, trace: Option<TraceContext>) {
    let Some(trace) = trace else { return };
    let value = trace
        .to_string()
        .parse()
        .expect("hexadecimal digits and hyphens");
    request.metadata_mut().insert(TraceContext::HEADER, value);
}

/// Why an attempt gave no answer.
struct Stopped {
    error: RegistryError,
    /// Whether the instance or the way to it is at fault, so that another one may answer.
    is_of_way: bool,
}

async fn attempt<M, A, F>(
    instance: &Instance,
    mut request: Request<M>,
    deadline: Instant,
    call: impl Fn(Client, Request<M>) -> F,
) -> Result<A, Stopped>
where
    F: Future<Output = Result<Response<A>, Status>>,
{
    let _under_way = UnderWay::new(&instance.outstanding);
    request.set_timeout(deadline.saturating_duration_since(Instant::now()));
    if let Some(time) = request.metadata_mut().get_mut(GRPC_TIMEOUT_HEADER) {
        // Seldom the same twice: kept out of the connection's header table, where it would push out what repeats.
        time.set_sensitive(true);
    }
    let answering = call(instance.client.clone(), request);
    match tokio::time::timeout_at(deadline, answering).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(refused)) => {
            let error = status::to_registry(&refused);
            let is_of_way = matches!(error, RegistryError::Unavailable(_))
                && refused.code() != Code::DeadlineExceeded;
            Err(Stopped { error, is_of_way })
        }
        // Perhaps half-open: the next question goes elsewhere, and no time is left for this one.
        Err(_elapsed) => Err(Stopped {
            error: Failure::out_of_time().into(),
            is_of_way: true,
        }),
    }
}

fn bad_answer(cause: impl fmt::Display) -> RegistryError {
    RegistryError::BadAnswer(format!("its adapter's answer is malformed: {cause}"))
}

/// Checks the record once more: nothing that was not wanted, nobody else.
fn own_record(
    citizen: Citizen,
    claims: &Claims,
    fields: FieldSet,
) -> Result<LookUp, RegistryError> {
    let is_other = match claims.number {
        IdNumber::Citizen(asked) => citizen.citizen_number.is_some_and(|told| told != asked),
        IdNumber::Old(asked) => citizen.old_number.is_some_and(|told| told != asked),
    };
    if is_other {
        let cause = "it is about another person".to_owned();
        return Err(RegistryError::BadAnswer(cause));
    }
    Ok(LookUp::Found(Box::new(citizen.masked(fields))))
}

#[async_trait]
impl PopulationRegistry for RemoteRegistry {
    async fn verify(
        &self,
        question: &Question,
        claims: &Claims,
        timeout: Duration,
    ) -> Result<Verification, RegistryError> {
        let message = |question| proto::VerifyCitizenRequest {
            question: Some(question),
            claims: Some(claims_to_proto(claims)),
        };
        let call =
            |mut client: Client, request| async move { client.verify_citizen(request).await };
        let answer = self.ask(question, timeout, message, call).await?;
        let verification = answer.verification.unwrap_or_default();
        verification_from_proto(&verification, claims).map_err(bad_answer)
    }

    async fn look_up(
        &self,
        question: &Question,
        claims: &Claims,
        fields: FieldSet,
        timeout: Duration,
    ) -> Result<LookUp, RegistryError> {
        let message = |question| proto::LookUpCitizenRequest {
            question: Some(question),
            claims: Some(claims_to_proto(claims)),
            fields: fields_to_proto(fields),
        };
        let call =
            |mut client: Client, request| async move { client.look_up_citizen(request).await };
        let answer = self.ask(question, timeout, message, call).await?;
        match answer
            .result
            .ok_or_else(|| bad_answer("result is missing"))?
        {
            Looked::NotFound(_) => Ok(LookUp::NotFound),
            Looked::Mismatch(_) => Ok(LookUp::Mismatch),
            Looked::Citizen(citizen) => {
                let citizen = citizen_from_proto(&citizen).map_err(bad_answer)?;
                own_record(citizen, claims, fields)
            }
        }
    }

    /// Asks every instance, since each has its own way to the database; each gets an equal share of the time.
    async fn check(&self, timeout: Duration) -> Result<(), String> {
        let count = u32::try_from(self.instances.len()).unwrap_or(u32::MAX);
        let mut faults = Vec::new();
        for instance in &self.instances {
            let deadline = Instant::now() + timeout / count.max(1);
            let call =
                |mut client: Client, request| async move { client.check_registry(request).await };
            let request = Request::new(proto::CheckRegistryRequest {});
            let asked = attempt(instance, request, deadline, call).await;
            if let Err(Stopped { error, .. }) = asked {
                faults.push(format!("{} failed to {error}", instance.endpoint));
            }
        }
        if faults.is_empty() {
            return Ok(());
        }
        let faults = faults.join("; ");
        Err(format!(
            "Not every instance of the population adapter can be asked: {faults}"
        ))
    }
}

impl fmt::Debug for RemoteRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints = self.instances.iter().map(|instance| &instance.endpoint);
        f.debug_list().entries(endpoints).finish()
    }
}
