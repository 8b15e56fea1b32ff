use lienthong_domain::delivery::ParkReason;
use lienthong_domain::{DeliveryId, DestinationName, DossierCode, DossierStatus, EventId, Random};
use lienthong_ports::operators::{OperationKind, ParkedGroup, Preview};
use lienthong_ports::store::{Parked, ParkedFilter, ReplayItem};
use lienthong_services::approval::Approval;

use super::*;
use crate::pages::sample::{self, HOSTILE, LANGUAGES, ago, has, is_harmless};

fn code() -> DossierCode {
    DossierCode::parse("H56.14-240823-0001").unwrap()
}

fn list() -> list::Data {
    let destination = DestinationName::parse("dvcqg").unwrap();
    list::Data {
        selection: Selection::default(),
        faulty: Faulty::default(),
        destinations: vec!["dvcqg".to_owned()],
        groups: vec![ParkedGroup {
            destination: destination.clone(),
            root: "H56".to_owned(),
            reason: ParkReason::Rejected,
            code: "-1 & <b>".to_owned(),
            deliveries: 1_234,
            oldest_parked_at: ago(7_200),
            newest_parked_at: ago(60),
        }],
        parked: vec![Parked {
            id: DeliveryId(42),
            destination,
            dossier: code(),
            event_id: EventId::from_bytes([7; 16]),
            sequence: 3,
            status: DossierStatus::Processing,
            procedure: None,
            reason: ParkReason::Rejected,
            parked_at: ago(7_200),
            attempts: 4,
            code: "-1".to_owned(),
            message: HOSTILE.to_owned(),
            behind: 2,
        }],
        next: Some(DeliveryId(42)),
    }
}

fn choosing(pairs: &[(&str, &str)]) -> Choosing {
    Choosing::read(&Params::of(pairs), sample::now())
}

fn dry_run(matches: u64, reorders: u64) -> dry_run::Data {
    dry_run::Data {
        preview: Preview {
            matches,
            repeats: 2,
            reorders,
            behind: 5,
            items: vec![ReplayItem {
                id: DeliveryId(42),
                dossier: code(),
                sequence: 3,
                repeats: true,
                reorders: false,
                replayed: true,
            }],
        },
        filter: ParkedFilter::default(),
        approval: Approval {
            above: 100,
            asked_before: 0,
            needed: matches > 100,
        },
    }
}

#[test]
fn groups_lead_to_a_dry_run_and_deliveries_can_be_ticked() {
    for language in LANGUAGES {
        let frame = sample::frame(language, OperatorRole::Operator);
        let html = list::view(&frame, &list()).into_string();
        is_harmless(&html);
        let (count, reason) = language.t(
            ("1.234", "Nơi nhận từ chối"),
            ("1,234", "Rejected by the destination"),
        );
        has(
            &html,
            &[
                count,
                reason,
                "/parked/check?destination=dvcqg&amp;root=H56&amp;parked=rejected&amp;code=-1%20%26%20%3Cb%3E&amp;kind=replay",
                "name=\"id\" value=\"42\"",
                "name=\"chosen\" value=\"ids\"",
                "href=\"/parked?after=42\"",
            ],
        );
    }
}

#[test]
fn viewers_may_try_a_replay_but_see_no_discard() {
    let frame = sample::frame(LANGUAGES[1], OperatorRole::Viewer);
    let html = list::view(&frame, &list()).into_string();
    assert!(!html.contains("value=\"discard\""), "{html}");
    let html = dry_run::view(&frame, &dry_run(3, 0), &choosing(&[]), &Faulty::default());
    let html = html.into_string();
    assert!(!html.contains("action=\"/parked/confirm\""), "{html}");
    has(&html, &["Your role may look and try"]);
}

#[test]
fn an_empty_page_says_why() {
    let frame = sample::frame(LANGUAGES[0], OperatorRole::Operator);
    let none = list::Data {
        groups: Vec::new(),
        parked: Vec::new(),
        next: None,
        ..list()
    };
    has(
        &list::view(&frame, &none).into_string(),
        &["Không có lượt gửi nào bị tạm giữ"],
    );
    let filtered = list::Data {
        selection: Selection {
            code: "-1".to_owned(),
            ..Selection::default()
        },
        ..none
    };
    has(
        &list::view(&frame, &filtered).into_string(),
        &["Bỏ bớt điều kiện"],
    );
}

#[test]
fn the_dry_run_tells_what_would_be_repeated_reordered_and_approved() {
    let chosen = choosing(&[("kind", "replay"), ("root", "H56")]);
    for language in LANGUAGES {
        let frame = sample::frame(language, OperatorRole::Operator);
        let html =
            dry_run::view(&frame, &dry_run(150, 3), &chosen, &Faulty::default()).into_string();
        is_harmless(&html);
        let expected = language.t(
            [
                "chưa có gì thay đổi",
                "3 lượt gửi cũ hơn trạng thái đã gửi xong",
                "Trên 100 lượt gửi thì cần một người thứ hai",
                ">147<",
            ],
            [
                "nothing has changed",
                "3 deliveries are older than a status",
                "Above 100 deliveries a second person",
                ">147<",
            ],
        );
        has(&html, &expected);
        has(
            &html,
            &[
                "name=\"out_of_order\"",
                "name=\"root\" value=\"H56\"",
                "aria-current=\"step\"",
            ],
        );
    }
}

