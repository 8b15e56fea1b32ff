//! Who guesses is stopped, stays stopped, and is let go by an operator; quotas say what they are and survive a restart.

use std::time::Duration;

use lienthong_proto::admin::v1::{Guard, GuardLevel, LiftGuardRequest, ListGuardsRequest};
use lienthong_proto::dossier::v1::PushStatusRequest;
use lienthong_proto::identity::v1::identity_service_client::IdentityServiceClient;
use lienthong_proto::identity::v1::{Claims, Inquiry, Verdict};
use lienthong_tests::harness::citizens::{
    DOSSIER, citizen, claims, for_dossier, for_ministry, reason, verify,
};
use lienthong_tests::harness::{TestGateway, events};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

const GUESSER: &str = "kedoantho.tuphap";
/// Most answers that a guesser may get before it is stopped.
const ANSWERS_MAX: usize = 10;
/// Names that nobody in the register has.
const NAMES: [&str; 5] = [
    "Hoàng Văn Đoán",
    "Phan Thị Mò",
    "Đỗ Xuân Thử",
    "Vũ Thị Phỏng Chừng",
    "Bùi Quốc Ước Lượng",
];

/// A gateway at which H56 holds one open dossier.
async fn with_a_dossier() -> TestGateway {
    let gateway = TestGateway::start().await;
    let event = Some(events::first(DOSSIER));
    let mut province = gateway.province("H56");
    province
        .push_status(PushStatusRequest { event })
        .await
        .expect("accepted");
    gateway
}

fn of_official(official: &str) -> Inquiry {
    Inquiry {
        official_id: official.to_owned(),
        ..for_dossier(DOSSIER)
    }
}

/// What is true of the citizen at `skip`.
fn right(gateway: &TestGateway, skip: usize) -> Claims {
    claims(&citizen(&gateway.population, skip))
}

/// The number and birth date of the citizen at `skip` under a name of nobody.
fn wrong(gateway: &TestGateway, skip: usize) -> Claims {
    Claims {
        full_name: NAMES[skip % NAMES.len()].to_owned(),
        ..right(gateway, skip)
    }
}

/// Asks as an official of a province or ministry.
async fn asked(
    client: &mut IdentityServiceClient<Channel>,
    inquiry: Inquiry,
    claims: Claims,
) -> Result<Verdict, Status> {
    let answer = client.verify_citizen(verify(inquiry, claims)).await?;
    let verification = answer.into_inner().verification;
    Ok(verification.expect("not deferred").verdict())
}

/// Guesses about different citizens from `first` on until it is stopped: how many answers there were, and the stop.
async fn guess(gateway: &TestGateway, first: usize) -> (usize, Status) {
    let mut client = gateway.citizens("H56", "motcua");
    let mut count = 0;
    loop {
        let claims = wrong(gateway, first + count);
        match asked(&mut client, of_official(GUESSER), claims).await {
            Ok(verdict) => assert_eq!(verdict, Verdict::NoMatch),
            Err(stop) => return (count, stop),
        }
        count += 1;
        assert!(count <= ANSWERS_MAX, "never stopped");
    }
}

/// Others of the same province do their work: ten right claims about ten citizens.
async fn others_work(gateway: &TestGateway, first: usize) {
    let mut client = gateway.citizens("H56", "motcua");
    for count in 0..10 {
        let inquiry = of_official(&format!("canbo{}.tuphap", count % 3));
        let answer = asked(&mut client, inquiry, right(gateway, first + count)).await;
        assert_eq!(
            answer.expect("an honest official is not stopped"),
            Verdict::Match
        );
    }
}

#[track_caller]
fn assert_stopped(status: &Status, expected: &str) {
    assert_eq!(
        (status.code(), reason(status).as_str()),
        (Code::ResourceExhausted, expected)
    );
    let failure = status.get_details_quota_failure();
    let failure = failure.expect("a refusal of this kind says which quota");
    assert!(!failure.violations.is_empty());
    assert!(
        failure
            .violations
            .iter()
            .all(|found| { !found.subject.is_empty() && !found.description.is_empty() })
    );
}

