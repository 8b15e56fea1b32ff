//! Our clients against servers good and bad; the development CA's files.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use lienthong_transport::{
    ChannelTimeouts, ClientTls, ClientTlsFiles, DevelopmentCa, HttpClientConfig, Limits, OldestTls,
    Overwrite, TransportError, grpc_channel, http_client, install_crypto_provider, read_bounded,
};
use rustls::ServerConfig;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonic_health::pb::health_client::HealthClient;

use crate::support::{World, clock, health_request, now, policy};

#[tokio::test]
async fn a_channel_refuses_a_server_it_does_not_trust() {
    let (world, stranger) = (World::new(), World::new());
    let server = world.serve(world.server_config(), Limits::default()).await;
    let check = async |roots, server_name: Option<&str>| {
        let files = ClientTlsFiles {
            roots,
            identity: Some(world.participant_files()),
            server_name: server_name.map(str::to_owned),
        };
        let tls = ClientTls::load(&files, clock()).unwrap();
        let endpoint = format!("https://{}", server.address);
        let channel = grpc_channel(&endpoint, tls, &ChannelTimeouts::default()).unwrap();
        HealthClient::new(channel)
            .check(health_request())
            .await
            .is_ok()
    };
    assert!(
        check(world.path("ca.pem"), None).await,
        "the certificate names 127.0.0.1 too"
    );
    assert!(check(world.path("ca.pem"), Some("localhost")).await);
    assert!(!check(world.path("ca.pem"), Some("elsewhere.vn")).await);
    assert!(!check(stranger.path("ca.pem"), None).await);
}

/// Answers every request with `response`; over TLS when there is a configuration.
async fn answer(tasks: &mut JoinSet<()>, tls: Option<ServerConfig>, response: &'static str) -> u16 {
    async fn one(mut stream: impl AsyncRead + AsyncWrite + Unpin, response: &str) {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => request.push(byte),
                Err(_closed) => return,
            }
        }
        assert!(
            String::from_utf8(request)
                .unwrap()
                .contains("user-agent: lienthong/")
        );
        // The client may hang up early: that is what some of the tests are about.
        drop(stream.write_all(response.as_bytes()).await);
        drop(stream.shutdown().await);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = tls.map(|config| tokio_rustls::TlsAcceptor::from(Arc::new(config)));
    tasks.spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            match &tls {
                None => one(socket, response).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(socket).await {
                        one(stream, response).await;
                    }
                }
            }
        }
    });
    port
}

