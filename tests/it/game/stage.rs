//! Where a game is played: a gateway under traffic, a Prometheus with the product's rules, and an operator at the console.

use std::pin::Pin;
use std::time::Duration;

use lienthong_domain::{Clock, OperatorRole};
use lienthong_gateway::config::Config;
use lienthong_testkit::prometheus::{PrivatePrometheus, alerts, hurried};
use lienthong_tests::harness::TestGateway;
use lienthong_tests::harness::acts::{CONSOLE_PASSWORD, write_accounts};
use lienthong_tests::harness::console::{Page, Reader, field_value};
use tokio::time::Instant;

use super::traffic::Traffic;

const RULES: &str = include_str!("../../../deploy/prometheus/lienthong.rules.yml");
const OPERATOR: &str = "truc";
/// Longest wait for an alert to come or go: a look each 5 s, a scrape and an evaluation each second, and a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often Prometheus is asked.
const LOOK: Duration = Duration::from_millis(200);
/// Dossiers of the traffic before anything breaks.
const DOSSIERS_FIRST: usize = 6;
/// How old statuses are as a rule: nobody is late.
pub(super) const ON_TIME: Duration = Duration::from_mins(12);

/// The gateway and those who watch it.
pub(super) struct Stage {
    pub(super) gateway: TestGateway,
    pub(super) traffic: Traffic,
    reader: Reader,
    /// `None` where Prometheus is not installed: then the console alone is looked at.
    prometheus: Option<PrivatePrometheus>,
    http: reqwest::Client,
}

impl Stage {
    /// A gateway with a changed configuration, under traffic that arrives.
    pub(super) async fn open(change: impl FnOnce(&mut Config)) -> Self {
        Self::open_at(Clock::system(), change).await
    }

    /// The same with a clock of the game's.
    pub(super) async fn open_at(clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        let traffic = Traffic::new();
        let gateway = starting(clock, change).await;
        let gateway = gateway.expect("a gateway starts in a test");
        let metrics = gateway.running().metrics_address.unwrap();
        let http = reqwest::Client::builder().timeout(PATIENCE).build();
        let prometheus = PrivatePrometheus::start(metrics, &hurried(RULES));
        let mut stage = Self {
            reader: sign_in(&gateway).await,
            gateway,
            traffic,
            prometheus: prometheus.expect("Prometheus starts if it must"),
            http: http.expect("a client without settings is built"),
        };
        stage.send(DOSSIERS_FIRST).await;
        stage.gateway.drained().await;
        stage.traffic.has_arrived(&stage.gateway.portal.record());
        stage
    }

    /// Provinces send, on time.
    pub(super) async fn send(&mut self, dossiers: usize) -> Vec<String> {
        self.traffic.send(&self.gateway, dossiers, ON_TIME).await
    }

    /// The gateway starts again with a changed configuration, where Prometheus finds it; the operator signs in anew.
    pub(super) async fn restart_with(&mut self, change: impl FnOnce(&mut Config)) {
        let metrics = self.gateway.running().metrics_address;
        Box::pin(self.gateway.restart_with(|config| {
            config.metrics.address = metrics;
            change(config);
        }))
        .await;
        self.reader = sign_in(&self.gateway).await;
    }

    /// The operator comes back to a console that a change of clocks may have locked.
    pub(super) async fn sign_in_again(&mut self) {
        self.reader = sign_in(&self.gateway).await;
    }

    /// Waits until the alert fires about `about`.
    pub(super) async fn fires(&self, alert: &str, about: &str) {
        self.until_alert(alert, about, true).await;
    }

