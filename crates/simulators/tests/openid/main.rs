//! The simulated identity provider refuses what a real one refuses.

use std::sync::Arc;

use lienthong_simulators::openid::{Bound, Client, KeyKind, OpenIdConfig, OpenIdSimulator, User};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Response, StatusCode, redirect};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const REDIRECT: &str = "http://127.0.0.1:9/back";
/// Verifier and challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

async fn start(tasks: &mut JoinSet<()>, stop: &CancellationToken) -> String {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let config = OpenIdConfig {
        users: vec![User {
            name: "sen".to_owned(),
            password: "mật khẩu".to_owned(),
            display_name: "Phạm Thị Sen".to_owned(),
            roles: vec!["a".to_owned()],
        }],
        clients: vec![Client {
            id: "app".to_owned(),
            secret: "s".to_owned(),
            redirect_uris: vec![REDIRECT.to_owned()],
            logout_uris: Vec::new(),
        }],
        key_kind: KeyKind::Es256,
        clock: Arc::new(|| 1_800_000_000),
    };
    let address = "127.0.0.1:0".parse().expect("a loopback address");
    let bound: Bound = OpenIdSimulator::bind(config, address)
        .await
        .expect("port 0 is always free");
    let (issuer, stop) = (bound.issuer(), stop.clone());
    tasks.spawn(async move { bound.run(stop).await.expect("the listener stays") });
    issuer
}

fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().redirect(redirect::Policy::none());
    builder
        .no_proxy()
        .build()
        .expect("a plain client can be built")
}

fn fields(pairs: &[(&str, &str)]) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(pairs).finish()
}

async fn post(url: String, pairs: &[(&str, &str)]) -> Response {
    let request = client().post(url).body(fields(pairs));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.send().await.expect("the simulator answers")
}

async fn log_in(issuer: &str, password: &str) -> Response {
    let wish = [
        ("client_id", "app"),
        ("redirect_uri", REDIRECT),
        ("state", "s t"),
        ("code_challenge", CHALLENGE),
        ("username", "sen"),
        ("password", password),
    ];
    post(format!("{issuer}/login"), &wish).await
}

fn code_of(answer: &Response) -> String {
    let location = answer.headers()[LOCATION]
        .to_str()
        .expect("ASCII")
        .to_owned();
    assert!(
        location.starts_with(&format!("{REDIRECT}?code=")),
        "{location}"
    );
    assert!(location.contains("&state=s+t&iss="), "{location}");
    let (_, rest) = location.split_once("code=").expect("a code");
    rest.split('&').next().expect("a first part").to_owned()
}

async fn redeem(issuer: &str, code: &str, changed: &[(&str, &str)], secret: &str) -> Response {
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    for (name, value) in changed {
        pairs.retain(|(known, _)| known != name);
        pairs.push((name, value));
    }
    let request = client()
        .post(format!("{issuer}/token"))
        .body(fields(&pairs));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.basic_auth("app", Some(secret));
    request.send().await.expect("the simulator answers")
}

#[tokio::test]
async fn a_code_is_good_once_for_its_client_its_address_and_its_verifier() {
    let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
    let issuer = start(&mut tasks, &stop).await;
    let wrong = log_in(&issuer, "sai").await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let other = "x".repeat(43);
    for (changed, secret) in [
        (vec![("code_verifier", &*other)], "s"),
        (vec![("redirect_uri", "http://127.0.0.1:9/other")], "s"),
        (vec![("grant_type", "password")], "s"),
        (vec![], "wrong"),
    ] {
        let code = code_of(&log_in(&issuer, "mật khẩu").await);
        let answer = redeem(&issuer, &code, &changed, secret).await;
        assert_eq!(
            answer.status(),
            StatusCode::BAD_REQUEST,
            "{changed:?} {secret}"
        );
    }
    let code = code_of(&log_in(&issuer, "mật khẩu").await);
    let answer = redeem(&issuer, &code, &[], "s").await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = answer.text().await.expect("a body");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let parts = answer["id_token"].as_str().expect("a token").split('.');
    assert_eq!(parts.count(), 3);
    let again = redeem(&issuer, &code, &[], "s").await;
    assert_eq!(again.status(), StatusCode::BAD_REQUEST);
    stop.cancel();
    while tasks.join_next().await.is_some() {}
}

#[tokio::test]
async fn only_registered_addresses_are_led_to() {
    let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
    let issuer = start(&mut tasks, &stop).await;
    let good = [
        ("response_type", "code"),
        ("scope", "openid profile"),
        ("client_id", "app"),
        ("redirect_uri", REDIRECT),
        ("state", "s"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let signed_in = log_in(&issuer, "mật khẩu").await;
    let cookie = signed_in.headers()[SET_COOKIE].to_str().expect("ASCII");
    let cookie = cookie.split(';').next().expect("a first part").to_owned();
    let ask = async |changed: (&str, &str)| {
        let mut pairs = good.to_vec();
        pairs.retain(|(name, _)| *name != changed.0);
        pairs.push(changed);
        let url = format!("{issuer}/auth?{}", fields(&pairs));
        let request = client().get(url).header(COOKIE, &cookie);
        request
            .send()
            .await
            .expect("the simulator answers")
            .status()
    };
    assert_eq!(
        ask(("state", "s")).await,
        StatusCode::FOUND,
        "who is signed in is sent on"
    );
    assert_eq!(
        ask(("prompt", "login")).await,
        StatusCode::OK,
        "but not when asked anew"
    );
    for changed in [
        ("redirect_uri", "https://evil.example/back"),
        ("client_id", "other"),
        ("code_challenge_method", "plain"),
        ("code_challenge", ""),
        ("response_type", "token"),
        ("scope", "profile"),
    ] {
        assert_eq!(ask(changed).await, StatusCode::BAD_REQUEST, "{changed:?}");
    }
    stop.cancel();
    while tasks.join_next().await.is_some() {}
}
