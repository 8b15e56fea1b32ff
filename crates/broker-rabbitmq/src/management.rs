//! Asks RabbitMQ's management plugin which policies apply to what the gateway declared. AMQP does not tell.
//!
//! Source: <https://www.rabbitmq.com/docs/http-api-reference>. A queue tells what applies to it in effect; of an exchange
//! only the policy's name is told, so the list of policies is read too.

use std::net::IpAddr;
use std::time::Duration;

use lapin::uri::{AMQPScheme, AMQPUserInfo};
use lienthong_ports::Queue;
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use crate::RabbitBroker;
use crate::config::BrokerUrl;
use crate::policy::{Applied, Declared, Override, SetBy, judge};
use crate::topology::{Topology, WORK_EXCHANGE, work_queue};

/// The longest answer that is read; a vhost with a thousand policies fits.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// A new queue tells nothing before its statistics come, every five seconds.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Where the management plugin answers. The credentials are those of the [`BrokerUrl`].
#[derive(Clone, Debug)]
pub struct ManagementUrl(Url);

impl ManagementUrl {
    /// Reads the address of the management plugin of the broker at `broker`.
    ///
    /// # Errors
    /// What is wrong with it, for "the address ...". A password that `amqps` protects never travels in the clear,
    /// except within this machine.
    pub fn parse(text: &str, broker: &BrokerUrl) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "is not a whole address")?;
        let protected = broker.0.scheme == AMQPScheme::AMQPS;
        match url.scheme() {
            "https" if protected => {}
            "https" => return Err("is https://, which needs `ca`, so `url` has to be amqps://"),
            "http" if !protected || is_this_machine(&url) => {}
            "http" => {
                return Err("is http://, which would show the password that amqps:// protects");
            }
            _ => return Err("is neither https:// nor http://"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds credentials; those of `url` are used");
        }
        Ok(Self(url))
    }

    /// Whether it is spoken to without TLS.
    pub fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Why the policies are not known. The text completes "failed to ...".
#[derive(Debug, thiserror::Error)]
pub enum ManagementError {
    /// No connection, no TLS, or it broke off.
    #[error("reach RabbitMQ's management plugin: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("reach RabbitMQ's management plugin: no answer in time")]
    TimedOut,
    /// The user may not ask (401, 403).
    #[error("ask RabbitMQ's management plugin for {path}: it answers {status}")]
    Refused {
        /// What was asked for.
        path: String,
        /// The status.
        status: u16,
    },
    /// It does not know that (404).
    #[error("find {0} at RabbitMQ's management plugin: it answers 404")]
    Missing(String),
    /// It answers otherwise than the management plugin does.
    #[error("understand the answer for {path}: {reason}")]
    Odd {
        /// What was asked for.
        path: String,
        /// What is odd about it.
        reason: String,
    },
    /// It knows the queue and not yet what applies to it.
    #[error("learn the policies of queue {0}: RabbitMQ has no statistics of it yet")]
    NotTold(String),
}

impl RabbitBroker {
    /// What policies change of what was declared for this broker's destinations; empty is as it should be.
    ///
    /// `http` trusts whom the broker's `ca` names. Every answer is bounded, and all of them take at most `patience`.
    ///
    /// # Errors
    /// The first question that had no answer.
    pub async fn policies(
        &self,
        http: &Client,
        url: &ManagementUrl,
        patience: Duration,
    ) -> Result<Vec<Override>, ManagementError> {
        let plugin = Plugin {
            http,
            url,
            broker: &self.config.url,
            deadline: Instant::now() + patience,
        };
        plugin.overrides(&self.topology).await
    }

    /// The vhost it uses.
    pub fn vhost(&self) -> &str {
        self.config.url.vhost()
    }
}

/// One look at the plugin.
struct Plugin<'a> {
    http: &'a Client,
    url: &'a ManagementUrl,
    broker: &'a BrokerUrl,
    deadline: Instant,
}

