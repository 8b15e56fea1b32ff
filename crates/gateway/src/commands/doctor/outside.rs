//! What lies outside: the broker with its queues and policies, the portal with its clock, the population database.

use std::sync::Arc;
use std::time::Duration;

use lienthong_broker_rabbitmq::RabbitBroker;
use lienthong_domain::Clock;
use lienthong_ports::{Broker, BrokerError, Destination};
use lienthong_services::problems::Thresholds;
use lienthong_telemetry::metrics::DeliveryMetrics;

use super::Finding;
use crate::config::{BrokerKind, Config};
use crate::wire;

/// How long an outside system may take to answer the doctor.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn all(config: &Config, clock: &Clock) -> Vec<Finding> {
    let mut findings = broker(config, clock).await;
    findings.extend(portal(config, clock).await);
    findings.push(population(config, clock).await);
    findings
}

async fn broker(config: &Config, clock: &Clock) -> Vec<Finding> {
    const FIX: &str =
        "look at the URL, the vhost and the user's rights (configure, write, read) in RabbitMQ";
    if config.broker.kind == BrokerKind::Embedded {
        return vec![Finding::ok("broker", "embedded: nothing to set up")];
    }
    let broker = match wire::connect_rabbitmq(config, clock) {
        Err(error) => return vec![Finding::fault("broker", format!("{error:#}"), FIX)],
        Ok(broker) => broker,
    };
    let findings = match broker.ready(PATIENCE).await {
        Ok(()) => healthy(config, &broker).await,
        Err(error) => vec![unusable(&error, &broker)],
    };
    broker.stop().await;
    findings
}

fn unusable(error: &BrokerError, broker: &Arc<RabbitBroker>) -> Finding {
    const REACH: &str =
        "look at the URL, the vhost, the user and password, the CA, and the route to RabbitMQ";
    const TOPOLOGY: &str = "delete the queue it names (rabbitmqctl -p VHOST delete_queue NAME): the gateway makes it anew, and the store has everything that lay in it";
    let fix = match error {
        BrokerError::Topology(_) => TOPOLOGY,
        _ => REACH,
    };
    let last = broker.state().last_error.unwrap_or_default();
    Finding::fault("broker", format!("failed to {error} {last}"), fix)
}

/// The connection stood, and every queue was declared with type quorum, dead-letter exchange, delivery limit and
/// length: RabbitMQ refuses a queue that has others. What a policy adds can be seen with its own tool only.
async fn healthy(config: &Config, broker: &Arc<RabbitBroker>) -> Vec<Finding> {
    const POLICIES: &str = "run on the broker: rabbitmqctl list_policies -p VHOST; and: rabbitmqctl list_queues -p VHOST name type policy arguments (no policy of yours may set expires, message-ttl or max-length there)";
    let mut findings = vec![Finding::ok(
        "broker",
        "RabbitMQ is connected; queues are quorum queues with dead-letter exchange, delivery limit and length as needed",
    )];
    let destinations = [config.portal.name.clone()];
    match broker.depths(&destinations).await {
        Err(error) => {
            let found = format!("failed to {error}");
            let fix = "the queues cannot be asked: look at the user's right to read";
            findings.push(Finding::warn("queues", found, fix));
        }
        Ok(depths) => {
            let told = depths.iter().map(|depth| {
                let (messages, consumers) = (depth.messages, depth.consumers);
                format!(
                    "{}: {messages} message(s), {consumers} consumer(s)",
                    depth.queue
                )
            });
            findings.push(Finding::ok("queues", told.collect::<Vec<_>>().join("; ")));
        }
    }
    let vhost = vhost(&config.broker.rabbitmq.url);
    let found = format!("cannot be read over AMQP; vhost {vhost}");
    findings.push(Finding::new("policies", super::Grade::Ok, found, POLICIES));
    findings
}

/// The vhost of an AMQP address; never the rest of it, which holds a password.
fn vhost(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let name = path.split('?').next().unwrap_or_default();
    match name {
        "" => "/".to_owned(),
        name => name.replace("%2F", "/").replace("%2f", "/"),
    }
}

/// A login, and what its answer says about our clock.
async fn portal(config: &Config, clock: &Clock) -> Vec<Finding> {
    const FIX: &str =
        "look at the addresses, the user and the password in [portal], and at the route to it";
    let metrics = DeliveryMetrics::default();
    let checked = match wire::portal(config, clock) {
        Err(error) => Err(format!("{error:#}")),
        Ok(portal) => {
            let portal = portal.with_metrics(metrics.clone());
            portal.check(PATIENCE).await
        }
    };
    let mut findings = vec![match checked {
        Ok(()) => Finding::ok("portal", "login works"),
        Err(found) => Finding::fault("portal", found, FIX),
    }];
    findings.extend(
        metrics
            .clock_offset(config.portal.name.as_str())
            .map(clocks),
    );
    findings
}

/// By how much the destination's clock is ahead of ours.
fn clocks(seconds: f64) -> Finding {
    const FIX: &str = "look at this machine (`timedatectl`, `chronyc tracking`) first; if it is right, tell the portal's people";
    let found = format!("the portal's is {seconds:+.1} s from ours");
    // As the overview judges it.
    let (difference, warned) = (seconds.abs(), Thresholds::default().clock_seconds);
    if difference > 10.0 * warned {
        Finding::fault("clocks", found, FIX)
    } else if difference > warned {
        Finding::warn("clocks", found, FIX)
    } else {
        Finding::ok("clocks", found)
    }
}

async fn population(config: &Config, clock: &Clock) -> Finding {
    const FIX: &str = "look at the address, the credentials and the certificates in [population], and at the route to it";
    let checked = match wire::registry(config, clock) {
        Ok(None) => return Finding::ok("population", "none: nobody can ask about citizens"),
        Ok(Some(registry)) => registry.check(PATIENCE).await,
        Err(error) => Err(format!("{error:#}")),
    };
    match checked {
        Ok(()) => Finding::ok("population", "answers and accepts us"),
        Err(found) => Finding::fault("population", found, FIX),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Grade;
    use super::*;

    #[test]
    fn the_vhost_is_told_without_the_password() {
        let table = [
            ("amqp://u:secret@broker.vn:5672/lienthong", "lienthong"),
            ("amqps://u:secret@broker.vn/a%2Fb?heartbeat=10", "a/b"),
            ("amqp://u:secret@broker.vn", "/"),
            ("amqp://u:secret@broker.vn/", "/"),
        ];
        for (url, expected) in table {
            assert_eq!(vhost(url), expected, "{url}");
        }
    }

    #[test]
    fn clocks_may_differ_a_little() {
        let graded: Vec<_> = [0.4, -29.0, 31.0, -301.0]
            .map(|seconds| clocks(seconds).grade)
            .into();
        assert_eq!(graded, [Grade::Ok, Grade::Ok, Grade::Warn, Grade::Fault]);
        assert_eq!(clocks(-2.5).found, "the portal's is -2.5 s from ours");
    }
}
