//! `DeliveryService`: parked deliveries, and why a dossier waits.

use std::sync::Arc;

use lienthong_domain::{DeliveryId, DossierCode, Faults, Reason};
use lienthong_ports::store::{DossierView, ITEMS_MAX};
use lienthong_proto::admin::v1 as proto;
use lienthong_proto::admin::v1::delivery_service_server::DeliveryService;
use lienthong_services::explain::Explanation;
use lienthong_services::operators::REPLAY_PER_SECOND_MAX;
use lienthong_services::{Error, ReplayRequest, Services};
use tonic::{Request, Response, Status};

use crate::caller::Context;
use crate::convert::admin::{
    cause_to_proto, discarded_to_proto, filter_from_proto, parked_to_proto, plan_to_proto,
    selection_from_proto,
};
use crate::convert::{self, instant_to_proto, views};
use crate::dossier::invalid;
use crate::pages::{self, List};

/// Answers `DeliveryService`.
pub(crate) struct Deliveries(pub(crate) Arc<Services>);

#[tonic::async_trait]
impl DeliveryService for Deliveries {
    async fn list_parked_deliveries(
        &self,
        request: Request<proto::ListParkedDeliveriesRequest>,
    ) -> Result<Response<proto::ListParkedDeliveriesResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        let page = self.parked_page(&context, request.get_ref()).await;
        page.map(Response::new)
            .map_err(|error| context.status(&error))
    }

    async fn replay_deliveries(
        &self,
        request: Request<proto::ReplayDeliveriesRequest>,
    ) -> Result<Response<proto::ReplayDeliveriesResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        let done = self.replay(&context, request.into_inner()).await;
        done.map(Response::new)
            .map_err(|error| context.status(&error))
    }

    async fn discard_deliveries(
        &self,
        request: Request<proto::DiscardDeliveriesRequest>,
    ) -> Result<Response<proto::DiscardDeliveriesResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        let done = self.discard(&context, request.get_ref()).await;
        done.map(Response::new)
            .map_err(|error| context.status(&error))
    }

    async fn erase_dossier(
        &self,
        request: Request<proto::EraseDossierRequest>,
    ) -> Result<Response<proto::EraseDossierResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        let asked = request.get_ref();
        let code = convert::dossier_code(&asked.dossier_code)
            .map_err(|faults| context.status(&invalid(faults)))?;
        self.0
            .erase_dossier(&context.caller, &code, &asked.reason)
            .await
            .map_err(|error| context.status(&error))?;
        Ok(Response::new(proto::EraseDossierResponse {}))
    }

    async fn explain_dossier(
        &self,
        request: Request<proto::ExplainDossierRequest>,
    ) -> Result<Response<proto::ExplainDossierResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        let explained = self
            .explain(&context, &request.get_ref().dossier_code)
            .await;
        explained
            .map(Response::new)
            .map_err(|error| context.status(&error))
    }
}

impl Deliveries {
    async fn parked_page(
        &self,
        context: &Context,
        request: &proto::ListParkedDeliveriesRequest,
    ) -> Result<proto::ListParkedDeliveriesResponse, Error> {
        let filter = filter_from_proto(request.filter.as_ref()).map_err(invalid)?;
        let size = pages::page_size(request.page_size).map_err(invalid)?;
        let after = pages::after_number(List::Parked, &request.filter, &request.page_token)?;
        let found = self
            .0
            .parked(&context.caller, filter, DeliveryId(after), size)
            .await?;
        let last = found.last().map(|parked| parked.id.to_string());
        let page = (found.len(), size);
        Ok(proto::ListParkedDeliveriesResponse {
            deliveries: found.iter().map(parked_to_proto).collect(),
            next_page_token: pages::next_token(List::Parked, &request.filter, page, last),
        })
    }

