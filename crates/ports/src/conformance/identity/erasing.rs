//! Promises about what is erased, and about what stays.

use lienthong_domain::identity::JobState::{Cancelled, Done, Erased, Paused, Running, Uploading};
use lienthong_domain::identity::{UsageId, Verdict};

use super::Subject;
use super::fixture::{Desk, KEEP_SECONDS, answered, asker, draft};
use crate::conformance::store::at;
use crate::identity::{ERASED_KEEP, JobCommand, JobRefusal, UsageFilter};
use crate::store::StoreError;

/// What was read is gone, what was not is there.
pub async fn answers_are_erased_up_to_a_position(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.running("k", 5).await;
    desk.answer(10, Verdict::Match, 2).await;
    let before = desk.job(job).await;
    for _ in 0..2 {
        desk.identity.erase_answers(job, 3).await.expect("erase");
        assert_eq!(desk.positions(job, 0).await, [4, 5]);
    }
    assert_eq!(desk.job(job).await, before, "the job is as it was");
    let usage = desk.identity.usage(UsageFilter::default(), None, 10).await;
    assert_eq!(usage.expect("usage").len(), 5, "records stay");
}

/// Whatever position is named.
pub async fn open_items_are_never_erased(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.running("k", 4).await;
    let works = desk.work(3, 2).await;
    for index in [0, 2] {
        let message = works[index].message;
        assert!(desk.finish(message, answered(Verdict::Match), 3).await);
    }
    desk.identity
        .erase_answers(job, u32::MAX)
        .await
        .expect("erase");
    assert!(desk.answers(job, 0).await.is_empty(), "2 is open");
    assert!(
        desk.finish(works[1].message, answered(Verdict::Match), 3)
            .await
    );
    assert_eq!(desk.positions(job, 0).await, [2, 3]);
    let last = desk.work_one(4).await;
    assert_eq!(last.position, 4);
    assert_eq!(desk.job(job).await.state, Running);
}

/// Once everything was read, nothing is kept.
pub async fn a_finished_job_without_answers_is_erased(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let done = desk.running("done", 3).await;
    let cancelled = desk.running("cancelled", 2).await;
    let works = desk.work(10, 2).await;
    for work in &works {
        if work.job == done || work.position == 1 {
            assert!(desk.finish(work.message, answered(Verdict::Match), 2).await);
        }
    }
    desk.command(cancelled, JobCommand::Cancel, 3)
        .await
        .expect("cancelled");
    desk.identity
        .erase_answers(cancelled, 2)
        .await
        .expect("erase");
    assert_eq!(
        desk.job(cancelled).await.state,
        Cancelled,
        "one is being asked"
    );
    let last = works
        .iter()
        .find(|work| work.job == cancelled && work.position == 2);
    let last = last.expect("two items").message;
    assert!(desk.finish(last, answered(Verdict::Match), 4).await);
    assert_eq!(desk.positions(cancelled, 0).await, [2]);
    for job in [done, cancelled] {
        let before = desk.job(job).await;
        desk.identity.erase_answers(job, 3).await.expect("erase");
        let row = desk.job(job).await;
        assert_eq!((row.state, row.erase_at), (Erased, None));
        assert_eq!(row.finished_at, before.finished_at);
        assert_eq!(row.items_answered(), before.items_answered());
        assert!(desk.answers(job, 0).await.is_empty());
    }
}

/// Whatever stands still for too long; what runs does not.
pub async fn a_job_is_erased_when_its_time_comes(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let running = desk.running("running", 1).await;
    let uploading = desk.open_job("uploading", 2).await.id;
    desk.add(uploading, 1, &[true]).await.expect("room");
    let paused = desk.running("paused", 1).await;
    desk.command(paused, JobCommand::Pause(None), 10)
        .await
        .expect("paused");
    let done = desk.open_job("done", 1).await.id;
    desk.add(done, 1, &[false]).await.expect("room");
    let state = async |job| desk.job(job).await.state;
    let erase = async |seconds, limit| {
        let erased = desk.identity.erase_jobs(at(seconds), limit).await;
        erased.expect("erase")
    };
    assert_eq!(erase(KEEP_SECONDS - 1, 10).await, 0);
    assert_eq!(erase(KEEP_SECONDS, 10).await, 1);
    assert_eq!((state(uploading).await, state(done).await), (Erased, Done));
    assert_eq!(state(paused).await, Paused);
    assert_eq!(
        erase(KEEP_SECONDS + 10, 1).await,
        1,
        "the limit bounds a sweep"
    );
    assert_eq!(erase(KEEP_SECONDS + 10, 10).await, 1);
    assert_eq!((state(done).await, state(paused).await), (Erased, Erased));
    assert!(desk.answers(done, 0).await.is_empty());
    assert_eq!(erase(KEEP_SECONDS * 100, 10).await, 0);
    assert_eq!(state(running).await, Running);
    assert_eq!(desk.work_one(20).await.job, running);
    let found = desk.identity.job_by_key(&asker("H21"), "done").await;
    assert_eq!(found.expect("job").map(|row| row.id), Some(done));
}

