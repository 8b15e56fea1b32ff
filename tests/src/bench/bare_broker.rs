//! The bare broker: publish, confirm, consume and acknowledge with nothing in between.

use std::time::Instant;

use anyhow::Context as _;
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt as _, TryStreamExt as _};
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

use super::figure;

const QUEUE: &str = "bare";
/// Messages without a confirm, and messages without an acknowledgement.
const WINDOW: u16 = 256;
const PERSISTENT: u8 = 2;

/// Messages a second through a quorum queue of `url`, of the size and kind that the gateway sends.
pub(super) async fn messages_per_second(url: &str, messages: u64) -> anyhow::Result<f64> {
    let (sender, receiver) = (open(url).await?, open(url).await?);
    let mut table = FieldTable::default();
    table.insert(
        "x-queue-type".into(),
        AMQPValue::LongString("quorum".into()),
    );
    sender
        .1
        .queue_declare(QUEUE.into(), QueueDeclareOptions::durable(), table)
        .await?;
    sender
        .1
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    let began = Instant::now();
    tokio::try_join!(publish(&sender.1, messages), consume(&receiver.1, messages))?;
    let seconds = began.elapsed().as_secs_f64();
    for (connection, _) in [sender, receiver] {
        // The figures are taken; how the connection ends does not matter.
        connection.close(200, "done".into()).await.ok();
    }
    Ok(figure(messages) / seconds)
}

async fn open(url: &str) -> anyhow::Result<(Connection, Channel)> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    Ok((connection, channel))
}

async fn publish(channel: &Channel, messages: u64) -> anyhow::Result<()> {
    let mut confirms = FuturesUnordered::new();
    for number in 0..messages {
        // A message of the gateway: no body, the delivery and its fence as message id.
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_message_id(format!("{}:1", 64 * number).into());
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        confirms.push(
            channel
                .basic_publish("".into(), QUEUE.into(), options, &[], properties)
                .await?,
        );
        if confirms.len() >= usize::from(WINDOW) {
            confirms.try_next().await?;
        }
    }
    while confirms.try_next().await?.is_some() {}
    Ok(())
}

async fn consume(channel: &Channel, messages: u64) -> anyhow::Result<()> {
    channel
        .basic_qos(WINDOW, BasicQosOptions::default())
        .await?;
    let options = BasicConsumeOptions::default();
    let mut deliveries = channel
        .basic_consume(QUEUE.into(), "".into(), options, FieldTable::default())
        .await?;
    for _ in 0..messages {
        let delivery = deliveries.next().await.context("the consumer ended")??;
        delivery.acker.ack(BasicAckOptions::default()).await?;
    }
    Ok(())
}
