//! The adapter itself: which calls one step of a delivery makes, and in which order.

use std::time::Duration;

use async_trait::async_trait;
use lienthong_domain::{Answer, Clock, DestinationName, Outcome, TraceContext};
use lienthong_ports::destination::Destination;
use lienthong_ports::store::Work;
use lienthong_telemetry::Tracer;
use lienthong_telemetry::metrics::DeliveryMetrics;
use reqwest::Client;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::answer::{Meaning, Rules, Verdict};
use crate::config::{Agency, Config, ConfigFault};
use crate::link::Link;
use crate::session::{Session, Sessions};
use crate::signals::Signals;
use crate::{map, redact, spans, wire};

/// Data calls of one step, a look-up, both ways of writing and a repetition after a new login included.
const CALLS_PER_STEP_MAX: u8 = 4;
/// The code of a login that was refused for what we are and not for what we send.
const LOGIN_REFUSED: &str = "LOGIN_REFUSED";
/// Longest session that is taken, in bytes.
const SESSION_BYTES_MAX: usize = 4_096;

/// Why a portal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PortalError {
    /// The configuration has faults.
    #[error("accept the configuration of the portal: {}", join(faults))]
    Config {
        /// All of them.
        faults: Vec<ConfigFault>,
    },
}

fn join(faults: &[ConfigFault]) -> String {
    faults
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// The National Public Service Portal as a destination.
pub struct Portal {
    pub(crate) config: Config,
    pub(crate) link: Link,
    rules: Rules,
    sessions: Sessions,
    clock: Clock,
    pub(crate) tracer: Tracer,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Sends the dossier.
    Dossier,
    /// Sends the progress line.
    Progress,
    /// Everything has been sent.
    Nothing,
}

/// A late event must not move the dossier back, so it is told as a progress line or not at all.
fn step_of(work: &Work) -> Step {
    match (work.late, work.step, work.progress.is_some()) {
        (false, 0, _) => Step::Dossier,
        (_, _, true) => Step::Progress,
        (_, _, false) => Step::Nothing,
    }
}

impl Portal {
    /// A portal behind `http`, which the caller builds with the connect time-out, the authorities and the
    /// redirect policy it wants. `clock` reads dates in Retry-After.
    ///
    /// # Errors
    /// Every fault of the configuration at once.
    pub fn new(config: Config, http: Client, clock: Clock) -> Result<Self, PortalError> {
        let faults = config.check();
        let signals = Signals::new(config.name.clone(), clock.clone());
        let link = Link::new(&config, http, signals).filter(|_| faults.is_empty());
        let Some(link) = link else {
            return Err(PortalError::Config { faults });
        };
        let sessions = Sessions::new(
            Duration::from_secs(config.session_seconds),
            Duration::from_millis(config.failed_login_pause_ms),
        );
        Ok(Self {
            rules: Rules::new(&config),
            config,
            link,
            sessions,
            clock,
            tracer: Tracer::off(),
        })
    }

    /// With a span for each call.
    #[must_use]
    pub fn with_tracer(self, tracer: Tracer) -> Self {
        Self { tracer, ..self }
    }

    /// Tells `metrics` what answers say of the portal's clock and of our credentials.
    #[must_use]
    pub fn with_metrics(mut self, metrics: DeliveryMetrics) -> Self {
        self.link.signals.metrics = metrics;
        self
    }

    /// Logs in, whatever session there is. `trace` is the span that needs it.
    async fn log_in(&self, trace: Option<TraceContext>) -> Result<String, Verdict> {
        let login = wire::Login {
            username: &self.config.username,
            password: self.config.password.expose(),
        };
        let mut call = spans::Call::begin(self, "login", trace);
        let reply = call
            .post(&self.link.login_url, json(&login), HeaderMap::new())
            .await?;
        let (mut verdict, object) = self.rules.judge(&reply, self.clock.now());
        call.end(&verdict);
        let credentials = [login.username, login.password];
        verdict.message = redact::redact(&verdict.message, credentials);
        match verdict.meaning {
            Meaning::Done => match self.rules.session(&object) {
                Some(session) if session.len() <= SESSION_BYTES_MAX => Ok(session.to_owned()),
                _ => Err(Verdict::not_now(
                    "BAD_ANSWER",
                    verdict.http_status,
                    "the answer to the login has no usable session",
                )),
            },
            Meaning::NotNow { .. } | Meaning::Overloaded { .. } => Err(verdict),
            // Our credentials are at fault and not the dossier, which must not be parked for it.
            Meaning::Refused | Meaning::SessionOver | Meaning::Exists | Meaning::NotExists => {
                let code = redact::redact(&verdict.code, credentials);
                let said = format!("{code}: {}", verdict.message);
                Err(Verdict::not_now(LOGIN_REFUSED, verdict.http_status, &said))
            }
        }
    }

    async fn session(&self, trace: Option<TraceContext>) -> Result<Session, Verdict> {
        let login = async {
            let result = self.log_in(trace).await;
            let name = &self.config.name;
            match &result {
                Ok(_) => {
                    self.link.signals.note_credentials(false);
                    tracing::info!(destination.name = %name, "logged in to the portal");
                }
                Err(verdict) => {
                    if verdict.code == LOGIN_REFUSED {
                        self.link.signals.note_credentials(true);
                    }
                    tracing::warn!(destination.name = %name, error.code = verdict.code, "the login to the portal failed");
                }
            }
            result
        };
        self.sessions.current(login).await
    }

    async fn perform(&self, work: &Work) -> Answer {
        match step_of(work) {
            Step::Nothing => {
                let message = "a late event without a progress line tells the portal nothing";
                Answer::new(Outcome::Delivered, "NOTHING_TO_SEND", None, message)
            }
            Step::Dossier => {
                let done = match work.progress {
                    Some(_) => Outcome::Advanced { step: 1 },
                    None => Outcome::Delivered,
                };
                Conversation::new(self, work)
                    .send_dossier()
                    .await
                    .into_answer(done)
            }
            Step::Progress => Conversation::new(self, work)
                .send_progress()
                .await
                .into_answer(Outcome::Delivered),
        }
    }
}

/// The calls of one step.
struct Conversation<'a> {
    portal: &'a Portal,
    work: &'a Work,
    calls_left: u8,
    may_log_in_again: bool,
}

