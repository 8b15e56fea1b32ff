//! `OverviewService`: the gateway at a glance, its figures over time, and what it logs.

use std::sync::Arc;
use std::time::Duration;

use lienthong_proto::admin::v1 as proto;
use lienthong_proto::admin::v1::overview_service_server::OverviewService;
use lienthong_services::{Error, Services};
use tonic::{Request, Response, Status};

use crate::caller::Context;
use crate::convert::overview::{figure_to_proto, figures_from_proto, overview_to_proto};
use crate::dossier::invalid;

/// Answers `OverviewService`.
pub(crate) struct Overviews(pub(crate) Arc<Services>);

#[tonic::async_trait]
impl OverviewService for Overviews {
    async fn get_overview(
        &self,
        request: Request<proto::GetOverviewRequest>,
    ) -> Result<Response<proto::GetOverviewResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        context.answer(self.overview(&context).await)
    }

    async fn list_figures(
        &self,
        request: Request<proto::ListFiguresRequest>,
    ) -> Result<Response<proto::ListFiguresResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        context.answer(self.figures(&context, request.get_ref()).await)
    }

    async fn set_log_filter(
        &self,
        request: Request<proto::SetLogFilterRequest>,
    ) -> Result<Response<proto::SetLogFilterResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        context.answer(self.set_log(&context, request.get_ref()).await)
    }
}

impl Overviews {
    async fn overview(&self, context: &Context) -> Result<proto::GetOverviewResponse, Error> {
        let operator = context.operator()?;
        let overview = self.0.overview(&operator).await?;
        Ok(overview_to_proto(&overview))
    }

    async fn figures(
        &self,
        context: &Context,
        asked: &proto::ListFiguresRequest,
    ) -> Result<proto::ListFiguresResponse, Error> {
        let operator = context.operator()?;
        let (keys, since, until) = figures_from_proto(asked).map_err(invalid)?;
        let found = self
            .0
            .figures(&operator, keys, since, until, asked.points_max)
            .await?;
        let figures = found.into_iter().filter(|(_, points)| !points.is_empty());
        let figures = figures.map(|(key, points)| figure_to_proto(key, &points));
        Ok(proto::ListFiguresResponse {
            figures: figures.collect(),
        })
    }

    async fn set_log(
        &self,
        context: &Context,
        asked: &proto::SetLogFilterRequest,
    ) -> Result<proto::SetLogFilterResponse, Error> {
        let operator = context.operator()?;
        let lasting = match asked.minutes {
            0 => None,
            minutes => Some(Duration::from_secs(u64::from(minutes) * 60)),
        };
        let former_filter = self
            .0
            .set_log_filter(&operator, &asked.filter, lasting, &asked.reason)
            .await?;
        Ok(proto::SetLogFilterResponse { former_filter })
    }
}
