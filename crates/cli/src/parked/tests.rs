//! Replay and discard against the fake: plan, agreement, one operation, its progress, its ends.

use lienthong_proto::admin::v1::OperationState;
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::fake::FakeGateway;

const REPLAY: [&str; 7] = [
    "parked",
    "replay",
    "--error-group",
    "REJECTED/-1",
    "--reason",
    "đã sửa danh mục",
    "--yes",
];

#[tokio::test]
async fn a_replay_is_followed_to_its_end_and_says_what_was_left_alone() {
    let gateway = FakeGateway::kind().await;
    gateway.duty().looks_lost = 1;
    let ran = gateway.run(&REPLAY).await;
    assert_eq!(ran.exit, Exit::Ok, "{}", ran.talk);
    assert!(ran.talk.contains("đợt 1 xong: 2 lượt"), "{}", ran.talk);
    assert!(ran.talk.contains("--allow-out-of-order"), "{}", ran.talk);
    let duty = gateway.duty();
    assert_eq!(duty.replays.len(), 1, "with --yes there is no dry run");
    assert!(duty.replays[0].idempotency_key.starts_with("cli-"));
    assert_eq!(duty.replays[0].reason, "đã sửa danh mục");
}

#[tokio::test]
async fn programs_get_one_object_with_the_operation_as_it_ended() {
    let gateway = FakeGateway::kind().await;
    let ran = gateway.run(&[&REPLAY[..], &["--json"]].concat()).await;
    let answer = ran.object();
    assert_eq!(answer["carried_out"], true);
    assert_eq!(answer["operation"]["state"], "OPERATION_STATE_DONE");
    assert_eq!(answer["operation"]["moved"], 2);
}

#[tokio::test]
async fn without_agreement_nothing_is_asked_but_the_plan() {
    let gateway = FakeGateway::kind().await;
    gateway.duty().needs_approval = true;
    let words = ["parked", "replay", "--id", "42"];
    for last in [&["--dry-run"][..], &["--reason", "thử lại"]] {
        let ran = gateway.run(&[&words[..], last].concat()).await;
        assert_eq!(ran.exit, Exit::Ok);
        assert!(ran.data.contains("H56.14-261120-0001"), "{}", ran.data);
        assert!(
            ran.talk.contains("3 would be sent again; 1"),
            "{}",
            ran.talk
        );
        assert!(ran.talk.contains("only the first 1"), "{}", ran.talk);
        assert!(ran.talk.contains("người thứ hai"), "{}", ran.talk);
    }
    let duty = gateway.duty();
    assert!(duty.replays.iter().all(|request| request.dry_run));
    assert!(duty.operations.is_empty());
}

#[tokio::test]
async fn a_second_person_is_named_with_the_command() {
    let gateway = FakeGateway::kind().await;
    gateway.duty().needs_approval = true;
    let words = [
        "parked",
        "discard",
        "--province",
        "H56",
        "--reason",
        "huỷ",
        "--yes",
    ];
    let ran = gateway.run(&words).await;
    assert_eq!(ran.exit, Exit::Later, "{}", ran.talk);
    assert!(ran.talk.contains("người thứ hai"), "{}", ran.talk);
    assert!(
        ran.talk.contains("lienthong operations approve 1 --reason"),
        "{}",
        ran.talk
    );
}

#[tokio::test]
async fn the_same_key_is_one_operation_and_nobody_has_to_wait() {
    let gateway = FakeGateway::kind().await;
    let words = [
        &REPLAY[..],
        &["--no-wait", "--operation-key", "sua-danh-muc"],
    ]
    .concat();
    let (first, second) = (gateway.run(&words).await, gateway.run(&words).await);
    assert_eq!((first.exit, second.exit), (Exit::Ok, Exit::Ok));
    assert!(
        second.talk.contains("operations show 1 --follow"),
        "{}",
        second.talk
    );
    let duty = gateway.duty();
    assert_eq!(duty.operations.len(), 1);
    assert_eq!(duty.operations[0].state(), OperationState::Running);
}

#[tokio::test]
async fn ctrl_c_ends_the_watching_and_not_the_operation() {
    let gateway = FakeGateway::kind().await;
    let stop = CancellationToken::new();
    gateway.duty().stop_at_look = Some(stop.clone());
    // The look that stops is also lost, so that the operation cannot have ended meanwhile.
    gateway.duty().looks_lost = 1;
    let ran = gateway.run_until(&REPLAY, stop).await;
    assert_eq!(ran.exit, Exit::Interrupted, "{}", ran.talk);
    assert!(ran.talk.contains("goes on in the gateway"), "{}", ran.talk);
    assert!(ran.talk.contains("operations cancel 1"), "{}", ran.talk);
    let state = gateway.duty().operations[0].state();
    assert_eq!(state, OperationState::Running);
}

#[tokio::test]
async fn everything_must_be_asked_for_by_name() {
    let gateway = FakeGateway::kind().await;
    let ran = gateway
        .run(&["parked", "replay", "--reason", "x", "--yes"])
        .await;
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.talk.contains("--all"), "{}", ran.talk);
    assert!(gateway.duty().replays.is_empty());
}

#[tokio::test]
async fn groups_and_lists_take_the_same_filter() {
    let gateway = FakeGateway::kind().await;
    let ran = gateway
        .run(&[
            "parked",
            "groups",
            "--province",
            "H56",
            "--older-than",
            "2h",
        ])
        .await;
    let expected = "\
destination  province  error group  deliveries  oldest               newest
dvcqg        H56       REJECTED/-1          17  20/11/2026 08:30:00  20/11/2026 08:30:00
";
    assert_eq!(ran.data, expected);
    let filter = gateway.duty().groups_asked[0].filter.clone().unwrap();
    assert_eq!(filter.province_code, "H56");
    // The clock of the tests stands at 08:30.
    assert_eq!(filter.parked_before.unwrap().seconds, 1_795_138_200 - 7_200);
    let ran = gateway
        .run(&["parked", "list", "--limit", "3", "--json"])
        .await;
    assert_eq!(ran.data.lines().count(), 3, "{}", ran.data);
}
