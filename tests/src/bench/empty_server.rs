//! A gRPC server with the gateway's TLS acceptor, HTTP/2 settings and messages, whose handler does nothing.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use futures_util::stream::Empty;
use lienthong_domain::Clock;
use lienthong_proto::dossier::v1 as proto;
use lienthong_proto::dossier::v1::dossier_service_server::{DossierService, DossierServiceServer};
use lienthong_transport::{
    Acceptor, Http2Limits, IdentityPolicy, Limits, ServerTls, ServerTlsConfig, TlsClock,
    tonic_server,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::gateway::TRUST_DOMAIN;

/// Serves until the process is killed.
pub(super) async fn serve(address: SocketAddr, folder: &Path) -> anyhow::Result<()> {
    let tls = server_tls(folder)?;
    let acceptor = Acceptor::bind(address, tls, Limits::default()).await?;
    tonic_server(&Http2Limits::default())
        .add_service(DossierServiceServer::new(EmptyHandler))
        .serve_with_incoming(acceptor.incoming(CancellationToken::new()))
        .await?;
    Ok(())
}

/// The site's server certificate, and the clients it vouches for.
pub(super) fn server_tls(folder: &Path) -> anyhow::Result<Arc<ServerTls>> {
    let config = ServerTlsConfig {
        certificate_chain: folder.join("server.pem"),
        private_key: folder.join("server-key.pem"),
        client_ca: folder.join("ca.pem"),
        client_crls: Vec::new(),
        identity: IdentityPolicy::new(TRUST_DOMAIN, IdentityPolicy::VALIDITY_DAYS_MAX_DEFAULT)?,
    };
    let clock = Clock::system();
    let clock = TlsClock::new(move || clock.now());
    Ok(Arc::new(ServerTls::load(config, clock)?))
}

struct EmptyHandler;

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl DossierService for EmptyHandler {
    type StreamStatusStream = Empty<Result<proto::StreamStatusResponse, Status>>;
    type WatchStatusStream = Empty<Result<proto::WatchStatusResponse, Status>>;

    async fn push_status(
        &self,
        _: Request<proto::PushStatusRequest>,
    ) -> Answer<proto::PushStatusResponse> {
        Ok(Response::new(proto::PushStatusResponse::default()))
    }

    async fn batch_push_status(
        &self,
        _: Request<proto::BatchPushStatusRequest>,
    ) -> Answer<proto::BatchPushStatusResponse> {
        Err(Status::unimplemented("empty"))
    }

    async fn stream_status(
        &self,
        _: Request<Streaming<proto::StreamStatusRequest>>,
    ) -> Answer<Self::StreamStatusStream> {
        Err(Status::unimplemented("empty"))
    }

    async fn get_dossier(
        &self,
        _: Request<proto::GetDossierRequest>,
    ) -> Answer<proto::GetDossierResponse> {
        Err(Status::unimplemented("empty"))
    }

    async fn list_status_events(
        &self,
        _: Request<proto::ListStatusEventsRequest>,
    ) -> Answer<proto::ListStatusEventsResponse> {
        Err(Status::unimplemented("empty"))
    }

    async fn list_dossiers(
        &self,
        _: Request<proto::ListDossiersRequest>,
    ) -> Answer<proto::ListDossiersResponse> {
        Err(Status::unimplemented("empty"))
    }

    async fn watch_status(
        &self,
        _: Request<proto::WatchStatusRequest>,
    ) -> Answer<Self::WatchStatusStream> {
        Err(Status::unimplemented("empty"))
    }
}
