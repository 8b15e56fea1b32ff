//! Promises about opening and filling jobs.

use lienthong_domain::ErrorCode;
use lienthong_domain::identity::JobState::{Done, Running, Uploading};
use lienthong_domain::identity::{JobId, OfficialId, PurposeCode};

use super::Subject;
use super::fixture::{Desk, KEEP_SECONDS, asker, draft, inquiry};
use crate::conformance::store::at;
use crate::identity::{JobCommand, JobDraft, JobRefusal, OPEN_JOBS_MAX};

/// A repeated opening finds the job as it stands.
pub async fn a_job_is_opened_once_per_key(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let opened = desk.open_job("lam-sach-2025", 3).await;
    assert_eq!((opened.state, opened.items_total), (Uploading, 3));
    assert_eq!(
        (opened.items_received, opened.items_answered()),
        (0, 0),
        "nothing has come yet"
    );
    assert_eq!(
        (&opened.asker, &opened.inquiry),
        (&asker("H21"), &inquiry())
    );
    assert_eq!((opened.created_at, opened.finished_at), (at(0), None));
    assert_eq!(opened.erase_at, Some(at(KEEP_SECONDS)));

    let added = desk.add(opened.id, 1, &[true]).await.expect("room");
    let again = JobDraft {
        now: at(50),
        ..draft("lam-sach-2025", 3)
    };
    let again = desk.identity.open_job(again).await.expect("open");
    assert_eq!(again, Ok(added.clone()));
    let by_key = desk
        .identity
        .job_by_key(&asker("H21"), "lam-sach-2025")
        .await;
    assert_eq!(by_key.expect("job"), Some(added));
    let other = desk.identity.job_by_key(&asker("H21"), "khac").await;
    assert_eq!(other.expect("job"), None);
}

