//! The established connections: counted, bounded, and closed when their peer loses its trust.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::{CertificateDer, UnixTime};
use tokio_util::sync::CancellationToken;

use super::Limits;
use super::refusal::Refusal;
use crate::peer::PeerIdentity;

/// A handle to the established connections of one acceptor; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Connections(Arc<Mutex<HashMap<u64, Entry>>>);

#[derive(Debug)]
struct Entry {
    identity: Arc<PeerIdentity>,
    chain: Arc<[CertificateDer<'static>]>,
    close: CancellationToken,
}

impl Connections {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Closes the connections whose peer fits, streams in flight included; returns their number.
    ///
    /// For a participant that was suspended, and for the last moment of a drain.
    pub fn close_where(&self, fits: impl Fn(&PeerIdentity) -> bool) -> usize {
        let entries = self.lock();
        let fitting = entries.values().filter(|entry| fits(&entry.identity));
        fitting.map(|entry| entry.close.cancel()).count()
    }

    /// Enters a connection, unless that would break a bound.
    pub(crate) fn admit(
        &self,
        connection_id: u64,
        identity: Arc<PeerIdentity>,
        chain: Arc<[CertificateDer<'static>]>,
        limits: &Limits,
    ) -> Result<Slot, Refusal> {
        let mut entries = self.lock();
        if entries.len() >= limits.connections_max {
            return Err(Refusal::ConnectionsFull);
        }
        let of_participant = entries
            .values()
            .filter(|entry| entry.identity.participant == identity.participant);
        if of_participant.count() >= limits.connections_per_participant_max {
            return Err(Refusal::ParticipantFull(identity.participant.clone()));
        }
        let close = CancellationToken::new();
        entries.insert(
            connection_id,
            Entry {
                identity,
                chain,
                close: close.clone(),
            },
        );
        drop(entries);
        Ok(Slot {
            connections: self.clone(),
            connection_id,
            close,
        })
    }

    /// Closes the connections that `verifier` would not let in now; returns their number.
    pub(crate) fn recheck(&self, verifier: &dyn ClientCertVerifier, now: UnixTime) -> usize {
        // Verified without the lock: a signature check each adds up over thousands.
        let entries: Vec<_> = self
            .lock()
            .values()
            .map(|entry| (entry.chain.clone(), entry.close.clone()))
            .collect();
        entries
            .iter()
            .filter(|(chain, _)| verify(verifier, chain, now).is_err())
            .map(|(_, close)| close.cancel())
            .count()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Verifies a chain, leaf first.
pub(crate) fn verify(
    verifier: &dyn ClientCertVerifier,
    chain: &[CertificateDer<'static>],
    now: UnixTime,
) -> Result<(), rustls::Error> {
    let (leaf, intermediates) = chain
        .split_first()
        .ok_or(rustls::Error::NoCertificatesPresented)?;
    verifier
        .verify_client_cert(leaf, intermediates, now)
        .map(drop)
}

/// The place of one connection; leaves the list when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    connections: Connections,
    connection_id: u64,
    close: CancellationToken,
}

impl Slot {
    /// Cancelled when the connection is to close.
    pub(crate) fn close(&self) -> CancellationToken {
        self.close.clone()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.connections.lock().remove(&self.connection_id);
    }
}
