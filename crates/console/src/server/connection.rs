//! One connection: TLS where it is ours, then requests, then its end.

use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::guard::PeerAddress;

/// Longest TLS handshake.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Longest wait for the headers of a request, and so for the next request of an idle connection.
const HEADERS_WAIT_MAX: Duration = Duration::from_secs(20);
/// Largest headers of a request.
const HEADERS_BYTES_MAX: usize = 32 * 1024;
/// Most headers of a request.
const HEADERS_MAX: usize = 64;
/// A connection ends after this long, once its request is answered.
const LIFE_MAX: Duration = Duration::from_mins(10);
/// Longest time for the last request of a connection.
const LAST_REQUEST_MAX: Duration = Duration::from_mins(1);

pub(super) async fn serve(
    stream: TcpStream,
    (peer, tls): (IpAddr, Option<TlsAcceptor>),
    router: Router,
    stop: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it was served");
        return;
    }
    let Some(tls) = tls else {
        return requests(stream, peer, router, stop).await;
    };
    match tokio::time::timeout(HANDSHAKE_MAX, tls.accept(stream)).await {
        Ok(Ok(stream)) => requests(stream, peer, router, stop).await,
        // Scanners and browsers that distrust us; nothing to mend here.
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake with a browser failed"),
        Err(_) => tracing::debug!("a TLS handshake with a browser took too long"),
    }
}

async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: IpAddr,
    router: Router,
    stop: CancellationToken,
) {
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(PeerAddress(peer));
        router.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WAIT_MAX)
        .max_buf_size(HEADERS_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ends = async {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LIFE_MAX) => {}
        }
    };
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = ends => {
            // What is under way is answered all the same.
            connection.as_mut().graceful_shutdown();
            let ended = tokio::time::timeout(LAST_REQUEST_MAX, connection).await;
            ended.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection of a browser broke off");
    }
}
