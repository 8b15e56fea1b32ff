//! The channel for unary calls: one connection for all, replaced when it is gone, given up when it is silent.

use std::net::SocketAddr;
use std::time::Duration;

use lienthong_transport::{ChannelTimeouts, ClientTls, ClientTlsFiles, Limits, UnaryChannel};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::{WAIT_MAX, World, clock, health_request, until};

fn client(
    world: &World,
    address: SocketAddr,
    timeouts: &ChannelTimeouts,
) -> HealthClient<UnaryChannel> {
    let files = ClientTlsFiles {
        roots: world.path("ca.pem"),
        identity: Some(world.participant_files()),
        server_name: Some("localhost".to_owned()),
    };
    let tls = ClientTls::load(&files, clock()).unwrap();
    let endpoint = format!("https://{address}");
    HealthClient::new(UnaryChannel::new(&endpoint, tls, timeouts).unwrap())
}

#[tokio::test]
async fn calls_share_a_connection_and_a_cut_one_is_replaced() {
    let world = World::new();
    let server = world.serve(world.server_config(), Limits::default()).await;
    let client = client(&world, server.address, &ChannelTimeouts::default());
    for _ in 0..2 {
        let mut calls = JoinSet::new();
        for _ in 0..150 {
            // More at a time than the server takes on one connection: the others wait.
            let mut client = client.clone();
            calls.spawn(async move { client.check(health_request()).await });
        }
        while let Some(answered) = calls.join_next().await {
            answered.unwrap().unwrap();
        }
        assert_eq!(server.connections.len(), 1);
        assert_eq!(server.connections.close_where(|_| true), 1);
        until("the connection is cut", || server.connections.is_empty()).await;
    }
}

#[tokio::test]
async fn large_requests_and_refusals_come_through() {
    let world = World::new();
    let server = world.serve(world.server_config(), Limits::default()).await;
    let mut client = client(&world, server.address, &ChannelTimeouts::default());
    let large = HealthCheckRequest {
        // Longer than a frame and than the window that HTTP/2 begins with.
        service: "xã".repeat(100_000),
    };
    let refused = timeout(WAIT_MAX, client.check(large)).await.unwrap();
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
    client.check(health_request()).await.unwrap();
}

#[tokio::test]
async fn an_attempt_to_connect_outlives_its_caller_and_is_shared() {
    let world = World::new();
    // It accepts, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let timeouts = ChannelTimeouts {
        connect: Duration::from_millis(500),
        ..ChannelTimeouts::default()
    };
    let client = client(&world, listener.local_addr().unwrap(), &timeouts);
    let mut hasty = client.clone();
    let given_up = timeout(Duration::from_millis(50), hasty.check(health_request())).await;
    assert!(given_up.is_err());
    let mut patient = client.clone();
    let refused = timeout(WAIT_MAX, patient.check(health_request())).await;
    let refused = refused.unwrap().unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.message().contains("in time"), "{refused:?}");
    let first = timeout(WAIT_MAX, listener.accept()).await;
    let _first = first.unwrap().unwrap();
    let second = timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(second.is_err(), "both waited for the same connection");
}

#[tokio::test]
async fn a_silent_connection_is_given_up_and_the_next_call_gets_another() {
    let world = World::new();
    let server = world.serve(world.server_config(), Limits::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, behind, cut) = (
        listener.local_addr().unwrap(),
        server.address,
        CancellationToken::new(),
    );
    let mut wires = JoinSet::new();
    let first = cut.clone();
    wires.spawn(async move {
        // The first connection falls silent without being closed.
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = TcpStream::connect(behind).await.unwrap();
        tokio::select! {
            _ended = copy_bidirectional(&mut near, &mut far) => {}
            () = first.cancelled() => {}
        }
        let (mut next, _) = listener.accept().await.unwrap();
        let mut again = TcpStream::connect(behind).await.unwrap();
        drop(copy_bidirectional(&mut next, &mut again).await);
    });
    let timeouts = ChannelTimeouts {
        keepalive_interval: Duration::from_millis(100),
        keepalive_timeout: Duration::from_millis(200),
        ..ChannelTimeouts::default()
    };
    let mut client = client(&world, address, &timeouts);
    client.check(health_request()).await.unwrap();
    cut.cancel();
    let lost = timeout(WAIT_MAX, client.check(health_request())).await;
    assert_eq!(lost.unwrap().unwrap_err().code(), Code::Unavailable);
    let answered = timeout(WAIT_MAX, client.check(health_request())).await;
    answered.unwrap().unwrap();
}
