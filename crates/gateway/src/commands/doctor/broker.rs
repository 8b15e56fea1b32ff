//! RabbitMQ: the connection, the queues, whether it returns what no queue takes, and what policies change.

use std::sync::Arc;
use std::time::Duration;

use lienthong_broker_rabbitmq::{
    BadUrl, ManagementError, ManagementUrl, Override, RabbitBroker, SetBy, Weight,
};
use lienthong_domain::Clock;
use lienthong_ports::{Broker, BrokerError};
use lienthong_transport::{HttpClientConfig, IdentityFiles, http_client};

use super::{Finding, Grade};
use crate::config::{BrokerKind, Config, Rabbitmq};
use crate::wire;

/// How long RabbitMQ may take for each of the checks.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn all(config: &Config, clock: &Clock) -> Vec<Finding> {
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
        Ok(()) => connected(config, clock, &broker).await,
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
/// length: RabbitMQ refuses a queue that has others. A policy may still change what they do.
async fn connected(config: &Config, clock: &Clock, broker: &RabbitBroker) -> Vec<Finding> {
    let mut findings = vec![
        Finding::ok(
            "broker",
            "RabbitMQ is connected; queues are quorum queues with dead-letter exchange, delivery limit and length as needed",
        ),
        queues(config, broker).await,
        unroutable(broker).await,
    ];
    findings.extend(policies(&config.broker.rabbitmq, clock, broker).await);
    findings
}

async fn queues(config: &Config, broker: &RabbitBroker) -> Finding {
    const FIX: &str = "the queues cannot be asked: look at the user's right to read";
    let destinations = [config.portal.name.clone()];
    match broker.depths(&destinations).await {
        Err(error) => Finding::warn("queues", format!("failed to {error}"), FIX),
        Ok(depths) => {
            let told = depths.iter().map(|depth| {
                let (messages, consumers) = (depth.messages, depth.consumers);
                let queue = &depth.queue;
                format!("{queue}: {messages} message(s), {consumers} consumer(s)")
            });
            Finding::ok("queues", told.collect::<Vec<_>>().join("; "))
        }
    }
}

/// An alternate exchange would make a missing queue look like a confirm.
async fn unroutable(broker: &RabbitBroker) -> Finding {
    const SWALLOWED: &str = "a policy that matches lienthong.work sets alternate-exchange: without its queue an attempt is confirmed and lost until its lease ends";
    const UNKNOWN: &str =
        "look at RabbitMQ's alarms (rabbitmq-diagnostics alarms) and at the user's right to write";
    match broker.returns_unroutable(PATIENCE).await {
        Ok(true) => Finding::ok("unroutable", "a message that no queue takes comes back"),
        Ok(false) => {
            let vhost = shell(broker.vhost());
            let found = "a message that no queue takes does not come back: lienthong.work has an alternate exchange";
            let fix = format!(
                "{SWALLOWED}; find it: rabbitmqctl list_policies -p {vhost}; clear it, or narrow its pattern: rabbitmqctl clear_policy -p {vhost} NAME"
            );
            Finding::fault("unroutable", found, fix)
        }
        Err(error) => Finding::warn(
            "unroutable",
            format!("not known: failed to {error}"),
            UNKNOWN,
        ),
    }
}

async fn policies(given: &Rabbitmq, clock: &Clock, broker: &RabbitBroker) -> Vec<Finding> {
    const WRONG: &str = "correct broker.rabbitmq.management_url, or empty it";
    const FILES: &str = "look at ca, client_certificate and client_key in [broker.rabbitmq]";
    if given.management_url.is_empty() {
        return vec![not_asked(broker.vhost())];
    }
    let asked = match management(given) {
        Err(reason) => return vec![Finding::warn("policies", reason, WRONG)],
        Ok((url, settings)) => match http_client(&settings, wire::tls_clock(clock)) {
            Err(error) => {
                let found = format!("not looked at: failed to {error}");
                return vec![Finding::warn("policies", found, FILES)];
            }
            Ok(http) => broker.policies(&http, &url, PATIENCE).await,
        },
    };
    match asked {
        Ok(overrides) if overrides.is_empty() => {
            let found = "none changes what the gateway declared";
            vec![Finding::ok("policies", found)]
        }
        Ok(overrides) => overrides
            .iter()
            .map(|found| told(found, broker.vhost()))
            .collect(),
        Err(error) => {
            let found = format!("not known: failed to {error}");
            vec![Finding::warn("policies", found, cure(&error))]
        }
    }
}

/// AMQP does not tell policies.
fn not_asked(vhost: &str) -> Finding {
    let found = format!("not looked at: AMQP does not tell them; vhost {vhost}");
    let vhost = shell(vhost);
    let fix = format!(
        "set broker.rabbitmq.management_url; or run on the broker: rabbitmqctl list_policies -p {vhost}; and: rabbitmqctl list_queues -p {vhost} name type policy arguments (no policy of yours may set expires, message-ttl or max-length there)"
    );
    Finding::new("policies", Grade::Ok, found, fix)
}

