//! Deferred answers: a question that the database cannot answer now becomes a job, whose answer speaks for or
//! against the asker as if it had been given at once.

use lienthong_domain::identity::{Claims, Inquiry, JobId, Pseudonym, Verdict};
use lienthong_ports::identity::{Asker, ItemDraft, JobDraft, UsageDraft};
use lienthong_services::Error;

use crate::asking::outcome_of;
use crate::core::{Core, store_failed};
use crate::guard::Guard;
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

impl Core {
    /// Lets the answer to a question that was put off speak for or against who asked it, as that of a verification
    /// does. `verdict` is the one on all claims. Call it once for each answered item of a job whose key begins with
    /// [`DEFERRED`], after its [`Turn`](crate::turns::Turn) has ended: that one counts against the citizen's lock.
    pub(crate) async fn weigh_deferred(&self, asker: &Asker, subject: Pseudonym, verdict: Verdict) {
        let (outcome, now) = (outcome_of(verdict), self.clock.now());
        let weigh = |guard: &mut Guard| guard.weigh_deferred(asker, subject, outcome, now);
        let ended = self.turns.with(weigh);
        self.keep_actions(ended.actions).await;
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
