//! Promises about pausing, resuming and cancelling.

use lienthong_domain::ErrorCode;
use lienthong_domain::identity::JobState::{Cancelled, Done, Erased, Paused, Running, Uploading};
use lienthong_domain::identity::{JobId, JobState, Verdict};

use super::Subject;
use super::fixture::{Desk, KEEP_SECONDS, actor, answered};
use crate::conformance::store::at;
use crate::identity::{ItemNext, JobCommand, JobRefusal};

const PAUSE: JobCommand = JobCommand::Pause(None);

/// A message that was on its way goes back; resumed, it goes on.
pub async fn a_paused_job_is_not_asked(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.running("k", 2).await;
    let sent = desk.claim(1, 2).await[0];
    let row = desk.command(job, PAUSE, 3).await.expect("paused");
    assert_eq!((row.state, row.state_reason), (Paused, None));
    assert_eq!(row.erase_at, Some(at(3 + KEEP_SECONDS)), "it stands still");
    assert_eq!(desk.identity.next_item_due().await.expect("due"), None);
    assert_eq!(desk.claim(10, 4).await, []);
    assert!(desk.begin(sent, 4).await.is_none());

    let mut wakeups = desk.store.wakeups();
    wakeups.mark_unchanged();
    let row = desk
        .command(job, JobCommand::Resume, 5)
        .await
        .expect("resumed");
    assert_eq!((row.state, row.erase_at), (Running, None));
    let told = tokio::time::timeout(std::time::Duration::from_secs(5), wakeups.changed());
    told.await
        .expect("told within five seconds")
        .expect("the store lives");
    assert!(desk.begin(sent, 5).await.is_none(), "it was given back");
    assert_eq!(desk.work(10, 5).await.len(), 2, "both, each once");
}

/// What was being asked when it was paused is answered, and may be the last.
pub async fn a_paused_job_still_takes_its_last_answer(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.running("k", 2).await;
    let works = desk.work(2, 2).await;
    desk.command(job, PAUSE, 3).await.expect("paused");
    let again = ItemNext::Retry {
        at: at(4),
        counted: true,
    };
    assert!(desk.finish(works[0].message, again, 4).await);
    assert!(
        desk.finish(works[1].message, answered(Verdict::Match), 4)
            .await
    );
    assert_eq!(desk.claim(10, 5).await, [], "it is paused");
    desk.command(job, JobCommand::Resume, 6)
        .await
        .expect("resumed");
    let last = desk.work_one(6).await;
    assert_eq!((last.position, last.attempts), (1, 1));
    desk.command(job, PAUSE, 7).await.expect("paused");
    assert!(
        desk.finish(last.message, answered(Verdict::NoMatch), 8)
            .await
    );
    let row = desk.job(job).await;
    assert_eq!((row.state, row.finished_at), (Done, Some(at(8))));
}

/// A job in each state.
async fn job_in(desk: &Desk, state: JobState, key: &str) -> JobId {
    let job = desk.open_job(key, 1).await.id;
    if state == Uploading {
        return job;
    }
    desk.add(job, 1, &[state != Done && state != Erased])
        .await
        .expect("room");
    match state {
        Paused => desk.command(job, PAUSE, 2).await.map(drop),
        Cancelled => desk.command(job, JobCommand::Cancel, 2).await.map(drop),
        _ => Ok(()),
    }
    .expect("a running job takes any command");
    if state == Erased {
        desk.identity.erase_answers(job, 1).await.expect("erase");
    }
    assert_eq!(desk.job(job).await.state, state);
    job
}

/// Every command in every state; twice is harmless.
pub async fn job_commands_follow_the_states(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let (resume, cancel) = (JobCommand::Resume, JobCommand::Cancel);
    let table = [
        (Uploading, PAUSE, None),
        (Uploading, resume, None),
        (Uploading, cancel, Some(Cancelled)),
        (Running, PAUSE, Some(Paused)),
        (Running, resume, Some(Running)),
        (Running, cancel, Some(Cancelled)),
        (Paused, PAUSE, Some(Paused)),
        (Paused, resume, Some(Running)),
        (Paused, cancel, Some(Cancelled)),
        (Done, PAUSE, None),
        (Done, resume, None),
        (Done, cancel, None),
        (Cancelled, PAUSE, None),
        (Cancelled, resume, None),
        (Cancelled, cancel, Some(Cancelled)),
        (Erased, PAUSE, None),
        (Erased, resume, None),
        (Erased, cancel, None),
    ];
    for (number, (state, command, follows)) in table.into_iter().enumerate() {
        let job = job_in(&desk, state, &format!("k{number}")).await;
        for _ in 0..2 {
            let answer = desk.command(job, command, 3).await;
            let expected = follows.ok_or(JobRefusal::State(state));
            assert_eq!(
                answer.map(|row| row.state),
                expected,
                "{state:?} {command:?}"
            );
        }
        assert_eq!(desk.job(job).await.state, follows.unwrap_or(state));
    }
    let unknown = desk.command(JobId(9_999), cancel, 3).await;
    assert_eq!(unknown, Err(JobRefusal::NotFound));
}

