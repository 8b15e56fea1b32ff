//! How connections and settings end: stop, age, revocation, reload.

use std::error::Error;
use std::time::Duration;

use lienthong_transport::{DevelopmentCa, Limits, Overwrite, Reloader, ServerTls, TransportError};
use rustls::version::TLS13;
use tonic_health::pb::health_client::HealthClient;

use crate::support::{Running, WAIT_MAX, World, clock, health_request, now, until};

const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Opens a stream that stays open until the server ends it.
async fn watch(world: &World, server: &Running) -> tonic::Streaming<impl Sized + use<>> {
    let mut client = HealthClient::new(world.channel(server.address));
    let mut stream = client.watch(health_request()).await.unwrap().into_inner();
    stream
        .message()
        .await
        .unwrap()
        .expect("the present status comes first");
    stream
}

async fn expect_cut<T>(mut stream: tonic::Streaming<T>, what: &str) {
    let next = tokio::time::timeout(WAIT_MAX, stream.message()).await;
    assert!(next.expect(what).is_err(), "{what}");
}

#[tokio::test]
async fn closing_a_participant_cuts_its_streams() {
    let world = World::new();
    let server = world.serve(world.server_config(), Limits::default()).await;
    let stream = watch(&world, &server).await;
    assert_eq!(
        server
            .connections
            .close_where(|peer| peer.participant == "H57"),
        0
    );
    assert_eq!(
        server
            .connections
            .close_where(|peer| peer.participant == "H56"),
        1
    );
    expect_cut(stream, "closed by participant").await;
    until("the slot is free", || server.connections.is_empty()).await;
}

#[tokio::test]
async fn a_connection_ends_at_its_greatest_age() {
    let world = World::new();
    let limits = Limits {
        connection_life_max: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = world.serve(world.server_config(), limits).await;
    expect_cut(watch(&world, &server).await, "closed by age").await;
}

#[tokio::test]
async fn a_new_revocation_list_cuts_live_connections_and_refuses_new_ones() {
    let world = World::new();
    let clean = world.ca.revocation_list(&[], now(), 7).unwrap();
    DevelopmentCa::save_revocation_list(world.folder(), &clean).unwrap();
    let mut config = world.server_config();
    config.client_crls = vec![world.path("ca-crl.pem")];
    let mut server = world.serve(config, Limits::default()).await;
    let reloader = Reloader::new(server.tls.clone(), POLL_INTERVAL);
    server.tasks.spawn(reloader.run(server.stop.clone()));
    let stream = watch(&world, &server).await;

    let revoked = world
        .ca
        .revocation_list(&[&world.participant_serial], now(), 7)
        .unwrap();
    DevelopmentCa::save_revocation_list(world.folder(), &revoked).unwrap();
    expect_cut(stream, "closed by revocation").await;
    server
        .connect_refused(world.client_config(world.participant(), &[&TLS13]))
        .await;
}

#[tokio::test]
async fn a_reload_takes_good_files_and_leaves_bad_ones() {
    let world = World::new();
    let mut server = world.serve(world.server_config(), Limits::default()).await;
    let reloader = Reloader::new(server.tls.clone(), POLL_INTERVAL);
    server.tasks.spawn(reloader.run(server.stop.clone()));
    let before = server.tls.not_after();

    // A certificate without its key: the pair in force stays.
    let good_key = std::fs::read(world.path("server-key.pem")).unwrap();
    let next = world.ca.issue_server(&["localhost"], now(), 30).unwrap();
    next.save(world.folder(), Overwrite::Yes).unwrap();
    std::fs::write(world.path("server-key.pem"), good_key).unwrap();
    let refused = server.tls.reload().unwrap_err();
    assert!(
        matches!(refused, TransportError::CertificateAndKey { .. }),
        "{refused:?}"
    );
    assert_eq!(server.tls.not_after(), before);
    server.expect_serving(&world).await;

    next.save(world.folder(), Overwrite::Yes).unwrap();
    until("the new pair is in force", || {
        server.tls.not_after() == next.not_after()
    })
    .await;
    server.expect_serving(&world).await;
}

#[tokio::test]
async fn faults_in_files_name_the_file() {
    let world = World::new();
    let late = now() + jiff::SignedDuration::from_hours(24 * 200);
    let fault = |name: &str, text: &str| {
        let path = world.path(name);
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, text).unwrap();
        let error = ServerTls::load(world.server_config(), clock()).unwrap_err();
        std::fs::write(&path, good).unwrap();
        error.to_string()
    };
    for name in ["server.pem", "server-key.pem", "ca.pem"] {
        assert!(fault(name, "").contains(name));
        assert!(fault(name, "không phải PEM").contains(name));
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(fault(name, broken).contains(name), "{name}");
    }
    let mut config = world.server_config();
    config.client_crls = vec![world.path("missing.pem")];
    let error = ServerTls::load(config, clock()).unwrap_err();
    assert!(error.to_string().contains("missing.pem"));
    assert!(error.source().is_some());
    let expired = lienthong_transport::TlsClock::new(move || late);
    let error = ServerTls::load(world.server_config(), expired).unwrap_err();
    assert!(
        matches!(error, TransportError::CertificateNotCurrent { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn stop_closes_the_socket_and_lets_the_server_end() {
    let world = World::new();
    let mut server = world.serve(world.server_config(), Limits::default()).await;
    server.expect_serving(&world).await;
    server.stop.cancel();
    let ended = tokio::time::timeout(WAIT_MAX, server.tasks.join_next()).await;
    ended.expect("the server drains").unwrap().unwrap();
    assert!(
        tokio::net::TcpStream::connect(server.address)
            .await
            .is_err()
    );
}
