//! Keeps count of one input: counters, refused lines, the CSV file and the state file.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::result::{Counters, REFUSED_LINES_MAX, RefusedLine, StepResult};
use super::state::{Fingerprint, State, StateFile};
use crate::errors::CliError;
use crate::input::join::Step;

/// The CSV file for all refused lines of all inputs.
#[derive(Clone)]
pub(crate) struct RefusedCsv {
    path: PathBuf,
    writer: Arc<Mutex<csv::Writer<File>>>,
}

impl RefusedCsv {
    /// Creates the file, replacing an earlier one.
    ///
    /// # Errors
    /// It cannot be created.
    pub(crate) fn create(path: PathBuf) -> Result<Self, CliError> {
        let writer = File::create(&path).map_err(|source| CliError::File {
            action: "create",
            path: path.clone(),
            source,
        })?;
        let writer = Arc::new(Mutex::new(csv::Writer::from_writer(writer)));
        Ok(Self { path, writer })
    }

    fn add(&self, line: &RefusedLine) -> Result<(), CliError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let written = writer.serialize(line).map_err(std::io::Error::from);
        written
            .and_then(|()| writer.flush())
            .map_err(|source| CliError::File {
                action: "write",
                path: self.path.clone(),
                source,
            })
    }
}

/// The count of one input.
pub(crate) struct Tally {
    file: String,
    pub(crate) counters: Counters,
    /// At most [`REFUSED_LINES_MAX`].
    pub(crate) refused_lines: Vec<RefusedLine>,
    /// Rows beyond those.
    pub(crate) refused_beyond: u64,
    csv: Option<RefusedCsv>,
    kept: Option<(StateFile, Fingerprint)>,
    steps_saved: Option<u64>,
}

impl Tally {
    /// Starts from nothing, or from what an earlier run left.
    ///
    /// # Errors
    /// The CSV file cannot be written.
    pub(crate) fn new(
        file: &str,
        csv: Option<RefusedCsv>,
        kept: Option<(StateFile, Fingerprint)>,
        earlier: Option<State>,
    ) -> Result<Self, CliError> {
        let (counters, refused_lines, refused_beyond) = earlier
            .map_or_else(Default::default, |state| {
                (state.counters, state.refused_lines, state.refused_beyond)
            });
        if let Some(csv) = &csv {
            refused_lines.iter().try_for_each(|line| csv.add(line))?;
        }
        Ok(Self {
            file: file.to_owned(),
            counters,
            refused_lines,
            refused_beyond,
            csv,
            kept,
            steps_saved: None,
        })
    }

    /// Counts the next step of the input.
    ///
    /// # Errors
    /// The CSV file cannot be written.
    pub(crate) fn add(&mut self, step: &Step, result: StepResult) -> Result<(), CliError> {
        self.counters.add(&result, step.event.is_ok());
        let StepResult::Refused(faults) = result else {
            return Ok(());
        };
        for fault in faults {
            let line = RefusedLine {
                file: self.file.clone(),
                line: step.line,
                joined_line: step.joined_line,
                field: fault.field,
                reason: fault.reason,
                message_vi: fault.vi,
                message_en: fault.en,
            };
            if let Some(csv) = &self.csv {
                csv.add(&line)?;
            }
            if self.refused_lines.len() < REFUSED_LINES_MAX {
                self.refused_lines.push(line);
            } else {
                self.refused_beyond += 1;
            }
        }
        Ok(())
    }

    /// Writes the state file if anything was answered since the last time.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn save(&mut self, bytes: u64) -> Result<(), CliError> {
        let Some((file, input)) = &self.kept else {
            return Ok(());
        };
        if self.steps_saved != Some(self.counters.steps) {
            file.save(&State {
                input: input.clone(),
                bytes,
                counters: self.counters.clone(),
                refused_lines: self.refused_lines.clone(),
                refused_beyond: self.refused_beyond,
            })?;
            self.steps_saved = Some(self.counters.steps);
        }
        Ok(())
    }

    /// Everything is answered: the next run begins anew.
    ///
    /// # Errors
    /// The state file cannot be removed.
    pub(crate) fn complete(&self) -> Result<(), CliError> {
        self.kept.as_ref().map_or(Ok(()), |(file, _)| file.remove())
    }
}
