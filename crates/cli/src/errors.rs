//! What can go wrong, and how it is told to people: both languages, every fault, what to do next.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use lienthong_domain::ErrorCode;
use lienthong_transport::TransportError;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::exit::Exit;
use crate::instant;

/// Metadata that repeats what `QuotaFailure` says. Source: `from_error` in `crates/rpc/src/status.rs`.
const QUOTA_KEYS: [&str; 2] = ["asker", "quota"];

/// Why a command could not be carried out. Each text completes "failed to ...".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// An option is missing or contradicts another one.
    #[error("read the settings: {0}")]
    Settings(&'static str),
    /// A value on the command line is wrong.
    #[error("read the command line: {0}")]
    Usage(String),
    /// A certificate, key or endpoint cannot be used.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The gateway answered with an error.
    #[error("do this: the gateway refused or could not be asked")]
    Gateway(#[source] Box<Status>),
    /// The gateway could not be reached, or did not take anything, for too long.
    #[error("have anything taken by the gateway for {seconds} s")]
    Patience {
        /// How long nothing went forward.
        seconds: u64,
        /// The last thing that went wrong.
        source: Box<Status>,
    },
    /// A file could not be read or written.
    #[error("{action} {}", path.display())]
    File {
        /// `read`, `write`, ...
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The output could not be written.
    #[error("write the output")]
    Output(#[from] io::Error),
    /// A CSV file that is not what it should be; the text names lines and columns, never a value.
    #[error("use the table {}: {why}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A job answers no more until somebody resumes it.
    #[error("have all persons answered: {job_id} stands still until it is resumed")]
    JobStands {
        /// The job.
        job_id: String,
        /// Why: a name from the list of error codes; empty when somebody paused it.
        reason: String,
    },
    /// A job has ended and some rows have no answer.
    #[error(
        "have all persons answered: {job_id} has ended ({state}) and has no answer to {rows} rows; ask again under another --job-key"
    )]
    JobEnded {
        /// The job.
        job_id: String,
        /// Where it stands.
        state: &'static str,
        /// Rows without an answer.
        rows: usize,
    },
    /// Something named on the command line does not exist.
    #[error("find {0}")]
    NothingFound(String),
    /// A code that has no page and is no dossier's.
    #[error("find {0}: it is no error code, no problem, no error group and no dossier code")]
    NothingToExplain(String),
}

impl From<Status> for CliError {
    fn from(status: Status) -> Self {
        Self::Gateway(Box::new(status))
    }
}

impl CliError {
    /// How the program ends after this.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Settings(_) | Self::Transport(_) => Exit::Configuration,
            Self::Patience { .. } => Exit::Unreachable,
            Self::Gateway(status) => exit_of(status.code()),
            Self::File { .. } | Self::Output(_) => Exit::Internal,
            Self::JobStands { .. } => Exit::Later,
            Self::Table { .. }
            | Self::JobEnded { .. }
            | Self::NothingFound(_)
            | Self::NothingToExplain(_) => Exit::DataRefused,
        }
    }

    /// The error as people read it, of one or more lines.
    pub(crate) fn told(&self) -> String {
        let mut text = format!("error: failed to {self}");
        match self {
            Self::Gateway(status) => {
                text.push('\n');
                text.push_str(&tell(status));
            }
            Self::Patience { source, .. } => {
                text.push('\n');
                text.push_str(&tell(source));
            }
            Self::JobStands { job_id, reason } => {
                text.push_str(&tell_standing(job_id, reason));
            }
            _ => push_causes(&mut text, self.source()),
        }
        text
    }
}

fn tell_standing(job_id: &str, reason: &str) -> String {
    let mut text = String::new();
    if let Ok(code) = reason.parse::<ErrorCode>() {
        let (vi, en) = (code.vi(), code.en());
        write!(
            text,
            "\n  {code}: {vi}\n  {en}\n  see: lienthong explain {code}"
        )
        .expect("a String takes all text");
    }
    write!(
        text,
        "\n  mở lại rồi chạy lại đúng lệnh này: lienthong verify --job {job_id} --resume\
         \n  resume it, then repeat this command: lienthong verify --job {job_id} --resume"
    )
    .expect("a String takes all text");
    text
}

fn exit_of(code: Code) -> Exit {
    match code {
        Code::Ok => Exit::Ok,
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::Cancelled => Exit::Unreachable,
        Code::Unauthenticated | Code::PermissionDenied => Exit::Configuration,
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::OutOfRange => Exit::DataRefused,
        Code::Unknown | Code::Unimplemented | Code::Internal | Code::DataLoss => Exit::Internal,
    }
}

