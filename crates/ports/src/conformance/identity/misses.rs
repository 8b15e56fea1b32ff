//! Promises about systems whose jobs look like guessing.

use lienthong_domain::ErrorCode;
use lienthong_domain::identity::JobState::{Done, Paused, Running};
use lienthong_domain::identity::{Field, JobId, Verdict};

use super::Subject;
use super::fixture::{Desk, KEEP_SECONDS, actor, answered, asker, draft, end, verification};
use crate::conformance::store::at;
use crate::identity::misses::ANSWERS_MIN;
use crate::identity::{Finished, ItemNext, JobCommand, JobRefusal, JobRow};

/// Answers what is due with misses, one by one, where 30 percent are permitted; how each ended.
async fn miss(desk: &Desk, items: u32, seconds: i64) -> Vec<Finished> {
    let mut ends = Vec::new();
    for work in desk.work(items, seconds).await {
        let mut finish = end(work.message, answered(Verdict::NoMatch), seconds);
        finish.misses_percent_max = 30;
        let finished = desk.identity.finish_items(vec![finish]).await;
        ends.extend(finished.expect("finish"));
    }
    ends
}

/// A small job with its misses, done.
async fn missed(desk: &Desk, key: &str, items: u32) -> Vec<Finished> {
    let job = desk.running(key, items).await;
    let ends = miss(desk, items, 2).await;
    assert_eq!(desk.job(job).await.state, Done);
    ends
}

/// The jobs of H21 are held; what it has in the end is `job`.
async fn held(desk: &Desk) -> Vec<Finished> {
    let items = u32::try_from(ANSWERS_MIN).expect("a hundred");
    missed(desk, "k", items).await
}

async fn resume(desk: &Desk, job: JobId, operator: bool) -> Result<JobRow, JobRefusal> {
    let actor = operator.then(|| actor(9));
    let done = desk
        .identity
        .command_job(job, JobCommand::Resume, actor, at(9));
    done.await.expect("command")
}

/// However small the jobs are, and although each is done before anybody could pause it.
pub async fn misses_of_small_jobs_hold_the_whole_system(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let mut ends = Vec::new();
    for number in 0..ANSWERS_MIN {
        ends.extend(missed(&desk, &format!("k{number}"), 1).await);
    }
    let (last, before) = ends.split_last().expect("a hundred");
    assert_eq!(*last, Finished::Held);
    assert!(before.iter().all(|end| *end == Finished::Kept));
    let refused = desk.identity.open_job(draft("new", 1)).await.expect("open");
    assert_eq!(refused, Err(JobRefusal::Held));
    let known = desk.identity.open_job(draft("k0", 1)).await.expect("open");
    assert_eq!(
        known.map(|row| row.state),
        Ok(Done),
        "what is there is found"
    );

    let mut neighbour = draft("new", 1);
    neighbour.asker.system = "vilis".into();
    let opened = desk.identity.open_job(neighbour).await.expect("open");
    assert!(opened.is_ok(), "another system has its own slate");
}

/// In the transaction of the last miss: what runs, what is paused already, what is still uploaded.
pub async fn a_hold_pauses_every_job_of_the_system(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let paused = desk.running("paused", 1).await;
    let ended = JobCommand::Pause(Some(ErrorCode::GrantNotValid));
    desk.command(paused, ended, 1).await.expect("paused");
    let uploading = desk.open_job("uploading", 2).await.id;
    held(&desk).await;
    // Opened before the hold, and complete only now.
    let row = desk.add(uploading, 1, &[true, true]).await.expect("room");
    assert_eq!(
        (row.state, row.erase_at),
        (Paused, Some(at(1 + KEEP_SECONDS)))
    );
    for job in [paused, uploading] {
        let row = desk.job(job).await;
        assert_eq!(row.state_reason, Some(ErrorCode::JobMissesTooMany));
        assert_eq!(resume(&desk, job, false).await, Err(JobRefusal::Held));
    }
    assert_eq!(desk.claim(10, 3).await, [], "nothing is asked");
}

