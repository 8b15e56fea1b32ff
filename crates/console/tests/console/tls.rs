//! The console with a certificate of its own.

use lienthong_transport::{DevelopmentCa, HttpClientConfig, Overwrite, TlsClock, http_client};
use reqwest::StatusCode;

use crate::harness::{PASSWORD, Site, Time};

#[tokio::test]
async fn over_tls_the_cookie_is_the_hosts_own_and_plain_text_gets_nothing() {
    let (time, certs) = (Time::new(), tempfile::tempdir().unwrap());
    let now = time.now();
    let ca = DevelopmentCa::create(now).unwrap();
    ca.save(certs.path(), Overwrite::No).unwrap();
    let server = ca.issue_server(&["127.0.0.1"], now, 30).unwrap();
    server.save(certs.path(), Overwrite::No).unwrap();
    let site = Site::start_with(time, |config| {
        config.certificate = Some(certs.path().join("server.pem"));
        config.key = Some(certs.path().join("server-key.pem"));
    })
    .await;
    assert!(site.url.starts_with("https://127.0.0.1:"));
    let trusting = HttpClientConfig {
        roots: Some(certs.path().join("ca.pem")),
        ..HttpClientConfig::default()
    };
    let mut browser = site.browser();
    browser.http = http_client(&trusting, TlsClock::new(move || now)).unwrap();

    let page = browser.sign_in("lan", PASSWORD).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-lienthong="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"));
    assert_eq!(
        page.headers["strict-transport-security"],
        "max-age=31536000"
    );
    assert!(browser.is_inside().await);

    let plain = site.url.replace("https://", "http://");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(client.get(plain).send().await.is_err());
    site.stop().await;
}
