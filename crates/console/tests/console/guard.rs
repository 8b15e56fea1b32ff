//! Forms from elsewhere, wrong names of the host, roles, limits and headers.

use std::time::Duration;

use reqwest::header::{HOST, ORIGIN};
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{Browser, Page, Site};

/// A form that any role above viewer may send, without its token.
const ACTION: &str = "/destinations/dvcqg/pause";

async fn sent(browser: &mut Browser, fields: &[(&str, &str)], origin: Option<&str>) -> Page {
    let mut request = browser.form(ACTION, fields).build().unwrap();
    let headers = request.headers_mut();
    headers.remove(ORIGIN);
    if let Some(origin) = origin {
        headers.insert(ORIGIN, origin.parse().unwrap());
    }
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let request = reqwest::RequestBuilder::from_parts(client, request);
    browser.send(request).await
}

#[tokio::test]
async fn a_form_needs_the_token_of_its_session() {
    let site = Site::start().await;
    let mut browser = site.signed_in("lan").await;
    let token = browser.token().await;
    let other = site.signed_in("lan").await.token().await;
    assert_ne!(token, other);
    let reason = ("reason", "bảo trì theo lịch");
    for fields in [
        vec![reason],
        vec![reason, ("csrf", "")],
        vec![reason, ("csrf", &other)],
        vec![reason, ("csrf", &other), ("csrf", &token)],
    ] {
        let page = browser.post(ACTION, &fields).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{fields:?}");
    }
    let page = browser.post(ACTION, &[reason, ("csrf", &token)]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    site.stop().await;
}

#[tokio::test]
async fn a_form_comes_from_our_own_pages_or_not_at_all() {
    let site = Site::start().await;
    let mut browser = site.signed_in("lan").await;
    let token = browser.token().await;
    let fields = [("csrf", &*token), ("reason", "bảo trì theo lịch")];
    for origin in [
        Some("https://evil.example"),
        Some("null"),
        Some("http://127.0.0.1"),
        None,
    ] {
        let page = sent(&mut browser, &fields, origin).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{origin:?}");
    }
    for site_header in ["cross-site", "same-site", "none"] {
        let request = browser
            .form(ACTION, &fields)
            .header("sec-fetch-site", site_header);
        let page = browser.send(request).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{site_header}");
    }
    // Also where there is no session yet: nobody signs our readers in as somebody else.
    let mut fresh = site.browser();
    let sign_in = fresh
        .form(
            "/sign-in",
            &[("name", "lan"), ("password", crate::harness::PASSWORD)],
        )
        .header("sec-fetch-site", "cross-site");
    assert_eq!(fresh.send(sign_in).await.status, StatusCode::FORBIDDEN);
    let ours = site.url.clone();
    let page = sent(&mut browser, &fields, Some(&ours)).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    site.stop().await;
}

#[tokio::test]
async fn only_forms_are_read() {
    let site = Site::start().await;
    let mut browser = site.signed_in("lan").await;
    let token = browser.token().await;
    let text = browser
        .request(Method::POST, ACTION)
        .header(ORIGIN, &site.url)
        .header("content-type", "text/plain")
        .body(format!("csrf={token}&reason=x"));
    assert_eq!(browser.send(text).await.status, StatusCode::FORBIDDEN);
    let large = "a".repeat(70_000);
    let page = browser
        .post(ACTION, &[("csrf", &token), ("reason", &large)])
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    site.stop().await;
}

#[tokio::test]
async fn roles_reach_as_far_as_they_say() {
    let site = Site::start().await;
    let mut viewer = site.signed_in("xem").await;
    let token = viewer.token().await;
    let fields = [("csrf", &*token), ("reason", "bảo trì theo lịch")];
    let page = viewer.post(ACTION, &fields).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.text.contains("Không đủ quyền"), "{}", page.text);
    site.stop().await;
}

#[tokio::test]
async fn another_name_for_our_address_gets_nothing() {
    let site = Site::start().await;
    let mut browser = site.signed_in("lan").await;
    let port = site.url.rsplit_once(':').unwrap().1.to_owned();
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("localhost:{port}"),
        "127.0.0.1".to_owned(),
    ] {
        let request = browser.request(Method::GET, "/queues").header(HOST, &host);
        let page = browser.send(request).await;
        assert_eq!(page.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        assert!(page.text.contains(&site.url), "it says where we are");
        assert!(!page.text.contains("Nguyễn Thị Lan"));
    }
    site.stop().await;
}

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let site = Site::start().await;
    let mut stranger = site.browser();
    let mut reader = site.signed_in("duyet").await;
    let style = stranger.get("/sign-in").await.text;
    let (_, style) = style.split_once("rel=\"stylesheet\" href=\"").unwrap();
    let (style, _) = style.split_once('"').unwrap();
    let mut pages = vec![
        stranger.get("/").await,
        stranger.get("/sign-in").await,
        stranger.get(style).await,
        stranger.get("/assets/none.css").await,
        stranger.post("/sign-out", &[]).await,
        stranger.get("/sign-in/openid").await,
    ];
    for path in [
        "/",
        "/queues",
        "/destinations",
        "/parked",
        "/operations",
        "/participants",
        "/usage",
        "/reports",
        "/actions",
        "/dossiers?code=x",
        "/nowhere",
        "/dossiers/%FF",
    ] {
        pages.push(reader.get(path).await);
    }
    pages.push(reader.send(reader.request(Method::DELETE, "/")).await);
    for page in &pages {
        let header = |name: &str| page.headers.get(name).map(|value| value.to_str().unwrap());
        let policy = header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"));
        assert_eq!(header("x-content-type-options"), Some("nosniff"));
        assert_eq!(header("referrer-policy"), Some("same-origin"));
        assert_eq!(header("cross-origin-opener-policy"), Some("same-origin"));
        assert!(header("permissions-policy").is_some());
        assert!(
            header("strict-transport-security").is_none(),
            "not without TLS"
        );
        let kept = header("cache-control").unwrap();
        assert!(kept == "no-store" || kept.contains("immutable"), "{kept}");
    }
    let kept = pages
        .iter()
        .filter(|page| page.headers["cache-control"] != "no-store");
    assert_eq!(kept.count(), 1, "only the style is kept");
    site.stop().await;
}

