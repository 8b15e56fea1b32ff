//! Promises about acceptance.

use std::sync::Arc;

use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::timeline::{TransitionPolicy, Warning};
use lienthong_domain::{DossierDetails, DossierStatus, Text};

use super::Subject;
use super::fixture::{Lane, at, code, details, offer, offer_of};
use crate::store::{ChangeCursor, Next, Offer, Refusal};

/// The same event again: the same receipt, marked, and nothing new, also in the same batch.
pub async fn a_repeated_offer_gets_the_same_receipt(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    let first = Offer {
        policy: TransitionPolicy::Warn,
        ..offer("k", &code(1), DossierStatus::Accepted, 0)
    };
    let again = Offer {
        now: at(50),
        event_id: offer("x", &code(2), DossierStatus::Stopped, 9).event_id,
        ..first.clone()
    };
    let receipt = lane.offer(first.clone()).await.expect("accepted");
    assert!(!receipt.duplicate);
    let mut expected = receipt.clone();
    expected.duplicate = true;
    let answers = lane.store.accept(vec![again, first]).await.expect("accept");
    assert_eq!(answers, [Ok(expected.clone()), Ok(expected)]);
    assert_eq!(lane.states(&code(1)).await.len(), 1, "no second delivery");
    let cursor = lane.store.newest_cursor().await.expect("cursor");
    let (changes, _) = lane
        .store
        .changes(ChangeCursor::default(), 10)
        .await
        .expect("changes");
    assert_eq!((changes.len(), cursor.attempt), (1, 0));
}

/// A key that names another event.
pub async fn a_reused_key_is_refused_and_stores_nothing(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.offer(offer("k", &code(1), DossierStatus::Accepted, 0))
        .await
        .expect("accepted");
    let before = lane.store.newest_cursor().await.expect("cursor");
    for other in [
        offer("k", &code(1), DossierStatus::Processing, 1),
        offer("k", &code(2), DossierStatus::Accepted, 0),
    ] {
        assert_eq!(lane.offer(other).await, Err(Refusal::KeyReused));
    }
    assert_eq!(lane.store.newest_cursor().await.expect("cursor"), before);
    assert!(
        lane.store
            .dossier(&code(2))
            .await
            .expect("dossier")
            .is_none()
    );
}

/// Two participants may use the same key.
pub async fn keys_belong_to_their_participant(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.offer(offer("k", &code(1), DossierStatus::Accepted, 0))
        .await
        .expect("accepted");
    let other = Offer {
        participant: ParticipantId::parse("H21.17").expect("a participant"),
        ..offer("k", &code(2), DossierStatus::Accepted, 0)
    };
    assert!(
        lane.offer(other)
            .await
            .is_ok_and(|receipt| !receipt.duplicate)
    );
}

/// Result returned is the end.
pub async fn a_forbidden_transition_stores_nothing(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.offer(offer("a", &code(1), DossierStatus::ResultReturned, 0))
        .await
        .expect("accepted");
    let refused = lane
        .offer(offer("b", &code(1), DossierStatus::Processing, 1))
        .await;
    let (from, to) = (DossierStatus::ResultReturned, DossierStatus::Processing);
    assert_eq!(refused, Err(Refusal::Transition { from, to }));
    let view = lane
        .store
        .dossier(&code(1))
        .await
        .expect("dossier")
        .expect("known");
    assert_eq!(
        (view.status, view.last_sequence, view.updated_at),
        (from, 1, at(0))
    );
    // The key was not used up.
    let moved = offer("b", &code(1), DossierStatus::ResultReturned, 2);
    assert!(
        lane.offer(moved)
            .await
            .is_ok_and(|receipt| receipt.sequence == 2)
    );
}

/// A participant that is only warned.
pub async fn a_warned_transition_is_kept_with_its_warning(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.offer(offer("a", &code(1), DossierStatus::ResultReturned, 0))
        .await
        .expect("accepted");
    let warned = Offer {
        policy: TransitionPolicy::Warn,
        ..offer("b", &code(1), DossierStatus::Processing, 1)
    };
    let receipt = lane.offer(warned).await.expect("accepted");
    assert!(receipt.warnings.contains(&Warning::TransitionOutsideTable));
    let entries = lane
        .store
        .timeline(&code(1), 1, 10)
        .await
        .expect("timeline");
    assert_eq!(entries[0].warnings, receipt.warnings);
}

/// All that is missing is named, and neither dossier nor key exists afterwards.
pub async fn missing_details_store_nothing(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    let mut bare = offer("k", &code(1), DossierStatus::Accepted, 0);
    bare.event.details = None;
    let bare = offer_of(bare.event, 0);
    let faults = match lane.offer(bare).await {
        Err(Refusal::Details(faults)) => faults.len(),
        other => {
            assert!(
                other.is_err(),
                "an event without details cannot begin a dossier"
            );
            0
        }
    };
    assert_eq!(
        faults,
        DossierDetails::default()
            .lacks_for(DossierStatus::Accepted)
            .len()
    );
    assert!(
        lane.store
            .dossier(&code(1))
            .await
            .expect("dossier")
            .is_none()
    );
    assert!(
        lane.offer(offer("k", &code(1), DossierStatus::Accepted, 0))
            .await
            .is_ok()
    );
}

