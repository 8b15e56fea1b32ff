//! Why connections are refused, and how often.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::peer::PeerError;

/// Why one connection is refused. The text completes "failed to ...".
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("find a free connection slot")]
    ConnectionsFull,
    #[error("find a free connection slot for {0}")]
    ParticipantFull(String),
    #[error("find a free handshake slot for the address")]
    TooManyFromAddress,
    #[error("finish the handshake in time")]
    Timeout,
    #[error("finish the handshake: {0}")]
    Handshake(io::Error),
    #[error("negotiate h2")]
    NoHttp2,
    #[error("{0}")]
    Identity(#[from] PeerError),
    #[error("trust the peer under the settings in force now: {0}")]
    NoLongerTrusted(rustls::Error),
}

impl Refusal {
    pub(crate) fn kind(&self) -> RefusalKind {
        match self {
            Self::ConnectionsFull => RefusalKind::ConnectionsFull,
            Self::ParticipantFull(_) => RefusalKind::ParticipantFull,
            Self::TooManyFromAddress => RefusalKind::TooManyFromAddress,
            Self::Timeout => RefusalKind::Timeout,
            Self::Handshake(error) if is_certificate_fault(error) => RefusalKind::Certificate,
            Self::Handshake(_) => RefusalKind::Handshake,
            Self::NoHttp2 => RefusalKind::NoHttp2,
            Self::Identity(_) => RefusalKind::Identity,
            Self::NoLongerTrusted(_) => RefusalKind::Certificate,
        }
    }
}

fn is_certificate_fault(error: &io::Error) -> bool {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(
        inner,
        Some(
            rustls::Error::InvalidCertificate(_)
                | rustls::Error::NoCertificatesPresented
                | rustls::Error::InvalidCertRevocationList(_)
        )
    )
}

/// The kinds of refusal that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// All connection slots are taken.
    ConnectionsFull,
    /// The participant holds all the connections it may.
    ParticipantFull,
    /// Too many handshakes at a time from one address.
    TooManyFromAddress,
    /// The handshake took too long.
    Timeout,
    /// Not TLS, not TLS 1.3, or broken off.
    Handshake,
    /// No client certificate, or one that is foreign, expired, revoked or for another purpose.
    Certificate,
    /// The client did not negotiate HTTP/2.
    NoHttp2,
    /// The certificate is genuine but names no participant.
    Identity,
}

impl RefusalKind {
    /// All kinds, in the order they are counted.
    pub const ALL: [Self; 8] = [
        Self::ConnectionsFull,
        Self::ParticipantFull,
        Self::TooManyFromAddress,
        Self::Timeout,
        Self::Handshake,
        Self::Certificate,
        Self::NoHttp2,
        Self::Identity,
    ];

    /// A short word for logs and metric labels.
    pub fn label(self) -> &'static str {
        match self {
            Self::ConnectionsFull => "connections_full",
            Self::ParticipantFull => "participant_full",
            Self::TooManyFromAddress => "too_many_from_address",
            Self::Timeout => "timeout",
            Self::Handshake => "handshake",
            Self::Certificate => "certificate",
            Self::NoHttp2 => "no_http2",
            Self::Identity => "identity",
        }
    }
}

/// Totals since the acceptor was bound.
#[derive(Debug, Default)]
pub struct AcceptorCounters {
    accepted: AtomicU64,
    refused: [AtomicU64; RefusalKind::ALL.len()],
}

impl AcceptorCounters {
    /// Connections that proved an identity.
    pub fn accepted_total(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Connections refused for one kind of reason.
    pub fn refused_total(&self, kind: RefusalKind) -> u64 {
        self.refused[kind as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn count_accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_refused(&self, kind: RefusalKind) {
        self.refused[kind as usize].fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_counter_and_label() {
        let counters = AcceptorCounters::default();
        for (position, kind) in RefusalKind::ALL.into_iter().enumerate() {
            assert_eq!(position, kind as usize);
            counters.count_refused(kind);
            assert_eq!(counters.refused_total(kind), 1);
        }
        let mut labels = RefusalKind::ALL.map(RefusalKind::label).to_vec();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), RefusalKind::ALL.len());
    }
}
