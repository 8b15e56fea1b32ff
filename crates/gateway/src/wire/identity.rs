//! Identity: the way to the population database, the use cases over it, and the workers of its jobs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lienthong_domain::{Clock, Random};
use lienthong_identity::jobs::JobWorkers;
use lienthong_identity::{Identity, Parts};
use lienthong_population::{RemoteRegistry, SoapRegistry};
use lienthong_ports::{Broker, IdentityStore, PopulationRegistry, Store};
use lienthong_services::Services;
use lienthong_store_sqlite::SqliteStore;
use lienthong_transport::http_client;
use lienthong_vault::Vault;
use tokio_util::sync::CancellationToken;

use super::tls_clock;
use crate::config::{Config, PopulationKind};

/// Data keys wrapped anew in one write.
const REWRAP_BATCH: u32 = 500;
/// The pause between two such writes, so that they are not felt.
const REWRAP_PAUSE: Duration = Duration::from_millis(50);

/// What identity needs of the rest.
pub(super) struct Around {
    pub(super) store: Arc<SqliteStore>,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) services: Arc<Services>,
    pub(super) vault: Arc<Vault>,
    pub(super) clock: Clock,
    pub(super) random: Random,
}

/// The use cases and workers of identity; `None` where nobody can be asked.
pub(super) async fn build(
    config: &Config,
    around: Around,
) -> anyhow::Result<Option<(Arc<Identity>, JobWorkers)>> {
    let Some(population) = registry(config, &around.clock)? else {
        return Ok(None);
    };
    let dossiers: Arc<dyn Store> = around.store.clone();
    let store: Arc<dyn IdentityStore> = around.store;
    let parts = Parts {
        services: around.services,
        dossiers,
        store,
        population,
        vault: around.vault,
        clock: around.clock,
        config: config.identity.clone(),
    };
    let identity = Identity::new(parts).await;
    let identity = Arc::new(identity.context("failed to read how the guards stood")?);
    let workers = JobWorkers::new(&identity, around.broker, around.random);
    Ok(Some((identity, workers)))
}

/// The way to the database, by its kind.
pub(crate) fn registry(
    config: &Config,
    clock: &Clock,
) -> anyhow::Result<Option<Arc<dyn PopulationRegistry>>> {
    Ok(match config.population.kind {
        PopulationKind::None => None,
        PopulationKind::Soap => Some(Arc::new(soap_registry(config, clock)?)),
        PopulationKind::Remote => {
            let remote = RemoteRegistry::new(&config.population.remote, clock);
            Some(Arc::new(
                remote.context("failed to set up the population adapters")?,
            ))
        }
    })
}

/// The database behind SOAP, with its HTTP client.
pub(crate) fn soap_registry(config: &Config, clock: &Clock) -> anyhow::Result<SoapRegistry> {
    let settings = config.population.soap.clone();
    let http = http_client(&settings.http_client_config(), tls_clock(clock))
        .context("failed to build the population database's HTTP client")?;
    Ok(SoapRegistry::new(settings, http, clock.clone())?)
}

/// Wraps data keys under the present key after a rotation, a few at a time, until none is left or `stop`.
pub(super) async fn rewrap(store: Arc<SqliteStore>, stop: CancellationToken) {
    let mut wrapped = 0;
    while !stop.is_cancelled() {
        match store.rewrap_keys(REWRAP_BATCH).await {
            Ok(0) => break,
            Ok(count) => wrapped += count,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "data keys stay under an older key until the next start"
                );
                break;
            }
        }
        tokio::time::sleep(REWRAP_PAUSE).await;
    }
    if wrapped > 0 {
        tracing::info!(
            count = wrapped,
            "data keys are wrapped under the present key"
        );
    }
    // Parts of the gateway end only when it stops.
    stop.cancelled().await;
}