impl Plugin<'_> {
    async fn overrides(&self, topology: &Topology) -> Result<Vec<Override>, ManagementError> {
        let messages_max = topology.queue_messages_max;
        let work = topology.destinations.iter().map(work_queue);
        let work = work.map(|name| (name, Declared::Work { messages_max }));
        let mut found = Vec::new();
        for (name, declared) in work.chain([(Queue::Dead.to_string(), Declared::Dead)]) {
            let applied = self.queue(&name).await?;
            judge(&mut found, &format!("queue {name}"), declared, &applied);
        }
        let applied = self.exchange(WORK_EXCHANGE).await?;
        let object = format!("exchange {WORK_EXCHANGE}");
        judge(&mut found, &object, Declared::Exchange, &applied);
        Ok(found)
    }

    async fn queue(&self, name: &str) -> Result<Applied, ManagementError> {
        const COLUMNS: &str = "policy,operator_policy,effective_policy_definition";
        let path = ["queues", self.broker.vhost(), name];
        loop {
            let answer = self.get(&path, COLUMNS);
            if let Some(applied) = applied_to_queue(&answer.await?) {
                return Ok(applied);
            }
            if Instant::now() + ASK_AGAIN > self.deadline {
                return Err(ManagementError::NotTold(name.to_owned()));
            }
            sleep(ASK_AGAIN).await;
        }
    }

    /// Operator policies do not apply to exchanges.
    async fn exchange(&self, name: &str) -> Result<Applied, ManagementError> {
        let vhost = self.broker.vhost();
        let answer = self.get(&["exchanges", vhost, name], "policy").await?;
        let Some(policy) = text(&answer["policy"]) else {
            return Ok(Applied::default());
        };
        // One policy may be read by policymakers only, all of them by everybody who may ask at all.
        let policies = self.get(&["policies", vhost], "name,definition").await?;
        let list = policies.as_array().map(Vec::as_slice).unwrap_or_default();
        let definition = list.iter().find(|one| one["name"] == policy.as_str());
        let definition = definition.and_then(|one| one["definition"].as_object());
        Ok(Applied {
            definition: definition.cloned().unwrap_or_default(),
            set_by: SetBy {
                policy: Some(policy),
                operator_policy: None,
            },
        })
    }

    async fn get(&self, path: &[&str], columns: &str) -> Result<Value, ManagementError> {
        let mut url = self.url.0.clone();
        url.path_segments_mut()
            .expect("an http or https address has a path")
            .pop_if_empty()
            .push("api")
            .extend(path);
        url.set_query(Some(&format!("columns={columns}")));
        let path = path.join("/");
        let AMQPUserInfo { username, password } = &self.broker.0.authority.userinfo;
        let request = self.http.get(url).basic_auth(username, Some(password));
        let exchange = async {
            let response = request.send().await.map_err(unreachable)?;
            refusal(response.status(), &path)?;
            read(response, &path).await
        };
        let answered = timeout_at(self.deadline, exchange).await;
        answered.unwrap_or(Err(ManagementError::TimedOut))
    }
}

/// `None` while the queue has no statistics: then the definition is left out. Without a policy it is empty.
fn applied_to_queue(answer: &Value) -> Option<Applied> {
    let definition = answer.get("effective_policy_definition")?;
    Some(Applied {
        definition: definition.as_object().cloned().unwrap_or_default(),
        set_by: SetBy {
            policy: text(&answer["policy"]),
            operator_policy: text(&answer["operator_policy"]),
        },
    })
}

fn text(value: &Value) -> Option<String> {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned)
}

fn refusal(status: StatusCode, path: &str) -> Result<(), ManagementError> {
    let path = path.to_owned();
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::NOT_FOUND => Err(ManagementError::Missing(path)),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(ManagementError::Refused {
            path,
            status: status.as_u16(),
        }),
        other => Err(ManagementError::Odd {
            path,
            reason: format!("status {}", other.as_u16()),
        }),
    }
}

async fn read(mut response: Response, path: &str) -> Result<Value, ManagementError> {
    let odd = |reason: String| ManagementError::Odd {
        path: path.to_owned(),
        reason,
    };
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(odd(format!("more than {ANSWER_BYTES_MAX} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|error| odd(format!("no JSON: {error}")))
}

/// The innermost cause says it best.
fn unreachable(error: reqwest::Error) -> ManagementError {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    ManagementError::Unreachable(cause.to_string())
}

#[cfg(test)]
mod tests;
