//! Uploads the items of a job, and goes on where an interrupted upload stopped.

use lienthong_proto::identity::v1 as proto;
use lienthong_proto::identity::v1::create_verification_job_request::Part;
use lienthong_proto::identity::v1::identity_service_client::IdentityServiceClient;
use prost::Message as _;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::sheet::Sheet;
use crate::connection::unary;
use crate::errors::CliError;
use crate::output::meter::Meter;
use crate::patience::Patience;

/// Most items of one message. Source: `JobItems` of the contract.
const MESSAGE_ITEMS_MAX: usize = 500;
/// Most bytes of the claims of one message; the gateway takes messages of 256 KiB.
const MESSAGE_BYTES_MAX: usize = 200 << 10;
/// Tag and length of one `Claims` within `JobItems`, in bytes.
const CLAIMS_FRAME_BYTES_MAX: usize = 1 + 3;
/// Most messages of one call: what a broken connection can lose, and what is held in memory.
const CALL_MESSAGES_MAX: usize = 10;

/// The upload of one job.
pub(crate) struct Upload<'a> {
    pub(crate) client: IdentityServiceClient<Channel>,
    pub(crate) sheet: &'a Sheet,
    /// Rows to be asked; the first is position 1.
    pub(crate) items: &'a [usize],
    pub(crate) opening: proto::JobOpening,
    pub(crate) patience: Patience,
    pub(crate) meter: Meter,
    pub(crate) stop: &'a CancellationToken,
    /// Items that the gateway refused in this run.
    pub(crate) refused: Vec<proto::RefusedItem>,
}

impl Upload<'_> {
    /// Uploads what the gateway does not have yet; `None` when `stop` came first.
    ///
    /// # Errors
    /// A refusal for good, the end of patience, or a job of this key with other items.
    pub(crate) async fn run(&mut self) -> Result<Option<proto::VerificationJob>, CliError> {
        let stop = self.stop;
        let mut received = None;
        loop {
            let step = tokio::select! {
                () = stop.cancelled() => return Ok(None),
                step = self.step(received) => step,
            };
            match step {
                Ok(job) if job.items_total != self.opening.items_total => {
                    return Err(CliError::Usage(format!(
                        "job {} of this key has {} persons, the file has {} without fault; choose another --job-key",
                        job.job_id, job.items_total, self.opening.items_total
                    )));
                }
                Ok(job)
                    if job.items_received >= job.items_total
                        || job.state() != proto::JobState::Uploading =>
                {
                    return Ok(Some(job));
                }
                Ok(job) => {
                    if received != Some(job.items_received) {
                        self.patience.forward();
                    }
                    received = Some(job.items_received);
                    self.meter.show(job.items_received.into(), "");
                }
                Err(status) => {
                    self.meter.say(&format!(
                        "tải lên gián đoạn, đang thử lại / upload interrupted, trying again: {}",
                        status.code()
                    ));
                    if !self.patience.rest(status, self.stop).await? {
                        return Ok(None);
                    }
                    received = None;
                }
            }
        }
    }

    /// Finds out what is there, or sends what follows it.
    async fn step(&mut self, received: Option<u32>) -> Result<proto::VerificationJob, Status> {
        let Some(received) = received else {
            return match self.find().await {
                Err(status) if status.code() == Code::NotFound => self.send(0).await,
                found => found,
            };
        };
        self.send(received).await
    }

    async fn find(&mut self) -> Result<proto::VerificationJob, Status> {
        let request = proto::GetVerificationJobRequest {
            job_id: String::new(),
            idempotency_key: self.opening.idempotency_key.clone(),
        };
        let answer = self.client.get_verification_job(unary(request)).await?;
        answer.into_inner().job.ok_or_else(no_job)
    }

    async fn send(&mut self, received: u32) -> Result<proto::VerificationJob, Status> {
        let opening = Part::Opening(self.opening.clone());
        let items = messages(self.sheet, self.items, received as usize);
        let parts = std::iter::once(opening).chain(items.into_iter().map(Part::Items));
        let requests: Vec<_> = parts
            .map(|part| proto::CreateVerificationJobRequest { part: Some(part) })
            .collect();
        let answer = self
            .client
            .create_verification_job(tokio_stream::iter(requests))
            .await?
            .into_inner();
        self.refused.extend(answer.refused_items);
        answer.job.ok_or_else(no_job)
    }
}

fn no_job() -> Status {
    Status::internal("an answer without a job")
}

/// The messages of one call, from the item behind `received` on.
fn messages(sheet: &Sheet, items: &[usize], received: usize) -> Vec<proto::JobItems> {
    let mut messages = Vec::new();
    let (mut open, mut bytes) = (proto::JobItems::default(), 0);
    for (position, row) in (1_u32..).zip(items).skip(received) {
        let claims = sheet
            .claims(*row)
            .expect("items are the rows without fault");
        let size = claims.encoded_len() + CLAIMS_FRAME_BYTES_MAX;
        if open.claims.len() == MESSAGE_ITEMS_MAX || bytes + size > MESSAGE_BYTES_MAX {
            messages.push(std::mem::take(&mut open));
            bytes = 0;
            if messages.len() == CALL_MESSAGES_MAX {
                return messages;
            }
        }
        if open.claims.is_empty() {
            open.first_position = position;
        }
        bytes += size;
        open.claims.push(claims);
    }
    if !open.claims.is_empty() {
        messages.push(open);
    }
    messages
}