/// Ready and Sent are withdrawn, Calling may be answered, answers stay until they are erased.
pub async fn a_cancelled_job_asks_no_more_and_keeps_its_answers(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.running("k", 7).await;
    desk.answer(2, Verdict::Match, 2).await;
    let calling = desk.work(3, 2).await;
    let sent = desk.claim(1, 2).await[0];
    let row = desk
        .command(job, JobCommand::Cancel, 5)
        .await
        .expect("cancelled");
    assert_eq!((row.state, row.finished_at), (Cancelled, Some(at(5))));
    assert_eq!(row.erase_at, Some(at(5 + KEEP_SECONDS)));
    assert_eq!(desk.claim(10, 6).await, []);
    assert!(desk.begin(sent, 6).await.is_none());
    assert_eq!(desk.positions(job, 0).await, [1, 2]);

    assert!(
        desk.finish(calling[1].message, answered(Verdict::NoMatch), 6)
            .await
    );
    let again = ItemNext::Retry {
        at: at(7),
        counted: true,
    };
    assert!(desk.finish(calling[0].message, again, 6).await);
    assert_eq!(
        desk.identity
            .expire_items(at(70), 10)
            .await
            .expect("expire"),
        1
    );
    assert!(
        !desk
            .finish(calling[2].message, answered(Verdict::Match), 71)
            .await
    );
    assert_eq!(desk.claim(10, 80).await, [], "nothing is asked again");
    assert_eq!(desk.positions(job, 0).await, [1, 2, 4]);
    let row = desk.job(job).await;
    assert_eq!((row.items_matched, row.items_not_matched), (2, 1));
    assert_eq!((row.state, row.finished_at), (Cancelled, Some(at(5))));
    let refused = desk.add(job, 8, &[true]).await;
    assert_eq!(refused, Err(JobRefusal::State(Cancelled)));
}

/// One per change, with who and why; none for what changes nothing.
pub async fn commands_leave_their_actions(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.running("k", 1).await;
    for command in [PAUSE, PAUSE, JobCommand::Resume, JobCommand::Cancel, PAUSE] {
        let answer = desk
            .identity
            .command_job(job, command, Some(actor(3)), at(3));
        let _refused_or_not = answer.await.expect("command");
    }
    desk.command(job, JobCommand::Cancel, 4)
        .await
        .expect("twice");
    let actions = desk.store.actions(0, 10).await.expect("actions");
    let kinds: Vec<_> = actions.iter().map(|action| action.kind.as_str()).collect();
    assert_eq!(kinds, ["pause_job", "resume_job", "cancel_job"]);
    for action in &actions {
        assert_eq!(action.subject, job.to_string());
        assert_eq!((&action.by, action.at), (&actor(3).by, at(3)));
        assert_eq!(action.reason, actor(3).reason);
    }
}

/// A caller's pause does not hide the gateway's, and the first reason counts.
pub async fn the_gateways_reason_is_kept_until_it_runs_again(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.running("k", 1).await;
    let ended = JobCommand::Pause(Some(ErrorCode::GrantNotValid));
    let blocked = JobCommand::Pause(Some(ErrorCode::GuardBlocked));
    desk.command(job, PAUSE, 2).await.expect("paused");
    for command in [ended, PAUSE, blocked] {
        let row = desk.command(job, command, 3).await.expect("paused");
        assert_eq!(row.state_reason, Some(ErrorCode::GrantNotValid));
    }
    let row = desk
        .command(job, JobCommand::Resume, 4)
        .await
        .expect("resumed");
    assert_eq!(row.state_reason, None);
    let row = desk.command(job, blocked, 5).await.expect("paused");
    assert_eq!(row.state_reason, Some(ErrorCode::GuardBlocked));
}

/// Or an owner who had another reason could resume.
pub async fn misses_override_any_other_reason(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.running("k", 1).await;
    let misses = JobCommand::Pause(Some(ErrorCode::JobMissesTooMany));
    let refused = JobCommand::Pause(Some(ErrorCode::PopulationRefused));
    desk.command(job, refused, 2).await.expect("paused");
    for command in [misses, PAUSE, refused] {
        let row = desk.command(job, command, 3).await.expect("paused");
        assert_eq!(row.state_reason, Some(ErrorCode::JobMissesTooMany));
    }
    let resume = JobCommand::Resume;
    let owner = desk.command(job, resume, 4).await;
    assert_eq!(owner, Err(JobRefusal::Held), "for operators only");
    assert_eq!(desk.job(job).await.state, Paused);
    let operator = desk
        .identity
        .command_job(job, resume, Some(actor(5)), at(5));
    let row = operator.await.expect("command").expect("resumed");
    assert_eq!((row.state, row.state_reason), (Running, None));
}
