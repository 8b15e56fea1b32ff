//! `AuditService`: what operators did.

use std::sync::Arc;

use lienthong_proto::admin::v1 as proto;
use lienthong_proto::admin::v1::audit_service_server::AuditService;
use lienthong_services::{Error, Services};
use tonic::{Request, Response, Status};

use crate::caller::Context;
use crate::convert::operations::{action_to_proto, actions_from_proto};
use crate::dossier::invalid;
use crate::pages::{self, List};

/// Answers `AuditService`.
pub(crate) struct Audit(pub(crate) Arc<Services>);

#[tonic::async_trait]
impl AuditService for Audit {
    async fn list_actions(
        &self,
        request: Request<proto::ListActionsRequest>,
    ) -> Result<Response<proto::ListActionsResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        context.answer(self.page(&context, request.into_inner()).await)
    }
}

impl Audit {
    async fn page(
        &self,
        context: &Context,
        mut asked: proto::ListActionsRequest,
    ) -> Result<proto::ListActionsResponse, Error> {
        let operator = context.operator()?;
        let filter = actions_from_proto(&asked).map_err(invalid)?;
        let size = pages::page_size(asked.page_size).map_err(invalid)?;
        let token = std::mem::take(&mut asked.page_token);
        // What is left of the request, its size aside, is the filter.
        asked.page_size = 0;
        let before = pages::before_number(List::Actions, &asked, &token)?;
        let found = self.0.actions(&operator, filter, before, size).await?;
        let last = found.last().map(|action| action.id.to_string());
        let page = (found.len(), size);
        Ok(proto::ListActionsResponse {
            actions: found.iter().map(action_to_proto).collect(),
            next_page_token: pages::next_token(List::Actions, &asked, page, last),
        })
    }
}
