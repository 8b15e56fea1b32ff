//! Promises about answers: in order, counted, with their usage records.

use lienthong_domain::ErrorCode;
use lienthong_domain::identity::JobState::{Done, Running};
use lienthong_domain::identity::{JobId, UsageId, Verdict};

use super::Subject;
use super::fixture::{Desk, KEEP_SECONDS, answered, verification};
use crate::conformance::store::at;
use crate::identity::{ItemNext, UsageFilter};

/// Answers that overtake others wait for them; pages follow one another.
pub async fn answers_come_in_order_up_to_the_first_open_item(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.open_job("k", 5).await.id;
    desk.add(job, 1, &[true, false, true, true, true])
        .await
        .expect("room");
    assert!(desk.answers(job, 0).await.is_empty());
    let works = desk.work(10, 2).await;
    let finish = async |position| {
        let work = works.iter().find(|work| work.position == position);
        let message = work.expect("a good item").message;
        assert!(desk.finish(message, answered(Verdict::Match), 3).await);
    };
    finish(4).await;
    assert!(desk.positions(job, 0).await.is_empty(), "1 is open");
    finish(1).await;
    assert_eq!(desk.positions(job, 0).await, [1, 2], "3 is open");
    finish(3).await;
    assert_eq!(desk.positions(job, 0).await, [1, 2, 3, 4]);
    finish(5).await;
    assert_eq!(desk.positions(job, 2).await, [3, 4, 5]);
    assert!(desk.positions(job, 5).await.is_empty());
    assert!(desk.positions(job, u32::MAX).await.is_empty());
    let page = desk.identity.answers(job, 1, 2).await.expect("answers");
    let page: Vec<_> = page.iter().map(|answer| answer.position).collect();
    assert_eq!(page, [2, 3]);
    assert!(desk.answers(JobId(job.0 + 1), 0).await.is_empty());
}

/// Each verdict has its count, and the last answer its instant.
pub async fn the_last_answer_finishes_the_job(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.running("k", 5).await;
    let endings = [
        answered(Verdict::Match),
        answered(Verdict::NoMatch),
        answered(Verdict::Undecided),
        answered(Verdict::Match),
        ItemNext::Failed(ErrorCode::PopulationBadAnswer),
    ];
    let works = desk.work(10, 2).await;
    for ((work, next), second) in works.iter().zip(&endings).zip(10..) {
        assert_eq!(desk.job(job).await.state, Running);
        assert!(desk.finish(work.message, next.clone(), second).await);
    }
    let row = desk.job(job).await;
    assert_eq!(
        [
            row.items_matched,
            row.items_not_matched,
            row.items_undecided,
            row.items_failed
        ],
        [2, 1, 1, 1]
    );
    assert_eq!((row.state, row.finished_at), (Done, Some(at(14))));
    assert_eq!(row.erase_at, Some(at(14 + KEEP_SECONDS)));
    assert_eq!(desk.identity.next_item_due().await.expect("due"), None);
    let results: Vec<_> = desk.answers(job, 0).await;
    let results: Vec<_> = results.into_iter().map(|answer| answer.result).collect();
    let expected = [
        Ok(verification(Verdict::Match)),
        Ok(verification(Verdict::NoMatch)),
        Ok(verification(Verdict::Undecided)),
        Ok(verification(Verdict::Match)),
        Err(ErrorCode::PopulationBadAnswer),
    ];
    assert_eq!(results, expected);
}

/// The record is written with the answer, in the order of the call.
pub async fn answers_name_their_usage_record(subject: &dyn Subject) {
    let desk = Desk::open(subject).await;
    let job = desk.running("k", 3).await;
    desk.answer(2, Verdict::Match, 2).await;
    let work = desk.work_one(3).await;
    let given_up = crate::identity::ItemFinish {
        message: work.message,
        next: ItemNext::Failed(ErrorCode::PopulationUnavailable),
        usage: None,
        misses_percent_max: 100,
        now: at(3),
    };
    let finished = desk.identity.finish_items(vec![given_up]).await;
    assert_eq!(finished.expect("finish"), [crate::identity::Finished::Kept]);
    let usage = desk
        .identity
        .usage_since(at(0), UsageId(0), 10)
        .await
        .expect("usage");
    let answers = desk.answers(job, 0).await;
    let named: Vec<_> = answers.iter().map(|answer| answer.usage).collect();
    assert_eq!(named, [Some(usage[0].id), Some(usage[1].id), None]);
    let all = desk.identity.usage(UsageFilter::default(), None, 10).await;
    assert_eq!(all.expect("usage").len(), 2);
}
