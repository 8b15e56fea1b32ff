//! An adapter in front of a running simulator, and lifelike work.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::channel::{ApplicantKind, Channel, ReturnMethod};
use lienthong_domain::event::Progress;
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::time::local_from_portal;
use lienthong_domain::{
    Answer, Clock, DeliveryId, DestinationName, DossierCode, DossierDetails, DossierStatus,
    EventId, Fence, Private, ProcedureCode, Text, Timestamp,
};
use lienthong_portal::{Config, Portal};
use lienthong_ports::store::Work;
use lienthong_ports::{Destination as _, Message};
use lienthong_simulators::portal::{
    FaultRule, FaultScript, PortalConfig, PortalHandle, PortalSimulator,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Enough for anything that is not meant to hang.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct Bench {
    pub(crate) adapter: Portal,
    pub(crate) portal: PortalHandle,
    /// Ends the simulator when the bench is dropped.
    _running: JoinSet<()>,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let simulated = PortalConfig {
            accounts: BTreeMap::from([("H21".to_owned(), "mật khẩu".to_owned())]),
            ..PortalConfig::default()
        };
        let bound = PortalSimulator::bind(simulated, "127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let (portal, base) = (bound.handle(), bound.base_url());
        let mut running = JoinSet::new();
        running.spawn(async move { bound.run(CancellationToken::new()).await.unwrap() });
        let mut config = config(&base);
        change(&mut config);
        let adapter = Portal::new(config, http(), Clock::system()).unwrap();
        Self {
            adapter,
            portal,
            _running: running,
        }
    }

    pub(crate) fn faults(&self, rules: Vec<FaultRule>) {
        self.portal
            .set_faults(FaultScript { seed: 0, rules })
            .unwrap();
    }

    pub(crate) async fn deliver(&self, work: &Work) -> Answer {
        self.adapter.deliver(work, TIMEOUT).await
    }
}

pub(crate) fn config(base: &str) -> Config {
    Config {
        login_url: format!("{base}/mapi/login"),
        data_url: format!("{base}/mapi/g"),
        allow_plaintext: true,
        username: "H21".to_owned(),
        password: Private::new("mật khẩu".to_owned()),
        failed_login_pause_ms: 60_000,
        ..Config::default()
    }
}

/// reqwest asks for a provider of cryptography even where it only speaks http.
pub(crate) fn http() -> reqwest::Client {
    // The first test to come here installs it, the others find it.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .build()
        .unwrap()
}

fn private<const MAX: usize>(text: &str) -> Private<Text<MAX>> {
    Private::new(Text::parse(text).unwrap())
}

fn at(text: &str) -> Timestamp {
    local_from_portal(text).unwrap()
}

/// The event with this sequence of one birth registration in Gia Lai, with a progress line.
pub(crate) fn work(sequence: i64) -> Work {
    let details = DossierDetails {
        procedure_code: Some(ProcedureCode::parse("1.001193").unwrap()),
        procedure_name: Some(Text::parse("Đăng ký khai sinh").unwrap()),
        field_code: Some(Text::parse("G15-HT02").unwrap()),
        field_name: Some(Text::parse("Hộ tịch").unwrap()),
        channel: Some(Channel::Counter),
        applicant_name: Some(private("Nguyễn Thị Hoà")),
        applicant_kind: Some(ApplicantKind::Citizen),
        summary: Some(private("Đăng ký khai sinh cho Lê Ánh")),
        received_at: Some(at("20250915080000")),
        return_method: Some(ReturnMethod::Counter),
        handling_unit: Some(Text::parse("UBND xã Vân Canh").unwrap()),
        ..DossierDetails::default()
    };
    let progress = Progress {
        officer_name: private("Trần Văn Đức"),
        officer_title: None,
        unit_name: Some(Text::parse("UBND xã Vân Canh").unwrap()),
        note: private("Tiếp nhận hồ sơ"),
        started_at: None,
        due_at: None,
    };
    Work {
        message: Message {
            delivery: DeliveryId(sequence),
            fence: Fence(1),
            trace: None,
        },
        destination: DestinationName::parse("dvcqg").unwrap(),
        dossier: DossierCode::parse("H21.227-250915-0007").unwrap(),
        sequence,
        event_id: EventId::from_bytes([u8::try_from(sequence).unwrap(); 16]),
        participant: ParticipantId::parse("H21").unwrap(),
        status: DossierStatus::Accepted,
        occurred_at: at("20250915081500"),
        accepted_at: at("20250915081501"),
        late: false,
        progress: Some(progress),
        details: Arc::new(details),
        delivered_before: false,
        attempt: 1,
        counted: 0,
        step: 0,
        trace: None,
        last_span_id: None,
    }
}

/// The first event of another dossier.
pub(crate) fn other_dossier(number: u8) -> Work {
    let dossier = DossierCode::parse(&format!("H21.203-250915-{number:04}")).unwrap();
    Work {
        dossier,
        ..work(i64::from(number))
    }
}
