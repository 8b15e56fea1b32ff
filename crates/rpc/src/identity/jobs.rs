//! Verification jobs: how they are doing, and their answers as a stream.

use std::collections::VecDeque;

use futures_util::Stream;
use lienthong_domain::ErrorCode;
use lienthong_domain::identity::{JobId, JobState};
use lienthong_identity::JobName;
use lienthong_ports::identity::JobCommand;
use lienthong_proto::identity::v1 as proto;
use lienthong_services::Error;
use tokio::sync::watch;
use tonic::Status;

use super::{Citizens, no_job};
use crate::caller::Context;
use crate::convert::identity as convert;
use crate::dossier::invalid;
use crate::pages::{self, List};
use crate::status;

/// Most answers read at once.
const ANSWERS_MAX: usize = 500;

impl Citizens {
    pub(super) async fn named_job(
        &self,
        context: &Context,
        asked: &proto::GetVerificationJobRequest,
    ) -> Result<proto::VerificationJob, Error> {
        let name = if asked.job_id.is_empty() {
            JobName::Key(asked.idempotency_key.clone())
        } else {
            JobName::Id(job_id(&asked.job_id)?)
        };
        let job = self.identity.job(&context.caller, name).await?;
        Ok(convert::job_to_proto(&job))
    }

    pub(super) async fn jobs_page(
        &self,
        context: &Context,
        asked: &proto::ListVerificationJobsRequest,
    ) -> Result<proto::ListVerificationJobsResponse, Error> {
        let size = pages::page_size(asked.page_size).map_err(invalid)?;
        let before = pages::after_number(List::Jobs, &(), &asked.page_token)?;
        let before = (before > 0).then_some(JobId(before));
        let found = self.identity.jobs(&context.caller, before, size).await?;
        let last = found.last().map(|job| job.id.0.to_string());
        Ok(proto::ListVerificationJobsResponse {
            jobs: found.iter().map(convert::job_to_proto).collect(),
            next_page_token: pages::next_token(List::Jobs, &(), (found.len(), size), last),
        })
    }

    pub(super) async fn command(
        &self,
        context: &Context,
        job: &str,
        command: JobCommand,
    ) -> Result<proto::VerificationJob, Error> {
        let job = job_id(job)?;
        let job = self
            .identity
            .command_job(&context.caller, job, command)
            .await?;
        Ok(convert::job_to_proto(&job))
    }
}

fn job_id(text: &str) -> Result<JobId, Error> {
    text.parse().map_err(|()| no_job())
}

/// The answers after the position that the caller has, which erases those up to it.
///
/// # Errors
/// `JOB_NOT_FOUND`, or those of the store.
pub(super) async fn results(
    citizens: Citizens,
    context: Context,
    asked: &proto::ListVerificationResultsRequest,
) -> Result<
    impl Stream<Item = Result<proto::ListVerificationResultsResponse, Status>> + Send + use<>,
    Error,
> {
    let job = job_id(&asked.job_id)?;
    let position = asked.after_position;
    if position > 0 {
        citizens
            .identity
            .erase_answers(&context.caller, job, position)
            .await?;
    } else {
        citizens
            .identity
            .job(&context.caller, JobName::Id(job))
            .await?;
    }
    let results = Results {
        wakeups: citizens.services.wakeups(),
        citizens,
        context,
        job,
        position,
        read: VecDeque::new(),
    };
    Ok(futures_util::stream::unfold(
        Some(results),
        |results| async move {
            let mut results = results?;
            match results.next().await {
                Ok(Some(answer)) => Some((Ok(answer), Some(results))),
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        },
    ))
}

struct Results {
    citizens: Citizens,
    context: Context,
    job: JobId,
    /// The last position read.
    position: u32,
    read: VecDeque<proto::ListVerificationResultsResponse>,
    wakeups: watch::Receiver<u64>,
}

impl Results {
    /// The next answer, as soon as there is one; `None` when no more can come.
    async fn next(&mut self) -> Result<Option<proto::ListVerificationResultsResponse>, Status> {
        loop {
            if let Some(answer) = self.read.pop_front() {
                return Ok(Some(answer));
            }
            if self.citizens.stop.is_cancelled() {
                return Err(status::draining(self.context.request));
            }
            // Marked as seen before reading, so that a commit during the read wakes the next wait.
            self.wakeups.mark_unchanged();
            let ended = self
                .fill()
                .await
                .map_err(|error| self.citizens.status(&self.context, &error))?;
            if !self.read.is_empty() {
                continue;
            }
            if ended {
                return Ok(None);
            }
            tokio::select! {
                biased;
                () = self.citizens.stop.cancelled() => {}
                () = self.context.deadline_passed() => {
                    return Err(self.context.status(&Error::new(ErrorCode::DeadlineTooShort)));
                }
                woken = self.wakeups.changed() => {
                    woken.map_err(|_| status::draining(self.context.request))?;
                }
            }
        }
    }

    /// Reads what has come; whether the job has ended, so that nothing follows what was read.
    async fn fill(&mut self) -> Result<bool, Error> {
        let identity = &self.citizens.identity;
        let caller = &self.context.caller;
        let (job, answers) = identity
            .answers(caller, self.job, self.position, ANSWERS_MAX)
            .await?;
        if let Some(last) = answers.last() {
            self.position = last.position;
        }
        self.read
            .extend(answers.iter().map(convert::answer_to_proto));
        Ok(matches!(
            job.state,
            JobState::Done | JobState::Cancelled | JobState::Erased
        ))
    }
}
