//! Ten thousand people go through the whole product, each pushed, asked about by a job and asked about alone, and none of
//! them is found where nobody may be found: see [`Place`].

mod places;
mod traffic;

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use lienthong_gateway::config::BrokerKind;
use lienthong_testkit::rabbitmq::{self, PrivateRabbit};
use lienthong_tests::harness::TestGateway;
use lienthong_tests::harness::canaries::{Canaries, Search};
use lienthong_tests::harness::collector::Collector;
use tokio::task::block_in_place;
use tonic::Status;

use places::{Place, store};
use traffic::{
    ask, be_refused, disturb_the_database, portal_speaks_of_people, push, read_what_operators_read,
    run_job, send_nonsense,
};

/// People pushed, people of one verification job, and people verified or looked up in a request of their own.
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
    collector: Collector,
    beside_metrics: String,
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
        let collector = Collector::start().await;
        let gateway = TestGateway::start_with(|config| {
            config.traces.endpoint = collector.endpoint();
            config.traces.sample_ratio = 1.0;
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
            collector,
            beside_metrics: String::new(),
            _log_folder: log_folder,
        }
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

    nobody_is_found(began, &stage, "while it runs");
    checkpoint(&stage);
    nobody_is_found(began, &stage, "after a checkpoint");
    whoever_is_planted_is_found(began, &mut stage).await;
    stage.gateway.stop().await;
    block_in_place(|| drop(stage.rabbit));
}

/// Tells who runs the test how far it is.
fn say(began: Instant, what: &str) {
    let line = format!("{:>6.1} s  {what}\n", began.elapsed().as_secs_f64());
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

fn nobody_is_found(began: Instant, stage: &Stage, when: &str) {
    for place in Place::ALL.into_iter().filter(|place| place.is_there(stage)) {
        let search = block_in_place(|| place.search(stage));
        let Search {
            places,
            bytes,
            found,
            ..
        } = search;
        let what = format!("{when}: {place:?}: {found} in {places} places, {bytes} bytes");
        say(began, &what);
        assert_eq!(found, 0, "{place:?}: {:#?}", search.shown);
        assert!(bytes > 0, "{place:?} was not searched");
    }
    say(began, &format!("{} errors were told", stage.told.count));
    let log = std::fs::metadata(&stage.log).unwrap();
    assert!(log.len() > 1 << 20, "the log was not followed");
}

/// One canary in every place, so that a search that finds nobody means something.
async fn whoever_is_planted_is_found(began: Instant, stage: &mut Stage) {
    let person = stage.canaries.people()[PEOPLE / 2].clone();
    for place in Place::ALL {
        if place.is_there(stage) {
            place.plant(stage, &person).await;
            let search = block_in_place(|| place.search(stage));
            say(
                began,
                &format!("planted: {place:?}: {} found", search.found),
            );
            assert!(
                search.found > 0,
                "{place:?}: whoever was planted is not found, so nobody would be"
            );
        }
    }
}

/// Everything in the write-ahead log is written into the file itself.
fn checkpoint(stage: &Stage) {
    let sql = "PRAGMA wal_checkpoint(FULL)";
    let busy = store(stage)
        .query_row(sql, [], |row| row.get::<_, i64>(0))
        .unwrap();
    assert_eq!(busy, 0, "the checkpoint was not completed");
}
