//! The file of answers: one row per row of the input, in the same order, written once each.
//!
//! The file itself says how far a run came. A later run compares what is there with the input, cuts
//! off half a row, and goes on behind the last whole one.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::StringRecord;
use lienthong_domain::ErrorCode;
use lienthong_proto::identity::v1::list_verification_results_response::Result as Outcome;
use lienthong_proto::identity::v1::{
    CitizenField, ListVerificationResultsResponse, Verdict, Verification,
};

use super::claims::Claim;
use super::sheet::Sheet;
use super::words;
use crate::errors::CliError;
use crate::input::Fault;

/// Rights of a new file: it holds personal data.
const MODE: u32 = 0o600;
/// Largest file of answers that is read back, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 30;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Columns that follow those of the input, beside one verdict per claim.
const VERDICT: &str = "verdict";
const NAME_LEVEL: &str = "name_level";
const FAILURE: &str = "failure";
const USAGE_ID: &str = "usage_id";
const JOB_ID: &str = "job_id";
/// The last three columns of every row.
const LAST_COLUMNS: [&str; 3] = [FAILURE, USAGE_ID, JOB_ID];

/// Whether the answers have a column of this name beside those of the input.
pub(crate) fn is_added(name: &str) -> bool {
    let of_claim = |claim: Claim| verdict_column(claim) == name;
    [VERDICT, NAME_LEVEL].contains(&name)
        || LAST_COLUMNS.contains(&name)
        || Claim::ALL.into_iter().any(of_claim)
}

fn verdict_column(claim: Claim) -> String {
    format!("verdict_{}", claim.columns()[0])
}

/// What the rows say, each counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) matched: u64,
    pub(crate) not_matched: u64,
    pub(crate) undecided: u64,
    /// The database gave no answer in the end.
    pub(crate) failed: u64,
    /// Refused for their faults, here or by the gateway.
    pub(crate) faulty: u64,
}

impl Counts {
    fn add(&mut self, verdict: &str, failure: &str) {
        let faulty = ErrorCode::JobItemFaulty.name();
        match verdict {
            "match" => self.matched += 1,
            "no_match" => self.not_matched += 1,
            "undecided" => self.undecided += 1,
            _ if failure.starts_with(faulty) => self.faulty += 1,
            _ => self.failed += 1,
        }
    }
}

/// The file, open for the next row.
pub(crate) struct Answers {
    path: PathBuf,
    sheet: Arc<Sheet>,
    writer: BufWriter<File>,
    /// What is no regular file cannot be synced, locked or read back.
    is_regular: bool,
    rows: usize,
    position: u32,
    job_id: String,
    counts: Counts,
}

impl Answers {
    /// Opens or makes the file at `path`, and takes over the rows of an interrupted run. Blocks.
    ///
    /// # Errors
    /// [`CliError::File`], or [`CliError::Table`] when the file holds something else.
    pub(crate) fn open(path: &Path, sheet: Arc<Sheet>) -> Result<Self, CliError> {
        let fault = |action| move |source| file_error(action, path, source);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(MODE)
            .open(path)
            .or_else(|error| match error.kind() {
                // A pipe or a device may allow writing only.
                io::ErrorKind::PermissionDenied => OpenOptions::new().write(true).open(path),
                _ => Err(error),
            })
            .map_err(fault("open"))?;
        let is_regular = file.metadata().map_err(fault("open"))?.is_file();
        let mut answers = Self {
            path: path.to_owned(),
            sheet,
            writer: BufWriter::new(file),
            is_regular,
            rows: 0,
            position: 0,
            job_id: String::new(),
            counts: Counts::default(),
        };
        if is_regular {
            answers.lock()?;
            answers.take_over()?;
        }
        if answers.rows == 0 && answers.is_at_start()? {
            answers.begin()?;
        }
        Ok(answers)
    }

    /// Rows written, faulty ones included.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Position of the last item that is written.
    pub(crate) fn position(&self) -> u32 {
        self.position
    }

    /// What the rows say so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether every row is answered.
    pub(crate) fn is_complete(&self) -> bool {
        self.rows == self.sheet.len()
    }

    /// The job whose answers the rows are; empty before the first.
    pub(crate) fn job_id(&self) -> &str {
        &self.job_id
    }

    /// Whether what was synced survives, so that the gateway may erase it.
    pub(crate) fn is_lasting(&self) -> bool {
        self.is_regular
    }

    /// Names the job whose answers follow.
    ///
    /// # Errors
    /// [`CliError::Table`] when the rows so far are answers of another job.
    pub(crate) fn belong_to(&mut self, job_id: &str) -> Result<(), CliError> {
        if !self.job_id.is_empty() && self.job_id != job_id {
            return Err(self.refuse(format!(
                "it holds answers of job {}, not of {job_id}; name another file",
                self.job_id
            )));
        }
        job_id.clone_into(&mut self.job_id);
        Ok(())
    }

