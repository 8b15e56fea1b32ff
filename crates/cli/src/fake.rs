//! A gateway over mutual TLS in this process that knows a few persons, keeps jobs in memory and
//! breaks off where it is told to; and the real command line against it.

mod identity;
mod operators;
mod participants;
mod samples;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use clap::Parser as _;
use jiff::Timestamp;
use lienthong_domain::Clock;
use lienthong_proto::admin::v1::audit_service_server::AuditServiceServer;
use lienthong_proto::admin::v1::delivery_service_server::DeliveryServiceServer;
use lienthong_proto::admin::v1::destination_service_server::DestinationServiceServer;
use lienthong_proto::admin::v1::operation_service_server::OperationServiceServer;
use lienthong_proto::admin::v1::overview_service_server::OverviewServiceServer;
use lienthong_proto::admin::v1::participant_service_server::ParticipantServiceServer;
use lienthong_proto::admin::v1::queue_service_server::QueueServiceServer;
use lienthong_proto::admin::v1::report_service_server::ReportServiceServer;
use lienthong_proto::identity::v1::identity_service_server::IdentityServiceServer;
use lienthong_transport::{
    Acceptor, DevelopmentCa, Http2Limits, IdentityPolicy, Limits, Overwrite, ServerTls,
    ServerTlsConfig, TlsClock, tonic_server,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Response, Status};

pub(crate) use self::identity::{Moods, Record};
pub(crate) use self::operators::Duty;
pub(crate) use self::samples::overview;
use crate::command::execute;
use crate::errors::CliError;
use crate::output::{Captured, Output};
use crate::{Command, Connection, Exit, OutputArgs};

const TRUST_DOMAIN: &str = "gw.example.vn";

/// What a call of the contract gives.
type Answered<T> = Result<Response<T>, Status>;

/// The day of all tests: a Friday morning in Hà Nội.
fn now() -> Timestamp {
    "2026-11-20T01:30:00Z".parse().unwrap()
}

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    output: OutputArgs,
    #[command(subcommand)]
    command: Command,
}

/// The gateway with a folder for files; it ends with this value.
pub(crate) struct FakeGateway {
    folder: TempDir,
    endpoint: String,
    record: Arc<Mutex<Record>>,
    duty: Arc<Mutex<Duty>>,
    _tasks: JoinSet<()>,
}

/// How a command ended and what it wrote.
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) data: String,
    /// What was said, with the error if there was one.
    pub(crate) talk: String,
}

impl Ran {
    /// The one JSON object of the data.
    pub(crate) fn object(&self) -> Value {
        serde_json::from_str(&self.data)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.data, self.talk))
    }
}

impl FakeGateway {
    /// Starts without any mood.
    pub(crate) async fn kind() -> Self {
        Self::start(Moods::default()).await
    }

    /// Starts with certificates of its own.
    pub(crate) async fn start(moods: Moods) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let policy =
            IdentityPolicy::new(TRUST_DOMAIN, IdentityPolicy::VALIDITY_DAYS_MAX_DEFAULT).unwrap();
        let certs = folder.path().join("certs");
        let ca = DevelopmentCa::create(now()).unwrap();
        ca.save(&certs, Overwrite::No).unwrap();
        let server = ca.issue_server(&["127.0.0.1"], now(), 90).unwrap();
        server.save(&certs, Overwrite::No).unwrap();
        let participant = ca.issue_participant(&policy, ("G15", "hotich"), now(), 90);
        participant.unwrap().save(&certs, Overwrite::No).unwrap();
        let config = ServerTlsConfig {
            certificate_chain: certs.join("server.pem"),
            private_key: certs.join("server-key.pem"),
            client_ca: certs.join("ca.pem"),
            client_crls: Vec::new(),
            identity: policy,
        };
        let tls = Arc::new(ServerTls::load(config, TlsClock::new(now)).unwrap());
        let acceptor = Acceptor::bind("127.0.0.1:0".parse().unwrap(), tls, Limits::default())
            .await
            .unwrap();
        let endpoint = format!("https://{}", acceptor.local_address());
        let record = Arc::new(Mutex::new(Record::new(moods)));
        let duty = Arc::new(Mutex::new(Duty::default()));
        let operators = operators::Service(duty.clone());
        let serving = tonic_server(&Http2Limits::default())
            .add_service(IdentityServiceServer::new(identity::Service(
                record.clone(),
            )))
            .add_service(ParticipantServiceServer::new(participants::Service))
            .add_service(OverviewServiceServer::new(operators.clone()))
            .add_service(DeliveryServiceServer::new(operators.clone()))
            .add_service(OperationServiceServer::new(operators.clone()))
            .add_service(DestinationServiceServer::new(operators.clone()))
            .add_service(QueueServiceServer::new(operators.clone()))
            .add_service(ReportServiceServer::new(operators.clone()))
            .add_service(AuditServiceServer::new(operators))
            .serve_with_incoming(acceptor.incoming(CancellationToken::new()));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { serving.await.unwrap() });
        Self {
            folder,
            endpoint,
            record,
            duty,
            _tasks: tasks,
        }
    }

    /// A path in the private folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the private folder.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        text(&path)
    }

    /// What the gateway was asked, and how it behaves from now on.
    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap()
    }

    /// What operators did to it, and how it stands for them.
    pub(crate) fn duty(&self) -> MutexGuard<'_, Duty> {
        self.duty.lock().unwrap()
    }

    /// Runs a command line to its end.
    pub(crate) async fn run(&self, words: &[&str]) -> Ran {
        self.run_until(words, CancellationToken::new()).await
    }

    /// Runs a command line until `stop`.
    pub(crate) async fn run_until(&self, words: &[&str], stop: CancellationToken) -> Ran {
        let certs = self.path("certs");
        let file = |name: &str| text(&certs.join(name));
        let (ca, cert, key) = (
            file("ca.pem"),
            file("G15-hotich.pem"),
            file("G15-hotich-key.pem"),
        );
        let connection = [
            "--endpoint",
            &self.endpoint,
            "--ca",
            &ca,
            "--cert",
            &cert,
            "--key",
            &key,
        ];
        let line = ["lienthong"].iter().chain(words).chain(&connection);
        let line = Line::try_parse_from(line).unwrap_or_else(|error| panic!("{error}"));
        let (output, captured) = Output::captured(line.output);
        let clock = Clock::from_fn(now);
        let result = execute(line.command, &line.connection, &output, &clock, stop).await;
        ended(result, &captured)
    }
}

fn ended(result: Result<Exit, CliError>, captured: &Captured) -> Ran {
    let (exit, error) = match result {
        Ok(exit) => (exit, String::new()),
        Err(error) => (error.exit(), error.told()),
    };
    Ran {
        exit,
        data: captured.data(),
        talk: captured.talk() + &error,
    }
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
