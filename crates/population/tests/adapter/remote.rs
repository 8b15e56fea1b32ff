//! Over gRPC with mutual TLS: two instances in front of one database, and everybody who may not ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use lienthong_domain::TraceContext;
use lienthong_domain::identity::{Citizen, Claims, Field, FieldSet, Verdict, Verification};
use lienthong_ports::conformance::population::{claims_of, question, run, unique};
use lienthong_ports::{LookUp, PopulationRegistry, Question, RegistryError};
use lienthong_proto::population::v1 as proto;
use lienthong_proto::population::v1::population_registry_service_client::PopulationRegistryServiceClient;
use lienthong_simulators::population::{Fault, When};
use tokio::sync::Notify;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use crate::desk::hoa;
use crate::instance::{Instance, certificates, channel, remote};
use crate::support::{Database, SHORT, TIMEOUT};

/// Makes an error.
type Make = fn() -> RegistryError;

#[tokio::test]
async fn every_promise_is_kept_by_two_instances_and_then_by_one() {
    let database = Database::open().await;
    let folder = certificates();
    let start = || Instance::start(folder.path(), Arc::new(database.registry(|_| {})), 256);
    let (mut first, second) = (start().await, start().await);
    let remote = remote(folder.path(), &[&first.endpoint, &second.endpoint]);
    let cast = database.cast();
    run(&remote, &cast).await;

    first.kill().await;
    // Every promise but the check, which tells that an instance is gone.
    for person in cast.people.iter().cycle().take(100) {
        let verified = remote
            .verify(&question(&unique()), &claims_of(person), TIMEOUT)
            .await;
        assert_eq!(verified.unwrap().verdict, Verdict::Match);
    }
    let sentence = remote.check(TIMEOUT).await.unwrap_err();
    assert!(
        sentence.contains(&first.endpoint) && !sentence.contains(&second.endpoint),
        "{sentence}"
    );
    let alone = crate::instance::remote(folder.path(), &[&second.endpoint]);
    run(&alone, &cast).await;
}

#[tokio::test]
async fn a_question_that_goes_elsewhere_has_another_id() {
    let database = Database::open().await;
    let folder = certificates();
    let start = || Instance::start(folder.path(), Arc::new(database.registry(|_| {})), 256);
    let (first, second) = (start().await, start().await);
    let remote = remote(folder.path(), &[&first.endpoint, &second.endpoint]);
    let claims = claims_of(&database.cast().people[0]);
    database.strike(Fault::CutMidAnswer, When::First(1));
    let verified = remote.verify(&question("cau-hoi"), &claims, TIMEOUT).await;
    assert_eq!(verified.unwrap().verdict, Verdict::Match);
    let record = database.handle.record();
    let ids: Vec<_> = record
        .entries
        .iter()
        .map(|entry| &*entry.request_id)
        .collect();
    assert_eq!(ids, ["cau-hoi", "cau-hoi-i2"]);
}

#[tokio::test]
async fn the_trace_of_a_question_goes_along_to_the_database() {
    let database = Database::open().await;
    let folder = certificates();
    let first = Instance::start(folder.path(), Arc::new(database.registry(|_| {})), 256).await;
    let remote = remote(folder.path(), &[&first.endpoint]);
    let claims = claims_of(&database.cast().people[0]);
    let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let asked = Question {
        trace: TraceContext::parse(header),
        ..question("cau-hoi")
    };
    remote.verify(&asked, &claims, TIMEOUT).await.unwrap();
    let fields = [Field::Sex].into_iter().collect::<FieldSet>();
    let asked = Question {
        request_id: "cau-hoi-khac".to_owned(),
        ..asked
    };
    remote
        .look_up(&asked, &claims, fields, TIMEOUT)
        .await
        .unwrap();
    let untraced = question("cau-hoi-nua");
    remote.verify(&untraced, &claims, TIMEOUT).await.unwrap();
    let entries = database.handle.record().entries;
    let told = entries.iter().map(|entry| entry.trace.as_deref());
    assert_eq!(told.collect::<Vec<_>>(), [Some(header), Some(header), None]);
}

/// A registry with an answer of its own.
struct Scripted {
    answer: Box<dyn Fn() -> Result<LookUp, RegistryError> + Send + Sync>,
    asked: AtomicUsize,
}

impl Scripted {
    fn new(
        answer: impl Fn() -> Result<LookUp, RegistryError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            answer: Box::new(answer),
            asked: AtomicUsize::new(0),
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl PopulationRegistry for Scripted {
    async fn verify(
        &self,
        _question: &Question,
        claims: &Claims,
        _timeout: Duration,
    ) -> Result<Verification, RegistryError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        (self.answer)().map(|_| Verification::no_match(claims))
    }

    async fn look_up(
        &self,
        _question: &Question,
        _claims: &Claims,
        _fields: FieldSet,
        _timeout: Duration,
    ) -> Result<LookUp, RegistryError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        (self.answer)()
    }

