//! `QueueService`: how much waits where.

use std::sync::Arc;

use lienthong_proto::admin::v1 as proto;
use lienthong_proto::admin::v1::queue_service_server::QueueService;
use lienthong_services::{Error, Services};
use tonic::{Request, Response, Status};

use crate::caller::Context;
use crate::convert::admin::queues_to_proto;

/// Answers `QueueService`.
pub(crate) struct Queues(pub(crate) Arc<Services>);

#[tonic::async_trait]
impl QueueService for Queues {
    async fn list_queues(
        &self,
        request: Request<proto::ListQueuesRequest>,
    ) -> Result<Response<proto::ListQueuesResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        context.answer(self.list(&context).await)
    }
}

impl Queues {
    async fn list(&self, context: &Context) -> Result<proto::ListQueuesResponse, Error> {
        let operator = context.operator()?;
        Ok(queues_to_proto(&self.0.queues(&operator).await?))
    }
}
