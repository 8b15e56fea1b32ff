//! `lienthong doctor` at a whole deployment with RabbitMQ: in order, with a wrong password, with a queue that is another.

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use lienthong_gateway::commands::doctor::{Finding, Grade, examine};
use lienthong_gateway::config::{BrokerKind, Config};
use lienthong_testkit::rabbitmq;
use lienthong_tests::harness::TestGateway;
use tokio::task::block_in_place;

const WRONG_PASSWORD: &str = "mat-khau-cu";
/// The queue of the destination of every test gateway.
const QUEUE: &str = "work.dvcqg";

/// Makes the queue as somebody would who does not know the gateway.
async fn declare_another_queue(url: &str) {
    let connection = Connection::connect(url, ConnectionProperties::default());
    let connection = connection.await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let options = QueueDeclareOptions::durable();
    let declared = channel.queue_declare(QUEUE.into(), options, FieldTable::default());
    declared.await.unwrap();
    connection.close(200, "done".into()).await.unwrap();
}

/// The deployment with another broker.
fn at(config: &Config, url: &str) -> Config {
    let mut config = config.clone();
    url.clone_into(&mut config.broker.rabbitmq.url);
    config
}

/// The one finding about this.
fn about<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    let mut found = findings.iter().filter(|finding| finding.check == check);
    let one = found.next().expect(check);
    assert!(found.next().is_none(), "{findings:#?}");
    one
}

/// What is wrong, which must be the broker alone.
fn wrong(findings: &[Finding]) -> &Finding {
    let faults = findings.iter();
    let faults = faults.filter(|finding| finding.grade == Grade::Fault);
    assert_eq!(faults.count(), 1, "{findings:#?}");
    let broker = about(findings, "broker");
    assert_eq!(broker.grade, Grade::Fault, "{findings:#?}");
    broker
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_in_order_is_praised_and_each_disorder_is_told_with_its_cure() {
    let Some(rabbit) = block_in_place(rabbitmq::shared).unwrap() else {
        return;
    };
    let vhosts = block_in_place(|| rabbit.node().fresh_vhosts(2)).unwrap();
    let [good, other] = [0, 1].map(|vhost: usize| rabbit.node().amqp_url(&vhosts[vhost]));
    let gateway = TestGateway::start_with(|config| {
        config.broker.kind = BrokerKind::Rabbitmq;
        config.broker.rabbitmq.url.clone_from(&good);
    })
    .await;
    gateway
        .until("the gateway receives from its queue", async || {
            let findings = examine(gateway.config()).await;
            let faults = findings.iter();
            let mut faults = faults.filter(|finding| finding.grade == Grade::Fault);
            assert!(faults.next().is_none(), "{findings:#?}");
            let expected = format!("{QUEUE}: 0 message(s), 1 consumer(s)");
            about(&findings, "queues").found.starts_with(&expected)
        })
        .await;

    declare_another_queue(&other).await;
    let wrong_password = good.replace("guest:guest@", &format!("guest:{WRONG_PASSWORD}@"));
    let refused = at(gateway.config(), &wrong_password);
    let misshapen = at(gateway.config(), &other);
    // Each takes as long as the doctor waits for a broker.
    let (refused, misshapen) = tokio::join!(examine(&refused), examine(&misshapen));
    let (refused, misshapen) = (wrong(&refused), wrong(&misshapen));
    assert!(refused.fix.contains("the user and password"), "{refused:?}");
    assert!(!refused.found.contains(WRONG_PASSWORD), "{refused:?}");
    assert!(misshapen.found.contains(QUEUE), "{misshapen:?}");
    assert!(misshapen.fix.contains("delete_queue"), "{misshapen:?}");
    gateway.stop().await;
    block_in_place(|| drop(rabbit));
}
