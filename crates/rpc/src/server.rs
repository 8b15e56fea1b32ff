//! The gRPC server: every service with its limits, served until told to stop, then drained.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use lienthong_identity::Identity;
use lienthong_proto::FILE_DESCRIPTOR_SET;
use lienthong_proto::admin::v1::audit_service_server::AuditServiceServer;
use lienthong_proto::admin::v1::delivery_service_server::DeliveryServiceServer;
use lienthong_proto::admin::v1::destination_service_server::DestinationServiceServer;
use lienthong_proto::admin::v1::operation_service_server::OperationServiceServer;
use lienthong_proto::admin::v1::overview_service_server::OverviewServiceServer;
use lienthong_proto::admin::v1::participant_service_server::ParticipantServiceServer;
use lienthong_proto::admin::v1::queue_service_server::QueueServiceServer;
use lienthong_proto::admin::v1::report_service_server::ReportServiceServer;
use lienthong_proto::dossier::v1::dossier_service_server::{self, DossierServiceServer};
use lienthong_proto::identity::v1::identity_service_server::IdentityServiceServer;
use lienthong_services::Services;
use lienthong_transport::{Acceptor, Http2Limits, tonic_server};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::server::Connected;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthService;
use tower::Service;

use crate::admin::{
    Audit, Deliveries, Destinations, Operations, Overviews, Participants, Queues, Reports,
};
use crate::dossier::Dossiers;
use crate::health::Health;
use crate::identity::Citizens;
use crate::layers::EdgeLayer;

/// Most bytes of one message, of a unary request as of a stream.
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// Most bytes of one batch.
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Most bytes of a health check or a reflection request.
const SMALL_MESSAGE_BYTES_MAX: usize = 4 * 1024;
const BATCH_PATH: &str = "/lienthong.dossier.v1.DossierService/BatchPushStatus";

/// How the server behaves.
#[derive(Clone, Debug)]
pub struct RpcConfig {
    /// Whether clients may ask for the contract; off in production.
    pub reflection: bool,
    /// Bounds of every connection.
    pub http2: Http2Limits,
    /// How long requests under way may take after the stop.
    pub drain_max: Duration,
}

impl Default for RpcConfig {
    fn default() -> Self {
        Self {
            reflection: false,
            http2: Http2Limits::default(),
            drain_max: Duration::from_secs(10),
        }
    }
}

