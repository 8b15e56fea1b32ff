//! One receiver of one queue: the same channel to the worker over any number of connections.
//!
//! Each message in a worker's hands holds a permit, and the permit travels with the acknowledgement until
//! it is handled. So at most `prefetch` messages are out, the queue of acknowledgements cannot
//! overflow, and what an older channel delivered counts too.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{FutureExt as _, try_join_all};
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions,
};
use lapin::types::{DeliveryTag, FieldTable};
use lapin::{Channel, Connection};
use lienthong_ports::Received;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::link::step;
use crate::message_id;
use crate::reconnect::Reconnect;
use crate::status::Status;
use crate::topology::Topology;

mod hearing;

/// Most acknowledgements written to the broker at once.
const SETTLE_BATCH_MAX: usize = 64;
/// Sessions in a row to which a queue did not answer, before it is made anew.
const SILENCES_MAX: u32 = 2;
/// How long a worker that dropped its receiver may still acknowledge what it holds.
const LINGER_MAX: Duration = Duration::from_mins(1);

/// The fate of one message, and the permit it held.
struct Settlement {
    session: u64,
    tag: DeliveryTag,
    acknowledged: bool,
    _permit: OwnedSemaphorePermit,
}

pub(crate) struct Consumer {
    pub(crate) queue: String,
    pub(crate) prefetch: u16,
    /// As many permits as `prefetch`.
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) out: mpsc::Sender<Received>,
    pub(crate) connections: watch::Receiver<Option<Arc<Connection>>>,
    pub(crate) topology: Topology,
    pub(crate) status: Arc<Status>,
    /// Held while a queue is asked for its messages. A dead one ends the connection for everybody, and only who
    /// asked may take it for the fault of their queue.
    pub(crate) asking: Arc<tokio::sync::Mutex<()>>,
    pub(crate) timeout: Duration,
    pub(crate) stop: CancellationToken,
}

impl Consumer {
    /// Receives until the worker drops its receiver or the broker is told to stop.
    pub(crate) async fn run(mut self) {
        let (settle, mut settled) = mpsc::channel(self.prefetch.into());
        let mut reconnect = Reconnect::new();
        let (mut session, mut silences) = (0, 0);
        while let Some(connection) = self.next_connection().await {
            if session > 0 {
                self.mend(&connection, &mut silences).await;
            }
            session += 1;
            let began = Instant::now();
            match self
                .session(session, &connection, &settle, &mut settled)
                .await
            {
                Ok(()) => return,
                Err(failure) => {
                    // A connection that is lost otherwise says nothing about this queue.
                    let silent = matches!(failure, Failure::QueueSilent);
                    silences = if silent { silences + 1 } else { 0 };
                    tracing::warn!(
                        broker.queue = self.queue,
                        "failed to {failure}; receiving again"
                    );
                }
            }
            let pause = sleep(reconnect.delay_after(Some(began)));
            if self.stop.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    /// The queue may have been deleted under a healthy connection; or it is there and dead.
    async fn mend(&self, connection: &Connection, silences: &mut u32) {
        if *silences >= SILENCES_MAX {
            *silences = 0;
            tracing::error!(
                broker.queue = self.queue,
                "a queue does not answer and is made anew; what lay in it comes back by its leases"
            );
            if let Err(failure) = self.topology.delete_queue(connection, &self.queue).await {
                tracing::warn!(broker.queue = self.queue, "failed to {failure}");
            }
        }
        if let Err(failure) = self.topology.declare(connection).await {
            tracing::warn!(broker.queue = self.queue, "failed to {failure}");
        }
    }

    /// Waits for a living connection; `None` when there is nothing more to do.
    async fn next_connection(&mut self) -> Option<Arc<Connection>> {
        let living = |connection: &Option<Arc<Connection>>| {
            connection
                .as_ref()
                .is_some_and(|connection| connection.status().connected())
        };
        tokio::select! {
            () = self.stop.cancelled() => None,
            () = self.out.closed() => None,
            found = self.connections.wait_for(living) => found.ok()?.clone(),
        }
    }

    /// `Ok` when the worker or the gateway wants no more.
    async fn session(
        &self,
        session: u64,
        connection: &Connection,
        settle: &mpsc::Sender<Settlement>,
        settled: &mut mpsc::Receiver<Settlement>,
    ) -> Result<(), Failure> {
        let made_again = self.status.made_again_count(&self.queue);
        let channel = step(self.timeout, connection.create_channel()).await?;
        let qos = channel.basic_qos(self.prefetch, BasicQosOptions::default());
        step(self.timeout, qos).await?;
        let consume = {
            let _alone = self.asking.lock().await;
            step(self.timeout, self.consume(&channel)).await
        };
        let mut deliveries = consume.map_err(Failure::of_consume)?;
        let heard = AtomicBool::new(false);
        let mut deaf = pin!(self.deaf(connection, made_again, &heard));
        let mut waiting = None;
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                failure = &mut deaf => return Err(failure),
                () = self.out.closed() => {
                    let cancel = channel.basic_cancel(deliveries.tag(), BasicCancelOptions::default());
                    step(self.timeout, cancel).await?;
                    drop(waiting);
                    self.linger(session, &channel, settled).await?;
                    break;
                }
                _ = settled.recv_many(&mut batch, SETTLE_BATCH_MAX) => {
                    self.write(session, &channel, &mut batch).await?;
                }
                delivery = deliveries.next(), if waiting.is_none() => {
                    waiting = Some(delivery.ok_or(Failure::Closed)??);
                    heard.store(true, Ordering::Relaxed);
                }
                permit = Arc::clone(&self.permits).acquire_owned(), if waiting.is_some() => {
                    if let (Some(delivery), Ok(permit)) = (waiting.take(), permit) {
                        self.hand_out(session, &channel, delivery, permit, settle).await?;
                    }
                }
            }
        }
        // What is still unacknowledged goes back to the queue with the channel.
        step(self.timeout, channel.close(200, "done".into()))
            .await
            .ok();
        Ok(())
    }