    /// Writes one answer, and before it the faulty rows that stand before its row. One that is there
    /// already is passed over. Returns whether it was new.
    ///
    /// # Errors
    /// The file cannot be written, or an answer before this one is missing.
    pub(crate) fn add(
        &mut self,
        answer: &ListVerificationResultsResponse,
    ) -> Result<bool, CliError> {
        if answer.position <= self.position {
            return Ok(false);
        }
        if answer.position != self.position + 1 {
            return Err(self.refuse(format!(
                "the gateway has no answer {} any more: it was fetched before, into another file; \
                 ask again under another --job-key",
                self.position + 1
            )));
        }
        self.faulty_rows()?;
        let failure = match &answer.result {
            Some(Outcome::Failure(failure)) => failure.as_str(),
            Some(Outcome::Verification(_)) => "",
            None => ErrorCode::Internal.name(),
        };
        let verification = match &answer.result {
            Some(Outcome::Verification(verification)) => Some(verification),
            _ => None,
        };
        self.row(verification, failure, &answer.usage_id)?;
        self.position = answer.position;
        Ok(true)
    }

    /// Writes the faulty rows that come next.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn faulty_rows(&mut self) -> Result<(), CliError> {
        let sheet = self.sheet.clone();
        while let Some(faults) = sheet.faulty().get(&self.rows) {
            self.row(None, &failure_of(faults), "")?;
        }
        Ok(())
    }

    /// Hands everything to the operating system.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn flush(&mut self) -> Result<(), CliError> {
        self.writer
            .flush()
            .map_err(|source| file_error("write", &self.path, source))
    }

    /// Makes everything so far survive a power cut. Blocks.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn sync(&mut self) -> Result<(), CliError> {
        self.flush()?;
        if self.is_regular {
            let synced = self.writer.get_ref().sync_data();
            synced.map_err(|source| file_error("write", &self.path, source))?;
        }
        Ok(())
    }

    fn lock(&self) -> Result<(), CliError> {
        match self.writer.get_ref().try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => {
                Err(self.refuse("another run is writing it at the moment".to_owned()))
            }
            Err(TryLockError::Error(source)) => Err(file_error("lock", &self.path, source)),
        }
    }

    fn is_at_start(&mut self) -> Result<bool, CliError> {
        if !self.is_regular {
            return Ok(true);
        }
        let at = self.writer.get_mut().stream_position();
        at.map(|at| at == 0)
            .map_err(|source| file_error("read", &self.path, source))
    }

    fn begin(&mut self) -> Result<(), CliError> {
        let bom = if self.sheet.has_bom { BOM } else { b"" };
        let line = line(heading(&self.sheet).iter().map(String::as_str));
        self.put(&[bom, &line].concat())?;
        self.flush()
    }

    /// Reads what is there, and cuts half a row off.
    fn take_over(&mut self) -> Result<(), CliError> {
        let read_error = |path: &Path| {
            let path = path.to_owned();
            move |source| file_error("read", &path, source)
        };
        let mut content = Vec::new();
        let file = self.writer.get_mut();
        file.take(FILE_BYTES_MAX)
            .read_to_end(&mut content)
            .map_err(read_error(&self.path))?;
        let kept = self.adopt(&content).map_err(|why| self.refuse(why))?;
        let file = self.writer.get_mut();
        file.set_len(kept)
            .and_then(|()| file.seek(SeekFrom::Start(kept)))
            .map_err(|source| file_error("write", &self.path, source))?;
        Ok(())
    }

    /// Counts the whole rows of an interrupted run; returns how many bytes they take.
    fn adopt(&mut self, content: &[u8]) -> Result<u64, String> {
        let foreign = || {
            "it holds something else than answers to this input; name another file, or remove it"
                .to_owned()
        };
        let bom_bytes = content
            .iter()
            .zip(BOM)
            .take_while(|(found, mark)| found == mark)
            .count();
        let table = content.strip_prefix(BOM).unwrap_or(content);
        let bom_bytes = if table.len() < content.len() {
            bom_bytes
        } else {
            0
        };
        let heading = heading(&self.sheet);
        let first = line(heading.iter().map(String::as_str));
        if content.len() < BOM.len() && BOM.starts_with(content)
            || first.starts_with(table) && table.len() < first.len()
        {
            return Ok(0);
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(table);
        let (mut kept, mut record) = (0, StringRecord::new());
        while reader.read_record(&mut record).is_ok_and(|found| found) {
            let end = end_of_line(table, reader.position().byte());
            let is_whole = record.len() == heading.len() && end.is_some();
            if kept == 0 {
                if !is_whole || record.iter().ne(heading.iter()) {
                    return Err(foreign());
                }
            } else if is_whole {
                self.adopt_row(&record).ok_or_else(foreign)?;
            } else if reader.position().byte() < table.len() as u64 {
                return Err(foreign());
            }
            let Some(end) = end.filter(|_| is_whole) else {
                break;
            };
            kept = end;
        }
        if kept == 0 {
            return Err(foreign());
        }
        Ok(kept + bom_bytes as u64)
    }

    /// Counts a row if it answers the next row of the input.
    fn adopt_row(&mut self, record: &StringRecord) -> Option<()> {
        if self.is_complete()
            || self
                .sheet
                .cells(self.rows)
                .ne(record.iter().take(self.sheet.heading.len()))
        {
            return None;
        }
        let width = record.len();
        let (failure, job_id) = (record.get(width - 3)?, record.get(width - 1)?);
        let verdict = record.get(self.sheet.heading.len())?;
        if self.sheet.faulty().contains_key(&self.rows) {
            if !failure.starts_with(ErrorCode::JobItemFaulty.name()) {
                return None;
            }
        } else {
            self.position += 1;
        }
        if !job_id.is_empty() {
            job_id.clone_into(&mut self.job_id);
        }
        self.counts.add(verdict, failure);
        self.rows += 1;
        Some(())
    }

    fn row(
        &mut self,
        verification: Option<&Verification>,
        failure: &str,
        usage_id: &str,
    ) -> Result<(), CliError> {
        let verdict = verification.map_or(Verdict::Unspecified, Verification::verdict);
        let level = verification.map_or("", |found| words::name_level_name(found.name_level()));
        let verdict = words::verdict_name(verdict);
        let sheet = self.sheet.clone();
        let fields = sheet
            .claimed()
            .map(|claim| verification.map_or("", |found| verdict_on(claim, found)));
        let cells = sheet
            .cells(self.rows)
            .chain([verdict, level])
            .chain(fields)
            .chain([failure, usage_id, self.job_id.as_str()]);
        let line = line(cells);
        self.put(&line)?;
        self.counts.add(verdict, failure);
        self.rows += 1;
        Ok(())
    }

    fn put(&mut self, line: &[u8]) -> Result<(), CliError> {
        self.writer
            .write_all(line)
            .map_err(|source| file_error("write", &self.path, source))
    }

    /// Why these answers cannot be gone on with.
    pub(crate) fn refuse(&self, why: String) -> CliError {
        CliError::Table {
            path: self.path.clone(),
            why,
        }
    }
}

