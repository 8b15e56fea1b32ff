//! The exchanges and queues this gateway needs, declared by itself.
//!
//! Declaring again with the same arguments changes nothing, so each new connection declares: that is the
//! check, and it mends what was deleted. A user without the right to configure gets a passive check.
//!
//! `lienthong.work` has no alternate exchange on purpose: one would take unroutable messages
//! silently, and the broker would confirm them instead of returning them (see README.md).

use lapin::options::{
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ErrorKind, ExchangeKind};
use lienthong_domain::DestinationName;
use lienthong_ports::Queue;

use crate::failure::Failure;
use crate::link::step;

/// Attempts are published here; the routing key is the queue's name.
pub(crate) const WORK_EXCHANGE: &str = "lienthong.work";
pub(crate) const DEAD_EXCHANGE: &str = "lienthong.dlx";
/// Returns of one message before the broker makes it a dead letter.
pub(crate) const DELIVERY_LIMIT: i32 = 5;
/// A full queue refuses: what it has is what it confirmed.
pub(crate) const OVERFLOW: &str = "reject-publish";
/// Needs [`OVERFLOW`]; with `drop-head` the broker would silently fall back to at most once.
pub(crate) const DEAD_LETTER_STRATEGY: &str = "at-least-once";

/// The name of a destination's queue.
pub(crate) fn work_queue(destination: &DestinationName) -> String {
    Queue::Work(destination.clone()).to_string()
}

/// What must exist at the broker.
#[derive(Clone)]
pub(crate) struct Topology {
    pub(crate) destinations: Vec<DestinationName>,
    pub(crate) queue_messages_max: u32,
    pub(crate) timeout: std::time::Duration,
}

impl Topology {
    /// Declares everything.
    pub(crate) async fn declare(&self, connection: &Connection) -> Result<(), Failure> {
        match self.declare_all(connection).await {
            Err(Failure::Lapin(error)) if soft(&error) == Some(AMQPSoftError::ACCESSREFUSED) => {
                self.check_all(connection).await
            }
            other => other,
        }
    }

    async fn declare_all(&self, connection: &Connection) -> Result<(), Failure> {
        let channel = step(self.timeout, connection.create_channel()).await?;
        self.exchange(&channel, WORK_EXCHANGE, ExchangeKind::Direct)
            .await?;
        self.exchange(&channel, DEAD_EXCHANGE, ExchangeKind::Fanout)
            .await?;
        let dead = Queue::Dead.to_string();
        self.queue(&channel, &dead, quorum(&[])).await?;
        self.bind(&channel, &dead, DEAD_EXCHANGE, "").await?;
        for name in self.destinations.iter().map(work_queue) {
            self.queue(&channel, &name, self.work_arguments()).await?;
            self.bind(&channel, &name, WORK_EXCHANGE, &name).await?;
        }
        close(channel, self.timeout).await;
        Ok(())
    }

    /// Deletes a queue that exists and does nothing, so that [`Self::declare`] makes it anew.
    ///
    /// RabbitMQ 3.10 leaves a quorum queue like that when it is killed soon after it made the queue: it
    /// remembers the queue but not its log, and the only member waits for an election that nobody calls. The
    /// store has everything that lay in it. Where a majority is only away, the broker refuses to delete.
    pub(crate) async fn delete_queue(
        &self,
        connection: &Connection,
        name: &str,
    ) -> Result<(), Failure> {
        let channel = step(self.timeout, connection.create_channel()).await?;
        let delete = channel.queue_delete(name.into(), QueueDeleteOptions::default());
        step(self.timeout, delete).await?;
        close(channel, self.timeout).await;
        Ok(())
    }

    /// What the broker says of a queue, which has to exist.
    pub(crate) async fn look(
        &self,
        connection: &Connection,
        name: &str,
    ) -> Result<lapin::Queue, Failure> {
        // The broker closes a channel that asks for a queue it does not have, so it is one of its own.
        let channel = step(self.timeout, connection.create_channel()).await?;
        let queue = self.existing(&channel, name).await?;
        close(channel, self.timeout).await;
        Ok(queue)
    }

