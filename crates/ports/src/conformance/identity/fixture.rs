//! What the promises need: an official with a question, and a desk to work jobs at.

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::identity::{
    BirthDate, Claims, FieldSet, FullName, IdNumber, Inquiry, JobId, NameLevel, OfficialId,
    OldNumber, Pseudonym, PurposeCode, Sex, UsageKind, UsageOutcome, Verdict, Verification,
};
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{DossierCode, ErrorCode, Private, Text};

use super::{Opened, Subject};
use crate::broker::Message;
use crate::conformance::store::at;
use crate::identity::{
    Asker, Finished, IdentityStore, ItemAnswer, ItemDraft, ItemFinish, ItemNext, ItemWork,
    JobCommand, JobDraft, JobRefusal, JobRow, UsageDraft,
};
use crate::store::{Actor, ClaimTerms, Store};

/// How long jobs of the suite may stand still, in seconds.
pub(super) const KEEP_SECONDS: i64 = 1_000;

/// An official of this participant, at its system `igate`.
pub fn asker(participant: &str) -> Asker {
    Asker {
        participant: ParticipantId::parse(participant).expect("a participant"),
        system: Arc::from("igate"),
        official: OfficialId::parse("nguyenvana.tuphap").expect("an official"),
    }
}

/// Why they ask.
pub fn inquiry() -> Inquiry {
    Inquiry {
        purpose: PurposeCode::parse("CIVIL_STATUS").expect("a purpose"),
        official: OfficialId::parse("nguyenvana.tuphap").expect("an official"),
        dossier: Some(DossierCode::parse("H21.17-250701-0001").expect("a dossier code")),
    }
}

/// Number, name and birth date of an invented citizen.
pub fn claims(number: u32) -> Claims {
    Claims::key(
        IdNumber::parse(&format!("052185{number:06}")).expect("a citizen number"),
        FullName::parse("Nguyễn Thị Ánh Tuyết").expect("a name"),
        BirthDate::parse("1985-02-28").expect("a date"),
    )
}

/// Claims of every kind.
pub fn full_claims() -> Claims {
    let place = |text| Some(Private::new(Text::parse(text).expect("a place")));
    Claims {
        birth: BirthDate::parse("1985").expect("a year"),
        sex: Some(Sex::Female),
        ethnicity: Some(Text::parse("01").expect("a code")),
        old_number: Some(OldNumber::parse("230512345").expect("an old number")),
        home_town: place("Xã Hoài Ân, tỉnh Gia Lai"),
        permanent_residence: place("Số 12/3 Lê Lợi, phường Pleiku, tỉnh Gia Lai"),
        ..claims(1)
    }
}

/// A job of `items_total` items, opened at second 0 by an official of H21.
pub fn draft(key: &str, items_total: u32) -> JobDraft {
    JobDraft {
        key: key.into(),
        asker: asker("H21"),
        inquiry: inquiry(),
        items_total,
        keep: Duration::from_secs(KEEP_SECONDS.unsigned_abs()),
        now: at(0),
    }
}

/// An answer with this verdict on the person.
pub fn verification(verdict: Verdict) -> Verification {
    match verdict {
        Verdict::NoMatch => Verification::no_match(&claims(1)),
        verdict => Verification::of_key(&claims(1), verdict, NameLevel::Exact),
    }
}

/// A record of a look at a citizen, at `seconds`.
pub fn usage_draft(subject: u8, seconds: i64) -> UsageDraft {
    UsageDraft {
        at: at(seconds),
        asker: asker("H21"),
        subject: Some(Pseudonym([subject; 16])),
        block: Some(Pseudonym([subject / 16; 16])),
        purpose: inquiry().purpose,
        dossier: inquiry().dossier,
        kind: UsageKind::Job,
        outcome: UsageOutcome::Matched,
        reason: None,
        asked: FieldSet::KEY,
        shown: FieldSet::EMPTY,
        as_relative: false,
        request_id: format!("yeu-cau-{seconds}"),
    }
}

/// An operator.
pub(super) fn actor(seconds: i64) -> Actor {
    Actor {
        by: "H21/console".into(),
        reason: "theo yêu cầu của Sở Tư pháp".into(),
        now: at(seconds),
    }
}

/// The end of an attempt, with a usage record unless it was a retry.
pub(super) fn end(message: Message, next: ItemNext, seconds: i64) -> ItemFinish {
    let asked = !matches!(next, ItemNext::Retry { .. });
    ItemFinish {
        message,
        next,
        usage: asked.then(|| usage_draft(7, seconds)),
        misses_percent_max: 100,
        now: at(seconds),
    }
}

/// The end of an attempt with an answer.
pub(super) fn answered(verdict: Verdict) -> ItemNext {
    ItemNext::Answered(verification(verdict))
}

/// A database, and the steps of jobs on it.
#[derive(Clone)]
pub struct Desk {
    /// The side under test.
    pub identity: Arc<dyn IdentityStore>,
    /// The other side of the same database.
    pub store: Arc<dyn Store>,
}

