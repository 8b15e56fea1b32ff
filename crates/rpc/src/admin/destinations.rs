//! `DestinationService`: how the destinations are doing, pause and resume.

use std::sync::Arc;

use lienthong_domain::{DestinationName, ErrorCode, Faults};
use lienthong_proto::admin::v1 as proto;
use lienthong_proto::admin::v1::destination_service_server::DestinationService;
use lienthong_services::{Error, Services};
use tonic::{Request, Response, Status};

use crate::caller::Context;
use crate::convert::admin::destination_to_proto;
use crate::dossier::invalid;

/// Answers `DestinationService`.
pub(crate) struct Destinations(pub(crate) Arc<Services>);

#[tonic::async_trait]
impl DestinationService for Destinations {
    async fn list_destinations(
        &self,
        request: Request<proto::ListDestinationsRequest>,
    ) -> Result<Response<proto::ListDestinationsResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        let found = self.list(&context).await;
        context.answer(found.map(|destinations| proto::ListDestinationsResponse { destinations }))
    }

    async fn pause_destination(
        &self,
        request: Request<proto::PauseDestinationRequest>,
    ) -> Result<Response<proto::PauseDestinationResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        let asked = request.get_ref();
        let destination = self
            .set_paused(&context, &asked.destination, &asked.reason, true)
            .await;
        let destination = Some(destination.map_err(|error| context.status(&error))?);
        Ok(Response::new(proto::PauseDestinationResponse {
            destination,
        }))
    }

    async fn resume_destination(
        &self,
        request: Request<proto::ResumeDestinationRequest>,
    ) -> Result<Response<proto::ResumeDestinationResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        let asked = request.get_ref();
        let destination = self
            .set_paused(&context, &asked.destination, &asked.reason, false)
            .await;
        let destination = Some(destination.map_err(|error| context.status(&error))?);
        Ok(Response::new(proto::ResumeDestinationResponse {
            destination,
        }))
    }
}

impl Destinations {
    async fn list(&self, context: &Context) -> Result<Vec<proto::Destination>, Error> {
        let operator = context.operator()?;
        let found = self.0.destinations(&operator).await?;
        let overview = self.0.overview(&operator).await?;
        let shown = found.iter().map(|destination| {
            let mut flows = overview.destinations.iter();
            let flow = flows.find(|flow| flow.state.row.name == destination.row.name);
            destination_to_proto(destination, flow)
        });
        Ok(shown.collect())
    }

    /// Pauses or resumes, and returns the destination as it stands then.
    async fn set_paused(
        &self,
        context: &Context,
        name: &str,
        reason: &str,
        paused: bool,
    ) -> Result<proto::Destination, Error> {
        let operator = context.operator()?;
        let name = DestinationName::parse(name)
            .map_err(|reason| invalid(Faults::one("destination", reason)))?;
        self.0.set_paused(&operator, &name, paused, reason).await?;
        let found = self.list(context).await?;
        let found = found
            .into_iter()
            .find(|destination| destination.name == name.as_str());
        found.ok_or_else(|| Error::new(ErrorCode::DestinationUnknown))
    }
}
