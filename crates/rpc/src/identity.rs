//! `IdentityService`: the door for those who must know whether a person is who they say they are.
//!
//! Everything is decided in `lienthong-identity`; here messages become questions and answers become messages.

mod jobs;
mod upload;
mod usage;

use std::sync::Arc;

use futures_util::stream::BoxStream;
use lienthong_convert::{citizen_to_proto, fields_to_proto, verification_to_proto};
use lienthong_domain::{ErrorCode, Faults, Reason};
use lienthong_identity::{Identity, LookUpRequest, Verify};
use lienthong_ports::identity::JobCommand;
use lienthong_proto::identity::v1 as proto;
use lienthong_proto::identity::v1::identity_service_server::IdentityService;
use lienthong_services::{Error, Services};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::caller::Context;
use crate::convert::identity as convert;
use crate::dossier::invalid;
use crate::status;

/// Answers `IdentityService`. Streams end when `stop` is cancelled.
#[derive(Clone)]
pub(crate) struct Citizens {
    pub(crate) services: Arc<Services>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) stop: CancellationToken,
}

#[tonic::async_trait]
impl IdentityService for Citizens {
    async fn verify_citizen(
        &self,
        request: Request<proto::VerifyCitizenRequest>,
    ) -> Result<Response<proto::VerifyCitizenResponse>, Status> {
        let context = self.admitted(&request)?;
        let answer = self.verify(&context, request.get_ref()).await;
        self.answer(&context, answer)
    }

    async fn get_citizen(
        &self,
        request: Request<proto::GetCitizenRequest>,
    ) -> Result<Response<proto::GetCitizenResponse>, Status> {
        let context = self.admitted(&request)?;
        let answer = self.look_up(&context, request.get_ref()).await;
        self.answer(&context, answer)
    }

    async fn create_verification_job(
        &self,
        request: Request<Streaming<proto::CreateVerificationJobRequest>>,
    ) -> Result<Response<proto::CreateVerificationJobResponse>, Status> {
        let context = self.admitted(&request)?;
        let created = upload::receive(self, &context, request.into_inner()).await?;
        Ok(Response::new(created))
    }

    async fn get_verification_job(
        &self,
        request: Request<proto::GetVerificationJobRequest>,
    ) -> Result<Response<proto::GetVerificationJobResponse>, Status> {
        let context = self.admitted(&request)?;
        let job = self.named_job(&context, request.get_ref()).await;
        let answer = job.map(|job| proto::GetVerificationJobResponse { job: Some(job) });
        self.answer(&context, answer)
    }

    async fn list_verification_jobs(
        &self,
        request: Request<proto::ListVerificationJobsRequest>,
    ) -> Result<Response<proto::ListVerificationJobsResponse>, Status> {
        let context = self.admitted(&request)?;
        let page = self.jobs_page(&context, request.get_ref()).await;
        self.answer(&context, page)
    }

    type ListVerificationResultsStream =
        BoxStream<'static, Result<proto::ListVerificationResultsResponse, Status>>;

    async fn list_verification_results(
        &self,
        request: Request<proto::ListVerificationResultsRequest>,
    ) -> Result<Response<Self::ListVerificationResultsStream>, Status> {
        let context = self.admitted(&request)?;
        let asked = request.get_ref();
        let results = jobs::results(self.clone(), context.clone(), asked).await;
        let results =
            results.map(|results| -> Self::ListVerificationResultsStream { Box::pin(results) });
        self.answer(&context, results)
    }

    async fn pause_verification_job(
        &self,
        request: Request<proto::PauseVerificationJobRequest>,
    ) -> Result<Response<proto::PauseVerificationJobResponse>, Status> {
        let context = self.admitted(&request)?;
        let pause = JobCommand::Pause(None);
        let job = self
            .command(&context, &request.get_ref().job_id, pause)
            .await;
        let answer = job.map(|job| proto::PauseVerificationJobResponse { job: Some(job) });
        self.answer(&context, answer)
    }

    async fn resume_verification_job(
        &self,
        request: Request<proto::ResumeVerificationJobRequest>,
    ) -> Result<Response<proto::ResumeVerificationJobResponse>, Status> {
        let context = self.admitted(&request)?;
        let resume = JobCommand::Resume;
        let job = self
            .command(&context, &request.get_ref().job_id, resume)
            .await;
        let answer = job.map(|job| proto::ResumeVerificationJobResponse { job: Some(job) });
        self.answer(&context, answer)
    }