/// What one call asks, without the envelope.
#[derive(Clone, Copy)]
enum Ask<'a> {
    Find,
    Write { updating: bool, dossier: &'a Value },
    Progress { line: &'a Value },
}

impl Ask<'_> {
    /// What a span calls it.
    const fn name(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Write { .. } => "sync",
            Self::Progress { .. } => "progress",
        }
    }
}

impl<'a> Conversation<'a> {
    fn new(portal: &'a Portal, work: &'a Work) -> Self {
        Self {
            portal,
            work,
            calls_left: CALLS_PER_STEP_MAX,
            may_log_in_again: true,
        }
    }

    /// Inserts or updates, and swaps once when the portal says that it must be the other.
    async fn send_dossier(mut self) -> Verdict {
        let Work {
            dossier,
            status,
            details,
            ..
        } = self.work;
        let dossier = map::dossier(dossier, *status, details, &self.portal.config.cuts);
        let updating = match self.is_known().await {
            Ok(known) => known,
            Err(verdict) => return verdict,
        };
        let verdict = self
            .call(Ask::Write {
                updating,
                dossier: &dossier,
            })
            .await
            .0;
        match (verdict.meaning, updating) {
            (Meaning::Exists, false) | (Meaning::NotExists, true) => {
                self.call(Ask::Write {
                    updating: !updating,
                    dossier: &dossier,
                })
                .await
                .0
            }
            _ => verdict,
        }
    }

    async fn send_progress(mut self) -> Verdict {
        let Work {
            dossier,
            status,
            occurred_at,
            progress,
            ..
        } = self.work;
        let progress = progress
            .as_ref()
            .expect("the step is chosen only when there is a progress line");
        let cuts = &self.portal.config.cuts;
        let line = map::progress_line(dossier, *status, *occurred_at, progress, cuts);
        self.call(Ask::Progress { line: &line }).await.0
    }

    /// Whether the portal has the dossier, as far as a look-up tells. A refused look-up counts as no: the
    /// insert that follows gives the answer that matters.
    async fn is_known(&mut self) -> Result<bool, Verdict> {
        if self.work.delivered_before {
            return Ok(true);
        }
        let (verdict, object) = self.call(Ask::Find).await;
        match verdict.meaning {
            Meaning::Done => Ok(self.portal.rules.found(&object)),
            Meaning::Exists => Ok(true),
            Meaning::NotExists | Meaning::Refused => Ok(false),
            Meaning::SessionOver | Meaning::Overloaded { .. } | Meaning::NotNow { .. } => {
                Err(verdict)
            }
        }
    }

