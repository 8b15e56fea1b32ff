//! A console over a store in memory, a clock that tests turn, and a browser that keeps cookies.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use lienthong_broker_embedded::EmbeddedBroker;
use lienthong_console::{Accounts, Around, Config, Server};
use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::{Clock, OperatorRole, Random, Timestamp};
use lienthong_ports::conformance::store::{at, destination};
use lienthong_ports::operators::{ActionFilter, OperatorStore};
use lienthong_ports::store::DestinationSpec;
use lienthong_services::overview::ProcessFigures;
use lienthong_services::{Registry, Seams, Services, operators};
use lienthong_store_sqlite::{Config as StoreConfig, MEMORY, SqliteStore};
use lienthong_vault::Vault;
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, redirect};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) const PASSWORD: &str = "mưa rơi trên phố Huế";
/// Names and roles of the accounts; each has [`PASSWORD`].
const PEOPLE: [(&str, &str, OperatorRole); 3] = [
    ("xem", "Lê Văn Xem", OperatorRole::Viewer),
    ("lan", "Nguyễn Thị Lan", OperatorRole::Operator),
    ("duyet", "Trần Phê Duyệt", OperatorRole::Approver),
];

/// Deliveries of one discard that need nobody else.
const APPROVAL_ABOVE: u64 = 2;
const PARTICIPANTS: &str = r#"
    [[participant]]
    id = "H21"
    name = "Tỉnh Gia Lai"
    [[participant.system]]
    name = "igate"
    role = "push"
"#;

/// The time, as the test says; it begins with the store's own tests, whose dossiers [`crate::world`] makes.
#[derive(Clone)]
pub(crate) struct Time(Arc<AtomicI64>);

impl Time {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(at(0).as_second())))
    }

    pub(crate) fn pass_minutes(&self, minutes: i64) {
        self.0.fetch_add(minutes * 60, Ordering::SeqCst);
    }

    pub(crate) fn pass_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.seconds()).expect("a time of today")
    }

    fn clock(&self) -> Clock {
        let time = self.clone();
        Clock::from_fn(move || time.now())
    }
}

pub(crate) struct Site {
    pub(crate) url: String,
    pub(crate) time: Time,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) services: Arc<Services>,
    folder: TempDir,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::start_with(Time::new(), |_| {}).await
    }

    pub(crate) async fn start_with(time: Time, change: impl FnOnce(&mut Config)) -> Self {
        lienthong_transport::install_crypto_provider();
        let folder = tempfile::tempdir().unwrap();
        let clock = time.clock();
        let mut config = Config {
            accounts_file: Some(folder.path().join("accounts.toml")),
            ..Config::default()
        };
        change(&mut config);
        if let Some(file) = &config.accounts_file {
            Accounts::edit(file, |accounts| {
                PEOPLE.iter().try_for_each(|(name, display, role)| {
                    accounts.add((name, display), *role, PASSWORD, clock.now())
                })
            })
            .unwrap();
        }
        let store = store();
        let services = services(store.clone(), clock.clone());
        services.observe(ProcessFigures::default()).await.unwrap();
        let around = Around {
            services: services.clone(),
            identity: None,
            actions: store.clone(),
            clock,
        };
        let server = Server::bind(&config, around).await.unwrap();
        let (url, stop, mut tasks) = (server.url(), CancellationToken::new(), JoinSet::new());
        tasks.spawn(server.run(stop.clone()));
        Self {
            url,
            time,
            store,
            services,
            folder,
            stop,
            tasks,
        }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// A browser whose reader is signed in.
    pub(crate) async fn signed_in(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        let page = browser.sign_in(name, PASSWORD).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        browser
    }

    pub(crate) fn accounts_file(&self) -> PathBuf {
        self.folder.path().join("accounts.toml")
    }

    pub(crate) fn edit(&self, change: impl FnOnce(&mut Accounts)) {
        Accounts::edit(&self.accounts_file(), |accounts| {
            change(accounts);
            Ok(())
        })
        .unwrap();
    }

    /// The record of actions at the door, oldest first: kind, by, why.
    pub(crate) async fn actions(&self) -> Vec<(String, String, String)> {
        let filter = ActionFilter::default();
        let actions = self
            .store
            .actions_matching(filter, None, 100)
            .await
            .unwrap();
        let lines = actions.into_iter().rev();
        lines
            .map(|action| (action.kind, action.by, action.reason))
            .collect()
    }

    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

fn store() -> Arc<SqliteStore> {
    let spec = DestinationSpec {
        name: destination("dvcqg"),
        lane: LanePolicy::Hold,
    };
    let config = StoreConfig::new(MEMORY, vec![spec], Arc::new(Vault::for_tests(1)));
    Arc::new(SqliteStore::open(&config).unwrap())
}

fn services(store: Arc<SqliteStore>, clock: Clock) -> Arc<Services> {
    let broker = EmbeddedBroker::new(lienthong_broker_embedded::Config::default());
    let seams = Seams {
        store: store.clone(),
        operators: store,
        broker: Arc::new(broker),
    };
    let registry = Registry::parse(PARTICIPANTS).unwrap();
    let rules = operators::Config {
        approval_above: APPROVAL_ABOVE,
        ..operators::Config::default()
    };
    let services = Services::new(seams, Vec::new(), registry, clock, Random::seeded(7));
    Arc::new(services.with_operators(rules))
}

/// A page as it came.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Page {
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Fails unless every text is on the page.
    #[track_caller]
    pub(crate) fn has(&self, expected: &[&str]) -> &Self {
        for text in expected {
            assert!(self.text.contains(text), "{text} is not in {}", self.text);
        }
        self
    }

    /// Where a redirect leads; fails for any other answer.
    #[track_caller]
    pub(crate) fn leads_to(&self) -> &str {
        let location = self.is(303).location.as_deref();
        location.expect("a redirect leads somewhere")
    }

    /// The values of the inputs of that name.
    pub(crate) fn fields(&self, name: &str) -> Vec<String> {
        let begin = format!("name=\"{name}\" value=\"");
        let rests = self.text.split(&begin).skip(1);
        let values = rests.filter_map(|rest| rest.split_once('"'));
        values.map(|(value, _)| value.to_owned()).collect()
    }

    /// The value of the first input of that name.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        self.fields(name).into_iter().next()
    }

    /// Where a page of ours goes on to by itself.
    pub(crate) fn goes_on_to(&self) -> Option<String> {
        let (_, rest) = self.text.split_once("content=\"0; url=")?;
        rest.split_once('"')
            .map(|(url, _)| url.replace("&amp;", "&"))
    }
}

