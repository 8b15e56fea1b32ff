//! The connection of a channel: made by the first call that needs it, shared, watched, replaced when it is gone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use h2::{Ping, PingPong};
use http::Uri;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::client::TlsStream;
use tonic::Status;

use crate::client::{ChannelTimeouts, Connector};

/// Unread data of one answer, and of all answers, in bytes.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// All headers of one answer, in bytes.
const HEADER_BYTES_MAX: u32 = 16 * 1024;
/// Calls at a time until the server says how many it takes; the others wait for that.
const STREAMS_AT_FIRST_MAX: usize = 32;
/// A connection may be found gone, or told to take no more; the next one is new.
const LINES_TRIED_MAX: usize = 2;

/// What became of an attempt to connect, once it is known. The other end lives as long as the connection does.
type Line = watch::Receiver<Option<Result<SendRequest<Bytes>, Arc<str>>>>;
type Tell = watch::Sender<Option<Result<SendRequest<Bytes>, Arc<str>>>>;
type Wire = Connection<TlsStream<TcpStream>, Bytes>;

/// At most one connection that takes calls; older ones end with the calls they have.
pub(super) struct Lines {
    connector: Arc<Connector>,
    timeouts: ChannelTimeouts,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    line: Option<Line>,
    /// Connections and the attempts at them, which do not end with the call that began them. Aborted with the channel.
    drivers: JoinSet<()>,
}

impl Lines {
    pub(super) fn new(connector: Connector, timeouts: ChannelTimeouts) -> Self {
        Self {
            connector: Arc::new(connector),
            timeouts,
            current: Mutex::default(),
        }
    }

    /// The whole address of a call, of which tonic's clients know the path.
    pub(super) fn uri_of(&self, path: &Uri) -> Uri {
        self.connector.uri_of(path)
    }

    /// A sender that may send one request now.
    ///
    /// # Errors
    /// `UNAVAILABLE`: nothing was sent.
    pub(super) async fn sender(&self) -> Result<SendRequest<Bytes>, Status> {
        let mut line = self.line(None);
        for _ in 0..LINES_TRIED_MAX {
            match opened(&mut line).await?.ready().await {
                Ok(sender) => return Ok(sender),
                Err(_gone) => line = self.line(Some(&line)),
            }
        }
        Err(Status::unavailable("each connection ends at once"))
    }

    /// The present line, or a new one when that has ended or is the one found `gone`.
    fn line(&self, gone: Option<&Line>) -> Line {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let is_usable = |line: &&Line| {
            line.has_changed().is_ok() && !gone.is_some_and(|gone| gone.same_channel(line))
        };
        if let Some(line) = current.line.as_ref().filter(is_usable) {
            return line.clone();
        }
        while current.drivers.try_join_next().is_some() {}
        let (tell, line) = watch::channel(None);
        let driving = drive(self.connector.clone(), self.timeouts.clone(), tell);
        current.drivers.spawn(driving);
        current.line = Some(line.clone());
        line
    }
}

async fn opened(line: &mut Line) -> Result<SendRequest<Bytes>, Status> {
    let opened = line.wait_for(Option::is_some).await;
    match opened.as_deref() {
        Ok(Some(Ok(sender))) => Ok(sender.clone()),
        Ok(Some(Err(reason))) => Err(Status::unavailable(&**reason)),
        Ok(None) | Err(_) => Err(Status::unavailable("the attempt to connect was given up")),
    }
}

/// Opens a connection, tells of it, and keeps it until it ends.
async fn drive(connector: Arc<Connector>, timeouts: ChannelTimeouts, tell: Tell) {
    let (sender, mut wire) = match open(&connector, timeouts.connect).await {
        Ok(opened) => opened,
        Err(reason) => {
            tell.send_replace(Some(Err(reason.into())));
            return;
        }
    };
    let pings = wire.ping_pong().expect("taken once");
    tell.send_replace(Some(Ok(sender)));
    // Either way its calls end with an error, if there are any left.
    tokio::select! {
        ended = wire => if let Err(error) = ended {
            tracing::debug!(%error, "a connection for unary calls broke");
        },
        () = silence(pings, &timeouts) => {
            tracing::debug!("a connection for unary calls was silent for too long");
        }
    }
}

async fn open(
    connector: &Connector,
    connect_timeout: Duration,
) -> Result<(SendRequest<Bytes>, Wire), String> {
    let opening = async {
        let stream = connector.connect().await;
        let stream = stream.map_err(|error| format!("no connection: {error}"))?;
        let opened = Builder::new()
            .enable_push(false)
            .initial_max_send_streams(STREAMS_AT_FIRST_MAX)
            .initial_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_header_list_size(HEADER_BYTES_MAX)
            .handshake(stream)
            .await;
        opened.map_err(|error| format!("no HTTP/2: {error}"))
    };
    let opened = timeout(connect_timeout, opening).await;
    opened.unwrap_or_else(|_elapsed| Err("no connection in time".to_owned()))
}

/// Ends when the other side did not answer a ping in time.
async fn silence(mut pings: PingPong, timeouts: &ChannelTimeouts) {
    loop {
        sleep(timeouts.keepalive_interval).await;
        let pong = timeout(timeouts.keepalive_timeout, pings.ping(Ping::opaque())).await;
        if !matches!(pong, Ok(Ok(_))) {
            return;
        }
    }
}
