//! A population adapter that knows the answer at once, in a process of its own: behind it the gateway is measured
//! and not a database. Contract, TLS and limits are the product's.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use lienthong_domain::identity::{Claims, FieldSet, NameLevel, Verdict, Verification};
use lienthong_population::AdapterServer;
use lienthong_population::config::{AllowedPeer, ServerConfig};
use lienthong_ports::{LookUp, PopulationRegistry, Question, RegistryError};
use lienthong_transport::{Acceptor, Limits};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::stage::{HANDSHAKES_MAX, PEERS};
use crate::bench::empty_server::server_tls;

/// Serves until it is told to stop, then leaves the number of questions it has seen in the file.
pub(in crate::bench) async fn serve(
    address: SocketAddr,
    folder: &Path,
    seen_file: &Path,
) -> anyhow::Result<()> {
    let seen = Arc::new(AtomicU64::new(0));
    let registry = Arc::new(KnowsAtOnce(seen.clone()));
    let limits = Limits {
        handshakes_per_address_max: HANDSHAKES_MAX,
        ..Limits::default()
    };
    let acceptor = Acceptor::bind(address, server_tls(folder)?, limits).await?;
    let peer = |(participant, system): (&str, &str)| AllowedPeer {
        participant: participant.to_owned(),
        system: system.to_owned(),
    };
    let config = ServerConfig {
        listen: address,
        peers: PEERS.map(peer).to_vec(),
        ..ServerConfig::default()
    };
    let stop = CancellationToken::new();
    let serving = AdapterServer::new(registry, &config)?.serve(acceptor, stop.clone());
    tokio::pin!(serving);
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = &mut serving => ended?,
        _ = terminate.recv() => {
            stop.cancel();
            serving.await?;
        }
    }
    Ok(std::fs::write(
        seen_file,
        seen.load(Ordering::Relaxed).to_string(),
    )?)
}

/// Says that every claim is right, and counts.
struct KnowsAtOnce(Arc<AtomicU64>);

#[async_trait]
impl PopulationRegistry for KnowsAtOnce {
    async fn verify(
        &self,
        _question: &Question,
        claims: &Claims,
        _timeout: Duration,
    ) -> Result<Verification, RegistryError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let (verdict, level) = (Verdict::Match, NameLevel::Exact);
        Ok(Verification::of_key(claims, verdict, level))
    }

    async fn look_up(
        &self,
        _question: &Question,
        _claims: &Claims,
        _fields: FieldSet,
        _timeout: Duration,
    ) -> Result<LookUp, RegistryError> {
        Ok(LookUp::NotFound)
    }

    async fn check(&self, _timeout: Duration) -> Result<(), String> {
        Ok(())
    }
}
