//! Ten thousand people go through the whole product, and none of them is found where nobody may be found: in the log
//! at its finest level, in the store's files, in the key file, in RabbitMQ's folder and in what is told when a request
//! fails.

mod traffic;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use lienthong_gateway::config::BrokerKind;
use lienthong_testkit::rabbitmq::{self, PrivateRabbit};
use lienthong_tests::harness::TestGateway;
use lienthong_tests::harness::canaries::{Canaries, Search, born};
use tokio::task::block_in_place;
use tonic::Status;

use traffic::{
    ask, be_refused, disturb_the_database, portal_speaks_of_people, push, read_what_operators_read,
    run_job, send_nonsense,
};

/// People pushed, and people of one verification job.
const PEOPLE: usize = 10_000;

/// What callers were told when something failed.
#[derive(Default)]
struct Told {
    count: usize,
    text: Vec<u8>,
}

impl Told {
    fn status(&mut self, status: &Status) {
        self.count += 1;
        // Printed, it has the metadata too; the details are protobuf, whose texts stand in it as they are.
        write!(self.text, "{status:?}\n{}\n", status.message()).unwrap();
        self.text.extend_from_slice(status.details());
    }

    /// Takes note of an answer that must be an error.
    fn failed<T>(&mut self, answer: Result<T, Status>) {
        self.status(&answer.err().expect("this cannot be answered"));
    }

    fn message(&mut self, message: &impl prost::Message) {
        self.count += 1;
        self.text.extend(message.encode_to_vec());
    }
}

/// Everything that is followed.
struct Stage {
    gateway: TestGateway,
    canaries: Arc<Canaries>,
    rabbit: Option<PrivateRabbit>,
    broker_url: String,
    log: PathBuf,
    told: Told,
    _log_folder: tempfile::TempDir,
}

impl Stage {
    async fn set() -> Self {
        let log_folder = tempfile::tempdir().unwrap();
        let log = log_folder.path().join("log");
        let followed = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(Arc::new(File::create(&log).unwrap()))
            .try_init();
        followed.expect("nobody else in this process follows the log");
        let rabbit = block_in_place(rabbitmq::shared).unwrap();
        let broker_url = rabbit.as_ref().map_or_else(String::new, |rabbit| {
            let vhost = block_in_place(|| rabbit.node().fresh_vhost()).unwrap();
            rabbit.node().amqp_url(&vhost)
        });
        let gateway = TestGateway::start_with(|config| {
            // As fast as it goes: ten thousand items are to be asked in a minute.
            let jobs = &mut config.identity.jobs;
            (jobs.window, jobs.batch, jobs.concurrency_max) = (1_000, 500, 64);
            config.identity.concurrency_max = 64;
            if !broker_url.is_empty() {
                config.broker.kind = BrokerKind::Rabbitmq;
                config.broker.rabbitmq.url.clone_from(&broker_url);
            }
        })
        .await;
        let canaries = Canaries::choose(&gateway.population, PEOPLE).unwrap();
        Self {
            gateway,
            canaries: Arc::new(canaries),
            rabbit,
            broker_url,
            log,
            told: Told::default(),
            _log_folder: log_folder,
        }
    }

    /// Where the broker writes.
    fn broker_folders(&self) -> Vec<&Path> {
        let node = self.rabbit.as_ref().map(PrivateRabbit::node);
        let folders = ["RABBITMQ_MNESIA_BASE", "RABBITMQ_LOG_BASE"];
        let environment = node.map(|node| &node.environment);
        let named = environment
            .into_iter()
            .flat_map(|environment| folders.map(|name| Path::new(&environment[name])));
        named.collect()
    }

    /// Searches every place; each with its name.
    fn search(&self) -> Vec<(&'static str, Search)> {
        let files = |paths: &[&Path]| {
            let mut search = Search::default();
            for path in paths {
                search.add(self.canaries.search_files(path).unwrap());
            }
            search
        };
        vec![
            ("log", files(&[&self.log])),
            (
                "store and keys",
                files(&[&self.gateway.folder().join("data"), &self.keys()]),
            ),
            ("broker", files(&self.broker_folders())),
            (
                "error answers",
                self.canaries.search("errors", &self.told.text),
            ),
        ]
    }

