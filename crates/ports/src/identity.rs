//! The identity side of the store: usage records, guard actions and verification jobs.
//!
//! As with [`Store`](crate::Store), one method is one transaction and an answer may be relied on after a
//! power cut. Claims and answers of jobs are kept sealed under a key of their job; usage records hold a keyed
//! pseudonym and no value.
//!
//! The life of an item, carried by the broker as deliveries are, under the name [`queue`]:
//!
//! ```text
//! add_items ──> Ready ──claim: fence + 1, lease──> Sent ──begin: only this fence──> Calling ──finish──> Done
//!                 ^─────────── unclaim, lease ran out, retry ───────────┴──────────────┘
//! ```
//!
//! Only items of running jobs are claimed and begun. A cancellation withdraws what is Ready or Sent, as if it
//! had never been added; what is Calling may still be answered, and is withdrawn if it is not.
//!
//! **Misses.** Every answer is noted on the slate of its system, in the transaction that keeps the answer. When too
//! many are misses, the same transaction holds all jobs of the system: what runs is paused, what is paused gets
//! `JOB_MISSES_TOO_MANY` for its reason whatever it was, nothing new is opened, and nothing is resumed. Only an operator
//! lifts the hold, with a clean slate. So a hold survives a restart, and a job of one item is too late.

pub mod misses;
pub mod usage;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lienthong_domain::identity::{
    Claims, Inquiry, JobId, JobState, OfficialId, Pseudonym, UsageId, Verification,
};
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{DeliveryId, DestinationName, ErrorCode, Timestamp};

use crate::broker::Message;
use crate::store::{Actor, ClaimTerms, StoreError};

pub use usage::{Asker, SubjectLink, UsageDraft, UsageFilter, UsageRow};

/// The broker's destination name for items of jobs: its queue is `work.identity`. No destination may be called so.
pub fn queue() -> DestinationName {
    DestinationName::parse("identity").expect("it has the form of a destination's name")
}

/// What the key of a job begins with that is a question put off, and not a caller's own job.
pub const DEFERRED: &str = "defer/";

/// Most jobs of one system that are not done, cancelled or erased; questions put off are counted apart.
pub const OPEN_JOBS_MAX: u32 = 100;

/// Most questions of one system that are put off and not yet answered.
pub const OPEN_DEFERRED_MAX: u32 = 1_000;

/// How long the row of an erased job stays after its `erase_at`. Then its key may be used anew.
pub const ERASED_KEEP: Duration = Duration::from_hours(24 * 30);

/// Attempts at an item at which it is given up when its worker vanishes once more. It is more than any schedule of
/// retries has, so that an item fails for this reason only if it was its workers that did not come back.
pub const ATTEMPTS_MAX: u32 = 10;

/// Set in the delivery id of a message that means an item, so that items and deliveries are never mixed up.
const ITEM_BIT: i64 = 1 << 61;

/// The number of an item of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(pub i64);

impl ItemId {
    /// The id as a broker message carries it.
    pub const fn as_delivery(self) -> DeliveryId {
        DeliveryId(self.0 | ITEM_BIT)
    }

    /// The item that a message means; `None` for a delivery.
    pub const fn of_delivery(delivery: DeliveryId) -> Option<Self> {
        if delivery.0 & ITEM_BIT != 0 {
            Some(Self(delivery.0 & !ITEM_BIT))
        } else {
            None
        }
    }
}

/// Something that was done to a guard, kept for ever and read at every start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardAction {
    /// When.
    pub at: Timestamp,
    /// Against whom: participant and system.
    pub participant: ParticipantId,
    /// The system.
    pub system: Arc<str>,
    /// The official; `None` for the whole system.
    pub official: Option<OfficialId>,
    /// What.
    pub kind: GuardActionKind,
    /// By whom: `participant/system` of an operator, or `gateway`.
    pub by: String,
    /// Why: an error code's name, or an operator's words.
    pub reason: String,
}

/// What was done to a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardActionKind {
    /// The gateway holds the asker until an operator approves.
    Held,
    /// The gateway blocks the asker: the second hold within the configured days.
    Blocked,
    /// An operator lets the asker go on, with a clean slate.
    Lifted,
}

