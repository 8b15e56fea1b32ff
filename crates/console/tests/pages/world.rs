//! A gateway in small: a store in memory, use cases, three operators with passwords, and a console in front.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use lienthong_broker_embedded::EmbeddedBroker;
use lienthong_console::{Accounts, Around, Config, Server};
use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::{Clock, DossierCode, OperatorRole, Random};
use lienthong_ports::conformance::store::{Lane, at, code, destination};
use lienthong_ports::operators::{OperatorStore, StepTerms};
use lienthong_ports::store::{DestinationSpec, Store};
use lienthong_services::overview::ProcessFigures;
use lienthong_services::{Registry, Seams, Services};
use lienthong_store_sqlite::{Config as StoreConfig, MEMORY, SqliteStore};
use lienthong_vault::Vault;
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::http::Browser;

/// The password of everybody in these tests.
pub(crate) const PASSWORD: &str = "mật khẩu của buổi thử 7";
/// Deliveries of one discard that need nobody else.
pub(crate) const APPROVAL_ABOVE: u64 = 2;

const PARTICIPANTS: &str = r#"
    [[participant]]
    id = "H21"
    name = "Tỉnh Gia Lai"
    [[participant.system]]
    name = "igate"
    role = "push"
"#;

pub(crate) struct World {
    pub(crate) lane: Lane,
    pub(crate) services: Arc<Services>,
    operators: Arc<dyn OperatorStore>,
    address: SocketAddr,
    now: Arc<AtomicI64>,
    _accounts: TempDir,
    _stop: DropGuard,
}

impl World {
    pub(crate) async fn open() -> Self {
        let spec = DestinationSpec {
            name: destination("dvcqg"),
            lane: LanePolicy::Hold,
        };
        let config = StoreConfig::new(MEMORY, vec![spec], Arc::new(Vault::for_tests(1)));
        let store = Arc::new(SqliteStore::open(&config).expect("a store in memory"));
        let now = Arc::new(AtomicI64::new(0));
        let clock = {
            let now = now.clone();
            Clock::from_fn(move || at(now.load(Ordering::Relaxed)))
        };
        let services = services(store.clone(), clock.clone());
        let folder = tempfile::tempdir().expect("a folder");
        let config = console_config(&folder, &clock);
        let around = Around {
            services: services.clone(),
            identity: None,
            actions: store.clone(),
            clock,
        };
        let server = Server::bind(&config, around).await.expect("it listens");
        let address = server.address();
        let stop = CancellationToken::new();
        TaskTracker::new().spawn(server.run(stop.clone()));
        Self {
            lane: Lane {
                store: store.clone() as Arc<dyn Store>,
                destination: destination("dvcqg"),
            },
            services,
            operators: store,
            address,
            now,
            _accounts: folder,
            _stop: stop.drop_guard(),
        }
    }

    /// Sets the clock to so many seconds after the beginning.
    pub(crate) fn set_clock(&self, seconds: i64) {
        self.now.store(seconds, Ordering::Relaxed);
    }

    /// A gateway whose dossiers 1 to `count` are parked, the second status of each waiting behind the first.
    pub(crate) async fn with_parked(count: u32) -> Self {
        let world = Self::open().await;
        for number in 1..=count {
            let second = i64::from(number) * 10;
            world.lane.push(&code(number), 2, second).await;
            world.lane.park(second + 5).await;
        }
        world.set_clock(3_600);
        world.look().await;
        world
    }

    /// The first of the parked dossiers.
    pub(crate) fn dossier() -> DossierCode {
        code(1)
    }

    /// A look at the gateway, as the observer takes it.
    pub(crate) async fn look(&self) {
        let figures = ProcessFigures::default();
        self.services.observe(figures).await.expect("a look");
    }

    /// Carries open operations out, as the worker does.
    pub(crate) async fn step(&self) {
        for _ in 0..10 {
            let second = self.now.fetch_add(5, Ordering::Relaxed) + 5;
            let terms = StepTerms {
                now: at(second),
                limit: 500,
                catch_up_max: Duration::from_secs(10),
            };
            let stepped = self.operators.step_operations(terms).await.expect("a step");
            if stepped.is_empty() {
                return;
            }
        }
    }

    /// A browser of somebody: `lan` operates, `hung` approves, `xem` looks.
    pub(crate) async fn browser(&self, name: &str, language: &'static str) -> Browser {
        let mut browser = Browser::new(self.address, language);
        browser.sign_in(name, PASSWORD).await;
        browser
    }
}

fn services(store: Arc<SqliteStore>, clock: Clock) -> Arc<Services> {
    let seams = Seams {
        store: store.clone(),
        operators: store,
        broker: Arc::new(EmbeddedBroker::new(
            lienthong_broker_embedded::Config::default(),
        )),
    };
    let registry = Registry::parse(PARTICIPANTS).expect("participants");
    let rules = lienthong_services::operators::Config {
        approval_above: APPROVAL_ABOVE,
        ..Default::default()
    };
    let services = Services::new(seams, Vec::new(), registry, clock, Random::seeded(7));
    Arc::new(services.with_operators(rules))
}

fn console_config(folder: &TempDir, clock: &Clock) -> Config {
    let people = [
        ("lan", "Nguyễn Thị Lan", OperatorRole::Operator),
        ("hung", "Trần Văn Hùng", OperatorRole::Approver),
        ("xem", "Lê Thị Xem", OperatorRole::Viewer),
    ];
    let file = folder.path().join("accounts.toml");
    let written = Accounts::edit(&file, |accounts| {
        people.into_iter().try_for_each(|(name, display, role)| {
            accounts.add((name, display), role, PASSWORD, clock.now())
        })
    });
    written.expect("a file of accounts");
    Config {
        accounts_file: Some(file),
        ..Config::default()
    }
}