#[test]
fn confirming_carries_everything_and_a_key_of_its_own() {
    let pairs = [
        ("kind", "discard"),
        ("id", "42"),
        ("id", "43"),
        ("reason", "đã xử lý tay </script><script>alert(1)"),
        ("per_second", "50"),
    ];
    let chosen = choosing(&pairs);
    assert!(chosen.faults().is_empty());
    let random = Random::seeded(7);
    let (one, other) = (
        confirming::fresh_key(&random, sample::now()),
        confirming::fresh_key(&random, sample::now()),
    );
    assert_ne!(one, other);
    for language in LANGUAGES {
        let frame = sample::frame(language, OperatorRole::Operator);
        let html = confirming::view(&frame, &dry_run(2, 0), &chosen, &one).into_string();
        is_harmless(&html);
        let button = language.t("Hủy bỏ 2 lượt gửi", "Discard 2 deliveries");
        let key = format!("name=\"key\" value=\"{one}\"");
        has(
            &html,
            &[
                button,
                key.as_str(),
                "name=\"id\" value=\"42\"",
                "name=\"id\" value=\"43\"",
                "name=\"per_second\" value=\"50\"",
            ],
        );
    }
}

#[test]
fn reason_and_rate_are_checked_before_anything_is_asked_for() {
    let faulty = choosing(&[("per_second", "5000")]).faults();
    assert!(faulty.of_field("reason").is_some());
    assert!(faulty.of_field("per_second").is_some());
    let long = "lý ".repeat(200);
    let faulty = choosing(&[("reason", long.as_str())]).faults();
    assert!(faulty.of_field("reason").is_some());
}

#[test]
fn a_dry_run_fixes_the_moment_up_to_which_it_reaches() {
    let chosen = choosing(&[("destination", "dvcqg")]);
    let later = sample::now() + std::time::Duration::from_mins(1);
    let filter = chosen.selection.filter(later).unwrap();
    let until = filter.parked_until.unwrap();
    assert_eq!(until.as_second(), sample::now().as_second() + 1);
    let aged = choosing(&[("hours", "24")]);
    let until = aged.selection.filter(later).unwrap().parked_until;
    assert_eq!(
        until,
        Some(ago(86_400)),
        "an age is counted from the dry run"
    );
}

#[test]
fn the_form_of_a_dry_run_is_one_filter_whenever_it_is_sent() {
    let later = sample::now() + std::time::Duration::from_hours(3);
    for hours in ["", "0", "24", "65535"] {
        let asked = choosing(&[("hours", hours), ("destination", "dvcqg")]).selection;
        let filter = asked.filter(sample::now()).unwrap();
        let sent = Choosing::read(&Params::of(&asked.pairs()), later).selection;
        assert_eq!(sent.filter(later).unwrap(), filter, "{hours}");
        assert!(asked.pairs().iter().all(|(name, _)| *name != "hours"));
    }
    for (name, text) in [("hours", "hôm qua"), ("before", "x")] {
        let wrong = choosing(&[(name, text), ("hours", "24")]).selection;
        assert!(wrong.filter(later).is_err(), "{name}");
    }
}

#[test]
fn filters_are_read_or_their_faults_are_named() {
    let pairs = [
        ("destination", "DVCQG"),
        ("root", "H5"),
        ("parked", "lost"),
        ("procedure", "1"),
        ("id", "x"),
    ];
    let selection = Selection::read(&Params::of(&pairs));
    let faults = selection.filter(sample::now()).expect_err("all of them");
    assert_eq!(faults.len(), pairs.len());
    let pairs = [
        ("root", "H56"),
        ("parked", "crash_suspect"),
        ("procedure", "1.000094"),
        ("code", "HTTP_503"),
    ];
    let selection = Selection::read(&Params::of(&pairs));
    let filter = selection.filter(sample::now()).unwrap();
    assert_eq!(filter.reason, Some(ParkReason::CrashSuspect));
    assert_eq!(filter.root.as_deref(), Some("H56"));
    let again = selection.address("/parked", &[]);
    assert_eq!(
        again,
        "/parked?root=H56&procedure=1.000094&parked=crash_suspect&code=HTTP_503"
    );
}

#[test]
fn an_operation_of_a_replay_is_the_default() {
    assert_eq!(choosing(&[]).kind, OperationKind::Replay);
    assert_eq!(
        choosing(&[("kind", "discard")]).kind,
        OperationKind::Discard
    );
}
