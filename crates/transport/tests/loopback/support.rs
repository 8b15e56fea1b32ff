//! A gateway-shaped server with a health service, and clients good and bad.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lienthong_transport::{
    Acceptor, AcceptorCounters, ChannelTimeouts, ClientTls, ClientTlsFiles, Connections,
    DevelopmentCa, Http2Limits, IdentityFiles, IdentityPolicy, Limits, Overwrite, PeerInfo,
    RefusalKind, ServerTls, ServerTlsConfig, TlsClock, grpc_channel, install_crypto_provider,
    tonic_server,
};
use rcgen::{
    CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic_health::pb::health_client::HealthClient;

pub(crate) const TRUST_DOMAIN: &str = "gw.example.vn";
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(10);

/// The day of all tests: a Friday morning in Hà Nội.
pub(crate) fn now() -> Timestamp {
    "2026-11-20T01:30:00Z".parse().unwrap()
}

pub(crate) fn clock() -> TlsClock {
    TlsClock::new(now)
}

pub(crate) fn policy() -> IdentityPolicy {
    IdentityPolicy::new(TRUST_DOMAIN, IdentityPolicy::VALIDITY_DAYS_MAX_DEFAULT).unwrap()
}

/// A folder with a development CA, a server certificate and one participant, H56's "motcua".
pub(crate) struct World {
    folder: TempDir,
    pub(crate) ca: DevelopmentCa,
    pub(crate) participant_serial: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca = DevelopmentCa::create(now()).unwrap();
        ca.save(folder.path(), Overwrite::No).unwrap();
        let server = ca
            .issue_server(&["localhost", "127.0.0.1"], now(), 90)
            .unwrap();
        server.save(folder.path(), Overwrite::No).unwrap();
        let participant = ca
            .issue_participant(&policy(), ("H56", "motcua"), now(), 90)
            .unwrap();
        participant.save(folder.path(), Overwrite::No).unwrap();
        let participant_serial = participant.serial().to_owned();
        Self {
            folder,
            ca,
            participant_serial,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn server_config(&self) -> ServerTlsConfig {
        ServerTlsConfig {
            certificate_chain: self.path("server.pem"),
            private_key: self.path("server-key.pem"),
            client_ca: self.path("ca.pem"),
            client_crls: Vec::new(),
            identity: policy(),
        }
    }

    pub(crate) fn participant_files(&self) -> IdentityFiles {
        IdentityFiles {
            certificate_chain: self.path("H56-motcua.pem"),
            private_key: self.path("H56-motcua-key.pem"),
        }
    }

    pub(crate) fn participant(&self) -> Credentials {
        let files = self.participant_files();
        let chain = CertificateDer::pem_file_iter(files.certificate_chain).unwrap();
        (
            chain.map(Result::unwrap).collect(),
            PrivateKeyDer::from_pem_file(files.private_key).unwrap(),
        )
    }

    /// A participant certificate of this CA with one thing changed.
    pub(crate) fn odd_participant(
        &self,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Credentials {
        self.odd_participant_with_key(&KeyPair::generate().unwrap(), change)
    }

    pub(crate) fn odd_participant_with_key(
        &self,
        key: &KeyPair,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Credentials {
        let ca_key = std::fs::read_to_string(self.path("ca-key.pem")).unwrap();
        let ca_key = KeyPair::from_pem(&ca_key).unwrap();
        let issuer = Issuer::from_ca_cert_pem(self.ca.certificate_pem(), ca_key).unwrap();
        let mut params = participant_params();
        change(&mut params);
        let certificate = params.signed_by(key, &issuer).unwrap();
        (
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
    }

    pub(crate) fn client_config(
        &self,
        credentials: impl Into<Option<Credentials>>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.ca.certificate_pem().as_bytes()).unwrap())
            .unwrap();
        let builder =
            ClientConfig::builder_with_details(install_crypto_provider(), Arc::new(clock()))
                .with_protocol_versions(versions)
                .unwrap()
                .with_root_certificates(roots);
        let mut config = match credentials.into() {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }

    pub(crate) fn channel(&self, address: SocketAddr) -> Channel {
        let files = ClientTlsFiles {
            roots: self.path("ca.pem"),
            identity: Some(self.participant_files()),
            server_name: Some("localhost".to_owned()),
        };
        let tls = ClientTls::load(&files, clock()).unwrap();
        grpc_channel(
            &format!("https://{address}"),
            tls,
            &ChannelTimeouts::default(),
        )
        .unwrap()
    }

    pub(crate) async fn serve(&self, config: ServerTlsConfig, limits: Limits) -> Running {
        let tls = Arc::new(ServerTls::load(config, clock()).unwrap());
        let acceptor = Acceptor::bind("127.0.0.1:0".parse().unwrap(), tls.clone(), limits)
            .await
            .unwrap();
        let address = acceptor.local_address();
        let (connections, counters) = (acceptor.connections(), acceptor.counters());
        let stop = CancellationToken::new();
        let (peers_in, peers) = mpsc::unbounded_channel();
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter
            .set_service_status("tiếp-nhận", tonic_health::ServingStatus::Serving)
            .await;
        let health = InterceptedService::new(health, move |request: tonic::Request<()>| {
            let peer = request.extensions().get::<PeerInfo>().cloned();
            peers_in
                .send(peer.expect("each request carries its peer"))
                .unwrap();
            Ok(request)
        });
        let serving = tonic_server(&Http2Limits::default())
            .add_service(health)
            .serve_with_incoming_shutdown(
                acceptor.incoming(stop.clone()),
                stop.clone().cancelled_owned(),
            );
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { serving.await.unwrap() });
        Running {
            address,
            tls,
            connections,
            counters,
            stop,
            peers,
            tasks,
        }
    }
}

pub(crate) type Credentials = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// What a correct participant certificate says, for tests to break.
pub(crate) fn participant_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = rcgen::date_time_ymd(2026, 11, 1);
    params.not_after = rcgen::date_time_ymd(2027, 1, 1);
    params.subject_alt_names = vec![uri(&format!("spiffe://{TRUST_DOMAIN}/H56/motcua"))];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

pub(crate) fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

/// A server that runs until dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<ServerTls>,
    pub(crate) connections: Connections,
    pub(crate) counters: Arc<AcceptorCounters>,
    pub(crate) stop: CancellationToken,
    pub(crate) peers: mpsc::UnboundedReceiver<PeerInfo>,
    pub(crate) tasks: JoinSet<()>,
}

impl Running {
    pub(crate) async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Connects with TLS and reads until the server closes; TLS 1.3 clients learn of a refusal
    /// only by reading.
    pub(crate) async fn connect_refused(&self, config: ClientConfig) {
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let name = ServerName::try_from("localhost").unwrap();
        if let Ok(mut stream) = connector.connect(name, self.tcp().await).await {
            wait_for_close(&mut stream).await;
        }
    }

    pub(crate) fn refused(&self) -> Vec<(RefusalKind, u64)> {
        RefusalKind::ALL
            .into_iter()
            .map(|kind| (kind, self.counters.refused_total(kind)))
            .filter(|(_, total)| *total > 0)
            .collect()
    }

    /// Waits until exactly these refusals were counted.
    pub(crate) async fn expect_refused(&self, expected: &[(RefusalKind, u64)], what: &str) {
        let counted: u64 = expected.iter().map(|(_, total)| total).sum();
        until(what, || {
            self.refused().iter().map(|(_, total)| total).sum::<u64>() >= counted
        })
        .await;
        assert_eq!(self.refused(), expected, "{what}");
    }

    /// One health check over a new connection works.
    pub(crate) async fn expect_serving(&mut self, world: &World) -> PeerInfo {
        let mut client = HealthClient::new(world.channel(self.address));
        client.check(health_request()).await.unwrap();
        self.peers.recv().await.unwrap()
    }
}

pub(crate) fn health_request() -> tonic_health::pb::HealthCheckRequest {
    tonic_health::pb::HealthCheckRequest {
        service: "tiếp-nhận".to_owned(),
    }
}

/// Reads until the other side closes; fails the test when it does not.
pub(crate) async fn wait_for_close(stream: &mut (impl tokio::io::AsyncRead + Unpin)) {
    let mut sink = vec![0; 1024];
    let closing = async { while matches!(stream.read(&mut sink).await, Ok(1..)) {} };
    tokio::time::timeout(WAIT_MAX, closing)
        .await
        .expect("the server closes the connection");
}

/// Waits until a condition holds; fails the test when it never does.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let polling = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        while !condition() {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(WAIT_MAX, polling)
        .await
        .unwrap_or_else(|_| panic!("in vain: {what}"));
}