    async fn check(&self, _timeout: Duration) -> Result<(), String> {
        Ok(())
    }
}

#[tokio::test]
async fn errors_come_through_and_only_an_unreachable_database_is_asked_elsewhere() {
    let folder = certificates();
    let wait = Some(Duration::from_secs(7));
    let table: [(Make, usize); 4] = [
        (
            || RegistryError::Unavailable("it answered with HTTP 502".to_owned()),
            2,
        ),
        (
            || RegistryError::Busy {
                retry_after: Some(Duration::from_secs(7)),
            },
            1,
        ),
        (
            || RegistryError::BadAnswer("it is about another person".to_owned()),
            1,
        ),
        (
            || RegistryError::Refused("it answered with HTTP 403".to_owned()),
            1,
        ),
    ];
    for (error, asked) in table {
        let registry = Scripted::new(move || Err(error()));
        let first = Instance::start(folder.path(), registry.clone(), 256).await;
        let second = Instance::start(folder.path(), registry.clone(), 256).await;
        let remote = remote(folder.path(), &[&first.endpoint, &second.endpoint]);
        let told = remote
            .verify(&question("q"), &hoa(), TIMEOUT)
            .await
            .unwrap_err();
        assert_eq!(format!("{told:?}"), format!("{:?}", error()));
        assert_eq!(registry.asked(), asked, "{told:?}");
        if let RegistryError::Busy { retry_after } = told {
            assert_eq!(retry_after, wait);
        }
    }
}

#[tokio::test]
async fn what_was_not_wanted_does_not_leave_the_server() {
    let folder = certificates();
    let citizen = || Citizen {
        citizen_number: hoa().number.citizen().copied(),
        birth_date: Some(hoa().birth),
        sex: lienthong_domain::identity::Sex::ALL.first().copied(),
        ..Citizen::default()
    };
    let registry = Scripted::new(move || Ok(LookUp::Found(Box::new(citizen()))));
    let instance = Instance::start(folder.path(), registry, 256).await;
    // Asked without our client, which would mask once more.
    let channel = channel(folder.path(), &instance.endpoint, "truc");
    let mut client = PopulationRegistryServiceClient::new(channel);
    let request = proto::LookUpCitizenRequest {
        question: Some(lienthong_population::convert::question_to_proto(&question(
            "q",
        ))),
        claims: Some(lienthong_convert::claims_to_proto(&hoa())),
        fields: vec![i32::from(Field::Sex.code())],
    };
    let answer = client.look_up_citizen(request).await.unwrap().into_inner();
    let Some(proto::look_up_citizen_response::Result::Citizen(citizen)) = answer.result else {
        panic!("no record");
    };
    assert_eq!(
        (
            citizen.sex,
            citizen.citizen_number.as_str(),
            citizen.birth_date.as_str()
        ),
        (1, "", "")
    );
}

#[tokio::test]
async fn an_instance_that_tells_of_somebody_else_is_not_believed() {
    let folder = certificates();
    let other = || Citizen {
        citizen_number: lienthong_domain::identity::CitizenNumber::parse("038191012346").ok(),
        ..Citizen::default()
    };
    let registry = Scripted::new(move || Ok(LookUp::Found(Box::new(other()))));
    let instance = Instance::start(folder.path(), registry, 256).await;
    let remote = remote(folder.path(), &[&instance.endpoint]);
    let found = remote
        .look_up(&question("q"), &hoa(), FieldSet::all(), TIMEOUT)
        .await;
    assert!(
        matches!(found, Err(RegistryError::BadAnswer(_))),
        "{found:?}"
    );
}

#[tokio::test]
async fn only_the_systems_on_the_list_may_ask() {
    let folder = certificates();
    let registry = Scripted::new(|| Ok(LookUp::NotFound));
    let instance = Instance::start(folder.path(), registry.clone(), 256).await;
    let channel = channel(folder.path(), &instance.endpoint, "khac");
    let mut client = PopulationRegistryServiceClient::new(channel.clone());
    let refused = client
        .verify_citizen(proto::VerifyCitizenRequest::default())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = client
        .check_registry(proto::CheckRegistryRequest {})
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(registry.asked(), 0);
    let mut health = HealthClient::new(channel);
    let answer = health
        .check(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving);
}

