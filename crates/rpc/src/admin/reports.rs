//! `ReportService`: reports per province and day.

use std::sync::Arc;

use lienthong_proto::admin::v1 as proto;
use lienthong_proto::admin::v1::report_service_server::ReportService;
use lienthong_services::{Error, Services};
use tonic::{Request, Response, Status};

use crate::caller::Context;
use crate::convert::report::{report_from_proto, report_to_proto};
use crate::dossier::invalid;

/// Answers `ReportService`.
pub(crate) struct Reports(pub(crate) Arc<Services>);

#[tonic::async_trait]
impl ReportService for Reports {
    async fn get_report(
        &self,
        request: Request<proto::GetReportRequest>,
    ) -> Result<Response<proto::GetReportResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        context.answer(self.report(&context, request.get_ref()).await)
    }
}

impl Reports {
    async fn report(
        &self,
        context: &Context,
        asked: &proto::GetReportRequest,
    ) -> Result<proto::GetReportResponse, Error> {
        let operator = context.operator()?;
        let request = report_from_proto(asked).map_err(invalid)?;
        Ok(report_to_proto(&self.0.report(&operator, request).await?))
    }
}
