//! How every simulator listens: a bounded number of connections, which can be aborted with a reset, not a polite end.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::error::SimulatorError;

/// Connections open at once; further ones wait in the system's backlog.
const CONNECTIONS_MAX: usize = 1_024;
/// How long open calls may take after a stop before they are abandoned.
const STOP_GRACE: Duration = Duration::from_secs(2);
/// Pause after a failed accept, usually a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Cuts the connection on which a request came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cutter(Arc<AtomicBool>);

impl Cutter {
    /// From now on nothing is written, and closing sends a reset.
    pub(crate) fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_cut(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Listens; port 0 takes any free port, which is told.
pub(crate) async fn bind(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), SimulatorError> {
    let listener = TcpListener::bind(addr)
        .await
        .and_then(|listener| listener.local_addr().map(|addr| (listener, addr)));
    listener.map_err(|source| SimulatorError::Bind { addr, source })
}

/// Answers until `stop`, does what is to be done `at_stop`, and gives open calls two more seconds.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    at_stop: impl FnOnce() + Send + 'static,
) -> Result<(), SimulatorError> {
    let service = router.into_make_service_with_connect_info::<Cutter>();
    let begins = stop.clone();
    let server =
        axum::serve(Listening::new(listener), service).with_graceful_shutdown(async move {
            begins.cancelled().await;
            at_stop();
        });
    let grace_over = async {
        stop.cancelled().await;
        tokio::time::sleep(STOP_GRACE).await;
    };
    tokio::select! {
        result = server.into_future() => result.map_err(SimulatorError::Serve),
        () = grace_over => Ok(()),
    }
}

#[derive(Debug)]
struct Listening {
    listener: TcpListener,
    slots: Arc<Semaphore>,
}

impl Listening {
    fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            slots: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        }
    }
}

impl Listener for Listening {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.expect("the semaphore is never closed");
        loop {
            match self.listener.accept().await {
                Ok((stream, addr)) => {
                    let cutter = Cutter::default();
                    return (
                        Connection {
                            stream,
                            cutter,
                            _slot: slot,
                        },
                        addr,
                    );
                }
                Err(error) => {
                    tracing::warn!(%error, "the simulator could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Listening>> for Cutter {
    fn connect_info(stream: IncomingStream<'_, Listening>) -> Self {
        stream.io().cutter.clone()
    }
}

#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    cutter: Cutter,
    _slot: OwnedSemaphorePermit,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Without this the kernel would end the connection in good order. The other side may be
        // gone already, and then there is nobody left to surprise.
        if self.cutter.is_cut()
            && let Err(error) = self.stream.set_zero_linger()
        {
            tracing::debug!(%error, "the simulator could not reset a connection");
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.cutter.is_cut() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cutter.is_cut() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
