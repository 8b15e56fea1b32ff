//! Deferred answers: a question that the database cannot answer now becomes a job.

use lienthong_domain::identity::{Claims, Inquiry, JobId};
use lienthong_ports::identity::{ItemDraft, JobDraft, UsageDraft};
use lienthong_services::Error;

use crate::core::{Core, store_failed};
use crate::jobs::{DEFERRED, refused};

/// Makes a job of one item of a question that was permitted; `None` leaves the caller with the error. It is no
/// larger than the question was, so the grant's bound of items does not apply.
pub(crate) async fn defer(
    core: &Core,
    ask: &UsageDraft,
    inquiry: &Inquiry,
    claims: &Claims,
) -> Option<JobId> {
    match open(core, ask, inquiry, claims).await {
        Ok(job) => Some(job),
        Err(error) => {
            tracing::warn!(%error, "a question could not be put off");
            None
        }
    }
}

async fn open(
    core: &Core,
    ask: &UsageDraft,
    inquiry: &Inquiry,
    claims: &Claims,
) -> Result<JobId, Error> {
    let now = core.clock.now();
    let draft = JobDraft {
        key: format!("{DEFERRED}{}", ask.request_id),
        asker: ask.asker.clone(),
        inquiry: inquiry.clone(),
        items_total: 1,
        keep: core.config.jobs.keep(),
        now,
    };
    let job = core
        .store
        .open_job(draft)
        .await
        .map_err(store_failed)?
        .map_err(refused)?;
    let claims = Ok(claims.clone());
    let items = vec![ItemDraft { claims }];
    let added = core
        .store
        .add_items(job.id, 1, items, now)
        .await
        .map_err(store_failed)?;
    added.map(|job| job.id).map_err(refused)
}
