//! A whole identity over a real store in memory, with a population database that answers as it is told.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use lienthong_broker_embedded::EmbeddedBroker;
use lienthong_domain::identity::matching::Verdict;
use lienthong_domain::identity::{
    BirthDate, Claims, FieldSet, FullName, IdNumber, Inquiry, NameLevel, OfficialId, PurposeCode,
    UsageId, Verification,
};
use lienthong_domain::participant::Caller;
use lienthong_domain::{
    Clock, DossierCode, DossierStatus, Operator, OperatorRole, Random, Timestamp,
};
use lienthong_identity::{Config, Disclosed, Identity, LookUpRequest, Parts, Verified, Verify};
use lienthong_ports::conformance::store::{at, code, offer};
use lienthong_ports::identity::UsageRow;
use lienthong_ports::{IdentityStore, LookUp, PopulationRegistry, Question, RegistryError, Store};
use lienthong_services::{Error, Registry, Seams, Services};
use lienthong_store_sqlite::{Config as StoreConfig, MEMORY, SqliteStore};
use lienthong_vault::Vault;
use tokio::sync::Semaphore;
use tokio::time::Instant;

const PARTICIPANTS: &str = include_str!("participants.toml");

/// What the database does with a question.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Verdict(Verdict),
    /// The key matches, and no claim beyond it does.
    WrongBeyondKey,
    Record(LookUp),
    Unavailable,
    Busy,
    BadAnswer,
    Refused,
    Hang,
}

/// A population database on a leash.
pub(crate) struct Population {
    replies: Mutex<VecDeque<Reply>>,
    ordinary: Mutex<Reply>,
    pub(crate) calls: AtomicUsize,
    pub(crate) timeouts: Mutex<Vec<Duration>>,
    pub(crate) fields: Mutex<Vec<FieldSet>>,
    /// Each call takes a permit for good.
    pub(crate) leash: Semaphore,
}

impl Population {
    /// Answers the next questions so, in order.
    pub(crate) fn then(&self, replies: impl IntoIterator<Item = Reply>) {
        self.replies.lock().unwrap().extend(replies);
    }

    /// Answers so when nothing else was said.
    pub(crate) fn always(&self, reply: Reply) {
        *self.ordinary.lock().unwrap() = reply;
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Lets no call be answered until [`Self::release`].
    pub(crate) fn hold(&self) {
        self.leash.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn release(&self) {
        self.leash.add_permits(10_000);
    }

    async fn reply(&self, timeout: Duration) -> Result<Reply, RegistryError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.timeouts.lock().unwrap().push(timeout);
        self.leash.acquire().await.unwrap().forget();
        let next = self.replies.lock().unwrap().pop_front();
        let reply = next.unwrap_or_else(|| self.ordinary.lock().unwrap().clone());
        match reply {
            Reply::Unavailable => Err(RegistryError::Unavailable("cut off".to_owned())),
            Reply::Busy => Err(RegistryError::Busy {
                retry_after: Some(Duration::from_secs(7)),
            }),
            Reply::BadAnswer => Err(RegistryError::BadAnswer("no XML".to_owned())),
            Reply::Refused => Err(RegistryError::Refused("401".to_owned())),
            Reply::Hang => std::future::pending().await,
            answer => Ok(answer),
        }
    }
}

#[async_trait]
impl PopulationRegistry for Population {
    async fn verify(
        &self,
        _question: &Question,
        claims: &Claims,
        timeout: Duration,
    ) -> Result<Verification, RegistryError> {
        match self.reply(timeout).await? {
            Reply::Verdict(verdict) => Ok(Verification::of_key(claims, verdict, NameLevel::Exact)),
            Reply::WrongBeyondKey => {
                let key = Verification::of_key(claims, Verdict::Match, NameLevel::Exact);
                let beyond = claims.optional_fields();
                let judged = |(field, verdict)| {
                    let is_beyond = beyond.contains(field);
                    (field, if is_beyond { Verdict::NoMatch } else { verdict })
                };
                let fields = key.fields.into_iter().map(judged).collect();
                Ok(Verification { fields, ..key })
            }
            other => panic!("{other:?} is no answer to a verification"),
        }
    }

    async fn look_up(
        &self,
        _question: &Question,
        _claims: &Claims,
        fields: FieldSet,
        timeout: Duration,
    ) -> Result<LookUp, RegistryError> {
        self.fields.lock().unwrap().push(fields);
        match self.reply(timeout).await? {
            Reply::Record(found) => Ok(found),
            other => panic!("{other:?} is no answer to a look-up"),
        }
    }

