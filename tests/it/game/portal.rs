//! Incidents of the portal: it fails, it forgets its sessions, it refuses one dossier, it refuses our password.

use lienthong_domain::Private;
use lienthong_simulators::portal::{Fault, FaultRule, FaultScript, Service};

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
    const MESSAGE: &str = "Mã thủ tục không có trong danh mục";
    const PARKED: &str = "1 lượt gửi tới dvcqg đang bị tạm giữ chờ người xử lý";
    let mut stage = Stage::open(|_| ()).await;
    // The next dossiers are numbered on; which of them is the poison is the seed's choice.
    let poison = 7 + stage.traffic.below(10);
    let rejected = FaultRule {
        dossiers: vec![format!("*-{poison:04}")],
        ..FaultRule::always(Fault::Reject {
            message: MESSAGE.to_owned(),
        })
    };
    breaks(&stage, rejected);
    let sent = stage.send(10).await;
    stage.fires("DeliveriesParked", DESTINATION).await;
    stage.shows("/", &[PARKED, "Mở trang Tạm giữ"]).await;
    let suffix = format!("-{poison:04}");
    let code = sent.iter().find(|code| code.ends_with(&suffix)).unwrap();
    stage.shows("/parked", &["Nơi nhận từ chối", code]).await;
    stage.shows(&format!("/dossiers/{code}"), &[MESSAGE]).await;
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
