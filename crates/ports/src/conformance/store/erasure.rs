//! Promises about erased dossiers.

use lienthong_domain::DeliveryState::{Done, Ready};
use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::event::Progress;
use lienthong_domain::{DossierDetails, DossierStatus, Private, Text};

use super::Subject;
use super::fixture::{Lane, actor, at, code, details, offer, offer_of};
use crate::store::{Change, ChangeCursor, Erasure, Next, Offer, Refusal};

/// An event with details and a progress line.
fn told(key: &str, status: DossierStatus, seconds: i64, details: Option<DossierDetails>) -> Offer {
    let mut event = offer(key, &code(1), status, seconds).event;
    event.progress = Some(progress());
    event.details = details;
    offer_of(event, seconds)
}

fn progress() -> Progress {
    Progress {
        officer_name: Private::new(Text::parse("Rơ Châm H'Blen").expect("a name")),
        officer_title: None,
        unit_name: None,
        note: Private::new(Text::parse("Đã kiểm tra thành phần hồ sơ").expect("text")),
        started_at: None,
        due_at: None,
    }
}

impl Lane {
    async fn erase(&self, number: u32, seconds: i64) -> Erasure {
        let erased = self
            .store
            .erase_dossier(&code(number), actor(seconds))
            .await;
        erased.expect("erase")
    }

    /// The progress lines of dossier 1 by sequence.
    async fn progress_lines(&self) -> Vec<Option<Progress>> {
        let entries = self.store.timeline(&code(1), 0, 100).await;
        let entries = entries.expect("timeline").into_iter();
        entries.map(|entry| entry.progress).collect()
    }

    async fn view(&self) -> crate::store::DossierView {
        let view = self.store.dossier(&code(1)).await;
        view.expect("dossier").expect("known")
    }
}

/// Only what is final is erased: nothing that still has to be told to anybody.
pub async fn an_open_dossier_is_not_erased(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    assert_eq!(lane.erase(1, 0).await, Erasure::NotFound);
    let first = told("a", DossierStatus::Processing, 0, Some(details()));
    lane.offer(first).await.expect("accepted");
    assert_eq!(lane.erase(1, 1).await, Erasure::StillOpen);
    lane.park(2).await;
    assert_eq!(lane.erase(1, 3).await, Erasure::StillOpen, "parked");
    assert!(lane.store.actions(0, 10).await.expect("actions").is_empty());
    assert_eq!(
        (lane.view().await.erased_at, lane.progress_lines().await),
        (None, vec![Some(progress())])
    );
}

/// Rows, statuses and receipts stay; details and progress lines are gone, also after reopening.
pub async fn an_erased_dossier_shows_its_rows_only(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    let first = told("a", DossierStatus::Processing, 0, Some(details()));
    let receipt = lane.offer(first.clone()).await.expect("accepted");
    lane.push(&code(2), 1, 0).await;
    for message in lane.claim(10, 1).await {
        lane.begin(message, 1).await.expect("fresh");
        lane.finish(message, Next::Done, 2).await;
    }
    for seconds in [10, 20] {
        assert_eq!(lane.erase(1, seconds).await, Erasure::Done);
    }
    drop(lane);
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    let view = lane.view().await;
    assert_eq!(
        (view.status, view.last_sequence),
        (DossierStatus::Processing, 1)
    );
    assert_eq!(
        (view.erased_at, &*view.details),
        (Some(at(10)), &DossierDetails::default())
    );
    assert_eq!(lane.progress_lines().await, [None]);
    assert_eq!(lane.states(&code(1)).await, [Done]);
    let (changes, _) = lane
        .store
        .changes(ChangeCursor::default(), 10)
        .await
        .expect("changes");
    let lines = changes
        .iter()
        .filter(|change| matches!(change, Change::Accepted(entry) if entry.progress.is_some()));
    assert_eq!((changes.len(), lines.count()), (4, 0));
    let actions = lane.store.actions(0, 10).await.expect("actions");
    let actions: Vec<_> = actions
        .iter()
        .map(|action| (action.kind.as_str(), action.subject.as_str()))
        .collect();
    assert_eq!(actions, [("erase", code(1).as_str())], "once");
    let again = lane.offer(first).await.expect("the same event");
    assert!(again.duplicate && again.event_id == receipt.event_id);
    let other = lane
        .store
        .dossier(&code(2))
        .await
        .expect("dossier")
        .expect("known");
    assert_eq!(
        (other.erased_at, &*other.details),
        (None, &details()),
        "nobody else's"
    );
}

/// A later event does not see what was erased and is not erased with it.
pub async fn an_erased_dossier_goes_on_with_details_of_its_own(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    let phone = DossierDetails {
        phone: Some(Private::new(Text::parse("0905123456").expect("a number"))),
        ..details()
    };
    lane.offer(told("a", DossierStatus::Processing, 0, Some(phone)))
        .await
        .expect("accepted");
    lane.deliver(Next::Done, 1).await;
    assert_eq!(lane.erase(1, 2).await, Erasure::Done);

    let bare = told("b", DossierStatus::Processed, 3, None);
    assert!(
        matches!(lane.offer(bare).await, Err(Refusal::Details(_))),
        "nothing is left to merge with"
    );
    let own = told("c", DossierStatus::Processed, 3, Some(details()));
    let plain = told("d", DossierStatus::Processed, 4, None);
    let answers = lane.store.accept(vec![own, plain]).await.expect("accept");
    let sequences: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.map(|receipt| receipt.sequence))
        .collect();
    assert_eq!(sequences, [Ok(2), Ok(3)]);
    for sequence in [2, 3] {
        let work = lane.work(4 + sequence).await;
        assert_eq!((work.sequence, &*work.details), (sequence, &details()));
        assert_eq!(work.progress, Some(progress()));
        lane.finish(work.message, Next::Done, 4 + sequence).await;
    }
    let view = lane.view().await;
    assert_eq!((view.erased_at, &*view.details), (Some(at(2)), &details()));
    assert_eq!(
        lane.progress_lines().await,
        [None, Some(progress()), Some(progress())]
    );
    assert_eq!(lane.erase(1, 9).await, Erasure::Done);
    assert_eq!(lane.view().await.erased_at, Some(at(9)));
    assert_eq!(lane.progress_lines().await, [None, None, None]);
    assert_eq!(lane.states(&code(1)).await, [Done, Done, Done]);
    // A progress line alone is kept too, without details that it could be told with.
    let line = told("e", DossierStatus::Processed, 10, None);
    lane.offer(line).await.expect("accepted");
    assert_eq!(lane.states(&code(1)).await[3], Ready);
    let work = lane.work(11).await;
    assert_eq!(*work.details, DossierDetails::default());
    assert_eq!(work.progress, Some(progress()));
}
