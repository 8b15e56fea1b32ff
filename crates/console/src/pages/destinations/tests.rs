use std::time::Duration;

use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::{DossierCode, Faults, OperatorRole, Reason};
use lienthong_ports::operators::DelayHistogram;
use lienthong_ports::store::{BreakerRecord, DestinationRow, Pause};
use lienthong_services::DestinationState;

use super::*;
use crate::pages::sample::{self, HOSTILE, LANGUAGES, ago, has, is_harmless};

fn flow(paused: bool, open: bool) -> DestinationFlow {
    let pause = Pause {
        by: "account:hùng".to_owned(),
        reason: HOSTILE.to_owned(),
        at: ago(3_600),
    };
    let until = sample::now() + Duration::from_secs(30);
    DestinationFlow {
        state: DestinationState {
            row: DestinationRow {
                name: DestinationName::parse("dvcqg").unwrap(),
                lane: LanePolicy::Hold,
                paused: paused.then_some(pause),
                breaker: BreakerRecord {
                    open_until: open.then_some(until),
                    openings: u32::from(open),
                },
            },
            concurrency_limit: 32,
            in_flight: 4,
            now: sample::now(),
        },
        waiting: 12,
        parked: 3,
        oldest: Some((DossierCode::parse("H56.14-240823-0001").unwrap(), ago(200))),
        accepted_per_minute: 1.0,
        delivered_per_minute: 2.0,
        parked_per_minute: 0.0,
        retried_per_minute: 0.0,
        drained_in: None,
        delays: DelayHistogram::default(),
    }
}

#[test]
fn a_paused_destination_names_who_and_why_and_offers_to_resume() {
    for language in LANGUAGES {
        let frame = sample::frame(language, OperatorRole::Operator);
        let html = one::view(&frame, &flow(true, false), "", &Faulty::default()).into_string();
        is_harmless(&html);
        let verb = language.t("Cho gửi tiếp", "Resume");
        has(
            &html,
            &[
                "action=\"/destinations/dvcqg/resume\"",
                "token-of-the-session",
                "account:hùng",
                "&lt;script&gt;",
                verb,
            ],
        );
    }
}

#[test]
fn an_open_breaker_is_explained() {
    let frame = sample::frame(LANGUAGES[0], OperatorRole::Operator);
    let html = one::view(&frame, &flow(false, true), "", &Faulty::default()).into_string();
    has(
        &html,
        &[
            "Đang ngắt",
            "lần gọi thử kế tiếp sau 30 giây",
            "action=\"/destinations/dvcqg/pause\"",
        ],
    );
}

#[test]
fn viewers_have_no_form() {
    let frame = sample::frame(LANGUAGES[0], OperatorRole::Viewer);
    let html = one::view(&frame, &flow(false, false), "", &Faulty::default()).into_string();
    assert!(!html.contains("<form"), "{html}");
    has(&html, &["Vai trò của bạn chỉ được xem"]);
}

#[test]
fn a_missing_reason_is_told_beside_the_field() {
    let frame = sample::frame(LANGUAGES[1], OperatorRole::Operator);
    let faulty = Faulty::of(&Faults::one("reason", Reason::Missing));
    let html = one::view(&frame, &flow(false, false), HOSTILE, &faulty).into_string();
    is_harmless(&html);
    has(
        &html,
        &[
            "id=\"reason-error\"",
            "The value is missing",
            "&lt;script&gt;",
        ],
    );
}
