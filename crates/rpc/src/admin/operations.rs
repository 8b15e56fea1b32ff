//! `OperationService`: replays and discards of many deliveries, their progress, and the second person.

use std::sync::Arc;

use lienthong_ports::operators::{Decision, OperationId};
use lienthong_proto::admin::v1 as proto;
use lienthong_proto::admin::v1::operation_service_server::OperationService;
use lienthong_services::{Error, Services};
use tonic::{Request, Response, Status};

use crate::caller::Context;
use crate::convert::operations::operation_to_proto;
use crate::dossier::invalid;
use crate::pages::{self, List};

/// Answers `OperationService`.
pub(crate) struct Operations(pub(crate) Arc<Services>);

#[tonic::async_trait]
impl OperationService for Operations {
    async fn get_operation(
        &self,
        request: Request<proto::GetOperationRequest>,
    ) -> Result<Response<proto::GetOperationResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        let found = self.one(&context, request.get_ref().operation_id).await;
        context.answer(found.map(|operation| proto::GetOperationResponse {
            operation: Some(operation),
        }))
    }

    async fn list_operations(
        &self,
        request: Request<proto::ListOperationsRequest>,
    ) -> Result<Response<proto::ListOperationsResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        context.answer(self.page(&context, request.get_ref()).await)
    }

    async fn approve_operation(
        &self,
        request: Request<proto::ApproveOperationRequest>,
    ) -> Result<Response<proto::ApproveOperationResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        let asked = request.get_ref();
        let named = (asked.operation_id, asked.reason.as_str());
        let decided = self.decide(&context, named, Decision::Approve).await;
        context.answer(decided.map(|operation| proto::ApproveOperationResponse {
            operation: Some(operation),
        }))
    }

    async fn cancel_operation(
        &self,
        request: Request<proto::CancelOperationRequest>,
    ) -> Result<Response<proto::CancelOperationResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        let asked = request.get_ref();
        let named = (asked.operation_id, asked.reason.as_str());
        let decided = self.decide(&context, named, Decision::Cancel).await;
        context.answer(decided.map(|operation| proto::CancelOperationResponse {
            operation: Some(operation),
        }))
    }
}

impl Operations {
    async fn one(&self, context: &Context, id: i64) -> Result<proto::Operation, Error> {
        let operator = context.operator()?;
        let found = self.0.operation(&operator, OperationId(id)).await?;
        Ok(operation_to_proto(&found))
    }

    async fn page(
        &self,
        context: &Context,
        asked: &proto::ListOperationsRequest,
    ) -> Result<proto::ListOperationsResponse, Error> {
        let operator = context.operator()?;
        let size = pages::page_size(asked.page_size).map_err(invalid)?;
        let only_open = asked.only_open;
        let before = pages::before_number(List::Operations, &only_open, &asked.page_token)?;
        let before = before.map(OperationId);
        let found = self
            .0
            .operations(&operator, only_open, before, size)
            .await?;
        let last = found.last().map(|operation| operation.id.to_string());
        let page = (found.len(), size);
        Ok(proto::ListOperationsResponse {
            operations: found.iter().map(operation_to_proto).collect(),
            next_page_token: pages::next_token(List::Operations, &only_open, page, last),
        })
    }

    async fn decide(
        &self,
        context: &Context,
        (id, reason): (i64, &str),
        decision: Decision,
    ) -> Result<proto::Operation, Error> {
        let operator = context.operator()?;
        let id = OperationId(id);
        let decided = self.0.decide_operation(&operator, id, decision, reason);
        Ok(operation_to_proto(&decided.await?))
    }
}
