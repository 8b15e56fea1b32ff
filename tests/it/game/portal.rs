//! Incidents of the portal: it fails, it forgets its sessions, it refuses one dossier, workers seem to die at another,
//! it refuses our password.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::SignedDuration;
use lienthong_domain::{Clock, DeliveryState, Private};
use lienthong_gateway::config::Config;
use lienthong_simulators::portal::{Fault, FaultRule, FaultScript, Service};
use lienthong_tests::harness::acts::{REJECTED, rejecting};

use super::stage::Stage;

/// Dossiers sent into an outage: more than the breaker wants to see before it closes.
const DOSSIERS: usize = 24;
const DESTINATION: &str = "dvcqg";
const PAGE: &str = "/destinations/dvcqg";
const HELD_BACK: &str = "Nơi nhận dvcqg không trả lời hoặc trả lời lỗi";

fn breaks(stage: &Stage, rule: FaultRule) {
    let script = FaultScript {
        seed: stage.traffic.seed(),
        rules: vec![rule],
    };
    stage.gateway.portal.set_faults(script).unwrap();
}

fn is_mended(stage: &Stage) {
    let portal = &stage.gateway.portal;
    portal.set_faults(FaultScript::default()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_answers_500() {
    let mut stage = Stage::open(|_| ()).await;
    breaks(&stage, FaultRule::always(Fault::Status { code: 500 }));
    stage.send(DOSSIERS).await;
    stage.fires("BreakerOpen", DESTINATION).await;
    let advice = "Báo đơn vị quản lý dvcqg; trục tự thử lại và tự gửi tiếp.";
    stage.shows("/", &[HELD_BACK, advice]).await;
    let next = "Hãy liên hệ bên vận hành nơi nhận";
    stage.shows(PAGE, &["Đang ngắt", next]).await;
    is_mended(&stage);
    stage.ends("BreakerOpen", DESTINATION, HELD_BACK).await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portals_session_expires_again_and_again() {
    let mut stage = Stage::open(|_| ()).await;
    let forgets = FaultRule {
        services: vec![Service::SyncDossier, Service::UpdateProgress],
        ..FaultRule::always(Fault::ExpireSession)
    };
    breaks(&stage, forgets);
    let sent = stage.send(DOSSIERS).await;
    stage.fires("BreakerOpen", DESTINATION).await;
    stage.shows("/", &[HELD_BACK]).await;
    // What the portal says is with the dossier that waits.
    let dossier = format!("/dossiers/{}", sent[0]);
    stage.shows(&dossier, &["Phiên làm việc"]).await;
    is_mended(&stage);
    stage.ends("BreakerOpen", DESTINATION, HELD_BACK).await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_dossier_is_poison() {
    const PARKED: &str = "1 lượt gửi tới dvcqg đang bị tạm giữ chờ người xử lý";
    let mut stage = Stage::open(|_| ()).await;
    // The next dossiers are numbered on; which of them is the poison is the seed's choice.
    let poison = 7 + stage.traffic.below(10);
    let portal = &stage.gateway.portal;
    let poisoned = rejecting(vec![format!("*-{poison:04}")]);
    portal.set_faults(poisoned).unwrap();
    let sent = stage.send(10).await;
    stage.fires("DeliveriesParked", DESTINATION).await;
    stage.shows("/", &[PARKED, "Mở trang Tạm giữ"]).await;
    let suffix = format!("-{poison:04}");
    let code = sent.iter().find(|code| code.ends_with(&suffix)).unwrap();
    stage.shows("/parked", &["Nơi nhận từ chối", code]).await;
    stage.shows(&format!("/dossiers/{code}"), &[REJECTED]).await;
    let others = async || {
        let record = stage.gateway.portal.record();
        let arrived = |code: &&String| {
            record
                .dossiers
                .get(*code)
                .is_some_and(|seen| seen.syncs > 1)
        };
        sent.iter().filter(arrived).count() == sent.len() - 1
    };
    stage.gateway.until("all others flow", others).await;
    is_mended(&stage);
    stage
        .replay_by_console("Cổng đã sửa danh mục thủ tục")
        .await;
    stage.ends("DeliveriesParked", DESTINATION, PARKED).await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_dossier_seems_to_kill_its_workers() {
    const SUSPECT: &str = "1 lượt gửi tới dvcqg bị nghi làm dừng tiến trình xử lý";
    let seconds = Arc::new(AtomicI64::new(0));
    let hands = seconds.clone();
    let clock = Clock::from_fn(move || {
        Clock::system().now() + SignedDuration::from_secs(hands.load(Ordering::Relaxed))
    });
    let only_one_crash = |config: &mut Config| config.delivery.workers.crashes_max = 1;
    let mut stage = Stage::open_at(clock, only_one_crash).await;
    let slow = Fault::Delay {
        ms_min: 2_000,
        ms_max: 2_000,
    };
    breaks(&stage, FaultRule::always(slow));
    let sent = stage.send(1).await;
    let calling = async || stage.gateway.count(DeliveryState::Calling).await > 0;
    stage.gateway.until("a worker calls", calling).await;
    // A worker that is silent for longer than its lease is as good as dead.
    seconds.store(10, Ordering::Relaxed);
    stage.fires("PoisonDossier", DESTINATION).await;
    is_mended(&stage);
    stage
        .shows("/", &[SUSPECT, "lọc lý do CRASH_SUSPECT"])
        .await;
    stage
        .shows("/parked", &["Nghi làm dừng tiến trình gửi", &sent[0]])
        .await;
    stage.replay_by_console("Nhật ký không có lỗi nào").await;
    stage.ends("PoisonDossier", DESTINATION, SUSPECT).await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_refuses_our_password() {
    const REFUSED: &str = "Nơi nhận dvcqg từ chối tài khoản của trục liên thông";
    let mut stage = Stage::open(|_| ()).await;
    let mut right = Private::new(String::new());
    let password = &mut right;
    let wrong = Private::new("mat-khau-cu".to_owned());
    stage
        .restart_with(|config| *password = std::mem::replace(&mut config.portal.password, wrong))
        .await;
    stage.send(DOSSIERS).await;
    stage.fires("CredentialsRefused", DESTINATION).await;
    let advice = "Sửa tài khoản, mật khẩu của dvcqg trong cấu hình rồi khởi động lại";
    stage.shows("/", &[REFUSED, advice]).await;
    stage
        .restart_with(|config| config.portal.password = right)
        .await;
    stage.ends("CredentialsRefused", DESTINATION, REFUSED).await;
    stage.close().await;
}
