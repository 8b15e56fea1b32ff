//! The fake's work for operators: one destination, parked deliveries, and operations that move on with each look.

use std::sync::{Arc, Mutex, MutexGuard};

use lienthong_proto::admin::v1::audit_service_server::AuditService;
use lienthong_proto::admin::v1::delivery_service_server::DeliveryService;
use lienthong_proto::admin::v1::destination_service_server::DestinationService;
use lienthong_proto::admin::v1::operation_service_server::OperationService;
use lienthong_proto::admin::v1::overview_service_server::OverviewService;
use lienthong_proto::admin::v1::queue_service_server::QueueService;
use lienthong_proto::admin::v1::report_service_server::ReportService;
use lienthong_proto::admin::v1::*;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::Answered;
use super::samples::{at, group, overview, reference, seconds};

/// How the gateway stands and what it was asked.
#[derive(Default)]
pub(crate) struct Duty {
    pub(crate) problems: Vec<Problem>,
    /// New operations await a second person.
    pub(crate) needs_approval: bool,
    /// Somebody presses Ctrl-C when an operation is looked at.
    pub(crate) stop_at_look: Option<CancellationToken>,
    /// Looks at operations that fail first, as during a restart.
    pub(crate) looks_lost: usize,
    pub(crate) operations: Vec<Operation>,
    /// The key of each operation.
    keys: Vec<String>,
    pub(crate) replays: Vec<ReplayDeliveriesRequest>,
    pub(crate) discards: Vec<DiscardDeliveriesRequest>,
    pub(crate) groups_asked: Vec<ListParkedGroupsRequest>,
    pub(crate) reports: Vec<GetReportRequest>,
    pub(crate) figures: Vec<ListFiguresRequest>,
    pub(crate) filters: Vec<SetLogFilterRequest>,
    pub(crate) actions_asked: Vec<ListActionsRequest>,
    pub(crate) paused: Option<Pause>,
}

#[derive(Clone)]
pub(super) struct Service(pub(super) Arc<Mutex<Duty>>);

impl Service {
    fn duty(&self) -> MutexGuard<'_, Duty> {
        self.0.lock().unwrap()
    }
}

impl Duty {
    fn destination(&self) -> Destination {
        let state = match self.paused {
            Some(_) => DestinationState::Paused,
            None => DestinationState::Running,
        };
        Destination {
            name: "dvcqg".into(),
            state: state.into(),
            pause: self.paused.clone(),
            breaker_state: BreakerState::Closed.into(),
            concurrency_limit: 8,
            parked_lane_policy: ParkedLanePolicy::Hold.into(),
            delivered_per_minute: 58.4,
            drained_in: Some(seconds(1_268)),
            ..Destination::default()
        }
    }

    /// Writes an operation down, unless its key is known.
    fn begin(&mut self, kind: OperationKind, key: &str, reason: &str) -> Operation {
        if let Some(known) = self.keys.iter().position(|known| known == key) {
            return self.operations[known].clone();
        }
        self.keys.push(key.to_owned());
        let state = if self.needs_approval {
            OperationState::AwaitingApproval
        } else {
            OperationState::Running
        };
        let operation = Operation {
            operation_id: i64::try_from(self.operations.len()).unwrap() + 1,
            kind: kind.into(),
            state: state.into(),
            matched: 3,
            requested_by: "G15/hotich".into(),
            reason: reason.into(),
            requested_at: Some(at()),
            rate_per_second: 20,
            ..Operation::default()
        };
        self.operations.push(operation.clone());
        operation
    }

    fn find(&mut self, id: i64) -> Result<&mut Operation, Status> {
        let mut found = self.operations.iter_mut();
        let found = found.find(|found| found.operation_id == id);
        found.ok_or_else(|| Status::not_found("no such operation"))
    }
}

#[tonic::async_trait]
impl OverviewService for Service {
    async fn get_overview(&self, _: Request<GetOverviewRequest>) -> Answered<GetOverviewResponse> {
        Ok(Response::new(overview(self.duty().problems.clone())))
    }

    async fn list_figures(
        &self,
        request: Request<ListFiguresRequest>,
    ) -> Answered<ListFiguresResponse> {
        let request = request.into_inner();
        let known = request.keys.iter().filter(|key| key.about != "unknown");
        let figures = known.map(|key| Figure {
            key: Some(key.clone()),
            points: [0.0, 1.0, 2.0, 7.5]
                .map(|value| FigurePoint {
                    at: Some(at()),
                    value,
                    max: value * 2.0,
                })
                .into(),
        });
        let figures = figures.collect();
        self.duty().figures.push(request);
        Ok(Response::new(ListFiguresResponse { figures }))
    }

    async fn set_log_filter(
        &self,
        request: Request<SetLogFilterRequest>,
    ) -> Answered<SetLogFilterResponse> {
        self.duty().filters.push(request.into_inner());
        Ok(Response::new(SetLogFilterResponse {
            former_filter: "info".into(),
        }))
    }
}

