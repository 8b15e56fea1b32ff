//! `QueueService`: how much waits where.

use std::sync::Arc;

use lienthong_proto::admin::v1 as proto;
use lienthong_proto::admin::v1::queue_service_server::QueueService;
use lienthong_services::Services;
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
        let queues = self.0.queues(&context.caller).await;
        let queues = queues.map_err(|error| context.status(&error))?;
        Ok(Response::new(queues_to_proto(&queues)))
    }
}
