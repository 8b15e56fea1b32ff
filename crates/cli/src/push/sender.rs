//! Sends the steps of one input over `StreamStatus`, whatever happens to the connection.

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::time::Duration;

use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_proto::dossier::v1::{
    Refusal, StreamStatusRequest, StreamStatusResponse, stream_status_response,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, sleep_until};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::meter::Meter;
use super::reader::{Batch, Warnings};
use super::result::{StepResult, faults_of};
use super::tally::Tally;
use super::window::Window;
use crate::errors::CliError;
use crate::input::join::Step;
use crate::patience::may_pass;

/// Requests between us and the connection.
const REQUESTS_MAX: usize = 64;
/// How long the gateway may leave everything unanswered before the connection counts as lost.
const ANSWER_SECONDS_MAX: u64 = 30;
/// Pause after the first lost connection; doubles each time.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// Longest pause of our own choosing.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Longest pause that the gateway may ask for.
const PAUSE_ASKED_MAX: Duration = Duration::from_mins(5);
/// Refusals as INTERNAL after which an event counts as refused for good.
const INTERNAL_RETRIES_MAX: u32 = 5;
/// How often the state is written and the meter moves.
const TICK: Duration = Duration::from_secs(1);

/// How a push of one input ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Every step is answered.
    Complete,
    /// Somebody asked to stop.
    Interrupted,
}

enum Connected {
    Ended(Ending),
    Lost(Status),
}

/// The push of one input.
pub(crate) struct Sender {
    pub(crate) client: DossierServiceClient<Channel>,
    pub(crate) input: mpsc::Receiver<io::Result<Batch>>,
    pub(crate) tally: Tally,
    pub(crate) meter: Meter,
    pub(crate) stop: CancellationToken,
    /// How long nothing may go forward.
    pub(crate) patience: Duration,
    pub(crate) progress: Progress,
}

/// Where the push stands.
pub(crate) struct Progress {
    window: Window,
    /// Steps of the last batch without room in the window yet.
    backlog: VecDeque<Step>,
    /// Steps to pass over, since an earlier run had them answered.
    skip: u64,
    /// Lines and bytes read.
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    /// Set when the input has ended.
    pub(crate) warnings: Option<Warnings>,
    paused_until: Option<Instant>,
    /// The last pause between two tries; patience does not run during it.
    pause: Duration,
    pauses: u32,
    /// When the gateway last answered anything for good.
    forward_at: Instant,
    /// The last thing that stood in the way.
    obstacle: Option<Status>,
    tick: Interval,
}

impl Progress {
    /// Before the first line; the first `steps_answered` steps are passed over.
    pub(crate) fn new(steps_answered: u64) -> Self {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            window: Window::new(steps_answered),
            backlog: VecDeque::new(),
            skip: steps_answered,
            lines: 0,
            bytes: 0,
            warnings: None,
            paused_until: None,
            pause: Duration::ZERO,
            pauses: 0,
            forward_at: Instant::now(),
            obstacle: None,
            tick,
        }
    }

    fn is_done(&self) -> bool {
        self.warnings.is_some() && self.backlog.is_empty() && self.window.is_empty()
    }

    fn take(&mut self, batch: Batch) {
        (self.lines, self.bytes) = (batch.lines, batch.bytes);
        self.warnings = batch.end;
        for step in batch.steps {
            if self.skip > 0 {
                self.skip -= 1;
            } else {
                self.backlog.push_back(step);
            }
        }
        if self.window.is_empty() {
            // Nobody was asked anything while there was nothing to ask.
            self.forward_at = Instant::now();
        }
    }

    /// The next pause, doubling; not less than what the gateway asks for.
    fn next_pause(&mut self, asked: Duration) -> Duration {
        let own = PAUSE_FIRST
            .saturating_mul(2_u32.saturating_pow(self.pauses))
            .min(PAUSE_MAX);
        self.pauses += 1;
        own.max(asked.min(PAUSE_ASKED_MAX))
    }
}

impl Sender {
    /// Sends until every step is answered or somebody asks to stop. The state is saved on every way out.
    ///
    /// # Errors
    /// An answer that makes going on pointless, the end of patience, or a file fault.
    pub(crate) async fn run(&mut self) -> Result<Ending, CliError> {
        let ending = self.send_all().await;
        self.settle()?;
        self.meter.finish();
        if matches!(ending, Ok(Ending::Complete)) {
            self.tally.complete()?;
        } else {
            self.tally.save(self.progress.bytes)?;
        }
        ending
    }

    async fn send_all(&mut self) -> Result<Ending, CliError> {
        loop {
            let status = match self.one_connection().await? {
                Connected::Ended(ending) => return Ok(ending),
                Connected::Lost(status) => status,
            };
            self.progress.window.connection_lost();
            if !may_pass(status.code()) {
                return Err(status.into());
            }
            if self.progress.pauses == 0 {
                let cause = crate::errors::tell(&status);
                self.meter.say(&format!(
                    "the gateway does not answer, trying again\n{cause}"
                ));
            }
            self.progress.obstacle = Some(status);
            self.check_patience()?;
            let pause = self.progress.next_pause(Duration::ZERO);
            tokio::select! {
                () = self.stop.cancelled() => return Ok(Ending::Interrupted),
                () = sleep(pause) => {}
            }
        }
    }

