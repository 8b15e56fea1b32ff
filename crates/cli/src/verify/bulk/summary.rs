//! What is told about a file: its faulty rows by line, and one line that sums up.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};

use crate::errors::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::output::table::Table;
use crate::verify::answers::Answers;
use crate::verify::sheet::Sheet;

/// Faults shown on the screen.
const FAULTS_SHOWN_MAX: usize = 200;
/// Faults named with `--json`.
const FAULTS_NAMED_MAX: usize = 10_000;

/// What is told at the end.
pub(super) struct Summary {
    items: usize,
    faulty: usize,
    faulty_lines: Vec<Value>,
}

impl Summary {
    /// Tells the faulty rows and the dates that are read in one of several orders.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(super) fn begin(sheet: &Sheet, output: &Output) -> Result<Self, CliError> {
        if sheet.slash_dates() > 0 {
            output.say(&format!(
                "{}: {1} ngày sinh có dấu / được đọc là ngày/tháng/năm; {1} birth dates with slashes are read as day/month/year",
                sheet.path().display(),
                sheet.slash_dates()
            ));
        }
        let faults = sheet
            .faulty()
            .iter()
            .flat_map(|(row, faults)| faults.iter().map(move |fault| (sheet.line(*row), fault)));
        let mut table = Table::new(&[">dòng / line", "cột / column", "lý do / reason", ""]);
        let (mut named, mut count) = (Vec::new(), 0);
        for (line, fault) in faults {
            count += 1;
            if count <= FAULTS_SHOWN_MAX {
                let said = format!("{} / {}", fault.vi, fault.en);
                table.row([
                    line.to_string(),
                    fault.field.clone(),
                    fault.reason.clone(),
                    said,
                ]);
            }
            if count <= FAULTS_NAMED_MAX {
                named.push(json!({
                    "line": line, "field": fault.field, "reason": fault.reason,
                    "message_vi": fault.vi, "message_en": fault.en,
                }));
            }
        }
        if count > 0 && !output.is_json() {
            output.table(&table)?;
            if count > FAULTS_SHOWN_MAX {
                output.say(&format!(
                    "còn {0} lỗi nữa; --json liệt kê / {0} more faults; --json names them",
                    count - FAULTS_SHOWN_MAX
                ));
            }
        }
        Ok(Self {
            items: sheet.len(),
            faulty: sheet.faulty().len(),
            faulty_lines: named,
        })
    }

    /// Tells the rows that the gateway refused, by their lines.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(super) fn refused_by_gateway(
        &mut self,
        rows: impl Iterator<Item = (u64, Vec<String>)>,
        output: &Output,
    ) -> io::Result<()> {
        let mut table = Table::new(&[
            ">dòng / line",
            "trục liên thông từ chối / refused by the gateway",
        ]);
        let mut count = 0;
        for (line, faults) in rows {
            let told = faults.join("; ");
            if count < FAULTS_SHOWN_MAX {
                table.row([line.to_string(), told.clone()]);
            }
            if self.faulty_lines.len() < FAULTS_NAMED_MAX {
                self.faulty_lines.push(json!({
                    "line": line, "field": "", "reason": "JOB_ITEM_FAULTY",
                    "message_vi": told, "message_en": told,
                }));
            }
            count += 1;
        }
        if count > 0 && !output.is_json() {
            output.table(&table)?;
        }
        Ok(())
    }

    /// Sums up a check.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(super) fn print_check(&self, output: &Output, elapsed: Duration) -> io::Result<()> {
        if output.is_json() {
            return output.json(&json!({
                "items": self.items, "faulty": self.faulty, "faulty_lines": self.faulty_lines,
                "seconds": elapsed.as_secs_f64(), "dry_run": true,
            }));
        }
        output.text(&format!(
            "{} dòng / rows: {} hỏi được / right, {} có lỗi / faulty",
            self.items,
            self.items - self.faulty,
            self.faulty
        ))
    }

    /// How a check ends.
    pub(super) fn exit_of_check(&self) -> Exit {
        if self.faulty == 0 {
            Exit::Ok
        } else {
            Exit::DataRefused
        }
    }

    /// Sums up a run.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(super) fn print(
        &self,
        output: &Output,
        job_id: Option<&str>,
        answers: &Answers,
        elapsed: Duration,
    ) -> io::Result<()> {
        let counts = answers.counts();
        let seconds = elapsed.as_secs_f64();
        if output.is_json() {
            return output.json(&json!({
                "job": job_id, "items": self.items, "answered": answers.rows(),
                "matched": counts.matched, "not_matched": counts.not_matched,
                "undecided": counts.undecided, "failed": counts.failed, "faulty": counts.faulty,
                "faulty_lines": self.faulty_lines, "seconds": seconds,
            }));
        }
        output.text(&format!(
            "{}/{} dòng / rows: {} khớp / match, {} không khớp / no match, {} chưa kết luận được / undecided, \
             {} không có trả lời / failed, {} có lỗi / faulty; {seconds:.1} s",
            answers.rows(),
            self.items,
            counts.matched,
            counts.not_matched,
            counts.undecided,
            counts.failed,
            counts.faulty
        ))
    }
}

/// How a complete run ends: well only if every row has a verdict.
pub(super) fn exit_of(answers: &Answers) -> Exit {
    let counts = answers.counts();
    if counts.failed + counts.faulty == 0 {
        Exit::Ok
    } else {
        Exit::DataRefused
    }
}
