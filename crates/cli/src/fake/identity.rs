//! The fake's persons, jobs and usage records.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use lienthong_proto::identity::v1::create_verification_job_request::Part;
use lienthong_proto::identity::v1::identity_service_server::IdentityService;
use lienthong_proto::identity::v1::list_verification_results_response::Result as Outcome;
use lienthong_proto::identity::v1::*;
use prost::Message as _;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::Answered;
use super::samples::at;

/// How the gateway behaves.
#[derive(Default)]
pub(crate) struct Moods {
    /// Uploads break off when the job has got so many items, each once.
    pub(crate) break_uploads_at: VecDeque<usize>,
    /// Streams of answers break off behind these positions, each once.
    pub(crate) break_answers_at: VecDeque<u32>,
    /// Answers stop here; the job is paused or cancelled.
    pub(crate) ends_at: Option<(u32, JobState)>,
    /// Somebody presses Ctrl-C when the job has got so many items.
    pub(crate) stop_upload_at: Option<(usize, CancellationToken)>,
    /// Somebody presses Ctrl-C at this answer.
    pub(crate) stop_answers_at: Option<(u32, CancellationToken)>,
    /// Answers are kept though they were fetched, so that one test can fetch them often.
    pub(crate) keeps_answers: bool,
}

/// One job in memory.
#[derive(Default)]
pub(crate) struct Job {
    opening: JobOpening,
    pub(crate) items: Vec<Claims>,
    state: JobState,
    /// Answers up to here are erased.
    pub(crate) erased_to: u32,
}

/// What was asked.
pub(crate) struct Record {
    pub(crate) moods: Moods,
    pub(crate) jobs: Vec<Job>,
    /// Items and bytes of every message of every upload.
    pub(crate) messages: Vec<(usize, usize)>,
    /// Where each stream of answers began.
    pub(crate) streams_after: Vec<u32>,
    pub(crate) verified: Vec<VerifyCitizenRequest>,
    pub(crate) usage_asked: Vec<ListUsageRequest>,
}

impl Record {
    pub(super) fn new(moods: Moods) -> Self {
        Self {
            moods,
            jobs: Vec::new(),
            messages: Vec::new(),
            streams_after: Vec::new(),
            verified: Vec::new(),
            usage_asked: Vec::new(),
        }
    }

    fn job_mut(&mut self, id: &str) -> Result<&mut Job, Status> {
        let number: Option<usize> = id.strip_prefix("J-").and_then(|digits| digits.parse().ok());
        let index = number.and_then(|number| number.checked_sub(1));
        let job = index.and_then(|index| self.jobs.get_mut(index));
        job.ok_or_else(|| Status::not_found("no such job"))
    }

    fn shown(&self, index: usize) -> VerificationJob {
        let job = &self.jobs[index];
        let (total, received) = (job.opening.items_total, count(&job.items));
        let ended = self.moods.ends_at.filter(|_| received == total);
        let paused = matches!(ended, Some((_, JobState::Paused)));
        VerificationJob {
            job_id: format!("J-{}", index + 1),
            idempotency_key: job.opening.idempotency_key.clone(),
            inquiry: job.opening.inquiry.clone(),
            state: ended.map_or(job.state, |(_, state)| state).into(),
            state_reason: if paused { "JOB_MISSES_TOO_MANY" } else { "" }.into(),
            items_total: total,
            items_received: received,
            created_at: Some(at()),
            ..VerificationJob::default()
        }
    }
}

/// The verdict on a person: Hoà matches, Hòa in another tone style, Hoa nobody can tell, others do not.
fn verification(claims: &Claims) -> Verification {
    let (verdict, level) = match claims.full_name.rsplit(' ').next() {
        Some("Hoà") => (Verdict::Match, NameLevel::Exact),
        Some("Hòa") => (Verdict::Match, NameLevel::ToneStyle),
        Some("Hoa") => (Verdict::Undecided, NameLevel::NoDiacritics),
        _ => (Verdict::NoMatch, NameLevel::Unspecified),
    };
    let number = match claims.number.len() {
        9 => CitizenField::OldNumber,
        _ => CitizenField::CitizenNumber,
    };
    let mut fields = vec![number, CitizenField::FullName, CitizenField::BirthDate];
    if claims.sex() != Sex::Unspecified {
        fields.push(CitizenField::Sex);
    }
    let each = fields.into_iter().map(|field| FieldVerdict {
        field: field.into(),
        verdict: verdict.into(),
    });
    Verification {
        verdict: verdict.into(),
        fields: each.collect(),
        name_level: level.into(),
    }
}