/// Equal keys of others mean other jobs.
pub async fn keys_belong_to_their_participant_and_system(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let first = desk.open_job("k", 1).await;
    let mut other_system = draft("k", 1);
    other_system.asker.system = "vilis".into();
    let mut other_participant = draft("k", 1);
    other_participant.asker = asker("H57");
    let mut ids = vec![first.id];
    for draft in [other_system, other_participant] {
        let asker = draft.asker.clone();
        let opened = desk.identity.open_job(draft).await.expect("open");
        let opened = opened.expect("a job of its own");
        let found = desk.identity.job_by_key(&asker, "k").await.expect("job");
        assert_eq!(found.as_ref(), Some(&opened));
        ids.push(opened.id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

/// Per system; questions put off are counted apart, and what has ended not at all.
pub async fn open_jobs_are_bounded(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let open = async |draft| {
        let opened = desk.identity.open_job(draft).await.expect("open");
        opened.map(|row| row.id)
    };
    let first = open(draft("k0", 1)).await.expect("room");
    for number in 1..OPEN_JOBS_MAX {
        let opened = open(draft(&format!("k{number}"), 1)).await;
        assert!(opened.is_ok(), "{number}: {opened:?}");
    }
    let full = Err(JobRefusal::TooManyOpen { max: OPEN_JOBS_MAX });
    assert_eq!(open(draft("more", 1)).await, full);
    assert_eq!(
        open(draft("k0", 1)).await,
        Ok(first),
        "a known one is found"
    );
    let mut neighbour = draft("more", 1);
    neighbour.asker.system = "vilis".into();
    assert!(open(neighbour).await.is_ok(), "another system has its own");
    let deferred = open(draft("defer/0199", 1)).await;
    assert!(deferred.is_ok(), "a question put off is no such job");
    assert_eq!(open(draft("more", 1)).await, full);
    desk.command(first, JobCommand::Cancel, 2)
        .await
        .expect("cancelled");
    assert!(open(draft("more", 1)).await.is_ok());
    assert_eq!(open(draft("still more", 1)).await, full);
}

/// Another purpose, dossier, official or size.
pub async fn a_reused_job_key_is_refused(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let opened = desk.open_job("k", 2).await;
    let mut purpose = draft("k", 2);
    purpose.inquiry.purpose = PurposeCode::parse("LAND").expect("a purpose");
    let mut dossier = draft("k", 2);
    dossier.inquiry.dossier = None;
    let mut official = draft("k", 2);
    official.inquiry.official = OfficialId::parse("tranthib").expect("an official");
    for reused in [purpose, dossier, official, draft("k", 3)] {
        let refused = desk.identity.open_job(reused).await.expect("open");
        assert_eq!(refused, Err(JobRefusal::KeyReused));
    }
    assert_eq!(desk.job(opened.id).await, opened, "nothing has changed");
}

/// A job too large is not opened.
pub async fn a_job_has_a_bound(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let max = lienthong_domain::identity::job::ITEMS_MAX;
    let refused = desk.identity.open_job(draft("k", max + 1)).await;
    assert_eq!(refused.expect("open"), Err(JobRefusal::TooMany));
    assert_eq!(desk.open_job("k", max).await.items_total, max);
}

/// A lost part of an upload is noticed.
pub async fn items_leave_no_gap(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.open_job("k", 5).await.id;
    let unknown = desk.add(JobId(job.0 + 1), 1, &[true]).await;
    assert_eq!(unknown, Err(JobRefusal::NotFound));
    let gap = |next_position| Err(JobRefusal::Gap { next_position });
    assert_eq!(desk.add(job, 2, &[true]).await, gap(1));
    assert_eq!(desk.add(job, 0, &[true]).await, gap(1));
    desk.add(job, 1, &[true, true]).await.expect("no gap");
    assert_eq!(desk.add(job, 4, &[true]).await, gap(3));
    assert_eq!(desk.job(job).await.items_received, 2);
}

/// A repeated part changes nothing, an overlapping one adds what is new, also when all are there.
pub async fn items_added_twice_are_skipped(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.open_job("k", 3).await.id;
    let first = desk.add(job, 1, &[true, false]).await.expect("room");
    assert_eq!((first.items_received, first.items_failed), (2, 1));
    let again = desk.add(job, 1, &[true, false]).await;
    assert_eq!(again, Ok(first));
    let overlapping = desk.add(job, 2, &[false, true]).await.expect("room");
    assert_eq!(
        (overlapping.items_received, overlapping.items_failed),
        (3, 1)
    );
    assert_eq!(overlapping.state, Running);
    let late = desk.add(job, 1, &[true, false, true]).await;
    assert_eq!(late, Ok(overlapping));
    assert_eq!(desk.work(10, 2).await.len(), 2, "each good item once");
}

/// More than were announced.
pub async fn items_beyond_the_announced_are_refused(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.open_job("k", 2).await.id;
    let refused = desk.add(job, 1, &[true, true, true]).await;
    assert_eq!(refused, Err(JobRefusal::TooMany));
    assert_eq!(desk.job(job).await.items_received, 0, "none is added");
    desk.add(job, 1, &[true, true]).await.expect("room");
    let refused = desk.add(job, 3, &[true]).await;
    assert_eq!(refused, Err(JobRefusal::TooMany));
}

/// Nothing is asked before, everything after.
pub async fn a_job_runs_once_it_is_complete(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.open_job("k", 3).await.id;
    desk.add(job, 1, &[true, false]).await.expect("room");
    assert_eq!(desk.claim(10, 2).await, [], "items are still coming");
    assert_eq!(desk.identity.next_item_due().await.expect("due"), None);
    let row = desk.add(job, 3, &[true]).await.expect("room");
    assert_eq!((row.state, row.erase_at), (Running, None));
    assert_eq!(
        desk.identity.next_item_due().await.expect("due"),
        Some(at(1))
    );
    let positions: Vec<_> = desk.work(10, 2).await;
    let positions: Vec<_> = positions.iter().map(|work| work.position).collect();
    assert_eq!(positions, [1, 3]);
}

/// Faulty items only, and no items at all.
pub async fn a_job_that_cannot_be_asked_is_done_at_once(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let faulty = desk.open_job("faulty", 2).await.id;
    desk.add(faulty, 1, &[false]).await.expect("room");
    let row = desk.add(faulty, 2, &[false]).await.expect("room");
    assert_eq!((row.state, row.items_failed), (Done, 2));
    assert_eq!(row.finished_at, Some(at(1)));
    assert_eq!(row.erase_at, Some(at(1 + KEEP_SECONDS)));
    let answers = desk.answers(faulty, 0).await;
    assert_eq!(answers.len(), 2);
    for answer in answers {
        assert_eq!(
            (answer.result, answer.usage),
            (Err(ErrorCode::JobItemFaulty), None)
        );
    }
    let empty = desk.open_job("empty", 0).await.id;
    let row = desk.add(empty, 1, &[]).await.expect("room");
    assert_eq!((row.state, row.items_answered()), (Done, 0));
    assert_eq!(desk.claim(10, 2).await, []);
}

/// By participant and in pages.
pub async fn jobs_are_listed_newest_first(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let mut ids = Vec::new();
    for number in 0..6 {
        let mut draft = draft(&format!("k{number}"), 1);
        draft.asker = asker(if number % 2 == 0 { "H21" } else { "H57" });
        let opened = desk.identity.open_job(draft).await.expect("open");
        ids.insert(0, opened.expect("a new job").id);
    }
    let listed = async |participant: Option<&str>, before, limit| -> Vec<JobId> {
        let participant = participant.map(|code| asker(code).participant);
        let rows = desk.identity.jobs(participant, before, limit).await;
        rows.expect("jobs").iter().map(|row| row.id).collect()
    };
    assert_eq!(listed(None, None, 10).await, ids);
    assert_eq!(listed(None, Some(ids[1]), 2).await, ids[2..4]);
    assert_eq!(
        listed(Some("H57"), None, 10).await,
        [ids[0], ids[2], ids[4]]
    );
    assert_eq!(listed(Some("H21"), Some(ids[1]), 1).await, [ids[3]]);
    assert!(listed(Some("H44"), None, 10).await.is_empty());
}
