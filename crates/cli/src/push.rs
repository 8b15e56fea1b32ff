//! `push`: sends the lines of files to the gateway, each once in effect, whatever breaks.

mod meter;
mod reader;
mod result;
mod sender;
mod state;
mod summary;
mod tally;
mod window;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lienthong_domain::Clock;
use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use self::meter::Meter;
use self::result::{REFUSED_LINES_MAX, StepResult};
use self::sender::{Ending, Progress, Sender};
use self::state::{Earlier, Fingerprint, Route, State, StateFile, fingerprint};
use self::summary::Summary;
use self::tally::{RefusedCsv, Tally};
use crate::connection::Connection;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// What to push and how.
#[derive(Debug, Clone, clap::Args)]
pub struct PushArgs {
    /// NDJSON files; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Read and check only; nothing is sent
    #[arg(long)]
    dry_run: bool,
    /// Begin anew, though an earlier run was interrupted
    #[arg(long)]
    restart: bool,
    /// Write every refused line to this CSV file
    ///
    /// A push that goes on after an interruption writes the rows of the interrupted run again, at
    /// most 10000 of each input; it says how many more there were, and --restart writes all.
    #[arg(long, value_name = "FILE.csv")]
    refused: Option<PathBuf>,
    /// Give up when the gateway takes nothing for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    give_up_after: u64,
}

/// What is read.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// The standard input; an interrupted push of it is not taken up again.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl Source {
    fn named(path: &Path) -> Self {
        if path.as_os_str() == "-" {
            Self::Stdin
        } else {
            Self::File(path.to_owned())
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    fn fault(&self, source: io::Error) -> CliError {
        CliError::File {
            action: "read",
            path: self.name().into(),
            source,
        }
    }
}

/// Where to push.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    channel: Channel,
    route: Route,
}

impl Target {
    /// The gateway of the settings.
    ///
    /// # Errors
    /// As [`Connection::channel`].
    pub(crate) fn of(connection: &Connection, clock: &Clock) -> Result<Self, CliError> {
        Ok(Self {
            channel: connection.channel(clock)?,
            route: Route::new(&connection.endpoint, connection.cert.as_deref()),
        })
    }
}

/// One push of several inputs.
struct Push<'a> {
    args: &'a PushArgs,
    target: Option<Target>,
    output: &'a Output,
    stop: CancellationToken,
    csv: Option<RefusedCsv>,
    summary: Summary,
}

/// Pushes all files, then sums up, also when something went wrong on the way. Without a `target`
/// the files are only checked.
///
/// # Errors
/// A file that cannot be read, an answer that makes going on pointless, the end of patience.
pub(crate) async fn run(
    args: &PushArgs,
    target: Option<Target>,
    output: &Output,
    stop: CancellationToken,
) -> Result<Exit, CliError> {
    let started = Instant::now();
    let mut push = Push {
        args,
        target,
        output,
        stop,
        csv: args.refused.clone().map(RefusedCsv::create).transpose()?,
        summary: Summary::default(),
    };
    let ending = push.all_inputs().await;
    push.summary
        .print(output, started.elapsed(), args.dry_run)?;
    Ok(match ending? {
        Ending::Interrupted => Exit::Interrupted,
        Ending::Complete if push.summary.has_refused() => Exit::DataRefused,
        Ending::Complete => Exit::Ok,
    })
}

impl PushArgs {
    /// Whether the gateway is needed.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}

impl Push<'_> {
    async fn all_inputs(&mut self) -> Result<Ending, CliError> {
        for path in &self.args.files {
            let source = Source::named(path);
            let ending = match self.target.clone() {
                Some(target) => self.send(&source, target).await?,
                None => self.check(&source).await?,
            };
            if ending == Ending::Interrupted {
                return Ok(ending);
            }
        }
        Ok(Ending::Complete)
    }

