//! One province: pushes its dossiers over mutual TLS at a steady pace, remembers what is under way, and
//! repeats with the same key whatever has no answer.

mod pace;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::{Clock, EventId};
use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_proto::dossier::v1::stream_status_response::Result as StreamResult;
use lienthong_proto::dossier::v1::{
    Receipt, Refusal, StatusEvent, StreamStatusRequest, StreamStatusResponse,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout_at};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;
use tonic::transport::Channel;

use super::board::{Board, ProvinceCounts, State};
use super::ledger::Acknowledged;
use super::message;
use super::traffic::{Move, Traffic};
use pace::Pace;

/// Events without an answer at most; also the bound of open dossiers.
pub(super) const UNDER_WAY_MAX: usize = 512;
/// Messages between us and the connection.
const STREAM_MESSAGES_MAX: usize = 64;
/// How often the pace is looked at.
const TICK: Duration = Duration::from_millis(5);
/// Share of acknowledged events that are sent once more, as senders do after a crash of their own.
const REPEAT_CHANCE: f64 = 0.01;
/// Wait after a refusal for the moment that names none.
const RETRY_WAIT: Duration = Duration::from_millis(200);
/// Longest wait that a refusal may ask for.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(10);
/// Wait before a new connection.
const RECONNECT_WAIT: Duration = Duration::from_millis(300);
/// How long answers may take after the stop.
const ANSWERS_WAIT_MAX: Duration = Duration::from_secs(10);

/// `google.rpc.Code`s after which the same event may be sent again: `DEADLINE_EXCEEDED`,
/// `RESOURCE_EXHAUSTED`, `ABORTED`, `INTERNAL`, `UNAVAILABLE`.
const RETRY_CODES: [i32; 5] = [4, 8, 10, 13, 14];

/// A province at work.
pub(super) struct Pusher {
    index: usize,
    client: DossierServiceClient<Channel>,
    traffic: Traffic,
    pace: Pace,
    random: ChaCha8Rng,
    board: Arc<Board>,
    clock: Clock,
    under_way: HashMap<u64, UnderWay>,
    /// What to send again, and when.
    again: BTreeSet<(Instant, u64)>,
    last_ref: u64,
}

/// An event without an answer.
struct UnderWay {
    event: StatusEvent,
    sent_at: Instant,
    purpose: Purpose,
}

#[derive(Clone)]
enum Purpose {
    /// The next event of the dossier in this slot.
    Move { slot: usize },
    /// A repetition of an event that has this receipt already.
    Repeat { first: EventId },
}

/// Why a connection is given up.
enum End {
    /// Everything sent has its answer, or waited long enough.
    Stopped,
    /// It broke.
    Broken,
}