/// A job to be opened.
#[derive(Clone, Debug)]
pub struct JobDraft {
    /// The caller's name for it; the same key of the same participant and system means the same job.
    pub key: String,
    /// Who asks; the official is the one of the inquiry.
    pub asker: Asker,
    /// Why.
    pub inquiry: Inquiry,
    /// Items that will come, at most [`ITEMS_MAX`](lienthong_domain::identity::job::ITEMS_MAX).
    pub items_total: u32,
    /// How long it may stand still: while items are coming, while it is paused, and after it was finished or
    /// cancelled. A running job has no such bound.
    pub keep: Duration,
    /// Our clock.
    pub now: Timestamp,
}

/// A job and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// Its number.
    pub id: JobId,
    /// The caller's name for it.
    pub key: String,
    /// Who asks.
    pub asker: Asker,
    /// Why.
    pub inquiry: Inquiry,
    /// Where it stands.
    pub state: JobState,
    /// Why it stands still, when the gateway paused it.
    pub state_reason: Option<ErrorCode>,
    /// Items announced.
    pub items_total: u32,
    /// Items received, the faulty ones included; their positions have no gaps.
    pub items_received: u32,
    /// Items that match.
    pub items_matched: u32,
    /// Items that do not.
    pub items_not_matched: u32,
    /// Items nobody can decide.
    pub items_undecided: u32,
    /// Items without an answer in the end.
    pub items_failed: u32,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When the last item was answered, or the job cancelled.
    pub finished_at: Option<Timestamp>,
    /// When what is left of it will be erased; `None` while it runs, and afterwards.
    pub erase_at: Option<Timestamp>,
}

impl JobRow {
    /// Items answered, whatever the answer.
    pub const fn items_answered(&self) -> u32 {
        self.items_matched + self.items_not_matched + self.items_undecided + self.items_failed
    }
}

/// An item to be added: its claims, or why it cannot be asked.
#[derive(Clone, Debug)]
pub struct ItemDraft {
    /// The claims; `Err` for a faulty item, which counts as answered.
    pub claims: Result<Claims, ErrorCode>,
}

/// An item in a worker's hands.
#[derive(Clone, Debug)]
pub struct ItemWork {
    /// The message it came with.
    pub message: Message,
    /// The item.
    pub item: ItemId,
    /// Its job.
    pub job: JobId,
    /// Its position in the job, from 1.
    pub position: u32,
    /// Who asks.
    pub asker: Asker,
    /// Why.
    pub inquiry: Inquiry,
    /// What is claimed.
    pub claims: Claims,
    /// Its job is a question that was put off: the key begins with [`DEFERRED`].
    pub deferred: bool,
    /// Attempts that ended without an answer: retries that count, and workers that vanished.
    pub attempts: u32,
}

/// How an attempt at an item ended.
#[derive(Clone, Debug)]
pub struct ItemFinish {
    /// The message it came with.
    pub message: Message,
    /// What follows.
    pub next: ItemNext,
    /// The usage record, written in the same transaction; `None` only when nothing was asked.
    pub usage: Option<UsageDraft>,
    /// Share of misses among a system's newest answers above which its jobs are held, in percent; 100 never holds.
    pub misses_percent_max: u32,
    /// Our clock.
    pub now: Timestamp,
}

/// What became of the end of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// The message was stale: nothing happened to the item, its usage record is written all the same.
    Stale,
    /// It is kept.
    Kept,
    /// It is kept, and was one miss too many: the jobs of its system are held from now on.
    Held,
}

/// What follows an attempt at an item.
#[derive(Clone, Debug)]
pub enum ItemNext {
    /// It is answered.
    Answered(Verification),
    /// It is tried again.
    Retry {
        /// Not before.
        at: Timestamp,
        /// Whether the attempt counts.
        counted: bool,
    },
    /// It is given up.
    Failed(ErrorCode),
}

/// One answer of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemAnswer {
    /// Position of the item.
    pub position: u32,
    /// The answer, or why there is none.
    pub result: Result<Verification, ErrorCode>,
    /// The usage record of the last look, if one was made.
    pub usage: Option<UsageId>,
}