async fn guards(gateway: &TestGateway) -> Vec<Guard> {
    let mut operator = gateway.operator().participants;
    let listed = operator
        .list_guards(ListGuardsRequest {})
        .await
        .expect("an operator");
    listed.into_inner().guards
}

async fn guard_of_the_guesser(gateway: &TestGateway) -> Guard {
    let found = guards(gateway).await;
    let guard = found.iter().find(|guard| guard.official_id == GUESSER);
    guard.cloned().expect("the guesser is in the list")
}

fn lift(reason: &str) -> LiftGuardRequest {
    LiftGuardRequest {
        participant_id: "H56".to_owned(),
        system: "motcua".to_owned(),
        official_id: GUESSER.to_owned(),
        reason: reason.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guesser_is_stopped_lifted_and_blocked_the_second_time() {
    let mut gateway = with_a_dossier().await;
    let (answers, stop) = guess(&gateway, 0).await;
    assert!(answers <= ANSWERS_MAX, "{answers} answers");
    assert_stopped(&stop, "GUARD_APPROVAL_NEEDED");
    others_work(&gateway, 100).await;

    gateway.restart_with(|_| ()).await;
    let calls = gateway.population.stats().calls;
    let (answers_after, stop) = guess(&gateway, 20).await;
    assert_eq!(answers_after, 0, "a restart lets nobody go");
    assert_stopped(&stop, "GUARD_APPROVAL_NEEDED");
    let mut client = gateway.citizens("H56", "motcua");
    let also_right = asked(&mut client, of_official(GUESSER), right(&gateway, 21)).await;
    assert_stopped(&also_right.unwrap_err(), "GUARD_APPROVAL_NEEDED");
    assert_eq!(
        gateway.population.stats().calls,
        calls,
        "the database was asked"
    );
    others_work(&gateway, 120).await;

    let guard = guard_of_the_guesser(&gateway).await;
    assert_eq!(
        (guard.level(), guard.reason.as_str()),
        (GuardLevel::Approval, "GUARD_APPROVAL_NEEDED")
    );
    assert_eq!(
        (guard.participant_id.as_str(), guard.system.as_str()),
        ("H56", "motcua")
    );
    assert_eq!(guard.subjects_last_hour as usize, answers);
    assert!(guard.since.is_some());

    let mut operator = gateway.operator().participants;
    let silent = operator.lift_guard(lift(" ")).await.unwrap_err();
    assert_eq!(silent.code(), Code::InvalidArgument);
    let lifted = operator
        .lift_guard(lift("Đã gọi Sở Tư pháp: nhập nhầm danh sách cũ"))
        .await;
    assert!(lifted.expect("a reason was given").into_inner().lifted);
    gateway.restart_with(|_| ()).await;
    let mut client = gateway.citizens("H56", "motcua");
    let works = asked(&mut client, of_official(GUESSER), right(&gateway, 22)).await;
    assert_eq!(works.expect("lifted, also over a restart"), Verdict::Match);

    let (answers, stop) = guess(&gateway, 40).await;
    assert!(answers <= ANSWERS_MAX, "{answers} answers");
    assert_stopped(&stop, "GUARD_BLOCKED");
    gateway.restart_with(|_| ()).await;
    assert_stopped(&guess(&gateway, 60).await.1, "GUARD_BLOCKED");
    let guard = guard_of_the_guesser(&gateway).await;
    assert_eq!(guard.level(), GuardLevel::Blocked);
    others_work(&gateway, 140).await;
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_operators_see_guards_and_lift_them() {
    let gateway = with_a_dossier().await;
    guess(&gateway, 0).await;
    let channel = gateway.channel("H56", "motcua");
    let mut province =
        lienthong_proto::admin::v1::participant_service_client::ParticipantServiceClient::new(
            channel,
        );
    let seen = province.list_guards(ListGuardsRequest {}).await;
    assert_eq!(reason(&seen.unwrap_err()), "NOT_OPERATOR");
    let lifted = province.lift_guard(lift("tôi không cố ý")).await;
    assert_eq!(reason(&lifted.unwrap_err()), "NOT_OPERATOR");
    assert_eq!(
        guard_of_the_guesser(&gateway).await.level(),
        GuardLevel::Approval
    );
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_claims_about_one_citizen_lock_them_whoever_asks() {
    let mut gateway = with_a_dossier().await;
    let mut client = gateway.citizens("H56", "motcua");
    let mut answers = 0;
    let stop = loop {
        let inquiry = of_official(&format!("canbo{answers}.tuphap"));
        let claims = Claims {
            full_name: NAMES[answers % NAMES.len()].to_owned(),
            ..right(&gateway, 0)
        };
        match asked(&mut client, inquiry, claims).await {
            Ok(verdict) => assert_eq!(verdict, Verdict::NoMatch),
            Err(stop) => break stop,
        }
        answers += 1;
        assert!(answers <= ANSWERS_MAX, "never locked");
    };
    assert_stopped(&stop, "SUBJECT_LOCKED");
    assert!(stop.get_details_retry_info().is_some());

    gateway.restart_with(|_| ()).await;
    let mut client = gateway.citizens("H56", "motcua");
    let honest = || of_official("lethihoa.tuphap");
    let locked = asked(&mut client, honest(), right(&gateway, 0)).await;
    assert_stopped(&locked.unwrap_err(), "SUBJECT_LOCKED");
    // Other citizens are not locked, and the ministry made no wrong claim.
    let other = asked(&mut client, honest(), right(&gateway, 1)).await;
    assert_eq!(other.unwrap(), Verdict::Match);
    let mut ministry = gateway.citizens("G15", "hotich");
    let inquiry = for_ministry("DATA_CLEANING");
    let theirs = asked(&mut ministry, inquiry, right(&gateway, 0)).await;
    assert_eq!(theirs.unwrap(), Verdict::Match);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_of_three_citizens_names_itself_and_survives_a_restart() {
    let mut gateway = TestGateway::start().await;
    let inquiry = || for_ministry("DATA_CLEANING");
    let mut small = gateway.citizens("G15", "nho");
    for skip in 0..3 {
        let answer = asked(&mut small, inquiry(), right(&gateway, skip)).await;
        assert_eq!(answer.unwrap(), Verdict::Match);
    }
    for restarted in [false, true] {
        if restarted {
            gateway.restart_with(|_| ()).await;
            small = gateway.citizens("G15", "nho");
        }
        let calls = gateway.population.stats().calls;
        let fourth = asked(&mut small, inquiry(), right(&gateway, 3)).await;
        let fourth = fourth.unwrap_err();
        assert_stopped(&fourth, "QUOTA_EXCEEDED");
        assert_eq!(gateway.population.stats().calls, calls);
        let violations = fourth.get_details_quota_failure().unwrap().violations;
        let named = (&*violations[0].subject, &*violations[0].description);
        assert_eq!(named, ("official", "subjects_per_hour"));
        let facts = fourth.get_details_error_info().unwrap().metadata;
        assert_eq!(facts["limit"], "3");
        let wait = fourth.get_details_retry_info().unwrap().retry_delay;
        let wait = wait.expect("the hour ends");
        assert!(
            wait > Duration::from_mins(50) && wait <= Duration::from_hours(1),
            "{wait:?}"
        );
        // The three that were asked about may be asked about again.
        for skip in 0..3 {
            let again = asked(&mut small, inquiry(), right(&gateway, skip)).await;
            assert_eq!(again.unwrap(), Verdict::Match);
        }
    }
    // The quota is the official's.
    let other = Inquiry {
        official_id: "phamthilan.cntt".to_owned(),
        ..inquiry()
    };
    let answer = asked(&mut small, other, right(&gateway, 3)).await;
    assert_eq!(answer.unwrap(), Verdict::Match);
    gateway.stop().await;
}
