//! `DeliveryService`: parked deliveries, and why a dossier waits.

use std::sync::Arc;

use lienthong_domain::{DeliveryId, DossierCode, Operator};
use lienthong_ports::operators::{OperationKind, OperationState};
use lienthong_ports::store::DossierView;
use lienthong_proto::admin::v1 as proto;
use lienthong_proto::admin::v1::delivery_service_server::DeliveryService;
use lienthong_services::explain::Explanation;
use lienthong_services::operations::PER_SECOND_MAX;
use lienthong_services::{Error, OperationRequest, Services};
use tonic::{Request, Response, Status};

use crate::caller::Context;
use crate::convert::admin::{
    cause_to_proto, filter_from_proto, group_to_proto, parked_to_proto, selection_from_proto,
};
use crate::convert::operations::{ITEMS_SHOWN_MAX, Planned, discard_to_proto, replay_to_proto};
use crate::convert::{self, instant_to_proto, views};
use crate::dossier::invalid;
use crate::pages::{self, List};

/// Answers `DeliveryService`.
pub(crate) struct Deliveries(pub(crate) Arc<Services>);

#[tonic::async_trait]
impl DeliveryService for Deliveries {
    async fn list_parked_groups(
        &self,
        request: Request<proto::ListParkedGroupsRequest>,
    ) -> Result<Response<proto::ListParkedGroupsResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        context.answer(self.groups(&context, request.get_ref()).await)
    }

    async fn list_parked_deliveries(
        &self,
        request: Request<proto::ListParkedDeliveriesRequest>,
    ) -> Result<Response<proto::ListParkedDeliveriesResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        context.answer(self.parked_page(&context, request.get_ref()).await)
    }

    async fn replay_deliveries(
        &self,
        request: Request<proto::ReplayDeliveriesRequest>,
    ) -> Result<Response<proto::ReplayDeliveriesResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        context.answer(self.replay(&context, request.into_inner()).await)
    }

    async fn discard_deliveries(
        &self,
        request: Request<proto::DiscardDeliveriesRequest>,
    ) -> Result<Response<proto::DiscardDeliveriesResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        context.answer(self.discard(&context, request.into_inner()).await)
    }

    async fn erase_dossier(
        &self,
        request: Request<proto::EraseDossierRequest>,
    ) -> Result<Response<proto::EraseDossierResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        context.answer(self.erase(&context, request.get_ref()).await)
    }

    async fn explain_dossier(
        &self,
        request: Request<proto::ExplainDossierRequest>,
    ) -> Result<Response<proto::ExplainDossierResponse>, Status> {
        let context = Context::of(&request, &self.0)?;
        let code = &request.get_ref().dossier_code;
        context.answer(self.explain(&context, code).await)
    }
}

impl Deliveries {
    async fn groups(
        &self,
        context: &Context,
        request: &proto::ListParkedGroupsRequest,
    ) -> Result<proto::ListParkedGroupsResponse, Error> {
        let operator = context.operator()?;
        let filter = filter_from_proto(request.filter.as_ref()).map_err(invalid)?;
        let groups = self.0.parked_groups(&operator, filter).await?;
        Ok(proto::ListParkedGroupsResponse {
            groups: groups.iter().map(group_to_proto).collect(),
        })
    }

    async fn parked_page(
        &self,
        context: &Context,
        request: &proto::ListParkedDeliveriesRequest,
    ) -> Result<proto::ListParkedDeliveriesResponse, Error> {
        let operator = context.operator()?;
        let filter = filter_from_proto(request.filter.as_ref()).map_err(invalid)?;
        let size = pages::page_size(request.page_size).map_err(invalid)?;
        let after = pages::after_number(List::Parked, &request.filter, &request.page_token)?;
        let found = self
            .0
            .parked(&operator, filter, DeliveryId(after), size)
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
        let operator = context.operator()?;
        let filter = selection_from_proto(request.selection.as_ref()).map_err(invalid)?;
        let allow_out_of_order = request.allow_out_of_order;
        let wanted = OperationRequest {
            kind: OperationKind::Replay,
            filter,
            allow_out_of_order,
            per_second: request.rate_per_second,
            key: request.idempotency_key,
            reason: request.reason,
        };
        let planned = self.plan(&operator, wanted, request.dry_run).await?;
        Ok(replay_to_proto(&planned, allow_out_of_order))
    }

