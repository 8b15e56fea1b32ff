//! The ways through the console: replay, discard with a second person, pause; and who may not go them.

use lienthong_domain::DeliveryState;

use crate::harness::Page;
use crate::world::{Reader, World};

/// From a dry run to the page that asks for confirmation.
async fn confirm(browser: &mut Reader, pairs: &[(&str, &str)]) -> Page {
    let page = browser.post("/parked/confirm", pairs).await;
    page.is(200);
    page
}

#[tokio::test]
async fn parked_deliveries_are_replayed_once_however_often_the_button_is_pressed() {
    let world = World::with_parked(2).await;
    let mut browser = world.reader("lan", "vi").await;
    let dry_run = browser.get("/parked/check?kind=replay&root=H21").await;
    dry_run
        .is(200)
        .has(&["chưa có gì thay đổi", "Sẽ chuyển lại", "name=\"before\""]);
    let before = dry_run.field("before").unwrap();
    let asked = [
        ("kind", "replay"),
        ("root", "H21"),
        ("before", before.as_str()),
        ("reason", "cổng đã sửa danh mục"),
        ("per_second", "100"),
    ];
    let confirm = confirm(&mut browser, &asked).await;
    confirm.has(&["Chuyển lại 2 lượt gửi", "cổng đã sửa danh mục"]);
    let key = confirm.field("key").unwrap();
    let mut request = asked.to_vec();
    request.push(("key", key.as_str()));
    let first = browser.post("/operations", &request).await;
    let again = browser.post("/operations", &request).await;
    let page = first.leads_to().to_owned();
    assert_eq!(again.leads_to(), page);
    browser
        .get(&page)
        .await
        .is(200)
        .has(&["Đang chạy", "0 / 2"]);
    world.step().await;
    browser
        .get(&page)
        .await
        .has(&["Đã xong", "2 / 2", "Đã chuyển lại 2 lượt gửi"]);
    let states = world.lane.states(&World::dossier()).await;
    assert_eq!(states, [DeliveryState::Ready, DeliveryState::Queued]);
    browser
        .get("/parked")
        .await
        .has(&["Không có lượt gửi nào bị tạm giữ"]);
    browser
        .get("/dossiers/H21.17-250701-0001")
        .await
        .has(&["account:lan", "Chuyển lại"]);
    world.stop().await;
}

#[tokio::test]
async fn reason_and_rate_are_asked_for_beside_their_fields() {
    let world = World::with_parked(1).await;
    let mut browser = world.reader("lan", "en").await;
    let asked = [("kind", "replay"), ("reason", " "), ("per_second", "9999")];
    for path in ["/parked/confirm", "/operations"] {
        let page = browser.post(path, &asked).await;
        page.is(422).has(&[
            "id=\"reason-error\"",
            "id=\"per_second-error\"",
            "value=\"9999\"",
        ]);
    }
    browser.get("/operations").await.has(&["There is none."]);
    world.stop().await;
}

#[tokio::test]
async fn nothing_ticked_is_not_everything() {
    let world = World::with_parked(1).await;
    let mut browser = world.reader("lan", "vi").await;
    let answer = browser.get("/parked/check?chosen=ids&kind=discard").await;
    assert_eq!(answer.leads_to(), "/parked");
    browser
        .get("/parked")
        .await
        .has(&["Chưa chọn lượt gửi nào"]);
    world.stop().await;
}

#[tokio::test]
async fn a_large_discard_waits_for_a_second_person() {
    let world = World::with_parked(3).await;
    let mut lan = world.reader("lan", "vi").await;
    let asked = [
        ("kind", "discard"),
        ("reason", "đã xử lý tay"),
        ("per_second", "100"),
    ];
    let confirm = confirm(&mut lan, &asked).await;
    confirm.has(&["Gửi đề nghị hủy bỏ", "một người phê duyệt khác bạn"]);
    let key = confirm.field("key").unwrap();
    let mut request = asked.to_vec();
    request.push(("key", key.as_str()));
    let page = lan
        .post("/operations", &request)
        .await
        .leads_to()
        .to_owned();
    world.step().await;
    lan.get(&page)
        .await
        .has(&["Chờ phê duyệt", "0 / 3", "không tự phê duyệt được"]);
    let approve = format!("{page}/approve");
    lan.post(&approve, &[("reason", "tự duyệt")]).await.is(403);

    let mut duyet = world.reader("duyet", "vi").await;
    world.look().await;
    duyet.get("/").await.has(&[&format!("href=\"{page}\"")]);
    duyet
        .post(&approve, &[("reason", "")])
        .await
        .is(422)
        .has(&["id=\"approve-reason-error\""]);
    duyet
        .post(&approve, &[("reason", "đã kiểm tra")])
        .await
        .is(303);
    world.step().await;
    duyet.get(&page).await.has(&[
        "Đã xong",
        "account:duyet",
        "đã kiểm tra",
        "Đã hủy bỏ 3 lượt gửi",
    ]);
    duyet
        .get("/actions?kind=approve_operation")
        .await
        .has(&["Phê duyệt đợt xử lý", "account:duyet"]);
    let states = world.lane.states(&World::dossier()).await;
    assert_eq!(states, [DeliveryState::Discarded, DeliveryState::Ready]);
    world.stop().await;
}

