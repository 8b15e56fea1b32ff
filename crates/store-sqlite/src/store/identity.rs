//! The identity side of the store as the rest of the gateway sees it.

use async_trait::async_trait;
use lienthong_domain::identity::{JobId, Pseudonym, UsageId};
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{ErrorCode, Timestamp};
use lienthong_ports::identity::{
    Asker, Finished, GuardAction, ItemAnswer, ItemDraft, ItemFinish, ItemNext, ItemWork,
    JobCommand, JobDraft, JobRefusal, JobRow, SubjectLink, UsageDraft, UsageFilter, UsageRow,
};
use lienthong_ports::store::{Actor, ClaimTerms};
use lienthong_ports::{IdentityStore, Message, StoreError};

use super::SqliteStore;
use crate::core::{BegunItem, Core, EncodedFinish};
use crate::identity_rows::EncodedItem;
use crate::threads::Kind;

/// Most parts of one sweep over what cancelled and erased jobs have left: two jobs of full size.
const TIDY_PARTS_MAX: usize = 800;

#[async_trait]
impl IdentityStore for SqliteStore {
    async fn record_usage(&self, drafts: Vec<UsageDraft>) -> Result<Vec<UsageId>, StoreError> {
        // The reserve of the disk is kept for this, among others: a look without a record must not be.
        self.write(Kind::Usage, drafts.len(), move |core| {
            core.record_usage(&drafts)
        })
        .await
    }

    async fn other_numbers(&self, subject: Pseudonym) -> Result<Vec<Pseudonym>, StoreError> {
        self.query(move |queries| queries.other_numbers(subject))
            .await
    }

    async fn subject_links(&self) -> Result<Vec<SubjectLink>, StoreError> {
        self.query(|queries| queries.subject_links()).await
    }

    async fn usage(
        &self,
        filter: UsageFilter,
        before: Option<UsageId>,
        limit: usize,
    ) -> Result<Vec<UsageRow>, StoreError> {
        self.query(move |queries| queries.usage(&filter, before, limit))
            .await
    }

    async fn usage_since(
        &self,
        since: Timestamp,
        after: UsageId,
        limit: usize,
    ) -> Result<Vec<UsageRow>, StoreError> {
        self.query(move |queries| queries.usage_since(since, after, limit))
            .await
    }

    async fn record_guard_actions(&self, actions: Vec<GuardAction>) -> Result<(), StoreError> {
        self.write(Kind::Usage, actions.len(), move |core| {
            core.record_guard_actions(&actions)
        })
        .await
    }

    async fn guard_actions(&self, since: Timestamp) -> Result<Vec<GuardAction>, StoreError> {
        self.query(move |queries| queries.guard_actions(since))
            .await
    }

    async fn open_job(&self, draft: JobDraft) -> Result<Result<JobRow, JobRefusal>, StoreError> {
        if self.disk.is_short() {
            return Err(StoreError::DiskFull);
        }
        self.write(Kind::Intake, 1, move |core| core.open_job(&draft))
            .await
    }

    async fn add_items(
        &self,
        job: JobId,
        first_position: u32,
        items: Vec<ItemDraft>,
        now: Timestamp,
    ) -> Result<Result<JobRow, JobRefusal>, StoreError> {
        if self.disk.is_short() {
            return Err(StoreError::DiskFull);
        }
        let items: Vec<_> = items.iter().map(EncodedItem::from).collect();
        self.write(Kind::Intake, items.len(), move |core| {
            core.add_items(job, first_position, &items, now)
        })
        .await
    }

    async fn job(&self, job: JobId) -> Result<Option<JobRow>, StoreError> {
        self.query(move |queries| queries.job(job)).await
    }

    async fn job_by_key(&self, asker: &Asker, key: &str) -> Result<Option<JobRow>, StoreError> {
        let (asker, key) = (asker.clone(), key.to_owned());
        self.query(move |queries| queries.job_by_key(&asker, &key))
            .await
    }

