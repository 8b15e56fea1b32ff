//! An established connection: bytes for tonic, the peer's identity for handlers, an end in time.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::connections::Slot;
use crate::peer::PeerIdentity;

/// Who is at the other end; handlers find it in the request extensions.
#[derive(Debug, Clone)]
pub struct PeerInfo {
    /// What the certificate proves.
    pub identity: Arc<PeerIdentity>,
    /// Where the connection comes from.
    pub remote_address: SocketAddr,
    /// Number of the connection since the acceptor was bound, from 1.
    pub connection_id: u64,
}

/// A TLS connection with a proven peer.
///
/// Reads and writes fail once the connection has to end: its certificate runs out, its greatest
/// age is reached, or [`Connections::close_where`](super::Connections::close_where) says so.
pub struct PeerStream {
    stream: TlsStream<TcpStream>,
    info: PeerInfo,
    ending: Pin<Box<dyn Future<Output = ()> + Send>>,
    ended: bool,
    _slot: Slot,
}

impl PeerStream {
    pub(crate) fn new(
        stream: TlsStream<TcpStream>,
        info: PeerInfo,
        slot: Slot,
        end: Instant,
    ) -> Self {
        let close = slot.close();
        let ending = Box::pin(async move {
            tokio::select! {
                () = close.cancelled_owned() => {}
                () = tokio::time::sleep_until(end) => {}
            }
        });
        Self {
            stream,
            info,
            ending,
            ended: false,
            _slot: slot,
        }
    }

    /// Who is at the other end.
    pub fn peer(&self) -> &PeerInfo {
        &self.info
    }

    /// Fails when the connection has to end; otherwise wakes the task when it will.
    fn check_end(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if !self.ended {
            self.ended = self.ending.as_mut().poll(context).is_ready();
        }
        if self.ended {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "ended by the server",
            ));
        }
        Ok(())
    }
}

impl fmt::Debug for PeerStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PeerStream")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

impl Connected for PeerStream {
    type ConnectInfo = PeerInfo;

    fn connect_info(&self) -> PeerInfo {
        self.info.clone()
    }
}

impl AsyncRead for PeerStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_end(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for PeerStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check_end(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_end(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A peer that takes no more bytes must not hold an ended connection by its farewell.
        self.check_end(context)?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check_end(context)?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