/// Numbers that end in 9 have no answer, those that end in 8 are found faulty by the gateway only.
fn answer(position: u32, claims: &Claims) -> ListVerificationResultsResponse {
    let result = match claims.number.chars().last() {
        Some('9') => Outcome::Failure("POPULATION_UNAVAILABLE".into()),
        Some('8') => Outcome::Failure("JOB_ITEM_FAULTY".into()),
        _ => Outcome::Verification(verification(claims)),
    };
    ListVerificationResultsResponse {
        position,
        result: Some(result),
        usage_id: format!("U-{position}"),
    }
}

fn count(items: &[Claims]) -> u32 {
    u32::try_from(items.len()).unwrap()
}

fn quota_exceeded() -> Status {
    let mut details = ErrorDetails::with_error_info("QUOTA_EXCEEDED", "lienthong", []);
    details
        .add_quota_failure_violation("official", "300 citizens a day")
        .set_retry_info(Some(Duration::from_mins(125)));
    Status::with_error_details(Code::ResourceExhausted, "", details)
}

#[derive(Clone)]
pub(super) struct Service(pub(super) Arc<Mutex<Record>>);

impl Service {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap()
    }

    fn open(&self, opening: JobOpening) -> usize {
        let mut record = self.record();
        let key = &opening.idempotency_key;
        let found = record
            .jobs
            .iter()
            .position(|job| job.opening.idempotency_key == *key);
        found.unwrap_or_else(|| {
            record.jobs.push(Job {
                opening,
                state: JobState::Uploading,
                ..Job::default()
            });
            record.jobs.len() - 1
        })
    }

    fn add(&self, index: usize, items: JobItems) -> Result<Vec<RefusedItem>, Status> {
        let mut record = self.record();
        record
            .messages
            .push((items.claims.len(), items.encoded_len()));
        let job = &mut record.jobs[index];
        let mut refused = Vec::new();
        for (position, claims) in (items.first_position..).zip(items.claims) {
            let next = count(&job.items) + 1;
            assert!(position <= next, "a gap before {position}");
            if position == next {
                if claims.number.ends_with('8') {
                    refused.push(RefusedItem {
                        position,
                        faults: vec![
                            "birth_date: The time lies in the future. / Thời điểm ở tương lai."
                                .into(),
                        ],
                    });
                }
                job.items.push(claims);
            }
        }
        let received = job.items.len();
        if received == job.opening.items_total as usize {
            job.state = JobState::Running;
        }
        if let Some((at, stop)) = &record.moods.stop_upload_at
            && received >= *at
        {
            stop.cancel();
        }
        if record
            .moods
            .break_uploads_at
            .front()
            .is_some_and(|at| received >= *at)
        {
            record.moods.break_uploads_at.pop_front();
            return Err(Status::unavailable("broke off"));
        }
        Ok(refused)
    }

    /// The next answer of a stream; an error breaks it off, `None` ends it.
    fn next(
        &self,
        id: &str,
        position: u32,
    ) -> Option<Result<ListVerificationResultsResponse, Status>> {
        let mut record = self.record();
        if record
            .moods
            .break_answers_at
            .front()
            .is_some_and(|at| position > *at)
        {
            record.moods.break_answers_at.pop_front();
            return Some(Err(Status::unavailable("broke off")));
        }
        if let Some((at, stop)) = &record.moods.stop_answers_at
            && position == *at
        {
            stop.cancel();
        }
        let job = record.job_mut(id).unwrap();
        if position as usize >= job.items.len() {
            job.state = JobState::Done;
        }
        let claims = job.items.get(position as usize - 1)?;
        Some(Ok(answer(position, claims)))
    }
}