#[tokio::test]
async fn the_dry_run_counts_what_the_reader_asked_for_before() {
    let world = World::with_parked(3).await;
    let mut lan = world.reader("lan", "en").await;
    let check = "/parked/check?kind=discard";
    let ids = lan.get("/parked").await.fields("id");
    let two = format!("{check}&id={}&id={}", ids[0], ids[1]);
    let dry_run = lan.get(&two).await.text;
    assert!(!dry_run.contains("a second person"), "two need nobody else");
    let one = [
        ("kind", "discard"),
        ("id", ids[2].as_str()),
        ("reason", "void"),
    ];
    lan.post("/operations", &one).await.is(303);
    lan.get(&two).await.has(&[
        "you asked for 1 delivery that nobody had to approve",
        "more than 2 deliveries",
    ]);
    let others = world.reader("duyet", "en").await.get(&two).await.text;
    assert!(!others.contains("a second person"), "another's own count");
    world.stop().await;
}

#[tokio::test]
async fn a_running_operation_can_be_ended() {
    let world = World::with_parked(2).await;
    let mut browser = world.reader("lan", "en").await;
    let asked = [
        ("kind", "replay"),
        ("reason", "mended"),
        ("per_second", "1"),
        ("key", "k-1"),
    ];
    let page = browser
        .post("/operations", &asked)
        .await
        .leads_to()
        .to_owned();
    let cancel = format!("{page}/cancel");
    browser
        .post(&cancel, &[("reason", "wrong province")])
        .await
        .is(303);
    browser
        .get(&page)
        .await
        .has(&["Cancelled", "wrong province", "the rest is still parked"]);
    world.step().await;
    browser.get("/parked").await.has(&["H21.17-250701-0001"]);
    world.stop().await;
}

#[tokio::test]
async fn a_destination_is_paused_with_a_reason_and_resumed() {
    let world = World::with_parked(1).await;
    let mut browser = world.reader("lan", "vi").await;
    let pause = "/destinations/dvcqg/pause";
    browser
        .post(pause, &[("reason", "")])
        .await
        .is(422)
        .has(&["Thiếu giá trị"]);
    browser
        .post(pause, &[("reason", "bảo trì đến 14:00")])
        .await
        .is(303);
    let page = browser.get("/destinations/dvcqg").await;
    page.has(&[
        "Đã tạm dừng.",
        "bảo trì đến 14:00",
        "account:lan",
        "action=\"/destinations/dvcqg/resume\"",
    ]);
    browser
        .post("/destinations/dvcqg/resume", &[("reason", "xong")])
        .await
        .is(303);
    browser
        .get("/destinations/dvcqg")
        .await
        .has(&["action=\"/destinations/dvcqg/pause\""]);
    browser
        .get("/actions")
        .await
        .has(&["Tạm dừng nơi nhận", "Cho nơi nhận gửi tiếp"]);
    world.stop().await;
}

#[tokio::test]
async fn viewers_change_nothing() {
    let world = World::with_parked(1).await;
    let mut browser = world.reader("xem", "vi").await;
    let reason = ("reason", "thử");
    let ways: [(&str, &[(&str, &str)]); 5] = [
        ("/destinations/dvcqg/pause", &[reason]),
        ("/parked/confirm", &[reason]),
        ("/operations", &[reason, ("key", "k")]),
        ("/operations/1/approve", &[reason]),
        ("/dossiers/H21.17-250701-0001/erase", &[reason]),
    ];
    for (path, pairs) in ways {
        let answer = browser.post(path, pairs).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text);
    }
    let states = world.lane.states(&World::dossier()).await;
    assert_eq!(states, [DeliveryState::Parked, DeliveryState::Queued]);
    world.stop().await;
}

#[tokio::test]
async fn a_dossier_is_erased_only_when_everything_about_it_has_ended() {
    let world = World::with_parked(1).await;
    let mut browser = world.reader("lan", "en").await;
    let erase = "/dossiers/H21.17-250701-0001/erase";
    browser
        .post(erase, &[("reason", "time is over")])
        .await
        .is(409);
    for kind in ["discard", "discard"] {
        let asked = [("kind", kind), ("reason", "void"), ("per_second", "100")];
        browser.post("/operations", &asked).await;
        world.step().await;
        let second = world.lane.claim(1, 7_200).await;
        if let Some(message) = second.first() {
            let work = world
                .lane
                .begin(*message, 7_200)
                .await
                .expect("a fresh claim");
            let next = lienthong_ports::store::Next::Done;
            assert!(world.lane.finish(work.message, next, 7_201).await);
        }
    }
    browser
        .post(erase, &[("reason", "time is over")])
        .await
        .is(303);
    browser
        .get("/dossiers/H21.17-250701-0001")
        .await
        .has(&["erased", "Personal data erased"]);
    world.stop().await;
}
