//! The worker of one destination: receives messages, calls, and records what came of it.

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::{Answer, Outcome, Timestamp};
use lienthong_ports::store::{Finish, Next, Work};
use lienthong_ports::{Destination, Message, Queue, Received, StoreError};
use lienthong_telemetry::{Span, log};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::Tools;
use crate::breaker::Permit;
use crate::control::Control;
use crate::decide::{Situation, decide};
use crate::spans;

/// Most steps of one delivery; an adapter that wants more is at fault and starts over after a retry.
const STEPS_MAX: u8 = 8;
/// The wait before a failed bookkeeping write is repeated; its lease bounds the repeats.
const BOOKKEEPING_PAUSE: Duration = Duration::from_millis(200);

/// Works until `stop`, then lets the calls under way end.
pub(crate) async fn run(
    tools: Tools,
    destination: Arc<dyn Destination>,
    control: Arc<Control>,
    stop: CancellationToken,
) {
    let prefetch = u16::try_from(tools.config.concurrency_max).unwrap_or(u16::MAX);
    let queue = Queue::Work(destination.name().clone());
    let Ok(mut inbox) = tools.broker.consume(queue, prefetch).await else {
        return;
    };
    let worker = Worker {
        tools,
        destination,
        control,
    };
    let mut calls = JoinSet::new();
    loop {
        let limit = worker.control.limit();
        let under_way = u32::try_from(calls.len()).unwrap_or(u32::MAX);
        worker.control.gauge.show(limit, under_way);
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_) = calls.join_next(), if !calls.is_empty() => {}
            first = inbox.recv(), if under_way < limit => {
                let Some(first) = first else { break };
                let received = gather(&mut inbox, first, limit - under_way);
                worker.begin(received, &mut calls).await;
            }
        }
    }
    while calls.join_next().await.is_some() {}
}

/// The first message and those that wait behind it, up to `room`.
fn gather(inbox: &mut mpsc::Receiver<Received>, first: Received, room: u32) -> Vec<Received> {
    let mut received = vec![first];
    while received.len() < room as usize {
        let Ok(next) = inbox.try_recv() else { break };
        received.push(next);
    }
    received
}

#[derive(Clone)]
struct Worker {
    tools: Tools,
    destination: Arc<dyn Destination>,
    control: Arc<Control>,
}

impl Worker {
    /// Starts the attempts of `received`; stale messages are acknowledged and forgotten.
    async fn begin(&self, received: Vec<Received>, calls: &mut JoinSet<()>) {
        let now = self.tools.clock.now();
        let messages = received
            .iter()
            .map(|received| received.message)
            .collect::<Vec<_>>();
        if let Some(until) = self.halted(now) {
            // Not begun, so nothing is counted: the claims go back until the halt is over, or, when the
            // store cannot take them back now, until their leases end.
            if self.tools.store.unclaim(&messages, until).await.is_err() {
                tokio::time::sleep(BOOKKEEPING_PAUSE).await;
            }
            received.into_iter().for_each(Received::acknowledge);
            return;
        }
        let lease_until = now + self.tools.config.lease();
        let begun = match self.tools.store.begin(&messages, now, lease_until).await {
            Ok(begun) => begun,
            Err(error) => {
                tracing::warn!(
                    destination.name = %self.destination.name(), count = messages.len(),
                    error = &error as &dyn std::error::Error,
                    "attempts could not be recorded, so nothing is called; leases will bring them back"
                );
                // The claim stays Sent and its lease publishes it again: the copies in hand are done with.
                received.into_iter().for_each(Received::acknowledge);
                tokio::time::sleep(BOOKKEEPING_PAUSE).await;
                return;
            }
        };
        let mut stale = 0;
        for (received, work) in received.into_iter().zip(begun) {
            if let Some(work) = work {
                let worker = self.clone();
                calls.spawn(async move { worker.attempt(work, received, lease_until).await });
            } else {
                stale += 1;
                received.acknowledge();
            }
        }
        self.count_stale(stale);
    }

    /// Until when nothing may be called: the breaker is open, or an operator paused the destination.
    fn halted(&self, now: Timestamp) -> Option<Timestamp> {
        match self.control.permit(now) {
            Permit::Wait(until) => Some(until),
            Permit::Free | Permit::Probe(_) => self.control.is_paused().then_some(now),
        }
    }

    /// One attempt in a span of its own, of which the adapter's calls are children.
    async fn attempt(&self, mut work: Work, received: Received, lease_until: Timestamp) {
        let mut span = spans::attempt(&self.tools.tracer, &work);
        work.trace = span.context();
        let around = log::in_trace(work.trace);
        self.perform(work, received, lease_until, &mut span)
            .instrument(around)
            .await;
    }

