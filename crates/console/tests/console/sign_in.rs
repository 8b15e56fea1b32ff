//! Passwords, sessions, their locks and their ends.

use lienthong_domain::OperatorRole;
use reqwest::{Method, StatusCode};

use crate::harness::{PASSWORD, Site};

#[tokio::test]
async fn the_right_password_leads_where_the_reader_wanted_to_go() {
    let site = Site::start().await;
    let mut browser = site.browser();
    let turned = browser.get("/parked?destination=dvcqg").await;
    assert_eq!(turned.status, StatusCode::SEE_OTHER);
    let door = turned.location.unwrap();
    assert_eq!(door, "/sign-in?next=%2Fparked%3Fdestination%3Ddvcqg");
    let page = browser.get(&door).await;
    assert_eq!(page.status, StatusCode::OK);
    let (_, form) = page.text.split_once("action=\"/sign-in\"").unwrap();
    assert!(
        form.starts_with(
            "><input type=\"hidden\" name=\"next\" value=\"/parked?destination=dvcqg\">"
        )
    );

    let page = browser.sign_in("Lan ", PASSWORD).await;
    assert_eq!(page.location.as_deref(), Some("/queues"));
    let page = browser.get("/queues").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("Nguyễn Thị Lan"));
    let (kind, by, why) = site.actions().await.pop().unwrap();
    assert_eq!((&*kind, &*by), ("sign_in", "account:lan"));
    assert!(why.contains("127.0.0.1"), "{why}");
    site.stop().await;
}

#[tokio::test]
async fn wrong_unknown_and_stopped_look_the_same() {
    let site = Site::start().await;
    site.edit(|accounts| accounts.set_disabled("xem", true).unwrap());
    let tries = [
        ("lan", "không phải mật khẩu"),
        ("khong-co", PASSWORD),
        ("xem", PASSWORD),
    ];
    let mut texts = Vec::new();
    for (name, password) in tries {
        let mut browser = site.browser();
        let page = browser.sign_in(name, password).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{name}");
        assert!(browser.cookies.is_empty(), "{name}");
        assert!(
            !page.text.contains(password),
            "a password is never shown again"
        );
        texts.push(page.text.replace(&format!("value=\"{name}\""), ""));
    }
    assert_eq!(texts[0], texts[1]);
    assert_eq!(texts[0], texts[2]);
    let told = site.actions().await;
    let told = told.iter().map(|(kind, by, why)| {
        let why = why.split(',').next().unwrap_or_default();
        format!("{kind} {by} {why}")
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "sign_in_refused account:lan wrong password",
            "sign_in_refused unknown unknown name",
            "sign_in_refused account:xem stopped account",
        ]
    );
    site.stop().await;
}

#[tokio::test]
async fn the_sixth_wrong_try_waits_even_with_the_right_password() {
    let site = Site::start().await;
    let mut browser = site.browser();
    for _ in 0..5 {
        let page = browser.sign_in("lan", "sai mật khẩu rồi").await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    }
    for _ in 0..2 {
        let page = browser.sign_in("lan", PASSWORD).await;
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(page.headers["retry-after"], "13");
        assert!(page.text.contains("13 giây"), "{}", page.text);
    }
    site.time.pass_seconds(12);
    assert_eq!(
        browser.sign_in("lan", PASSWORD).await.status,
        StatusCode::SEE_OTHER
    );
    let lines = site.actions().await;
    let many = lines
        .iter()
        .filter(|(_, _, why)| why.starts_with("too many tries"));
    assert_eq!(many.count(), 1, "waiting is told once: {lines:?}");
    site.stop().await;
}

#[tokio::test]
async fn an_id_that_the_browser_brought_is_never_used() {
    let site = Site::start().await;
    let mut attacker = site.signed_in("xem").await;
    // The victim signs in with the attacker's cookie in place.
    let mut victim = attacker.clone();
    victim.sign_in("lan", PASSWORD).await;
    assert_ne!(victim.cookies, attacker.cookies);
    assert!(victim.is_inside().await);
    assert!(!attacker.is_inside().await, "and the old session has ended");
    // An id of nobody is not taken up either.
    let mut browser = site.browser();
    let key = victim.cookies.keys().next().unwrap().clone();
    browser.cookies.insert(key.clone(), "A".repeat(43));
    browser.sign_in("lan", PASSWORD).await;
    assert_ne!(browser.cookies[&key], "A".repeat(43));
    site.stop().await;
}