    async fn one_connection(&mut self) -> Result<Connected, CliError> {
        let (to_gateway, requests) = mpsc::channel(REQUESTS_MAX);
        let mut client = self.client.clone();
        let opening = client.stream_status(ReceiverStream::new(requests));
        let opened = tokio::select! {
            () = self.stop.cancelled() => return Ok(Connected::Ended(Ending::Interrupted)),
            opened = opening => opened,
        };
        let mut answers = match opened {
            Ok(response) => response.into_inner(),
            Err(status) => return Ok(Connected::Lost(status)),
        };
        let mut silent_since = Instant::now();
        loop {
            self.settle()?;
            self.fill();
            if self.progress.is_done() {
                return Ok(Connected::Ended(Ending::Complete));
            }
            let progress = &mut self.progress;
            let may_read = progress.warnings.is_none() && progress.backlog.is_empty();
            let may_send = progress.paused_until.is_none() && progress.window.has_ready();
            let is_asked = progress.window.waits_for_answers();
            let silent_until = silent_since + Duration::from_secs(ANSWER_SECONDS_MAX);
            tokio::select! {
                () = self.stop.cancelled() => {
                    return Ok(Connected::Ended(Ending::Interrupted));
                }
                answer = answers.message() => match answer {
                    Ok(Some(answer)) => {
                        silent_since = Instant::now();
                        self.take_answer(answer);
                    }
                    Ok(None) => return Ok(Connected::Lost(Status::unavailable("the stream ended"))),
                    Err(status) => return Ok(Connected::Lost(status)),
                },
                // A closed channel means that the connection is gone; the answers tell why.
                Ok(permit) = to_gateway.reserve(), if may_send => {
                    if !is_asked {
                        silent_since = Instant::now();
                    }
                    if let Some((client_ref, event)) = progress.window.send_next() {
                        let event = Some(event.clone());
                        permit.send(StreamStatusRequest { client_ref, event });
                    }
                }
                batch = self.input.recv(), if may_read => progress.take(received(batch)?),
                () = until(progress.paused_until) => progress.paused_until = None,
                () = sleep_until(silent_until), if is_asked => {
                    return Ok(Connected::Lost(Status::deadline_exceeded("no answer")));
                }
                _now = progress.tick.tick() => self.tick()?,
            }
        }
    }

    fn fill(&mut self) {
        let progress = &mut self.progress;
        while progress.window.has_room()
            && let Some(step) = progress.backlog.pop_front()
        {
            progress.window.push(step);
        }
    }

    fn settle(&mut self) -> Result<(), CliError> {
        while let Some((step, result)) = self.progress.window.pop_settled() {
            self.tally.add(&step, result)?;
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), CliError> {
        self.tally.save(self.progress.bytes)?;
        let progress = &self.progress;
        self.meter
            .show(&self.tally.counters, progress.lines, progress.bytes);
        if self.progress.obstacle.is_some() {
            self.check_patience()?;
        }
        Ok(())
    }

    fn check_patience(&mut self) -> Result<(), CliError> {
        if self.progress.forward_at.elapsed() < self.patience + self.progress.pause {
            return Ok(());
        }
        let unknown = || Status::unavailable("no answer");
        Err(CliError::Patience {
            seconds: self.patience.as_secs(),
            source: Box::new(self.progress.obstacle.take().unwrap_or_else(unknown)),
        })
    }

    fn take_answer(&mut self, answer: StreamStatusResponse) {
        let number = answer.client_ref;
        let progress = &mut self.progress;
        if !progress.window.is_under_way(number) {
            return;
        }
        let result = match answer.result {
            Some(stream_status_response::Result::Receipt(receipt)) => StepResult::Accepted {
                duplicate: receipt.duplicate,
                late: receipt.late,
                warnings: receipt.warnings.len(),
            },
            Some(stream_status_response::Result::Refusal(refusal)) => {
                match self.refusal(number, refusal) {
                    Some(result) => result,
                    None => return,
                }
            }
            None => match self.refusal(number, no_result()) {
                Some(result) => result,
                None => return,
            },
        };
        let progress = &mut self.progress;
        progress.window.settle(number, result);
        progress.forward_at = Instant::now();
        progress.obstacle = None;
        progress.pauses = 0;
    }

    /// The final result, or `None` when the event will be sent again after a pause.
    fn refusal(&mut self, number: u64, refusal: Refusal) -> Option<StepResult> {
        let code = Code::from(refusal.code);
        if !may_pass(code) {
            return Some(StepResult::Refused(faults_of(refusal)));
        }
        let progress = &mut self.progress;
        if code == Code::Internal && progress.window.retries(number) >= INTERNAL_RETRIES_MAX {
            return Some(StepResult::Refused(faults_of(refusal)));
        }
        progress.window.retry(number);
        let asked = refusal
            .retry_after
            .and_then(|delay| Duration::try_from(delay).ok())
            .unwrap_or_default();
        // One pause holds for all that is under way; only the first refusal begins one.
        if progress.paused_until.is_none() {
            let pause = progress.next_pause(asked);
            progress.paused_until = Some(Instant::now() + pause);
            progress.pause = pause;
        }
        progress.obstacle = Some(Status::new(
            code,
            format!("{}: {}", refusal.reason, refusal.message),
        ));
        None
    }
}

fn no_result() -> Refusal {
    Refusal {
        code: Code::Internal.into(),
        reason: "INTERNAL".to_owned(),
        message: "an answer without a result".to_owned(),
        ..Refusal::default()
    }
}

fn received(batch: Option<io::Result<Batch>>) -> io::Result<Batch> {
    batch.unwrap_or_else(|| Err(io::Error::other("the reader ended without an end")))
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}