    /// One attempt, all its steps, and its record.
    async fn perform(
        &self,
        mut work: Work,
        received: Received,
        mut lease_until: Timestamp,
        span: &mut Span,
    ) {
        let started_at = self.tools.clock.now();
        let started = Instant::now();
        let answer = loop {
            let now = self.tools.clock.now();
            if now + self.tools.config.call_timeout() > lease_until {
                // This process slept past its lease (a frozen machine). Somebody else may be calling.
                tracing::warn!(
                    delivery.id = %work.message.delivery, destination.name = %work.destination,
                    "a lease was nearly over before the call began; the call is left to its next claim"
                );
                span.fail("the lease was nearly over");
                received.acknowledge();
                return;
            }
            let answer = self.call(&work).await;
            let Outcome::Advanced { step } = answer.outcome else {
                break answer;
            };
            self.note(&work, &answer).await;
            lease_until = self.tools.clock.now() + self.tools.config.lease();
            match self
                .tools
                .store
                .advance(work.message, step, lease_until)
                .await
            {
                Ok(true) if step < STEPS_MAX => work.step = step,
                Ok(true) => {
                    break Answer::new(
                        retry_now(),
                        "TOO_MANY_STEPS",
                        None,
                        "the adapter took too many steps",
                    );
                }
                Ok(false) => {
                    span.fail("the lease was over");
                    received.acknowledge();
                    return;
                }
                Err(_) => break answer,
            }
        };
        self.finish(&work, started_at, started.elapsed(), answer, span)
            .await;
        received.acknowledge();
        self.control.changed.notify_one();
    }

    /// One call; the adapter bounds it, and so do we.
    async fn call(&self, work: &Work) -> Answer {
        let timeout = self.tools.config.call_timeout();
        match tokio::time::timeout(timeout, self.destination.deliver(work, timeout)).await {
            Ok(answer) => answer,
            Err(_) => Answer::new(
                retry_now(),
                "TIMEOUT",
                None,
                "no answer within the call time-out",
            ),
        }
    }

    /// Tells the breaker and the limit of an answer, and keeps a breaker that changed. Returns whether the
    /// attempt counts.
    async fn note(&self, work: &Work, answer: &Answer) -> bool {
        let noted = self.control.note(answer.outcome, self.tools.clock.now());
        let (metrics, name) = (&self.tools.metrics, work.destination.as_str());
        metrics.called(name, answer.outcome.name());
        if let Some((record, state)) = noted.changed {
            metrics.breaker_changed(name, state);
            tracing::warn!(
                destination.name = %work.destination, breaker.state = state, error.code = %answer.code,
                "the breaker of a destination changed"
            );
            if let Err(error) = self
                .tools
                .store
                .save_breaker(&work.destination, record)
                .await
            {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the breaker's state was not kept"
                );
            }
        }
        noted.counts
    }

    /// Records the attempt; repeats a failed write while the lease holds, because the effect at the
    /// destination is real and must not be forgotten.
    async fn finish(
        &self,
        work: &Work,
        started_at: Timestamp,
        took: Duration,
        answer: Answer,
        span: &mut Span,
    ) {
        let counts = self.note(work, &answer).await;
        let now = self.tools.clock.now();
        let situation = Situation {
            outcome: answer.outcome,
            counted: work.counted,
            breaker_closed: counts,
            now,
            chance: self.tools.random.unit(),
        };
        let next = decide(situation, &self.tools.config);
        let finish = Finish {
            message: work.message,
            started_at,
            took,
            answer,
            next,
            span_id: span.id(),
        };
        spans::ended(span, &finish);
        let give_up = Instant::now() + self.tools.config.lease();
        loop {
            match self.tools.store.finish(vec![finish.clone()]).await {
                Ok(done) => {
                    let recorded = done.first() == Some(&true);
                    self.count(work, &finish, recorded);
                    return tell(work, &finish, recorded);
                }
                Err(StoreError::Closed) => return,
                Err(error) if Instant::now() >= give_up => {
                    tracing::error!(
                        delivery.id = %work.message.delivery,
                        error = &error as &dyn std::error::Error,
                        "an outcome could not be recorded; the delivery will be called again"
                    );
                    return;
                }
                Err(_) => tokio::time::sleep(BOOKKEEPING_PAUSE).await,
            }
        }
    }

    /// Counts an attempt by what follows from it.
    fn count(&self, work: &Work, finish: &Finish, recorded: bool) {
        let (metrics, name) = (&self.tools.metrics, work.destination.as_str());
        metrics.attempted(name, finish.took);
        if !recorded {
            return self.count_stale(1);
        }
        match finish.next {
            Next::Done => {
                let age = self.tools.clock.now().duration_since(work.accepted_at);
                // A clock that was set back makes it negative.
                let age = Duration::try_from(age).unwrap_or_default();
                let root = work.dossier.agency().root();
                metrics.delivered(name, root.as_str(), age);
            }
            Next::RetryAt { .. } => metrics.retried(name),
            Next::Park(reason) => metrics.parked(name, reason, 1),
        }
    }

    /// Counts messages and outcomes whose fence was old.
    fn count_stale(&self, count: u64) {
        let name = self.destination.name().as_str();
        self.tools.metrics.stale(name, count);
    }
}

/// One line for an attempt that did not deliver; delivered ones are counted, not told.
fn tell(work: &Work, finish: &Finish, recorded: bool) {
    let Message { delivery, .. } = work.message;
    if !recorded {
        tracing::warn!(
            delivery.id = %delivery, destination.name = %work.destination,
            "an attempt ended after its lease; its outcome is left to the newer claim"
        );
    } else if finish.answer.outcome != Outcome::Delivered {
        tracing::info!(
            delivery.id = %delivery, destination.name = %work.destination,
            dossier.code = %work.dossier, delivery.attempt = work.attempt,
            delivery.outcome = finish.answer.outcome.name(), error.code = %finish.answer.code,
            "a delivery did not go through: {:?}", finish.next
        );
    }
}

fn retry_now() -> Outcome {
    Outcome::Retry {
        cause: lienthong_domain::delivery::RetryCause::Transport,
        after: None,
    }
}
