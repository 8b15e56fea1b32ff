//! The worker of items: receives messages, asks at the permitted pace, and records what came of it.

use std::time::Duration;

use lienthong_domain::identity::Verification;
use lienthong_domain::{DestinationName, ErrorCode, Timestamp};
use lienthong_ports::identity::{Finished, ItemFinish, ItemNext, ItemWork, JobCommand, UsageDraft};
use lienthong_ports::{Queue, Received, StoreError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Tools;
use super::asking::{Bar, Silent, end_item};
use super::decide::{Next, Silence, Situation, busy_wait, decide};
use crate::turns::Turn;

/// The wait before a failed bookkeeping write is repeated; its lease bounds the repeats.
const BOOKKEEPING_PAUSE: Duration = Duration::from_millis(200);

/// Works until `stop`, then lets the questions under way end.
pub(super) async fn run(tools: Tools, queue: DestinationName, stop: CancellationToken) {
    let prefetch = u16::try_from(tools.config.concurrency_max).unwrap_or(u16::MAX);
    let Ok(mut inbox) = tools.broker.consume(Queue::Work(queue), prefetch).await else {
        return;
    };
    let mut items = JoinSet::new();
    let mut next = None;
    loop {
        let room = items.len() < tools.concurrency();
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(ended) = items.join_next(), if !items.is_empty() => tell_panic(ended.is_err()),
            () = turn(&tools), if room && next.is_some() => {
                if let Some(received) = next.take() {
                    tools.control.take_slot();
                    items.spawn(attempt(tools.clone(), received));
                }
            }
            received = receive(&mut inbox), if next.is_none() => match received {
                Some(received) => next = Some(received),
                None => break,
            },
        }
    }
    drop(next);
    while let Some(ended) = items.join_next().await {
        tell_panic(ended.is_err());
    }
}

/// What a panic says may quote what it was about, so only that there was one is told.
fn tell_panic(panicked: bool) {
    if panicked {
        tracing::error!("an attempt at an item panicked; its lease will bring the item back");
    }
}

async fn receive(inbox: &mut mpsc::Receiver<Received>) -> Option<Received> {
    inbox.recv().await
}

/// Waits until the next item may be asked: the pace permits it and the database is not taken for down.
async fn turn(tools: &Tools) {
    loop {
        let wait = tools.control.turn().max(tools.down().unwrap_or_default());
        if wait.is_zero() {
            return;
        }
        // Looked at again now and then, since an answer under way may change it.
        tokio::time::sleep(wait.min(Duration::from_millis(tools.config.idle_ms))).await;
    }
}

/// One attempt at one item, if its message is not stale.
async fn attempt(tools: Tools, received: Received) {
    let now = tools.clock.now();
    let lease_until = now + tools.config.lease();
    match tools
        .store
        .begin_items(&[received.message], now, lease_until)
        .await
    {
        Ok(begun) => {
            if let Some(work) = begun.into_iter().next().flatten() {
                ask(&tools, &work, lease_until).await;
            }
        }
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "an attempt at an item could not be recorded, so nothing is asked; its lease will bring it back"
            );
            tokio::time::sleep(BOOKKEEPING_PAUSE).await;
        }
    }
    received.acknowledge();
    tools.control.changed.notify_one();
}

/// Asks for an item that was begun, and records what follows.
async fn ask(tools: &Tools, work: &ItemWork, lease_until: Timestamp) {
    let now = tools.clock.now();
    if now + tools.config.ask_timeout() > lease_until {
        tracing::warn!(
            job.id = %work.job, item.position = work.position,
            "a lease was nearly over before the question began; the item is left to its next claim"
        );
        return;
    }
    let begun = match tools.core.begin_item(work).await {
        Ok(begun) => begun,
        Err(bar) => return barred(tools, work, bar).await,
    };
    let asked_at = Instant::now();
    match tools.core.ask_item(work, tools.config.ask_timeout()).await {
        Ok(found) => answered(tools, work, begun, found).await,
        Err(silent) => unanswered(tools, work, begun, (silent, asked_at)).await,
    }
}

/// The database answered.
async fn answered(tools: &Tools, work: &ItemWork, begun: Turn, found: Verification) {
    tools.control.answered();
    let verdict = found.claims_verdict();
    let usage = end_item(begun, Ok(verdict));
    let subject = usage.subject;
    finish(tools, work, ItemNext::Answered(found), Some(usage)).await;
    if let Some(subject) = subject
        && work.deferred
    {
        tools
            .core
            .weigh_deferred(&work.asker, subject, verdict)
            .await;
    }
}