/// What is done to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobCommand {
    /// Running to Paused, with the gateway's reason if it was the gateway.
    Pause(Option<ErrorCode>),
    /// Paused to Running.
    Resume,
    /// To Cancelled; claims not yet asked are erased at once.
    Cancel,
}

/// Why a job was not changed or extended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobRefusal {
    /// There is none.
    NotFound,
    /// Its state does not permit it.
    State(JobState),
    /// Items with a gap before them: the next position is this one.
    Gap {
        /// The position expected.
        next_position: u32,
    },
    /// The key was used for a job of another purpose, dossier or size.
    KeyReused,
    /// More items than announced.
    TooMany,
    /// The system has as many open jobs as it may.
    TooManyOpen {
        /// [`OPEN_JOBS_MAX`] or [`OPEN_DEFERRED_MAX`].
        max: u32,
    },
    /// The jobs of the system are held for their misses until an operator lifts it.
    Held,
}

/// Keeps usage records, guard actions and verification jobs. Lists are bounded by
/// [`ITEMS_MAX`](crate::store::ITEMS_MAX).
#[async_trait]
pub trait IdentityStore: Send + Sync {
    /// Writes usage records; one id per draft, same order. When it returns they survive a power cut. The two numbers
    /// that [`SubjectLink::told_by`] finds in the drafts are linked in the same transaction, once and for good.
    async fn record_usage(&self, drafts: Vec<UsageDraft>) -> Result<Vec<UsageId>, StoreError>;

    /// The pseudonyms that were told to be this citizen's under another number, at most the newest
    /// [`OTHER_NUMBERS_MAX`](usage::OTHER_NUMBERS_MAX). Links of links are not followed.
    async fn other_numbers(&self, subject: Pseudonym) -> Result<Vec<Pseudonym>, StoreError>;

    /// Which pseudonyms are one citizen's, in the order it was told, at most the newest
    /// [`LINKS_MAX`](usage::LINKS_MAX).
    async fn subject_links(&self) -> Result<Vec<SubjectLink>, StoreError>;

    /// Usage records below `before`, newest first. Of citizens each look is told once: what
    /// [`UsageDraft::is_under_other_number`] is left out where the look itself is told.
    async fn usage(
        &self,
        filter: UsageFilter,
        before: Option<UsageId>,
        limit: usize,
    ) -> Result<Vec<UsageRow>, StoreError>;

    /// Usage records above `after` and at or after `since`, in the order they were written: from these the guards
    /// are rebuilt. A clock that was set back hides none of them.
    async fn usage_since(
        &self,
        since: Timestamp,
        after: UsageId,
        limit: usize,
    ) -> Result<Vec<UsageRow>, StoreError>;

    /// Keeps what was done to guards. A [`GuardActionKind::Lifted`] also leaves an action `lift_guard`, on
    /// `participant/system`, in the same transaction; which official was meant stays in the guard action.
    async fn record_guard_actions(&self, actions: Vec<GuardAction>) -> Result<(), StoreError>;

    /// What was done to guards at or after `since`, in the order it was written, at most the newest 10,000.
    async fn guard_actions(&self, since: Timestamp) -> Result<Vec<GuardAction>, StoreError>;

    /// Opens a job, or finds the one with the same key, whatever its state. A new one is refused while the jobs of its
    /// system are held, and when the system has [`OPEN_JOBS_MAX`] open ones ([`OPEN_DEFERRED_MAX`] put off).
    async fn open_job(&self, draft: JobDraft) -> Result<Result<JobRow, JobRefusal>, StoreError>;

    /// Adds items from `first_position` (from 1) on; positions already there are skipped, also when nothing more
    /// is missing. After a refusal none is added. The job runs once all announced items are there, is paused while the
    /// jobs of its system are held, and is done at once if none of them can be asked.
    async fn add_items(
        &self,
        job: JobId,
        first_position: u32,
        items: Vec<ItemDraft>,
        now: Timestamp,
    ) -> Result<Result<JobRow, JobRefusal>, StoreError>;