    async fn jobs(
        &self,
        participant: Option<ParticipantId>,
        before: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobRow>, StoreError> {
        self.query(move |queries| queries.jobs(participant.as_ref(), before, limit))
            .await
    }

    async fn command_job(
        &self,
        job: JobId,
        command: JobCommand,
        actor: Option<Actor>,
        now: Timestamp,
    ) -> Result<Result<JobRow, JobRefusal>, StoreError> {
        let answer = self
            .write(Kind::Work, 1, move |core| {
                core.command_job(job, command, actor.as_ref(), now)
            })
            .await?;
        if command == JobCommand::Cancel && answer.is_ok() {
            self.tidy_jobs().await;
        }
        Ok(answer)
    }

    async fn clear_misses(
        &self,
        participant: &ParticipantId,
        system: &str,
        actor: Actor,
    ) -> Result<bool, StoreError> {
        let (participant, system) = (participant.clone(), system.to_owned());
        self.write(Kind::Work, 1, move |core| {
            core.clear_misses(&participant, &system, &actor)
        })
        .await
    }

    async fn answers(
        &self,
        job: JobId,
        after_position: u32,
        limit: usize,
    ) -> Result<Vec<ItemAnswer>, StoreError> {
        self.query(move |queries| queries.answers(job, after_position, limit))
            .await
    }

    async fn erase_answers(&self, job: JobId, position: u32) -> Result<(), StoreError> {
        // Each part deletes some of the job's items, of which there is a bounded number.
        while self
            .write(Kind::Work, 1, move |core| core.erase_answers(job, position))
            .await?
        {}
        Ok(())
    }

    async fn claim_items(&self, terms: ClaimTerms) -> Result<Vec<Message>, StoreError> {
        self.write(Kind::Work, 1, move |core| core.claim_items(terms))
            .await
    }

    async fn unclaim_items(&self, messages: &[Message], at: Timestamp) -> Result<(), StoreError> {
        let messages = messages.to_vec();
        self.write(Kind::Work, messages.len(), move |core| {
            core.unclaim_items(&messages, at)
        })
        .await
    }

    async fn begin_items(
        &self,
        messages: &[Message],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Option<ItemWork>>, StoreError> {
        let messages = messages.to_vec();
        let begun = self
            .write(Kind::Work, messages.len(), move |core| {
                core.begin_items(&messages, now, lease_until)
            })
            .await?;
        let mut unreadable = Vec::new();
        let works = begun
            .into_iter()
            .map(|begun| self.opened(begun?, now, &mut unreadable))
            .collect();
        if !unreadable.is_empty() {
            self.finish_items(unreadable).await?;
        }
        Ok(works)
    }

    async fn finish_items(&self, finishes: Vec<ItemFinish>) -> Result<Vec<Finished>, StoreError> {
        let finishes: Vec<_> = finishes.into_iter().map(EncodedFinish::from).collect();
        self.write(Kind::Work, finishes.len(), move |core| {
            core.finish_items(&finishes)
        })
        .await
    }

    async fn expire_items(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write(Kind::Work, 1, move |core| core.expire_items(now, limit))
            .await
    }

    async fn recover_items(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(Kind::Work, 1, move |core| core.recover_items(now))
            .await
    }

    async fn next_item_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.query(|queries| queries.next_item_due()).await
    }

    async fn erase_jobs(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let erased = self
            .write(Kind::Work, 1, move |core| core.erase_jobs(now, limit))
            .await?;
        self.tidy_jobs().await;
        Ok(erased)
    }
}

impl SqliteStore {
    /// Deletes what cancelled and erased jobs have left. That is decided and durable already, so a failure
    /// only means that the next sweep goes on.
    async fn tidy_jobs(&self) {
        for _ in 0..TIDY_PARTS_MAX {
            match self.write(Kind::Work, 1, Core::tidy_jobs).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "items of ended jobs are deleted later"
                    );
                    return;
                }
            }
        }
    }

    /// What a worker gets. An item that cannot be read must not be tried for ever: it is told and given up.
    fn opened(
        &self,
        begun: BegunItem,
        now: Timestamp,
        unreadable: &mut Vec<ItemFinish>,
    ) -> Option<ItemWork> {
        let message = begun.message();
        begun
            .into_work(&self.vault)
            .map_err(|failure| {
                let error = StoreError::from(failure);
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "an item of a job cannot be read"
                );
                unreadable.push(ItemFinish {
                    message,
                    next: ItemNext::Failed(ErrorCode::Internal),
                    usage: None,
                    misses_percent_max: 100,
                    now,
                });
            })
            .ok()
    }
}
