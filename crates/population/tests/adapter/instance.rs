//! One instance of an adapter with mutual TLS, its clients, and the certificates of all of them.

use std::path::Path;
use std::sync::Arc;

use lienthong_domain::Clock;
use lienthong_population::config::AllowedPeer;
use lienthong_population::{AdapterServer, RemoteConfig, RemoteRegistry, ServerConfig};
use lienthong_ports::PopulationRegistry;
use lienthong_transport::{
    Acceptor, ChannelTimeouts, ClientTls, ClientTlsFiles, Connections, DevelopmentCa,
    IdentityFiles, IdentityPolicy, Limits, Overwrite, ServerTls, ServerTlsConfig, TlsClock,
    grpc_channel,
};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

/// A folder with the certificates of one server, one gateway and one stranger.
pub(crate) fn certificates() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let now = Clock::system().now();
    let ca = DevelopmentCa::create(now).unwrap();
    ca.save(folder.path(), Overwrite::No).unwrap();
    let server = ca.issue_server(&["127.0.0.1"], now, 1).unwrap();
    server.save(folder.path(), Overwrite::No).unwrap();
    for system in ["truc", "khac"] {
        let issued = ca
            .issue_participant(&policy(), ("G01", system), now, 1)
            .unwrap();
        issued.save(folder.path(), Overwrite::No).unwrap();
    }
    folder
}

fn policy() -> IdentityPolicy {
    IdentityPolicy::new("gw.example.vn", IdentityPolicy::VALIDITY_DAYS_MAX_DEFAULT).unwrap()
}

fn tls_clock() -> TlsClock {
    let clock = Clock::system();
    TlsClock::new(move || clock.now())
}

/// One instance of an adapter.
pub(crate) struct Instance {
    pub(crate) endpoint: String,
    pub(crate) connections: Connections,
    pub(crate) stop: CancellationToken,
    pub(crate) running: JoinSet<()>,
}

impl Instance {
    pub(crate) async fn start(
        folder: &Path,
        registry: Arc<dyn PopulationRegistry>,
        calls_max: usize,
    ) -> Self {
        let tls = ServerTlsConfig {
            certificate_chain: folder.join("server.pem"),
            private_key: folder.join("server-key.pem"),
            client_ca: folder.join("ca.pem"),
            client_crls: Vec::new(),
            identity: policy(),
        };
        let tls = Arc::new(ServerTls::load(tls, tls_clock()).unwrap());
        let config = ServerConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            peers: vec![AllowedPeer {
                participant: "G01".to_owned(),
                system: "truc".to_owned(),
            }],
            calls_max,
            drain_ms_max: 200,
            ..ServerConfig::default()
        };
        let acceptor = Acceptor::bind(config.listen, tls, Limits::default())
            .await
            .unwrap();
        let endpoint = format!("https://{}", acceptor.local_address());
        let connections = acceptor.connections();
        let stop = CancellationToken::new();
        let server = AdapterServer::new(registry, &config).unwrap();
        let mut running = JoinSet::new();
        let until = stop.clone();
        running.spawn(async move { server.serve(acceptor, until).await.unwrap() });
        Self {
            endpoint,
            connections,
            stop,
            running,
        }
    }

    /// Ends it as a crash would: no goodbye, every connection cut.
    pub(crate) async fn kill(&mut self) {
        self.running.shutdown().await;
        self.connections.close_where(|_| true);
    }
}

pub(crate) fn remote(folder: &Path, endpoints: &[&str]) -> RemoteRegistry {
    let config = RemoteConfig {
        endpoints: endpoints
            .iter()
            .map(|endpoint| (*endpoint).to_owned())
            .collect(),
        ca: folder.join("ca.pem"),
        certificate: folder.join("G01-truc.pem"),
        key: folder.join("G01-truc-key.pem"),
        // Longer than any test, so that a slow machine changes nothing.
        avoid_ms: 30_000,
        ..RemoteConfig::default()
    };
    RemoteRegistry::new(&config, &Clock::system()).unwrap()
}

pub(crate) fn channel(folder: &Path, endpoint: &str, system: &str) -> Channel {
    let files = ClientTlsFiles {
        roots: folder.join("ca.pem"),
        identity: Some(IdentityFiles {
            certificate_chain: folder.join(format!("G01-{system}.pem")),
            private_key: folder.join(format!("G01-{system}-key.pem")),
        }),
        server_name: None,
    };
    let tls = ClientTls::load(&files, tls_clock()).unwrap();
    grpc_channel(endpoint, tls, &ChannelTimeouts::default()).unwrap()
}
