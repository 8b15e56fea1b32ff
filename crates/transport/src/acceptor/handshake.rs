//! One connection from accepted socket to proven identity.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Limits;
use super::connections::{Connections, verify};
use super::refusal::Refusal;
use super::stream::{PeerInfo, PeerStream};
use crate::peer::{PeerError, PeerIdentity};
use crate::server::{ALPN_H2, Published, ServerTls};

/// What a handshake needs to know beside its socket.
pub(crate) struct Handshake {
    pub(crate) connection_id: u64,
    pub(crate) remote: SocketAddr,
    pub(crate) tls: Arc<ServerTls>,
    pub(crate) limits: Limits,
    pub(crate) connections: Connections,
}

impl Handshake {
    pub(crate) async fn run(self, socket: TcpStream) -> Result<PeerStream, Refusal> {
        // Small requests must not wait for more; a socket that refuses is about to fail anyway.
        socket.set_nodelay(true).map_err(Refusal::Handshake)?;
        let published = self.tls.current();
        let accepting = TlsAcceptor::from(published.config.clone()).accept(socket);
        let stream = tokio::time::timeout(self.limits.handshake_timeout, accepting)
            .await
            .map_err(|_elapsed| Refusal::Timeout)?
            .map_err(Refusal::Handshake)?;
        self.admit(stream, &published)
    }

    fn admit(
        self,
        stream: TlsStream<TcpStream>,
        published: &Arc<Published>,
    ) -> Result<PeerStream, Refusal> {
        let session = stream.get_ref().1;
        // rustls lets a client through that offers no ALPN at all.
        if session.alpn_protocol() != Some(ALPN_H2) {
            return Err(Refusal::NoHttp2);
        }
        let chain: Arc<[CertificateDer<'static>]> =
            session.peer_certificates().unwrap_or_default().into();
        let leaf = chain.first().ok_or(PeerError::Malformed)?;
        let identity = Arc::new(PeerIdentity::from_certificate(leaf, self.tls.identity())?);
        let slot = self.connections.admit(
            self.connection_id,
            identity.clone(),
            chain.clone(),
            &self.limits,
        )?;
        // Settings published during the handshake: their check of all connections either saw this
        // one, which is entered above, or came before it and is made up for here.
        let current = self.tls.current();
        if !Arc::ptr_eq(&current, published)
            && let Some(now) = self.tls.clock().unix_time()
        {
            verify(current.verifier.as_ref(), &chain, now).map_err(Refusal::NoLongerTrusted)?;
        }
        let end = Instant::now() + self.life(&identity);
        let info = PeerInfo {
            identity,
            remote_address: self.remote,
            connection_id: self.connection_id,
        };
        Ok(PeerStream::new(stream, info, slot, end))
    }

    /// A connection ends with its certificate or at its greatest age, whichever comes first.
    fn life(&self, identity: &PeerIdentity) -> Duration {
        let left = identity.not_after.duration_since(self.tls.clock().now());
        Duration::try_from(left)
            .unwrap_or_default()
            .min(self.limits.connection_life_max)
    }
}

/// Counts the handshakes in flight per address.
#[derive(Debug, Clone, Default)]
pub(crate) struct AddressSlots(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One handshake in flight; gives its slot back when dropped.
pub(crate) struct AddressSlot {
    slots: AddressSlots,
    address: IpAddr,
}

impl AddressSlots {
    /// A slot for `address`, or `None` when it holds `slots_max` already.
    pub(crate) fn take(&self, address: IpAddr, slots_max: usize) -> Option<AddressSlot> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(address).or_default();
        if *count >= slots_max {
            return None;
        }
        *count += 1;
        Some(AddressSlot {
            slots: self.clone(),
            address,
        })
    }
}

impl Drop for AddressSlot {
    fn drop(&mut self) {
        let mut taken = self.slots.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_counted_per_address_and_given_back() {
        let slots = AddressSlots::default();
        let here = IpAddr::from([127, 0, 0, 1]);
        let there = IpAddr::from([127, 0, 0, 2]);
        let first = slots.take(here, 2);
        let second = slots.take(here, 2);
        assert!(first.is_some() && second.is_some());
        assert!(slots.take(here, 2).is_none());
        assert!(slots.take(there, 2).is_some());
        drop(first);
        assert!(slots.take(here, 2).is_some());
        drop(second);
        assert!(slots.0.lock().unwrap().is_empty());
    }
}