#[tonic::async_trait]
impl IdentityService for Service {
    async fn verify_citizen(
        &self,
        request: Request<VerifyCitizenRequest>,
    ) -> Answered<VerifyCitizenResponse> {
        let request = request.into_inner();
        self.record().verified.push(request.clone());
        let purpose = request.inquiry.unwrap_or_default().purpose_code;
        if purpose == "QUOTA" {
            return Err(quota_exceeded());
        }
        let deferred = purpose == "OUTAGE" && request.defer_if_unavailable;
        Ok(Response::new(VerifyCitizenResponse {
            verification: (!deferred).then(|| verification(&request.claims.unwrap_or_default())),
            usage_id: "U-1".into(),
            subject_ref: "5f0c".into(),
            deferred_job_id: if deferred { "J-9" } else { "" }.into(),
        }))
    }

    async fn get_citizen(
        &self,
        request: Request<GetCitizenRequest>,
    ) -> Answered<GetCitizenResponse> {
        let request = request.into_inner();
        let of = |code: &i32| CitizenField::try_from(*code).unwrap();
        let granted = [CitizenField::Sex, CitizenField::PermanentResidence];
        let is = |wanted: &[CitizenField]| {
            let fields = request.fields.iter().copied();
            fields
                .filter(|code| wanted.contains(&of(code)))
                .collect::<Vec<_>>()
        };
        if verification(&request.claims.clone().unwrap_or_default()).verdict() != Verdict::Match {
            let details = ErrorDetails::with_error_info("CITIZEN_NOT_FOUND", "lienthong", []);
            return Err(Status::with_error_details(Code::NotFound, "", details));
        }
        Ok(Response::new(GetCitizenResponse {
            citizen: Some(Citizen {
                sex: Sex::Female.into(),
                permanent_residence: Some(Place {
                    province_code: "38".into(),
                    commune_code: "14758".into(),
                    detail: "Số 12, phố Hàng Đồng".into(),
                    ..Place::default()
                }),
                ..Citizen::default()
            }),
            shown_fields: is(&granted),
            withheld_fields: is(&[CitizenField::Father]),
            usage_id: "U-2".into(),
            subject_ref: "5f0c".into(),
        }))
    }

    async fn create_verification_job(
        &self,
        request: Request<Streaming<CreateVerificationJobRequest>>,
    ) -> Answered<CreateVerificationJobResponse> {
        let mut messages = request.into_inner();
        let first = messages.message().await?.and_then(|message| message.part);
        let Some(Part::Opening(opening)) = first else {
            return Err(Status::invalid_argument("the first message opens"));
        };
        let index = self.open(opening);
        let mut refused_items = Vec::new();
        while let Some(message) = messages.message().await? {
            let Some(Part::Items(items)) = message.part else {
                return Err(Status::invalid_argument("only the first message opens"));
            };
            refused_items.extend(self.add(index, items)?);
        }
        Ok(Response::new(CreateVerificationJobResponse {
            job: Some(self.record().shown(index)),
            refused_items,
        }))
    }

    async fn get_verification_job(
        &self,
        request: Request<GetVerificationJobRequest>,
    ) -> Answered<GetVerificationJobResponse> {
        let request = request.into_inner();
        let record = self.record();
        let mut all = (0..record.jobs.len()).map(|index| record.shown(index));
        let found = all.find(|job| {
            job.job_id == request.job_id
                || (request.job_id.is_empty() && job.idempotency_key == request.idempotency_key)
        });
        let job = found.ok_or_else(|| Status::not_found("no such job"))?;
        Ok(Response::new(GetVerificationJobResponse { job: Some(job) }))
    }

    async fn list_verification_jobs(
        &self,
        request: Request<ListVerificationJobsRequest>,
    ) -> Answered<ListVerificationJobsResponse> {
        let skipped: usize = request.into_inner().page_token.parse().unwrap_or(0);
        let record = self.record();
        let mut jobs = (0..record.jobs.len())
            .rev()
            .map(|index| record.shown(index))
            .skip(skipped);
        let page: Vec<_> = jobs.by_ref().take(1).collect();
        let next = jobs.next().map(|_| (skipped + 1).to_string());
        Ok(Response::new(ListVerificationJobsResponse {
            jobs: page,
            next_page_token: next.unwrap_or_default(),
        }))
    }

    type ListVerificationResultsStream =
        Pin<Box<dyn Stream<Item = Result<ListVerificationResultsResponse, Status>> + Send>>;

