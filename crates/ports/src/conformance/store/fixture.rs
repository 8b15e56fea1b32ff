//! What the promises need: offers of a lifelike dossier, and a lane to drive.

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::channel::{ApplicantKind, ReturnMethod};
use lienthong_domain::delivery::{Answer, LanePolicy, Outcome, ParkReason, RetryCause};
use lienthong_domain::event::IdempotencyKey;
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::timeline::TransitionPolicy;
use lienthong_domain::{
    DeliveryId, DeliveryState, DestinationName, DossierCode, DossierDetails, DossierStatus,
    EventId, Private, ProcedureCode, StatusEvent, Text, Timestamp,
};

use super::Subject;
use crate::broker::Message;
use crate::store::{
    Actor, ClaimTerms, DestinationSpec, Finish, Next, Offer, Receipt, Refusal, Store, Work,
};

/// The instant `seconds` after the suite's beginning.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_751_328_000 + seconds).expect("a second of 2025")
}

/// The dossier with this daily number of one agency in Gia Lai.
pub fn code(number: u32) -> DossierCode {
    DossierCode::parse(&format!("H21.17-250701-{number:04}")).expect("a dossier code")
}

/// A destination's name.
pub fn destination(name: &str) -> DestinationName {
    DestinationName::parse(name).expect("a destination name")
}

/// The status with this number.
pub fn status(number: i32) -> DossierStatus {
    DossierStatus::from_code(number).expect("a status number")
}

/// Details that suffice for any status that has begun.
pub fn details() -> DossierDetails {
    fn text<const MAX: usize>(text: &str) -> Text<MAX> {
        Text::parse(text).expect("text")
    }
    DossierDetails {
        procedure_code: Some(ProcedureCode::parse("1.001193").expect("a procedure code")),
        procedure_name: Some(text("Thủ tục đăng ký khai sinh")),
        field_code: Some(text("G15-HT01")),
        field_name: Some(text("Hộ tịch")),
        applicant_name: Some(Private::new(text("Nguyễn Thị Ánh Tuyết"))),
        applicant_kind: Some(ApplicantKind::Citizen),
        summary: Some(Private::new(text("Đăng ký khai sinh cho con"))),
        return_method: Some(ReturnMethod::Counter),
        handling_unit: Some(text("UBND xã Ia Grai")),
        received_at: Some(at(-600)),
        finished_at: Some(at(-500)),
        returned_at: Some(at(-400)),
        ..DossierDetails::default()
    }
}

/// An offer of a status with full details, occurred and offered at `seconds`.
pub fn offer(key: &str, dossier: &DossierCode, status: DossierStatus, seconds: i64) -> Offer {
    let event = StatusEvent {
        key: IdempotencyKey::parse(key).expect("a key"),
        dossier: dossier.clone(),
        status,
        occurred_at: at(seconds),
        source_sequence: None,
        progress: None,
        details: Some(details()),
    };
    offer_of(event, seconds)
}

/// An offer of `event`, made at `seconds`.
pub(super) fn offer_of(event: StatusEvent, seconds: i64) -> Offer {
    let content_hash = event.content_hash();
    let mut id = [0; 16];
    id.copy_from_slice(&content_hash.0[..16]);
    Offer {
        content_hash,
        event_id: EventId::from_bytes(id),
        event,
        participant: ParticipantId::parse("H21").expect("a participant"),
        system: Arc::from("igate"),
        policy: TransitionPolicy::Refuse,
        now: at(seconds),
        trace: None,
    }
}

/// A store with one destination, `dvcqg`, and the steps of a delivery on it.
#[derive(Clone)]
pub struct Lane {
    /// The store under test.
    pub store: Arc<dyn Store>,
    /// Its destination.
    pub destination: DestinationName,
}

impl Lane {
    /// Opens the subject with one destination.
    pub async fn open(subject: &dyn Subject, lane: LanePolicy) -> Self {
        let destination = destination("dvcqg");
        let spec = DestinationSpec {
            name: destination.clone(),
            lane,
        };
        Self {
            store: subject.open(vec![spec]).await,
            destination,
        }
    }

