//! The listener of scrapers and probes: `/metrics`, `/live`, `/ready`. Plain HTTP, so it belongs on a loopback or
//! management address; nothing here names a person or takes an order.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use lienthong_services::problems::ProblemKind;
use lienthong_telemetry::metrics::{Format, Metrics, Vocabulary};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// Connections at once; further ones wait in the system's backlog.
const CONNECTIONS_MAX: usize = 16;
/// How long a request's headers may take.
const HEADERS_WAIT_MAX: Duration = Duration::from_secs(5);
/// Most bytes of a request's headers.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// How long a connection may last; scrapers connect anew.
const CONNECTION_LIFE_MAX: Duration = Duration::from_mins(5);
/// Pause after a failed accept, usually a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What answers in words are.
const WORDS: &str = "text/plain; charset=utf-8";

/// Whether statuses are taken. Clones say the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Ready(Arc<AtomicBool>);

impl Ready {
    /// Says whether statuses are taken now.
    pub(super) fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Who answers.
#[derive(Clone)]
pub(super) struct Scraped {
    pub(super) metrics: Arc<Metrics>,
    pub(super) ready: Ready,
}

/// The figures of a gateway with this configuration.
pub(super) fn of(config: &Config) -> Arc<Metrics> {
    Arc::new(Metrics::new(&Vocabulary {
        version: env!("CARGO_PKG_VERSION"),
        destinations: vec![config.portal.name.clone()],
        methods: lienthong_rpc::methods(),
        problems: ProblemKind::ALL.map(ProblemKind::name).into(),
    }))
}

/// Listens on `address`, if there is one; where.
pub(super) async fn bind(
    address: Option<SocketAddr>,
) -> anyhow::Result<Option<(SocketAddr, TcpListener)>> {
    let Some(address) = address else {
        return Ok(None);
    };
    let context = || format!("failed to listen on {address} for metrics");
    let listener = TcpListener::bind(address).await.with_context(context)?;
    Ok(Some((
        listener.local_addr().with_context(context)?,
        listener,
    )))
}

/// Answers until `stop`; then connections under way are closed at once, for nothing is lost with them.
pub(super) async fn serve(listener: TcpListener, scraped: Scraped, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let slot = Arc::clone(&slots).acquire_owned();
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_ended) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = async { (slot.await, listener.accept().await) } => accepted,
        };
        match accepted {
            (slot, Ok((stream, _))) => {
                let scraped = scraped.clone();
                connections.spawn(async move {
                    let life = tokio::time::timeout(CONNECTION_LIFE_MAX, talk(stream, scraped));
                    // Whoever needs longer connects again.
                    let _over = life.await;
                    drop(slot);
                });
            }
            (_, Err(error)) => {
                tracing::warn!(%error, "the listener for metrics could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    connections.shutdown().await;
}

async fn talk(stream: TcpStream, scraped: Scraped) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = answer(&request, &scraped);
        async move { Ok::<_, Infallible>(response) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WAIT_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a connection for metrics ended early");
    }
}

fn answer<B>(request: &Request<B>, scraped: &Scraped) -> Response<String> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = words(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
        let allowed = hyper::header::HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allowed);
        return response;
    }
    match request.uri().path() {
        "/metrics" => {
            let asked = request.headers().get(ACCEPT);
            let format = Format::accepted(asked.and_then(|value| value.to_str().ok()));
            let text = scraped.metrics.render(format);
            with_type(StatusCode::OK, format.content_type(), text)
        }
        "/live" => words(StatusCode::OK, "live\n"),
        "/ready" if scraped.ready.get() => words(StatusCode::OK, "ready\n"),
        "/ready" => words(
            StatusCode::SERVICE_UNAVAILABLE,
            "statuses are not taken now\n",
        ),
        _ => words(StatusCode::NOT_FOUND, "/metrics, /live or /ready\n"),
    }
}

fn words(status: StatusCode, text: &str) -> Response<String> {
    with_type(status, WORDS, text.to_owned())
}

fn with_type(status: StatusCode, media: &'static str, text: String) -> Response<String> {
    let mut response = Response::new(text);
    *response.status_mut() = status;
    let media = hyper::header::HeaderValue::from_static(media);
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn scrapers_and_probes_are_answered_and_nobody_else() {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let (address, listener) = bind(Some(anywhere)).await.unwrap().unwrap();
        let (ready, stop) = (Ready::default(), CancellationToken::new());
        let scraped = Scraped {
            metrics: Arc::default(),
            ready: ready.clone(),
        };
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, scraped, stop.clone()));
        let get = |line: &str, accept: &str| {
            format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: {accept}\r\n\r\n")
        };
        let begins = [
            (
                "GET /metrics",
                "*/*",
                "200",
                "text/plain; version=0.0.4",
                "lienthong_build_info",
            ),
            (
                "GET /metrics",
                "application/openmetrics-text;version=1.0.0",
                "200",
                "application/openmetrics-text; version=1.0.0",
                "# EOF\n",
            ),
            ("GET /live", "*/*", "200", WORDS, "live"),
            ("GET /ready", "*/*", "503", WORDS, "not taken"),
            ("POST /metrics", "*/*", "405", WORDS, "only GET"),
            ("GET /", "*/*", "404", WORDS, "/metrics"),
        ];
        for (line, accept, status, media, within) in begins {
            let answer = ask(address, &get(line, accept)).await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")),
                "{line}: {answer}"
            );
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(
                head.contains(media) && body.contains(within),
                "{line}: {answer}"
            );
        }
        ready.set(true);
        let answer = ask(address, &get("GET /ready", "*/*")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        stop.cancel();
        while serving.join_next().await.is_some() {}
        assert!(TcpStream::connect(address).await.is_err());
    }
}
