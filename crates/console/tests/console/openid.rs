//! Sign-in at an identity provider, from the button to the page and out again; and every token that is a lie.

use std::sync::Arc;
use std::time::Duration;

use lienthong_console::OpenIdConfig as ConsoleOpenId;
use lienthong_simulators::openid::{
    Client, KeyKind, OpenIdConfig, OpenIdHandle, OpenIdSimulator, TokenFault, User,
};
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::harness::{Browser, Page, Site, Time};

const PASSWORD: &str = "mật khẩu ở nhà cung cấp";

struct World {
    site: Site,
    provider: OpenIdHandle,
    issuer: String,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl World {
    async fn start(key_kind: KeyKind) -> Self {
        let time = Time::new();
        let now = time.clone();
        let user = |name: &str, roles: &[&str]| User {
            name: name.to_owned(),
            password: PASSWORD.to_owned(),
            display_name: "Phạm Thị Sen".to_owned(),
            roles: roles.iter().map(ToString::to_string).collect(),
        };
        let config = OpenIdConfig {
            users: vec![
                user("sen", &["offline_access", "lienthong-approver"]),
                user("khach", &["uma_authorization"]),
            ],
            clients: Vec::new(),
            key_kind,
            clock: Arc::new(move || now.seconds()),
        };
        let address = "127.0.0.1:0".parse().unwrap();
        let bound = OpenIdSimulator::bind(config, address).await.unwrap();
        let (provider, issuer) = (bound.handle(), bound.issuer());
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let ending = stop.clone();
        tasks.spawn(async move { bound.run(ending).await.unwrap() });
        let named = issuer.clone();
        let site = Site::start_with(time, |config| {
            config.openid = ConsoleOpenId {
                issuer: named,
                client_id: "lienthong".to_owned(),
                client_secret: "bí mật: của+ta".to_owned(),
                name: "Cổng đăng nhập".to_owned(),
                allow_plaintext: true,
                ..ConsoleOpenId::default()
            };
        })
        .await;
        provider.add_client(Client {
            id: "lienthong".to_owned(),
            secret: "bí mật: của+ta".to_owned(),
            redirect_uris: vec![format!("{}/sign-in/openid/callback", site.url)],
            logout_uris: vec![format!("{}/sign-in", site.url)],
        });
        Self {
            site,
            provider,
            issuer,
            stop,
            tasks,
        }
    }

    /// From the button to where the provider sends the browser back to.
    async fn come_back(&self, browser: &mut Browser, name: &str, next: &str) -> String {
        let begin = format!("/sign-in/openid?next={next}");
        let page = browser.get(&begin).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        let form = browser.get(&page.location.unwrap()).await;
        if let Some(back) = form.location {
            return back;
        }
        let login = format!("{}/login", self.issuer);
        let hidden = [
            "client_id",
            "redirect_uri",
            "state",
            "nonce",
            "code_challenge",
        ];
        let mut fields = vec![
            ("username", name.to_owned()),
            ("password", PASSWORD.to_owned()),
        ];
        fields.extend(hidden.map(|field| (field, form.field(field).unwrap())));
        let fields = fields.iter().map(|(name, value)| (*name, &**value));
        let page = browser.post(&login, &fields.collect::<Vec<_>>()).await;
        page.location.unwrap_or_else(|| panic!("{}", page.text))
    }

    async fn sign_in(&self, browser: &mut Browser, name: &str) -> Page {
        let back = self.come_back(browser, name, "/queues").await;
        browser.get(&back).await
    }

    async fn stop(mut self) {
        self.site.stop().await;
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

#[tokio::test]
async fn the_whole_way_in_and_out() {
    for key_kind in [KeyKind::Rs256, KeyKind::Es256] {
        let world = World::start(key_kind).await;
        let mut browser = world.site.browser();
        let door = browser.get("/sign-in").await;
        assert!(door.text.contains("Cổng đăng nhập"));
        let page = world.sign_in(&mut browser, "sen").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        assert_eq!(page.goes_on_to().as_deref(), Some("/queues"));
        let page = browser.get("/queues").await;
        assert!(page.text.contains("Phạm Thị Sen") && page.text.contains("Người phê duyệt"));
        let (kind, by, _) = world.site.actions().await.pop().unwrap();
        assert_eq!(&*kind, "sign_in");
        let (name, person) = by.rsplit_once('#').unwrap();
        assert_eq!((name, person.len()), ("openid:sen", 8), "{by}");

        let token = browser.token().await;
        let page = browser.post("/sign-out", &[("csrf", &token)]).await;
        let out = page.goes_on_to().unwrap();
        assert!(
            out.starts_with(&format!("{}/logout?", world.issuer)),
            "{out}"
        );
        let page = browser.get(&out).await;
        assert_eq!(page.location, Some(format!("{}/sign-in", world.site.url)));
        assert!(!browser.is_inside().await);
        world.stop().await;
    }
}

#[tokio::test]
async fn no_token_that_is_a_lie_opens_the_door() {
    for key_kind in [KeyKind::Rs256, KeyKind::Es256] {
        let world = World::start(key_kind).await;
        for fault in TokenFault::ALL {
            // A key that nobody has makes us look for new keys, at most every 30 seconds.
            world.site.time.pass_seconds(31);
            world.provider.set_fault(Some(fault));
            let mut browser = world.site.browser();
            let page = world.sign_in(&mut browser, "sen").await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{fault:?}");
            assert!(!browser.is_inside().await, "{fault:?}");
            let (kind, by, why) = world.site.actions().await.pop().unwrap();
            assert_eq!((&*kind, &*by), ("sign_in_refused", "unknown"), "{fault:?}");
            assert!(why.starts_with("wrong ID token"), "{fault:?}: {why}");
        }
        world.stop().await;
    }
}

#[tokio::test]
async fn whoever_has_no_role_stays_outside() {
    let world = World::start(KeyKind::Es256).await;
    let mut browser = world.site.browser();
    let page = world.sign_in(&mut browser, "khach").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.text.contains("chưa được cấp vai trò"), "{}", page.text);
    assert!(!browser.is_inside().await);
    world.stop().await;
}

#[tokio::test]
async fn a_way_back_is_good_once_in_its_own_browser_and_for_ten_minutes() {
    let world = World::start(KeyKind::Es256).await;
    let mut browser = world.site.browser();
    let back = world.come_back(&mut browser, "sen", "/").await;
    // Somebody else's browser: the attacker would be signed in as the victim, or the other way round.
    let mut other = world.site.browser();
    assert_eq!(other.get(&back).await.status, StatusCode::BAD_REQUEST);
    assert!(!other.is_inside().await);
    assert_eq!(
        browser.get(&back).await.status,
        StatusCode::BAD_REQUEST,
        "it was used up"
    );

    let back = world.come_back(&mut browser, "sen", "/").await;
    assert_eq!(browser.get(&back).await.status, StatusCode::OK);
    assert_eq!(browser.get(&back).await.status, StatusCode::BAD_REQUEST);

    let mut late = world.site.browser();
    let back = world.come_back(&mut late, "sen", "/").await;
    world.site.time.pass_minutes(10);
    assert_eq!(late.get(&back).await.status, StatusCode::BAD_REQUEST);
    for wrong in ["", "?state=x&code=y", "?error=access_denied"] {
        let page = late.get(&format!("/sign-in/openid/callback{wrong}")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    world.stop().await;
}

#[tokio::test]
async fn an_issuer_that_is_not_the_providers_is_a_mix_up() {
    let world = World::start(KeyKind::Es256).await;
    let mut browser = world.site.browser();
    let back = world.come_back(&mut browser, "sen", "/").await;
    let (rest, _) = back.split_once("&iss=").unwrap();
    let page = browser
        .get(&format!("{rest}&iss=https%3A%2F%2Fevil.example"))
        .await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    world.stop().await;
}

#[tokio::test]
async fn a_new_key_of_the_provider_is_found() {
    let world = World::start(KeyKind::Es256).await;
    let mut browser = world.site.browser();
    assert_eq!(
        world.sign_in(&mut browser, "sen").await.status,
        StatusCode::OK
    );
    world.provider.rotate_key();
    world.site.time.pass_seconds(31);
    let mut browser = world.site.browser();
    assert_eq!(
        world.sign_in(&mut browser, "sen").await.status,
        StatusCode::OK
    );
    world.stop().await;
}

#[tokio::test]
async fn a_provider_that_is_down_is_told_and_accounts_still_open_the_door() {
    let world = World::start(KeyKind::Es256).await;
    world.provider.set_down(true);
    let mut browser = world.site.browser();
    let page = browser.get("/sign-in/openid").await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert!(page.text.contains("không trả lời"), "{}", page.text);
    assert!(world.site.signed_in("lan").await.is_inside().await);
    // Who waited for it does not wait again: for a moment nobody asks it at all.
    world.provider.set_down(false);
    world.site.time.pass_seconds(4);
    let page = browser.get("/sign-in/openid").await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    world.site.time.pass_seconds(1);
    let page = browser.get("/sign-in/openid").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    world.stop().await;
}

#[tokio::test]
async fn made_up_ways_back_fill_no_record_and_are_slowed_down() {
    let world = World::start(KeyKind::Es256).await;
    let mut browser = world.site.browser();
    let before = world.site.actions().await.len();
    let made_up = "/sign-in/openid/callback?state=x&code=y";
    for _ in 0..20 {
        assert_eq!(browser.get(made_up).await.status, StatusCode::BAD_REQUEST);
    }
    let page = browser.get(made_up).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(page.headers["retry-after"], "4");
    assert_eq!(world.site.actions().await.len(), before);
    assert!(
        world.site.signed_in("lan").await.is_inside().await,
        "passwords have tries of their own"
    );
    world.stop().await;
}

#[tokio::test]
async fn a_session_at_the_provider_that_was_left_open_does_not_sign_in_here() {
    let world = World::start(KeyKind::Es256).await;
    let mut browser = world.site.browser();
    let page = world.sign_in(&mut browser, "sen").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    // Nothing of ours is left in the browser, so this is no lock; this provider sends it back unasked.
    let ours = world.site.url.clone();
    browser.cookies.retain(|(origin, _), _| *origin != ours);
    world.site.time.pass_minutes(17);
    let begin = browser.get("/sign-in/openid").await.location.unwrap();
    assert!(
        begin.contains("max_age=900") && !begin.contains("prompt="),
        "{begin}"
    );
    let page = world.sign_in(&mut browser, "sen").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(!browser.is_inside().await);
    world.stop().await;
}

#[tokio::test]
async fn who_was_locked_gives_the_password_at_the_provider_once_more() {
    let world = World::start(KeyKind::Es256).await;
    let mut browser = world.site.browser();
    world.sign_in(&mut browser, "sen").await;
    world.site.time.pass_minutes(15);
    let page = browser.get("/queues").await;
    assert_eq!(page.location.as_deref(), Some("/locked?next=%2Fqueues"));
    let page = browser.get("/locked?next=/queues").await;
    assert!(
        page.text.contains("/sign-in/openid?next=%2Fqueues"),
        "{}",
        page.text
    );

    // The provider still knows the reader, and is asked for the password all the same.
    let page = browser.get("/sign-in/openid?next=/queues").await;
    let to = page.location.unwrap();
    assert!(
        to.contains("prompt=login") && to.contains("max_age=0"),
        "{to}"
    );
    assert_eq!(
        browser.get(&to).await.status,
        StatusCode::OK,
        "a form, and no way back yet"
    );
    // A provider that does not say when is not believed.
    world.provider.set_fault(Some(TokenFault::NoAuthTime));
    let page = world.sign_in(&mut browser, "sen").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    world.provider.set_fault(None);
    let page = world.sign_in(&mut browser, "sen").await;
    assert_eq!(page.goes_on_to().as_deref(), Some("/queues"));
    assert!(browser.is_inside().await);
    world.stop().await;
}

#[tokio::test]
async fn the_provider_is_not_offered_where_there_is_none() {
    let site = Site::start().await;
    let mut browser = site.browser();
    assert!(
        !browser
            .get("/sign-in")
            .await
            .text
            .contains("/sign-in/openid")
    );
    let request = browser.request(Method::GET, "/sign-in/openid");
    assert_eq!(browser.send(request).await.status, StatusCode::NOT_FOUND);
    site.stop().await;
}

#[tokio::test]
async fn a_provider_that_hangs_holds_nobody_else_up() {
    let provider = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", provider.local_addr().unwrap());
    let site = Site::start_with(Time::new(), |config| {
        config.openid = ConsoleOpenId {
            issuer,
            client_id: "lienthong".to_owned(),
            client_secret: "bí mật".to_owned(),
            name: "Cổng đăng nhập".to_owned(),
            allow_plaintext: true,
            ..ConsoleOpenId::default()
        };
    })
    .await;
    let mut reader = site.signed_in("lan").await;
    let host = site.url.strip_prefix("http://").unwrap();
    let mut waiting = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(host).await.unwrap();
        let begin = format!("GET /sign-in/openid HTTP/1.1\r\nhost: {host}\r\n\r\n");
        stream.write_all(begin.as_bytes()).await.unwrap();
        waiting.push(stream);
    }
    let (asked, _) = provider.accept().await.unwrap();
    assert!(reader.is_inside().await);
    assert!(site.signed_in("duyet").await.is_inside().await);
    // The first to wait learns it from the provider, the others from the first.
    drop((asked, provider));
    let mut told = [0; 12];
    let answered = timeout(Duration::from_secs(20), waiting[0].read_exact(&mut told));
    answered.await.unwrap().unwrap();
    assert_eq!(&told, b"HTTP/1.1 502");
    drop(waiting);
    site.stop().await;
}