fn portal(world: &World, versions: &[&'static rustls::SupportedProtocolVersion]) -> ServerConfig {
    let chain = CertificateDer::pem_file_iter(world.path("server.pem")).unwrap();
    ServerConfig::builder_with_details(install_crypto_provider(), Arc::new(clock()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            chain.map(Result::unwrap).collect(),
            PrivateKeyDer::from_pem_file(world.path("server-key.pem")).unwrap(),
        )
        .unwrap()
}

const SHORT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nđã nhận";

#[tokio::test]
async fn https_is_verified_and_its_oldest_version_is_chosen() {
    let (world, stranger) = (World::new(), World::new());
    let mut tasks = JoinSet::new();
    let modern = answer(&mut tasks, Some(portal(&world, &[&TLS13])), SHORT).await;
    let old = answer(&mut tasks, Some(portal(&world, &[&TLS12])), SHORT).await;
    let get = async |roots, oldest_tls, port: u16| {
        let config = HttpClientConfig {
            roots: Some(roots),
            oldest_tls,
            ..Default::default()
        };
        let client = http_client(&config, clock()).unwrap();
        let response = client
            .get(format!("https://localhost:{port}/"))
            .send()
            .await
            .ok()?;
        Some(read_bounded(response, 64).await.unwrap())
    };
    let body = Some("đã nhận".into());
    assert_eq!(
        get(world.path("ca.pem"), OldestTls::V1_3, modern).await,
        body
    );
    assert_eq!(
        get(world.path("ca.pem"), OldestTls::V1_2, modern).await,
        body
    );
    assert_eq!(get(world.path("ca.pem"), OldestTls::V1_2, old).await, body);
    assert_eq!(get(world.path("ca.pem"), OldestTls::V1_3, old).await, None);
    assert_eq!(
        get(stranger.path("ca.pem"), OldestTls::V1_2, modern).await,
        None
    );
}

#[tokio::test]
async fn plaintext_redirects_and_long_bodies_are_refused() {
    let mut tasks = JoinSet::new();
    let short = answer(&mut tasks, None, SHORT).await;
    let redirect = "HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n";
    let redirect = answer(&mut tasks, None, redirect).await;
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
        8\r\n01234567\r\n8\r\n01234567\r\n0\r\n\r\n";
    let chunked = answer(&mut tasks, None, chunked).await;
    let broken = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nđ";
    let broken = answer(&mut tasks, None, broken).await;

    let strict = http_client(&HttpClientConfig::default(), clock()).unwrap();
    let url = |port: u16| format!("http://127.0.0.1:{port}/");
    assert!(
        strict.get(url(short)).send().await.is_err(),
        "plaintext needs permission"
    );

    let config = HttpClientConfig {
        allow_plaintext: true,
        ..Default::default()
    };
    let client = http_client(&config, clock()).unwrap();
    let get = async |port, bytes_max| {
        let response = client.get(url(port)).send().await.unwrap();
        read_bounded(response, bytes_max).await
    };
    let too_large = |result| matches!(result, Err(TransportError::BodyTooLarge { .. }));
    assert_eq!(
        client.get(url(redirect)).send().await.unwrap().status(),
        302
    );
    assert!(too_large(get(short, 5).await), "announced");
    assert!(too_large(get(chunked, 15).await), "not announced");
    assert_eq!(get(chunked, 16).await.unwrap().len(), 16);
    assert!(matches!(
        get(broken, 64).await,
        Err(TransportError::ReadBody(_))
    ));
}

#[tokio::test]
async fn a_silent_server_costs_no_more_than_the_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let config = HttpClientConfig {
        allow_plaintext: true,
        request_timeout: Duration::from_millis(100),
        ..Default::default()
    };
    let client = http_client(&config, clock()).unwrap();
    assert!(client.get(url).send().await.unwrap_err().is_timeout());
}

#[test]
fn the_development_ca_guards_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("certs");
    let ca = DevelopmentCa::create(now()).unwrap();
    ca.save(&folder, Overwrite::No).unwrap();
    let again = ca.save(&folder, Overwrite::No);
    assert!(
        matches!(again, Err(TransportError::FileExists { .. })),
        "{again:?}"
    );
    ca.save(&folder, Overwrite::Yes).unwrap();

    let loaded = DevelopmentCa::load(&folder).unwrap();
    assert_eq!(loaded.certificate_pem(), ca.certificate_pem());
    let issued = loaded.issue_participant(&policy(), ("G01.02", "hộ"), now(), 90);
    assert!(matches!(
        issued,
        Err(TransportError::BadName { what: "system", .. })
    ));
    let issued = loaded
        .issue_participant(&policy(), ("G01.02", "sync"), now(), 90)
        .unwrap();
    issued.save(&folder, Overwrite::No).unwrap();
    for name in ["ca-key.pem", "G01.02-sync-key.pem"] {
        let mode = std::fs::metadata(folder.join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "G01.02-sync-key.pem",
            "G01.02-sync.pem",
            "ca-key.pem",
            "ca.pem"
        ]
    );
}

#[test]
fn the_development_ca_refuses_odd_orders() {
    let ca = DevelopmentCa::create(now()).unwrap();
    for days in [0, 91] {
        let issued = ca.issue_server(&["localhost"], now(), days);
        assert!(
            matches!(issued, Err(TransportError::BadLifetime { .. })),
            "{days}"
        );
    }
    for names in [&[][..], &[""], &["xã.vn"], &["a b"]] {
        let issued = ca.issue_server(names, now(), 1);
        assert!(
            matches!(issued, Err(TransportError::BadName { .. })),
            "{names:?}"
        );
    }
    let list = ca.revocation_list(&["không"], now(), 7);
    assert!(matches!(list, Err(TransportError::BadSerial(_))));
}
