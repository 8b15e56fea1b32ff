//! `grpc.health.v1`: whether statuses are accepted and whether they are delivered, under names of their own.

use lienthong_proto::admin::v1::{
    delivery_service_server, destination_service_server, queue_service_server,
};
use lienthong_proto::dossier::v1::dossier_service_server;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// Whether pushes are taken.
pub const ACCEPTING: &str = "lienthong.accepting";
/// Whether deliveries go out.
pub const DELIVERING: &str = "lienthong.delivering";

/// The name that stands for the whole server.
const SERVER: &str = "";
const OPERATORS: [&str; 3] = [
    queue_service_server::SERVICE_NAME,
    destination_service_server::SERVICE_NAME,
    delivery_service_server::SERVICE_NAME,
];

/// Tells health checks how the gateway is doing. Clones speak for the same server.
#[derive(Clone, Debug)]
pub struct Health(HealthReporter);

impl Health {
    /// Neither accepting nor delivering yet; the operators' services always serve.
    pub(crate) async fn starting() -> Self {
        let health = Self(HealthReporter::new());
        health.set_accepting(false).await;
        health.set_delivering(false).await;
        for name in OPERATORS {
            health
                .0
                .set_service_status(name, ServingStatus::Serving)
                .await;
        }
        health
    }

    pub(crate) fn reporter(&self) -> HealthReporter {
        self.0.clone()
    }

    /// Says whether pushes are taken: for [`ACCEPTING`], the dossier service and the server as a whole.
    pub async fn set_accepting(&self, accepting: bool) {
        for name in [ACCEPTING, dossier_service_server::SERVICE_NAME, SERVER] {
            self.0.set_service_status(name, serving(accepting)).await;
        }
    }

    /// Says whether deliveries go out, for [`DELIVERING`].
    pub async fn set_delivering(&self, delivering: bool) {
        self.0
            .set_service_status(DELIVERING, serving(delivering))
            .await;
    }

    /// Reports that nothing is served any more, and ends the watches: they would hold their connections for ever.
    pub(crate) async fn close(&self) {
        let mut reporter = self.0.clone();
        let ours = [
            ACCEPTING,
            DELIVERING,
            dossier_service_server::SERVICE_NAME,
            SERVER,
        ];
        for name in ours.into_iter().chain(OPERATORS) {
            reporter
                .set_service_status(name, ServingStatus::NotServing)
                .await;
            // Watches end with the entry they follow; checks until the last moment need a new one.
            reporter.clear_service_status(name).await;
            reporter
                .set_service_status(name, ServingStatus::NotServing)
                .await;
        }
    }
}

fn serving(yes: bool) -> ServingStatus {
    if yes {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    }
}