    /// One job.
    async fn job(&self, job: JobId) -> Result<Option<JobRow>, StoreError>;

    /// The job of a participant's system with this key.
    async fn job_by_key(&self, asker: &Asker, key: &str) -> Result<Option<JobRow>, StoreError>;

    /// Jobs of a participant (all for `None`) below `before`, newest first.
    async fn jobs(
        &self,
        participant: Option<ParticipantId>,
        before: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobRow>, StoreError>;

    /// Pauses, resumes or cancels a job; doing it twice is harmless. Where `actor`, an operator, is given and something
    /// changes, an action is kept: `pause_job`, `resume_job` or `cancel_job`, on the job's id. A paused job keeps the
    /// first reason that the gateway gives, but `JOB_MISSES_TOO_MANY` overrides any other. A job with that reason, or of
    /// a system that is held, is resumed by operators only; that, in whatever state the job is, also lifts the hold,
    /// as [`IdentityStore::clear_misses`] does.
    async fn command_job(
        &self,
        job: JobId,
        command: JobCommand,
        actor: Option<Actor>,
        now: Timestamp,
    ) -> Result<Result<JobRow, JobRefusal>, StoreError>;

    /// Cleans the slate of a system for an operator; whether its jobs were held. Then they stay paused without a reason,
    /// so their owner may resume them, and an action `clear_misses` is kept, on `participant/system`.
    async fn clear_misses(
        &self,
        participant: &ParticipantId,
        system: &str,
        actor: Actor,
    ) -> Result<bool, StoreError>;

    /// Answers after `after_position`, in the order of positions, up to the first item that is not answered.
    /// What a cancellation withdrew is left out, and so is what was erased.
    async fn answers(
        &self,
        job: JobId,
        after_position: u32,
        limit: usize,
    ) -> Result<Vec<ItemAnswer>, StoreError>;

    /// Erases claims and answers up to `position`, but nothing from the first item on that is not answered. A done
    /// or cancelled job of which nothing is left is Erased. Large jobs are erased in parts: after a failure, or
    /// a crash, call again.
    async fn erase_answers(&self, job: JobId, position: u32) -> Result<(), StoreError>;

    /// Claims due items of running jobs, taking turns between the jobs: Ready to Sent, fence + 1, leased. Each due
    /// job gets an equal share first; jobs that got nothing go first the next time.
    async fn claim_items(&self, terms: ClaimTerms) -> Result<Vec<Message>, StoreError>;

    /// Gives claims back that were certainly not published, or not begun: Sent to Ready at `at`, nothing counted.
    async fn unclaim_items(&self, messages: &[Message], at: Timestamp) -> Result<(), StoreError>;

    /// Starts attempts: Sent to Calling if the fence is the newest and the job still runs (else back to Ready).
    /// `None` for a message that is stale, and for an item that cannot be read, which is given up. One answer per
    /// message, same order.
    async fn begin_items(
        &self,
        messages: &[Message],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Option<ItemWork>>, StoreError>;

    /// Ends attempts, with their usage records, the counts of their jobs and the slates of their systems, in one
    /// transaction. What [`misses::is_miss`] says of an answer is noted; a miss that makes too many of them holds all
    /// jobs of the system. One answer per finish, same order.
    async fn finish_items(&self, finishes: Vec<ItemFinish>) -> Result<Vec<Finished>, StoreError>;

    /// Ends leases that ran out before `now`, at most `limit`: Sent becomes Ready; Calling becomes Ready with one
    /// attempt more, because its worker vanished, and at [`ATTEMPTS_MAX`] it is given up as `INTERNAL`. How many.
    async fn expire_items(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// After a start of the only process: makes every Sent item Ready.
    async fn recover_items(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// When the next Ready item of a running job is due.
    async fn next_item_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Erases jobs whose `erase_at` has come, at most `limit`: their key is destroyed, what it sealed is deleted,
    /// the row stays for [`ERASED_KEEP`]. How many. Also deletes rows whose time is over, at most `limit`, but never the
    /// newest, so that no number comes twice; and what an interrupted cancellation or erasure has left.
    async fn erase_jobs(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