    fn keys(&self) -> PathBuf {
        self.gateway.folder().join("keys.toml")
    }

    fn store(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.gateway.folder().join("data/lienthong.db")).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_found_where_nobody_may_be_found() {
    let began = Instant::now();
    let mut stage = Stage::set().await;
    say(began, &format!("{} spellings", stage.canaries.spellings()));
    portal_speaks_of_people(&stage);
    push(&mut stage).await;
    say(began, "pushed");
    run_job(&mut stage).await;
    say(began, "job done");
    ask(&mut stage).await;
    say(began, "asked one by one");
    be_refused(&mut stage).await;
    send_nonsense(&mut stage).await;
    disturb_the_database(&mut stage).await;
    read_what_operators_read(&mut stage).await;
    say(began, "refused and failed");

    nothing_is_found(began, &stage, "while it runs");
    checkpoint(&stage);
    nothing_is_found(began, &stage, "after a checkpoint");
    plant(&mut stage).await;
    everything_planted_is_found(began, &stage);
    stage.gateway.stop().await;
    block_in_place(|| drop(stage.rabbit));
}

/// Tells who runs the test how far it is.
fn say(began: Instant, what: &str) {
    let line = format!("{:>6.1} s  {what}\n", began.elapsed().as_secs_f64());
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

fn nothing_is_found(began: Instant, stage: &Stage, when: &str) {
    let searches = block_in_place(|| stage.search());
    for (place, search) in &searches {
        let Search {
            places,
            bytes,
            found,
            ..
        } = search;
        say(
            began,
            &format!("{when}: {place}: {found} in {places} places, {bytes} bytes"),
        );
    }
    say(began, &format!("{} errors were told", stage.told.count));
    for (place, search) in &searches {
        assert_eq!(search.found, 0, "{place}: {:#?}", search.shown);
        let is_there = *place != "broker" || stage.rabbit.is_some();
        assert!(search.bytes > 0 || !is_there, "{place} was not searched");
    }
    let log = std::fs::metadata(&stage.log).unwrap();
    assert!(log.len() > 1 << 20, "the log was not followed");
}

/// Everything in the write-ahead log is written into the file itself.
fn checkpoint(stage: &Stage) {
    let sql = "PRAGMA wal_checkpoint(FULL)";
    let busy = stage
        .store()
        .query_row(sql, [], |row| row.get::<_, i64>(0))
        .unwrap();
    assert_eq!(busy, 0, "the checkpoint was not completed");
}

/// One canary in every place, so that a search that finds nothing means something.
async fn plant(stage: &mut Stage) {
    let person = &stage.canaries.people()[PEOPLE / 2];
    let (name, number) = (person.name.upper(), person.number.clone());
    tracing::trace!(planted = name, "a canary");
    let sql = format!("CREATE TABLE planted AS SELECT '{number}' AS number");
    stage.store().execute_batch(&sql).unwrap();
    if stage.rabbit.is_some() {
        keep_in_the_broker(&stage.broker_url, &number).await;
    }
    stage.told.status(&Status::not_found(born(person)));
}

/// A durable message with a body.
async fn keep_in_the_broker(url: &str, body: &str) {
    let properties = ConnectionProperties::default();
    let connection = Connection::connect(url, properties).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut arguments = FieldTable::default();
    let quorum = AMQPValue::LongString("quorum".into());
    arguments.insert("x-queue-type".into(), quorum);
    channel
        .queue_declare("planted".into(), QueueDeclareOptions::durable(), arguments)
        .await
        .unwrap();
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .unwrap();
    let properties = BasicProperties::default().with_delivery_mode(2);
    let options = BasicPublishOptions::default();
    let published = channel
        .basic_publish(
            "".into(),
            "planted".into(),
            options,
            body.as_bytes(),
            properties,
        )
        .await
        .unwrap();
    published.await.unwrap();
    connection.close(200, "done".into()).await.unwrap();
}

fn everything_planted_is_found(began: Instant, stage: &Stage) {
    let searches = block_in_place(|| stage.search());
    for (place, search) in searches {
        say(began, &format!("planted: {place}: {} found", search.found));
        let is_there = place != "broker" || stage.rabbit.is_some();
        assert!(
            search.found > 0 || !is_there,
            "{place}: what was planted is not found, so nothing would be"
        );
    }
}