    async fn check(&self, _timeout: Duration) -> Result<(), String> {
        Ok(())
    }
}

pub(crate) struct World {
    pub(crate) identity: Arc<Identity>,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) population: Arc<Population>,
    services: Arc<Services>,
    clock: Clock,
    vault: Arc<Vault>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    /// Dossier 1 of H21.17 is open, 2 is closed, 3 is of a procedure that was not granted.
    pub(crate) async fn with(config: Config) -> Self {
        let vault = Arc::new(Vault::for_tests(3));
        let store_config = StoreConfig::new(MEMORY, vec![], vault.clone());
        let store = Arc::new(SqliteStore::open_inline(&store_config).unwrap());
        let mut other = offer("k-3", &code(3), DossierStatus::Processing, 0);
        let details = other.event.details.as_mut().unwrap();
        details.procedure_code = lienthong_domain::ProcedureCode::parse("2.000889").ok();
        other.content_hash = other.event.content_hash();
        let offers = vec![
            offer("k-1", &code(1), DossierStatus::Processing, 0),
            offer("k-2", &code(2), DossierStatus::ResultReturned, 0),
            other,
        ];
        let answers = store.accept(offers).await.unwrap();
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        let clock = clock();
        let seams = Seams {
            store: store.clone(),
            operators: store.clone(),
            broker: Arc::new(EmbeddedBroker::new(
                lienthong_broker_embedded::Config::default(),
            )),
        };
        let services = Services::new(
            seams,
            vec![],
            Registry::parse(PARTICIPANTS).unwrap(),
            clock.clone(),
            Random::seeded(1),
        );
        let population = Arc::new(Population {
            replies: Mutex::default(),
            ordinary: Mutex::new(Reply::Verdict(Verdict::Match)),
            calls: AtomicUsize::new(0),
            timeouts: Mutex::default(),
            fields: Mutex::default(),
            leash: Semaphore::new(10_000),
        });
        let (services, parts) = (Arc::new(services), (store.clone(), population.clone()));
        let identity = identity(&services, parts, &clock, &vault, config).await;
        Self {
            identity,
            store,
            population,
            services,
            clock,
            vault,
        }
    }

    /// Another identity over the same store, as after a restart.
    pub(crate) async fn restart(&mut self) {
        let parts = (self.store.clone(), self.population.clone());
        let config = Config::default();
        self.identity = identity(&self.services, parts, &self.clock, &self.vault, config).await;
    }

    pub(crate) async fn verify(&self, caller: &Caller, request: Verify) -> Result<Verified, Error> {
        self.identity.verify(caller, request, in_seconds(5)).await
    }

    pub(crate) async fn look_up(
        &self,
        caller: &Caller,
        request: LookUpRequest,
    ) -> Result<Disclosed, Error> {
        self.identity.look_up(caller, request, in_seconds(5)).await
    }

    /// Every usage record, oldest first.
    pub(crate) async fn rows(&self) -> Vec<UsageRow> {
        let since = Timestamp::UNIX_EPOCH;
        self.store
            .usage_since(since, UsageId(0), 1_000)
            .await
            .unwrap()
    }

    pub(crate) async fn last_row(&self) -> UsageRow {
        self.rows().await.pop().expect("a record was written")
    }

    pub(crate) fn caller(&self, participant: &str, system: &str) -> Caller {
        self.services.caller(participant, system, &[0; 32]).unwrap()
    }

    pub(crate) fn counter(&self) -> Caller {
        self.caller("H21", "motcua")
    }

    pub(crate) fn operator(&self) -> Caller {
        self.caller("G05", "vanhanh")
    }
}

/// Somebody with a role over the gateway.
pub(crate) fn on_duty(role: OperatorRole) -> Operator {
    Operator {
        by: "G05/vanhanh".into(),
        role,
    }
}

async fn identity(
    services: &Arc<Services>,
    (store, population): (Arc<SqliteStore>, Arc<Population>),
    clock: &Clock,
    vault: &Arc<Vault>,
    config: Config,
) -> Arc<Identity> {
    let parts = Parts {
        services: services.clone(),
        dossiers: store.clone(),
        store,
        population,
        vault: vault.clone(),
        clock: clock.clone(),
        config,
    };
    Arc::new(Identity::new(parts).await.unwrap())
}

/// The wall clock goes with tokio's, which tests pause.
fn clock() -> Clock {
    let start = Instant::now();
    Clock::from_fn(move || at(1_000) + start.elapsed())
}

pub(crate) fn in_seconds(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

pub(crate) fn inquiry(purpose: &str, dossier: Option<u32>) -> Inquiry {
    Inquiry {
        purpose: PurposeCode::parse(purpose).unwrap(),
        official: OfficialId::parse("nguyenthihoa.tuphap").unwrap(),
        dossier: dossier.map(code),
    }
}

pub(crate) fn dossier(text: &str) -> DossierCode {
    DossierCode::parse(text).unwrap()
}

/// The claims about citizen `number`, each in a block of its own for the next 900.
pub(crate) fn claims(number: u32) -> Claims {
    let text = format!("{:03}185{:06}", 100 + number % 900, number);
    Claims::key(
        IdNumber::parse(&text).unwrap(),
        FullName::parse("Nguyễn Thị Hoà").unwrap(),
        BirthDate::parse("1985-09-02").unwrap(),
    )
}

pub(crate) fn verify(purpose: &str, dossier: Option<u32>, number: u32) -> Verify {
    Verify {
        inquiry: inquiry(purpose, dossier),
        claims: claims(number),
        defer_if_unavailable: false,
        request_id: format!("r-{number}"),
        trace: None,
    }
}

pub(crate) fn look_up(number: u32, fields: FieldSet) -> LookUpRequest {
    LookUpRequest {
        inquiry: inquiry("CIVIL_STATUS", Some(1)),
        claims: claims(number),
        fields,
        request_id: format!("r-{number}"),
        trace: None,
    }
}

/// The fact of an error.
pub(crate) fn fact<'a>(error: &'a Error, key: &str) -> &'a str {
    let found = error.metadata.iter().find(|(known, _)| *known == key);
    found.map_or("", |(_, value)| value)
}