/// An older status takes the next sequence, is delivered as late, and leaves status and details alone.
pub async fn a_late_event_is_kept_and_moves_nothing(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    lane.offer(offer("a", &code(1), DossierStatus::Processing, 100))
        .await
        .expect("accepted");
    let mut late = offer("b", &code(1), DossierStatus::Accepted, 50).event;
    late.details = Some(DossierDetails {
        handling_unit: Some(unit("UBND xã Cũ")),
        ..details()
    });
    let receipt = lane.offer(offer_of(late, 101)).await.expect("kept");
    assert!(receipt.late && receipt.warnings == [Warning::Late]);
    assert_eq!(receipt.sequence, 2);
    let view = lane
        .store
        .dossier(&code(1))
        .await
        .expect("dossier")
        .expect("known");
    assert_eq!(
        (view.status, view.occurred_at),
        (DossierStatus::Processing, at(100))
    );
    assert_eq!((view.last_sequence, &*view.details), (2, &details()));
    lane.deliver(Next::Done, 200).await;
    let work = lane.work(201).await;
    assert!(work.late && work.delivered_before);
    assert_eq!(
        (work.status, &*work.details),
        (DossierStatus::Accepted, &details())
    );
}

/// Work carries the merged details as they stood with its event, however late it is performed.
pub async fn details_hold_from_their_sequence_on(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    let changed = DossierDetails {
        handling_unit: Some(unit("UBND xã Mới")),
        ..DossierDetails::default()
    };
    let offered = [None, Some(changed.clone()), None];
    lane.offer(offer("0", &code(1), DossierStatus::Accepted, 0))
        .await
        .expect("accepted");
    for (second, brought) in (1..).zip(offered) {
        let mut event = offer(
            &format!("{second}"),
            &code(1),
            DossierStatus::Processing,
            second,
        )
        .event;
        event.details = brought;
        lane.offer(offer_of(event, second)).await.expect("accepted");
    }
    let merged = details().merged_with(&changed);
    for expected in [&details(), &details(), &merged, &merged] {
        let work = lane.work(10).await;
        assert_eq!(&*work.details, expected, "sequence {}", work.sequence);
        lane.finish(work.message, Next::Done, 10).await;
    }
    let view = lane
        .store
        .dossier(&code(1))
        .await
        .expect("dossier")
        .expect("known");
    assert_eq!(*view.details, merged);
}

/// One call with three statuses of one dossier, a refusal and another dossier among them.
pub async fn a_batch_sees_its_own_earlier_offers(subject: &dyn Subject) {
    let lane = Lane::open(subject, LanePolicy::Hold).await;
    let offers = vec![
        offer("a", &code(1), DossierStatus::Accepted, 0),
        offer("b", &code(2), DossierStatus::Accepted, 0),
        offer("c", &code(1), DossierStatus::Registered, 1),
        offer("d", &code(1), DossierStatus::Processed, 2),
        offer("e", &code(1), DossierStatus::ResultReturned, 3),
    ];
    let answers = lane.store.accept(offers).await.expect("accept");
    let sequences: Vec<_> = answers
        .iter()
        .map(|answer| answer.as_ref().map(|receipt| receipt.sequence).ok())
        .collect();
    assert_eq!(sequences, [Some(1), Some(1), None, Some(2), Some(3)]);
    assert_eq!(lane.claim(10, 5).await.len(), 2, "one head per dossier");
}

/// Eight tasks push to three dossiers at once.
pub async fn sequences_have_no_gaps_under_concurrency(subject: &dyn Subject) {
    let lane = Arc::new(Lane::open(subject, LanePolicy::Hold).await);
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8_i64 {
        let lane = Arc::clone(&lane);
        tasks.spawn(async move {
            for number in 0..10_i64 {
                let dossier = code(u32::try_from(number % 3).expect("small"));
                let offer = offer(
                    &format!("{task}/{number}"),
                    &dossier,
                    DossierStatus::Processing,
                    7,
                );
                lane.offer(offer).await.expect("accepted");
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("a pushing task");
    }
    for (number, count) in [(0, 32), (1, 24), (2, 24)] {
        let entries = lane
            .store
            .timeline(&code(number), 0, 100)
            .await
            .expect("timeline");
        let sequences: Vec<_> = entries.iter().map(|entry| entry.sequence).collect();
        assert_eq!(sequences, (1..=count).collect::<Vec<_>>());
    }
}

fn unit(name: &str) -> Text<500> {
    Text::parse(name).expect("text")
}