    async fn cancel_verification_job(
        &self,
        request: Request<proto::CancelVerificationJobRequest>,
    ) -> Result<Response<proto::CancelVerificationJobResponse>, Status> {
        let context = self.admitted(&request)?;
        let cancel = JobCommand::Cancel;
        let job = self
            .command(&context, &request.get_ref().job_id, cancel)
            .await;
        let answer = job.map(|job| proto::CancelVerificationJobResponse { job: Some(job) });
        self.answer(&context, answer)
    }

    async fn list_usage(
        &self,
        request: Request<proto::ListUsageRequest>,
    ) -> Result<Response<proto::ListUsageResponse>, Status> {
        let context = self.admitted(&request)?;
        let page = self.usage_page(&context, request.get_ref()).await;
        self.answer(&context, page)
    }
}

impl Citizens {
    /// Who asks, taken from the participant's rate: refusals are written down too, so they must not be free.
    fn admitted<T>(&self, request: &Request<T>) -> Result<Context, Status> {
        let context = Context::of(request, &self.services)?;
        let admitted = self.services.admit(&context.caller, 1);
        admitted.map_err(|error| self.status(&context, &error))?;
        Ok(context)
    }

    /// The answer, or the status of the error.
    fn answer<T>(
        &self,
        context: &Context,
        answer: Result<T, Error>,
    ) -> Result<Response<T>, Status> {
        answer
            .map(Response::new)
            .map_err(|error| self.status(context, &error))
    }

    /// The status of an error; a refusal is counted for the caller's system.
    fn status(&self, context: &Context, error: &Error) -> Status {
        if status::is_refusal(error.code) {
            self.services.note_refused(&context.caller, 1);
        }
        context.status(error)
    }

    async fn verify(
        &self,
        context: &Context,
        asked: &proto::VerifyCitizenRequest,
    ) -> Result<proto::VerifyCitizenResponse, Error> {
        let now = self.services.clock().now();
        let (inquiry, claims) =
            convert::question(asked.inquiry.as_ref(), asked.claims.as_ref(), now)
                .map_err(invalid)?;
        let verify = Verify {
            inquiry,
            claims,
            defer_if_unavailable: asked.defer_if_unavailable,
            request_id: context.request.to_string(),
            trace: context.trace,
        };
        let verified = self
            .identity
            .verify(&context.caller, verify, context.answer_by)
            .await?;
        let verification = verified.verification.as_ref();
        Ok(proto::VerifyCitizenResponse {
            verification: verification.map(verification_to_proto),
            usage_id: verified.usage.0.to_string(),
            subject_ref: verified.subject_ref.to_string(),
            deferred_job_id: verified
                .deferred
                .map(|job| job.to_string())
                .unwrap_or_default(),
        })
    }

    async fn look_up(
        &self,
        context: &Context,
        asked: &proto::GetCitizenRequest,
    ) -> Result<proto::GetCitizenResponse, Error> {
        let now = self.services.clock().now();
        let question = convert::question(asked.inquiry.as_ref(), asked.claims.as_ref(), now);
        let fields = convert::fields_from_proto(&asked.fields);
        let ((inquiry, claims), fields) = both(question, fields).map_err(invalid)?;
        if !claims.optional_fields().is_empty() {
            // A claim beyond the key would look as if it had been compared.
            let reason = Reason::Conflict { with: "fields" };
            return Err(invalid(Faults::one("claims", reason)));
        }
        let request = LookUpRequest {
            inquiry,
            claims,
            fields,
            request_id: context.request.to_string(),
            trace: context.trace,
        };
        let found = self
            .identity
            .look_up(&context.caller, request, context.answer_by)
            .await?;
        Ok(proto::GetCitizenResponse {
            citizen: Some(citizen_to_proto(&found.citizen)),
            shown_fields: fields_to_proto(found.shown),
            withheld_fields: fields_to_proto(found.withheld),
            usage_id: found.usage.0.to_string(),
            subject_ref: found.subject_ref.to_string(),
        })
    }
}

/// Both values, or the faults of both.
fn both<A, B>(one: Result<A, Faults>, other: Result<B, Faults>) -> Result<(A, B), Faults> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(mut faults), Err(more)) => {
            faults.extend_under("", more);
            Err(faults)
        }
        (Err(faults), Ok(_)) | (Ok(_), Err(faults)) => Err(faults),
    }
}

/// There is no such job, or its id has another form.
fn no_job() -> Error {
    Error::new(ErrorCode::JobNotFound)
}
