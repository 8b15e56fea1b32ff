//! `lienthong doctor` at a whole deployment with RabbitMQ: in order, with a wrong password, with a queue that is another,
//! with policies that change what the gateway declared.

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use lienthong_gateway::commands::doctor::{Finding, Grade, examine};
use lienthong_gateway::config::{BrokerKind, Config};
use lienthong_testkit::rabbitmq::{self, Node};
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
    let gateway = gateway_at(rabbit.node(), &vhosts[0]).await;
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

/// A gateway at a vhost of its own.
async fn gateway_at(node: &Node, vhost: &str) -> TestGateway {
    TestGateway::start_with(|config| {
        config.broker.kind = BrokerKind::Rabbitmq;
        config.broker.rabbitmq.url = node.amqp_url(vhost);
        config.broker.rabbitmq.management_url = node.management_url().unwrap_or_default();
    })
    .await
}

/// Waits until what the doctor finds about `check` has this grade, and gives it.
async fn until_graded(gateway: &TestGateway, check: &str, grade: Grade) -> Vec<Finding> {
    let mut found = Vec::new();
    gateway
        .until(&format!("{check} is {grade:?}"), async || {
            found = examine(gateway.config()).await;
            found.retain(|finding| finding.check == check);
            found.first().is_some_and(|finding| finding.grade == grade)
        })
        .await;
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alternate_exchange_is_found_by_a_message() {
    let Some(rabbit) = block_in_place(rabbitmq::shared).unwrap() else {
        return;
    };
    let node = rabbit.node();
    let vhost = block_in_place(|| node.fresh_vhost()).unwrap();
    let gateway = gateway_at(node, &vhost).await;
    until_graded(&gateway, "unroutable", Grade::Ok).await;
    let findings = examine(gateway.config()).await;
    let policies = about(&findings, "policies");
    assert_eq!(policies.grade, Grade::Ok, "{policies:?}");
    assert!(policies.found.contains("not looked at"), "{policies:?}");
    assert!(policies.found.ends_with(&vhost), "{policies:?}");
    assert!(policies.fix.contains("management_url"), "{policies:?}");

    // Whatever goes there lies in the queue of dead letters: a message that is routed does not come back.
    let swallow = r#"{"alternate-exchange":"lienthong.dlx"}"#;
    block_in_place(|| node.set_policy(&vhost, "^lienthong[.]work$", swallow)).unwrap();
    let faults = until_graded(&gateway, "unroutable", Grade::Fault).await;
    assert!(faults[0].found.contains("alternate exchange"), "{faults:?}");
    assert!(
        faults[0].fix.contains(&format!("clear_policy -p {vhost}")),
        "{faults:?}"
    );
    block_in_place(|| node.clear_policy(&vhost)).unwrap();
    until_graded(&gateway, "unroutable", Grade::Ok).await;
    gateway.stop().await;
    block_in_place(|| drop(rabbit));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_management_plugin_tells_the_policies_that_change_the_queues() {
    let Some(rabbit) = block_in_place(rabbitmq::own_with_management).unwrap() else {
        return;
    };
    let node = rabbit.node();
    let vhost = block_in_place(|| node.fresh_vhost()).unwrap();
    let gateway = gateway_at(node, &vhost).await;
    let found = until_graded(&gateway, "policies", Grade::Ok).await;
    assert!(found[0].found.starts_with("none changes"), "{found:?}");

    let brief = r#"{"message-ttl":60000,"max-length":20000}"#;
    block_in_place(|| node.set_policy(&vhost, "^work[.]", brief)).unwrap();
    let found = until_graded(&gateway, "policies", Grade::Fault).await;
    let told = &found[0].found;
    assert!(
        told.starts_with(&format!("queue {QUEUE}, queue work.")),
        "{told}"
    );
    assert!(
        told.contains(": policy test sets message-ttl = 60000: "),
        "{told}"
    );
    assert_eq!(
        found.len(),
        1,
        "a higher max-length changes nothing: {found:?}"
    );
    let clear = format!("rabbitmqctl clear_policy -p {vhost} test");
    assert!(found[0].fix.ends_with(&clear), "{found:?}");

    // The exchange too, by its own way.
    let swallow = r#"{"alternate-exchange":"lienthong.dlx"}"#;
    block_in_place(|| node.set_policy(&vhost, "^lienthong[.]work$", swallow)).unwrap();
    gateway
        .until("the exchange's policy alone is told", async || {
            let findings = examine(gateway.config()).await;
            let mut told = findings
                .iter()
                .filter(|finding| finding.check == "policies");
            let first = told.next().expect("something is always told");
            told.next().is_none()
                && first
                    .found
                    .starts_with("exchange lienthong.work: policy test")
        })
        .await;
    block_in_place(|| node.clear_policy(&vhost)).unwrap();
    until_graded(&gateway, "policies", Grade::Ok).await;

    let mut elsewhere = gateway.config().clone();
    elsewhere.broker.rabbitmq.management_url = format!("http://127.0.0.1:{}", node.amqp_port);
    let findings = examine(&elsewhere).await;
    let policies = about(&findings, "policies");
    assert_eq!(
        policies.grade,
        Grade::Warn,
        "no HTTP answers at AMQP's port: {policies:?}"
    );
    assert!(
        policies.fix.contains("rabbitmq-plugins enable"),
        "{policies:?}"
    );
    gateway.stop().await;
    block_in_place(|| drop(rabbit));
}
