//! `usage`: who looked at a citizen, when and why.

use std::io::{self, Read as _};

use jiff::Timestamp;
use lienthong_domain::identity::IdNumber;
use lienthong_proto::identity::v1 as proto;
use lienthong_proto::identity::v1::identity_service_client::IdentityServiceClient;
use tonic::transport::Channel;

use crate::connection::unary;
use crate::errors::CliError;
use crate::inquiry::InquiryArgs;
use crate::instant::{parse, shown, to_wire};
use crate::listing;
use crate::output::Output;
use crate::output::table::Table;
use crate::verify::words;

/// Most records of one page. Source: `ListUsageRequest` of the contract.
const PAGE_SIZE_MAX: usize = 500;
/// Longest text on stdin, in bytes.
const STDIN_BYTES_MAX: u64 = 256;

/// Whose usage records.
#[derive(Clone, clap::Args)]
#[command(group = clap::ArgGroup::new("whose").required(true).multiple(true).args(["number", "stdin", "participant"]))]
pub struct UsageArgs {
    /// Citizen number, or 9-digit number of the old identity card
    #[arg(long)]
    number: Option<String>,
    /// Read the number from stdin, so that it does not stay in the history of the shell
    #[arg(long, conflicts_with = "number")]
    stdin: bool,
    /// Only what this participant asked; for operators, who need no number
    #[arg(long, value_name = "CODE")]
    participant: Option<String>,
    /// At or after (2026-09-14, 2026-09-14T08:00 in +07, or RFC 3339)
    #[arg(long, value_parser = parse, value_name = "TIME")]
    since: Option<Timestamp>,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    inquiry: InquiryArgs,
}

/// Shows no number.
impl std::fmt::Debug for UsageArgs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("UsageArgs")
            .field("participant", &self.participant)
            .field("inquiry", &self.inquiry)
            .finish_non_exhaustive()
    }
}

impl UsageArgs {
    /// What to ask, checked before anybody is connected to.
    ///
    /// # Errors
    /// An option that is missing or malformed, or a number that cannot be read.
    pub(crate) fn request(&self) -> Result<proto::ListUsageRequest, CliError> {
        let inquiry = self.inquiry.message()?;
        let written = if self.stdin {
            Some(from_stdin()?)
        } else {
            self.number.clone()
        };
        let number = written.map(|number| {
            let told = |reason: lienthong_domain::Reason| {
                CliError::Usage(format!("\n  - --number: {} {}", reason.vi(), reason.en()))
            };
            IdNumber::parse(&number)
                .map(|number| number.as_str().to_owned())
                .map_err(told)
        });
        Ok(proto::ListUsageRequest {
            inquiry: Some(inquiry),
            number: number.transpose()?.unwrap_or_default(),
            participant_id: self.participant.clone().unwrap_or_default(),
            since: self.since.map(to_wire),
            page_size: u32::try_from(self.limit.clamp(1, PAGE_SIZE_MAX))
                .expect("the bound is small"),
            page_token: String::new(),
        })
    }
}

fn from_stdin() -> Result<String, CliError> {
    let mut text = String::new();
    let mut input = io::stdin().take(STDIN_BYTES_MAX);
    let read = input.read_to_string(&mut text);
    read.map_err(|source| CliError::File {
        action: "read",
        path: "-".into(),
        source,
    })?;
    Ok(text)
}

/// Shows the records, newest first.
///
/// # Errors
/// A refusal of the gateway, or no answer.
pub(crate) async fn run(
    request: proto::ListUsageRequest,
    limit: usize,
    mut client: IdentityServiceClient<Channel>,
    output: &Output,
) -> Result<(), CliError> {
    let listing = listing::fetch(limit, async |page_token| {
        let request = proto::ListUsageRequest {
            page_token,
            ..request.clone()
        };
        let answer = client.list_usage(unary(request)).await?.into_inner();
        Ok((answer.records, answer.next_page_token))
    });
    let listing = listing.await?;
    Ok(listing.show("lienthong.identity.v1.UsageRecord", output, usage_table)?)
}