    async fn list_verification_results(
        &self,
        request: Request<ListVerificationResultsRequest>,
    ) -> Answered<Self::ListVerificationResultsStream> {
        let ListVerificationResultsRequest {
            job_id,
            after_position,
        } = request.into_inner();
        let (first, ends_at) = {
            let mut record = self.record();
            record.streams_after.push(after_position);
            let (keeps, ends_at) = (record.moods.keeps_answers, record.moods.ends_at);
            let job = record.job_mut(&job_id)?;
            if !keeps {
                job.erased_to = job.erased_to.max(after_position);
            }
            (after_position.max(job.erased_to) + 1, ends_at)
        };
        let last = ends_at.map_or(u32::MAX, |(at, _)| at);
        let service = self.clone();
        let answers = stream::unfold(Some(first), move |position| {
            let found = position
                .filter(|position| *position <= last)
                .and_then(|position| Some((service.next(&job_id, position)?, position)));
            std::future::ready(found.map(|(answer, position)| {
                let next = answer.is_ok().then_some(position + 1);
                (answer, next)
            }))
        });
        let waits = matches!(ends_at, Some((_, JobState::Paused)));
        Ok(Response::new(if waits {
            answers.chain(stream::pending()).boxed()
        } else {
            answers.boxed()
        }))
    }

    async fn pause_verification_job(
        &self,
        request: Request<PauseVerificationJobRequest>,
    ) -> Answered<PauseVerificationJobResponse> {
        let job = self.steer(&request.into_inner().job_id, JobState::Paused)?;
        Ok(Response::new(PauseVerificationJobResponse {
            job: Some(job),
        }))
    }

    async fn resume_verification_job(
        &self,
        request: Request<ResumeVerificationJobRequest>,
    ) -> Answered<ResumeVerificationJobResponse> {
        let job = self.steer(&request.into_inner().job_id, JobState::Running)?;
        Ok(Response::new(ResumeVerificationJobResponse {
            job: Some(job),
        }))
    }

    async fn cancel_verification_job(
        &self,
        request: Request<CancelVerificationJobRequest>,
    ) -> Answered<CancelVerificationJobResponse> {
        let job = self.steer(&request.into_inner().job_id, JobState::Cancelled)?;
        Ok(Response::new(CancelVerificationJobResponse {
            job: Some(job),
        }))
    }

    async fn list_usage(&self, request: Request<ListUsageRequest>) -> Answered<ListUsageResponse> {
        let request = request.into_inner();
        self.record().usage_asked.push(request.clone());
        let first: i64 = request.page_token.parse().unwrap_or(0);
        let size = i64::from(request.page_size.min(3));
        let records = (first..first + size).map(usage_record);
        Ok(Response::new(ListUsageResponse {
            records: records.collect(),
            next_page_token: (first + size).to_string(),
        }))
    }
}

impl Service {
    fn steer(&self, id: &str, state: JobState) -> Result<VerificationJob, Status> {
        let mut record = self.record();
        record.job_mut(id)?.state = state;
        let index: usize = id.trim_start_matches("J-").parse().unwrap();
        Ok(record.shown(index - 1))
    }
}

fn usage_record(number: i64) -> UsageRecord {
    let refused = number % 2 == 1;
    UsageRecord {
        usage_id: format!("U-{}", 100 - number),
        at: Some(prost_types::Timestamp {
            seconds: at().seconds - number * 60,
            nanos: 0,
        }),
        participant_id: "G15".into(),
        system: "hotich".into(),
        official_id: "lethihoa.tuphap".into(),
        purpose_code: "CIVIL_STATUS".into(),
        dossier_code: if refused { "" } else { "H56.14-240823-0001" }.into(),
        kind: if refused {
            UsageKind::Verify
        } else {
            UsageKind::Disclose
        }
        .into(),
        outcome: if refused {
            UsageOutcome::Refused
        } else {
            UsageOutcome::Disclosed
        }
        .into(),
        reason: if refused { "DOSSIER_NOT_HELD" } else { "" }.into(),
        shown_fields: if refused { Vec::new() } else { vec![5, 13] },
        subject_ref: "5f0c".into(),
        ..UsageRecord::default()
    }
}