impl Pusher {
    /// The province at `index` of the board.
    pub(super) fn new(
        index: usize,
        channel: Channel,
        traffic: Traffic,
        (rate_per_s, seed): (f64, u64),
        (board, clock): (Arc<Board>, Clock),
    ) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(u64::MAX - u64::try_from(index).unwrap_or(0));
        Self {
            index,
            client: DossierServiceClient::new(channel),
            traffic,
            pace: Pace::new(rate_per_s, Instant::now()),
            random,
            board,
            clock,
            under_way: HashMap::new(),
            again: BTreeSet::new(),
            last_ref: 0,
        }
    }

    /// Pushes until `stop`, then waits a while for the answers still open.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            match self.push_over_one_stream(&stop).await {
                End::Stopped => return,
                End::Broken => {
                    self.count(|counts| counts.reconnects += 1);
                    sleep(RECONNECT_WAIT).await;
                }
            }
            if stop.is_cancelled() && self.under_way.is_empty() {
                return;
            }
        }
    }

    async fn push_over_one_stream(&mut self, stop: &CancellationToken) -> End {
        let (sender, messages) = mpsc::channel(STREAM_MESSAGES_MAX);
        let opened = self.client.stream_status(ReceiverStream::new(messages));
        let mut answers = match opened.await {
            Ok(response) => response.into_inner(),
            Err(status) => {
                tracing::warn!(rpc.code = ?status.code(), "the demo's province could not open a stream");
                return if stop.is_cancelled() {
                    End::Stopped
                } else {
                    End::Broken
                };
            }
        };
        // Whatever an earlier stream left without an answer goes first, with its old key.
        self.again = self
            .under_way
            .keys()
            .map(|number| (Instant::now(), *number))
            .collect();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                () = stop.cancelled() => return self.wait_for_answers(&sender, &mut answers).await,
                _ = tick.tick() => self.send_due(&sender, true),
                answer = answers.message() => match answer {
                    Ok(Some(answer)) => self.answered(answer),
                    Ok(None) | Err(_) => return End::Broken,
                },
            }
        }
    }

    async fn wait_for_answers(
        &mut self,
        sender: &mpsc::Sender<StreamStatusRequest>,
        answers: &mut Streaming<StreamStatusResponse>,
    ) -> End {
        let deadline = Instant::now() + ANSWERS_WAIT_MAX;
        let mut tick = interval(TICK);
        while !self.under_way.is_empty() && Instant::now() < deadline {
            tokio::select! {
                _ = tick.tick() => self.send_due(sender, false),
                answer = timeout_at(deadline, answers.message()) => match answer {
                    Ok(Ok(Some(answer))) => self.answered(answer),
                    Ok(Ok(None) | Err(_)) => return End::Broken,
                    Err(_) => return End::Stopped,
                },
            }
        }
        End::Stopped
    }

    /// Sends what is due, as far as the stream has room: what must be repeated, then new events.
    fn send_due(&mut self, sender: &mpsc::Sender<StreamStatusRequest>, with_new: bool) {
        let now = Instant::now();
        let mut credit = if with_new { self.pace.due(now) } else { 0 };
        while let Ok(room) = sender.try_reserve() {
            let number = if let Some(number) = self.next_again(now) {
                number
            } else if credit > 0 {
                let Some(number) = self.next_new(now) else {
                    return;
                };
                credit -= 1;
                self.pace.spent();
                number
            } else {
                return;
            };
            let Some(under_way) = self.under_way.get_mut(&number) else {
                continue;
            };
            under_way.sent_at = now;
            room.send(StreamStatusRequest {
                client_ref: number,
                event: Some(under_way.event.clone()),
            });
        }
    }

    fn next_again(&mut self, now: Instant) -> Option<u64> {
        let due = self.again.first().is_some_and(|(at, _)| *at <= now);
        due.then(|| self.again.pop_first())
            .flatten()
            .map(|(_, number)| number)
    }

    fn next_new(&mut self, now: Instant) -> Option<u64> {
        if self.under_way.len() >= UNDER_WAY_MAX {
            return None;
        }
        let Move { slot, event } = self.traffic.next(self.clock.now())?;
        self.board.lock().ledger.offered(event.dossier.as_str());
        Some(self.put_under_way(message::of(&event), Purpose::Move { slot }, now))
    }

    fn put_under_way(&mut self, event: StatusEvent, purpose: Purpose, now: Instant) -> u64 {
        self.last_ref += 1;
        self.under_way.insert(
            self.last_ref,
            UnderWay {
                event,
                sent_at: now,
                purpose,
            },
        );
        self.last_ref
    }

    fn answered(&mut self, answer: StreamStatusResponse) {
        // An answer nobody waits for can only be one that a broken stream delivered late.
        let Some(under_way) = self.under_way.remove(&answer.client_ref) else {
            return;
        };
        match answer.result {
            Some(StreamResult::Receipt(receipt)) => self.accepted(under_way, &receipt),
            Some(StreamResult::Refusal(refusal)) => {
                self.refused(answer.client_ref, under_way, &refusal);
            }
            None => self.refused(answer.client_ref, under_way, &Refusal::default()),
        }
    }

    fn accepted(&mut self, under_way: UnderWay, receipt: &Receipt) {
        let took = under_way.sent_at.elapsed();
        let event_id = receipt.event_id.parse::<EventId>().ok();
        let board = self.board.clone();
        let mut state = board.lock();
        state.answered_after(took);
        let counts = &mut state.provinces[self.index];
        counts.duplicates += u64::from(receipt.duplicate);
        match under_way.purpose {
            Purpose::Repeat { first } => {
                let same = receipt.duplicate && event_id == Some(first);
                counts.receipt_mismatches += u64::from(!same);
            }
            Purpose::Move { slot } => {
                let Some(event_id) = event_id else {
                    counts.receipt_mismatches += 1;
                    self.traffic.given_up(slot);
                    return;
                };
                counts.accepted += 1;
                counts.late += u64::from(receipt.late);
                acknowledge(&mut state, event_id, receipt);
                if self.traffic.taken(slot) {
                    state.closed(self.index, &receipt.dossier_code);
                } else {
                    state.opened(self.index, &receipt.dossier_code);
                }
                drop(state);
                self.maybe_repeat(under_way.event, event_id);
            }
        }
    }

    fn maybe_repeat(&mut self, event: StatusEvent, first: EventId) {
        if self.random.random_bool(REPEAT_CHANCE) {
            let now = Instant::now();
            let number = self.put_under_way(event, Purpose::Repeat { first }, now);
            self.again.insert((now, number));
        }
    }

    fn refused(&mut self, number: u64, under_way: UnderWay, refusal: &Refusal) {
        if RETRY_CODES.contains(&refusal.code) {
            self.count(|counts| counts.pushed_back += 1);
            let wait = refusal
                .retry_after
                .and_then(|wait| Duration::try_from(wait).ok());
            let wait = wait.unwrap_or(RETRY_WAIT).min(RETRY_WAIT_MAX);
            self.again.insert((Instant::now() + wait, number));
            self.under_way.insert(number, under_way);
            return;
        }
        let faults: Vec<_> = refusal
            .faults
            .iter()
            .map(|fault| (&fault.field, &fault.reason))
            .collect();
        tracing::warn!(
            dossier.code = under_way.event.dossier_code,
            error.code = refusal.reason,
            error.faults = ?faults,
            "an event of the demo was refused",
        );
        self.count(|counts| counts.refused += 1);
        if let Purpose::Move { slot } = under_way.purpose {
            self.traffic.given_up(slot);
            self.board
                .lock()
                .ledger
                .closed(&under_way.event.dossier_code);
        }
    }

    fn count(&self, change: impl FnOnce(&mut ProvinceCounts)) {
        change(&mut self.board.lock().provinces[self.index]);
    }
}

fn acknowledge(state: &mut State, event: EventId, receipt: &Receipt) {
    let accepted_at_ms = receipt
        .accepted_at
        .map_or(0, |at| at.seconds * 1_000 + i64::from(at.nanos) / 1_000_000);
    state.ledger.acknowledged(Acknowledged {
        dossier: &receipt.dossier_code,
        event,
        sequence: u64::try_from(receipt.dossier_sequence).unwrap_or(0),
        accepted_at_ms,
        late: receipt.late,
    });
}