#[tonic::async_trait]
impl DeliveryService for Service {
    async fn list_parked_groups(
        &self,
        request: Request<ListParkedGroupsRequest>,
    ) -> Answered<ListParkedGroupsResponse> {
        self.duty().groups_asked.push(request.into_inner());
        Ok(Response::new(ListParkedGroupsResponse {
            groups: vec![group()],
        }))
    }

    async fn list_parked_deliveries(
        &self,
        request: Request<ListParkedDeliveriesRequest>,
    ) -> Answered<ListParkedDeliveriesResponse> {
        let first: i64 = request.into_inner().page_token.parse().unwrap_or(1);
        let parked = |id| ParkedDelivery {
            delivery: Some(reference(id)),
            procedure_code: "1.001193".into(),
            parked_at: Some(at()),
            error_group: "REJECTED/-1".into(),
            ..ParkedDelivery::default()
        };
        Ok(Response::new(ListParkedDeliveriesResponse {
            deliveries: (first..first + 2).map(parked).collect(),
            next_page_token: (first + 2).to_string(),
        }))
    }

    async fn replay_deliveries(
        &self,
        request: Request<ReplayDeliveriesRequest>,
    ) -> Answered<ReplayDeliveriesResponse> {
        let request = request.into_inner();
        let mut duty = self.duty();
        let operation = (!request.dry_run).then(|| {
            duty.begin(
                OperationKind::Replay,
                &request.idempotency_key,
                &request.reason,
            )
        });
        duty.replays.push(request);
        let item = ReplayItem {
            delivery: Some(reference(42)),
            repeats: true,
            reorders: false,
        };
        Ok(Response::new(ReplayDeliveriesResponse {
            plan: Some(ReplayPlan {
                would_replay: 3,
                would_repeat: 1,
                would_reorder: 0,
                items: vec![item],
                items_truncated: true,
            }),
            carried_out: operation.is_some(),
            operation,
            needs_approval: duty.needs_approval,
        }))
    }

    async fn discard_deliveries(
        &self,
        request: Request<DiscardDeliveriesRequest>,
    ) -> Answered<DiscardDeliveriesResponse> {
        let request = request.into_inner();
        let mut duty = self.duty();
        let operation = (!request.dry_run).then(|| {
            duty.begin(
                OperationKind::Discard,
                &request.idempotency_key,
                &request.reason,
            )
        });
        duty.discards.push(request);
        Ok(Response::new(DiscardDeliveriesResponse {
            would_discard: 3,
            would_release: 2,
            items: vec![reference(42)],
            items_truncated: false,
            carried_out: operation.is_some(),
            operation,
            needs_approval: duty.needs_approval,
        }))
    }

    async fn explain_dossier(
        &self,
        request: Request<ExplainDossierRequest>,
    ) -> Answered<ExplainDossierResponse> {
        Ok(Response::new(ExplainDossierResponse {
            dossier_code: request.into_inner().dossier_code,
            lanes: Vec::new(),
        }))
    }

    async fn erase_dossier(
        &self,
        _: Request<EraseDossierRequest>,
    ) -> Answered<EraseDossierResponse> {
        Err(Status::unimplemented("no command asks for this"))
    }
}

#[tonic::async_trait]
impl OperationService for Service {
    async fn get_operation(
        &self,
        request: Request<GetOperationRequest>,
    ) -> Answered<GetOperationResponse> {
        let id = request.into_inner().operation_id;
        let mut duty = self.duty();
        if let Some(stop) = duty.stop_at_look.take() {
            stop.cancel();
        }
        if duty.looks_lost > 0 {
            duty.looks_lost -= 1;
            return Err(Status::unavailable("restarting"));
        }
        let operation = duty.find(id)?;
        if operation.state() == OperationState::Running {
            operation.moved += 1;
            if operation.moved == 2 {
                operation.left_alone = 1;
                operation.set_state(OperationState::Done);
                operation.ended_at = Some(at());
            }
        }
        Ok(Response::new(GetOperationResponse {
            operation: Some(operation.clone()),
        }))
    }

    async fn list_operations(
        &self,
        _: Request<ListOperationsRequest>,
    ) -> Answered<ListOperationsResponse> {
        Ok(Response::new(ListOperationsResponse {
            operations: self.duty().operations.iter().rev().cloned().collect(),
            next_page_token: String::new(),
        }))
    }

    async fn approve_operation(
        &self,
        request: Request<ApproveOperationRequest>,
    ) -> Answered<ApproveOperationResponse> {
        let request = request.into_inner();
        let mut duty = self.duty();
        let operation = duty.find(request.operation_id)?;
        operation.set_state(OperationState::Running);
        operation.decided_by = "account:phe.duyet".into();
        operation.decided_reason = request.reason;
        operation.decided_at = Some(at());
        Ok(Response::new(ApproveOperationResponse {
            operation: Some(operation.clone()),
        }))
    }