fn heading(sheet: &Sheet) -> Vec<String> {
    let mut heading = sheet.heading.clone();
    heading.extend([VERDICT, NAME_LEVEL].map(str::to_owned));
    heading.extend(sheet.claimed().map(verdict_column));
    heading.extend(LAST_COLUMNS.map(str::to_owned));
    heading
}

/// The verdict on one column. A 9-digit number is claimed as an old number and stands where it was written.
fn verdict_on(claim: Claim, verification: &Verification) -> &'static str {
    let of = |field: CitizenField| {
        let mut fields = verification.fields.iter();
        let found = fields.find(|found| found.field() == field);
        found.map(|found| words::verdict_name(found.verdict()))
    };
    let number = of(CitizenField::CitizenNumber);
    let found = match claim {
        Claim::Number => number.or_else(|| of(CitizenField::OldNumber)),
        Claim::FullName => of(CitizenField::FullName),
        Claim::BirthDate => of(CitizenField::BirthDate),
        Claim::Sex => of(CitizenField::Sex),
        Claim::Ethnicity => of(CitizenField::Ethnicity),
        Claim::OldNumber => number.and_then(|_| of(CitizenField::OldNumber)),
        Claim::HomeTown => of(CitizenField::HomeTown),
        Claim::PermanentResidence => of(CitizenField::PermanentResidence),
    };
    found.unwrap_or_default()
}

/// `JOB_ITEM_FAULTY: ngay_sinh NOT_A_DATE, ho_ten MISSING`.
fn failure_of(faults: &[Fault]) -> String {
    let each = faults
        .iter()
        .map(|fault| format!("{} {}", fault.field, fault.reason));
    let told: Vec<_> = each.map(|fault| fault.trim().to_owned()).collect();
    format!("{}: {}", ErrorCode::JobItemFaulty.name(), told.join(", "))
}

/// One line of CSV with its end.
fn line<'c>(cells: impl Iterator<Item = &'c str>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(cells)
        .expect("a Vec takes every record");
    writer.into_inner().expect("a Vec can be flushed")
}

/// Where the next row begins, if the row that ends at `at` has its line end.
fn end_of_line(table: &[u8], at: u64) -> Option<u64> {
    let end = usize::try_from(at).ok()?;
    match (table.get(end.checked_sub(1)?)?, table.get(end)) {
        (b'\r', Some(b'\n')) => Some(at + 1),
        (b'\n', _) => Some(at),
        _ => None,
    }
}

fn file_error(action: &'static str, path: &Path, source: io::Error) -> CliError {
    CliError::File {
        action,
        path: path.to_owned(),
        source,
    }
}
