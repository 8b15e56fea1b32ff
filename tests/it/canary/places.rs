//! Where nobody may be found, how each place is searched, and how somebody is put there to see that the search finds.

use std::path::Path;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use lienthong_simulators::population::Citizen;
use lienthong_telemetry::metrics::Format;
use lienthong_testkit::rabbitmq::PrivateRabbit;
use lienthong_tests::harness::canaries::{Search, born};
use tonic::Status;

use super::Stage;

/// A place where nobody may be found. Whatever else the product comes to write or to tell is one
/// more variant, and [`Place::ALL`] the list of what is searched.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// The log at its finest level.
    Log,
    /// The store's files with the write-ahead log, and the key file.
    StoreAndKeys,
    /// RabbitMQ's folders, where it runs.
    Broker,
    /// What is told when a request fails: messages, details, metadata.
    ErrorAnswers,
    /// What the collector was sent.
    Spans,
    /// What Prometheus reads, in both forms.
    Metrics,
}

impl Place {
    /// Every place that is searched.
    pub(super) const ALL: [Self; 6] = [
        Self::Log,
        Self::StoreAndKeys,
        Self::Broker,
        Self::ErrorAnswers,
        Self::Spans,
        Self::Metrics,
    ];

    /// Whether there is such a place on this machine.
    pub(super) fn is_there(self, stage: &Stage) -> bool {
        match self {
            Self::Broker => stage.rabbit.is_some(),
            Self::Log | Self::StoreAndKeys | Self::ErrorAnswers | Self::Spans | Self::Metrics => {
                true
            }
        }
    }

    /// Looks for everybody.
    pub(super) fn search(self, stage: &Stage) -> Search {
        let folder = stage.gateway.folder();
        match self {
            Self::Log => search_files(stage, &[&stage.log]),
            Self::StoreAndKeys => {
                search_files(stage, &[&folder.join("data"), &folder.join("keys.toml")])
            }
            Self::Broker => search_files(stage, &broker_folders(stage)),
            Self::ErrorAnswers => stage.canaries.search("errors", &stage.told.text),
            Self::Spans => stage.canaries.search("spans", &stage.collector.written()),
            Self::Metrics => stage.canaries.search("metrics", &metrics(stage)),
        }
    }

    /// Puts somebody there.
    pub(super) async fn plant(self, stage: &mut Stage, person: &Citizen) {
        match self {
            Self::Log => tracing::trace!(planted = person.name.upper(), "a canary"),
            Self::StoreAndKeys => {
                let number = &person.number;
                let sql = format!("CREATE TABLE planted AS SELECT '{number}' AS number");
                store(stage).execute_batch(&sql).unwrap();
            }
            Self::Broker => keep_in_the_broker(&stage.broker_url, &person.number).await,
            Self::ErrorAnswers => stage.told.status(&Status::not_found(born(person))),
            Self::Spans => stage.collector.send(&person.number).await,
            // No label takes such a text, so it is put beside what the gateway tells.
            Self::Metrics => stage.beside_metrics.push_str(&person.number),
        }
    }
}

/// Both forms of the metrics, and what was planted beside them.
fn metrics(stage: &Stage) -> Vec<u8> {
    let metrics = &stage.gateway.running().metrics;
    let forms = [Format::Text, Format::OpenMetrics].map(|format| metrics.render(format));
    [forms.concat(), stage.beside_metrics.clone()]
        .concat()
        .into_bytes()
}

fn search_files(stage: &Stage, paths: &[&Path]) -> Search {
    let mut search = Search::default();
    for path in paths {
        search.add(stage.canaries.search_files(path).unwrap());
    }
    search
}

/// Where the broker writes.
fn broker_folders(stage: &Stage) -> Vec<&Path> {
    let node = stage.rabbit.as_ref().map(PrivateRabbit::node);
    let folders = ["RABBITMQ_MNESIA_BASE", "RABBITMQ_LOG_BASE"];
    let environment = node.map(|node| &node.environment);
    let named = environment
        .into_iter()
        .flat_map(|environment| folders.map(|name| Path::new(&environment[name])));
    named.collect()
}

/// The store's database, as somebody beside the gateway opens it.
pub(super) fn store(stage: &Stage) -> rusqlite::Connection {
    rusqlite::Connection::open(stage.gateway.folder().join("data/lienthong.db")).unwrap()
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
