//! `DossierService`: the door for provincial case systems.

use std::sync::Arc;

use futures_util::stream::BoxStream;
use lienthong_domain::{ErrorCode, Faults, Reason};
use lienthong_proto::dossier::v1 as proto;
use lienthong_proto::dossier::v1::dossier_service_server::DossierService;
use lienthong_services::{Error, Services};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::caller::Context;
use crate::convert::{self, event, views};
use crate::pages::{self, List};
use crate::push::Answer;
use crate::{dossier_stream, push, status, watch};

/// Most events of one batch.
pub(crate) const BATCH_EVENTS_MAX: usize = 500;

/// Answers `DossierService`. Streams end when `stop` is cancelled.
pub(crate) struct Dossiers {
    pub(crate) services: Arc<Services>,
    pub(crate) stop: CancellationToken,
}

#[tonic::async_trait]
impl DossierService for Dossiers {
    async fn push_status(
        &self,
        request: Request<proto::PushStatusRequest>,
    ) -> Result<Response<proto::PushStatusResponse>, Status> {
        let context = Context::of(&request, &self.services)?;
        self.admit(&context, 1)?;
        let event = event::from_request(request.get_ref().event.as_ref()).map_err(|faults| {
            push::refused(&self.services, &context, ErrorCode::InvalidFields, 1);
            status::from_faults(faults, context.request)
        })?;
        let pushed = self
            .services
            .push(&context.caller, vec![event], context.trace);
        let mut answers = pushed.await;
        let receipt = answers
            .pop()
            .unwrap_or_else(|| Err(Error::new(ErrorCode::Internal)))
            .map_err(|error| context.status(&error))?;
        let receipt = Some(views::receipt_to_proto(&receipt));
        Ok(Response::new(proto::PushStatusResponse { receipt }))
    }

    async fn batch_push_status(
        &self,
        request: Request<proto::BatchPushStatusRequest>,
    ) -> Result<Response<proto::BatchPushStatusResponse>, Status> {
        use proto::item_result::Result as Item;
        let context = Context::of(&request, &self.services)?;
        let events = &request.get_ref().events;
        let fault = match events.len() {
            0 => Some(Reason::Missing),
            1..=BATCH_EVENTS_MAX => None,
            actual => Some(Reason::TooMany {
                max: BATCH_EVENTS_MAX,
                actual,
            }),
        };
        if let Some(reason) = fault {
            return Err(status::from_faults(
                Faults::one("events", reason),
                context.request,
            ));
        }
        self.admit(&context, u32::try_from(events.len()).unwrap_or(u32::MAX))?;
        let offered = events.iter().map(event::from_proto).collect();
        let answers = push::push_all(&self.services, &context, offered).await;
        let results = answers.into_iter().map(|answer| proto::ItemResult {
            result: Some(match answer {
                Answer::Receipt(receipt) => Item::Receipt(receipt),
                Answer::Refusal(refusal) => Item::Refusal(refusal),
            }),
        });
        let results = results.collect();
        Ok(Response::new(proto::BatchPushStatusResponse { results }))
    }

    type StreamStatusStream = BoxStream<'static, Result<proto::StreamStatusResponse, Status>>;

    async fn stream_status(
        &self,
        request: Request<Streaming<proto::StreamStatusRequest>>,
    ) -> Result<Response<Self::StreamStatusStream>, Status> {
        let context = Context::of(&request, &self.services)?;
        let answers = dossier_stream::answers(
            self.services.clone(),
            context,
            request.into_inner(),
            self.stop.clone(),
        );
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_dossier(
        &self,
        request: Request<proto::GetDossierRequest>,
    ) -> Result<Response<proto::GetDossierResponse>, Status> {
        let context = Context::of(&request, &self.services)?;
        let code = convert::dossier_code(&request.get_ref().dossier_code)
            .map_err(|faults| status::from_faults(faults, context.request))?;
        let view = self
            .services
            .dossier(&context.caller, &code)
            .await
            .map_err(|error| context.status(&error))?;
        let dossier = Some(views::dossier_to_proto(&view));
        Ok(Response::new(proto::GetDossierResponse { dossier }))
    }

    async fn list_status_events(
        &self,
        request: Request<proto::ListStatusEventsRequest>,
    ) -> Result<Response<proto::ListStatusEventsResponse>, Status> {
        let context = Context::of(&request, &self.services)?;
        context.answer(self.timeline_page(&context, request.get_ref()).await)
    }

    async fn list_dossiers(
        &self,
        request: Request<proto::ListDossiersRequest>,
    ) -> Result<Response<proto::ListDossiersResponse>, Status> {
        let context = Context::of(&request, &self.services)?;
        context.answer(self.dossiers_page(&context, request.get_ref()).await)
    }

    type WatchStatusStream = BoxStream<'static, Result<proto::WatchStatusResponse, Status>>;

    async fn watch_status(
        &self,
        request: Request<proto::WatchStatusRequest>,
    ) -> Result<Response<Self::WatchStatusStream>, Status> {
        let context = Context::of(&request, &self.services)?;
        let changes = watch::changes(
            self.services.clone(),
            context.clone(),
            request.get_ref(),
            self.stop.clone(),
        )
        .await
        .map_err(|error| context.status(&error))?;
        Ok(Response::new(Box::pin(changes)))
    }
}

impl Dossiers {
    fn admit(&self, context: &Context, events: u32) -> Result<(), Status> {
        self.services
            .admit(&context.caller, events)
            .map_err(|error| {
                push::refused(&self.services, context, error.code, events);
                context.status(&error)
            })
    }

    async fn timeline_page(
        &self,
        context: &Context,
        request: &proto::ListStatusEventsRequest,
    ) -> Result<proto::ListStatusEventsResponse, Error> {
        let code = convert::dossier_code(&request.dossier_code).map_err(invalid)?;
        let size = pages::page_size(request.page_size).map_err(invalid)?;
        let after = pages::after_number(List::Timeline, &code, &request.page_token)?;
        let found = self
            .services
            .timeline(&context.caller, &code, after, size)
            .await?;
        let last = found.last().map(|entry| entry.sequence.to_string());
        let page = (found.len(), size);
        Ok(proto::ListStatusEventsResponse {
            entries: found.iter().map(views::entry_to_proto).collect(),
            next_page_token: pages::next_token(List::Timeline, &code, page, last),
        })
    }

    async fn dossiers_page(
        &self,
        context: &Context,
        request: &proto::ListDossiersRequest,
    ) -> Result<proto::ListDossiersResponse, Error> {
        let filter = views::filter_from_proto(request.filter.as_ref()).map_err(invalid)?;
        let size = pages::page_size(request.page_size).map_err(invalid)?;
        let after = pages::after(List::Dossiers, &request.filter, &request.page_token)?;
        let found = self
            .services
            .dossiers(&context.caller, filter, after, size)
            .await?;
        let last = found.last().map(|view| view.code.to_string());
        let page = (found.len(), size);
        Ok(proto::ListDossiersResponse {
            dossiers: found.iter().map(views::listed_dossier_to_proto).collect(),
            next_page_token: pages::next_token(List::Dossiers, &request.filter, page, last),
        })
    }
}

/// A request whose fields are at fault.
pub(crate) fn invalid(faults: Faults) -> Error {
    Error::with_faults(ErrorCode::InvalidFields, faults)
}