/// The management plugin's address, and a client for it that trusts whom AMQP trusts.
fn management(given: &Rabbitmq) -> Result<(ManagementUrl, HttpClientConfig), String> {
    let broker = given
        .url
        .parse()
        .map_err(|error: BadUrl| format!("failed to {error}"))?;
    let url = ManagementUrl::parse(&given.management_url, &broker)
        .map_err(|reason| format!("broker.rabbitmq.management_url {reason}"))?;
    let files = given
        .client_certificate
        .clone()
        .zip(given.client_key.clone());
    let settings = HttpClientConfig {
        roots: given.ca.clone(),
        identity: files.map(|(certificate_chain, private_key)| IdentityFiles {
            certificate_chain,
            private_key,
        }),
        request_timeout: PATIENCE,
        allow_plaintext: url.is_plain(),
        ..HttpClientConfig::default()
    };
    Ok((url, settings))
}

fn cure(error: &ManagementError) -> &'static str {
    match error {
        ManagementError::Unreachable(_) | ManagementError::TimedOut => {
            "look at broker.rabbitmq.management_url and the route to it, and whether the plugin runs: rabbitmq-plugins enable rabbitmq_management"
        }
        ManagementError::Refused { .. } => {
            "give the user of broker.rabbitmq.url the tag management beside those it has: rabbitmqctl set_user_tags USER management"
        }
        ManagementError::Missing(_) => {
            "broker.rabbitmq.management_url and url must lead to the same RabbitMQ: look at host, port and path"
        }
        ManagementError::Odd { .. } => {
            "look at what answers at broker.rabbitmq.management_url: it should be RabbitMQ's management plugin"
        }
        ManagementError::NotTold(_) => {
            "run the doctor again in some seconds; if it stays so, management_agent.disable_metrics_collector is set in RabbitMQ"
        }
    }
}

fn told(found: &Override, vhost: &str) -> Finding {
    let grade = match found.weight {
        Weight::Harmful => Grade::Fault,
        Weight::Notable => Grade::Warn,
    };
    let (names, commands) = names_and_commands(&found.set_by, &shell(vhost));
    let text = format!(
        "{}: {} sets {} = {}: {}",
        found.objects.join(", "),
        names.join(" or "),
        found.key,
        found.value,
        found.effect
    );
    let fix = format!(
        "take the key out, or narrow the pattern so that it leaves work.* and lienthong.* alone, or clear it: {}",
        commands.join(" or ")
    );
    Finding::new("policies", grade, text, fix)
}

fn names_and_commands(set_by: &SetBy, vhost: &str) -> (Vec<String>, Vec<String>) {
    let kinds = [
        ("policy", "clear_policy", &set_by.policy),
        (
            "operator policy",
            "clear_operator_policy",
            &set_by.operator_policy,
        ),
    ];
    let set = kinds.into_iter().filter_map(|(kind, command, name)| {
        let name = name.as_ref()?;
        let clear = format!("rabbitmqctl {command} -p {vhost} {}", shell(name));
        Some((format!("{kind} {name}"), clear))
    });
    set.unzip()
}

/// A word as a shell takes it.
fn shell(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "/._-%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_told_with_the_command_that_clears_it() {
        let mut found = Override {
            objects: vec![
                "queue work.dvcqg".to_owned(),
                "queue work.identity".to_owned(),
            ],
            set_by: SetBy {
                policy: Some("thời hạn".to_owned()),
                operator_policy: None,
            },
            key: "message-ttl".to_owned(),
            value: "3600000".to_owned(),
            weight: Weight::Harmful,
            effect: "attempts vanish",
        };
        let fault = told(&found, "/");
        assert_eq!(fault.grade, Grade::Fault);
        assert_eq!(
            fault.found,
            "queue work.dvcqg, queue work.identity: policy thời hạn sets message-ttl = 3600000: attempts vanish"
        );
        assert!(
            fault
                .fix
                .ends_with("rabbitmqctl clear_policy -p / 'thời hạn'"),
            "{fault:?}"
        );
        found.weight = Weight::Notable;
        found.set_by.operator_policy = Some("trần".to_owned());
        let warning = told(&found, "a b");
        assert_eq!(warning.grade, Grade::Warn);
        assert!(
            warning
                .found
                .contains("policy thời hạn or operator policy trần sets")
        );
        assert!(
            warning
                .fix
                .ends_with("rabbitmqctl clear_operator_policy -p 'a b' trần")
        );
    }

    #[test]
    fn a_word_with_more_than_letters_is_quoted() {
        assert_eq!(shell("lienthong"), "lienthong");
        assert_eq!(shell(""), "''");
        assert_eq!(shell("x; rm 'y'"), r"'x; rm '\''y'\'''");
    }
}
