//! The ways through the console: replay, discard with a second person, pause; and who may not go them.

use lienthong_domain::DeliveryState;

use crate::http::{Answer, Browser};
use crate::world::World;

/// From a dry run to the page that asks for confirmation.
async fn confirm(browser: &mut Browser, pairs: &[(&str, &str)]) -> Answer {
    let page = browser.post("/parked/confirm", pairs).await;
    page.is(200);
    page
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parked_deliveries_are_replayed_once_however_often_the_button_is_pressed() {
    let world = World::with_parked(2).await;
    let mut browser = world.browser("lan", "vi").await;
    let dry_run = browser.get("/parked/check?kind=replay&root=H21").await;
    dry_run
        .is(200)
        .has(&["chưa có gì thay đổi", "Sẽ chuyển lại", "name=\"before\""]);
    let before = dry_run.hidden("before");
    let asked = [
        ("kind", "replay"),
        ("root", "H21"),
        ("before", before.as_str()),
        ("reason", "cổng đã sửa danh mục"),
        ("per_second", "100"),
    ];
    let confirm = confirm(&mut browser, &asked).await;
    confirm.has(&["Chuyển lại 2 lượt gửi", "cổng đã sửa danh mục"]);
    let key = confirm.hidden("key");
    let mut request = asked.to_vec();
    request.push(("key", key.as_str()));
    let first = browser.post("/operations", &request).await;
    let again = browser.post("/operations", &request).await;
    let page = first.is(303).header("location").to_owned();
    assert_eq!(again.is(303).header("location"), page);
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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reason_and_rate_are_asked_for_beside_their_fields() {
    let world = World::with_parked(1).await;
    let mut browser = world.browser("lan", "en").await;
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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_ticked_is_not_everything() {
    let world = World::with_parked(1).await;
    let mut browser = world.browser("lan", "vi").await;
    let answer = browser.get("/parked/check?chosen=ids&kind=discard").await;
    assert_eq!(answer.is(303).header("location"), "/parked");
    browser
        .get("/parked")
        .await
        .has(&["Chưa chọn lượt gửi nào"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_discard_waits_for_a_second_person() {
    let world = World::with_parked(3).await;
    let mut lan = world.browser("lan", "vi").await;
    let asked = [
        ("kind", "discard"),
        ("reason", "đã xử lý tay"),
        ("per_second", "100"),
    ];
    let confirm = confirm(&mut lan, &asked).await;
    confirm.has(&["Gửi đề nghị hủy bỏ", "một người phê duyệt khác bạn"]);
    let key = confirm.hidden("key");
    let mut request = asked.to_vec();
    request.push(("key", key.as_str()));
    let page = lan
        .post("/operations", &request)
        .await
        .header("location")
        .to_owned();
    world.step().await;
    lan.get(&page)
        .await
        .has(&["Chờ phê duyệt", "0 / 3", "không tự phê duyệt được"]);
    let approve = format!("{page}/approve");
    lan.post(&approve, &[("reason", "tự duyệt")]).await.is(403);

    let mut hung = world.browser("hung", "vi").await;
    world.look().await;
    hung.get("/").await.has(&[&format!("href=\"{page}\"")]);
    hung.post(&approve, &[("reason", "")])
        .await
        .is(422)
        .has(&["id=\"approve-reason-error\""]);
    hung.post(&approve, &[("reason", "đã kiểm tra")])
        .await
        .is(303);
    world.step().await;
    hung.get(&page).await.has(&[
        "Đã xong",
        "account:hung",
        "đã kiểm tra",
        "Đã hủy bỏ 3 lượt gửi",
    ]);
    hung.get("/actions?kind=approve_operation")
        .await
        .has(&["Phê duyệt đợt xử lý", "account:hung"]);
    let states = world.lane.states(&World::dossier()).await;
    assert_eq!(states, [DeliveryState::Discarded, DeliveryState::Ready]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_operation_can_be_ended() {
    let world = World::with_parked(2).await;
    let mut browser = world.browser("lan", "en").await;
    let asked = [
        ("kind", "replay"),
        ("reason", "mended"),
        ("per_second", "1"),
        ("key", "k-1"),
    ];
    let page = browser
        .post("/operations", &asked)
        .await
        .header("location")
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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destination_is_paused_with_a_reason_and_resumed() {
    let world = World::with_parked(1).await;
    let mut browser = world.browser("lan", "vi").await;
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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn viewers_change_nothing() {
    let world = World::with_parked(1).await;
    let mut browser = world.browser("xem", "vi").await;
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
        assert_eq!(answer.status, 403, "{path}: {}", answer.body);
    }
    let states = world.lane.states(&World::dossier()).await;
    assert_eq!(states, [DeliveryState::Parked, DeliveryState::Queued]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dossier_is_erased_only_when_everything_about_it_has_ended() {
    let world = World::with_parked(1).await;
    let mut browser = world.browser("lan", "en").await;
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
}
