//! The end of a push: the table of refused lines, the warnings, one line that sums up.

use std::io;
use std::time::Duration;

use serde_json::json;

use super::meter::per_second;
use super::reader::Warnings;
use super::result::{Counters, REFUSED_LINES_MAX, RefusedLine};
use super::tally::Tally;
use crate::output::Output;
use crate::output::table::Table;

/// Faults shown on the screen.
const FAULTS_SHOWN_MAX: usize = 200;

/// All inputs together.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    lines: u64,
    counters: Counters,
    /// Steps answered in earlier runs.
    steps_before: u64,
    warnings: Vec<Warning>,
    refused_lines: Vec<RefusedLine>,
    /// Rows of refused lines that were counted and not kept.
    refused_beyond: u64,
}

#[derive(Debug, serde::Serialize)]
struct Warning {
    file: String,
    unknown_key: String,
    first_line: u64,
    count: u64,
}

impl Summary {
    /// Adds one input.
    pub(crate) fn add(&mut self, file: &str, lines: u64, steps_before: u64, tally: Tally) {
        self.lines += lines;
        self.steps_before += steps_before;
        self.counters.add_all(&tally.counters);
        self.refused_beyond += tally.refused_beyond;
        // Answers come back in the order of their commit; people read a file downwards.
        let mut refused = tally.refused_lines;
        refused.sort_by_key(|line| line.line);
        for line in refused {
            self.refused_lines.push(RefusedLine {
                file: file.to_owned(),
                ..line
            });
        }
    }

    /// Adds the keys of one input that we do not know.
    pub(crate) fn warn(&mut self, file: &str, warnings: Warnings) {
        for (unknown_key, (first_line, count)) in warnings {
            self.warnings.push(Warning {
                file: file.to_owned(),
                unknown_key,
                first_line,
                count,
            });
        }
    }

    /// Whether something was refused.
    pub(crate) fn has_refused(&self) -> bool {
        self.counters.refused > 0
    }

    /// Prints everything.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(crate) fn print(
        &self,
        output: &Output,
        elapsed: Duration,
        dry_run: bool,
    ) -> io::Result<()> {
        let counters = &self.counters;
        let rate = per_second(counters.steps.saturating_sub(self.steps_before), elapsed);
        let seconds = elapsed.as_secs_f64();
        if self.refused_beyond > 0 {
            output.say(&format!(
                "{} faults are not listed: of each input {REFUSED_LINES_MAX} are kept",
                self.refused_beyond
            ));
        }
        if output.is_json() {
            return output.json(&json!({
                "lines": self.lines,
                "events": counters.events,
                "accepted": counters.accepted,
                "duplicates": counters.duplicates,
                "late": counters.late,
                "refused": counters.refused,
                "warnings": self.warnings,
                "gateway_warnings": counters.gateway_warnings,
                "seconds": seconds,
                "rate_per_s": rate,
                "dry_run": dry_run,
                "refused_lines": self.refused_lines,
            }));
        }
        if !self.refused_lines.is_empty() {
            output.table(&self.refused_table())?;
        }
        for warning in &self.warnings {
            output.say(&format!(
                "warning: {}: unknown key {} was left out ({} times, first in line {})",
                warning.file, warning.unknown_key, warning.count, warning.first_line
            ));
        }
        let more = self.refused_lines.len().saturating_sub(FAULTS_SHOWN_MAX);
        if more > 0 {
            output.say(&format!(
                "{more} more faults; --refused FILE.csv writes all of them"
            ));
        }
        let done = if dry_run { "right" } else { "accepted" };
        output.text(&format!(
            "{} lines, {} events: {} {done} ({} duplicates, {} late), {} refused; {seconds:.1} s, {rate:.0}/s",
            self.lines,
            counters.events,
            counters.accepted,
            counters.duplicates,
            counters.late,
            counters.refused
        ))
    }

    fn refused_table(&self) -> Table {
        let mut table = Table::new(&["file", ">line", "field", "reason", ""]);
        for fault in self.refused_lines.iter().take(FAULTS_SHOWN_MAX) {
            let line = match fault.joined_line {
                Some(joined) if joined != fault.line => format!("{joined}+{}", fault.line),
                _ => fault.line.to_string(),
            };
            let said = format!("{} / {}", fault.message_vi, fault.message_en);
            let cells = [
                fault.file.clone(),
                line,
                fault.field.clone(),
                fault.reason.clone(),
                said,
            ];
            table.row(cells);
        }
        table
    }
}
