//! The adapter's own gRPC server: the contract and health checks over mutual TLS, served until told to stop, then
//! drained.

mod service;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lienthong_ports::PopulationRegistry;
use lienthong_proto::population::v1::population_registry_service_server::{
    PopulationRegistryServiceServer, SERVICE_NAME,
};
use lienthong_transport::{Acceptor, Http2Limits, tonic_server};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use self::service::PopulationService;
use crate::config::ServerConfig;
use crate::error::PopulationError;

/// Most bytes of one question.
const MESSAGE_BYTES_MAX: usize = 16 * 1024;
/// Most bytes of a health check.
const SMALL_MESSAGE_BYTES_MAX: usize = 4 * 1024;
/// The name that stands for the whole server.
const SERVER: &str = "";

/// Offers a registry to gateways.
pub struct AdapterServer {
    service: PopulationService,
    health: HealthReporter,
    drain_max: Duration,
}

impl AdapterServer {
    /// A server for the peers on the list. Health checks are answered to everybody with a good certificate.
    ///
    /// # Errors
    /// Every fault of the configuration at once.
    pub fn new(
        registry: Arc<dyn PopulationRegistry>,
        config: &ServerConfig,
    ) -> Result<Self, PopulationError> {
        let faults = config.check();
        if !faults.is_empty() {
            return Err(PopulationError::Config { faults });
        }
        Ok(Self {
            service: PopulationService::new(registry, config),
            health: HealthReporter::new(),
            drain_max: Duration::from_millis(config.drain_ms_max),
        })
    }

    /// Serves until `stop`, then waits for the questions under way, at most as long as configured.
    ///
    /// # Errors
    /// [`PopulationError::Serve`].
    pub async fn serve(
        self,
        acceptor: Acceptor,
        stop: CancellationToken,
    ) -> Result<(), PopulationError> {
        let connections = acceptor.connections();
        let health = self.health.clone();
        report(&health, ServingStatus::Serving).await;
        let drain_max = self.drain_max;
        let incoming = acceptor.incoming(stop.clone());
        let serving = tonic_server(&Http2Limits::default())
            .add_routes(self.routes())
            .serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned());
        tokio::pin!(serving);
        tokio::select! {
            served = &mut serving => return served.map_err(PopulationError::Serve),
            () = stop.cancelled() => {}
        }
        close(&health).await;
        let served = tokio::time::timeout(drain_max, serving).await;
        let cut = connections.close_where(|_| true);
        if cut > 0 {
            tracing::warn!(
                connections.closed = cut,
                "connections were closed before they had drained"
            );
        }
        served.unwrap_or(Ok(())).map_err(PopulationError::Serve)
    }

    fn routes(self) -> Routes {
        let health = HealthServer::new(HealthService::from_health_reporter(self.health));
        let service = PopulationRegistryServiceServer::new(self.service);
        let mut routes = Routes::builder();
        routes
            .add_service(service.max_decoding_message_size(MESSAGE_BYTES_MAX))
            .add_service(health.max_decoding_message_size(SMALL_MESSAGE_BYTES_MAX));
        routes.routes().prepare()
    }
}

async fn report(health: &HealthReporter, status: ServingStatus) {
    for name in [SERVER, SERVICE_NAME] {
        health.set_service_status(name, status).await;
    }
}

/// Says that nothing is served any more, and ends the watches: they would hold their connections for ever.
async fn close(health: &HealthReporter) {
    let mut health = health.clone();
    report(&health, ServingStatus::NotServing).await;
    for name in [SERVER, SERVICE_NAME] {
        // Watches end with the entry they follow.
        health.clear_service_status(name).await;
    }
    report(&health, ServingStatus::NotServing).await;
}

impl fmt::Debug for AdapterServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdapterServer").finish_non_exhaustive()
    }
}