    /// Waits until the alert does not fire any more, and the overview has forgotten `sentence`.
    pub(super) async fn ends(&self, alert: &str, about: &str, sentence: &str) {
        self.until_alert(alert, about, false).await;
        let deadline = Instant::now() + PATIENCE;
        while self.reads("/").await.contains(sentence) {
            assert!(
                Instant::now() < deadline,
                "the overview still says: {sentence}"
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn until_alert(&self, alert: &str, about: &str, expected: bool) {
        let Some(prometheus) = &self.prometheus else {
            return;
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Prometheus itself may still be starting.
            let firing = self.firing(prometheus).await;
            let found = |firing: &Vec<(String, String)>| {
                firing.contains(&(alert.to_owned(), about.to_owned()))
            };
            if firing
                .as_ref()
                .is_some_and(|firing| found(firing) == expected)
            {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{alert} about {about:?}, firing = {expected}: waited in vain; firing are {firing:?}\n{}",
                prometheus.log()
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The alerts that fire, each with what it is about; `None` while Prometheus does not answer.
    async fn firing(&self, prometheus: &PrivatePrometheus) -> Option<Vec<(String, String)>> {
        let url = format!("http://{}/api/v1/alerts", prometheus.address());
        let answer = self.http.get(url).send().await.ok()?;
        let body = answer.text().await.ok()?;
        let firing = alerts(&body).ok()?.into_iter().filter(|alert| alert.firing);
        let about = |labels: &[(String, String)]| {
            let found = labels.iter().find(|(name, _)| name == "about");
            found.map(|(_, about)| about.clone()).unwrap_or_default()
        };
        let named = firing.map(|alert| {
            let about = about(&alert.labels);
            (alert.name, about)
        });
        Some(named.collect())
    }

    /// Waits until the page says all of this, as a reader sees it.
    pub(super) async fn shows(&self, path: &str, sentences: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.reads(path).await;
            let missing = sentences.iter().find(|sentence| !text.contains(**sentence));
            let Some(missing) = missing else { return };
            assert!(
                Instant::now() < deadline,
                "{path} does not say: {missing}\n{text}"
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What a reader sees of a page.
    async fn reads(&self, path: &str) -> String {
        words(&self.reader.open(path).await.unwrap().body)
    }

    /// Replays what is parked the way the console leads: dry run, reason, confirmation; the last click is a double one.
    pub(super) async fn replay_by_console(&self, reason: &str) {
        let check = "/parked/check?kind=replay&destination=dvcqg";
        let dry_run = self.reader.open(check).await.unwrap();
        assert!(words(&dry_run.body).contains("chưa có gì thay đổi"));
        let before = field_value(&dry_run.body, "before").expect("the dry run fixes its moment");
        let chosen = [
            ("kind", "replay"),
            ("destination", "dvcqg"),
            ("before", before.as_str()),
            ("per_second", "100"),
            ("reason", reason),
        ];
        let confirming = self.reader.send(check, "/parked/confirm", &chosen).await;
        let confirming = confirming.unwrap();
        assert!(
            words(&confirming.body).contains(reason),
            "{}",
            confirming.body
        );
        let key = field_value(&confirming.body, "key").expect("the form has a key");
        let asked = [&chosen[..], &[("key", key.as_str())]].concat();
        let click = async || -> Page {
            let sent = self.reader.send(check, "/operations", &asked).await;
            sent.unwrap()
        };
        let first = click().await;
        let operation = first.location.expect("it leads to the operation's page");
        assert!(operation.starts_with("/operations/"), "{operation}");
        assert_eq!(click().await.location.as_ref(), Some(&operation));
        self.shows(&operation, &["Đã xong"]).await;
    }

    /// Everything arrives, and was told the portal once and in order.
    pub(super) async fn close(self) {
        self.gateway.drained().await;
        self.traffic.has_arrived(&self.gateway.portal.record());
        self.gateway.stop().await;
    }
}

/// A gateway for a game. Boxed, because it is a large future and each game would hold it.
fn starting(
    clock: Clock,
    change: impl FnOnce(&mut Config),
) -> Pin<Box<impl Future<Output = anyhow::Result<TestGateway>>>> {
    Box::pin(TestGateway::start_at(clock, |config| {
        let accounts = config.console.accounts_file.as_deref().unwrap();
        write_accounts(
            accounts,
            &[(OPERATOR, "Người trực", OperatorRole::Operator)],
        );
        let workers = &mut config.delivery.workers;
        // An outage lasts as long as it lasts, and nobody gives up meanwhile.
        workers.retry_last_times = 10_000;
        (workers.lease_ms, workers.call_timeout_ms) = (5_000, 3_000);
        (
            workers.breaker.open_seconds,
            workers.breaker.open_seconds_max,
        ) = (1, 2);
        change(config);
    }))
}

async fn sign_in(gateway: &TestGateway) -> Reader {
    let base = gateway.running().console_url.as_deref();
    let base = base.expect("the console answers");
    let reader = Reader::sign_in(base, OPERATOR, CONSOLE_PASSWORD).await;
    reader.expect("the operator signs in")
}

/// The text of a page without its tags.
fn words(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        let (_, shown) = part.split_once('>').unwrap_or(("", part));
        text.push_str(shown);
    }
    let text = text.replace("&quot;", "\"").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
