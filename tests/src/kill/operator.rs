//! The operator of the gateway: looks at the queues, replays suspects, explains what is missing.

use std::time::Duration;

use anyhow::Context as _;
use lienthong_proto::admin::v1::delivery_selection::Selection;
use lienthong_proto::admin::v1::delivery_service_client::DeliveryServiceClient;
use lienthong_proto::admin::v1::operation_service_client::OperationServiceClient;
use lienthong_proto::admin::v1::queue_service_client::QueueServiceClient;
use lienthong_proto::admin::v1::{
    ApproveOperationRequest, DeliveryIdList, DeliverySelection, ExplainDossierRequest,
    ListOperationsRequest, ListParkedDeliveriesRequest, ListQueuesRequest, Operation,
    ParkedDelivery, ParkedFilter, ReplayDeliveriesRequest, StateCounts,
};
use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_proto::dossier::v1::{ListStatusEventsRequest, TimelineEntry};
use tonic::transport::Channel;

/// Longest wait for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// Parked deliveries of one page.
const PAGE: u32 = 500;
/// Deliveries made ready a second by a replay.
const REPLAY_RATE: u32 = 1_000;
/// Reasons for parking that a kill explains: its worker died too often, or the broker gave the message up.
const SUSPECT_REASONS: [&str; 2] = ["CRASH_SUSPECT", "DEAD_LETTERED"];

/// An operator's connection.
#[derive(Clone, Debug)]
pub struct Operator {
    deliveries: DeliveryServiceClient<Channel>,
    queues: QueueServiceClient<Channel>,
    operations: OperationServiceClient<Channel>,
    dossiers: DossierServiceClient<Channel>,
}

impl Operator {
    /// An operator behind this channel.
    pub fn new(channel: Channel) -> Self {
        Self {
            deliveries: DeliveryServiceClient::new(channel.clone()),
            queues: QueueServiceClient::new(channel.clone()),
            operations: OperationServiceClient::new(channel.clone()),
            dossiers: DossierServiceClient::new(channel),
        }
    }

    /// Deliveries that are on their way or parked.
    ///
    /// # Errors
    /// No answer.
    pub async fn open_deliveries(&mut self) -> anyhow::Result<u64> {
        let counts = self.counts().await?.into_iter();
        Ok(counts
            .map(|count| count.queued + count.ready + count.sent + count.calling + count.parked)
            .sum())
    }

    /// How many deliveries are parked.
    ///
    /// # Errors
    /// No answer.
    pub async fn parked_count(&mut self) -> anyhow::Result<u64> {
        let counts = self.counts().await?.into_iter();
        Ok(counts.map(|count| count.parked).sum())
    }

    async fn counts(&mut self) -> anyhow::Result<Vec<StateCounts>> {
        let asked = tokio::time::timeout(ANSWER_MAX, self.queues.list_queues(ListQueuesRequest {}));
        let answer = asked.await.context("the queues got no answer")??;
        let queues = answer.into_inner().queues.into_iter();
        Ok(queues.filter_map(|queue| queue.counts).collect())
    }

    /// Asks once for a replay of everything parked.
    ///
    /// # Errors
    /// No answer, or no operation.
    pub async fn replay_everything(
        &mut self,
        key: &str,
        per_second: u32,
    ) -> anyhow::Result<Operation> {
        let request = ReplayDeliveriesRequest {
            selection: Some(DeliverySelection {
                selection: Some(Selection::Filter(ParkedFilter::default())),
            }),
            reason: "Cổng đã sửa, gửi lại tất cả".to_owned(),
            rate_per_second: per_second,
            idempotency_key: key.to_owned(),
            ..ReplayDeliveriesRequest::default()
        };
        let asked = tokio::time::timeout(ANSWER_MAX, self.deliveries.replay_deliveries(request));
        let answer = asked.await.context("a replay got no answer")??.into_inner();
        answer.operation.context("a replay made no operation")
    }