    async fn consume(&self, channel: &Channel) -> lapin::Result<lapin::Consumer> {
        let (options, table) = (BasicConsumeOptions::default(), FieldTable::default());
        // An empty tag makes the broker choose one.
        channel
            .basic_consume(self.queue.as_str().into(), "".into(), options, table)
            .await
    }

    async fn hand_out(
        &self,
        session: u64,
        channel: &Channel,
        delivery: Delivery,
        permit: OwnedSemaphorePermit,
        settle: &mpsc::Sender<Settlement>,
    ) -> Result<(), Failure> {
        let tag = delivery.delivery_tag;
        if delivery.redelivered {
            self.status.redelivered(&self.queue);
        }
        let Some(message) = message_id::message(&delivery.properties) else {
            self.status.undecodable(&self.queue);
            let acknowledge = channel.basic_ack(tag, BasicAckOptions::default());
            return step(self.timeout, acknowledge).await;
        };
        let settle = settle.clone();
        let received = Received::new(message, move |acknowledged| {
            // There is room for every permit. Once the task has ended nobody listens, and the
            // broker has the message back already.
            settle
                .try_send(Settlement {
                    session,
                    tag,
                    acknowledged,
                    _permit: permit,
                })
                .ok();
        });
        // The channel has room for every permit; if the worker just left, dropping it gives it back.
        drop(self.out.try_send(received));
        Ok(())
    }

    /// Writes acknowledgements; those of an older channel mean nothing to this one.
    async fn write(
        &self,
        session: u64,
        channel: &Channel,
        batch: &mut Vec<Settlement>,
    ) -> Result<(), Failure> {
        let current = batch
            .drain(..)
            .filter(|settlement| settlement.session == session);
        let writes = current.map(
            |Settlement {
                 tag, acknowledged, ..
             }| {
                if acknowledged {
                    channel.basic_ack(tag, BasicAckOptions::default()).boxed()
                } else {
                    // Unlike a nack, a reject counts towards the delivery limit in every version.
                    channel
                        .basic_reject(tag, BasicRejectOptions { requeue: true })
                        .boxed()
                }
            },
        );
        step(self.timeout, try_join_all(writes)).await.map(drop)
    }

    /// The worker receives no more but may still hold messages: writes what becomes of them.
    async fn linger(
        &self,
        session: u64,
        channel: &Channel,
        settled: &mut mpsc::Receiver<Settlement>,
    ) -> Result<(), Failure> {
        let mut batch = Vec::new();
        let rest = async {
            while !settled.is_empty() || self.permits.available_permits() < self.prefetch.into() {
                settled.recv_many(&mut batch, SETTLE_BATCH_MAX).await;
                self.write(session, channel, &mut batch).await?;
            }
            Ok(())
        };
        tokio::select! {
            () = self.stop.cancelled() => Ok(()),
            written = timeout(LINGER_MAX, rest) => written.unwrap_or(Ok(())),
        }
    }
}