    async fn send(&mut self, source: &Source, target: Target) -> Result<Ending, CliError> {
        let name = source.name();
        let (mut kept, mut earlier, mut size_bytes) = (None, None, None);
        // What is no regular file can be read once only, so it is taken as stdin is.
        if let Source::File(path) = source
            && path.is_file()
        {
            let print = match fingerprint_aside(path, target.route, &self.stop).await {
                Err(_) if self.stop.is_cancelled() => return Ok(Ending::Interrupted),
                print => print.map_err(|error| source.fault(error))?,
            };
            let file = StateFile::beside(path);
            if !self.args.restart {
                earlier = self.going_on(&name, file.load(&print)?);
            }
            size_bytes = Some(print.size_bytes());
            kept = Some((file, print));
        }
        let steps_before = earlier.as_ref().map_or(0, |state| state.counters.steps);
        let mut sender = Sender {
            client: DossierServiceClient::new(target.channel),
            input: reader::start(source).map_err(|error| source.fault(error))?,
            tally: Tally::new(&name, self.csv.clone(), kept, earlier)?,
            meter: Meter::start(self.output, &name, size_bytes, steps_before),
            stop: self.stop.clone(),
            patience: Duration::from_secs(self.args.give_up_after),
            progress: Progress::new(steps_before),
        };
        let ending = sender.run().await;
        let warnings = sender.progress.warnings.take().unwrap_or_default();
        self.summary.warn(&name, warnings);
        self.summary
            .add(&name, sender.progress.lines, steps_before, sender.tally);
        ending
    }

    /// The state to go on from, if what an earlier run left is of use; says which.
    fn going_on(&self, name: &str, left: Earlier) -> Option<State> {
        let state = match left {
            Earlier::Nothing => return None,
            Earlier::Other(why) => {
                self.output.say(&format!(
                    "{name}: starting over instead of going on with an interrupted run: {why}"
                ));
                return None;
            }
            Earlier::Same(state) => state,
        };
        let steps = state.counters.steps;
        if steps > 0 {
            self.output.say(&format!(
                "{name}: going on after {steps} answered events of an interrupted run (--restart begins anew)"
            ));
        }
        if state.refused_beyond > 0 && self.csv.is_some() {
            self.output.say(&format!(
                "{name}: --refused lacks {} rows of the interrupted run, of which only {REFUSED_LINES_MAX} are kept (--restart writes all of them)",
                state.refused_beyond
            ));
        }
        Some(state)
    }

    async fn check(&mut self, source: &Source) -> Result<Ending, CliError> {
        let name = source.name();
        let mut input = reader::start(source).map_err(|error| source.fault(error))?;
        let mut tally = Tally::new(&name, self.csv.clone(), None, None)?;
        let (mut lines, mut ending) = (0, Ending::Complete);
        loop {
            let batch = tokio::select! {
                () = self.stop.cancelled() => None,
                batch = input.recv() => batch,
            };
            let Some(batch) = batch else {
                ending = Ending::Interrupted;
                break;
            };
            let batch = batch.map_err(|error| source.fault(error))?;
            lines = batch.lines;
            for step in batch.steps {
                let result = checked(&step);
                tally.add(&step, result)?;
            }
            if let Some(warnings) = batch.end {
                self.summary.warn(&name, warnings);
                break;
            }
        }
        self.summary.add(&name, lines, 0, tally);
        Ok(ending)
    }
}

/// Reads the whole file on a thread of its own, so that a large one can be interrupted.
async fn fingerprint_aside(
    path: &Path,
    route: Route,
    stop: &CancellationToken,
) -> io::Result<Fingerprint> {
    let (path, stop) = (path.to_owned(), stop.clone());
    tokio::task::spawn_blocking(move || fingerprint(&path, route, &stop))
        .await
        .map_err(io::Error::other)?
}

/// What a dry run knows of a step: whether it could be sent.
fn checked(step: &crate::input::join::Step) -> StepResult {
    match &step.event {
        Ok(_event) => StepResult::Accepted {
            duplicate: false,
            late: false,
            warnings: 0,
        },
        Err(faults) => StepResult::Refused(faults.clone()),
    }
}

#[cfg(test)]
mod tests;
