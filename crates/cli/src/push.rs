//! `push`: sends the lines of files to the gateway, each once in effect, whatever breaks.

mod meter;
mod reader;
mod result;
mod sender;
mod state;
mod summary;
mod tally;
mod window;

use std::path::{Path, PathBuf};
use std::time::Duration;

use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use self::meter::Meter;
use self::result::StepResult;
use self::sender::{Ending, Progress, Sender};
use self::state::{StateFile, fingerprint};
use self::summary::Summary;
use self::tally::{RefusedCsv, Tally};
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

    fn fault(&self, source: std::io::Error) -> CliError {
        CliError::File {
            action: "read",
            path: self.name().into(),
            source,
        }
    }
}

/// One push of several inputs.
struct Push<'a> {
    args: &'a PushArgs,
    channel: Option<Channel>,
    output: &'a Output,
    stop: CancellationToken,
    csv: Option<RefusedCsv>,
    summary: Summary,
}

/// Pushes all files, then sums up, also when something went wrong on the way. Without a `channel`
/// the files are only checked.
///
/// # Errors
/// A file that cannot be read, an answer that makes going on pointless, the end of patience.
pub(crate) async fn run(
    args: &PushArgs,
    channel: Option<Channel>,
    output: &Output,
    stop: CancellationToken,
) -> Result<Exit, CliError> {
    let started = Instant::now();
    let mut push = Push {
        args,
        channel,
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
            let ending = match self.channel.clone() {
                Some(channel) => self.send(&source, channel).await?,
                None => self.check(&source).await?,
            };
            if ending == Ending::Interrupted {
                return Ok(ending);
            }
        }
        Ok(Ending::Complete)
    }

    async fn send(&mut self, source: &Source, channel: Channel) -> Result<Ending, CliError> {
        let name = source.name();
        let (mut kept, mut earlier, mut size_bytes) = (None, None, None);
        if let Source::File(path) = source {
            let (print, size) = fingerprint(path).map_err(|error| source.fault(error))?;
            let file = StateFile::beside(path);
            if !self.args.restart {
                earlier = file.load(&print)?;
            }
            kept = Some((file, print));
            size_bytes = Some(size);
        }
        let steps_before = earlier.as_ref().map_or(0, |state| state.counters.steps);
        if steps_before > 0 {
            self.output.say(&format!(
                "{name}: going on after {steps_before} answered events of an interrupted run (--restart begins anew)"
            ));
        }
        let mut sender = Sender {
            client: DossierServiceClient::new(channel),
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