    async fn check_all(&self, connection: &Connection) -> Result<(), Failure> {
        let channel = step(self.timeout, connection.create_channel()).await?;
        let work = self.destinations.iter().map(work_queue);
        for name in work.chain([Queue::Dead.to_string()]) {
            self.existing(&channel, &name).await?;
        }
        close(channel, self.timeout).await;
        Ok(())
    }

    /// Asks for a queue without making it.
    pub(crate) async fn existing(
        &self,
        channel: &Channel,
        name: &str,
    ) -> Result<lapin::Queue, Failure> {
        let options = QueueDeclareOptions::durable().passive();
        let check = channel.queue_declare(name.into(), options, FieldTable::default());
        let found = step(self.timeout, check).await;
        found.map_err(|failure| describe(failure, "queue", name))
    }

    async fn exchange(
        &self,
        channel: &Channel,
        name: &str,
        kind: ExchangeKind,
    ) -> Result<(), Failure> {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        let declare = channel.exchange_declare(name.into(), kind, options, FieldTable::default());
        step(self.timeout, declare)
            .await
            .map_err(|failure| describe(failure, "exchange", name))
    }

    async fn queue(&self, channel: &Channel, name: &str, table: FieldTable) -> Result<(), Failure> {
        let declare = channel.queue_declare(name.into(), QueueDeclareOptions::durable(), table);
        let declared = step(self.timeout, declare).await;
        declared
            .map(drop)
            .map_err(|failure| describe(failure, "queue", name))
    }

    async fn bind(
        &self,
        channel: &Channel,
        queue: &str,
        exchange: &str,
        key: &str,
    ) -> Result<(), Failure> {
        let options = QueueBindOptions::default();
        let table = FieldTable::default();
        let bind = channel.queue_bind(queue.into(), exchange.into(), key.into(), options, table);
        step(self.timeout, bind).await
    }

    fn work_arguments(&self) -> FieldTable {
        quorum(&[
            ("x-delivery-limit", AMQPValue::LongInt(DELIVERY_LIMIT)),
            ("x-dead-letter-exchange", text(DEAD_EXCHANGE)),
            ("x-dead-letter-strategy", text(DEAD_LETTER_STRATEGY)),
            ("x-overflow", text(OVERFLOW)),
            (
                "x-max-length",
                AMQPValue::LongLongInt(self.queue_messages_max.into()),
            ),
        ])
    }
}

/// Only quorum queues write to disk before they confirm.
fn quorum(more: &[(&str, AMQPValue)]) -> FieldTable {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    for (name, value) in more {
        table.insert((*name).into(), value.clone());
    }
    table
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

/// Says of a refused declaration which thing it was and what an operator can do.
fn describe(failure: Failure, kind: &'static str, name: &str) -> Failure {
    let Failure::Lapin(error) = &failure else {
        return failure;
    };
    let advice = match soft(error) {
        Some(AMQPSoftError::PRECONDITIONFAILED) => {
            "exists with other arguments; delete it once it is empty (the gateway makes it anew), \
             or give the gateway the same queue limit"
        }
        Some(AMQPSoftError::NOTFOUND) => {
            "does not exist; it is made again unless this user may not: then let an administrator make it, \
             or grant the user the right to configure lienthong.* and work.*"
        }
        _ => return failure,
    };
    Failure::Topology(format!("{kind} {name} {advice}"))
}

fn soft(error: &lapin::Error) -> Option<AMQPSoftError> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => match error.kind() {
            AMQPErrorKind::Soft(soft) => Some(soft.clone()),
            AMQPErrorKind::Hard(_) => None,
        },
        _ => None,
    }
}

async fn close(channel: Channel, timeout: std::time::Duration) {
    // The work is done; a channel that does not close goes with its connection.
    step(timeout, channel.close(200, "done".into())).await.ok();
}