    async fn replay(
        &self,
        context: &Context,
        request: proto::ReplayDeliveriesRequest,
    ) -> Result<proto::ReplayDeliveriesResponse, Error> {
        let filter = selection_from_proto(request.selection.as_ref()).map_err(invalid)?;
        if request.rate_per_second > REPLAY_PER_SECOND_MAX {
            let (min, max) = (0, REPLAY_PER_SECOND_MAX.into());
            let reason = Reason::OutOfRange { min, max };
            return Err(invalid(Faults::one("rate_per_second", reason)));
        }
        // Read first: afterwards they are not parked any more, and the answer has to name them.
        let first = DeliveryId(0);
        let before = self
            .0
            .parked(&context.caller, filter.clone(), first, ITEMS_MAX)
            .await?;
        let dry_run = request.dry_run;
        let replay = ReplayRequest {
            filter,
            dry_run,
            allow_out_of_order: request.allow_out_of_order,
            per_second: request.rate_per_second,
            reason: request.reason,
        };
        let items = self.0.replay(&context.caller, replay).await?;
        Ok(proto::ReplayDeliveriesResponse {
            plan: Some(plan_to_proto(&items, &before)),
            carried_out: !dry_run,
        })
    }

    async fn discard(
        &self,
        context: &Context,
        request: &proto::DiscardDeliveriesRequest,
    ) -> Result<proto::DiscardDeliveriesResponse, Error> {
        let filter = selection_from_proto(request.selection.as_ref()).map_err(invalid)?;
        let first = DeliveryId(0);
        let before = self
            .0
            .parked(&context.caller, filter.clone(), first, ITEMS_MAX)
            .await?;
        let (caller, dry_run) = (&context.caller, request.dry_run);
        let ids = self
            .0
            .discard(caller, filter, dry_run, &request.reason)
            .await?;
        Ok(discarded_to_proto(&ids, &before, dry_run))
    }

    async fn explain(
        &self,
        context: &Context,
        code: &str,
    ) -> Result<proto::ExplainDossierResponse, Error> {
        let code = convert::dossier_code(code).map_err(invalid)?;
        let explanations = self.0.explain(&context.caller, &code).await?;
        let view = self.0.dossier(&context.caller, &code).await?;
        let mut lanes = Vec::with_capacity(explanations.len());
        for explanation in &explanations {
            lanes.push(self.lane(context, &view, explanation).await?);
        }
        Ok(proto::ExplainDossierResponse {
            dossier_code: code.to_string(),
            lanes,
        })
    }

    async fn lane(
        &self,
        context: &Context,
        view: &DossierView,
        explanation: &Explanation,
    ) -> Result<proto::LaneExplanation, Error> {
        let lane = view
            .lanes
            .iter()
            .find(|lane| lane.destination == explanation.destination);
        let mut shown = proto::LaneExplanation {
            destination: explanation.destination.to_string(),
            cause: cause_to_proto(explanation.cause).into(),
            explanation_vi: explanation.cause.vi().to_owned(),
            explanation_en: explanation.cause.en().to_owned(),
            waiting: lane.map_or(0, |lane| lane.waiting + lane.parked),
            ..proto::LaneExplanation::default()
        };
        let Some(head) = &explanation.head else {
            return Ok(shown);
        };
        shown.head_delivery = Some(views::delivery_to_proto(head));
        let mut reference = proto::DeliveryReference {
            delivery_id: head.id.0,
            destination: head.destination.to_string(),
            dossier_code: view.code.to_string(),
            dossier_sequence: head.sequence,
            event_id: String::new(),
        };
        if let Some((event_id, since)) = self.acceptance(context, &view.code, head.sequence).await?
        {
            reference.event_id = event_id;
            shown.waiting_since = Some(since);
        }
        shown.head = Some(reference);
        Ok(shown)
    }

    /// Which event has a sequence, and since when.
    async fn acceptance(
        &self,
        context: &Context,
        code: &DossierCode,
        sequence: i64,
    ) -> Result<Option<(String, prost_types::Timestamp)>, Error> {
        let found = self
            .0
            .timeline(&context.caller, code, sequence - 1, 1)
            .await?;
        let event = found.first().filter(|entry| entry.sequence == sequence);
        Ok(event.map(|entry| {
            (
                entry.event_id.to_string(),
                instant_to_proto(entry.accepted_at),
            )
        }))
    }
}
