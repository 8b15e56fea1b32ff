//! Whether RabbitMQ gives back what no queue takes. Only a message can tell: an alternate exchange swallows it, and AMQP
//! does not show which policies an exchange has.

use std::time::Duration;

use lapin::BasicProperties;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lienthong_ports::BrokerError;

use crate::RabbitBroker;
use crate::failure::Failure;
use crate::link::{Link, step};
use crate::topology::WORK_EXCHANGE;

/// No queue is bound with it.
const ROUTING_KEY: &str = "lienthong.doctor.probe";
/// The broker does not write the message to disk.
const TRANSIENT: u8 = 1;
/// Where the message is swallowed after all, it does not stay.
const EXPIRATION_MS: &str = "1000";

impl RabbitBroker {
    /// Publishes one message that no queue takes, and says whether it came back.
    ///
    /// If it does not, an alternate exchange takes what is unroutable, and attempts whose queue is missing would be
    /// confirmed and lost until their lease ends. The message travels on a connection of its own: under an alarm
    /// RabbitMQ reads no more from one that published.
    ///
    /// # Errors
    /// After `patience`, or when the broker refuses: why it is not known.
    pub async fn returns_unroutable(&self, patience: Duration) -> Result<bool, BrokerError> {
        let asked = tokio::time::timeout(patience, self.publish_nowhere()).await;
        let answer = asked.unwrap_or(Err(Failure::TimedOut));
        answer.map_err(|failure| failure.to_broker_error())
    }

    async fn publish_nowhere(&self) -> Result<bool, Failure> {
        let link = Link::connect(&self.config, "probe").await?;
        let returned = publish(&link, self.config.step_timeout).await;
        link.close(self.config.step_timeout).await;
        returned
    }
}

/// The only message of its channel, so whatever comes back is it.
async fn publish(link: &Link, timeout: Duration) -> Result<bool, Failure> {
    let channel = step(timeout, link.connection.create_channel()).await?;
    let select = channel.confirm_select(ConfirmSelectOptions::default());
    step(timeout, select).await?;
    let options = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let properties = BasicProperties::default()
        .with_delivery_mode(TRANSIENT)
        .with_expiration(EXPIRATION_MS.into());
    let publish = channel.basic_publish(
        WORK_EXCHANGE.into(),
        ROUTING_KEY.into(),
        options,
        &[],
        properties,
    );
    let confirm = step(timeout, publish).await?;
    let confirmation = step(timeout, confirm).await?;
    Ok(confirmation.take_message().is_some())
}
