//! Every page can be read by everybody who may sign in, in both languages, and says what it found.

use crate::world::World;

const PAGES: [&str; 14] = [
    "/",
    "/?hours=24",
    "/queues",
    "/destinations",
    "/destinations/dvcqg",
    "/parked",
    "/parked?destination=dvcqg&root=H21&parked=rejected&hours=1",
    "/parked/check?kind=replay&root=H21",
    "/operations",
    "/dossiers?code=H21",
    "/dossiers/H21.17-250701-0001",
    "/participants",
    "/actions",
    "/reports?period=month&day=2025-07-01",
];

#[tokio::test]
async fn every_page_is_whole_in_both_languages() {
    let world = World::with_parked(3).await;
    for language in ["vi", "en"] {
        let mut browser = world.reader("xem", language).await;
        for path in PAGES {
            let page = browser.get(path).await;
            assert_eq!(page.status, 200, "{path}: {}", page.text);
            page.has(&[&format!("<html lang=\"{language}\""), "<main"]);
            let headlines = page.text.matches("<h1>").count();
            assert_eq!(headlines, 1, "{path} has one headline");
            for inline in [" style=\"", " onclick=", "<style"] {
                assert!(!page.text.contains(inline), "{path} has {inline}");
            }
            ids_are_unique(path, &page.text);
        }
    }
    world.stop().await;
}

#[track_caller]
fn ids_are_unique(path: &str, body: &str) {
    let mut seen = std::collections::BTreeSet::new();
    let ids = body.split(" id=\"").skip(1);
    for id in ids.filter_map(|rest| rest.split('"').next()) {
        assert!(seen.insert(id), "{path} has the id {id} twice");
    }
}

#[tokio::test]
async fn the_overview_leads_to_the_dossier_and_the_dossier_to_its_cure() {
    let world = World::with_parked(3).await;
    let mut browser = world.reader("lan", "vi").await;
    let overview = browser.get("/").await;
    overview.has(&["Gia Lai (H21)", "href=\"/parked?destination=dvcqg\""]);
    let parked = browser.get("/parked?destination=dvcqg").await;
    parked.has(&[
        "Nơi nhận từ chối",
        "Không tìm thấy thủ tục",
        "href=\"/dossiers/H21.17-250701-0001\"",
    ]);
    let dossier = browser.get("/dossiers/H21.17-250701-0001").await;
    dossier.has(&[
        "Nơi nhận từ chối hồ sơ",
        "Đơn vị gửi hồ sơ",
        "href=\"/parked/check?kind=replay&amp;id=",
        "Xếp sau trạng thái trước",
    ]);
    assert!(
        !dossier.text.contains("Ánh Tuyết"),
        "no page tells the owner's name"
    );
    world.stop().await;
}

#[tokio::test]
async fn a_search_leads_on_or_says_why_not() {
    let world = World::with_parked(1).await;
    let mut browser = world.reader("xem", "en").await;
    let found = browser.get("/dossiers?code=%20H21.17-250701-0001%20").await;
    assert_eq!(found.leads_to(), "/dossiers/H21.17-250701-0001");
    browser
        .get("/dossiers?code=H21.17-250701-9999")
        .await
        .is(404)
        .has(&[
            "There is no dossier H21.17-250701-9999.",
            "value=\"H21.17-250701-9999\"",
        ]);
    let hostile = browser
        .get("/dossiers?code=%3Cscript%3Ealert(1)%3C%2Fscript%3E")
        .await;
    hostile
        .is(422)
        .has(&["&lt;script&gt;", "id=\"code-error\""]);
    browser.get("/dossiers/H21.17-250701-9999").await.is(404);
    browser.get("/dossiers/rubbish").await.is(404);
    browser.get("/destinations/nowhere").await.is(404);
    browser.get("/operations/99").await.is(404);
    browser.get("/operations/ninety").await.is(422);
    world.stop().await;
}

#[tokio::test]
async fn faulty_filters_keep_what_was_typed() {
    let world = World::with_parked(1).await;
    let mut browser = world.reader("xem", "en").await;
    browser
        .get("/parked?procedure=abc")
        .await
        .is(422)
        .has(&["value=\"abc\"", "id=\"procedure-error\""]);
    browser
        .get("/actions?since=yesterday")
        .await
        .is(422)
        .has(&["id=\"since-error\""]);
    browser
        .get("/reports?day=2025-02-30")
        .await
        .is(422)
        .has(&["id=\"day-error\""]);
    browser
        .get("/parked/check?id=x")
        .await
        .is(422)
        .has(&["The selection cannot be read"]);
    world.stop().await;
}

#[tokio::test]
async fn reports_come_as_files_too() {
    let world = World::with_parked(2).await;
    let mut browser = world.reader("xem", "vi").await;
    let csv = browser.get("/reports.csv?day=2025-07-01").await;
    assert_eq!(
        csv.is(200).headers["content-type"],
        "text/csv; charset=utf-8"
    );
    csv.has(&["dvcqg,H21,Gia Lai,4,0,2,0,0,,", "dvcqg,,,4,0,2,0,0,,"]);
    let json = browser.get("/reports.json?day=2025-07-01").await;
    assert_eq!(json.is(200).headers["content-type"], "application/json");
    let json: serde_json::Value = serde_json::from_str(&json.text).expect("JSON");
    assert_eq!(json["rows"][0]["parked"], 2);
    world.stop().await;
}

#[tokio::test]
async fn whoever_comes_back_to_the_address_of_a_form_is_led_to_its_page() {
    let world = World::with_parked(1).await;
    let mut browser = world.reader("xem", "vi").await;
    let ways = [
        ("/parked/confirm", "/parked"),
        ("/destinations/dvcqg/pause", "/destinations/dvcqg"),
        ("/operations/1/approve", "/operations/1"),
        (
            "/dossiers/H21.17-250701-0001/erase",
            "/dossiers/H21.17-250701-0001",
        ),
        ("/participants/lift", "/participants"),
    ];
    for (from, to) in ways {
        let answer = browser.get(from).await;
        assert_eq!(answer.leads_to(), to, "{from}");
    }
    world.stop().await;
}