/// A status with all its details: reason in both languages, faults, advice, request id.
pub(crate) fn tell(status: &Status) -> String {
    let details = status.get_error_details();
    let mut lines = Vec::new();
    let reason = details.error_info().map(|info| info.reason.as_str());
    let known = reason.and_then(|reason| reason.parse::<ErrorCode>().ok());
    match known {
        Some(code) => {
            lines.push(format!("  {code}: {}", code.vi()));
            lines.push(format!("  {}", code.en()));
        }
        None => lines.push(format!("  {}", code_name(status.code()))),
    }
    let said_already = known.is_some_and(|code| status.message() == code.en());
    if !status.message().is_empty() && !said_already {
        lines.push(format!("  {}", status.message()));
    }
    if known.is_none() && status.code() == Code::Unavailable {
        lines.push("  Không kết nối được: kiểm tra --endpoint, chứng thư số và tiến trình `lienthong serve`.".to_owned());
        lines.push("  Not connected: check --endpoint, the certificate files, and that `lienthong serve` runs there.".to_owned());
    }
    let quotas = details.quota_failure();
    for quota in quotas.iter().flat_map(|quota| &quota.violations) {
        lines.push(format!(
            "  hạn mức đã hết / used up: {} ({})",
            quota.description, quota.subject
        ));
    }
    if let Some(info) = details.error_info() {
        // Quota and asker were told just now.
        let is_new = |key: &str| quotas.is_none() || !QUOTA_KEYS.contains(&key);
        let metadata = info.metadata.iter();
        let mut metadata: Vec<_> = metadata.filter(|(key, _)| is_new(key)).collect();
        metadata.sort();
        lines.extend(
            metadata
                .iter()
                .map(|(key, value)| format!("  {key}: {value}")),
        );
    }
    for fault in details
        .bad_request()
        .iter()
        .flat_map(|bad| &bad.field_violations)
    {
        let localised = fault
            .localized_message
            .as_ref()
            .map(|told| told.message.as_str());
        let vi = localised.unwrap_or_default();
        let line = format!(
            "  - {}: {vi} {} [{}]",
            fault.field, fault.description, fault.reason
        );
        lines.push(line.replace("  [", " [").replace(" []", ""));
    }
    if let Some(delay) = details.retry_info().and_then(|retry| retry.retry_delay) {
        let wait = instant::delay(delay);
        lines.push(format!("  thử lại sau {wait} / try again after {wait}"));
    }
    if let Some(request) = details.request_info() {
        lines.push(format!("  request id: {}", request.request_id));
    }
    if known.is_some() {
        lines.push(format!(
            "  see: lienthong explain {}",
            reason.unwrap_or_default()
        ));
    }
    let mut text = lines.join("\n");
    push_causes(&mut text, status.source());
    text
}

/// `INVALID_ARGUMENT` as gRPC writes it, from `InvalidArgument`.
fn code_name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// The chain of causes, each once: libraries repeat the text of the cause in their own.
fn push_causes(text: &mut String, mut cause: Option<&(dyn Error + 'static)>) {
    while let Some(error) = cause {
        let told = error.to_string();
        if !text.contains(&told) {
            write!(text, "\n  because: {told}").expect("a String takes all text");
        }
        cause = error.source();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic_types::{ErrorDetails, FieldViolation, LocalizedMessage};

    use super::*;

    #[test]
    fn all_details_are_told_in_both_languages() {
        let mut details = ErrorDetails::with_error_info(
            "INVALID_FIELDS",
            "lienthong",
            [("faults".to_owned(), "1".to_owned())],
        );
        details
            .set_retry_info(Some(Duration::from_millis(1500)))
            .set_request_info("r-17", "");
        let fault = FieldViolation {
            field: "event.details.due_at".into(),
            description: "No such date exists.".into(),
            reason: "NOT_A_DATE".into(),
            localized_message: Some(LocalizedMessage::new("vi", "Ngày không có thật.")),
        };
        details.set_bad_request(vec![fault]);
        let status = Status::with_error_details(Code::InvalidArgument, "1 fault", details);
        let expected =
            "  INVALID_FIELDS: Dữ liệu gửi lên có trường không hợp lệ; xem danh sách lỗi kèm theo.
  The request has invalid fields; see the list of faults.
  1 fault
  faults: 1
  - event.details.due_at: Ngày không có thật. No such date exists. [NOT_A_DATE]
  thử lại sau 1.5 s / try again after 1.5 s
  request id: r-17
  see: lienthong explain INVALID_FIELDS";
        assert_eq!(tell(&status), expected);
        assert_eq!(CliError::from(status).exit(), Exit::DataRefused);
    }

    #[test]
    fn a_refusal_of_identity_says_which_quota_and_until_when() {
        let metadata = [
            ("quota", "300 citizens a day"),
            ("asker", "official"),
            ("limit", "300"),
        ];
        let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let mut details = ErrorDetails::with_error_info("QUOTA_EXCEEDED", "lienthong", metadata);
        details
            .add_quota_failure_violation("official", "300 citizens a day")
            .set_retry_info(Some(Duration::from_mins(125)));
        let en = ErrorCode::QuotaExceeded.en();
        let status = Status::with_error_details(Code::ResourceExhausted, en, details);
        let expected = "  QUOTA_EXCEEDED: Đã vượt hạn mức tra cứu; xem QuotaFailure và RetryInfo.
  The quota of questions is used up; see QuotaFailure and RetryInfo.
  hạn mức đã hết / used up: 300 citizens a day (official)
  limit: 300
  thử lại sau 2 h 5 m / try again after 2 h 5 m
  see: lienthong explain QUOTA_EXCEEDED";
        assert_eq!(tell(&status), expected);
        assert_eq!(CliError::from(status).exit(), Exit::Unreachable);
    }

    #[test]
    fn a_bare_status_is_told_too() {
        assert_eq!(
            tell(&Status::not_found("no such dossier")),
            "  NOT_FOUND\n  no such dossier"
        );
    }
}
