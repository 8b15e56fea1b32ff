//! Jobs that were made before: list, show, pause, resume, cancel.

use lienthong_domain::ErrorCode;
use lienthong_domain::identity::JobId;
use lienthong_proto::identity::v1 as proto;
use lienthong_proto::identity::v1::identity_service_client::IdentityServiceClient;
use tonic::transport::Channel;

use super::words;
use crate::connection::unary;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::instant::shown;
use crate::listing;
use crate::output::Output;
use crate::output::table::Table;

/// Jobs per page.
const PAGE_SIZE: u32 = 100;
const JOB: &str = "lienthong.identity.v1.VerificationJob";

/// What stands instead of one job. `requires` alone does not refuse these beside an option of jobs,
/// since clap waives what conflicts with something present.
const NOT_A_JOB: [&str; 4] = ["file", "number", "stdin", "jobs"];

/// How to steer a job; at most one.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Jobs")]
#[group(id = "steer", multiple = false)]
pub(crate) struct SteerArgs {
    /// Stop asking for good, and erase what was uploaded
    #[arg(long, requires = "job", conflicts_with_all = NOT_A_JOB)]
    cancel: bool,
    /// Stop asking until it is resumed
    #[arg(long, requires = "job", conflicts_with_all = NOT_A_JOB)]
    pause: bool,
    /// Go on asking
    #[arg(long, requires = "job", conflicts_with_all = NOT_A_JOB)]
    resume: bool,
}

impl SteerArgs {
    /// What to do, if anything.
    pub(crate) fn steering(&self) -> Option<Steer> {
        match (self.cancel, self.pause, self.resume) {
            (true, _, _) => Some(Steer::Cancel),
            (_, true, _) => Some(Steer::Pause),
            (_, _, true) => Some(Steer::Resume),
            _ => None,
        }
    }
}

/// What to do with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Steer {
    Cancel,
    Pause,
    Resume,
}

/// Lists our jobs, newest first.
///
/// # Errors
/// A refusal of the gateway, or no answer.
pub(crate) async fn list(
    mut client: IdentityServiceClient<Channel>,
    limit: usize,
    output: &Output,
) -> Result<Exit, CliError> {
    let listing = listing::fetch(limit, async |page_token| {
        let request = proto::ListVerificationJobsRequest {
            page_size: PAGE_SIZE,
            page_token,
        };
        let answer = client.list_verification_jobs(unary(request)).await?;
        let answer = answer.into_inner();
        Ok((answer.jobs, answer.next_page_token))
    });
    listing.await?.show(JOB, output, job_table)?;
    Ok(Exit::Ok)
}

/// Shows one job, after steering it if asked to.
///
/// # Errors
/// As [`list`].
pub(crate) async fn one(
    mut client: IdentityServiceClient<Channel>,
    job: JobId,
    steer: Option<Steer>,
    output: &Output,
) -> Result<Exit, CliError> {
    let job_id = job.to_string();
    let job = match steer {
        None => {
            let request = proto::GetVerificationJobRequest {
                job_id,
                idempotency_key: String::new(),
            };
            let answer = client.get_verification_job(unary(request)).await?;
            answer.into_inner().job
        }
        Some(Steer::Cancel) => {
            let request = unary(proto::CancelVerificationJobRequest { job_id });
            client
                .cancel_verification_job(request)
                .await?
                .into_inner()
                .job
        }
        Some(Steer::Pause) => {
            let request = unary(proto::PauseVerificationJobRequest { job_id });
            client
                .pause_verification_job(request)
                .await?
                .into_inner()
                .job
        }
        Some(Steer::Resume) => {
            let request = unary(proto::ResumeVerificationJobRequest { job_id });
            client
                .resume_verification_job(request)
                .await?
                .into_inner()
                .job
        }
    };
    let found: Vec<_> = job.into_iter().collect();
    listing::show(&found, JOB, output, job_table)?;
    for job in found.iter().filter(|job| !job.state_reason.is_empty()) {
        output.say(&told_reason(&job.state_reason));
    }
    Ok(Exit::Ok)
}

/// A reason in both languages and where its page is.
fn told_reason(reason: &str) -> String {
    reason.parse::<ErrorCode>().map_or_else(
        |()| reason.to_owned(),
        |code| {
            format!(
                "{code}: {}\n{}\nsee: lienthong explain {code}",
                code.vi(),
                code.en()
            )
        },
    )
}

fn job_table(jobs: &[proto::VerificationJob]) -> Table {
    let heading = [
        "job",
        "state",
        "purpose",
        ">persons",
        ">uploaded",
        ">answered",
        ">match",
        ">no match",
        ">undecided",
        ">failed",
        "opened",
        "erased at",
        "key",
    ];
    let mut table = Table::new(&heading);
    for job in jobs {
        let purpose = job
            .inquiry
            .as_ref()
            .map(|inquiry| inquiry.purpose_code.clone());
        let state = words::job_state(job.state());
        let state = match job.state_reason.as_str() {
            "" => state.to_owned(),
            reason => format!("{state}: {reason}"),
        };
        table.row([
            job.job_id.clone(),
            state,
            purpose.unwrap_or_default(),
            job.items_total.to_string(),
            job.items_received.to_string(),
            job.items_answered.to_string(),
            job.items_matched.to_string(),
            job.items_not_matched.to_string(),
            job.items_undecided.to_string(),
            job.items_failed.to_string(),
            shown(job.created_at.as_ref()),
            shown(job.erase_at.as_ref()),
            job.idempotency_key.clone(),
        ]);
    }
    table
}
