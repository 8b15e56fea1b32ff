//! Incidents of a sender: a province whose statuses come hours late.

use std::time::Duration;

use super::stage::{ON_TIME, Stage};

const PROVINCE: &str = "H56";
/// Enough to judge by, and more than the statuses on time before.
const DOSSIERS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn a_province_is_slow() {
    const LATE: &str = "Trạng thái của Thanh Hóa (H56) đến trục liên thông muộn";
    let mut stage = Stage::open(|_| ()).await;
    let (gateway, traffic) = (&stage.gateway, &mut stage.traffic);
    let hours_old = Duration::from_hours(5);
    traffic
        .send_from(gateway, PROVINCE, DOSSIERS, hours_old)
        .await;
    stage.fires("ProvinceLate", PROVINCE).await;
    let advice = "Báo bộ phận kỹ thuật của Thanh Hóa (H56)";
    stage.shows("/", &[LATE, advice]).await;
    stage.shows("/participants", &["Tỉnh Thanh Hóa"]).await;

    // It ends when most of what comes is on time again.
    let (gateway, traffic) = (&stage.gateway, &mut stage.traffic);
    traffic
        .send_from(gateway, PROVINCE, 2 * DOSSIERS, ON_TIME)
        .await;
    stage.ends("ProvinceLate", PROVINCE, LATE).await;
    stage.close().await;
}