/// No upload, no answer, no command; but a look is a look.
pub async fn an_erased_job_takes_nothing_more(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let uploading = desk.open_job("k", 2).await.id;
    let asked = desk.running("asked", 2).await;
    let works = desk.work(2, 2).await;
    desk.command(asked, JobCommand::Pause(None), 3)
        .await
        .expect("paused");
    let erased = desk.identity.erase_jobs(at(3 + KEEP_SECONDS), 10).await;
    assert_eq!(erased.expect("erase"), 2);
    let late = 4 + KEEP_SECONDS;
    assert!(
        !desk
            .finish(works[0].message, answered(Verdict::Match), late)
            .await
    );
    assert_eq!(desk.job(asked).await.items_answered(), 0);
    let usage = desk.identity.usage(UsageFilter::default(), None, 10).await;
    assert_eq!(usage.expect("usage").len(), 1);
    let expired = desk.identity.expire_items(at(late * 2), 10).await;
    assert_eq!(expired.expect("expire"), 0, "its items are gone");
    for refused in [
        desk.add(uploading, 1, &[true]).await,
        desk.command(uploading, JobCommand::Resume, late).await,
    ] {
        assert_eq!(refused, Err(JobRefusal::State(Erased)));
    }
    let reopened = desk.identity.open_job(draft("k", 2)).await.expect("open");
    assert_eq!(
        reopened.map(|row| row.state),
        Ok(Erased),
        "a key is used once"
    );
}

/// Its key may then be used anew, its number never.
pub async fn the_row_of_an_erased_job_has_an_end_too(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let first = desk.open_job("k", 1).await.id;
    let newest = desk.open_job("newest", 1).await.id;
    let sweep = async |seconds| {
        let erased = desk.identity.erase_jobs(at(seconds), 10).await;
        erased.expect("erase")
    };
    assert_eq!(sweep(KEEP_SECONDS).await, 2);
    let kept = i64::try_from(ERASED_KEEP.as_secs()).expect("a month");
    let end = KEEP_SECONDS + kept;
    assert_eq!(sweep(end - 1).await, 0);
    assert_eq!(desk.job(first).await.state, Erased);
    assert_eq!(sweep(end).await, 0, "they were erased before");
    let gone = desk.identity.job(first).await.expect("job");
    assert_eq!(gone, None);
    assert_eq!(
        desk.job(newest).await.state,
        Erased,
        "its number must not come twice"
    );
    let again = desk.open_job("k", 1).await;
    assert!(again.id > newest);
    assert_eq!(sweep(end).await, 1, "the new job is as old as the first");
    assert_eq!(desk.identity.job(newest).await.expect("job"), None);
}

/// More items than one part of a deletion has.
pub async fn large_jobs_are_erased_whole(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let read = desk.running("read", 1_700).await;
    for second in 2..=6 {
        desk.answer(400, Verdict::Match, second).await;
    }
    assert_eq!(desk.job(read).await.state, Done);
    desk.identity
        .erase_answers(read, 1_699)
        .await
        .expect("erase");
    assert_eq!(desk.positions(read, 0).await, [1_700]);
    desk.identity
        .erase_answers(read, 1_700)
        .await
        .expect("erase");
    assert_eq!(desk.job(read).await.state, Erased);

    let cancelled = desk.running("cancelled", 1_700).await;
    desk.answer(1, Verdict::Match, 7).await;
    desk.command(cancelled, JobCommand::Cancel, 8)
        .await
        .expect("cancelled");
    assert_eq!(desk.positions(cancelled, 0).await, [1]);
    desk.identity
        .erase_answers(cancelled, 1)
        .await
        .expect("erase");
    assert_eq!(
        desk.job(cancelled).await.state,
        Erased,
        "no withdrawn item is left"
    );
}

/// A store that is closed, or only forgotten, and opened again.
pub async fn reopening_keeps_jobs_and_usage(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let running = desk.running("running", 3).await;
    desk.answer(1, Verdict::Undecided, 2).await;
    let calling = desk.work(1, 3).await;
    let uploading = desk.open_job("uploading", 2).await.id;
    desk.add(uploading, 1, &[true]).await.expect("room");
    let rows = [desk.job(running).await, desk.job(uploading).await];
    let answers = desk.answers(running, 0).await;
    let usage = desk.identity.usage_since(at(0), UsageId(0), 10).await;
    let usage = usage.expect("usage");

    let desk = Desk::open(subject).await;
    assert_eq!([desk.job(running).await, desk.job(uploading).await], rows);
    assert_eq!(desk.answers(running, 0).await, answers);
    let again = desk.identity.usage_since(at(0), UsageId(0), 10).await;
    assert_eq!(again.expect("usage"), usage);
    let message = calling[0].message;
    assert!(desk.finish(message, answered(Verdict::Match), 4).await);
    assert_eq!(desk.work_one(5).await.position, 3);
    let row = desk.add(uploading, 2, &[true]).await.expect("room");
    assert_eq!((row.state, rows[1].state), (Running, Uploading));
}

/// As with the other side.
pub async fn a_closed_store_says_so_of_identity(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    desk.store.close().await;
    let opened = desk.identity.open_job(draft("k", 1)).await;
    assert!(matches!(opened, Err(StoreError::Closed)), "{opened:?}");
    let due = desk.identity.next_item_due().await;
    assert!(matches!(due, Err(StoreError::Closed)), "{due:?}");
}
