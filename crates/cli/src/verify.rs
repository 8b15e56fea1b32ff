//! `verify`: asks whether persons are who they say they are; one person, a file of them, or jobs.

mod answers;
mod bulk;
mod claims;
mod jobs;
mod meter;
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
use self::jobs::Steer;
use self::person::PersonArgs;
use crate::connection::Connection;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::inquiry::InquiryArgs;
use crate::output::Output;

/// What stands instead of one job. `requires` alone does not refuse these beside an option of jobs,
/// since clap waives what conflicts with something present.
const NOT_A_JOB: [&str; 4] = ["file", "number", "stdin", "jobs"];

/// Whom to verify: one person, a file, or jobs that were made before.
#[derive(Debug, Clone, clap::Args)]
#[command(group = ArgGroup::new("what").required(true).args(["file", "number", "stdin", "jobs", "job"]))]
#[command(group = ArgGroup::new("steer").args(["cancel", "pause", "resume"]))]
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
    /// Stop asking for good, and erase what was uploaded
    #[arg(long, requires = "job", conflicts_with_all = NOT_A_JOB, help_heading = "Jobs")]
    cancel: bool,
    /// Stop asking until it is resumed
    #[arg(long, requires = "job", conflicts_with_all = NOT_A_JOB, help_heading = "Jobs")]
    pause: bool,
    /// Go on asking
    #[arg(long, requires = "job", conflicts_with_all = NOT_A_JOB, help_heading = "Jobs")]
    resume: bool,
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
        return args.verify_file(file, connection, output, (clock, stop)).await;
    }
    if let Some(job) = args.job {
        return jobs::one(client()?, job, args.steering(), output).await;
    }
    if args.jobs {
        return jobs::list(client()?, args.limit, output).await;
    }
    let inquiry = args.inquiry.message()?;
    let claims = args.person.claims()?;
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

    fn steering(&self) -> Option<Steer> {
        match (self.cancel, self.pause, self.resume) {
            (true, _, _) => Some(Steer::Cancel),
            (_, true, _) => Some(Steer::Pause),
            (_, _, true) => Some(Steer::Resume),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