#[tokio::test]
async fn an_idle_session_is_locked_and_opens_where_it_was() {
    let site = Site::start().await;
    let mut browser = site.signed_in("lan").await;
    site.time.pass_minutes(14);
    assert!(browser.is_inside().await, "each page begins the time anew");
    for _ in 0..14 {
        site.time.pass_minutes(1);
        let live = browser
            .request(Method::GET, "/")
            .header("lienthong-live", "1");
        assert_eq!(browser.send(live).await.status, StatusCode::OK);
    }
    site.time.pass_minutes(1);
    let live = browser
        .request(Method::GET, "/")
        .header("lienthong-live", "1");
    let told = browser.send(live).await;
    assert_eq!(
        told.status,
        StatusCode::LOCKED,
        "live figures are not somebody at work"
    );

    let page = browser.get("/parked?a=1").await;
    assert_eq!(
        page.location.as_deref(),
        Some("/locked?next=%2Fparked%3Fa%3D1")
    );
    let before = browser.cookies.clone();
    let page = browser.get(&page.location.unwrap()).await;
    assert!(page.text.contains("Nguyễn Thị Lan"));
    let token = page.field("csrf").unwrap();
    let wrong = [
        ("csrf", &*token),
        ("password", "sai mật khẩu rồi"),
        ("next", "/parked?a=1"),
    ];
    assert_eq!(
        browser.post("/locked", &wrong).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert!(!browser.is_inside().await);
    let no_token = [("password", PASSWORD), ("next", "/parked?a=1")];
    assert_eq!(
        browser.post("/locked", &no_token).await.status,
        StatusCode::FORBIDDEN
    );
    let right = [
        ("csrf", &*token),
        ("password", PASSWORD),
        ("next", "/parked?a=1"),
    ];
    let page = browser.post("/locked", &right).await;
    assert_eq!(page.location.as_deref(), Some("/parked?a=1"));
    assert_ne!(browser.cookies, before);
    assert!(browser.is_inside().await);
    site.stop().await;
}

#[tokio::test]
async fn a_form_sent_after_the_lock_is_not_taken_and_says_so() {
    let site = Site::start().await;
    let mut browser = site.signed_in("lan").await;
    let token = browser.token().await;
    site.time.pass_minutes(15);
    let late = browser
        .form(
            "/destinations/dvcqg/pause",
            &[("csrf", &token), ("reason", "thử")],
        )
        .header("referer", format!("{}/destinations", site.url));
    let page = browser.send(late).await;
    let door = page.location.unwrap();
    assert_eq!(door, "/locked?next=%2Fdestinations&undone=1");
    let page = browser.get(&door).await;
    assert!(page.text.contains("chưa được thực hiện"), "{}", page.text);
    site.stop().await;
}

#[tokio::test]
async fn a_session_ends_after_eight_hours_of_work() {
    let site = Site::start().await;
    let mut browser = site.signed_in("lan").await;
    for _ in 0..47 {
        site.time.pass_minutes(10);
        assert!(browser.is_inside().await);
    }
    site.time.pass_minutes(10);
    let page = browser.get("/queues").await;
    assert_eq!(page.location.as_deref(), Some("/sign-in?next=%2Fqueues"));
    site.stop().await;
}

#[tokio::test]
async fn signing_out_ends_the_session_everywhere() {
    let site = Site::start().await;
    let mut browser = site.signed_in("lan").await;
    let mut copy = browser.clone();
    let token = browser.token().await;
    let page = browser.post("/sign-out", &[]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "only by a form of ours");
    let page = browser.post("/sign-out", &[("csrf", &token)]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(browser.cookies.is_empty());
    assert!(!copy.is_inside().await);
    assert_eq!(site.actions().await.last().unwrap().0, "sign_out");
    site.stop().await;
}

#[tokio::test]
async fn accounts_are_looked_at_with_every_request() {
    let site = Site::start().await;
    let mut lan = site.signed_in("lan").await;
    let mut xem = site.signed_in("xem").await;
    let mut duyet = site.signed_in("duyet").await;
    assert!(lan.get("/queues").await.text.contains("Vận hành viên"));
    site.edit(|accounts| {
        accounts.set_role("lan", OperatorRole::Viewer).unwrap();
        accounts.remove("xem").unwrap();
        accounts.set_password("duyet", "một mật khẩu khác").unwrap();
    });
    let page = lan.get("/queues").await;
    assert!(page.text.contains("Người xem"), "{}", page.text);
    assert!(!xem.is_inside().await, "a removed account");
    assert!(!duyet.is_inside().await, "a changed password");
    site.stop().await;
}

#[tokio::test]
async fn waiting_tells_nothing_about_a_name() {
    let mut answers = Vec::new();
    for name in ["lan", "khong-co"] {
        let site = Site::start().await;
        let mut browser = site.browser();
        for _ in 0..6 {
            let page = browser.sign_in(name, "sai mật khẩu rồi").await;
            let wait = page.headers.get("retry-after").cloned();
            answers.push((name, page.status, wait));
        }
        site.stop().await;
    }
    let (known, unknown) = answers.split_at(6);
    assert_eq!(known[5].1, StatusCode::TOO_MANY_REQUESTS);
    for (one, other) in known.iter().zip(unknown) {
        assert_eq!((one.1, &one.2), (other.1, &other.2));
    }
}

#[tokio::test]
async fn guessing_a_name_does_not_keep_its_session_locked() {
    let site = Site::start().await;
    let mut browser = site.signed_in("lan").await;
    site.time.pass_minutes(15);
    let mut guesser = site.browser();
    for _ in 0..6 {
        guesser.sign_in("lan", "sai mật khẩu rồi").await;
    }
    let page = guesser.sign_in("lan", PASSWORD).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    let token = browser.get("/locked").await.field("csrf").unwrap();
    let right = [("csrf", &*token), ("password", PASSWORD)];
    let page = browser.post("/locked", &right).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    site.stop().await;
}

#[tokio::test]
async fn whoever_guesses_at_a_locked_session_waits_too() {
    let site = Site::start().await;
    let mut browser = site.signed_in("lan").await;
    site.time.pass_minutes(15);
    let token = browser.get("/locked").await.field("csrf").unwrap();
    let wrong = [("csrf", &*token), ("password", "sai mật khẩu rồi")];
    for _ in 0..5 {
        let page = browser.post("/locked", &wrong).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    }
    let right = [("csrf", &*token), ("password", PASSWORD)];
    let page = browser.post("/locked", &right).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    site.stop().await;
}
