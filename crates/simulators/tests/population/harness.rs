//! A running simulator, a client, and requests as an adapter would send them.

use std::error::Error as _;
use std::time::{Duration, Instant};

use lienthong_simulators::population::{
    Citizen, FaultScript, PopulationConfig, PopulationHandle, PopulationSimulator,
};
use reqwest::{Client, RequestBuilder, Response};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) const CITIZENS: u32 = 50_000;

pub(crate) struct Database {
    pub(crate) handle: PopulationHandle,
    pub(crate) client: Client,
    pub(crate) endpoint: String,
    pub(crate) token_url: String,
    pub(crate) service_url: String,
    root_url: String,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// A small population with everything else as it is by default.
pub(crate) fn config() -> PopulationConfig {
    PopulationConfig {
        seed: 5,
        citizens: CITIZENS,
        ..PopulationConfig::default()
    }
}

impl Database {
    pub(crate) async fn start(config: PopulationConfig) -> Self {
        // An error means that another test of this process was first, which is as good.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let addr = "127.0.0.1:0".parse().expect("a loopback address");
        let bound = PopulationSimulator::bind(config, addr)
            .await
            .expect("port 0 is always free");
        let client = Client::builder()
            .timeout(Duration::from_secs(20))
            .no_proxy()
            .build()
            .expect("a plain client can be built");
        let handle = bound.handle();
        let (endpoint, token_url) = (bound.endpoint(), bound.token_url());
        let service_url = bound.service_url().to_owned();
        let root_url = format!("http://{}", bound.addr);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let running = bound.run(stop.clone());
        tasks.spawn(async { running.await.expect("the simulator ends without an error") });
        Self {
            handle,
            client,
            endpoint,
            token_url,
            service_url,
            root_url,
            stop,
            tasks,
        }
    }

    pub(crate) async fn with_faults(script: &str) -> Self {
        let faults = FaultScript::from_json(script).expect("the script is right");
        Self::start(PopulationConfig { faults, ..config() }).await
    }

    /// Stops the simulator and waits for its end.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        self.tasks
            .join_next()
            .await
            .expect("the simulator ran")
            .expect("it did not panic");
    }

    pub(crate) fn admin(&self, path: &str) -> String {
        format!("{}/simulator/{path}", self.root_url)
    }

    pub(crate) fn citizen(&self, index: u32) -> Citizen {
        self.handle.population().citizen(index)
    }

    /// The first citizen of whom this holds.
    pub(crate) fn citizen_with(&self, holds: impl Fn(&Citizen) -> bool) -> Citizen {
        (0..CITIZENS)
            .map(|index| self.citizen(index))
            .find(holds)
            .expect("there is one among fifty thousand")
    }

    /// A POST with the headers that the service asks of everybody.
    pub(crate) fn request(&self, body: String) -> RequestBuilder {
        self.client
            .post(&self.endpoint)
            .header("Content-Type", "application/xml")
            .header("SOAPAction", "\"\"")
            .body(body)
    }

    pub(crate) async fn post(&self, body: String) -> reqwest::Result<Response> {
        self.request(body).send().await
    }

    /// Status and body of a call that must be answered whole.
    pub(crate) async fn told(&self, body: String) -> (u16, String) {
        let response = self.post(body).await.expect("an answer");
        let status = response.status().as_u16();
        (status, response.text().await.expect("the answer is whole"))
    }

    pub(crate) fn struck(&self, fault: &str) -> u64 {
        let faults = self.handle.stats().faults;
        faults.get(fault).copied().unwrap_or_default()
    }
}

/// One of the two services, and whom it is asked about.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) element: &'static str,
    pub(crate) code: &'static str,
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) name: String,
    pub(crate) birth: String,
}

impl Ask {
    pub(crate) fn look_up(id: &str, citizen: &Citizen) -> Self {
        let birth = match citizen.birth.date() {
            Some(date) => format!("<d:NgayThangNam>{date}</d:NgayThangNam>"),
            None => format!("<d:Nam>{}</d:Nam>", citizen.birth.year),
        };
        Self {
            element: "TraCuuThongTinCongDan",
            code: "037",
            id: id.to_owned(),
            subject: format!("<d:SoDinhDanh>{}</d:SoDinhDanh>", citizen.number),
            name: citizen.name.upper(),
            birth,
        }
    }

    pub(crate) fn matching(id: &str, citizen: &Citizen) -> Self {
        Self {
            element: "XacThucThongTinCongDan",
            code: "003",
            ..Self::look_up(id, citizen)
        }
    }

    pub(crate) fn xml(&self) -> String {
        let Self {
            element,
            code,
            id,
            subject,
            name,
            birth,
        } = self;
        let name = name.replace('\'', "&apos;");
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:d=\"http://dancuquocgia.bca\"><e:Header/><e:Body><d:{element}>\
             <d:MaYeuCau>{id}</d:MaYeuCau><d:MaDVC>1.001193</d:MaDVC>\
             <d:MaTichHop>{code}</d:MaTichHop><d:MaCanBo>cb.hacthanh.01</d:MaCanBo>\
             {subject}<d:HoVaTen>{name}</d:HoVaTen>\
             <d:NgayThangNamSinh>{birth}</d:NgayThangNamSinh></d:{element}></e:Body></e:Envelope>"
        )
    }
}

/// The text of the first element with this local name, whatever its prefix.
pub(crate) fn value(xml: &str, name: &str) -> Option<String> {
    let mut rest = xml;
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, text) = after.split_once('>')?;
        let qualified = tag.split_whitespace().next().unwrap_or_default();
        let local = qualified.rsplit(':').next().unwrap_or_default();
        if local == name && !tag.starts_with('/') {
            return text.split('<').next().map(|text| text.trim().to_owned());
        }
        rest = text;
    }
    None
}

/// Polls with a deadline; the condition is another task's work over a socket.
pub(crate) async fn wait_until(condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "the condition did not come true"
        );
        tokio::task::yield_now().await;
    }
}

/// What lies at the bottom of a failed call.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = String::new();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    text
}
