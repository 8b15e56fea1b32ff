//! Incidents of the machine: its disk fills up, its clock goes wrong, its certificate ends.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::SignedDuration;
use lienthong_domain::Clock;
use lienthong_transport::{DevelopmentCa, Overwrite};
use nix::fcntl::posix_fallocate;
use nix::sys::statvfs::statvfs;
use tonic::Code;

use super::stage::{ON_TIME, Stage};
use super::traffic::offer;

const DOSSIERS: usize = 8;
/// What fills the disk, at most: twice what other tests may write or delete meanwhile.
const BALLAST_BYTES_MAX: u64 = 4 << 30;

fn free_bytes(folder: &Path) -> u64 {
    let space = statvfs(folder).unwrap();
    space.blocks_available() * space.fragment_size()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_is_full() {
    const FULL: &str = "Ổ đĩa của kho đã đầy tới mức dự phòng";
    let mut ballast_bytes = 0;
    let mut stage = Stage::open(|config| {
        let folder = config.tls.certificate.parent().unwrap();
        let free = free_bytes(folder);
        ballast_bytes = BALLAST_BYTES_MAX.min(free / 4);
        config.store.reserve_mib = (free - ballast_bytes / 2) >> 20;
    })
    .await;
    let path = stage.gateway.folder().join("ballast");
    let ballast = File::create(&path).unwrap();
    posix_fallocate(&ballast, 0, i64::try_from(ballast_bytes).unwrap()).unwrap();

    stage.fires("DiskFull", "gateway").await;
    let mut client = stage.gateway.province("H21");
    let mut late = stage.traffic.open("H21.17", 1, ON_TIME);
    let event = late.remove(0);
    let refused = offer(&mut client, event.clone()).await;
    assert_eq!(refused.unwrap_err().code(), Code::ResourceExhausted);
    let advice = "Giải phóng hoặc mở rộng ổ đĩa (lienthong doctor chỉ ra ổ nào)";
    stage.shows("/", &[FULL, advice]).await;

    std::fs::remove_file(&path).unwrap();
    drop(ballast);
    stage.ends("DiskFull", "gateway", FULL).await;
    stage.traffic.push(&mut client, event).await;
    stage.send(DOSSIERS).await;
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_is_wrong() {
    const WRONG: &str = "giây so với đồng hồ máy này";
    let minutes = Arc::new(AtomicI64::new(0));
    let hands = minutes.clone();
    let clock = Clock::from_fn(move || {
        Clock::system().now() - SignedDuration::from_mins(hands.load(Ordering::Relaxed))
    });
    let mut stage = Stage::open_at(clock, |_| ()).await;
    minutes.store(7, Ordering::Relaxed);
    stage.send(DOSSIERS).await;
    stage.fires("ClockWrong", "gateway").await;
    let advice = "Kiểm tra đồng bộ giờ của máy này (timedatectl, chrony)";
    stage
        .shows("/", &["Đồng hồ của nơi nhận lệch 4", WRONG, advice])
        .await;

    minutes.store(0, Ordering::Relaxed);
    stage.sign_in_again().await;
    // The next answer of the portal shows that all is well.
    stage.send(DOSSIERS).await;
    stage.ends("ClockWrong", "gateway", WRONG).await;
    stage.close().await;
}

/// Gives the gateway another certificate, good for so many days.
fn certify(folder: &Path, days: u16) {
    let ca = DevelopmentCa::load(folder).unwrap();
    let now = Clock::system().now();
    let issued = ca.issue_server(&["localhost", "127.0.0.1"], now, days);
    issued.unwrap().save(folder, Overwrite::Yes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_expires_soon() {
    const ENDING: &str = "Chứng thư số của trục liên thông còn 1 ngày là hết hạn";
    let mut stage =
        Stage::open(|config| certify(config.tls.certificate.parent().unwrap(), 2)).await;
    stage.fires("CertificateEnding", "gateway").await;
    let advice = "Xin cấp chứng thư mới và đặt vào tệp cấu hình [tls]; trục tự nạp lại, không cần khởi động lại.";
    stage.shows("/", &[ENDING, advice]).await;
    let address = stage.gateway.address();

    certify(stage.gateway.folder(), 90);
    stage.ends("CertificateEnding", "gateway", ENDING).await;
    assert_eq!(stage.gateway.address(), address, "nothing was restarted");
    stage.send(DOSSIERS).await;
    stage.close().await;
}
