//! A gateway edge without TLS: every connection says who it is, as the acceptor would.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use lienthong_broker_embedded::{Config as BrokerConfig, EmbeddedBroker};
use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::{Clock, DestinationName, Random, Timestamp};
use lienthong_ports::Store;
use lienthong_ports::store::DestinationSpec;
use lienthong_proto::dossier::v1 as proto;
use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_rpc::{Health, RpcConfig, RpcError, RpcServer};
use lienthong_services::operators::{Config as Rules, LogControl};
use lienthong_services::{Registry, Seams, Services};
use lienthong_store_sqlite::{Config as StoreConfig, MEMORY, SqliteStore};
use lienthong_transport::{PeerIdentity, PeerInfo};
use lienthong_vault::Vault;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::transport::server::Connected;
use tonic::transport::{Channel, Endpoint};
use tonic_types::{ErrorInfo, StatusExt as _};

const PARTICIPANTS: &str = r#"
    [[participant]]
    id = "H21"
    name = "Tỉnh Gia Lai"
    rate_per_second_max = 50000
    [[participant.system]]
    name = "motcua"
    role = "push"
    [[participant]]
    id = "H56"
    name = "Tỉnh Thanh Hóa"
    rate_per_second_max = 500
    [[participant.system]]
    name = "motcua"
    role = "push"
    [[participant]]
    id = "H01"
    name = "Tỉnh An Giang"
    active = false
    [[participant.system]]
    name = "motcua"
    role = "push"
    [[participant]]
    id = "G22"
    name = "Văn phòng Chính phủ"
    [[participant.system]]
    name = "vanhanh"
    role = "operator"
    [[participant.system]]
    name = "duyet"
    role = "approver"
    [[participant.system]]
    name = "xem"
    role = "viewer"
"#;

/// Bytes in flight between client and server.
const DUPLEX_BYTES: usize = 64 * 1024;
/// The clients' window, small so that an unread answer is felt soon.
const CLIENT_WINDOW_BYTES: u32 = 65_535;
/// No wait of a test is longer.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(30);

/// The morning of all tests.
pub(crate) fn now() -> Timestamp {
    "2025-07-10T02:00:00Z".parse().unwrap()
}

pub(crate) struct Edge {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) health: Health,
    pub(crate) stop: CancellationToken,
    connections: mpsc::UnboundedSender<Result<Known, io::Error>>,
    serving: JoinSet<Result<(), RpcError>>,
}

impl Edge {
    pub(crate) async fn start() -> Self {
        Self::start_with(RpcConfig::default()).await
    }

    pub(crate) async fn start_with(config: RpcConfig) -> Self {
        Self::start_under(config, Rules::default()).await
    }

    /// With other rules for operators.
    pub(crate) async fn start_under(config: RpcConfig, rules: Rules) -> Self {
        let store = Arc::new(open_store());
        let services = services(store.clone(), store.clone(), rules);
        let server = RpcServer::new(services, None, config).await;
        let health = server.health();
        health.set_accepting(true).await;
        let stop = CancellationToken::new();
        let (connections, incoming) = mpsc::unbounded_channel();
        let mut serving = JoinSet::new();
        serving.spawn(server.serve(UnboundedReceiverStream::new(incoming), stop.clone()));
        Self {
            store,
            health,
            stop,
            connections,
            serving,
        }
    }

    /// A channel whose peer is `participant/system`.
    pub(crate) fn channel(&self, participant: &str, system: &str) -> Channel {
        let peer = peer(participant, system);
        let connections = self.connections.clone();
        connect(move |stream| {
            let known = Known {
                stream,
                peer: peer.clone(),
            };
            connections
                .send(Ok(known))
                .map_err(|_| io::ErrorKind::ConnectionRefused.into())
        })
    }

    pub(crate) fn client(&self, participant: &str) -> DossierServiceClient<Channel> {
        DossierServiceClient::new(self.channel(participant, "motcua"))
    }

    pub(crate) fn operator(&self) -> Channel {
        self.channel("G22", "vanhanh")
    }

    /// Waits until the server has ended after its stop.
    pub(crate) async fn ended(mut self) {
        let served = tokio::time::timeout(WAIT_MAX, self.serving.join_next()).await;
        served.expect("the server ends").unwrap().unwrap().unwrap();
    }
}

pub(crate) fn open_store() -> SqliteStore {
    let destination = DestinationSpec {
        name: DestinationName::parse("dvcqg").unwrap(),
        lane: LanePolicy::Hold,
    };
    let vault = Arc::new(Vault::for_tests(1));
    SqliteStore::open_inline(&StoreConfig::new(MEMORY, vec![destination], vault)).unwrap()
}

