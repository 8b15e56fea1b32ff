use lienthong_domain::{Faults, OperatorRole, Reason};
use lienthong_ports::operators::{OperationKind, OperationState};
use lienthong_ports::store::ParkedFilter;

use super::*;
use crate::language::Language;
use crate::pages::sample::{self, HOSTILE, LANGUAGES, ago, has, is_harmless};

fn operation(state: OperationState, by: &str) -> Operation {
    Operation {
        id: OperationId(12),
        kind: OperationKind::Replay,
        filter: ParkedFilter {
            root: Some("H56".to_owned()),
            ..ParkedFilter::default()
        },
        allow_out_of_order: false,
        per_second: 20,
        state,
        matched: 1_200,
        moved: 100,
        left_alone: 3,
        requested_by: by.to_owned(),
        reason: HOSTILE.to_owned(),
        requested_at: ago(120),
        decided_by: None,
        decided_reason: None,
        decided_at: None,
        ended_at: None,
    }
}

fn rendered(language: Language, role: OperatorRole, operation: &Operation) -> String {
    let html = one::view(&sample::frame(language, role), operation, None).into_string();
    is_harmless(&html);
    html
}

#[test]
fn a_running_operation_shows_how_far_it_is_and_can_be_ended() {
    let operation = operation(OperationState::Running, "account:lan");
    for language in LANGUAGES {
        let html = rendered(language, OperatorRole::Operator, &operation);
        let left = language.t(
            "Còn 1.097 lượt gửi, khoảng 55 giây",
            "1,097 deliveries to go, about 55 s",
        );
        has(
            &html,
            &[
                "max=\"1200\" value=\"103\"",
                "Thanh Hóa (H56)",
                "action=\"/operations/12/cancel\"",
                left,
            ],
        );
        assert!(!html.contains("/approve"), "{html}");
    }
}

#[test]
fn only_another_approver_may_approve() {
    let table = [
        ("account:hùng", OperatorRole::Approver, true),
        ("account:lan", OperatorRole::Approver, false),
        ("openid:lan#0a1b2c3d", OperatorRole::Approver, false),
        ("openid:hùng#0a1b2c3d", OperatorRole::Approver, true),
        ("account:hùng", OperatorRole::Operator, false),
        ("account:hùng", OperatorRole::Viewer, false),
    ];
    for (by, role, may) in table {
        let operation = operation(OperationState::AwaitingApproval, by);
        let html = rendered(LANGUAGES[1], role, &operation);
        assert_eq!(
            html.contains("action=\"/operations/12/approve\""),
            may,
            "{by} {role}"
        );
        let cancels = html.contains("action=\"/operations/12/cancel\"");
        assert_eq!(cancels, role >= OperatorRole::Operator, "{by} {role}");
    }
}

#[test]
fn the_forms_are_replaced_once_the_operation_has_ended() {
    for state in [OperationState::Running, OperationState::Done] {
        let operation = operation(state, "account:hùng");
        let html = rendered(LANGUAGES[0], OperatorRole::Operator, &operation);
        has(&html, &["data-live=\"decide\""]);
        let (_, decide) = html.split_once("data-live=\"decide\"").unwrap();
        assert_eq!(decide.contains("<form"), state == OperationState::Running);
    }
}

#[test]
fn a_missing_reason_stands_beside_the_form_that_lacked_it() {
    let typed = one::Typed {
        decision: Decision::Approve,
        reason: String::new(),
        faulty: Faulty::of(&Faults::one("reason", Reason::Missing)),
    };
    let operation = operation(OperationState::AwaitingApproval, "account:hùng");
    let frame = sample::frame(LANGUAGES[0], OperatorRole::Approver);
    let html = one::view(&frame, &operation, Some(&typed)).into_string();
    has(&html, &["id=\"approve-reason-error\""]);
    assert!(!html.contains("id=\"cancel-reason-error\""));
}

#[test]
fn ended_operations_have_no_forms() {
    for state in [OperationState::Done, OperationState::Cancelled] {
        let html = rendered(
            LANGUAGES[0],
            OperatorRole::Approver,
            &operation(state, "account:hùng"),
        );
        assert!(!html.contains("<form"), "{html}");
    }
}

#[test]
fn the_list_leads_to_each_operation() {
    let data = Data {
        only_open: false,
        operations: vec![operation(OperationState::AwaitingApproval, "account:hùng")],
        next: Some(OperationId(12)),
    };
    for language in LANGUAGES {
        let html = view(&sample::frame(language, OperatorRole::Viewer), &data).into_string();
        is_harmless(&html);
        let title = language.t("Đợt chuyển lại số 12", "Replay no. 12");
        has(
            &html,
            &[
                "href=\"/operations/12\"",
                title,
                "href=\"/operations?before=12\"",
            ],
        );
    }
}
