use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::identity::OfficialId;
use lienthong_domain::participant::{Participant, ParticipantId, Role};
use lienthong_domain::timeline::TransitionPolicy;
use lienthong_domain::{Faults, OperatorRole, Reason};
use lienthong_identity::{GuardLevel, GuardTarget};
use lienthong_services::seen::Lateness;

use super::*;
use crate::pages::sample::{self, HOSTILE, LANGUAGES, ago, has, is_harmless};

fn data() -> Data {
    let participant = Participant {
        id: ParticipantId::parse("H56").unwrap(),
        name: HOSTILE.to_owned(),
        active: true,
        transitions: TransitionPolicy::Refuse,
        rate_per_second_max: 2_000,
        systems: vec![System {
            name: "motcua".into(),
            role: Role::Push,
            pins: Vec::new(),
            grants: Vec::new(),
        }],
    };
    let seen = SystemState {
        last_seen_at: Some(ago(200)),
        certificate_ends_at: Some(sample::now() + Duration::from_hours(216)),
        accepted: 12_345,
        refused: 6,
    };
    let guard = GuardView {
        target: target(),
        level: GuardLevel::Blocked,
        reason: Some(ErrorCode::GuardBlocked),
        since: ago(600),
        misses_net: 6.5,
        subjects_last_hour: 8,
        subjects_last_day: 9,
    };
    Data {
        participants: vec![ParticipantState {
            participant: Arc::new(participant),
            systems: vec![seen],
            lateness: Some(Lateness {
                median: Duration::from_secs(90),
                events: 100,
            }),
        }],
        guards: Some(vec![guard]),
    }
}

fn target() -> GuardTarget {
    GuardTarget {
        participant: ParticipantId::parse("G15").unwrap(),
        system: "dancu".into(),
        official: Some(OfficialId::parse("nguyenvana").unwrap()),
    }
}

#[test]
fn systems_show_when_they_were_seen_and_what_ends_soon() {
    for language in LANGUAGES {
        let frame = sample::frame(language, OperatorRole::Viewer);
        let html = view(&frame, &data(), None).into_string();
        is_harmless(&html);
        let (seen, days, accepted) = language.t(
            ("3 phút 20 giây trước", "9 ngày", "12.345"),
            ("3 min 20 s ago", "9 days", "12,345"),
        );
        has(
            &html,
            &[
                "H56/motcua",
                seen,
                days,
                accepted,
                "badge warning",
                "GUARD_BLOCKED",
            ],
        );
        assert!(!html.contains("/participants/lift"), "viewers lift nothing");
    }
}

#[test]
fn a_guard_is_lifted_with_a_reason() {
    let frame = sample::frame(LANGUAGES[0], OperatorRole::Operator);
    let typed = guards::Typed {
        target: target(),
        reason: String::new(),
        faulty: Faulty::of(&Faults::one("reason", Reason::Missing)),
    };
    let html = view(&frame, &data(), Some(&typed)).into_string();
    has(
        &html,
        &[
            "action=\"/participants/lift\"",
            "name=\"official\" value=\"nguyenvana\"",
            "id=\"lift-0-reason-error\"",
        ],
    );
    let form = Params::of(&[
        ("participant", "G15"),
        ("system", "dancu"),
        ("official", "nguyenvana"),
    ]);
    assert_eq!(guards::target(&form).unwrap(), target());
    assert!(guards::target(&Params::of(&[("participant", "??")])).is_err());
}

#[test]
fn without_identity_there_are_no_guards_and_no_grants() {
    let frame = sample::frame(LANGUAGES[0], OperatorRole::Operator);
    let plain = Data {
        guards: None,
        ..data()
    };
    let html = view(&frame, &plain, None).into_string();
    assert!(
        !html.contains("id=\"guards\"") && !html.contains("/participants/check"),
        "{html}"
    );
}