    async fn cancel_operation(
        &self,
        request: Request<CancelOperationRequest>,
    ) -> Answered<CancelOperationResponse> {
        let request = request.into_inner();
        let mut duty = self.duty();
        let operation = duty.find(request.operation_id)?;
        operation.set_state(OperationState::Cancelled);
        operation.decided_by = "account:truc".into();
        operation.decided_reason = request.reason;
        operation.decided_at = Some(at());
        Ok(Response::new(CancelOperationResponse {
            operation: Some(operation.clone()),
        }))
    }
}

#[tonic::async_trait]
impl DestinationService for Service {
    async fn list_destinations(
        &self,
        _: Request<ListDestinationsRequest>,
    ) -> Answered<ListDestinationsResponse> {
        Ok(Response::new(ListDestinationsResponse {
            destinations: vec![self.duty().destination()],
        }))
    }

    async fn pause_destination(
        &self,
        request: Request<PauseDestinationRequest>,
    ) -> Answered<PauseDestinationResponse> {
        let mut duty = self.duty();
        duty.paused = Some(Pause {
            paused_by: "G15/hotich".into(),
            reason: request.into_inner().reason,
            paused_at: Some(at()),
        });
        Ok(Response::new(PauseDestinationResponse {
            destination: Some(duty.destination()),
        }))
    }

    async fn resume_destination(
        &self,
        _: Request<ResumeDestinationRequest>,
    ) -> Answered<ResumeDestinationResponse> {
        let mut duty = self.duty();
        duty.paused = None;
        Ok(Response::new(ResumeDestinationResponse {
            destination: Some(duty.destination()),
        }))
    }
}

#[tonic::async_trait]
impl QueueService for Service {
    async fn list_queues(&self, _: Request<ListQueuesRequest>) -> Answered<ListQueuesResponse> {
        Ok(Response::new(ListQueuesResponse {
            queues: vec![Queue {
                destination: "dvcqg".into(),
                broker_depth: Some(4),
                difference_vi: "Bộ trung chuyển còn 4 bản tin cũ; chúng sẽ bị bỏ qua.".into(),
                difference_en: "The broker holds 4 old messages; they will be dropped.".into(),
                ..Queue::default()
            }],
            broker: Some(Broker {
                kind: "rabbitmq".into(),
                connected: true,
                ..Broker::default()
            }),
            measured_at: Some(at()),
        }))
    }
}

#[tonic::async_trait]
impl ReportService for Service {
    async fn get_report(&self, request: Request<GetReportRequest>) -> Answered<GetReportResponse> {
        let request = request.into_inner();
        let row = |root: &str, name: &str| ReportRow {
            destination: "dvcqg".into(),
            root_code: root.into(),
            name: name.into(),
            accepted: 12_345,
            delivered: 12_300,
            parked: 3,
            retried: 40,
            given_up: 1,
            delay_p50: Some(prost_types::Duration {
                seconds: 0,
                nanos: 180_000_000,
            }),
            delay_p99: Some(seconds(125)),
        };
        let slow = SlowDossier {
            destination: "dvcqg".into(),
            dossier_code: "H56.14-261120-0001".into(),
            dossier_sequence: 4,
            day: request.first_day.clone(),
            delay: Some(seconds(7_500)),
        };
        let overdue = OverdueDossier {
            dossier_code: "H56.14-261119-<b>".into(),
            procedure_code: "1.001193".into(),
            due_at: Some(at()),
            past_due: true,
            undelivered: 2,
            parked: 1,
        };
        self.duty().reports.push(request);
        Ok(Response::new(GetReportResponse {
            made_at: Some(at()),
            rows: vec![row("H56", "Thanh Hóa"), row("", "")],
            slow_dossiers: vec![slow],
            overdue_dossiers: vec![overdue],
            due_until: Some(at()),
        }))
    }
}

#[tonic::async_trait]
impl AuditService for Service {
    async fn list_actions(
        &self,
        request: Request<ListActionsRequest>,
    ) -> Answered<ListActionsResponse> {
        let request = request.into_inner();
        let newest: i64 = request.page_token.parse().unwrap_or(5);
        let action = |id| Action {
            action_id: id,
            at: Some(at()),
            by: "G15/hotich".into(),
            kind: "pause".into(),
            subject: "dvcqg".into(),
            reason: "bảo trì\u{1b}[2J".into(),
        };
        self.duty().actions_asked.push(request);
        let oldest = (newest - 1).max(1);
        let next = if oldest > 1 {
            (oldest - 1).to_string()
        } else {
            String::new()
        };
        Ok(Response::new(ListActionsResponse {
            actions: (oldest..=newest).rev().map(action).collect(),
            next_page_token: next,
        }))
    }
}
