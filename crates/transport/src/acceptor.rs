//! Accepts connections: bounded handshakes, mutual TLS, a proven identity, then a stream for tonic.
//!
//! A failed connection is counted and logged here and never stops the loop.

mod connections;
mod handshake;
mod refusal;
mod stream;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::TransportError;
use crate::server::{Published, ServerTls};

pub use connections::Connections;
pub use refusal::{AcceptorCounters, RefusalKind};
pub use stream::{PeerInfo, PeerStream};

use handshake::{AddressSlots, Handshake};
use refusal::Refusal;

/// How long accepting rests when the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Bounds of an [`Acceptor`].
#[derive(Debug, Clone)]
pub struct Limits {
    /// Handshakes at a time; more wait in the kernel's queue.
    pub handshakes_max: usize,
    /// Handshakes at a time from one address; more are closed at once.
    pub handshakes_per_address_max: usize,
    /// Longest handshake.
    pub handshake_timeout: Duration,
    /// Established connections; more are closed at once.
    pub connections_max: usize,
    /// Established connections of one participant; more are closed after the handshake.
    pub connections_per_participant_max: usize,
    /// Longest life of a connection. The HTTP/2 layer says goodbye earlier
    /// ([`Http2Limits::connection_age_max`](crate::Http2Limits)); this is the hard end.
    pub connection_life_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshakes_max: 256,
            handshakes_per_address_max: 8,
            handshake_timeout: Duration::from_secs(5),
            connections_max: 4096,
            connections_per_participant_max: 64,
            connection_life_max: Duration::from_secs(30 * 60 + 30),
        }
    }
}

/// A bound listening socket with mutual TLS.
#[derive(Debug)]
pub struct Acceptor {
    listener: TcpListener,
    address: SocketAddr,
    tls: Arc<ServerTls>,
    published: watch::Receiver<Arc<Published>>,
    limits: Limits,
    slots: AddressSlots,
    connections: Connections,
    counters: Arc<AcceptorCounters>,
    handshakes: JoinSet<Result<PeerStream, (SocketAddr, Refusal)>>,
    rechecks: JoinSet<usize>,
    accept_after: Option<Instant>,
    connections_seen: u64,
}

impl Acceptor {
    /// Binds `address`; port 0 picks a free one, see [`local_address`](Self::local_address).
    ///
    /// # Errors
    /// [`TransportError::Bind`] when the address cannot be listened on.
    pub async fn bind(
        address: SocketAddr,
        tls: Arc<ServerTls>,
        limits: Limits,
    ) -> Result<Self, TransportError> {
        let fault = |source| TransportError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(fault)?;
        let local = listener.local_addr().map_err(fault)?;
        Ok(Self {
            listener,
            address: local,
            published: tls.subscribe(),
            tls,
            limits,
            slots: AddressSlots::default(),
            connections: Connections::default(),
            counters: Arc::default(),
            handshakes: JoinSet::new(),
            rechecks: JoinSet::new(),
            accept_after: None,
            connections_seen: 0,
        })
    }

    /// The address bound, with its port.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// The established connections: count them, close those of a participant.
    pub fn connections(&self) -> Connections {
        self.connections.clone()
    }

    /// What was accepted and refused so far.
    pub fn counters(&self) -> Arc<AcceptorCounters> {
        self.counters.clone()
    }

    /// The connections, for `serve_with_incoming_shutdown`; ends when `stop` is cancelled.
    ///
    /// Work happens while the stream is polled. Dropping it closes the listening socket and gives
    /// up the handshakes in flight; established connections belong to whoever took them.
    pub fn incoming(
        self,
        stop: CancellationToken,
    ) -> impl Stream<Item = Result<PeerStream, Infallible>> + Send {
        futures_util::stream::unfold((self, stop), |(mut acceptor, stop)| async move {
            let peer = acceptor.next(&stop).await?;
            Some((Ok(peer), (acceptor, stop)))
        })
    }

    async fn next(&mut self, stop: &CancellationToken) -> Option<PeerStream> {
        loop {
            let room = self.handshakes.len() < self.limits.handshakes_max;
            tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                Some(done) = self.handshakes.join_next() => {
                    if let Some(peer) = self.finish(done) {
                        return Some(peer);
                    }
                }
                Ok(()) = self.published.changed() => self.recheck(),
                Some(rechecked) = self.rechecks.join_next() => report_recheck(&rechecked),
                accepted = accept(&self.listener, self.accept_after), if room => {
                    self.begin(accepted);
                }
            }
        }
    }

    /// Starts the handshake of a connection, or closes it where a bound is reached.
    fn begin(&mut self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        self.accept_after = None;
        let (socket, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => return self.pause(&error),
        };
        if self.connections.len() + self.handshakes.len() >= self.limits.connections_max {
            return self.refuse(remote, &Refusal::ConnectionsFull);
        }
        let Some(slot) = self
            .slots
            .take(remote.ip(), self.limits.handshakes_per_address_max)
        else {
            return self.refuse(remote, &Refusal::TooManyFromAddress);
        };
        self.connections_seen += 1;
        let handshake = Handshake {
            connection_id: self.connections_seen,
            remote,
            tls: self.tls.clone(),
            limits: self.limits.clone(),
            connections: self.connections.clone(),
        };
        self.handshakes.spawn(async move {
            let outcome = handshake.run(socket).await;
            drop(slot);
            outcome.map_err(|refusal| (remote, refusal))
        });
    }

    fn finish(
        &self,
        done: Result<Result<PeerStream, (SocketAddr, Refusal)>, JoinError>,
    ) -> Option<PeerStream> {
        match done {
            Ok(Ok(peer)) => {
                self.counters.count_accepted();
                Some(peer)
            }
            Ok(Err((remote, refusal))) => {
                self.refuse(remote, &refusal);
                None
            }
            Err(error) => {
                tracing::error!(%error, "a handshake task ended abnormally");
                None
            }
        }
    }

    fn refuse(&self, remote: SocketAddr, refusal: &Refusal) {
        self.counters.count_refused(refusal.kind());
        tracing::debug!(
            peer.address = %remote,
            refusal.kind = refusal.kind().label(),
            refusal.reason = %refusal,
            "a connection was refused"
        );
    }

    /// Rests where every further attempt would fail the same way (no file descriptors left); a
    /// connection that went away while it was waiting is nobody's fault.
    fn pause(&mut self, error: &io::Error) {
        if matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
        ) {
            return;
        }
        self.accept_after = Some(Instant::now() + ACCEPT_PAUSE);
        tracing::warn!(%error, "accepting connections rests for a moment");
    }

    /// New settings may revoke what the old ones let in.
    fn recheck(&mut self) {
        let published = self.tls.current();
        let connections = self.connections.clone();
        let Some(now) = self.tls.clock().unix_time() else {
            return;
        };
        self.rechecks
            .spawn_blocking(move || connections.recheck(published.verifier.as_ref(), now));
    }
}

async fn accept(
    listener: &TcpListener,
    accept_after: Option<Instant>,
) -> io::Result<(TcpStream, SocketAddr)> {
    if let Some(instant) = accept_after {
        tokio::time::sleep_until(instant).await;
    }
    listener.accept().await
}

fn report_recheck(rechecked: &Result<usize, JoinError>) {
    match rechecked {
        Ok(0) => {}
        Ok(closed) => tracing::info!(
            connections.closed = closed,
            "connections were closed, being no longer trusted"
        ),
        Err(error) => tracing::error!(%error, "connections could not be checked again"),
    }
}