    /// Makes one call, and once in a conversation repeats it with a new session.
    async fn call(&mut self, ask: Ask<'_>) -> (Verdict, Map<String, Value>) {
        loop {
            let (verdict, object, generation) = match self.try_call(ask).await {
                Ok(answered) => answered,
                Err(verdict) => return (verdict, Map::new()),
            };
            if verdict.meaning != Meaning::SessionOver {
                return (verdict, object);
            }
            self.portal.sessions.invalidate(generation).await;
            if !std::mem::take(&mut self.may_log_in_again) {
                return (verdict, object);
            }
        }
    }

    async fn try_call(
        &mut self,
        ask: Ask<'_>,
    ) -> Result<(Verdict, Map<String, Value>, u64), Verdict> {
        let portal = self.portal;
        self.calls_left = self.calls_left.checked_sub(1).ok_or_else(|| {
            Verdict::not_now(
                "TOO_MANY_CALLS",
                None,
                "the portal kept answering otherwise",
            )
        })?;
        let session = portal.session(self.work.trace).await?;
        let body = json(&self.envelope(ask, &session));
        let mut call = spans::Call::begin(portal, ask.name(), self.work.trace);
        let reply = call.post(&portal.link.data_url, body, self.marks()).await?;
        let (mut verdict, object) = portal.rules.judge(&reply, portal.clock.now());
        call.end(&verdict);
        let private = redact::personal_texts(self.work);
        let secrets = private.into_iter().chain([&*session.token]);
        verdict.message = redact::redact(&verdict.message, secrets);
        tracing::debug!(
            destination.name = %portal.config.name,
            dossier.code = %self.work.dossier,
            error.code = verdict.code,
            http.status = reply.status,
            "the portal answered",
        );
        Ok((verdict, object, session.generation))
    }

    fn envelope<'b>(&'b self, ask: Ask<'b>, session: &'b Session) -> wire::Call<'b> {
        let config = &self.portal.config;
        let call = wire::Call {
            session: &session.token,
            madonvi: match &config.agency {
                Agency::Dossier => self.work.dossier.agency().as_str(),
                Agency::Fixed(agency) => agency.as_str(),
            },
            service: "",
            isUpdating: None,
            mahoso: None,
            data: None,
        };
        match ask {
            Ask::Find => wire::Call {
                service: &config.services.find,
                mahoso: Some(self.work.dossier.as_str()),
                ..call
            },
            Ask::Write { updating, dossier } => wire::Call {
                service: &config.services.sync,
                isUpdating: Some(map::word(updating)),
                data: Some([dossier]),
                ..call
            },
            Ask::Progress { line } => wire::Call {
                service: &config.services.progress,
                data: Some([line]),
                ..call
            },
        }
    }

    /// Tells repeated calls apart from new ones, for whoever looks at the traffic.
    fn marks(&self) -> HeaderMap {
        let mut marks = HeaderMap::new();
        if self.portal.config.send_sequence_headers {
            let key = HeaderValue::try_from(self.work.event_id.to_string())
                .expect("a UUID is plain ASCII");
            marks.insert(HeaderName::from_static("idempotency-key"), key);
            let sequence = HeaderValue::from(self.work.sequence);
            marks.insert(HeaderName::from_static("dossier-sequence"), sequence);
        }
        marks
    }
}

fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("strings and lists always serialise")
}

#[async_trait]
impl Destination for Portal {
    fn name(&self) -> &DestinationName {
        &self.config.name
    }

    async fn deliver(&self, work: &Work, timeout: Duration) -> Answer {
        match tokio::time::timeout(timeout, self.perform(work)).await {
            Ok(answer) => answer,
            Err(_) => Verdict::transport("TIMEOUT", "the calls of this step took too long")
                .into_answer(Outcome::Delivered),
        }
    }

    async fn check(&self, timeout: Duration) -> Result<(), String> {
        let host = self.link.login_url.host_str().unwrap_or_default();
        match tokio::time::timeout(timeout, self.log_in(None)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(verdict)) => Err(format!(
                "The portal behind {host} did not log us in ({}): {}",
                verdict.code, verdict.message
            )),
            Err(_) => Err(format!(
                "The portal behind {host} did not answer a login in {timeout:?}"
            )),
        }
    }
}

impl std::fmt::Debug for Portal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Portal")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