    /// Offers one event.
    ///
    /// # Errors
    /// The store's refusal.
    pub async fn offer(&self, offer: Offer) -> Result<Receipt, Refusal> {
        let mut answers = self.store.accept(vec![offer]).await.expect("accept");
        assert_eq!(answers.len(), 1, "one answer per offer");
        answers.remove(0)
    }

    /// Accepts `count` events of a dossier at consecutive seconds from `seconds`.
    pub async fn push(&self, dossier: &DossierCode, count: i64, seconds: i64) {
        for second in seconds..seconds + count {
            let key = format!("{}/{second}", dossier.as_str());
            let receipt = self
                .offer(offer(&key, dossier, DossierStatus::Processing, second))
                .await;
            assert!(
                receipt.is_ok_and(|receipt| !receipt.duplicate),
                "{key} is new and allowed"
            );
        }
    }

    /// Claims up to `batch` with a window of 100 and a lease of a minute.
    pub async fn claim(&self, batch: u32, seconds: i64) -> Vec<Message> {
        let lease = Duration::from_mins(1);
        let terms = ClaimTerms {
            now: at(seconds),
            lease,
            window: 100,
            batch,
        };
        self.store
            .claim(&self.destination, terms)
            .await
            .expect("claim")
    }

    /// Claims the only delivery that is due.
    pub async fn claim_one(&self, seconds: i64) -> Message {
        let claimed = self.claim(10, seconds).await;
        assert_eq!(claimed.len(), 1, "exactly one delivery is due");
        claimed[0]
    }

    /// Begins one attempt with a lease of a minute.
    pub async fn begin(&self, message: Message, seconds: i64) -> Option<Work> {
        let begun = self
            .store
            .begin(&[message], at(seconds), at(seconds + 60))
            .await;
        begun.expect("begin").pop().expect("one answer per message")
    }

    /// Claims and begins the only delivery that is due.
    pub async fn work(&self, seconds: i64) -> Work {
        let message = self.claim_one(seconds).await;
        self.begin(message, seconds).await.expect("a fresh claim")
    }

    /// Ends an attempt at `seconds` that took a second; whether it was not stale.
    pub async fn finish(&self, message: Message, next: Next, seconds: i64) -> bool {
        let done = self
            .store
            .finish(vec![finish(message, next, seconds)])
            .await
            .expect("finish");
        assert_eq!(done.len(), 1, "one answer per finish");
        done[0]
    }

    /// Claims, begins and ends the only delivery that is due; its sequence.
    pub async fn deliver(&self, next: Next, seconds: i64) -> i64 {
        let work = self.work(seconds).await;
        assert!(
            self.finish(work.message, next, seconds).await,
            "the claim is fresh"
        );
        work.sequence
    }

    /// Parks the only delivery that is due; its id.
    pub async fn park(&self, seconds: i64) -> DeliveryId {
        let work = self.work(seconds).await;
        let next = Next::Park(ParkReason::Rejected);
        assert!(
            self.finish(work.message, next, seconds).await,
            "the claim is fresh"
        );
        work.message.delivery
    }

    /// The states of a dossier's deliveries by sequence.
    pub async fn states(&self, dossier: &DossierCode) -> Vec<DeliveryState> {
        let entries = self
            .store
            .timeline(dossier, 0, 100)
            .await
            .expect("timeline");
        entries
            .iter()
            .flat_map(|entry| &entry.deliveries)
            .map(|delivery| delivery.state)
            .collect()
    }
}

/// The end, at `seconds`, of an attempt that took a second.
pub(super) fn finish(message: Message, next: Next, seconds: i64) -> Finish {
    let (outcome, code) = match next {
        Next::Done => (Outcome::Delivered, "0"),
        Next::RetryAt { .. } => (
            Outcome::Retry {
                cause: RetryCause::Answer,
                after: None,
            },
            "HTTP_503",
        ),
        Next::Park(_) => (Outcome::Rejected, "-1"),
    };
    Finish {
        message,
        started_at: at(seconds - 1),
        took: Duration::from_secs(1),
        answer: Answer::new(outcome, code, Some(200), "Không tìm thấy thủ tục"),
        next,
        span_id: None,
    }
}

/// An operator.
pub(super) fn actor(seconds: i64) -> Actor {
    Actor {
        by: "H21/console".into(),
        reason: "đã sửa danh mục".into(),
        now: at(seconds),
    }
}