/// Keeps cookies per origin and follows no redirect by itself.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) home: String,
    pub(crate) http: Client,
    pub(crate) cookies: BTreeMap<(String, String), String>,
}

impl Browser {
    pub(crate) fn new(home: &str) -> Self {
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build();
        Self {
            home: home.to_owned(),
            http: http.expect("a plain client can be built"),
            cookies: BTreeMap::new(),
        }
    }

    /// A request to a path of the console, or to a whole address.
    pub(crate) fn request(&self, method: Method, place: &str) -> RequestBuilder {
        let url = self.url(place);
        let origin = origin(&url);
        let cookies = self.cookies.iter().filter(|((of, _), _)| *of == origin);
        let cookies = cookies.map(|((_, name), value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        self.http.request(method, url).header(COOKIE, cookies)
    }

    pub(crate) async fn send(&mut self, request: RequestBuilder) -> Page {
        let response = request.send().await.unwrap();
        self.keep_cookies(&response);
        let location = response.headers().get(LOCATION);
        Page {
            status: response.status(),
            location: location.map(|value| value.to_str().unwrap().to_owned()),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub(crate) async fn get(&mut self, place: &str) -> Page {
        let request = self.request(Method::GET, place);
        self.send(request).await
    }

    /// A form as the browser sends it: with its origin, and nothing else than given.
    pub(crate) fn form(&self, place: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        self.request(Method::POST, place)
            .header(ORIGIN, origin(&self.url(place)))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.finish())
    }

    pub(crate) async fn post(&mut self, place: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.form(place, fields);
        self.send(request).await
    }

    pub(crate) async fn sign_in(&mut self, name: &str, password: &str) -> Page {
        let fields = [("name", name), ("password", password), ("next", "/queues")];
        self.post("/sign-in", &fields).await
    }

    /// The token of the forms of a page.
    pub(crate) async fn token(&mut self) -> String {
        let page = self.get("/").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        page.field("csrf")
            .expect("each page has a form to sign out")
    }

    /// Whether the reader sees pages behind the door.
    pub(crate) async fn is_inside(&mut self) -> bool {
        self.get("/queues").await.status == StatusCode::OK
    }

    fn url(&self, place: &str) -> String {
        if place.starts_with('/') {
            format!("{}{place}", self.home)
        } else {
            place.to_owned()
        }
    }

    fn keep_cookies(&mut self, response: &Response) {
        let origin = response.url().origin().ascii_serialization();
        for line in response.headers().get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').unwrap();
            let key = (origin.clone(), name.to_owned());
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
    }
}

fn origin(url: &str) -> String {
    let url = url.parse::<reqwest::Url>().unwrap();
    url.origin().ascii_serialization()
}