pub(crate) fn services(
    store: Arc<dyn Store>,
    operators: Arc<SqliteStore>,
    rules: Rules,
) -> Arc<Services> {
    let seams = Seams {
        store,
        operators,
        broker: Arc::new(EmbeddedBroker::new(BrokerConfig::default())),
    };
    let services = Services::new(
        seams,
        Vec::new(),
        Registry::parse(PARTICIPANTS).unwrap(),
        Clock::from_fn(now),
        Random::seeded(7),
    );
    // It changes nothing: the log is the process's.
    let control: LogControl = Arc::new(|_, _| Ok("warn".to_owned()));
    Arc::new(services.with_operators(rules).with_log_control(control))
}

/// A channel over in-memory connections that `accept` gets the server's half of.
pub(crate) fn connect(accept: impl Fn(DuplexStream) -> io::Result<()> + Send + 'static) -> Channel {
    let connector = tower::service_fn(move |_| {
        let (ours, theirs) = tokio::io::duplex(DUPLEX_BYTES);
        let accepted = accept(theirs).map(|()| TokioIo::new(ours));
        std::future::ready(accepted)
    });
    Endpoint::from_static("http://gateway.test")
        .initial_stream_window_size(CLIENT_WINDOW_BYTES)
        .connect_with_connector_lazy(connector)
}

fn peer(participant: &str, system: &str) -> PeerInfo {
    PeerInfo {
        identity: Arc::new(PeerIdentity {
            participant: participant.to_owned(),
            system: system.to_owned(),
            spki_sha256: [0; 32],
            serial: "01".to_owned(),
            not_after: now(),
        }),
        remote_address: "127.0.0.1:1".parse().unwrap(),
        connection_id: 1,
    }
}

/// A connection that knows its peer.
struct Known {
    stream: DuplexStream,
    peer: PeerInfo,
}

impl Connected for Known {
    type ConnectInfo = PeerInfo;

    fn connect_info(&self) -> PeerInfo {
        self.peer.clone()
    }
}

impl AsyncRead for Known {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Known {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The `ErrorInfo` of a refusal.
pub(crate) fn info(status: &Status) -> ErrorInfo {
    status
        .get_details_error_info()
        .unwrap_or_else(|| panic!("no ErrorInfo in {status:?}"))
}

/// `gRPC code REASON` of a refusal.
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Status>) -> String {
    let status = result.expect_err("refused");
    format!("{:?} {}", status.code(), info(&status).reason)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every field that takes it is optional"
)]
pub(crate) fn seconds(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

/// A good first status of the dossier with this number, of Gia Lai.
pub(crate) fn event(number: u32) -> proto::StatusEvent {
    event_of("H21.17", number)
}

pub(crate) fn event_of(agency: &str, number: u32) -> proto::StatusEvent {
    let text = |text: &str| Some(text.to_owned());
    proto::StatusEvent {
        idempotency_key: format!("{agency}-{number}-1"),
        dossier_code: format!("{agency}-250701-{number:05}"),
        status: proto::DossierStatus::Accepted.into(),
        occurred_at: seconds(1_751_500_000),
        source_sequence: None,
        progress: Some(proto::ProgressLine {
            officer_name: "Nguyễn Thị Ánh Tuyết".into(),
            note: "Tiếp nhận hồ sơ".into(),
            ..proto::ProgressLine::default()
        }),
        details: Some(proto::DossierDetails {
            procedure_code: text("1.000094"),
            procedure_name: text("Đăng ký kết hôn"),
            field_code: text("G15-HT"),
            field_name: text("Hộ tịch"),
            applicant: Some(proto::Applicant {
                name: text("Rơ Châm Hlơi"),
                kind: proto::ApplicantKind::Citizen.into(),
                ..proto::Applicant::default()
            }),
            summary: text("Đăng ký kết hôn tại xã Ia Grai"),
            return_method: proto::ReturnMethod::Counter.into(),
            handling_unit: text("UBND xã Ia Grai"),
            received_at: seconds(1_751_400_000),
            ..proto::DossierDetails::default()
        }),
    }
}

/// A later status of the same dossier, without details.
pub(crate) fn next_event(
    number: u32,
    step: i64,
    status: proto::DossierStatus,
) -> proto::StatusEvent {
    proto::StatusEvent {
        idempotency_key: format!("H21.17-{number}-{step}"),
        status: status.into(),
        occurred_at: seconds(1_751_500_000 + step),
        details: None,
        ..event(number)
    }
}

pub(crate) fn push(event: proto::StatusEvent) -> proto::PushStatusRequest {
    proto::PushStatusRequest { event: Some(event) }
}
