//! Handshakes that are no handshakes, and the bounds on those that are.

use std::sync::Arc;
use std::time::Duration;

use lienthong_transport::{Limits, RefusalKind};
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use tonic_health::pb::health_client::HealthClient;

use crate::support::{World, health_request, until, wait_for_close};

#[tokio::test]
async fn other_protocols_are_refused() {
    let world = World::new();
    let participant = || world.participant();
    let mut without_alpn = world.client_config(participant(), &[&TLS13]);
    without_alpn.alpn_protocols.clear();
    let mut http1 = world.client_config(participant(), &[&TLS13]);
    http1.alpn_protocols = vec![b"http/1.1".to_vec()];
    let cases = [
        (
            "TLS 1.2",
            RefusalKind::Handshake,
            world.client_config(participant(), &[&TLS12]),
        ),
        ("no ALPN", RefusalKind::NoHttp2, without_alpn),
        ("HTTP/1.1", RefusalKind::Handshake, http1),
    ];
    for (what, kind, config) in cases {
        let server = world.serve(world.server_config(), Limits::default()).await;
        server.connect_refused(config).await;
        server.expect_refused(&[(kind, 1)], what).await;
    }
}

#[tokio::test]
async fn plaintext_is_refused_and_the_loop_goes_on() {
    let world = World::new();
    let mut server = world.serve(world.server_config(), Limits::default()).await;
    let mut socket = server.tcp().await;
    socket
        .write_all("GET /hồ-sơ HTTP/1.1\r\n\r\n".as_bytes())
        .await
        .unwrap();
    wait_for_close(&mut socket).await;
    server
        .expect_refused(&[(RefusalKind::Handshake, 1)], "plaintext")
        .await;
    server.expect_serving(&world).await;
}

#[tokio::test]
async fn a_silent_handshake_times_out() {
    let world = World::new();
    let limits = Limits {
        handshake_timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    let mut server = world.serve(world.server_config(), limits).await;
    let mut socket = server.tcp().await;
    wait_for_close(&mut socket).await;
    server
        .expect_refused(&[(RefusalKind::Timeout, 1)], "stalled")
        .await;
    server.expect_serving(&world).await;
}

#[tokio::test]
async fn handshakes_per_address_are_bounded() {
    let world = World::new();
    let limits = Limits {
        handshakes_per_address_max: 2,
        ..Limits::default()
    };
    let mut server = world.serve(world.server_config(), limits).await;
    let stalled = (server.tcp().await, server.tcp().await);
    wait_for_close(&mut server.tcp().await).await;
    server
        .expect_refused(&[(RefusalKind::TooManyFromAddress, 1)], "third")
        .await;
    drop(stalled);
    until("both slots are free", || {
        server.counters.refused_total(RefusalKind::Handshake) == 2
    })
    .await;
    server.expect_serving(&world).await;
}

#[tokio::test]
async fn handshakes_in_flight_are_bounded_and_others_wait() {
    let world = World::new();
    let limits = Limits {
        handshakes_max: 1,
        handshake_timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    let mut server = world.serve(world.server_config(), limits).await;
    let _stalled = server.tcp().await;
    server.expect_serving(&world).await;
    server
        .expect_refused(&[(RefusalKind::Timeout, 1)], "the stalled one made room")
        .await;
}

#[tokio::test]
async fn connections_are_bounded() {
    let world = World::new();
    let cases = [
        (
            Limits {
                connections_max: 1,
                ..Limits::default()
            },
            RefusalKind::ConnectionsFull,
        ),
        (
            Limits {
                connections_per_participant_max: 1,
                ..Limits::default()
            },
            RefusalKind::ParticipantFull,
        ),
    ];
    for (limits, kind) in cases {
        let mut server = world.serve(world.server_config(), limits).await;
        let mut first = HealthClient::new(world.channel(server.address));
        first.check(health_request()).await.unwrap();
        assert_eq!(server.connections.len(), 1);
        server
            .connect_refused(world.client_config(world.participant(), &[&TLS13]))
            .await;
        server.expect_refused(&[(kind, 1)], kind.label()).await;
        first.check(health_request()).await.unwrap();
        drop(first);
        until("the slot is free", || server.connections.is_empty()).await;
        server.expect_serving(&world).await;
    }
}

#[tokio::test]
async fn sessions_are_post_quantum_and_never_resumed() {
    let world = World::new();
    let server = world.serve(world.server_config(), Limits::default()).await;
    let config = world.client_config(world.participant(), &[&TLS13]);
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    for _ in 0..2 {
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = connector.connect(name, server.tcp().await).await.unwrap();
        // The server's first bytes would carry a ticket along, if there were one.
        let mut settings = [0; 9];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut settings)
            .await
            .unwrap();
        let session = stream.get_ref().1;
        assert_eq!(session.handshake_kind(), Some(rustls::HandshakeKind::Full));
        assert_eq!(session.tls13_tickets_received(), 0);
        let group = session.negotiated_key_exchange_group().unwrap().name();
        assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
    }
}