/// The database gave no answer.
async fn unanswered(
    tools: &Tools,
    work: &ItemWork,
    begun: Turn,
    (silent, asked_at): (Silent, Instant),
) {
    let now = tools.clock.now();
    let silence = Silence::from(silent.failure);
    if let Silence::Busy { retry_after } = silence {
        tools
            .control
            .busy(asked_at, busy_wait(retry_after, &tools.config));
    }
    let usage = end_item(begun, Err(silence.code()));
    let situation = Situation {
        silence,
        attempts: work.attempts,
        breaker_closed: silent.breaker_closed,
        refuses_us: silence == Silence::Refused && tools.control.refused(work.item),
        chance: tools.random.unit(),
    };
    let next = decide(situation, &tools.config);
    tracing::debug!(
        job.id = %work.job, item.position = work.position, error.code = %silence.code(),
        item.next = ?next,
        "an item got no answer"
    );
    let next = match next {
        Next::Retry { wait, counted } => ItemNext::Retry {
            at: now + wait,
            counted,
        },
        Next::Failed(code) => ItemNext::Failed(code),
        Next::PauseJob { code, failed } => {
            // Paused before the item is given back, so that it is not claimed in between.
            pause(tools, work, code).await;
            if failed {
                ItemNext::Failed(code)
            } else {
                ItemNext::Retry {
                    at: now,
                    counted: true,
                }
            }
        }
    };
    // A question that the breaker kept from the database was no look at anybody.
    finish(tools, work, next, silent.reached.then_some(usage)).await;
}

/// Nothing was asked, for a reason of our own.
async fn barred(tools: &Tools, work: &ItemWork, bar: Bar) {
    let now = tools.clock.now();
    let put_back = |wait: Duration| ItemNext::Retry {
        at: now + wait,
        counted: false,
    };
    let (next, usage) = match bar {
        Bar::Job(code, refusal) => {
            pause(tools, work, code).await;
            (put_back(Duration::ZERO), Some(*refusal))
        }
        Bar::Item(code, refusal) => (ItemNext::Failed(code), Some(*refusal)),
        Bar::Wait(wait) => (put_back(wait), None),
    };
    finish(tools, work, next, usage).await;
}

/// Pauses the item's job. If that fails, the next item pauses it.
async fn pause(tools: &Tools, work: &ItemWork, code: ErrorCode) {
    let command = JobCommand::Pause(Some(code));
    match tools
        .store
        .command_job(work.job, command, None, tools.clock.now())
        .await
    {
        Ok(Ok(_)) => tracing::warn!(
            job.id = %work.job, participant.id = %work.asker.participant, error.code = %code,
            "a verification job was paused"
        ),
        // It has ended meanwhile.
        Ok(Err(_)) => {}
        Err(error) => tracing::warn!(
            job.id = %work.job, error = &error as &dyn std::error::Error,
            "a verification job could not be paused"
        ),
    }
}

/// Records the end of an attempt; repeats a failed write as long as a lease, because somebody has been looked at and an answer
/// must not be asked for again.
async fn finish(tools: &Tools, work: &ItemWork, next: ItemNext, usage: Option<UsageDraft>) {
    let finish = ItemFinish {
        message: work.message,
        next,
        usage,
        misses_percent_max: tools.config.misses_percent_max,
        now: tools.clock.now(),
    };
    let give_up = Instant::now() + tools.config.lease();
    loop {
        match tools.store.finish_items(vec![finish.clone()]).await {
            Ok(finished) => {
                if let Some(usage) = &finish.usage {
                    tools.core.metrics.recorded(usage.kind, usage.outcome);
                }
                if finished.contains(&Finished::Held) {
                    tracing::error!(
                        job.id = %work.job, participant.id = %work.asker.participant, system.name = %work.asker.system,
                        "too many items do not match; the jobs of the system are held until an operator resumes one"
                    );
                }
                return;
            }
            Err(StoreError::Closed) => return,
            Err(error) if Instant::now() >= give_up => {
                tracing::error!(
                    job.id = %work.job, item.position = work.position,
                    error = &error as &dyn std::error::Error,
                    "an answer could not be recorded; the item will be asked again"
                );
                return;
            }
            Err(_) => tokio::time::sleep(BOOKKEEPING_PAUSE).await,
        }
    }
}