/// Why the server could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The embedded contract cannot be served by reflection.
    #[error("offer the contract by reflection")]
    Reflection(#[source] tonic_reflection::server::Error),
    /// The HTTP/2 server failed.
    #[error("serve gRPC")]
    Serve(#[source] tonic::transport::Error),
}

/// The gRPC edge over the use cases.
pub struct RpcServer {
    services: Arc<Services>,
    identity: Option<Arc<Identity>>,
    config: RpcConfig,
    health: Health,
}

impl RpcServer {
    /// A server that reports itself as not accepting until [`Health::set_accepting`] says otherwise.
    /// Without `identity` nobody can ask about citizens: its services are not there.
    pub async fn new(
        services: Arc<Services>,
        identity: Option<Arc<Identity>>,
        config: RpcConfig,
    ) -> Self {
        Self {
            services,
            identity,
            config,
            health: Health::starting().await,
        }
    }

    /// The handle by which health checks learn how the gateway is doing.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Serves mutual TLS connections until `stop`, then drains; what is left after
    /// [`RpcConfig::drain_max`] is closed.
    ///
    /// # Errors
    /// [`RpcError`].
    pub async fn serve_tls(
        self,
        acceptor: Acceptor,
        stop: CancellationToken,
    ) -> Result<(), RpcError> {
        let connections = acceptor.connections();
        let served = self.serve(acceptor.incoming(stop.clone()), stop).await;
        let cut = connections.close_where(|_| true);
        if cut > 0 {
            tracing::warn!(
                connections.closed = cut,
                "connections were closed before they had drained"
            );
        }
        served
    }

    /// Serves `incoming` until `stop`, then waits at most [`RpcConfig::drain_max`] for requests
    /// under way. Callers are known only if the connections carry a
    /// [`PeerInfo`](lienthong_transport::PeerInfo) as their connect info.
    ///
    /// # Errors
    /// [`RpcError`].
    pub async fn serve<I, IO, E>(self, incoming: I, stop: CancellationToken) -> Result<(), RpcError>
    where
        I: Stream<Item = Result<IO, E>>,
        IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let routes = self.routes(&stop)?;
        let serving = tonic_server(&self.config.http2)
            .layer(EdgeLayer(self.services.clone()))
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned());
        tokio::pin!(serving);
        tokio::select! {
            served = &mut serving => return served.map_err(RpcError::Serve),
            () = stop.cancelled() => {}
        }
        self.health.close().await;
        match tokio::time::timeout(self.config.drain_max, serving).await {
            Ok(served) => served.map_err(RpcError::Serve),
            Err(_elapsed) => {
                tracing::warn!("requests were still under way at the end of the drain");
                Ok(())
            }
        }
    }

    fn routes(&self, stop: &CancellationToken) -> Result<Routes, RpcError> {
        let services = &self.services;
        let health = HealthService::from_health_reporter(self.health.reporter());
        let health = HealthServer::new(health).max_decoding_message_size(SMALL_MESSAGE_BYTES_MAX);
        let queues = QueueServiceServer::new(Queues(services.clone()));
        let destinations = DestinationServiceServer::new(Destinations(services.clone()));
        let deliveries = DeliveryServiceServer::new(Deliveries(services.clone()));
        let operations = OperationServiceServer::new(Operations(services.clone()));
        let overviews = OverviewServiceServer::new(Overviews(services.clone()));
        let reports = ReportServiceServer::new(Reports(services.clone()));
        let audit = AuditServiceServer::new(Audit(services.clone()));
        let participants = ParticipantServiceServer::new(Participants {
            services: services.clone(),
            identity: self.identity.clone(),
        });
        let mut routes = Routes::builder();
        routes
            .add_service(DossierServer::new(services.clone(), stop.clone()))
            .add_service(queues.max_decoding_message_size(MESSAGE_BYTES_MAX))
            .add_service(destinations.max_decoding_message_size(MESSAGE_BYTES_MAX))
            .add_service(deliveries.max_decoding_message_size(MESSAGE_BYTES_MAX))
            .add_service(operations.max_decoding_message_size(MESSAGE_BYTES_MAX))
            .add_service(overviews.max_decoding_message_size(MESSAGE_BYTES_MAX))
            .add_service(reports.max_decoding_message_size(MESSAGE_BYTES_MAX))
            .add_service(audit.max_decoding_message_size(MESSAGE_BYTES_MAX))
            .add_service(participants.max_decoding_message_size(MESSAGE_BYTES_MAX))
            .add_service(health);
        if let Some(identity) = &self.identity {
            let citizens = Citizens {
                services: services.clone(),
                identity: identity.clone(),
                stop: stop.clone(),
            };
            let citizens = IdentityServiceServer::new(citizens);
            routes.add_service(citizens.max_decoding_message_size(MESSAGE_BYTES_MAX));
        }
        if self.config.reflection {
            let reflection = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                .build_v1()
                .map_err(RpcError::Reflection)?;
            routes.add_service(reflection.max_decoding_message_size(SMALL_MESSAGE_BYTES_MAX));
        }
        Ok(routes.routes().prepare())
    }
}

/// `DossierService` with a larger message bound for batches, which generated servers have per service only.
#[derive(Clone)]
struct DossierServer {
    single: DossierServiceServer<Dossiers>,
    batch: DossierServiceServer<Dossiers>,
}

impl DossierServer {
    fn new(services: Arc<Services>, stop: CancellationToken) -> Self {
        let dossiers = Arc::new(Dossiers { services, stop });
        let server = |bytes_max| {
            DossierServiceServer::from_arc(dossiers.clone()).max_decoding_message_size(bytes_max)
        };
        Self {
            single: server(MESSAGE_BYTES_MAX),
            batch: server(BATCH_BYTES_MAX),
        }
    }
}

impl NamedService for DossierServer {
    const NAME: &'static str = dossier_service_server::SERVICE_NAME;
}

impl Service<Request<Body>> for DossierServer {
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Self::Error>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // Generated servers are always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if request.uri().path() == BATCH_PATH {
            self.batch.call(request)
        } else {
            self.single.call(request)
        }
    }
}