    async fn discard(
        &self,
        context: &Context,
        request: proto::DiscardDeliveriesRequest,
    ) -> Result<proto::DiscardDeliveriesResponse, Error> {
        let operator = context.operator()?;
        let filter = selection_from_proto(request.selection.as_ref()).map_err(invalid)?;
        let wanted = OperationRequest {
            kind: OperationKind::Discard,
            filter,
            allow_out_of_order: false,
            per_second: PER_SECOND_MAX,
            key: request.idempotency_key,
            reason: request.reason,
        };
        let planned = self.plan(&operator, wanted, request.dry_run).await?;
        Ok(discard_to_proto(&planned))
    }

    /// What would happen, and the operation that does it unless nothing is to be done. Nothing happens in a dry run, so
    /// whoever sees the gateway may ask for one, and needs no reason.
    async fn plan(
        &self,
        operator: &Operator,
        wanted: OperationRequest,
        dry_run: bool,
    ) -> Result<Planned, Error> {
        if dry_run {
            wanted.pace()?;
        } else {
            wanted.check(operator)?;
        }
        // Read first: a moment later they may not be parked any more, and the answer has to name them.
        let (kind, out_of_order) = (wanted.kind, wanted.allow_out_of_order);
        let filter = wanted.filter.clone();
        let preview = self
            .0
            .preview(operator, kind, filter, out_of_order, ITEMS_SHOWN_MAX)
            .await?;
        let (filter, first) = (wanted.filter.clone(), DeliveryId(0));
        let parked = self.0.parked(operator, filter, first, ITEMS_SHOWN_MAX);
        let parked = parked.await?;
        let (operation, needs_approval) = if dry_run {
            let approval = self.0.approval(operator, kind, preview.matches).await?;
            (None, approval.needed)
        } else {
            let asked = self.0.request_operation(operator, wanted).await?;
            let awaits = |state| state == OperationState::AwaitingApproval;
            let needs_approval = asked.as_ref().is_some_and(|found| awaits(found.state));
            (asked, needs_approval)
        };
        Ok(Planned {
            preview,
            parked,
            operation,
            needs_approval,
        })
    }

    async fn erase(
        &self,
        context: &Context,
        asked: &proto::EraseDossierRequest,
    ) -> Result<proto::EraseDossierResponse, Error> {
        let operator = context.operator()?;
        let code = convert::dossier_code(&asked.dossier_code).map_err(invalid)?;
        self.0
            .erase_dossier(&operator, &code, &asked.reason)
            .await?;
        Ok(proto::EraseDossierResponse {})
    }

    async fn explain(
        &self,
        context: &Context,
        code: &str,
    ) -> Result<proto::ExplainDossierResponse, Error> {
        let operator = context.operator()?;
        let code = convert::dossier_code(code).map_err(invalid)?;
        let explanations = self.0.explain(&operator, &code).await?;
        let view = self.0.any_dossier(&operator, &code).await?;
        let mut lanes = Vec::with_capacity(explanations.len());
        for explanation in &explanations {
            lanes.push(self.lane(&operator, &view, explanation).await?);
        }
        Ok(proto::ExplainDossierResponse {
            dossier_code: code.to_string(),
            lanes,
        })
    }

    async fn lane(
        &self,
        operator: &Operator,
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
        let acceptance = self.acceptance(operator, &view.code, head.sequence);
        if let Some((event_id, since)) = acceptance.await? {
            reference.event_id = event_id;
            shown.waiting_since = Some(since);
        }
        shown.head = Some(reference);
        Ok(shown)
    }

    /// Which event has a sequence, and since when.
    async fn acceptance(
        &self,
        operator: &Operator,
        code: &DossierCode,
        sequence: i64,
    ) -> Result<Option<(String, prost_types::Timestamp)>, Error> {
        let found = self.0.any_timeline(operator, code, sequence - 1, 1).await?;
        let event = found.first().filter(|entry| entry.sequence == sequence);
        Ok(event.map(|entry| {
            (
                entry.event_id.to_string(),
                instant_to_proto(entry.accepted_at),
            )
        }))
    }
}
