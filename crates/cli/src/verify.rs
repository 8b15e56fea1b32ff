//! `verify`: asks whether persons are who they say they are; one person, a file of them, or jobs.

mod answers;
mod bulk;
mod claims;
mod jobs;
mod person;
mod sheet;
mod upload;
pub(crate) mod words;

use std::path::PathBuf;

use clap::ArgGroup;
use lienthong_domain::Clock;
use lienthong_domain::identity::{Field, JobId};
use lienthong_proto::identity::v1 as proto;
use lienthong_proto::identity::v1::identity_service_client::IdentityServiceClient;
use tokio_util::sync::CancellationToken;

use self::bulk::{BulkArgs, Target};
use self::jobs::SteerArgs;
use self::person::PersonArgs;
use crate::connection::Connection;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::inquiry::InquiryArgs;
use crate::output::Output;

/// Whom to verify: one person, a file, or jobs that were made before.
#[derive(Debug, Clone, clap::Args)]
#[command(group = ArgGroup::new("what").required(true).args(["file", "number", "stdin", "jobs", "job"]))]
pub struct VerifyArgs {
    /// CSV file of persons; `-` is stdin
    #[arg(value_name = "FILE.csv")]
    file: Option<PathBuf>,
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    inquiry: InquiryArgs,
    #[command(flatten)]
    bulk: BulkArgs,
    /// List our jobs, newest first
    #[arg(long, help_heading = "Jobs")]
    jobs: bool,
    /// Show one job
    #[arg(long, value_name = "J-17", help_heading = "Jobs", value_parser = job_id)]
    job: Option<JobId>,
    #[command(flatten)]
    steer: SteerArgs,
    /// List at most so many jobs
    #[arg(long, default_value_t = 50, requires = "jobs", conflicts_with_all = ["file", "number", "stdin", "job"], help_heading = "Jobs")]
    limit: usize,
}

fn job_id(text: &str) -> Result<JobId, String> {
    text.parse().map_err(|()| "write it as J-17".to_owned())
}

/// Fields of a record by their names, 1..20 of them, with commas between.
pub(crate) fn field(name: &str) -> Result<Field, String> {
    Field::from_name(name.trim()).ok_or_else(|| {
        let names = Field::ALL.map(Field::name).join(", ");
        format!("the fields are {names}")
    })
}

/// Asks, and says how it ended.
///
/// # Errors
/// What stands in the way of an answer.
pub(crate) async fn run(
    args: &VerifyArgs,
    connection: &Connection,
    output: &Output,
    clock: &Clock,
    stop: CancellationToken,
) -> Result<Exit, CliError> {
    let client = || Ok::<_, CliError>(IdentityServiceClient::new(connection.channel(clock)?));
    if let Some(file) = &args.file {
        return args
            .verify_file(file, connection, output, (clock, stop))
            .await;
    }
    if let Some(job) = args.job {
        return jobs::one(client()?, job, args.steer.steering(), output).await;
    }
    if args.jobs {
        return jobs::list(client()?, args.limit, output).await;
    }
    let (inquiry, claims) = both(args.inquiry.message(), || args.person.claims())?;
    match args.person.wanted() {
        [] => {
            let request = proto::VerifyCitizenRequest {
                inquiry: Some(inquiry),
                claims: Some(claims),
                defer_if_unavailable: args.person.may_defer(),
            };
            person::verify(client()?, request, output).await
        }
        fields => {
            let request = proto::GetCitizenRequest {
                inquiry: Some(inquiry),
                claims: Some(claims),
                fields: fields.iter().map(|field| field.code().into()).collect(),
            };
            person::look_up(client()?, request, output).await
        }
    }
}

/// Both, or what is wrong with either.
fn both<A, B>(
    first: Result<A, CliError>,
    second: impl FnOnce() -> Result<B, CliError>,
) -> Result<(A, B), CliError> {
    match (first, second()) {
        (Err(CliError::Usage(first)), Err(CliError::Usage(second))) => {
            Err(CliError::Usage(first + &second))
        }
        (first, second) => Ok((first?, second?)),
    }
}

impl VerifyArgs {
    async fn verify_file(
        &self,
        file: &std::path::Path,
        connection: &Connection,
        output: &Output,
        (clock, stop): (&Clock, CancellationToken),
    ) -> Result<Exit, CliError> {
        if self.bulk.is_dry_run() {
            return bulk::check(file, output).await;
        }
        let target = Target {
            upload: IdentityServiceClient::new(connection.upload_channel(clock)?),
            client: IdentityServiceClient::new(connection.channel(clock)?),
            secret: connection.secret()?,
            inquiry: self.inquiry.message()?,
        };
        bulk::run(file, &self.bulk, target, output, stop).await
    }
}

#[cfg(test)]
mod tests;