#[tokio::test]
async fn pages_hold_no_inline_script_or_style() {
    let site = Site::start().await;
    let mut reader = site.signed_in("duyet").await;
    for path in [
        "/",
        "/queues",
        "/destinations",
        "/parked",
        "/reports",
        "/nowhere",
    ] {
        let page = reader.get(path).await;
        for inline in [" style=", "<style", " onclick=", "javascript:"] {
            assert!(!page.text.contains(inline), "{path}: {inline}");
        }
        assert_eq!(page.text.matches("<h1").count(), 1, "{path}");
        assert_eq!(page.text.matches("<script").count(), 1, "{path}");
        assert!(page.text.starts_with("<!DOCTYPE html><html lang=\"vi\""));
    }
    site.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_inside_the_frame() {
    let site = Site::start().await;
    let mut reader = site.signed_in("lan").await;
    let page = reader.get("/nowhere").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text.contains("Không tìm thấy") && page.text.contains("Nguyễn Thị Lan"));
    let mut stranger = site.browser();
    let page = stranger.get("/nowhere").await;
    assert_eq!(
        page.status,
        StatusCode::SEE_OTHER,
        "strangers learn of no page"
    );
    site.stop().await;
}

#[tokio::test]
async fn language_and_colours_are_switched_and_stay() {
    let site = Site::start().await;
    let mut browser = site.browser();
    let page = browser
        .post("/language", &[("to", "en"), ("next", "/sign-in")])
        .await;
    assert_eq!(page.location.as_deref(), Some("/sign-in"));
    let page = browser.get("/sign-in").await;
    assert!(page.text.contains("<html lang=\"en\"") && page.text.contains("Sign in"));
    browser
        .post("/theme", &[("to", "dark"), ("next", "//evil.example")])
        .await;
    let page = browser.get("/sign-in").await;
    assert!(page.text.contains("data-theme=\"dark\""));
    let page = browser
        .post("/theme", &[("to", "light"), ("next", "//evil.example")])
        .await;
    assert_eq!(page.location.as_deref(), Some("/"));
    let page = browser
        .post("/language", &[("to", "fr"), ("next", "/")])
        .await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    site.stop().await;
}

#[tokio::test]
async fn a_link_from_another_site_begins_here_first() {
    let site = Site::start().await;
    let mut browser = site.browser();
    // The browser keeps the strict cookie back, and says that another site began the navigation.
    let request = browser
        .request(Method::GET, "/parked")
        .header("sec-fetch-site", "cross-site");
    let page = browser.send(request).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.goes_on_to().as_deref(), Some("/parked"));
    let request = browser
        .request(Method::GET, "/parked")
        .header("sec-fetch-site", "same-origin");
    let page = browser.send(request).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    site.stop().await;
}

/// A form whose body never comes, up to where the console reads it.
async fn trickling(site: &Site, path: &str) -> BufReader<TcpStream> {
    let host = site.url.strip_prefix("http://").unwrap();
    let mut stream = BufReader::new(TcpStream::connect(host).await.unwrap());
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\norigin: {}\r\nexpect: 100-continue\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\n",
        site.url
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut line = String::new();
    // Much sooner than the bodies before it are given up.
    let read = timeout(Duration::from_secs(3), stream.read_line(&mut line));
    read.await.expect("its body is read at once").unwrap();
    assert!(line.starts_with("HTTP/1.1 100"), "{line}");
    stream.write_all(b"name=").await.unwrap();
    stream
}

#[tokio::test]
async fn bodies_that_trickle_in_take_nobodys_turn() {
    let site = Site::start().await;
    let mut reader = site.signed_in("lan").await;
    let mut slow = Vec::new();
    for path in ["/sign-in", "/language", ACTION] {
        for _ in 0..70 {
            slow.push(trickling(&site, path).await);
        }
    }
    assert_eq!(reader.get("/queues").await.status, StatusCode::OK);
    assert!(site.signed_in("duyet").await.is_inside().await);
    // They are told so themselves, and soon.
    let mut told = String::new();
    let reading = async {
        while !told.contains("HTTP/1.1") {
            assert_ne!(slow[0].read_line(&mut told).await.unwrap(), 0, "{told}");
        }
    };
    timeout(Duration::from_secs(20), reading).await.unwrap();
    assert!(told.contains("HTTP/1.1 422"), "{told}");
    drop(slow);
    site.stop().await;
}