/// What was on its way when the jobs were held is not asked.
pub async fn a_hold_stops_what_is_on_its_way(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let items = u32::try_from(ANSWERS_MIN).expect("a hundred");
    let job = desk.running("k", items + 5).await;
    assert_eq!(miss(&desk, items - 1, 2).await.len(), ANSWERS_MIN - 1);
    let sent = desk.claim(6, 3).await;
    let first = desk.begin(sent[0], 3).await.expect("a fresh claim");
    let mut finish = end(first.message, answered(Verdict::NoMatch), 3);
    finish.misses_percent_max = 30;
    let finished = desk.identity.finish_items(vec![finish]).await;
    assert_eq!(finished.expect("finish"), [Finished::Held]);
    let row = desk.job(job).await;
    assert_eq!(
        (row.state, row.erase_at),
        (Paused, Some(at(3 + KEEP_SECONDS)))
    );
    for message in &sent[1..] {
        assert!(desk.begin(*message, 3).await.is_none());
    }
}

/// Whoever knows a person's key could else try out the rest.
pub async fn a_wrong_optional_claim_is_a_miss(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let items = u32::try_from(ANSWERS_MIN).expect("a hundred");
    let job = desk.running("k", items).await;
    let mut found = verification(Verdict::Match);
    found.fields.push((Field::Sex, Verdict::NoMatch));
    let works = desk.work(items, 2).await;
    let finishes = works.iter().map(|work| {
        let mut finish = end(work.message, ItemNext::Answered(found.clone()), 2);
        finish.misses_percent_max = 30;
        finish
    });
    let finished = desk.identity.finish_items(finishes.collect()).await;
    assert_eq!(finished.expect("finish").last(), Some(&Finished::Held));
    let row = desk.job(job).await;
    assert_eq!((row.items_matched, row.state), (items, Done));
}

/// A restart forgets neither the hold nor the misses before it.
pub async fn slates_survive_a_restart(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let items = u32::try_from(ANSWERS_MIN).expect("a hundred");
    missed(&desk, "k", items - 1).await;
    let desk = Desk::open(subject).await;
    assert_eq!(missed(&desk, "last", 1).await, [Finished::Held]);
    let desk = Desk::open(subject).await;
    let refused = desk.identity.open_job(draft("new", 1)).await.expect("open");
    assert_eq!(refused, Err(JobRefusal::Held));
}

/// By resuming a job of any state, or by clearing the slate; and the count begins anew.
pub async fn only_an_operator_lifts_a_hold(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let waiting = desk.open_job("waiting", 1).await.id;
    held(&desk).await;
    desk.add(waiting, 1, &[true]).await.expect("room");
    let done = desk.identity.job_by_key(&asker("H21"), "k").await;
    let done = done.expect("job").expect("it is there").id;
    assert!(resume(&desk, done, false).await.is_err());
    assert!(resume(&desk, waiting, false).await.is_err());
    let row = resume(&desk, done, true).await.expect("it lifts the hold");
    assert_eq!(row.state, Done, "the job itself stays as it is");
    let actions = desk.store.actions(0, 10).await.expect("actions");
    let kinds: Vec<_> = actions.iter().map(|action| action.kind.as_str()).collect();
    assert_eq!(kinds, ["resume_job"]);
    assert_eq!(desk.job(waiting).await.state_reason, None);
    let row = resume(&desk, waiting, false).await.expect("resumed");
    assert_eq!(row.state, Running);
    assert_eq!(miss(&desk, 1, 10).await, [Finished::Kept], "a clean slate");

    let h21 = asker("H21");
    let clear = async || {
        let cleared = desk
            .identity
            .clear_misses(&h21.participant, &h21.system, actor(9));
        cleared.await.expect("clear")
    };
    assert!(!clear().await, "nothing was held");
    desk.running("more", 100).await;
    assert!(miss(&desk, 100, 11).await.contains(&Finished::Held));
    assert!(clear().await);
    let actions = desk.store.actions(0, 10).await.expect("actions");
    let last = actions.iter().find(|action| action.kind == "clear_misses");
    let last = last.expect("it is kept");
    assert_eq!((&*last.subject, &last.by), ("H21/igate", &actor(9).by));
    let opened = desk.identity.open_job(draft("new", 1)).await.expect("open");
    assert!(opened.is_ok(), "{opened:?}");
}
