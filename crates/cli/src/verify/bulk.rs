//! A file of persons: checked, uploaded as a job, answered into another file. Every step can be
//! interrupted; the same command goes on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lienthong_proto::identity::v1 as proto;
use lienthong_proto::identity::v1::identity_service_client::IdentityServiceClient;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};

use super::answers::Answers;
use super::sheet::Sheet;
use super::upload::Upload;
use crate::connection::unary;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::output::meter::Meter;
use crate::patience::Patience;

mod summary;

use self::summary::Summary;

/// How often the answers are handed to the file, the meter moves and the job is asked how it is.
const TICK: Duration = Duration::from_secs(1);
/// Longest pause of the gateway, in ticks without an answer, before the job counts as standing still.
const PAUSED_TICKS_MAX: u32 = 2;

/// What stands instead of a file. `requires` alone does not refuse these beside an option of files,
/// since clap waives what conflicts with something present.
const NOT_A_FILE: [&str; 4] = ["number", "stdin", "jobs", "job"];

/// How a file is verified.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "A file of persons")]
pub(crate) struct BulkArgs {
    /// Where the answers go; a file of an interrupted run is continued, any other is left alone
    #[arg(long, value_name = "ANSWERS.csv", requires = "file", conflicts_with_all = NOT_A_FILE, required_unless_present_any = ["dry_run", "number", "stdin", "jobs", "job"])]
    out: Option<PathBuf>,
    /// Only read and check the file; no gateway is needed
    #[arg(long, requires = "file", conflicts_with_all = NOT_A_FILE)]
    dry_run: bool,
    /// Name of the job, 1..100 of ASCII; without it the file's content, the purpose and our private
    /// key make one, so the same command finds its job again
    #[arg(long, value_name = "NAME", requires = "file", conflicts_with_all = NOT_A_FILE)]
    job_key: Option<String>,
    /// Give up when the gateway cannot be reached for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "file", conflicts_with_all = NOT_A_FILE, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    give_up_after: u64,
}

impl BulkArgs {
    /// Whether the gateway is not needed.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}

/// Whom to ask, and why.
pub(crate) struct Target {
    /// For calls that are answered at the end of an upload.
    pub(crate) upload: IdentityServiceClient<Channel>,
    /// For all other calls.
    pub(crate) client: IdentityServiceClient<Channel>,
    /// What only this participant knows.
    pub(crate) secret: [u8; 32],
    pub(crate) inquiry: proto::Inquiry,
}

#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Complete,
    Interrupted,
}

/// Only checks the file.
///
/// # Errors
/// It cannot be read, or is no such table.
pub(crate) async fn check(file: &Path, output: &Output) -> Result<Exit, CliError> {
    let started = Instant::now();
    let sheet = read(file).await?;
    let summary = Summary::begin(&sheet, output)?;
    summary.print_check(output, started.elapsed())?;
    Ok(summary.exit_of_check())
}

/// Verifies the file, then sums up, also when something went wrong on the way.
///
/// # Errors
/// A file that cannot be used, a refusal for good, the end of patience, a job that stands still.
pub(crate) async fn run(
    file: &Path,
    args: &BulkArgs,
    target: Target,
    output: &Output,
    stop: CancellationToken,
) -> Result<Exit, CliError> {
    let started = Instant::now();
    let sheet = Arc::new(read(file).await?);
    let mut summary = Summary::begin(&sheet, output)?;
    let out = args.out.clone().unwrap_or_default();
    let path = out.clone();
    let of_sheet = sheet.clone();
    let answers = aside(move || Answers::open(&path, of_sheet)).await?;
    if answers.rows() > 0 && !answers.is_complete() {
        output.say(&format!(
            "{}: đi tiếp sau {1} dòng đã có / going on after {1} rows of an interrupted run",
            out.display(),
            answers.rows()
        ));
    }
    let derived = || sheet.job_key(&target.secret, &target.inquiry.purpose_code);
    let mut bulk = Bulk {
        items: sheet.items(),
        key: args.job_key.clone().unwrap_or_else(derived),
        patience_max: Duration::from_secs(args.give_up_after),
        sheet,
        answers,
        target,
        output,
        stop,
        job: None,
    };
    let ending = bulk.all(&mut summary).await;
    // What is half written is of no use; the reason that stopped the run is told first.
    let synced = bulk.answers.sync();
    let job_id = bulk.job.as_ref().map(|job| job.job_id.as_str());
    summary.print(output, job_id, &bulk.answers, started.elapsed())?;
    let ending = ending?;
    synced?;
    if ending == Ending::Interrupted {
        bulk.tell_how_to_come_back();
        return Ok(Exit::Interrupted);
    }
    Ok(summary::exit_of(&bulk.answers))
}

async fn read(file: &Path) -> Result<Sheet, CliError> {
    let path = file.to_owned();
    aside(move || Sheet::read(&path)).await
}

