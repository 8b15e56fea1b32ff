//! A gateway in small: dossiers that are parked, what carries operations out, and readers at the console in front.

use std::time::Duration;

use lienthong_domain::DossierCode;
use lienthong_ports::conformance::store::{Lane, code, destination};
use lienthong_ports::operators::{OperatorStore, StepTerms};
use lienthong_services::overview::ProcessFigures;
use reqwest::StatusCode;

use crate::harness::{Browser, Page, Site, Time};

pub(crate) struct World {
    pub(crate) lane: Lane,
    site: Site,
}

impl World {
    /// A gateway whose dossiers 1 to `count` are parked, the second status of each waiting behind the first.
    pub(crate) async fn with_parked(count: u32) -> Self {
        let site = Site::start_with(Time::new(), |_| {}).await;
        let lane = Lane {
            store: site.store.clone(),
            destination: destination("dvcqg"),
        };
        let world = Self { lane, site };
        for number in 1..=count {
            let second = i64::from(number) * 10;
            world.lane.push(&code(number), 2, second).await;
            world.lane.park(second + 5).await;
        }
        world.site.time.pass_minutes(60);
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
        self.site.services.observe(figures).await.expect("a look");
    }

    /// Carries open operations out, as the worker does.
    pub(crate) async fn step(&self) {
        for _ in 0..10 {
            self.site.time.pass_seconds(5);
            let terms = StepTerms {
                now: self.site.time.now(),
                limit: 500,
                catch_up_max: Duration::from_secs(10),
            };
            let stepped = self.site.store.step_operations(terms).await;
            if stepped.expect("a step").is_empty() {
                return;
            }
        }
    }

    /// Somebody at the console: `lan` operates, `duyet` approves, `xem` looks.
    pub(crate) async fn reader(&self, name: &str, language: &str) -> Reader {
        let mut browser = self.site.signed_in(name).await;
        let switch = [("to", language), ("next", "/")];
        let switched = browser.post("/language", &switch).await;
        assert_eq!(switched.status, StatusCode::SEE_OTHER, "{}", switched.text);
        let token = browser.token().await;
        Reader { browser, token }
    }

    pub(crate) async fn stop(self) {
        self.site.stop().await;
    }
}

/// Somebody who is signed in, and sends each form with the session's token.
pub(crate) struct Reader {
    browser: Browser,
    token: String,
}

impl Reader {
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.browser.get(path).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = [("csrf", self.token.as_str())];
        self.browser.post(path, &[fields, &token].concat()).await
    }
}
