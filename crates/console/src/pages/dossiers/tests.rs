use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::delivery::ParkReason;
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::timeline::Warning;
use lienthong_domain::{
    DeliveryId, DeliveryState, DestinationName, DossierDetails, DossierStatus, EventId,
    OperatorRole,
};
use lienthong_ports::store::{AttemptView, DeliveryView, DossierView, LaneView, TimelineEntry};
use lienthong_services::explain::{Cause, Explanation};

use super::*;
use crate::pages::sample::{self, HOSTILE, LANGUAGES, ago, has, is_harmless};

fn code() -> DossierCode {
    DossierCode::parse("H56.14-240823-0001").unwrap()
}

fn destination() -> DestinationName {
    DestinationName::parse("dvcqg").unwrap()
}

fn delivery() -> DeliveryView {
    DeliveryView {
        id: DeliveryId(42),
        destination: destination(),
        sequence: 2,
        state: DeliveryState::Parked,
        attempts_counted: 1,
        next_attempt_at: None,
        ended_at: Some(ago(100)),
        parked: Some(ParkReason::Rejected),
        attempts: vec![AttemptView {
            number: 1,
            started_at: ago(101),
            took: Duration::from_millis(320),
            outcome: "rejected",
            code: "-1".to_owned(),
            http_status: Some(200),
            message: HOSTILE.to_owned(),
        }],
    }
}

fn dossier() -> DossierView {
    DossierView {
        code: code(),
        participant: ParticipantId::parse("H56").unwrap(),
        status: DossierStatus::Processing,
        occurred_at: ago(300),
        last_sequence: 2,
        first_accepted_at: ago(9_000),
        updated_at: ago(290),
        erased_at: None,
        details: Arc::new(DossierDetails::default()),
        lanes: vec![LaneView {
            destination: destination(),
            delivered_sequence: 1,
            waiting: 0,
            parked: 1,
            head: Some(delivery()),
        }],
    }
}

fn data(cause: Cause) -> one::Data {
    let explanation = Explanation {
        destination: destination(),
        cause,
        fixer: cause.fixer(),
        head: Some(delivery()),
        next_at: None,
    };
    let event = TimelineEntry {
        event_id: EventId::from_bytes([7; 16]),
        dossier: code(),
        sequence: 2,
        status: DossierStatus::Processing,
        occurred_at: ago(300),
        accepted_at: ago(290),
        source_sequence: Some(9),
        late: false,
        warnings: vec![Warning::ProcedureUnknown],
        participant: ParticipantId::parse("H56").unwrap(),
        system: "motcua".to_owned(),
        progress: None,
        deliveries: vec![delivery()],
    };
    one::Data {
        dossier: dossier(),
        lanes: vec![explanation],
        events: vec![event],
        actions: Vec::new(),
        next: Some(2),
    }
}

#[test]
fn the_page_says_why_who_and_how_and_offers_the_cure() {
    for language in LANGUAGES {
        let frame = sample::frame(language, OperatorRole::Operator);
        let html =
            one::view(&frame, &data(Cause::ParkedRejected), "", &Faulty::default()).into_string();
        is_harmless(&html);
        let expected = language.t(
            [
                "Nơi nhận từ chối hồ sơ",
                "Đơn vị gửi hồ sơ",
                "Nếu nơi nhận đã sửa: chuyển lại",
                "320 ms",
            ],
            [
                "The destination refused the dossier",
                "The participant that sent it",
                "If the destination was mended: replay",
                "320 ms",
            ],
        );
        has(&html, &expected);
        has(
            &html,
            &[
                "href=\"/parked/check?kind=replay&amp;id=42\"",
                "&lt;script&gt;",
                "href=\"/dossiers/H56.14-240823-0001?before=2\"",
            ],
        );
    }
}

#[test]
fn every_cause_has_an_advice_and_no_page_is_left_without_a_way_on() {
    let causes = [
        Cause::Delivered,
        Cause::UnderWay,
        Cause::Due,
        Cause::RetryScheduled,
        Cause::BreakerOpen,
        Cause::Paused,
        Cause::BrokerDown,
        Cause::ParkedRejected,
        Cause::ParkedExhausted,
        Cause::ParkedSuspect,
    ];
    for cause in causes {
        for language in LANGUAGES {
            let frame = sample::frame(language, OperatorRole::Viewer);
            let html = one::view(&frame, &data(cause), "", &Faulty::default()).into_string();
            has(
                &html,
                &[language.t(cause.vi(), cause.en()), "class=\"callout"],
            );
        }
    }
}

#[test]
fn a_lane_where_nothing_waits_is_not_called_untried() {
    let frame = sample::frame(LANGUAGES[1], OperatorRole::Viewer);
    let mut data = data(Cause::Delivered);
    data.lanes[0].head = None;
    let html = one::view(&frame, &data, "", &Faulty::default()).into_string();
    assert!(!html.contains("last answer"), "{html}");
    let mut untried = delivery();
    untried.attempts.clear();
    data.lanes[0].head = Some(untried);
    let html = one::view(&frame, &data, "", &Faulty::default()).into_string();
    has(&html, &["last answer", "no attempt yet"]);
}

#[test]
fn a_dossier_with_open_deliveries_cannot_be_erased_yet() {
    let frame = sample::frame(LANGUAGES[0], OperatorRole::Operator);
    let mut data = data(Cause::Delivered);
    let html = one::view(&frame, &data, "", &Faulty::default()).into_string();
    assert!(!html.contains("/erase\""), "{html}");
    data.dossier.lanes[0].parked = 0;
    let html = one::view(&frame, &data, "", &Faulty::default()).into_string();
    has(&html, &["action=\"/dossiers/H56.14-240823-0001/erase\""]);
    let viewer = sample::frame(LANGUAGES[0], OperatorRole::Viewer);
    let html = one::view(&viewer, &data, "", &Faulty::default()).into_string();
    assert!(!html.contains("/erase\""), "{html}");
}

#[test]
fn a_search_keeps_what_was_typed_and_says_what_is_wrong() {
    let mut found = Found {
        typed: HOSTILE.to_owned(),
        only: String::new(),
        faulty: Faulty::of(&lienthong_domain::Faults::one(
            "code",
            lienthong_domain::Reason::Missing,
        )),
        is_unknown: false,
        dossiers: Vec::new(),
        next: None,
    };
    for language in LANGUAGES {
        let frame = sample::frame(language, OperatorRole::Viewer);
        let html = found::view(&frame, &found).into_string();
        is_harmless(&html);
        has(&html, &["id=\"code-error\"", "&lt;script&gt;"]);
    }
    assert_eq!(found.status(), StatusCode::UNPROCESSABLE_ENTITY);
    found.is_unknown = true;
    found.typed = code().to_string();
    assert_eq!(found.status(), StatusCode::NOT_FOUND);
    let frame = sample::frame(LANGUAGES[0], OperatorRole::Viewer);
    let html = found::view(&frame, &found).into_string();
    has(&html, &["Không có hồ sơ H56.14-240823-0001."]);
}

#[test]
fn found_dossiers_lead_to_their_pages() {
    let found = Found {
        typed: "H56".to_owned(),
        only: "parked".to_owned(),
        faulty: Faulty::default(),
        is_unknown: false,
        dossiers: vec![dossier()],
        next: Some(code()),
    };
    let frame = sample::frame(LANGUAGES[1], OperatorRole::Viewer);
    let html = found::view(&frame, &found).into_string();
    has(
        &html,
        &[
            "href=\"/dossiers/H56.14-240823-0001\"",
            "4 · Processing",
            "only=parked&amp;after=H56.14-240823-0001",
        ],
    );
}