    /// Approves an operation.
    ///
    /// # Errors
    /// No answer, or not permitted.
    pub async fn approve(&mut self, operation_id: i64) -> anyhow::Result<()> {
        let request = ApproveOperationRequest {
            operation_id,
            reason: "Đã kiểm tra với cổng".to_owned(),
        };
        let asked = tokio::time::timeout(ANSWER_MAX, self.operations.approve_operation(request));
        asked.await.context("an approval got no answer")??;
        Ok(())
    }

    /// All operations, newest first.
    ///
    /// # Errors
    /// No answer.
    pub async fn operations(&mut self) -> anyhow::Result<Vec<Operation>> {
        let request = ListOperationsRequest::default();
        let asked = tokio::time::timeout(ANSWER_MAX, self.operations.list_operations(request));
        let answer = asked.await.context("the operations got no answer")??;
        Ok(answer.into_inner().operations)
    }

    /// The parked deliveries, at most one page.
    ///
    /// # Errors
    /// No answer.
    pub async fn parked(&mut self) -> anyhow::Result<Vec<ParkedDelivery>> {
        let request = ListParkedDeliveriesRequest {
            page_size: PAGE,
            ..ListParkedDeliveriesRequest::default()
        };
        let asked =
            tokio::time::timeout(ANSWER_MAX, self.deliveries.list_parked_deliveries(request));
        Ok(asked
            .await
            .context("the parked deliveries got no answer")??
            .into_inner()
            .deliveries)
    }

    /// Sends those of `parked` again that a kill explains. Returns how many.
    ///
    /// # Errors
    /// No answer.
    pub async fn replay_suspects(&mut self, parked: &[ParkedDelivery]) -> anyhow::Result<u64> {
        let suspects = parked.iter().filter(|delivery| is_suspect(delivery));
        let delivery_ids: Vec<_> = suspects
            .filter_map(|parked| Some(parked.delivery.as_ref()?.delivery_id))
            .collect();
        if delivery_ids.is_empty() {
            return Ok(0);
        }
        let request = ReplayDeliveriesRequest {
            selection: Some(DeliverySelection {
                selection: Some(Selection::Ids(DeliveryIdList { delivery_ids })),
            }),
            reason: "Thử nghiệm: tiến trình bị dừng đột ngột".to_owned(),
            dry_run: false,
            rate_per_second: REPLAY_RATE,
            ..ReplayDeliveriesRequest::default()
        };
        let asked = tokio::time::timeout(ANSWER_MAX, self.deliveries.replay_deliveries(request));
        let answer = asked.await.context("a replay got no answer")??.into_inner();
        // Nothing is left to carry out where the replay asked for before was quicker.
        Ok(answer.plan.map_or(0, |plan| plan.would_replay))
    }

    /// The timeline of a dossier.
    ///
    /// # Errors
    /// No answer.
    pub async fn timeline(&mut self, dossier: &str) -> anyhow::Result<Vec<TimelineEntry>> {
        let request = ListStatusEventsRequest {
            dossier_code: dossier.to_owned(),
            ..ListStatusEventsRequest::default()
        };
        let asked = tokio::time::timeout(ANSWER_MAX, self.dossiers.list_status_events(request));
        Ok(asked
            .await
            .context("a timeline got no answer")??
            .into_inner()
            .entries)
    }

    /// Why a dossier waits, for the report.
    pub async fn explain(&mut self, dossier: &str) -> String {
        let request = ExplainDossierRequest {
            dossier_code: dossier.to_owned(),
        };
        match tokio::time::timeout(ANSWER_MAX, self.deliveries.explain_dossier(request)).await {
            Ok(Ok(answer)) => {
                let lanes = answer.into_inner().lanes.into_iter();
                let lanes = lanes.map(|lane| format!("{} {:?}", lane.explanation_en, lane.head));
                lanes.collect::<Vec<_>>().join("; ")
            }
            Ok(Err(status)) => format!("no explanation: {status}"),
            Err(_) => "no explanation in time".to_owned(),
        }
    }
}

/// Whether a kill explains that this delivery is parked.
pub fn is_suspect(parked: &ParkedDelivery) -> bool {
    SUSPECT_REASONS.contains(&parked.parked_reason.as_str())
}