impl Desk {
    /// Opens the subject.
    pub async fn open(subject: &dyn Subject) -> Self {
        let Opened { identity, store } = subject.open().await;
        Self { identity, store }
    }

    /// Opens a job of H21 at second 0.
    pub async fn open_job(&self, key: &str, items_total: u32) -> JobRow {
        let opened = self.identity.open_job(draft(key, items_total)).await;
        opened.expect("open").expect("a new job")
    }

    /// Adds items, `false` for a faulty one, at second 1.
    ///
    /// # Errors
    /// The store's refusal.
    pub async fn add(
        &self,
        job: JobId,
        first_position: u32,
        good: &[bool],
    ) -> Result<JobRow, JobRefusal> {
        let items = (first_position..)
            .zip(good)
            .map(|(position, good)| ItemDraft {
                claims: good
                    .then(|| claims(position))
                    .ok_or(ErrorCode::JobItemFaulty),
            })
            .collect();
        let added = self
            .identity
            .add_items(job, first_position, items, at(1))
            .await;
        added.expect("add")
    }

    /// A running job of `items` good items; added by seconds 0 to 1.
    pub async fn running(&self, key: &str, items: u32) -> JobId {
        let job = self.open_job(key, items).await.id;
        let good: Vec<_> = (0..items).map(|_| true).collect();
        for (index, part) in good.chunks(1_000).enumerate() {
            let first = u32::try_from(index * 1_000 + 1).expect("small");
            self.add(job, first, part).await.expect("room for items");
        }
        job
    }

    /// Claims up to `batch` with a window of 1,000 and a lease of a minute.
    pub async fn claim(&self, batch: u32, seconds: i64) -> Vec<Message> {
        let terms = ClaimTerms {
            now: at(seconds),
            lease: Duration::from_mins(1),
            window: 1_000,
            batch,
        };
        self.identity.claim_items(terms).await.expect("claim")
    }

    /// Begins one attempt with a lease of a minute.
    pub async fn begin(&self, message: Message, seconds: i64) -> Option<ItemWork> {
        let begun = self
            .identity
            .begin_items(&[message], at(seconds), at(seconds + 60))
            .await;
        begun.expect("begin").pop().expect("one answer per message")
    }

    /// Claims and begins up to `batch` items.
    pub async fn work(&self, batch: u32, seconds: i64) -> Vec<ItemWork> {
        let messages = self.claim(batch, seconds).await;
        let begun = self
            .identity
            .begin_items(&messages, at(seconds), at(seconds + 60))
            .await
            .expect("begin");
        assert_eq!(begun.len(), messages.len(), "one answer per message");
        begun
            .into_iter()
            .map(|work| work.expect("a fresh claim"))
            .collect()
    }

    /// Claims and begins the only item that is due.
    pub async fn work_one(&self, seconds: i64) -> ItemWork {
        let mut works = self.work(10, seconds).await;
        assert_eq!(works.len(), 1, "exactly one item is due");
        works.remove(0)
    }

    /// Ends an attempt; whether it was not stale.
    pub async fn finish(&self, message: Message, next: ItemNext, seconds: i64) -> bool {
        let finished = self
            .identity
            .finish_items(vec![end(message, next, seconds)])
            .await
            .expect("finish");
        assert_eq!(finished.len(), 1, "one answer per finish");
        finished[0] != Finished::Stale
    }

    /// Claims, begins and answers up to `batch` items in one call each; how many.
    pub async fn answer(&self, batch: u32, verdict: Verdict, seconds: i64) -> usize {
        let works = self.work(batch, seconds).await;
        let ends = works
            .iter()
            .map(|work| end(work.message, answered(verdict), seconds))
            .collect();
        let finished = self.identity.finish_items(ends).await.expect("finish");
        let fresh = |finished: &Finished| *finished == Finished::Kept;
        assert!(finished.iter().all(fresh), "the claims are fresh");
        finished.len()
    }

    /// Commands a job at `seconds`, as the caller's own doing.
    ///
    /// # Errors
    /// The store's refusal.
    pub async fn command(
        &self,
        job: JobId,
        command: JobCommand,
        seconds: i64,
    ) -> Result<JobRow, JobRefusal> {
        let commanded = self
            .identity
            .command_job(job, command, None, at(seconds))
            .await;
        commanded.expect("command")
    }

    /// A job that is there.
    pub async fn job(&self, job: JobId) -> JobRow {
        let row = self.identity.job(job).await.expect("job");
        row.expect("the job is there")
    }

    /// Answers after a position, at most 1,000.
    pub async fn answers(&self, job: JobId, after_position: u32) -> Vec<ItemAnswer> {
        let answers = self.identity.answers(job, after_position, 1_000).await;
        answers.expect("answers")
    }

    /// The positions of [`Desk::answers`].
    pub async fn positions(&self, job: JobId, after_position: u32) -> Vec<u32> {
        let answers = self.answers(job, after_position).await;
        answers.iter().map(|answer| answer.position).collect()
    }
}