impl UsageArgs {
    /// Most records to show.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }
}

fn usage_table(records: &[proto::UsageRecord]) -> Table {
    let heading = [
        "at",
        "participant",
        "official",
        "purpose",
        "dossier",
        "what",
        "outcome",
        "shown",
        "pseudonym",
        "record",
    ];
    let mut table = Table::new(&heading);
    for record in records {
        let outcome = words::usage_outcome(record.outcome());
        let outcome = match record.reason.as_str() {
            "" => outcome.to_owned(),
            reason => format!("{outcome}: {reason}"),
        };
        let kind = words::usage_kind(record.kind());
        let kind = if record.as_relative {
            format!("{kind} (người thân / as relative)")
        } else {
            kind.to_owned()
        };
        table.row([
            shown(record.at.as_ref()),
            format!("{}/{}", record.participant_id, record.system),
            record.official_id.clone(),
            record.purpose_code.clone(),
            dash(&record.dossier_code),
            kind,
            outcome,
            dash(&words::field_names(&record.shown_fields)),
            record.subject_ref.clone(),
            record.usage_id.clone(),
        ]);
    }
    table
}

fn dash(text: &str) -> String {
    if text.is_empty() {
        "-".to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use crate::exit::Exit;
    use crate::fake::FakeGateway;

    const WHY: [&str; 4] = ["--purpose", "CITIZEN_ACCESS", "--official", "thanhtra.01"];

    #[tokio::test]
    async fn records_are_told_newest_first_page_by_page() {
        let gateway = FakeGateway::kind().await;
        let words = [
            "usage",
            "--number",
            "038191012345",
            "--since",
            "2026-11-01",
            "--limit",
            "4",
        ];
        let ran = gateway.run(&[&words, &WHY[..]].concat()).await;
        assert_eq!(ran.exit, Exit::Ok, "{}", ran.talk);
        let lines: Vec<_> = ran.data.lines().collect();
        assert_eq!(lines.len(), 5, "{}", ran.data);
        assert!(lines[1].starts_with("20/11/2026 08:30:00"), "{}", ran.data);
        assert!(lines[1].contains("đã cho xem / disclosed"), "{}", ran.data);
        assert!(
            lines[1].contains("sex, permanent_residence"),
            "{}",
            ran.data
        );
        assert!(
            lines[2].contains("từ chối / refused: DOSSIER_NOT_HELD"),
            "{}",
            ran.data
        );
        assert!(ran.talk.contains("--limit"), "{}", ran.talk);
        let asked = gateway.record().usage_asked.clone();
        assert_eq!(asked.len(), 2, "two pages");
        assert_eq!(
            (asked[1].number.as_str(), asked[1].page_token.as_str()),
            ("038191012345", "3")
        );
        assert!(asked[0].since.is_some());
    }

    #[tokio::test]
    async fn operators_ask_for_a_participant_and_programs_get_lines() {
        let gateway = FakeGateway::kind().await;
        let words = ["usage", "--participant", "G15", "--limit", "2", "--json"];
        let ran = gateway.run(&[&words, &WHY[..]].concat()).await;
        let rows: Vec<serde_json::Value> = ran
            .data
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1]["reason"], "DOSSIER_NOT_HELD");
        let asked = gateway.record().usage_asked.clone();
        assert_eq!(
            (asked[0].participant_id.as_str(), asked[0].number.as_str()),
            ("G15", "")
        );
        let wrong = ["usage", "--number", "38191012345"];
        let ran = gateway.run(&[&wrong, &WHY[..]].concat()).await;
        assert_eq!(ran.exit, Exit::Usage);
        assert!(!ran.talk.contains("38191012345"), "{}", ran.talk);
    }
}