/// Work that blocks on files, on a thread of its own.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CliError> + Send + 'static,
) -> Result<T, CliError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(std::io::Error::other)?
}

struct Bulk<'a> {
    sheet: Arc<Sheet>,
    items: Vec<usize>,
    answers: Answers,
    target: Target,
    key: String,
    patience_max: Duration,
    output: &'a Output,
    stop: CancellationToken,
    job: Option<proto::VerificationJob>,
}

/// How one stream of answers ended.
enum Streamed {
    /// The gateway has no more.
    Ended,
    Interrupted,
}

impl Bulk<'_> {
    async fn all(&mut self, summary: &mut Summary) -> Result<Ending, CliError> {
        if self.items.is_empty() {
            self.answers.faulty_rows()?;
        }
        if self.answers.is_complete() {
            return Ok(Ending::Complete);
        }
        if !self.answers.job_id().is_empty() && !self.knows_job().await? {
            return Ok(Ending::Interrupted);
        }
        let Some(job) = self.upload(summary).await? else {
            return Ok(Ending::Interrupted);
        };
        self.answers.belong_to(&job.job_id)?;
        self.output.say(&format!(
            "{}: {} người / persons; Ctrl-C để lô tự chạy tiếp / leaves it running",
            job.job_id, job.items_total
        ));
        self.job = Some(job);
        self.fetch().await
    }

    /// Makes sure that the job of the rows that are there is the one this command goes on with, before
    /// another one is uploaded; `false` when interrupted.
    async fn knows_job(&mut self) -> Result<bool, CliError> {
        let mut patience = Patience::new(self.patience_max);
        loop {
            let job_id = self.answers.job_id().to_owned();
            let status = match self.ask().await {
                Ok(job) if job.idempotency_key == self.key => return Ok(true),
                Ok(_other) => {
                    return Err(self.answers.refuse(format!(
                        "it holds answers of job {job_id}, which has another key; name another file"
                    )));
                }
                Err(status) if status.code() == Code::NotFound => {
                    return Err(self.answers.refuse(format!(
                        "the gateway does not know its job {job_id} any more; name another file to ask anew"
                    )));
                }
                Err(status) => status,
            };
            if !patience.rest(status, &self.stop).await? {
                return Ok(false);
            }
        }
    }

    async fn upload(
        &mut self,
        summary: &mut Summary,
    ) -> Result<Option<proto::VerificationJob>, CliError> {
        let items_total =
            u32::try_from(self.items.len()).expect("a sheet has at most 200,000 rows");
        let mut upload = Upload {
            client: self.target.upload.clone(),
            sheet: &self.sheet,
            items: &self.items,
            opening: proto::JobOpening {
                idempotency_key: self.key.clone(),
                inquiry: Some(self.target.inquiry.clone()),
                items_total,
            },
            patience: Patience::new(self.patience_max),
            meter: Meter::start(self.output, "tải lên / upload", items_total.into()),
            stop: &self.stop,
            refused: Vec::new(),
        };
        let job = upload.run().await;
        let refused = std::mem::take(&mut upload.refused);
        drop(upload);
        let rows = refused.into_iter().filter_map(|item| {
            let index = (item.position as usize).checked_sub(1)?;
            Some((self.sheet.line(*self.items.get(index)?), item.faults))
        });
        summary.refused_by_gateway(rows, self.output)?;
        job
    }

    /// Fetches answers until all are there.
    async fn fetch(&mut self) -> Result<Ending, CliError> {
        let total = self.items.len() as u64;
        let mut meter = Meter::start(self.output, "trả lời / answers", total);
        let mut patience = Patience::new(self.patience_max);
        loop {
            // The gateway erases what we say we have, so it has to be safe before.
            self.answers.sync()?;
            let lost = match self.stream(&mut meter, &mut patience).await {
                Ok(Streamed::Interrupted) => return Ok(Ending::Interrupted),
                Ok(Streamed::Ended) if self.answers.is_complete() => {
                    self.let_erase().await?;
                    return Ok(Ending::Complete);
                }
                Ok(Streamed::Ended) => self.ended_early().await?,
                Err(Broken::Answers(error)) => return Err(error),
                Err(Broken::Stream(status)) => status,
            };
            if !patience.rest(lost, &self.stop).await? {
                return Ok(Ending::Interrupted);
            }
        }
    }

    async fn stream(
        &mut self,
        meter: &mut Meter,
        patience: &mut Patience,
    ) -> Result<Streamed, Broken> {
        let stop = self.stop.clone();
        let opened = tokio::select! {
            () = stop.cancelled() => return Ok(Streamed::Interrupted),
            opened = self.open_stream() => opened,
        };
        let mut stream = opened.map_err(Broken::Stream)?;
        let (mut ticks, mut quiet_ticks) = (ticks(), 0);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(Streamed::Interrupted),
                _tick = ticks.tick() => {
                    self.answers.flush().map_err(Broken::Answers)?;
                    self.look(meter).await;
                    quiet_ticks += 1;
                    if quiet_ticks > PAUSED_TICKS_MAX {
                        self.refuse_pause().map_err(Broken::Answers)?;
                    }
                }
                answer = stream.message() => match answer.map_err(Broken::Stream)? {
                    None => return Ok(Streamed::Ended),
                    Some(answer) => {
                        self.answers.add(&answer).map_err(Broken::Answers)?;
                        if self.answers.position() as usize == self.items.len() {
                            self.answers.faulty_rows().map_err(Broken::Answers)?;
                            return Ok(Streamed::Ended);
                        }
                        patience.forward();
                        quiet_ticks = 0;
                    }
                },
            }
        }
    }

    async fn open_stream(
        &mut self,
    ) -> Result<Streaming<proto::ListVerificationResultsResponse>, Status> {
        // Without a deadline: a job takes as long as the database does.
        let request = Request::new(proto::ListVerificationResultsRequest {
            job_id: self.job_id(),
            after_position: self.answers.position(),
        });
        let answer = self
            .target
            .client
            .list_verification_results(request)
            .await?;
        Ok(answer.into_inner())
    }

    /// Asks how the job is and shows it; a failure is no matter, since the stream will tell.
    async fn look(&mut self, meter: &mut Meter) {
        if let Ok(job) = self.ask().await {
            self.job = Some(job);
        }
        let counts = self.answers.counts();
        let state = self.job.as_ref().map_or("", |job| match job.state() {
            proto::JobState::Running => "",
            other => super::words::job_state(other),
        });
        let told = format!(
            "khớp/match {}, không/no {}, chưa rõ/undecided {}, lỗi/failed {} {state}",
            counts.matched,
            counts.not_matched,
            counts.undecided,
            counts.failed + counts.faulty
        );
        meter.show(self.answers.position().into(), told.trim_end());
    }

    async fn ask(&mut self) -> Result<proto::VerificationJob, Status> {
        let request = proto::GetVerificationJobRequest {
            job_id: self.job_id(),
            idempotency_key: String::new(),
        };
        let stop = self.stop.clone();
        let answer = tokio::select! {
            () = stop.cancelled() => return Err(Status::cancelled("interrupted")),
            answer = self.target.client.get_verification_job(unary(request)) => answer?,
        };
        let no_job = || Status::internal("an answer without a job");
        answer.into_inner().job.ok_or_else(no_job)
    }

    fn refuse_pause(&self) -> Result<(), CliError> {
        match &self.job {
            Some(job) if job.state() == proto::JobState::Paused => Err(CliError::JobStands {
                job_id: job.job_id.clone(),
                reason: job.state_reason.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// The stream ended though answers are missing: the job has ended, or the connection.
    async fn ended_early(&mut self) -> Result<Status, CliError> {
        let job = match self.ask().await {
            Ok(job) => job,
            Err(status) => return Ok(status),
        };
        let has_ended = matches!(
            job.state(),
            proto::JobState::Done | proto::JobState::Cancelled | proto::JobState::Erased
        );
        let ended = CliError::JobEnded {
            job_id: job.job_id.clone(),
            state: super::words::job_state(job.state()),
            rows: self.sheet.len() - self.answers.rows(),
        };
        self.job = Some(job);
        if has_ended {
            return Err(ended);
        }
        Ok(Status::unavailable("the answers ended early"))
    }

    /// Comes back for what follows the last answer, so that the gateway erases them all.
    async fn let_erase(&mut self) -> Result<(), CliError> {
        self.answers.sync()?;
        if self.answers.is_lasting() && self.open_stream().await.is_err() {
            self.output.say(
                "trục liên thông sẽ tự xóa các câu trả lời / the gateway will erase the answers by itself, later",
            );
        }
        Ok(())
    }

    fn job_id(&self) -> String {
        let of_rows = || self.answers.job_id().to_owned();
        let job = self.job.as_ref();
        job.map_or_else(of_rows, |job| job.job_id.clone())
    }

    fn tell_how_to_come_back(&self) {
        let text = match &self.job {
            Some(job) => format!(
                "{0} vẫn chạy; chạy lại đúng lệnh này để nhận tiếp, hoặc hủy: lienthong verify --job {0} --cancel\n\
                 {0} goes on; repeat this command to fetch the rest, or stop it: lienthong verify --job {0} --cancel",
                job.job_id
            ),
            None => "tải lên chưa xong; chạy lại đúng lệnh này để tải tiếp\n\
                     the upload is not finished; repeat this command to go on with it"
                .to_owned(),
        };
        self.output.say(&text);
    }
}

/// Why a stream of answers broke.
enum Broken {
    /// The connection or the gateway.
    Stream(Status),
    /// The answers cannot be kept, or do not come.
    Answers(CliError),
}

fn ticks() -> Interval {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
