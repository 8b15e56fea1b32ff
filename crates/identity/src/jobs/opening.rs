//! How jobs come to be: opened, then filled. Questions that are put off are in `deferral.rs`.

use lienthong_domain::identity::grant::{Asked, decide_grant};
use lienthong_domain::identity::job::ITEMS_MAX;
use lienthong_domain::identity::{Claims, FieldSet, Inquiry, JobId, Mode, UsageKind};
use lienthong_domain::participant::Caller;
use lienthong_domain::{ErrorCode, Faults, Reason};
pub(crate) use lienthong_ports::identity::DEFERRED;
use lienthong_ports::identity::{ItemDraft, JobDraft, JobRefusal, JobRow, UsageDraft};
use lienthong_services::Error;

use crate::Identity;
use crate::core::{self, Wanted, store_failed};

/// What a job wants before it has items: nothing about anybody.
pub(super) const NOBODY: Wanted<'static> = Wanted {
    kind: UsageKind::Job,
    mode: Mode::Verify,
    number: None,
    recorded: FieldSet::EMPTY,
    judged: FieldSet::EMPTY,
};

/// A job to be opened.
#[derive(Clone, Debug)]
pub struct OpenJob {
    /// The caller's name for it, 1 to 100 characters; the same key goes on with the same job.
    pub key: String,
    /// Why.
    pub inquiry: Inquiry,
    /// Items that will come, 1 to [`ITEMS_MAX`].
    pub items_total: u32,
    /// The request's id, for the record of a refusal.
    pub request_id: String,
}

impl Identity {
    /// Opens a job, or finds the one of the same key. What decides is what decides on a verification: grant,
    /// dossier and guard; beside that the grant's bound of items, the bound of open jobs, and the misses of the system's
    /// other jobs. A refusal is recorded.
    ///
    /// # Errors
    /// Those of [`Identity::verify`], `JOB_TOO_LARGE` with `items_max`, `JOB_MISSES_TOO_MANY`, `QUOTA_EXCEEDED` with the
    /// quota `open_jobs`, `IDEMPOTENCY_KEY_REUSED`.
    pub async fn open_job(&self, caller: &Caller, open: OpenJob) -> Result<JobRow, Error> {
        if open.key.starts_with(DEFERRED) {
            let expected = "a key that does not begin with `defer/`";
            let faults = Faults::one("opening.idempotency_key", Reason::BadForm { expected });
            return Err(Error::with_faults(ErrorCode::InvalidFields, faults));
        }
        self.open()?;
        let core = &self.core;
        let usage = core.draft(caller, &open.inquiry, &NOBODY, open.request_id);
        if let Err(error) = self.may_open(&usage, open.items_total).await {
            return Err(core.refuse(usage, error).await);
        }
        let draft = JobDraft {
            key: open.key,
            asker: usage.asker.clone(),
            inquiry: open.inquiry,
            items_total: open.items_total,
            keep: core.config.jobs.keep(),
            now: usage.at,
        };
        match core.store.open_job(draft).await.map_err(store_failed)? {
            Ok(row) => Ok(row),
            Err(refusal) => Err(core.refuse(usage, refused(refusal)).await),
        }
    }

    /// Adds items from `first_position` on, at most 500; those already there are skipped. An item whose claims go
    /// beyond the grant is kept as failed; a refusal of the whole is recorded.
    ///
    /// # Errors
    /// `JOB_NOT_FOUND`, the refusals of a grant, `JOB_STATE_REFUSED`, `JOB_TOO_LARGE`, or `INVALID_FIELDS` with
    /// `next_position` when items are missing before the first.
    pub async fn add_items(
        &self,
        caller: &Caller,
        job: JobId,
        first_position: u32,
        items: Vec<Result<Claims, ErrorCode>>,
    ) -> Result<JobRow, Error> {
        self.open()?;
        let row = self.own_job(caller, job).await?;
        let core = &self.core;
        let now = core.clock.now();
        let registry = core.services.registry();
        let grant = registry.grant(&caller.participant.id, &caller.system, &row.inquiry.purpose);
        let judge = |fields| {
            let mode = Mode::Verify;
            decide_grant(grant, &Asked { mode, fields, now })
        };
        if let Err(refusal) = judge(FieldSet::EMPTY) {
            let usage = core.draft(caller, &row.inquiry, &NOBODY, job.to_string());
            return Err(core.refuse(usage, core::refused(refusal)).await);
        }
        let judged = |claims: Claims| match judge(claims.optional_fields()) {
            Ok(_) => Ok(claims),
            Err(refusal) => Err(refusal.code()),
        };
        let drafts = items.into_iter().map(|item| ItemDraft {
            claims: item.and_then(judged),
        });
        let drafts = drafts.collect();
        let added = core.store.add_items(job, first_position, drafts, now).await;
        added.map_err(store_failed)?.map_err(refused)
    }

    /// Grant, guard and dossier as for a verification, and the grant's bound of items.
    async fn may_open(&self, draft: &UsageDraft, items_total: u32) -> Result<(), Error> {
        let core = &self.core;
        let asked = Asked {
            mode: Mode::Verify,
            fields: FieldSet::EMPTY,
            now: draft.at,
        };
        core.judge(draft, &asked).await?;
        let registry = core.services.registry();
        let asker = &draft.asker;
        let grant = registry.grant(&asker.participant, &asker.system, &draft.purpose);
        let items_max = grant.map_or(0, |grant| grant.job_items_max.min(ITEMS_MAX));
        if items_total > items_max {
            return Err(Error::new(ErrorCode::JobTooLarge).with("items_max", items_max));
        }
        Ok(())
    }
}

/// A store's refusal, for the caller.
pub(crate) fn refused(refusal: JobRefusal) -> Error {
    match refusal {
        JobRefusal::NotFound => Error::new(ErrorCode::JobNotFound),
        JobRefusal::State(state) => {
            Error::new(ErrorCode::JobStateRefused).with("state", state.name())
        }
        JobRefusal::Gap { next_position } => {
            let next = i64::from(next_position);
            let reason = Reason::OutOfRange { min: 1, max: next };
            let faults = Faults::one("items.first_position", reason);
            Error::with_faults(ErrorCode::InvalidFields, faults).with("next_position", next)
        }
        JobRefusal::KeyReused => Error::new(ErrorCode::IdempotencyKeyReused),
        JobRefusal::TooMany => Error::new(ErrorCode::JobTooLarge),
        JobRefusal::TooManyOpen { max } => Error::new(ErrorCode::QuotaExceeded)
            .with("quota", "open_jobs")
            .with("limit", max)
            .with("asker", "system"),
        JobRefusal::Held => Error::new(ErrorCode::JobMissesTooMany),
    }
}