#[tokio::test]
async fn a_malformed_question_learns_all_its_faults() {
    let folder = certificates();
    let registry = Scripted::new(|| Ok(LookUp::NotFound));
    let instance = Instance::start(folder.path(), registry.clone(), 256).await;
    let channel = channel(folder.path(), &instance.endpoint, "truc");
    let mut client = PopulationRegistryServiceClient::new(channel);
    let request = proto::LookUpCitizenRequest {
        question: None,
        claims: Some(lienthong_proto::identity::v1::Claims::default()),
        fields: vec![99],
    };
    let refused = client.look_up_citizen(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let details = refused.get_error_details();
    let named = &details.bad_request().unwrap().field_violations;
    let named: Vec<_> = named.iter().map(|found| found.field.as_str()).collect();
    assert_eq!(
        named,
        [
            "question",
            "claims.number",
            "claims.full_name",
            "claims.birth_date",
            "fields[0]"
        ]
    );
    let mut late = tonic::Request::new(proto::VerifyCitizenRequest::default());
    late.metadata_mut()
        .insert("grpc-timeout", "1m".parse().unwrap());
    let refused = client.verify_citizen(late).await.unwrap_err();
    assert!(
        matches!(refused.code(), Code::DeadlineExceeded | Code::Cancelled),
        "{refused:?}"
    );
    assert_eq!(registry.asked(), 0);
}

/// A registry that answers when it is told to, and remembers how long it might have taken.
#[derive(Default)]
struct Slow {
    begun: Notify,
    go_on: Notify,
    timeout_ms: AtomicUsize,
}

#[async_trait]
impl PopulationRegistry for Slow {
    async fn verify(
        &self,
        _question: &Question,
        claims: &Claims,
        timeout: Duration,
    ) -> Result<Verification, RegistryError> {
        let timeout = usize::try_from(timeout.as_millis()).unwrap();
        self.timeout_ms.store(timeout, Ordering::Relaxed);
        self.begun.notify_one();
        self.go_on.notified().await;
        Ok(Verification::no_match(claims))
    }

    async fn look_up(
        &self,
        _question: &Question,
        _claims: &Claims,
        _fields: FieldSet,
        _timeout: Duration,
    ) -> Result<LookUp, RegistryError> {
        Ok(LookUp::NotFound)
    }

    async fn check(&self, _timeout: Duration) -> Result<(), String> {
        Ok(())
    }
}

#[tokio::test]
async fn the_deadline_is_passed_on_and_calls_are_bounded() {
    let folder = certificates();
    let slow = Arc::new(Slow::default());
    let instance = Instance::start(folder.path(), slow.clone(), 1).await;
    let remote = remote(folder.path(), &[&instance.endpoint]);
    let (asked, claims) = (question("q"), hoa());
    let waiting = remote.verify(&asked, &claims, Duration::from_secs(3));
    let second = async {
        slow.begun.notified().await;
        let full = remote
            .look_up(&question("r"), &hoa(), FieldSet::all(), TIMEOUT)
            .await;
        slow.go_on.notify_one();
        full
    };
    let (waited, full) = tokio::join!(waiting, second);
    assert_eq!(waited.unwrap().verdict, Verdict::NoMatch);
    assert!(
        matches!(
            full,
            Err(RegistryError::Busy {
                retry_after: Some(_)
            })
        ),
        "{full:?}"
    );
    let told = slow.timeout_ms.load(Ordering::Relaxed);
    assert!((1..3_000).contains(&told), "{told} ms of three seconds");
}

#[tokio::test]
async fn a_silent_instance_costs_one_deadline_and_is_avoided() {
    let folder = certificates();
    let slow = Arc::new(Slow::default());
    let silent = Instance::start(folder.path(), slow, 256).await;
    let good = Scripted::new(|| Ok(LookUp::NotFound));
    let answering = Instance::start(folder.path(), good.clone(), 256).await;
    let remote = remote(folder.path(), &[&silent.endpoint, &answering.endpoint]);
    let begun = Instant::now();
    let late = remote.verify(&question("q"), &hoa(), SHORT).await;
    assert!(
        matches!(late, Err(RegistryError::Unavailable(_))),
        "{late:?}"
    );
    assert!(begun.elapsed() < TIMEOUT);
    for _ in 0..4 {
        // Its turn comes up, and it is passed over.
        remote
            .verify(&question("q"), &hoa(), TIMEOUT)
            .await
            .unwrap();
    }
    assert_eq!(good.asked(), 4);
}

#[tokio::test]
async fn a_stop_lets_questions_under_way_finish() {
    let folder = certificates();
    let slow = Arc::new(Slow::default());
    let mut instance = Instance::start(folder.path(), slow.clone(), 256).await;
    let remote = remote(folder.path(), &[&instance.endpoint]);
    let (asked, claims) = (question("q"), hoa());
    let waiting = remote.verify(&asked, &claims, TIMEOUT);
    let stopping = async {
        slow.begun.notified().await;
        instance.stop.cancel();
        slow.go_on.notify_one();
    };
    let (waited, ()) = tokio::join!(waiting, stopping);
    assert_eq!(waited.unwrap().verdict, Verdict::NoMatch);
    instance.running.join_next().await.unwrap().unwrap();
    assert!(instance.connections.is_empty());
}
